"""The pages of people who take part: one thing a page, every page saved, nothing that needs a script."""

from flask import Blueprint

bp = Blueprint("participant", __name__)

from pilot.web.participant import (  # noqa: E402
    addressing,
    agreeing,
    arriving,
    asking,
    drawing,
    looking,
    stopping,
    telling,
    thanking,
)

__all__ = [
    "addressing",
    "agreeing",
    "arriving",
    "asking",
    "bp",
    "drawing",
    "looking",
    "stopping",
    "telling",
    "thanking",
]
