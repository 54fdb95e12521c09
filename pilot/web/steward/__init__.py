"""The pages of data stewards: what comes in, what goes out, who asks about the own data, and what the record says."""

from flask import Blueprint

bp = Blueprint("steward", __name__)

from pilot.web.steward import auditing, correcting, duplicates, importing, letters, outbox, overview, requests  # noqa: E402

__all__ = ["auditing", "bp", "correcting", "duplicates", "importing", "letters", "outbox", "overview", "requests"]
