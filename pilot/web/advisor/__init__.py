"""The pages of advisors: who they guide, what was done, and what can be offered; made for a phone between two talks."""

from flask import Blueprint

bp = Blueprint("advisor", __name__)

from pilot.web.advisor import leaving, offering, overview, person, planning, talking  # noqa: E402

__all__ = ["bp", "leaving", "offering", "overview", "person", "planning", "talking"]
