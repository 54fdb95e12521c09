"""The researcher's room for questionnaires: how each reads, whether a workbook can be used, and drafts to work on."""

from flask import Blueprint

bp = Blueprint("instruments", __name__)

from pilot.web.instruments import drafts, overview, previewing, questions, shaping  # noqa: E402

__all__ = ["bp", "drafts", "overview", "previewing", "questions", "shaping"]
