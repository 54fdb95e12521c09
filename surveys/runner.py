"""The runner: what a posted page does to the answers, and which answers may be analysed.

A form field has the key of the step as its name. Besides, a date may come as ``<key>-day``, ``<key>-month`` and
``<key>-year``, and a ranking as ``<key>-<choice>`` with the place from 1. Answers are stored as text, numbers, lists of
choices and ISO dates; a page that was passed without an answer is stored as None, so that it is not asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from surveys import fields
from surveys.catalogue import message
from surveys.definition import Instrument, Question, Section, Text, say, spoken
from surveys.errors import InputError
from surveys.expressions import compile
from surveys.expressions.values import text_of
from surveys.path import Step, step_of
from surveys.state import Context, Scope, State, key_of

__all__ = ["Accepted", "Context", "FieldError", "Raw", "Refused", "accept", "analysable"]

Raw: TypeAlias = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with an answer: the key of the question, a code of the catalogue and the message to show.

    ``language`` is that of the message where the form's own words are in another one than was asked for, else empty.
    """

    question: str
    code: str
    message: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answers with the new one in it; the mapping that was handed in is left as it was."""

    answers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed; the person gets the page back with these messages."""

    errors: tuple[FieldError, ...]


def accept(
    instrument: Instrument,
    answers: Mapping[str, Any],
    name: str,
    raw: Raw,
    *,
    context: Context,
    language: str,
) -> Accepted | Refused:
    """What posting the page of the step ``name`` (its key) does.

    A question that is not on the path, or does not exist, is refused and nothing is lost.

    >>> from datetime import UTC, date, datetime
    >>> form = Instrument("f", (Question("age", "integer", constraint=". >= 18 and . < 120"),), languages=("nl", "en"))
    >>> now = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))
    >>> accept(form, {}, "age", {"age": [" 44 jaar "]}, context=now, language="nl")
    Accepted(answers={'age': 44})
    >>> accept(form, {}, "age", {"age": ["4"]}, context=now, language="nl").errors[0].code
    'constraint'
    """
    step = step_of(instrument, answers, name, context=context)
    if step is None:
        known = name.rsplit(".", 1)[-1] in instrument.places or name in answers
        code = "not_on_path" if known else "unknown_question"
        return Refused((FieldError(name, code, message(code, language)),))
    try:
        value = fields.read(step, raw)
    except InputError as error:
        return Refused((FieldError(name, error.code, _say(step, error, language)),))
    if value is None and step.required:
        return Refused((_required(step, language),))
    if value is not None and not _allowed(step, value):
        own = _in_own_words(step, "constraint", step.question.constraint_message, language)
        return Refused((own or FieldError(name, "constraint", message("constraint", language)),))
    return Accepted(_kept(answers, step, value))


def _say(step: Step, error: InputError, language: str) -> str:
    values = dict(error.values)
    if isinstance(values.get("choice"), Mapping):
        values["choice"] = say(values["choice"], language, step.state.instrument.default_language)
    return message(error.code, language, **values)


def _required(step: Step, language: str) -> FieldError:
    if isinstance(step.item, Question):
        own = _in_own_words(step, "required", step.item.required_message, language)
        if own is not None:
            return own
    code = {"select_one": "required_choice", "select_multiple": "required_choices", "another": "required_choice"}
    code |= {"acknowledge": "required_acknowledge", "date": "required_date"}
    return FieldError(step.key, "required", message(code.get(step.kind, "required"), language))


def _in_own_words(step: Step, code: str, texts: Text, language: str) -> FieldError | None:
    """What the form itself says about a wrong answer, and in which language; None when it says nothing."""
    words = step.text(texts, language)
    said = spoken(texts, language, step.state.instrument.default_language)
    return FieldError(step.key, code, words, "" if said == language else said) if words else None


def _allowed(step: Step, value: Any) -> bool:
    """A constraint judges only what was answered."""
    if not isinstance(step.item, Question) or not step.item.constraint or step.shown_only:
        return True
    scope = Scope(step.state, step.item.name, step.instance, candidate=text_of(value))
    return compile(step.item.constraint).truth(scope)


def _kept(answers: Mapping[str, Any], step: Step, value: Any) -> dict[str, Any]:
    return {**answers, step.key: value}


def analysable(instrument: Instrument, answers: Mapping[str, Any], *, context: Context) -> dict[str, Any]:
    """The values that may be analysed: answers on the path, calculations included, in the order of the form.

    What was answered and later left the path is not in it. Numbers of calculations come as numbers. A repeat adds
    ``<repeat>_count``. Questions on the path without an answer are None.

    >>> from datetime import UTC, date, datetime
    >>> form = Instrument("f", (Question("age", "integer"), Question("school", "text", relevant="${age} < 18"),
    ...                         Question("months", "calculate", calculation="${age} * 12")))
    >>> now = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))
    >>> analysable(form, {"age": 40, "school": "De Klimop"}, context=now)
    {'age': 40, 'months': 480}
    """
    state = State(instrument, answers, context)
    values: dict[str, Any] = {}
    for child in instrument.children:
        _collect(state, child, (), values)
    return values


def _collect(state: State, item: Question | Section, instance: Any, values: dict[str, Any]) -> None:
    place = state.instrument.places[item.name]
    if not state.relevant(place, instance):
        return
    if isinstance(item, Question):
        if item.kind != "note":
            values[key_of(item.name, instance)] = _data(state, item, instance)
        return
    if not item.repeats:
        for child in item.children:
            _collect(state, child, instance, values)
        return
    count = state.count(item, instance)
    values[f"{key_of(item.name, instance)}_count"] = count
    for index in range(1, count + 1):
        for child in item.children:
            _collect(state, child, (*instance, (item.name, index)), values)


def _data(state: State, question: Question, instance: Any) -> Any:
    key = key_of(question.name, instance)
    if not question.calculation and key in state.answers:
        return state.answers[key]
    text = state.text(state.instrument.places[question.name], instance)
    return _typed(text) if text != "" else None


def _typed(text: str) -> str | int | float:
    """A calculation as the number that it looks like; a code with leading zeros or a date stays text."""
    try:
        found = float(text)
    except ValueError:
        return text
    if text_of(found) != text:
        return text
    return int(found) if found == int(found) else found
