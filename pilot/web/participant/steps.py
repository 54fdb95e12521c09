"""Where a person goes next: from the step that the record gives to the page that shows it."""

from __future__ import annotations

from flask import g, redirect, url_for
from flask_babel import get_locale
from werkzeug.wrappers import Response

from pilot import access
from pilot.journey import enrolment, order
from pilot.models import Participant
from pilot.web.force import in_force
from pilot.web.state import state

LINK = "enrol"

__all__ = ["LINK", "here", "in_force", "language", "onward", "remember_language", "token_for"]


def token_for(participant: Participant, purpose: str = LINK, *, wave: str | None = None) -> str:
    return access.link_token(state().settings.secret_key, participant, purpose, now=g.now, wave=wave)


def language() -> str:
    return str(get_locale())


def remember_language(participant: Participant) -> None:
    """Messages follow the language in which a person last answered."""
    enrolment.set_language(g.session, participant, language())


def here(participant: Participant, token: str) -> str:
    """The address of the one page that this person can do now."""
    _version, protocol = in_force()
    step = order.next_step(g.session, protocol, participant, now=g.now)
    pages = {
        "consent": "participant.consent_page",
        "contact": "participant.contact_page",
        "allocate": "participant.draw_page",
        "not_eligible": "participant.not_eligible",
        "declined": "participant.declined",
        "withdrawn": "participant.stopped",
        "done": "participant.what_next",
    }
    if step.name in pages:
        return url_for(pages[step.name], token=token)
    if step.name == "check":
        return url_for("participant.check_page", token=token, wave=step.wave)
    return url_for("participant.question_page", token=token, wave=step.wave, key=step.question)


def onward(participant: Participant, token: str) -> Response:
    return redirect(here(participant, token), code=303)
