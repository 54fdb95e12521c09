"""A question on a page, whoever asks it: the participant's own telephone, or an interviewer who reads it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import g, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape

from pilot.web import forms
from pilot.web.language import said_in
from surveys.catalogue import message
from surveys.definition import Question, Text, spoken
from surveys.fields import bounds
from surveys.path import Path, Step
from surveys.runner import FieldError

LONG_LIST = 16
"""From so many choices on, a list to pick from stands on the page, and no longer a button for each choice."""
MOST_MARKS = 11
"""A scale of at most so many marks is shown as buttons; of a longer one the number is typed."""


class Option(NamedTuple):
    """One choice: what is posted, what is read, a further word about it, and the address of a picture beside it."""

    name: str
    words: Markup | str
    hint: str = ""
    image: str = ""


def values_of(
    path: Path, step: Step, *, language: str, typed: Any = None, errors: Sequence[FieldError] = ()
) -> dict[str, Any]:
    """What `macros/questions.html` shows of this step: its words in the language, and what was answered or typed."""
    position = [known.key for known in path.steps].index(step.key) + 1
    item = step.item
    question = item if isinstance(item, Question) else None
    empty: Text = {}
    return {
        "step": step,
        "question": question,
        "sections": [said(step, section.label, language) for section in step.sections if section.label],
        "value": _value(step, typed),
        "date_value": _date_value(step, typed),
        "time_value": _time_value(step, typed),
        "given_places": _places(step, typed),
        "errors": [(_field(step), said_in(e.language, e.message) if e.language else e.message) for e in errors],
        "progress": (position, path.total),
        "label": heading(step, language),
        "hint": said(step, question.hint if question else empty, language),
        "guidance": said(step, question.guidance if question else empty, language),
        "options": _options(step, language),
        "marks": _marks(step),
        "bounds": bounds(question) if question and step.kind == "range" else None,
        "image": _medium(step, "image", language),
        "audio": _medium(step, "audio", language),
        "asked_in": language,
    }


def heading(step: Step, language: str) -> Markup:
    """The question; for one more of a repeat that has no words of its own, the usual ones."""
    own = said(step, step.item.label, language)
    return own if own or step.kind != "another" else escape(message("another", language))


def said(step: Step, texts: Text, language: str) -> Markup:
    """A text of the form; one that the form has only in another language carries that language."""
    return said_in(spoken(texts, language, step.state.instrument.default_language), step.text(texts, language))


def in_words(step: Step, language: str) -> str:
    """An answer as a person would say it."""
    value = step.value
    if value is None or value == "":
        return _("No answer")
    names: dict[str, Any] = {choice.name: said(step, choice.label, language) for choice in step.choices}
    if isinstance(value, list):
        return Markup(", ").join(names.get(str(one), str(one)) for one in value)
    if step.kind in ("date", "datetime"):
        day, _t, moment = str(value).partition("T")
        year, month, day = day.split("-")
        return f"{int(day)}-{int(month)}-{year}" + (f", {moment}" if moment else "")
    if value is True or step.kind == "acknowledge":
        return _("Yes")
    if step.kind == "another":
        return {"yes": _("Yes"), "no": _("No")}.get(str(value), str(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return names.get(str(value), str(value))


def said_so_far(path: Path, language: str) -> list[tuple[Step, Markup, str]]:
    """Every question on the path with its answer, to be looked at before the list is sent."""
    rows = [(step, heading(step, language), in_words(step, language)) for step in path.steps]
    return [row for row in rows if not row[0].shown_only]


def _options(step: Step, language: str) -> list[Option]:
    return [
        Option(choice.name, said(step, choice.label, language), "", _file(step, choice.media, "image", language))
        for choice in step.choices
    ]


def _medium(step: Step, medium: str, language: str) -> str:
    return _file(step, step.item.media, medium, language) if isinstance(step.item, Question) else ""


def _file(step: Step, media: Mapping[str, Text], medium: str, language: str) -> str:
    """The address of a picture or recording that was locked with the form; empty when there is none."""
    name = step.text(media.get(medium, {}), language)
    if name not in step.state.instrument.files:
        return ""
    mark = step.state.instrument.files[name][:10]
    return url_for("participant.medium", slug=g.pilot.slug, filename=name, v=mark)


def _marks(step: Step) -> list[Option]:
    """The marks of a short scale, as they are written; none for a long one."""
    if step.kind != "range":
        return []
    low, high, jump = bounds(step.question)
    count = round((high - low) / jump) + 1 if jump > 0 else 0
    marks = [f"{low + number * jump:g}" for number in range(count)] if 0 < count <= MOST_MARKS else []
    return [Option(mark, mark) for mark in marks]


def _field(step: Step) -> str:
    """The id of the field that an error points at."""
    kind = step.kind
    if kind in ("date", "datetime"):
        return f"{step.key}-day"
    if kind == "select_one" and len(step.choices) >= LONG_LIST:
        return step.key
    listed = step.choices or _marks(step) or kind not in ("text", "integer", "decimal", "time", "range")
    return f"{step.key}-1" if listed else step.key


def _value(step: Step, typed: Any) -> Any:
    if typed is not None:
        return typed.getlist(step.key) if step.kind in ("select_multiple", "rank") else typed.get(step.key, "")
    value = step.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, list) else "" if value is None else str(value)


def _date_value(step: Step, typed: Any) -> tuple[str, str, str]:
    if typed is not None:
        return forms.date_parts(typed, step.key)
    text = str(step.value or "")
    if step.kind not in ("date", "datetime") or not text:
        return ("", "", "")
    year, month, day = text[:10].split("-")
    return day.lstrip("0"), month.lstrip("0"), year


def _time_value(step: Step, typed: Any) -> str:
    if step.kind != "datetime":
        return ""
    return typed.get(f"{step.key}-time", "") if typed is not None else str(step.value or "").partition("T")[2]


def _places(step: Step, typed: Any) -> dict[str, str]:
    """The place of each choice of a ranking, as typed or as kept."""
    if step.kind != "rank":
        return {}
    if typed is not None:
        return {choice.name: typed.get(f"{step.key}-{choice.name}", "") for choice in step.choices}
    kept = step.value if isinstance(step.value, list) else []
    return {str(name): str(place) for place, name in enumerate(kept, start=1)}
