"""Sample size on a page: change a number and see what it does; and a wizard for who is no statistician."""

from flask import Blueprint

bp = Blueprint("design", __name__)

from pilot.web.design import numbers, topics, wizard  # noqa: E402

__all__ = ["bp", "numbers", "topics", "wizard"]
