"""Sign-in of staff: Flask-Security on our own tables, with a password, an authenticator app and recovery codes.

The library wants to mix itself into the user class. Our models stay free of the web, so here are second, thin classes
mapped on the same tables; what a person may do is never asked of them but of `pilot.access`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from datetime import datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import flask_security
from flask import Flask, g, session
from flask_login import user_logged_in, user_logged_out
from flask_security import (
    MailUtil,
    RoleMixin,
    Security,
    SQLAlchemyUserDatastore,
    Totp,
    UserMixin,
    password_changed,
    password_reset,
)
from passlib.exc import UsedTokenError
from passlib.totp import TotpMatch
from sqlalchemy import update
from sqlalchemy.orm import Session, registry, relationship

from pilot import mail
from pilot.db import Base
from pilot.models import Role, User
from pilot.models.staff import staff_roles
from pilot.settings import Settings
from pilot.web.auth_forms import AppForm, RescueForm, SignInForm
from pilot.web.language import FOLDER, Catalogue
from pilot.web.rules import rule
from pilot.web.state import state

logger = logging.getLogger("pilot.web")

LIBRARY_TEXTS = Path(flask_security.__file__).parent / "translations"


def of_the_library(language: str) -> list[Path]:
    """The library's own catalogue, and what we add to it or say more plainly."""
    own = FOLDER / language / "library.po"
    theirs = LIBRARY_TEXTS / f"{language}_{language.upper()}" / "LC_MESSAGES" / "flask_security.po"
    return [path for path in (theirs, own) if path.is_file()]


class SignInRole(RoleMixin):
    """A row of `roles`, as the sign-in library sees it."""


class SignIn(UserMixin):
    """A row of `users`, as the sign-in library sees it."""

    first_password: bool
    totp_used: int | None


_mapping = registry(metadata=Base.metadata)
_mapping.map_imperatively(SignInRole, Role.__table__)
_mapping.map_imperatively(
    SignIn, User.__table__, properties={"roles": relationship(SignInRole, secondary=staff_roles, viewonly=True)}
)


class Store(SQLAlchemyUserDatastore):
    """Reads and writes through the session of the request, and leaves committing to the edge."""

    def __init__(self) -> None:
        super().__init__(self, SignIn, SignInRole)  # type: ignore[arg-type]

    @property
    def session(self) -> Session:
        return g.session

    def commit(self) -> None:
        """The edge commits."""

    def mf_delete_recovery_code(self, user: SignIn, idx: int) -> bool:  # type: ignore[override]
        """A used code is gone. The list is replaced: a change inside it would not be seen, and not be kept."""
        codes = list(user.mf_recovery_codes or [])
        if not 0 <= idx < len(codes):
            return False
        user.mf_recovery_codes = codes[:idx] + codes[idx + 1 :]
        return True


class Codes(Totp):
    """Codes of the authenticator app, each taken once: who looks over a shoulder comes too late with it."""

    def get_last_counter(self, user: SignIn) -> int | None:  # type: ignore[override]
        return user.totp_used

    def set_last_counter(self, user: SignIn, tmatch: TotpMatch) -> None:  # type: ignore[override]
        """Raises UsedTokenError when another request was first with this code or a later one."""
        later = (User.id == user.id) & (User.totp_used.is_(None) | (User.totp_used < tmatch.counter))
        query = update(User).where(later).values(totp_used=tmatch.counter).returning(User.id)
        if g.session.execute(query).first() is None:
            raise UsedTokenError(expire_time=tmatch.expire_time)


class Mail(MailUtil):
    """The library's messages leave the way all messages leave."""

    def send_mail(self, *told: Any, **_context: Any) -> None:
        """Told: template, subject, recipient, sender, plain text, HTML; we send plain text from our own sender."""
        _template, subject, recipient, _sender, body, *_html = told
        mail.send(state().settings, str(recipient), str(subject), str(body), kind="staff")


# The library's views carry no decorator of ours, so their rules are listed: they check by themselves who is signed in.
LIBRARY_RULES = {
    "security.login": rule.public,
    "security.logout": rule.public,
    "security.verify": rule.signed_in,
    "security.change_password": rule.signed_in,
    "security.forgot_password": rule.public,
    "security.reset_password": rule.public,
    "security.two_factor_setup": rule.public,
    "security.two_factor_setup_validate": rule.signed_in,
    "security.two_factor_token_validation": rule.public,
    "security.two_factor_rescue": rule.public,
    "security.tf_select": rule.public,
    "security.mf_recovery_codes": rule.signed_in,
    "security.mf_recovery": rule.public,
}


