"""The questions of an open list, read out one a page, in the language of the person who answers.

Whether that is by telephone or at the desk stands in the address, so that each answer is kept with how it was given.
"""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import NotYours
from pilot.journey import answering
from pilot.web import questions, staff
from pilot.web.interviewer import bp, calling, reading
from pilot.web.rules import rule
from surveys.path import Path, Step, walk


@bp.get("/<slug>/interviews/<study_id>/<wave>/<any(phone, desk):mode>")
@rule.may("interview")
def begin(slug: str, study_id: str, wave: str, mode: str) -> Response:
    """On to the first open question, or to the check when all are answered."""
    one = _call(wave, mode)
    path, _revision = _path(wave)
    if path.next is None:
        target = url_for("interviewer.check", slug=slug, study_id=study_id, wave=one.wave, mode=mode)
    else:
        target = url_for("interviewer.ask", slug=slug, study_id=study_id, wave=one.wave, mode=mode, key=path.next.key)
    return redirect(target, code=303)


@bp.get("/<slug>/interviews/<study_id>/<wave>/<any(phone, desk):mode>/q/<key>")
@rule.may("interview")
def ask(slug: str, study_id: str, wave: str, mode: str, key: str) -> str | Response:
    one = _call(wave, mode)
    path, revision = _path(wave)
    step = path.step(key)
    if step is None:
        return redirect(url_for("interviewer.begin", slug=slug, study_id=study_id, wave=wave, mode=mode), code=303)
    return _show(slug, one, mode, path, step, revision)


@bp.post("/<slug>/interviews/<study_id>/<wave>/<any(phone, desk):mode>/q/<key>")
@rule.may("interview")
def keep_answer(slug: str, study_id: str, wave: str, mode: str, key: str) -> Response | tuple[str, int]:
    """Keeps one answer as it was given; the same page twice is one answer."""
    one = _call(wave, mode)
    _version, protocol = staff.in_force()
    revision = request.form.get("revision", "0")
    kept = answering.keep(
        g.session,
        protocol,
        g.participant,
        wave,
        key,
        request.form.to_dict(flat=False),
        revision=int(revision) if revision.isdigit() else 0,
        mode=mode,
        language=_language(),
        now=g.now,
    )
    onward = redirect(url_for("interviewer.begin", slug=slug, study_id=study_id, wave=wave, mode=mode), code=303)
    if not kept.errors:
        return onward
    path, revision_now = _path(wave)
    step = path.step(key)
    if step is None:
        return onward
    return _show(slug, one, mode, path, step, revision_now, typed=request.form, errors=kept.errors), 422


@bp.get("/<slug>/interviews/<study_id>/<wave>/<any(phone, desk):mode>/check")
@rule.may("interview")
def check(slug: str, study_id: str, wave: str, mode: str) -> str | Response:
    one = _call(wave, mode)
    path, _revision = _path(wave)
    if not path.complete:
        return redirect(url_for("interviewer.begin", slug=slug, study_id=study_id, wave=wave, mode=mode), code=303)
    rows = questions.said_so_far(path, _language())
    return render_template("interviewer/check.html", slug=slug, call=one, mode=mode, rows=rows, asked_in=_language())


@bp.post("/<slug>/interviews/<study_id>/<wave>/<any(phone, desk):mode>/check")
@rule.may("interview")
def send(slug: str, study_id: str, wave: str, mode: str) -> Response:  # noqa: ARG001  # the rule has read the path
    """Finishes the list; reminders stop, and the call counts as one that reached its end."""
    one = _call(wave, mode)
    _version, protocol = staff.in_force()
    answering.submit(g.session, protocol, g.participant, wave, mode=mode, now=g.now)
    calling.keep(one, mode, "completed")
    flash(_("The answers were sent. Thank the person, and say that nothing more is asked now."), "good")
    return redirect(url_for("interviewer.queue", slug=slug), code=303)


def _call(wave: str, mode: str) -> reading.Call:
    """The open list of this name; raises NotYours when it is not open for this person, or not to be asked so."""
    _version, protocol = staff.in_force()
    found = reading.calls(g.session, g.pilot, protocol, today=staff.today(), participant=g.participant)
    one = next((call for call in found if call.wave == wave and mode in call.modes), None)
    if one is None:
        raise NotYours("this list is not open for this person")
    return one


def _language() -> str:
    """The language in which this person is asked: the own one."""
    return g.participant.language


def _path(wave: str) -> tuple[Path, int]:
    _version, protocol = staff.in_force()
    row = answering.draft(g.session, g.participant, wave)
    where = answering.context(g.participant, _language(), g.now)
    return walk(answering.instrument_of(protocol, wave), row.answers if row else {}, context=where), (
        row.revision if row else 0
    )


def _show(
    slug: str,
    call: reading.Call,
    mode: str,
    path: Path,
    step: Step,
    revision: int,
    *,
    typed: Any = None,
    errors: Any = (),
) -> str:
    before = path.before(step.key)
    study_id = call.participant.study_id
    back = (
        url_for("interviewer.ask", slug=slug, study_id=study_id, wave=call.wave, mode=mode, key=before.key)
        if before
        else None
    )
    return render_template(
        "interviewer/question.html",
        slug=slug,
        call=call,
        mode=mode,
        revision=revision,
        before=back,
        **questions.values_of(path, step, language=_language(), typed=typed, errors=errors),
    )
