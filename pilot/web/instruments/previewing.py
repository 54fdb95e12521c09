"""A question of a draft as the participant gets it: the same page, filled in by nobody and kept nowhere."""

from __future__ import annotations

import re
from dataclasses import replace

from flask import g, render_template, request, url_for

from pilot.errors import NotYours
from pilot.web import questions as shown
from pilot.web.instruments import bp, desk, words
from pilot.web.rules import rule
from surveys import Context, Instrument
from surveys.definition import CHOOSING, Question, Section, Text
from surveys.path import Path, Step
from surveys.state import Instance, State, key_of

OUTPUT = re.compile(r"\$\{\s*([^}]*?)\s*\}")


@bp.get("/<slug>/instruments/drafts/<name>/q/<question>/preview")
@rule.may("see_protocol")
def preview(slug: str, name: str, question: str) -> str:
    """The page in one language of the form (`?in=nl`), with the ways to the questions around it."""
    work = desk.opened(name)
    language = request.args.get("in", "")
    if language not in work.form.languages:
        language = work.form.default_language
    path = _path(work.form, language)
    keys = {step.item.name: step for step in path.steps}
    if question not in keys:
        raise NotYours("this question is never shown")
    step = keys[question]
    names = list(keys)
    at = names.index(question)
    return render_template(
        "instruments/preview.html",
        work=work,
        chosen=language,
        spoken=[(code, words.language(code)) for code in work.form.languages],
        here=question,
        around=(names[at - 1] if at else None, names[at + 1] if at + 1 < len(names) else None),
        back_url=url_for("instruments.question", slug=slug, name=name, question=question),
        **shown.values_of(path, step, language=language),
    )


def _path(form: Instrument, language: str) -> Path:
    """Every question that is ever shown, as if it were asked: conditions are left out, for nobody has answered."""
    items = [item for place in form.places.values() if isinstance(item := place.item, Question) and not item.silent]
    bare = replace(form, children=_bare(form.children))
    state = State(bare, {}, Context(g.now.date(), g.now, language, "preview"))
    return Path(tuple(_step(state, item.name) for item in items), state)


def _step(state: State, name: str) -> Step:
    place = state.place(name)
    instance: Instance = tuple((repeat, 1) for repeat in place.repeats)
    item = place.item
    assert isinstance(item, Question)
    return Step(key_of(name, instance), item.kind, item, instance, False, state)


def _bare(children: tuple[Question | Section, ...]) -> tuple[Question | Section, ...]:
    return tuple(_bare_section(child) if isinstance(child, Section) else _bare_question(child) for child in children)


def _bare_section(section: Section) -> Section:
    return replace(
        section, children=_bare(section.children), label=_marked(section.label), relevant="",
        repeat_count="1" if section.repeats else "",
    )  # fmt: skip


def _bare_question(question: Question) -> Question:
    """Without what depends on answers; an answer that a text repeats is shown by the name of its question."""
    parameters = question.parameters if question.kind in CHOOSING or _whole(question) else {}
    default = "" if "(" in question.default or "${" in question.default else question.default
    return replace(
        question, label=_marked(question.label), hint=_marked(question.hint), guidance=_marked(question.guidance),
        relevant="", required="", constraint="", choice_filter="", default=default, parameters=parameters,
        calculation="", readonly="true()" if question.calculation else question.readonly,
    )  # fmt: skip


def _whole(question: Question) -> bool:
    """Whether the marks of a scale are numbers."""
    return all(re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", value) for value in question.parameters.values())


def _marked(texts: Text) -> dict[str, str]:
    return {code: OUTPUT.sub(r"[\1]", said) for code, said in texts.items()}
