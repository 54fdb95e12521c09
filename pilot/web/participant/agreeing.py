"""Consent, and how a person can be reached; both with the words that are in force, both in the own language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import Refused
from pilot.journey import consent, enrolment
from pilot.models import Identity, Screening
from pilot.web import device
from pilot.web.contacts import contact_of, typed_contact, unticked
from pilot.web.language import spoken_in
from pilot.web.participant import bp, steps
from pilot.web.rules import rule
from pilot.web.state import state


@bp.get("/e/<token>/consent")
@rule.token(steps.LINK)
def consent_page(token: str) -> str | Response:
    if not _eligible():
        return steps.onward(g.participant, token)
    return _consent(token, {})


@bp.post("/e/<token>/consent")
@rule.token(steps.LINK)
def give_consent(token: str) -> str | Response | tuple[str, int]:
    """Yes or no to every text; a no to taking part leads to a kind page and not to a question again."""
    if not _eligible():
        return steps.onward(g.participant, token)
    _version, protocol = steps.in_force()
    texts = protocol.consent.texts
    given = {text.purpose: request.form.get(text.purpose, "") for text in texts}
    missing = [text.purpose for text in texts if given[text.purpose] not in ("yes", "no")]
    if missing:
        errors = [(f"{purpose}-1", _("Choose yes or no.")) for purpose in missing]
        return _consent(token, given, errors=errors), 422
    try:
        consent.give(
            g.session,
            protocol,
            g.participant,
            {purpose: answer == "yes" for purpose, answer in given.items()},
            versions={text.purpose: request.form.get(f"version-{text.purpose}", "") for text in texts},
            language=spoken_in(texts[0].text),
            now=g.now,
        )
    except Refused as error:
        if error.code != "text_changed":
            raise
        changed = [(f"{texts[0].purpose}-1", _("The text has changed. Read the new text and choose again."))]
        return _consent(token, {}, errors=changed), 422
    steps.remember_language(g.participant)
    return steps.onward(g.participant, token)


@bp.get("/e/<token>/contact")
@rule.token(steps.LINK)
def contact_page(token: str) -> str | Response:
    _version, protocol = steps.in_force()
    if not consent.has_all_required(g.session, protocol, g.participant):
        return steps.onward(g.participant, token)
    identity = g.session.get(Identity, g.participant.id)
    known = {name: getattr(identity, name, None) or "" for name in enrolment.LIMITS}
    known["second_yes"] = known["second_knows"] = "yes" if known["second_name"] else ""
    if not known["name"] and g.participant.invitee is not None:
        known["name"] = g.participant.invitee.name or ""
    device.give()
    return _contact(token, known)


@bp.post("/e/<token>/contact")
@rule.token(steps.LINK)
def give_contact(token: str) -> str | Response | tuple[str, int]:
    """Keeps name and contact data apart from the answers. Phone numbers are taken as people write them."""
    _version, protocol = steps.in_force()
    if not consent.has_all_required(g.session, protocol, g.participant):
        return steps.onward(g.participant, token)
    typed, errors = typed_contact(request.form)
    errors += unticked(request.form, typed)
    if errors:
        ticked = {name: request.form.get(name, "") for name in ("second_yes", "second_knows")}
        return _contact(token, {**typed, **ticked}, errors=errors), 422
    identity = g.session.get(Identity, g.participant.id)
    if protocol.asks_address:
        typed["postcode"] = (identity.postcode if identity else None) or ""
    contact = contact_of(typed, birth_date=identity.birth_date if identity else None)
    anew = identity is not None and enrolment.differs(identity, contact)
    enrolment.set_contact(
        g.session,
        g.participant,
        contact,
        keyring=state().database.keyring,
        secret=state().settings.secret_key.encode(),
        device=device.known(),
        now=g.now,
    )
    named, language = bool(typed["second_name"]), str(get_locale())
    consent.second_contact(g.session, g.participant, given=named, anew=anew, language=language, now=g.now)
    if protocol.asks_address:
        return redirect(url_for("participant.address_page", token=token), code=303)
    return steps.onward(g.participant, token)


@bp.get("/e/<token>/other-help")
@rule.token(steps.LINK)
def not_eligible(token: str) -> str | Response:
    screening = g.session.get(Screening, g.participant.id)
    if screening is None or screening.eligible:
        return steps.onward(g.participant, token)
    _version, protocol = steps.in_force()
    reason = next((c.text for c in protocol.population.eligibility if c.reason == screening.reason), None)
    return render_template("participant/not_eligible.html", protocol=protocol, reason=reason)


@bp.get("/e/<token>/declined")
@rule.token(steps.LINK)
def declined(token: str) -> str | Response:
    _version, protocol = steps.in_force()
    if not consent.refused_required(g.session, protocol, g.participant):
        return steps.onward(g.participant, token)
    return render_template("participant/declined.html", protocol=protocol, token=token)


def _eligible() -> bool:
    screening = g.session.get(Screening, g.participant.id)
    return screening is not None and screening.eligible and not g.participant.withdrawn


def _consent(token: str, given: Mapping[str, str], *, errors: Any = ()) -> str:
    _version, protocol = steps.in_force()
    if not given:
        standing = consent.standing(g.session, g.participant)
        given = {purpose: "yes" if yes else "no" for purpose, (_v, yes) in standing.items()}
    return render_template("participant/consent.html", token=token, protocol=protocol, given=given, errors=list(errors))


def _contact(token: str, typed: Mapping[str, str], *, errors: Any = ()) -> str:
    asks_address = steps.in_force()[1].asks_address
    values = {"typed": typed, "errors": list(errors), "mark_days": device.DAYS, "asks_address": asks_address}
    return render_template("participant/contact.html", token=token, **values)
