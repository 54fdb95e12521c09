"""Every request has a number and a time; every answer is one line in the log, without personal data."""

from __future__ import annotations

import logging
import re
import secrets
import time

from flask import Flask, Response, g, request

from pilot.web import database
from pilot.web.state import state

logger = logging.getLogger("pilot.web")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
HIDDEN_IN_PATHS = frozenset({"token", "code", "study_id", "filename"})


def install(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_appcontext(database.close)


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    g.now = state().now()
    g.started = time.perf_counter()


def _end(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers["X-Request-ID"] = g.request_id
    logger.info(
        "request",
        extra={
            "request_id": g.request_id,
            "method": request.method,
            "path": masked_path(found=response.status_code != 404),
            "endpoint": request.endpoint,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.started) * 1000, 1),
        },
    )
    return response


def masked_path(*, found: bool = True) -> str:
    """The path as its rule spells it, with what is not secret filled in; an unknown path is not written at all.

    Where nothing was found nothing is filled in: somebody may have typed a name there.
    """
    if request.url_rule is None:
        return "(unknown)"
    path = request.url_rule.rule
    if not found:
        return path
    for name, value in (request.view_args or {}).items():
        shown = "***" if name in HIDDEN_IN_PATHS else str(value)
        path = re.sub(rf"<(?:[^<>:]+:)?{re.escape(name)}>", lambda _match, shown=shown: shown, path)
    return path


def forget() -> None:
    """Drop what this request found in a session that broke, so that a second run finds it anew."""
    for name in ("user", "pilot", "participant", "link", "in_force", "_login_user"):
        g.pop(name, None)
    g.now = state().now()
