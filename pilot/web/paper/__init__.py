"""Questions on paper: printing the forms, typing them over twice, and deciding where two people read differently."""

from flask import Blueprint

bp = Blueprint("paper", __name__)

from pilot.web.paper import deciding, entering, overview, printing  # noqa: E402

__all__ = ["bp", "deciding", "entering", "overview", "printing"]
