"""The pages of administrators: who works on which pilot, and, in a demo, what day it is."""

from flask import Blueprint

bp = Blueprint("administrator", __name__)

from pilot.web.administrator import clock, users  # noqa: E402

__all__ = ["bp", "clock", "users"]
