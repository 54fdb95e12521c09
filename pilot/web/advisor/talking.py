"""Logging a talk: a short form that can be filled in on a phone, in the stairwell, right after it was held."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import Refused
from pilot.journey import advice
from pilot.web import forms, staff
from pilot.web.advisor import bp, person, words
from pilot.web.reading import Faults, Reading, parts_of
from pilot.web.rules import rule
from pilot.web.state import state

MOST_NOTES = 10_000


@bp.get("/<slug>/participants/<study_id>/talk")
@rule.may("log_session")
def talk(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    person.must_collect()
    return _form(slug, {"held_on": parts_of(staff.today()), "components": [], "nonce": forms.new_nonce()}, Faults())


@bp.post("/<slug>/participants/<study_id>/talk")
@rule.may("log_session")
def log_talk(slug: str, study_id: str) -> Response | tuple[str, int]:
    """Keeps the talk. A second click keeps nothing new; whatever is not right comes back with what was typed."""
    person.must_collect()
    read = Reading(request.form)
    held_on = read.day("held_on")
    minutes = read.whole("minutes", needed=str(words.SAID["minutes"]))
    notes = read.text("notes", longest=MOST_NOTES, lines=True)
    planned = read.moment("next", state().settings.zone)
    if planned is not None and planned < g.now:
        read.faults.add("next", _("The next appointment lies in the past."), at="next-day")
    nonce = forms.nonce(request.form)
    if held_on is not None and minutes and not read.faults:
        try:
            advice.log_session(
                g.session,
                g.participant,
                advisor_id=staff.me().id,
                nonce=nonce,
                held_on=held_on,
                minutes=minutes,
                channel=request.form.get("channel", ""),
                components=request.form.getlist("components"),
                notes=notes,
                next_appointment=planned,
                now=g.now,
            )
        except Refused as error:
            words.fault(read.faults, error, field="held_on")
    elif not request.form.get("channel"):
        read.faults.add("channel", str(words.SAID["channel"]), at="channel-1")
    if not read.faults and minutes:
        flash(_("The talk is kept."), "good")
        return redirect(url_for("advisor.participant", slug=slug, study_id=study_id), code=303)
    if minutes == 0:
        read.faults.add("minutes", str(words.SAID["minutes"]))
    return _form(slug, _typed(nonce), read.faults), 422


def _typed(nonce: str) -> dict[str, Any]:
    form = request.form
    return {
        "held_on": forms.date_parts(form, "held_on"),
        "minutes": form.get("minutes", ""),
        "channel": form.get("channel", ""),
        "components": form.getlist("components"),
        "notes": form.get("notes", ""),
        "next": forms.date_parts(form, "next"),
        "time": form.get("next-time", ""),
        "nonce": nonce,
    }


def _form(slug: str, typed: dict[str, Any], faults: Faults) -> str:
    return render_template(
        "advisor/talk.html",
        slug=slug,
        person=g.participant,
        name=person.known_as(),
        typed=typed,
        faults=faults,
        channels=[(channel, words.CHANNELS[channel]) for channel in advice.CHANNELS],
        components=[(part, words.COMPONENTS[part]) for part in advice.COMPONENTS],
    )
