"""The one place that turns errors into pages: plain words in the reader's language, and a number to quote.

Each page says what happened, that nothing was lost, and what to do next. What does not exist and what belongs to
somebody else give the same page.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, g, make_response, render_template, request
from flask.globals import request_ctx
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from pilot.db import is_passing
from pilot.errors import Busy, LinkExpired, NotYours, PilotError, ProtocolError, Refused
from pilot.web import wording

logger = logging.getLogger("pilot.web")

RETRY_AFTER = "5"
STATUS: tuple[tuple[type[PilotError], int], ...] = (
    (NotYours, 404),
    (LinkExpired, 410),
    (Refused, 409),
    (ProtocolError, 422),
    (Busy, 503),
    (PilotError, 500),
)


def install(app: Flask) -> None:
    app.register_error_handler(PilotError, of_the_pilot)
    app.register_error_handler(CSRFError, lambda _error: page(400, "stale_form"))
    app.register_error_handler(HTTPException, of_the_web)
    app.register_error_handler(Exception, unforeseen)


def of_the_pilot(error: PilotError) -> Response:
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    if status >= 500:
        logger.error("refused", extra={"code": error.code, "request_id": g.get("request_id")})
    return page(status, error.code)


def of_the_web(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    status = error.code if error.code in wording.BY_STATUS else 400 if error.code < 500 else 500
    answer = page(status)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def unforeseen(error: Exception) -> Response:
    """Something nobody thought of: logged by place and kind, never by what it quoted."""
    passing = isinstance(error, DBAPIError) and is_passing(error)
    if passing or isinstance(error, PoolTimeout):
        return page(503, "busy")
    logger.error("unforeseen", exc_info=error, extra={"request_id": g.get("request_id")})
    return page(500)


def page(status: int, code: str = "") -> Response:
    """The page of this status, for staff or participants; a few words as JSON where JSON was asked for."""
    g.failed = True
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        answer = make_response({"error": code or status, "request_id": g.get("request_id")}, status)
    elif request_ctx.url_adapter is None:
        # A host that is not ours: no page, for its links would lead to that host.
        answer = make_response(str(wording.of(status).heading), status, {"Content-Type": "text/plain; charset=utf-8"})
    else:
        values = {"status": status, "said": wording.of(status, code), "request_id": g.get("request_id", "")}
        answer = make_response(render_template("errors/page.html", **values), status)
    if status == 503:
        answer.headers["Retry-After"] = RETRY_AFTER
    return answer
