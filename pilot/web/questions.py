"""A question on a page, whoever asks it: the participant's own telephone, or an interviewer who reads it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from pilot.web import forms
from surveys.definition import Question
from surveys.path import Path, Step
from surveys.runner import FieldError


def values_of(
    path: Path, step: Step, *, language: str, typed: Any = None, errors: Sequence[FieldError] = ()
) -> dict[str, Any]:
    """What `macros/questions.html` shows of this step: its words in the language, and what was answered or typed."""
    position = [known.key for known in path.steps].index(step.key) + 1
    return {
        "step": step,
        "question": step.item if isinstance(step.item, Question) else None,
        "sections": [step.text(section.label, language) for section in step.sections if section.label],
        "value": _value(step, typed),
        "date_value": _date_value(step, typed),
        "errors": [(_field(step), error.message) for error in errors],
        "progress": (position, path.total),
        "label": step.label(language),
        "hint": step.hint(language),
        "guidance": step.guidance(language),
        "options": [(choice.name, step.text(choice.label, language)) for choice in step.choices],
        "asked_in": language,
    }


def spoken(step: Step, language: str) -> str:
    """An answer as a person would say it."""
    value = step.value
    if value is None or value == "":
        return _("No answer")
    names: dict[str, str] = {choice.name: step.text(choice.label, language) for choice in step.choices}
    if isinstance(value, list):
        return ", ".join(names.get(str(one), str(one)) for one in value)
    if step.kind == "date":
        year, month, day = str(value).split("-")
        return f"{int(day)}-{int(month)}-{year}"
    if value is True:
        return _("Yes")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return names.get(str(value), str(value))


def said_so_far(path: Path, language: str) -> list[tuple[Step, str, str]]:
    """Every question on the path with its answer, to be looked at before the list is sent."""
    rows = [(step, step.label(language), spoken(step, language)) for step in path.steps]
    return [row for row in rows if not row[0].shown_only]


def _field(step: Step) -> str:
    """The id of the field that an error points at."""
    kind = step.kind
    if kind == "date":
        return f"{step.key}-day"
    return f"{step.key}-1" if step.choices or kind not in ("text", "integer", "decimal", "time", "range") else step.key


def _value(step: Step, typed: Any) -> Any:
    if typed is not None:
        return typed.getlist(step.key) if step.kind in ("select_multiple", "rank") else typed.get(step.key, "")
    value = step.value
    return value if isinstance(value, list) else "" if value is None else str(value)


def _date_value(step: Step, typed: Any) -> tuple[str, str, str]:
    if typed is not None:
        return forms.date_parts(typed, step.key)
    text = str(step.value or "")
    if step.kind != "date" or not text:
        return ("", "", "")
    year, month, day = text[:10].split("-")
    return day.lstrip("0"), month.lstrip("0"), year
