"""The pages of interviewers: who is to be called, what to ask, and what came of it. Nothing here knows an arm."""

from flask import Blueprint

bp = Blueprint("interviewer", __name__)

from pilot.web.interviewer import calling, moved, queue, script  # noqa: E402

__all__ = ["bp", "calling", "moved", "queue", "script"]
