"""The door of every page: each view says by a decorator who may see it, and no view without one is ever run.

    @bp.get("/<slug>/caseload")
    @rule.may("see_caseload")
    def caseload(slug: str): ...

What the rule found stands on `g`: `g.user`, `g.pilot`, `g.participant`, `g.link`, and `g.now` by the pilot's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import Flask, g, redirect, request, session
from flask_login import current_user
from werkzeug.wrappers import Response

from pilot import access
from pilot.errors import NotYours
from pilot.models import Pilot, User
from pilot.web.state import state

View = TypeVar("View", bound=Callable[..., Any])
Kind = Literal["public", "token", "signed_in", "may"]


# Whoever signed in with a password that somebody else made chooses an own one before anything else opens.
OPEN_WITH_A_FIRST_PASSWORD = ("security.change_password", "security.two_factor_setup_validate", "security.verify")


class NoRule(RuntimeError):
    """A route was made without a rule; the page is refused to everybody until it has one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may see a page. `subject` is the purpose of a personal link, or the capability."""

    kind: Kind
    subject: str = ""

    def __call__(self, view: View) -> View:
        view.rule = self  # type: ignore[attr-defined]
        return view


class _Rules:
    """The words a view can carry."""

    public = Rule("public")
    signed_in = Rule("signed_in")

    @staticmethod
    def token(purpose: str) -> Rule:
        """A personal link of this purpose; the path holds `<token>`. Sets g.link, g.participant, g.pilot."""
        access.LINK_DAYS[purpose]
        return Rule("token", purpose)

    @staticmethod
    def may(capability: str) -> Rule:
        """A signed-in person with this capability, in the pilot of `<slug>`, for the participant of `<study_id>`, when
        the path holds them; without either, in the installation as a whole. Sets g.pilot, g.participant.
        """
        access.CAPABILITIES[capability]
        return Rule("may", capability)


rule = _Rules()


def rule_of(app: Flask, endpoint: str) -> Rule:
    """The rule of an endpoint, carried by its view or listed for a library's. Raises NoRule."""
    listed: Mapping[str, Rule] = app.config["LISTED_RULES"]
    found = getattr(app.view_functions.get(endpoint), "rule", None) or listed.get(endpoint)
    if found is None:
        raise NoRule(f"the view '{endpoint}' carries no @rule; see pilot/web/rules.py")
    return found


def enforce(app: Flask) -> Response | None:
    """Check the rule of the page that is asked for. Gives a redirect to sign in, or None when the page may be shown.

    Raises NotYours for a page that is not for this person, LinkExpired for an old link.
    """
    if request.endpoint is None:
        return None
    found = rule_of(app, request.endpoint)
    values = request.view_args or {}
    if found.kind == "public":
        return None
    if found.kind == "token":
        _open_link(found.subject, values["token"])
        return None
    user = signed_in_user()
    if user is None:
        return _to_sign_in(app)
    if user.first_password and request.endpoint not in OPEN_WITH_A_FIRST_PASSWORD:
        return redirect(app.url_for("security.change_password"))
    if found.kind == "may":
        _open_pilot(user, found.subject, values)
    return None


def signed_in_user() -> User | None:
    """The member of staff who asks, from this request's session; None for a visitor."""
    if "user" not in g:
        here = current_user.is_authenticated and _signed_in_recently()
        g.user = g.session.get(User, current_user.id) if here else None
    return g.user


def _signed_in_recently() -> bool:
    """A session ends after the hours of the settings, however busy it was; the library notes when it began."""
    began = session.get("fs_paa", 0)
    return time.time() - began < state().settings.session_hours * 3600


def _open_link(purpose: str, token: str) -> None:
    here = state()
    g.link = access.find_link(g.session, here.settings.secret_key, token, purpose)
    g.participant = g.link.participant
    _stand_in(g.session.get(Pilot, g.participant.pilot_id))
    g.link.check(g.now)


def _open_pilot(user: User, capability: str, values: Mapping[str, Any]) -> None:
    if "slug" in values:
        _stand_in(access.pilot_for(g.session, user, values["slug"], capability))
    if "study_id" in values:
        g.participant = access.participant_for(g.session, user, values["study_id"], capability)
        if "slug" in values and g.participant.pilot_id != g.pilot.id:
            raise NotYours("there is no such page, or it is not for you")
        _stand_in(g.session.get(Pilot, g.participant.pilot_id))
    if not {"slug", "study_id"} & set(values) and not access.may(user, capability, None):
        raise NotYours("there is no such page, or it is not for you")


def _stand_in(pilot: Pilot) -> None:
    g.pilot = pilot
    g.now = state().now(pilot)


def _to_sign_in(app: Flask) -> Response:
    """A visitor signs in first; a form that was posted is not repeated."""
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(app.url_for("security.login", next=target))
