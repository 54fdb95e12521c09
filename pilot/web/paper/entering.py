"""Typing a form over, the whole form on one page: codes and words as they stand on the paper."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import Refused
from pilot.journey import paper
from pilot.web import staff
from pilot.web.paper import bp, reading
from pilot.web.rules import rule
from pilot.web.waves import titles


@bp.get("/<slug>/paper/<study_id>/<wave>")
@rule.may("type_paper")
def enter(slug: str, study_id: str, wave: str) -> str | Response:  # noqa: ARG001  # the rule has read the path
    if refusal := _refusal(wave):
        flash(refusal, "warning")
        return redirect(url_for("paper.overview", slug=slug), code=303)
    return _show(slug, wave, {}, {})


@bp.post("/<slug>/paper/<study_id>/<wave>")
@rule.may("type_paper")
def keep(slug: str, study_id: str, wave: str) -> Response | tuple[str, int]:  # noqa: ARG001
    """Keeps the form as typed, or shows what cannot be with everything that was typed."""
    if refusal := _refusal(wave):
        flash(refusal, "warning")
        return redirect(url_for("paper.overview", slug=slug), code=303)
    _version, protocol = staff.in_force()
    typed = {name.removeprefix("a-"): value for name, value in request.form.items() if name.startswith("a-")}
    filled = paper.enter(g.session, protocol, g.participant, wave, typed, actor_id=staff.me().id, now=g.now)
    if filled.errors:
        return _show(slug, wave, typed, {error.question: error.message for error in filled.errors}), 422
    flash(_after(wave), "good")
    return redirect(url_for("paper.overview", slug=slug), code=303)


def _refusal(wave: str) -> str:
    """Why this person cannot type this form now, or nothing. The list of forms may be older than the form."""
    _version, protocol = staff.in_force()
    found = paper.form(g.session, protocol, g.participant, wave)
    if found.finished:
        return _("This list is finished. Nothing was changed.")
    if any(entry.entered_by == staff.me().id for entry in found.entries):
        return _("You typed this form. The second time is for somebody else, who does not see your work.")
    if len(found.entries) == 2:
        return _("This form was typed twice. What differs waits for a decision.")
    reading.row(g.session, g.pilot, protocol, g.participant, wave, staff.today())
    return ""


def _after(wave: str) -> str:
    _version, protocol = staff.in_force()
    found = paper.form(g.session, protocol, g.participant, wave)
    if found.finished:
        return _("Both people typed the same. The answers count.")
    if len(found.entries) == 2:
        return _("Kept. The two entries differ; a steward decides.")
    return _("Kept. Somebody else types this form a second time.")


def _show(slug: str, wave: str, typed: dict[str, str], errors: dict[str, str]) -> str:
    _version, protocol = staff.in_force()
    found = paper.form(g.session, protocol, g.participant, wave)
    numbers = {line.key: line.number for line in found.sheet.questions}
    if not numbers:
        raise Refused("this list has no questions to type", code="not_found")
    return render_template(
        "paper/enter.html",
        slug=slug,
        sheet=found.sheet,
        fallback=found.sheet.instrument.default_language,
        second=bool(found.entries),
        participant=g.participant,
        title=titles(protocol)[wave],
        typed=typed,
        errors=errors,
        summary=[
            (f"a-{key}", f"{numbers[key]}. {message}" if key in numbers else message) for key, message in errors.items()
        ],
    )
