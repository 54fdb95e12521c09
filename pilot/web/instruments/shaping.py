"""What changes more of a draft than one question: another name, a copy, one more language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import drafting
from pilot.web.instruments import bp, desk, drafts, questions, words
from pilot.web.instruments.overview import protocol_in_force
from pilot.web.rules import rule
from surveys import Instrument
from surveys.editing import add_language
from surveys.errors import EditError
from surveys.renaming import copy, rename


@bp.post("/<slug>/instruments/drafts/<name>/q/<question>/rename")
@rule.may("propose_protocol")
def rename_question(slug: str, name: str, question: str) -> Response | tuple[str, int]:
    """Another name for a question or group; every expression and text of the form follows, or nothing is changed."""
    new = request.form.get("new_name", "").strip()
    work = desk.opened(name)
    item = questions.item_of(work.form, question)
    try:
        kept = _save(work, lambda form: rename(form, question, new), ("renamed", f"{question} – {new}"))
    except EditError as error:
        return questions.show(work, item, errors=[(error.field, words.refused(error))]), 422
    if kept.number != work.number:
        flash(_("%(old)s is now called %(new)s, also where it is referred to.", old=question, new=new), "good")
        if places := list(_in_protocol(question)):
            flash(_("The protocol still says %(old)s: %(places)s. Change that when you propose this questionnaire.",
                    old=question, places="; ".join(places[:8])), "warning")  # fmt: skip
    return redirect(url_for("instruments.question", slug=slug, name=name, question=new), code=303)


def _in_protocol(name: str) -> Iterator[str]:
    """Where the protocol in force refers to a question: the keys that lead to it."""
    protocol = protocol_in_force()
    wanted = re.compile(rf"(\w+__)?{re.escape(name)}|.*\$\{{\s*(\w+__)?{re.escape(name)}\s*\}}.*", re.DOTALL)
    sections = json.loads(protocol.canonical) if protocol else {}
    for path, value in _texts(sections, ()):
        if path[0] not in ("instruments", "pilot") and wanted.fullmatch(value) and path[-1] != "name":
            yield " ".join(str(key + 1) if isinstance(key, int) else key for key in path)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))


@bp.post("/<slug>/instruments/drafts/<name>/q/<question>/copy")
@rule.may("propose_protocol")
def copy_question(slug: str, name: str, question: str) -> Response | tuple[str, int]:
    """A copy right behind it, with a name of its own; of a group with all that it holds."""
    work = desk.opened(name)
    item = questions.item_of(work.form, question)
    twin = ""

    def doubled(form: Instrument) -> Instrument:
        nonlocal twin
        form, twin = copy(form, question)
        return form

    try:
        _save(work, doubled, ("doubled", question))
    except EditError as error:
        return questions.show(work, item, errors=[(error.field, words.refused(error))]), 422
    flash(_("%(name)s is a copy of %(old)s. Change what differs.", name=twin, old=question), "good")
    return redirect(url_for("instruments.question", slug=slug, name=name, question=twin), code=303)


@bp.post("/<slug>/instruments/drafts/<name>/language")
@rule.may("propose_protocol")
def speak(slug: str, name: str) -> Response | tuple[str, int]:
    """One more language: nothing is said in it yet, and every question says what is missing."""
    code = request.form.get("language", "")
    work = desk.opened(name)
    try:
        _save(work, lambda form: add_language(form, code), ("language", code))
    except EditError as error:
        return drafts.shown(name, [(error.field, words.refused(error))]), 422
    flash(
        _("%(language)s is there. Each question says which texts are missing.", language=words.language(code)), "good"
    )
    return redirect(url_for("instruments.draft", slug=slug, name=name) + "#questions", code=303)


def _save(work: drafting.Work, make: Any, deed: tuple[str, str]) -> drafting.Work:
    return drafting.change(
        g.session, g.pilot, work.name, make, seen=drafts.seen_version(), touches=(), deed=deed, author_id=g.user.id,
        now=g.now,
    )  # fmt: skip
