"""The pages of data stewards: what comes in, what goes out, who asks about the own data, and what the record says."""

from flask import Blueprint

bp = Blueprint("steward", __name__)

from pilot.web.steward import (  # noqa: E402
    addressing,
    auditing,
    correcting,
    duplicates,
    importing,
    letters,
    outbox,
    overview,
    posting,
    requests,
    returning,
    thanking,
)

__all__ = [
    "addressing",
    "auditing",
    "bp",
    "correcting",
    "duplicates",
    "importing",
    "letters",
    "outbox",
    "overview",
    "posting",
    "requests",
    "returning",
    "thanking",
]
