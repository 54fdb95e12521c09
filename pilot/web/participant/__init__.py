"""The pages of people who take part: one thing a page, every page saved, nothing that needs a script."""

from flask import Blueprint

bp = Blueprint("participant", __name__)

from pilot.web.participant import agreeing, arriving, asking, drawing, looking, stopping, telling, thanking  # noqa: E402

__all__ = ["agreeing", "arriving", "asking", "bp", "drawing", "looking", "stopping", "telling", "thanking"]
