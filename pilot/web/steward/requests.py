"""People who ask about their own data: find the person, hand over what is kept, mend it, or stop and erase."""

from __future__ import annotations

import json
from contextlib import suppress

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from pilot import own_data
from pilot.events import record
from pilot.journey import consent, enrolment, incentives
from pilot.models import Identity, Participant, Submission, Withdrawal
from pilot.web import staff, stopping
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp, words
from surveys.contact import read_phone
from surveys.errors import InputError


@bp.get("/<slug>/steward/people")
@rule.may("handle_privacy_requests")
def find(slug: str) -> str:
    return render_template("steward/find.html", slug=slug, typed="", faults=Faults())


@bp.post("/<slug>/steward/people")
@rule.may("handle_privacy_requests")
def found(slug: str) -> Response | tuple[str, int]:
    """By study number, own code, telephone number or e-mail address. What is looked for stands in no address."""
    read = Reading(request.form)
    typed = read.text("who", longest=254, needed=_("Write a number, a code, a telephone number or an e-mail address."))
    person = _person(typed) if typed else None
    if person is None:
        read.faults.add("who", _("Nobody in this pilot has this number, code, telephone or e-mail address."))
        return render_template("steward/find.html", slug=slug, typed=typed, faults=read.faults), 422
    return redirect(url_for("steward.person", slug=slug, study_id=person.study_id), code=303)


@bp.get("/<slug>/steward/people/<study_id>")
@rule.may("handle_privacy_requests")
def person(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    return _show(slug, Faults())


@bp.post("/<slug>/steward/people/<study_id>/copy")
@rule.may("handle_privacy_requests")
def copy(slug: str, study_id: str) -> Response:  # noqa: ARG001  # the rule has read the path
    """Everything that is kept about this person, as a file to hand over; that it was handed over is kept."""
    kept = own_data.of(g.session, g.participant)
    record(g.session, "own_data_handed_over", g.participant, now=g.now, actor_id=staff.me().id)
    g.session.flush()
    answer = make_response(json.dumps(kept, ensure_ascii=False, indent=2).encode())
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{study_id}.json"'
    return answer


@bp.post("/<slug>/steward/people/<study_id>/stop")
@rule.may("handle_privacy_requests")
def stop(slug: str, study_id: str) -> Response | tuple[str, int]:
    """Stops in the degree that was asked for; after an erasure every freeze that held the answers gives way."""
    asked = stopping.read(request.form)
    if asked.faults:
        return _show(slug, asked.faults), 422
    stopping.carry_out(asked.degree, reason=asked.reason, actor_id=staff.me().id)
    flash(_("This was done at once: %(what)s.", what=words.DEGREES[asked.degree]), "good")
    return redirect(url_for("steward.person", slug=slug, study_id=study_id), code=303)


def _person(typed: str) -> Participant | None:
    """The participant of this pilot who is meant; codes are derived, so each is compared, none is stored in plain."""
    mine = select(Participant).where(Participant.pilot_id == g.pilot.id)
    plain = "".join(typed.upper().split()).replace("-", "")
    one = g.session.scalar(mine.where(Participant.study_id == plain))
    if one is not None:
        return one
    keyring = state().database.keyring
    by_contact = [Identity.email_hash == keyring.lookup(typed.lower(), "email")]
    with suppress(InputError):
        by_contact.append(Identity.phone_hash == keyring.lookup(read_phone(typed), "phone"))
    for condition in by_contact:
        one = g.session.scalar(mine.join(Identity).where(condition).order_by(Participant.id).limit(1))
        if one is not None:
            return one
    secret = state().settings.secret_key.encode()
    with_code = g.session.scalars(mine.join(Identity).where(Identity.resume_hash.is_not(None)))
    return next((each for each in with_code if enrolment.resume_code(secret, each) == plain), None)


def _show(slug: str, faults: Faults) -> str:
    mine = Submission.participant_id == g.participant.id
    submissions = g.session.scalars(select(Submission).where(mine).order_by(Submission.submitted_at, Submission.id))
    _version, protocol = staff.in_force()
    stops = select(Withdrawal).where(Withdrawal.participant_id == g.participant.id).order_by(Withdrawal.id)
    return render_template(
        "steward/person.html",
        slug=slug,
        person=g.participant,
        identity=g.session.get(Identity, g.participant.id),
        submissions={row.wave: row for row in submissions},
        consents=consent.standing(g.session, g.participant),
        withdrawals=list(g.session.scalars(stops)),
        words=words,
        cards=incentives.all_of(g.session, g.participant),
        asks_address=protocol.asks_address,
        wave_name=lambda name: words.wave(name, protocol),
        typed=request.form,
        faults=faults,
    )
