"""Mending contact data or an answer. An answer keeps its earlier revision; reason and actor are kept."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import NotYours
from pilot.journey import answering, consent, enrolment
from pilot.models import Identity, Submission
from pilot.web import questions, reasons, staff
from pilot.web.contacts import contact_of, typed_contact
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp, words
from surveys.path import Path, Step, walk
from surveys.runner import Accepted, FieldError, accept

OWN_FIELDS = ("reason", "reason_namely")


@bp.get("/<slug>/steward/people/<study_id>/contact")
@rule.may("handle_privacy_requests")
def contact(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    known = _identity()
    return _contact(slug, {name: getattr(known, name) or "" for name in enrolment.LIMITS}, [], Faults())


@bp.post("/<slug>/steward/people/<study_id>/contact")
@rule.may("handle_privacy_requests")
def mend_contact(slug: str, study_id: str) -> Response | tuple[str, int]:
    known = _identity()
    typed, errors = typed_contact(request.form if known.second_name else _without_second())
    read = Reading(request.form)
    reason, who = reasons.read(read, reasons.CORRECTION), request.form.get("second_as", "")
    if not errors and enrolment.differs(known, contact_of(typed, birth_date=None)) and who not in enrolment.WHO:
        needed = _("Say whether this is the same person or somebody else. Nobody is written over by accident.")
        read.faults.add("second_as", needed, at="second_as-1")
    if errors or read.faults:
        return _contact(slug, {**typed, **_typed_reason(), "second_as": who}, errors, read.faults), 422
    contact = contact_of(typed, birth_date=known.birth_date)
    anew = who == "other" and enrolment.differs(known, contact)
    enrolment.set_contact(
        g.session,
        g.participant,
        contact,
        keyring=state().database.keyring,
        secret=state().settings.secret_key.encode(),
        correction=enrolment.Correction(actor_id=staff.me().id, reason=reason, second=who),
        now=g.now,
    )
    if anew or not contact.second_name:
        language = g.participant.language
        consent.second_contact(g.session, g.participant, given=anew, anew=anew, language=language, now=g.now)
    flash(_("The contact data were mended."), "good")
    return redirect(url_for("steward.person", slug=slug, study_id=study_id), code=303)


@bp.get("/<slug>/steward/people/<study_id>/answers/<wave>")
@rule.may("handle_privacy_requests")
def answers(slug: str, study_id: str, wave: str) -> str:  # noqa: ARG001  # the rule has read the path
    row, path = _sent(wave)
    rows = questions.said_so_far(path, row.language)
    _version, protocol = staff.in_force()
    values = {"wave": wave, "wave_name": words.wave(wave, protocol), "row": row, "rows": rows}
    return render_template("steward/answers.html", slug=slug, person=g.participant, **values)


@bp.get("/<slug>/steward/people/<study_id>/answers/<wave>/<key>")
@rule.may("handle_privacy_requests")
def answer(slug: str, study_id: str, wave: str, key: str) -> str:  # noqa: ARG001  # the rule has read the path
    row, path = _sent(wave)
    return _answer(slug, wave, row, path, _step(path, key), Faults())


@bp.post("/<slug>/steward/people/<study_id>/answers/<wave>/<key>")
@rule.may("handle_privacy_requests")
def mend_answer(slug: str, study_id: str, wave: str, key: str) -> Response | tuple[str, int]:
    """A new revision beside the earlier one, when the answer is one that the question takes and a reason is given."""
    _version, protocol = staff.in_force()
    row, path = _sent(wave)
    step, read = _step(path, key), Reading(request.form)
    reason, faults = reasons.read(read, reasons.CORRECTION), read.faults
    where = answering.context(g.participant, row.language, row.submitted_at)
    raw = {name: values for name, values in request.form.to_dict(flat=False).items() if name not in OWN_FIELDS}
    instrument = answering.instrument_of(protocol, wave)
    result = accept(instrument, row.answers, key, raw, context=where, language=row.language)
    if not isinstance(result, Accepted) or faults:
        errors = () if isinstance(result, Accepted) else result.errors
        return _answer(slug, wave, row, path, step, faults, typed=request.form, errors=errors), 422
    changes = {name: value for name, value in result.answers.items() if row.answers.get(name) != value}
    if changes:
        answering.correct(
            g.session, protocol, g.participant, wave, changes, actor_id=staff.me().id, reason=reason, now=g.now
        )
        flash(_("The answer was mended. The earlier one is kept beside it."), "good")
    return redirect(url_for("steward.answers", slug=slug, study_id=study_id, wave=wave), code=303)


def _identity() -> Identity:
    known = g.session.get(Identity, g.participant.id)
    if known is None:
        raise NotYours("there are no contact data of this person")
    return known


def _without_second() -> dict[str, str]:
    """The form without another person: only a participant can name one."""
    return {name: value for name, value in request.form.items() if name not in enrolment.SECOND}


def _sent(wave: str) -> tuple[Submission, Path]:
    """The list that was sent, and its path as it stands; raises NotYours when it was not sent or was erased."""
    _version, protocol = staff.in_force()
    row = answering.submission(g.session, g.participant, wave)
    if row is None or not row.answers:
        raise NotYours("this list was not sent")
    where = answering.context(g.participant, row.language, row.submitted_at)
    return row, walk(answering.instrument_of(protocol, wave), row.answers, context=where)


def _step(path: Path, key: str) -> Step:
    step = path.step(key)
    if step is None or step.shown_only:
        raise NotYours("this question was not asked")
    return step


def _typed_reason() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in OWN_FIELDS}


def _contact(slug: str, typed: dict[str, str], errors: list[tuple[str, str]], faults: Faults) -> str:
    values = {
        "slug": slug,
        "person": g.participant,
        "typed": typed,
        "faults": faults,
        "second": _identity().second_name,
    }
    why, wrong = reasons.options(reasons.CORRECTION), [*errors, *faults.summary]
    return render_template("steward/contact.html", errors=wrong, said=dict(errors), why=why, **values)


def _answer(
    slug: str, wave: str, row: Submission, path: Path, step: Step, faults: Faults, *,
    typed: Any = None, errors: tuple[FieldError, ...] = (),
) -> str:  # fmt: skip
    values = questions.values_of(path, step, language=row.language, typed=typed, errors=errors)
    return render_template(
        "steward/answer.html",
        slug=slug,
        person=g.participant,
        wave=wave,
        why=reasons.options(reasons.CORRECTION),
        typed_reason=_typed_reason(),
        faults=faults,
        remarks=[*values["errors"], *faults.summary],
        **values,
    )
