"""A question of a draft as the participant gets it: the same page, filled in by nobody and kept nowhere."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from flask import g, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from pilot.drafting import Work
from pilot.errors import NotYours
from pilot.protocol import LARGEST_MEDIUM, MEDIA, MEDIA_TYPES
from pilot.web import questions as shown
from pilot.web.instruments import bp, desk, words
from pilot.web.rules import rule
from pilot.web.state import state
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
        **_with_pictures(work, step, shown.values_of(path, step, language=language), language),
    )


@bp.get("/<slug>/instruments/drafts/<name>/media/<filename>")
@rule.may("see_protocol")
def picture(slug: str, name: str, filename: str) -> Response:  # noqa: ARG001
    """A picture or recording that a draft names, as it lies in the folder of the protocol; no other file of it."""
    path = _there(desk.opened(name).form, filename)
    if path is None:
        raise NotYours("there is no such picture or recording")
    return send_file(io.BytesIO(path.read_bytes()), mimetype=MEDIA_TYPES[path.suffix.lower()], max_age=0)


def _there(form: Instrument, filename: str) -> FilePath | None:
    """The file that a draft names, when it may be shown: a plain name, a known kind, and no larger than is locked."""
    path = state().settings.protocols / g.pilot.slug / MEDIA / filename
    plain = FilePath(filename).name == filename and path.suffix.lower() in MEDIA_TYPES
    fits = filename in form.shown_files and plain and path.is_file() and path.stat().st_size <= LARGEST_MEDIUM
    return path if fits else None


def _with_pictures(work: Work, step: Step, values: dict[str, Any], language: str) -> dict[str, Any]:
    """The page with the pictures of the folder, and the names of those that do not lie there yet."""
    absent: list[str] = []

    def address(media: Mapping[str, Text], medium: str) -> str:
        filename = step.text(media.get(medium, {}), language)
        if filename and _there(work.form, filename) is None:
            absent.append(filename)
            return ""
        return url_for("instruments.picture", slug=g.pilot.slug, name=work.name, filename=filename) if filename else ""

    own = {medium: address(step.question.media, medium) for medium in ("image", "audio")}
    options = [
        option._replace(image=address(choice.media, "image"))
        for option, choice in zip(values["options"], step.choices, strict=True)
    ]
    return {**values, **own, "options": options, "absent": list(dict.fromkeys(absent))}


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
