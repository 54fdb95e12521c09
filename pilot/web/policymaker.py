"""What works, for whom it matters to know without statistics: published numbers only, never newer ones."""

from __future__ import annotations

from flask import Blueprint

from pilot.web.dashboards import dashboard, show
from pilot.web.rules import rule

bp = Blueprint("policymaker", __name__)


@bp.get("/<slug>/results")
@rule.may("see_published")
def results(slug: str) -> str:  # noqa: ARG001  # the rule has read it
    board = dashboard()
    return show("policymaker/results.html", board.policymaker(), published_on=board.published_on())
