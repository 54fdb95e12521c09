"""The development plan, and at the end the statement that the advice was given."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import Refused
from pilot.journey import advice, delivery
from pilot.web import staff
from pilot.web.advisor import bp, person, words
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.state import state

LONGEST = 10_000


@bp.get("/<slug>/participants/<study_id>/plan")
@rule.may("write_plan")
def plan(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    person.must_collect()
    written = advice.plan_of(g.session, g.participant)
    return _form(slug, written.goal if written else "", written.steps if written else "", Faults())


@bp.post("/<slug>/participants/<study_id>/plan")
@rule.may("write_plan")
def write_plan(slug: str, study_id: str) -> Response | tuple[str, int]:
    """A new version; the same text again is the version that is there."""
    person.must_collect()
    read = Reading(request.form)
    goal = read.text("goal", longest=LONGEST, lines=True)
    steps = read.text("steps", longest=LONGEST, lines=True)
    if not read.faults:
        try:
            advice.write_plan(g.session, g.participant, advisor_id=staff.me().id, goal=goal, steps=steps, now=g.now)
            flash(_("The plan is kept."), "good")
            return redirect(url_for("advisor.participant", slug=slug, study_id=study_id), code=303)
        except Refused as error:
            words.fault(read.faults, error, field="goal")
    return _form(slug, request.form.get("goal", ""), request.form.get("steps", ""), read.faults), 422


@bp.post("/<slug>/participants/<study_id>/statement")
@rule.may("sign_statement")
def sign(slug: str, study_id: str) -> Response | tuple[str, int]:
    """The advisor's signature; the participant confirms by the own link."""
    person.must_collect()
    faults = Faults()
    try:
        advice.state_performance(g.session, g.participant, advisor_id=staff.me().id, now=g.now)
    except Refused as error:
        words.fault(faults, error, field="statement")
        return person.show(faults=faults), 422
    asked = delivery.ask_confirmation(g.session, g.pilot, g.participant, zone=state().settings.zone, now=g.now)
    sent = _("You have signed. The participant gets a message with the link to confirm it.")
    flash(sent if asked else _("You have signed. Now let the participant confirm it."), "good")
    return redirect(url_for("advisor.participant", slug=slug, study_id=study_id, _anchor="statement"), code=303)


def _form(slug: str, goal: str, steps: str, faults: Faults) -> str:
    values = {"slug": slug, "person": g.participant, "name": person.known_as(), "goal": goal, "steps": steps}
    return render_template("advisor/plan.html", faults=faults, **values)