def install(app: Flask) -> None:
    settings = state(app).settings
    app.config.update(_configuration(settings))
    app.config["LISTED_RULES"].update(LIBRARY_RULES)
    security = Security(
        app,
        Store(),
        mail_util_cls=Mail,
        totp_cls=Codes,
        login_form=SignInForm,
        two_factor_setup_form=AppForm,
        two_factor_rescue_form=RescueForm,
    )
    security.i18n_domain = Catalogue("flask_security", of_the_library)  # type: ignore[assignment]
    app.jinja_env.globals["_fsdomain"] = security.i18n_domain.gettext
    # Rules are checked inside the request's transaction; the library's own check would open the session before it,
    # and its tokens in headers are not used.
    app.before_request_funcs[None].remove(security.principal._on_before_request)
    security.login_manager.request_loader(None)
    user_logged_in.connect(_arrived, app)
    user_logged_out.connect(_left, app)
    password_changed.connect(_own_password, app)
    password_reset.connect(_own_password, app)


def _configuration(settings: Settings) -> dict[str, Any]:
    totp, recovery = (_derived(settings, purpose) for purpose in ("totp", "recovery codes"))
    cookie = {"httponly": True, "secure": settings.secure, "samesite": "Strict"}
    values = {
        "PASSWORD_SALT": settings.password_salt,
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_LENGTH_MIN": 12,
        "PASSWORD_NORMALIZE_FORM": "NFKC",
        "DATETIME_FACTORY": _now,
        "RETURN_GENERIC_RESPONSES": True,
        "RECOVERABLE": True,
        "RESET_PASSWORD_WITHIN": timedelta(hours=4),
        "CHANGEABLE": True,
        "LOGOUT_METHODS": ["POST"],
        "LOGOUT_CSRF": True,
        "TWO_FACTOR": True,
        "TWO_FACTOR_REQUIRED": settings.kind == "production",
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TWO_FACTOR_RESCUE_MAIL": parseaddr(settings.sender)[1],
        "TWO_FACTOR_ALWAYS_VALIDATE": True,
        "TWO_FACTOR_VALIDITY_COOKIE": cookie,
        "TOTP_SECRETS": {"1": base64.b32encode(totp).decode()},
        "TOTP_ISSUER": "Adviespilot",
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_CODES_N": 8,
        "MULTI_FACTOR_RECOVERY_CODES_KEYS": [base64.urlsafe_b64encode(recovery)],
        "API_ENABLED_METHODS": ["session"],
        "EMAIL_SENDER": settings.sender,
        "EMAIL_HTML": False,
        # An address is checked by its form: no name server is asked who signs in here.
        "EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "test_environment": True},
        "JOIN_USER_ROLES": False,
        "POST_LOGIN_VIEW": "home.desk",
        "POST_LOGOUT_VIEW": "home.start",
        "STATIC_FOLDER": None,
        "CACHE_CONTROL": None,
        "CLI_USERS_NAME": None,
        "CLI_ROLES_NAME": None,
    }
    templates = {
        "LOGIN_USER": "sign_in",
        "LOGOUT_USER": "sign_out",
        "FORGOT_PASSWORD": "forgot",
        "RESET_PASSWORD": "reset",
        "CHANGE_PASSWORD": "change",
        "VERIFY": "again",
        "TWO_FACTOR_SETUP": "authenticator",
        "TWO_FACTOR_VERIFY_CODE": "code",
        "TWO_FACTOR_SELECT": "code",
        "MULTI_FACTOR_RECOVERY": "recovery",
        "MULTI_FACTOR_RECOVERY_CODES": "recovery_codes",
    }
    values.update({f"{name}_TEMPLATE": f"auth/{file}.html" for name, file in templates.items()})
    values.update({
        "EMAIL_TEMPLATE_PASSWORD_RESET": "auth/email/reset",
        "EMAIL_TEMPLATE_PASSWORD_RESET_NOTICE": "auth/email/was_reset",
        "EMAIL_TEMPLATE_PASSWORD_CHANGE_NOTICE": "auth/email/was_changed",
    })  # fmt: skip
    return {f"SECURITY_{name}": value for name, value in values.items()}


def _derived(settings: Settings, purpose: str) -> bytes:
    """A key of its own for each purpose, from the one secret of the installation."""
    return hmac.new(settings.secret_key.encode(), b"staff:" + purpose.encode(), hashlib.sha256).digest()


def _now() -> datetime:
    return state().now()


def _arrived(_app: Flask, user: SignIn, **_: Any) -> None:
    """The cookie holds for the working day of the settings, counted from here."""
    session.permanent = True
    logger.info("signed in", extra={"request_id": g.get("request_id"), "user": user.id})


def _own_password(_app: Flask, user: SignIn, **_: Any) -> None:
    """Nobody else knows the password any more."""
    user.first_password = False


def _left(app: Flask, user: SignIn, **_: Any) -> None:
    """A cookie cannot be called back; a new identifier makes every old one worthless."""
    if user.is_authenticated:
        app.extensions["security"].datastore.set_uniquifier(user)
