"""Questions, one a page, and the page on which a person checks the answers before sending them."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from pilot.errors import Stale
from pilot.journey import answering, eligibility, order
from pilot.web import questions
from pilot.web.participant import bp, fresh, steps
from pilot.web.rules import rule
from surveys.path import Path, Step, walk


@bp.get("/e/<token>/q/<wave>/<key>")
@rule.token(steps.LINK)
def question_page(token: str, wave: str, key: str) -> str | Response:
    if _closed(wave):
        return steps.onward(g.participant, token)
    path, revision = _path(wave)
    step = path.step(key)
    if step is None:
        return steps.onward(g.participant, token)
    return _show(token, wave, path, step, revision)


@bp.post("/e/<token>/q/<wave>/<key>")
@rule.token(steps.LINK)
def answer(token: str, wave: str, key: str) -> str | Response | tuple[str, int]:
    """Keeps one page. The same page twice is one answer; an old page never overwrites a newer answer."""
    if _closed(wave):
        return steps.onward(g.participant, token)
    _version, protocol = steps.in_force()
    raw, revision = request.form.to_dict(flat=False), request.form.get("revision", "0")
    seen = int(revision) if revision.isdecimal() and len(revision) < 10 else 0
    try:
        kept = answering.keep(
            g.session, protocol, g.participant, wave, key, raw,
            revision=seen, seen=request.form.get("seen", ""), language=steps.language(), now=g.now,
        )  # fmt: skip
    except Stale:
        return _newer(token, wave, key)
    if kept.errors:
        path, revision_now = _path(wave)
        step = path.step(key)
        if step is None:
            return steps.onward(g.participant, token)
        # What was typed is shown again under the revision that it was made from: an old page stays an old page.
        page = {"typed": request.form, "errors": kept.errors, "seen": request.form.get("seen", "")}
        return _show(token, wave, path, step, min(seen, revision_now), **page), 422
    steps.remember_language(g.participant)
    return _after(token, wave)


@bp.get("/e/<token>/check/<wave>")
@rule.token(steps.LINK)
def check_page(token: str, wave: str) -> str | Response:
    if _closed(wave):
        return steps.onward(g.participant, token)
    path, _revision = _path(wave)
    if not path.complete:
        return steps.onward(g.participant, token)
    last = path.steps[-1].key if path.steps else None
    back = url_for("participant.question_page", token=token, wave=wave, key=last) if last else None
    return render_template(
        "participant/check.html",
        token=token,
        wave=wave,
        rows=questions.said_so_far(path, steps.language()),
        back_url=back,
    )


@bp.post("/e/<token>/check/<wave>")
@rule.token(steps.LINK)
def send(token: str, wave: str) -> Response:
    """Sends the list. For the first list that leads on to the draw; a second click changes nothing."""
    if _closed(wave):
        return steps.onward(g.participant, token)
    _version, protocol = steps.in_force()
    if wave == answering.SCREENING:
        row = answering.draft(g.session, g.participant, wave, lock=True)
        path, _revision = _path(wave)
        if row is None or not path.complete:
            return steps.onward(g.participant, token)
        eligibility.screen(g.session, protocol, g.participant, row.answers, now=g.now)
    else:
        answering.submit(g.session, protocol, g.participant, wave, now=g.now)
    return steps.onward(g.participant, token)


def _closed(wave: str) -> bool:
    """A list that was sent is not opened again, and one whose turn has not come is not opened yet."""
    _version, protocol = steps.in_force()
    return not order.is_open(g.session, protocol, g.participant, wave, now=g.now)


def _path(wave: str) -> tuple[Path, int]:
    _version, protocol = steps.in_force()
    row = answering.draft(g.session, g.participant, wave)
    path = walk(
        answering.instrument_of(protocol, wave),
        row.answers if row else {},
        context=answering.context(g.participant, steps.language(), g.now),
    )
    return path, row.revision if row else 0


def _newer(token: str, wave: str, key: str) -> Response | tuple[str, int]:
    """The page again with the answer that is on record, and what was typed here beside it: the person decides."""
    path, revision = _path(wave)
    step = path.step(key)
    if step is None:
        return steps.onward(g.participant, token)
    typed = request.form.get(key, "") if step.kind in ("text", "integer", "decimal", "time") else ""
    return _show(token, wave, path, step, revision, newer=typed or True), 409


def _after(token: str, wave: str) -> Response:
    """The next open question of this list, else its check page."""
    path, _revision = _path(wave)
    if path.next is None:
        return redirect(url_for("participant.check_page", token=token, wave=wave), code=303)
    target = url_for("participant.question_page", token=token, wave=wave, key=path.next.key)
    return redirect(target, code=303)


def _show(
    token: str,
    wave: str,
    path: Path,
    step: Step,
    revision: int,
    *,
    typed: Any = None,
    errors: Any = (),
    newer: str | bool = False,
    seen: str = "",
) -> str:
    def draw() -> str:
        before = path.before(step.key)
        back = url_for("participant.question_page", token=token, wave=wave, key=before.key) if before else None
        return render_template(
            "participant/question.html",
            token=token,
            wave=wave,
            revision=revision,
            newer=newer,
            seen=seen or answering.mark(path.state.answers.get(step.key)),
            back_url=back,
            **questions.values_of(path, step, language=steps.language(), typed=typed, errors=errors),
        )

    said = typed is not None or errors or newer
    return draw() if said else fresh.page(token, wave, path, step, revision, draw)
