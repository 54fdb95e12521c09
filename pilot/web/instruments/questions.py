"""One question of a draft: its texts in each language, its conditions and choices, and what is to be mended in it."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import drafting
from pilot.drafting import Work
from pilot.errors import NotYours, Stale
from pilot.web.instruments import bp, desk, fields, words
from pilot.web.instruments.drafts import seen_version, shown
from pilot.web.rules import rule
from surveys import Instrument
from surveys.definition import Question, Section
from surveys.editing import change, follows_from_other, set_choices, shared_by
from surveys.errors import EditError
from surveys.renaming import mentions

Item = Question | Section


@bp.get("/<slug>/instruments/drafts/<name>/q/<question>")
@rule.may("see_protocol")
def question(slug: str, name: str, question: str) -> str:  # noqa: ARG001
    work = desk.opened(name)
    return show(work, item_of(work.form, question))


@bp.post("/<slug>/instruments/drafts/<name>/q/<question>")
@rule.may("propose_protocol")
def save(slug: str, name: str, question: str) -> Response | tuple[str, int]:
    """Keeps what was typed as a next version. What somebody else changed in this same question is never overwritten
    unseen: it is shown beside what was typed, and a second press decides.
    """
    work = desk.opened(name)
    if question not in work.form.places:
        # Somebody removed it, or gave it another name, while this page stood open.
        return shown(name, [("questions", words.refused(EditError("item_unknown", name=question)))]), 409
    item = item_of(work.form, question)
    if follows_from_other(work.form, question):
        return show(work, item, errors=[("texts", words.refused(EditError("follows")))]), 422
    try:
        rows = fields.typed_rows(request.form, work.form.languages)
        kept = drafting.change(
            g.session, g.pilot, name, lambda form: _changed(form, question, rows), seen=seen_version(),
            touches=(question,), deed=("changed", question), author_id=g.user.id, now=g.now,
        )  # fmt: skip
    except EditError as error:
        return show(work, item, errors=[(error.field, words.refused(error))], typed=True), 422
    except Stale:
        return show(work, item, typed=True, newer=True), 409
    _tell(kept, work)
    return redirect(url_for("instruments.question", slug=slug, name=name, question=question), code=303)


def _tell(kept: Work, before: Work) -> None:
    if kept.number == before.number:
        flash(_("Nothing was changed."), "info")
        return
    flash(_("Saved as version %(number)s.", number=kept.number), "good")
    if before.number != seen_version():
        flash(_("Somebody else saved other questions in the meantime. Both changes are kept."), "info")


def _changed(form: Instrument, name: str, rows: list[fields.ChoiceRow]) -> Instrument:
    item = item_of(form, name)
    form = change(form, fields.read(item, request.form, form.languages))
    own = fields.shared_list(form, item)
    if isinstance(item, Question) and item.choices and (own or rows):
        form = set_choices(form, item.choices, fields.read_choices(own, rows, form.languages))
    return form


def item_of(form: Instrument, name: str) -> Item:
    if name not in form.places:
        raise NotYours("there is no such question in this draft")
    return form.places[name].item


def show(
    work: Work, item: Item, *, errors: list[tuple[str, str]] | None = None, typed: bool = False, newer: bool = False
) -> str:
    form, found = work.form, desk.judged(work.form)
    now = fields.values(item, form.languages)
    texts, logic = fields.of_kind(item)
    return render_template(
        "instruments/question.html",
        work=work,
        item=item,
        line=next(line for line in desk.lines(form) if line.item.name == item.name),
        kinds=words.KINDS,
        problems_named=words.PROBLEMS,
        say=words.said,
        readings={one.language: one for one in found.readings.get(item.name, ())},
        limits=desk.LIMITS,
        spoken=[(code, words.language(code)) for code in form.languages],
        texts=[(name, *fields.TEXTS[name]) for name in texts],
        logic=[(name, *fields.LOGIC[name]) for name in logic],
        values={**now, **{key: request.form.get(key, "") for key in now}} if typed else now,
        theirs=_theirs(now) if newer else [],
        newer=newer,
        # An old version stays in the form after a mistake; after a newer one was shown, the next press decides.
        version=work.number if newer or not typed else seen_version(),
        new_name=request.form.get("new_name", ""),
        referring=mentions(form, item.name),
        around=_neighbours(form, item.name),
        places=desk.places(form, without=item.name),
        **_choices(form, item, typed),
        may_write=desk.may_write() and not follows_from_other(form, item.name),
        follows=follows_from_other(form, item.name),
        errors=errors or [],
    )  # fmt: skip


def _choices(form: Instrument, item: Item, typed: bool) -> dict[str, Any]:
    """The list of choices, who else uses it, and how long it is when it is too long for a page."""
    if not isinstance(item, Question) or not item.choices:
        return {"choosing": False}
    own = fields.shared_list(form, item)
    count = len(form.lists.get(item.choices, ()))
    rows = fields.typed_rows(request.form, form.languages) if typed else fields.choice_rows(own, form.languages)
    return {
        "choosing": True,
        "rows": rows,
        "too_long": count if count > fields.MOST_SHOWN and not own else 0,
        "list_name": item.choices.removesuffix(" or_other"),
        "shared": shared_by(form, item),
    }


def _theirs(now: dict[str, str]) -> list[tuple[str, str, str]]:
    """Where what was typed differs from what somebody else saved: the field, what was typed, what stands there now."""
    given = ((key, request.form.get(key, "").replace("\r\n", "\n").strip(), there) for key, there in now.items())
    return [(_field(key), typed, there) for key, typed, there in given if typed != there]


def _field(key: str) -> str:
    name, _dash, code = key.partition("-")
    label = (fields.TEXTS.get(name) or fields.LOGIC[name])[0]
    return f"{label} ({words.language(code)})" if code else str(label)


def _neighbours(form: Instrument, name: str) -> tuple[str | None, str | None]:
    names = list(form.places)
    index = names.index(name)
    return names[index - 1] if index else None, names[index + 1] if index + 1 < len(names) else None
