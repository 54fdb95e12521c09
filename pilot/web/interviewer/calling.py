"""One person to call: number, what to ask about, and keeping what came of the call."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import NotYours
from pilot.events import record
from pilot.post import wording
from pilot.web import forms, staff
from pilot.web.interviewer import bp, reading, words
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.waves import titles

CHOICES = tuple(outcome for outcome in reading.OUTCOMES if outcome != "completed")


@bp.get("/<slug>/interviews/<study_id>")
@rule.may("interview")
def call(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    return _show(slug, {}, Faults())


@bp.post("/<slug>/interviews/<study_id>")
@rule.may("interview")
def keep_attempt(slug: str, study_id: str) -> Response | tuple[str, int]:
    """What came of a call, as an event: every attempt counts, also the one that nobody answered."""
    one = open_call()
    read = Reading(request.form)
    outcome = read.one_of("outcome", CHOICES, needed=_("Choose what came of the call."))
    planned = read.moment("again", state().settings.zone)
    if outcome == "call_back" and planned is None:
        read.faults.add("again", _("Write the day and the time at which to call back."), at="again-day")
    if planned is not None and planned < g.now:
        read.faults.add("again", _("This moment lies in the past."), at="again-day")
    reason = request.form.get("reason", "")
    reason = reason if reason in reading.REASONS else ""
    if outcome == "refused" and not reason:
        read.faults.add("reason", _("Choose why. It may be that the person does not say why."), at="reason-1")
    if read.faults:
        typed = {
            "outcome": outcome,
            "reason": reason,
            "again": forms.date_parts(request.form, "again"),
            "time": request.form.get("again-time", ""),
        }
        return _show(slug, typed, read.faults), 422
    appointment = planned.isoformat() if planned and outcome in ("call_back", "broke_off") else None
    keep(one.wave, outcome, appointment, reason if outcome in ("refused", "broke_off") else "")
    flash(_("Kept: %(what)s.", what=words.OUTCOMES[outcome]), "good")
    if outcome in reading.CLOSING:
        return redirect(url_for("interviewer.queue", slug=slug), code=303)
    return redirect(url_for("interviewer.call", slug=slug, study_id=study_id), code=303)


def keep(wave: str, outcome: str, appointment: str | None = None, reason: str = "") -> None:
    """One attempt to reach g.participant about one list."""
    code = reading.OUTCOMES[outcome]
    detail = {"wave": wave, "outcome": outcome, "code": code, "appointment": appointment}
    if reason:
        detail["reason"] = reason
    record(g.session, reading.ATTEMPT, g.participant, now=g.now, actor_id=staff.me().id, **detail)
    g.session.flush()


def open_call() -> reading.Call:
    """The list of g.participant that is open now; raises NotYours when nobody is to call this person."""
    _version, protocol = staff.in_force()
    found = reading.calls(g.session, g.pilot, protocol, today=staff.today(), participant=g.participant)
    if not found:
        raise NotYours("there is nothing to ask this person now")
    return found[0]


def _show(slug: str, typed: dict[str, object], faults: Faults) -> str:
    _version, protocol = staff.in_force()
    return render_template(
        "interviewer/call.html",
        slug=slug,
        call=open_call(),
        attempts=reading.attempts_of(g.session, g.participant),
        choices_known=[(outcome, words.OUTCOMES[outcome], words.HINTS.get(outcome)) for outcome in CHOICES],
        outcomes=words.OUTCOMES,
        reasons_known=list(words.REASONS.items()),
        reasons=words.REASONS,
        opening=wording.spoken(g.pilot, protocol, g.participant),
        typed=typed,
        faults=faults,
        titles=titles(protocol),
    )
