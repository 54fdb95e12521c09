"""Two questions a machine asks: is the process alive, and may people be sent to it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from pilot import readiness
from pilot.errors import PilotError
from pilot.web.rules import rule
from pilot.web.state import state

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@rule.public
def alive() -> Response:
    return jsonify(status="ok")


@bp.get("/readyz")
@rule.public
def ready() -> Response:
    """503 while the database is away, its tables are old, a key is missing or a counter disagrees with the record."""
    here = state()
    try:
        readiness.check(here.database, here.settings)
    except PilotError as error:
        answer = jsonify(status="not ready", reason=error.code)
        answer.status_code = 503
        return answer
    return jsonify(status="ready")
