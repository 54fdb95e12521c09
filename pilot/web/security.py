"""What the browser may do: headers, cookies, sizes, cross-site posts, hosts and rates, each set in one place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import limits
from flask import Flask, Response, abort, request
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from pilot import attempts
from pilot.errors import SettingsError
from pilot.settings import Settings
from pilot.web.state import state

View = TypeVar("View", bound=Callable[..., Any])

MEGABYTE = 1024 * 1024
LARGEST_FORM = 1 * MEGABYTE
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Views of the sign-in library at which somebody could guess passwords or codes.
GUESSABLE = (
    "security.login",
    "security.forgot_password",
    "security.reset_password",
    "security.change_password",
    "security.verify",
    "security.two_factor_token_validation",
    "security.two_factor_setup_validate",
    "security.two_factor_rescue",
    "security.mf_recovery",
)


def install(app: Flask) -> None:
    settings = state(app).settings
    app.config.update(_configuration(settings))
    app.before_request(_only_files_are_large)
    CSRFProtect(app)
    app.after_request(_headers)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _configuration(settings: Settings) -> dict[str, Any]:
    hosts = {host.strip() for host in settings.trusted_hosts.split(",") if host.strip()}
    hosts = hosts or {urlsplit(settings.base_url).hostname or "localhost"}
    if settings.kind != "production":
        hosts |= {"localhost", "127.0.0.1"}
    return {
        "SECRET_KEY": settings.secret_key,
        "TESTING": settings.kind == "test",
        "PROPAGATE_EXCEPTIONS": False,
        "TRUSTED_HOSTS": sorted(hosts),
        # A long survey page has many small parts; an imported list of invitations is the largest upload.
        "MAX_CONTENT_LENGTH": 16 * MEGABYTE,
        "MAX_FORM_MEMORY_SIZE": LARGEST_FORM,
        "MAX_FORM_PARTS": 5_000,
        "SESSION_COOKIE_NAME": "__Host-session" if settings.secure else "session",
        "SESSION_COOKIE_SECURE": settings.secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=settings.session_hours),
        # The token lives as long as the session: who thinks an hour about a question can still answer it.
        "WTF_CSRF_TIME_LIMIT": None,
        # Some browsers of careful people send no Referer; the token and the SameSite cookie do not need it.
        "WTF_CSRF_SSL_STRICT": False,
    }


def _only_files_are_large() -> None:
    """An upload may be large, a form without files may not: it is read in one go."""
    if request.mimetype != "multipart/form-data":
        request.max_content_length = LARGEST_FORM


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if state().settings.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def guessable(view: View) -> View:
    """Marks a view at which somebody could guess a code; it is limited like sign-in."""
    view.guessable = True  # type: ignore[attr-defined]
    return view


def limit(app: Flask) -> None:
    """Limit the posts to every guessable view per address, by the setting `login_limit`. All processes count together.

    It stands before the page and keeps its count by itself: an attempt counts also when the page undoes all it did.
    """
    allowed = _limits(state(app).settings.login_limit)

    @app.before_request
    def count() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if request.method != "POST" or not (request.endpoint in GUESSABLE or getattr(view, "guessable", False)):
            return
        database = state().database
        key = database.keyring.lookup(f"{request.endpoint} {attempts.network(request.remote_addr or '')}", "attempt")
        with database.writing() as session:
            allowed_now = attempts.take(session, key, allowed)
        if not allowed_now:
            abort(429)


def _limits(text: str) -> tuple[attempts.Limit, ...]:
    """The limits of the setting, such as "10 per minute; 50 per hour". Raises SettingsError when it reads otherwise."""
    try:
        return tuple((one.amount, one.get_expiry()) for one in limits.parse_many(text))
    except ValueError:
        raise SettingsError(
            f"login_limit '{text}' is no limit; write, for example, '10 per minute; 50 per hour'"
        ) from None
