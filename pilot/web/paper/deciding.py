"""Where two people typed differently, a steward looks at the paper and decides, with a reason for each question."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import NotYours
from pilot.journey import paper
from pilot.models import User
from pilot.web import staff
from pilot.web.paper import bp
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.waves import titles


@bp.get("/<slug>/paper/<study_id>/<wave>/decide")
@rule.may("decide_paper")
def decide(slug: str, study_id: str, wave: str) -> str:  # noqa: ARG001  # the rule has read the path
    return _show(slug, wave, {}, Faults())


@bp.post("/<slug>/paper/<study_id>/<wave>/decide")
@rule.may("decide_paper")
def keep_decision(slug: str, study_id: str, wave: str) -> Response | tuple[str, int]:  # noqa: ARG001
    """Settles every difference at once; a second click finds nothing left to decide."""
    found, read = _form(wave), Reading(request.form)
    values, reasons = {}, {}
    for number, each in enumerate(found.differences, 1):
        chosen = read.one_of(
            f"which-{number}", ("first", "second", "other"), needed=_("Choose what stands on the paper.")
        )
        other = read.text(f"other-{number}", longest=paper.LONGEST, lines=each.line.kind == "text")
        values[each.line.key] = {"first": each.first, "second": each.second, "other": other}.get(chosen, "")
        reasons[each.line.key] = read.text(f"reason-{number}", longest=300, needed=_("Say why, in a few words."))
    if not read.faults:
        actor = staff.me().id
        _version, protocol = staff.in_force()
        filled = paper.decide(g.session, protocol, g.participant, wave, values, reasons, actor_id=actor, now=g.now)
        places = {each.line.key: number for number, each in enumerate(found.differences, 1)}
        for error in filled.errors:
            field = f"other-{places[error.question]}" if error.question in places else "which-1"
            read.faults.add(field, error.message)
    if read.faults:
        return _show(slug, wave, request.form, read.faults), 422
    flash(_("Decided. The answers count."), "good")
    return redirect(url_for("paper.overview", slug=slug), code=303)


def _form(wave: str) -> paper.Form:
    _version, protocol = staff.in_force()
    found = paper.form(g.session, protocol, g.participant, wave)
    if found.finished or not found.differences:
        raise NotYours("nothing of this form waits for a decision")
    return found


def _show(slug: str, wave: str, typed: Any, faults: Faults) -> str:
    _version, protocol = staff.in_force()
    found = _form(wave)
    people = {entry.entered_by: g.session.get_one(User, entry.entered_by) for entry in found.entries}
    return render_template(
        "paper/decide.html",
        slug=slug,
        form=found,
        fallback=found.sheet.instrument.default_language,
        participant=g.participant,
        title=titles(protocol)[wave],
        who=[people[entry.entered_by].email for entry in found.entries],
        typed=typed,
        faults=faults,
    )
