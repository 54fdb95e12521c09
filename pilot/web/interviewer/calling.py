"""One person to interview: how, what to ask about, and keeping what came of each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

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

CHOICES = {mode: tuple(one for one in known if one != "completed") for mode, known in reading.OUTCOMES.items()}


@bp.get("/<slug>/interviews/<study_id>")
@rule.may("interview")
def call(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    return _show(slug, {}, Faults())


@bp.post("/<slug>/interviews/<study_id>")
@rule.may("interview")
def keep_attempt(slug: str, study_id: str) -> Response | tuple[str, int]:
    """What came of an attempt, as an event: every one counts, also the one that nobody answered."""
    one = open_call()
    how, read = _how(one, request.form), Reading(request.form)
    outcome = read.one_of("outcome", CHOICES[how], needed=str(words.NEEDED[how]))
    planned = read.moment("again", state().settings.zone)
    if outcome in reading.PLANNED and planned is None:
        read.faults.add("again", str(words.MOMENT[how]), at="again-day")
    if planned is not None and planned < g.now:
        read.faults.add("again", _("This moment lies in the past."), at="again-day")
    reason = request.form.get("reason", "")
    reason = reason if reason in reading.REASONS else ""
    if outcome == "refused" and not reason:
        read.faults.add("reason", _("Choose why. It may be that the person does not say why."), at="reason-1")
    if read.faults:
        return _show(slug, _typed(outcome, reason), read.faults), 422
    agreed = planned if outcome in (*reading.PLANNED, "broke_off") else None
    keep(one, how, outcome, agreed, reason if outcome in ("refused", "broke_off") else "")
    flash(_("Kept: %(what)s.", what=words.OUTCOMES[outcome]), "good")
    if outcome in reading.CLOSING:
        return redirect(url_for("interviewer.queue", slug=slug), code=303)
    return redirect(url_for("interviewer.call", slug=slug, study_id=study_id), code=303)


def keep(call: reading.Call, how: str, outcome: str, planned: datetime | None = None, reason: str = "") -> None:
    """One attempt to reach g.participant about one list, and how to try again when something was agreed."""
    code = reading.OUTCOMES[how][outcome]
    moment = planned.isoformat() if planned else None
    detail = {"wave": call.wave, "outcome": outcome, "code": code, "mode": how, "appointment": moment}
    if planned:
        again = request.form.get("again-how", "")
        detail["appointment_mode"] = again if again in call.modes else how
    if reason:
        detail["reason"] = reason
    record(g.session, reading.ATTEMPT, g.participant, now=g.now, actor_id=staff.me().id, **detail)
    g.session.flush()


def _how(call: reading.Call, given: Mapping[str, str]) -> str:
    """By telephone or at the desk: as the interviewer chose, else as agreed or as the protocol puts first."""
    chosen = given.get("how", "")
    return chosen if chosen in call.modes else call.mode


def _typed(outcome: str, reason: str) -> dict[str, object]:
    return {
        "outcome": outcome,
        "reason": reason,
        "again": forms.date_parts(request.form, "again"),
        "time": request.form.get("again-time", ""),
        "again_how": request.form.get("again-how", ""),
    }


def open_call() -> reading.Call:
    """The list of g.participant that is open now; raises NotYours when nobody is to call this person."""
    _version, protocol = staff.in_force()
    found = reading.calls(g.session, g.pilot, protocol, today=staff.today(), participant=g.participant)
    if not found:
        raise NotYours("there is nothing to ask this person now")
    return found[0]


def _show(slug: str, typed: dict[str, object], faults: Faults) -> str:
    _version, protocol = staff.in_force()
    one = open_call()
    how = _how(one, request.form or request.args)
    return render_template(
        "interviewer/call.html",
        slug=slug,
        call=one,
        how=how,
        modes=words.MODES,
        modes_known=[(mode, words.MODES[mode]) for mode in one.modes],
        attempts=reading.attempts_of(g.session, g.participant),
        choices_known=[(outcome, words.OUTCOMES[outcome], words.HINTS.get(outcome)) for outcome in CHOICES[how]],
        outcomes=words.OUTCOMES,
        reasons_known=list(words.REASONS.items()),
        reasons=words.REASONS,
        opening=wording.spoken(g.pilot, protocol, g.participant, at_the_desk=how == reading.DESK),
        typed=typed,
        faults=faults,
        titles=titles(protocol),
    )
