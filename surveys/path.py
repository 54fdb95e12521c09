"""The path: which questions this person gets, worked out from the answers at every request and never stored.

Answers to questions that left the path stay stored but count nowhere; when the person comes back to them they are
found as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from surveys.definition import Choice, Instrument, Question, Section, Text, say
from surveys.expressions import compile
from surveys.expressions.values import text_of
from surveys.state import MOST_INSTANCES, Context, Instance, Scope, State, key_of

__all__ = ["Context", "Path", "Step", "first_open", "step_of", "walk"]

_OUTPUT = re.compile(r"\$\{\s*([^\W\d][\w.\-]*)\s*\}")


@dataclass(frozen=True, slots=True)
class Step:
    """One page: a question, or the question whether there is another instance of a repeat.

    ``key`` names the answer and the form field. ``answered`` is true when the answer stored under it still holds.
    """

    key: str
    kind: str
    item: Question | Section
    instance: Instance
    answered: bool
    state: State = field(repr=False, compare=False)

    @property
    def question(self) -> Question:
        """The question. Raises TypeError for the step that asks for another instance."""
        if not isinstance(self.item, Question):
            raise TypeError(f"'{self.key}' asks for another instance; it is not a question of the form")
        return self.item

    @property
    def shown_only(self) -> bool:
        """Whether the page takes no answer and is merely passed."""
        return isinstance(self.item, Question) and self.item.shown_only

    @property
    def required(self) -> bool:
        if isinstance(self.item, Section):
            return True
        return not self.shown_only and _holds(self.item.required, self.scope)

    @property
    def scope(self) -> Scope:
        return Scope(self.state, self.item.name, self.instance)

    @property
    def value(self) -> Any:
        """The stored answer; for a calculated value its text; for an unanswered question the default, or None."""
        if isinstance(self.item, Question) and self.item.calculation:
            return self.state.text(self.state.place(self.item.name), self.instance)
        stored = self.state.answers.get(self.key)
        if stored is None and isinstance(self.item, Question) and self.key not in self.state.answers:
            return self.state.default(self.item, self.instance) or None
        return stored

    @property
    def sections(self) -> tuple[Section, ...]:
        """The groups and repeats around the question, outermost first."""
        return self.state.place(self.item.name).parents

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The choices on offer, filtered and in the order to show; empty for other kinds."""
        if isinstance(self.item, Section) or not self.item.choices:
            return ()
        return self.state.choices(self.item, self.instance)

    def label(self, language: str) -> str:
        return self.text(self.item.label, language)

    def hint(self, language: str) -> str:
        return self.text(self.item.hint, language) if isinstance(self.item, Question) else ""

    def guidance(self, language: str) -> str:
        return self.text(self.item.guidance, language) if isinstance(self.item, Question) else ""

    def text(self, texts: Text, language: str) -> str:
        """A text of the form in a language, with ``${name}`` replaced by the answer."""
        words = say(texts, language, self.state.instrument.default_language)
        if "${" not in words:
            return words
        return _OUTPUT.sub(lambda match: next(iter(self.scope.nodes(match[1])), ""), words)


@dataclass(frozen=True, slots=True)
class Path:
    """The steps of one person at one moment."""

    steps: tuple[Step, ...]
    state: State = field(repr=False, compare=False)

    @property
    def next(self) -> Step | None:
        """The first step that is not answered; None when the form is complete."""
        return next((step for step in self.steps if not step.answered), None)

    @property
    def complete(self) -> bool:
        return self.next is None

    @property
    def total(self) -> int:
        """The number of steps as far as it can be known now; answers may make it grow or shrink."""
        return len(self.steps)

    @property
    def position(self) -> int:
        """The number of the next step, counting from 1; ``total`` when the form is complete."""
        return next((i for i, step in enumerate(self.steps, start=1) if not step.answered), self.total)

    def step(self, key: str) -> Step | None:
        """The step with that key, when it is on the path."""
        return next((step for step in self.steps if step.key == key), None)

    def before(self, key: str) -> Step | None:
        """The step before that one, for the back link."""
        previous = None
        for step in self.steps:
            if step.key == key:
                return previous
            previous = step
        return None


def walk(instrument: Instrument, answers: Mapping[str, Any], *, context: Context) -> Path:
    """The relevant questions in order, repeats included.

    >>> from datetime import UTC, date, datetime
    >>> from surveys.definition import Question
    >>> form = Instrument("f", (Question("age", "integer"), Question("school", "text", relevant="${age} < 18")))
    >>> now = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))
    >>> [step.key for step in walk(form, {"age": 12}, context=now).steps]
    ['age', 'school']
    >>> walk(form, {"age": 40}, context=now).complete
    True
    """
    state = State(instrument, answers, context)
    return Path(tuple(_step(state, *place) for place in _asked(state, instrument.children, ())), state)


def first_open(instrument: Instrument, answers: Mapping[str, Any], *, context: Context) -> Step | None:
    """``walk(…).next`` without going on beyond it: the first step that is not answered, or None.

    >>> from datetime import UTC, date, datetime
    >>> from surveys.definition import Question
    >>> form = Instrument("f", (Question("age", "integer"), Question("school", "text")))
    >>> now = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))
    >>> first_open(form, {"age": 12}, context=now).key
    'school'
    """
    state = State(instrument, answers, context)
    for item, instance, key in _asked(state, instrument.children, ()):
        if not _holds_answer(state, item, instance, key):
            return Step(key, _kind(item), item, instance, False, state)
    return None


def step_of(instrument: Instrument, answers: Mapping[str, Any], key: str, *, context: Context) -> Step | None:
    """``walk(…).step(key)`` without going on beyond it: the step with that key, or None when it is not on the path."""
    state = State(instrument, answers, context)
    return next((_step(state, *place) for place in _asked(state, instrument.children, ()) if place[2] == key), None)


def _asked(
    state: State, children: tuple[Question | Section, ...], instance: Instance
) -> Iterator[tuple[Question | Section, Instance, str]]:
    """What is asked and shown, in order: the question (or the repeat, for "another one?"), its instance and its key."""
    places = state.instrument.places
    for child in children:
        if isinstance(child, Question):
            if not child.silent and state.relevant(places[child.name], instance, inside=True):
                yield child, instance, key_of(child.name, instance)
        elif state.relevant(places[child.name], instance, inside=True):
            if child.repeats:
                yield from _asked_again(state, child, instance)
            else:
                yield from _asked(state, child.children, instance)


def _asked_again(
    state: State, section: Section, instance: Instance
) -> Iterator[tuple[Question | Section, Instance, str]]:
    count = state.count(section, instance)
    base = key_of(section.name, instance)
    for index in range(1, count + 1):
        if not section.repeat_count:
            yield section, instance, f"{base}.{index}"
        yield from _asked(state, section.children, (*instance, (section.name, index)))
    if not section.repeat_count and count < MOST_INSTANCES:
        yield section, instance, f"{base}.{count + 1}"


def _step(state: State, item: Question | Section, instance: Instance, key: str) -> Step:
    return Step(key, _kind(item), item, instance, _holds_answer(state, item, instance, key), state)


def _kind(item: Question | Section) -> str:
    return item.kind if isinstance(item, Question) else "another"


def _holds_answer(state: State, item: Question | Section, instance: Instance, key: str) -> bool:
    if isinstance(item, Question):
        return _answered(state, item, key, instance)
    return state.answers.get(key) in ("yes", "no")


def _answered(state: State, question: Question, key: str, instance: Instance) -> bool:
    """Whether the answer still holds: earlier answers may since have changed what is allowed."""
    if key not in state.answers:
        return False
    value = state.answers[key]
    if question.shown_only:
        return True
    if value is None:
        return not _holds(question.required, Scope(state, question.name, instance))
    if question.choice_filter and not state.offers(question, instance, value if isinstance(value, list) else [value]):
        return False
    if question.constraint:
        expression = compile(question.constraint)
        if expression.references and not expression.truth(
            Scope(state, question.name, instance, candidate=text_of(value))
        ):
            return False
    return True


def _holds(condition: str, scope: Scope) -> bool:
    """XLSForm writes yes, true or an expression."""
    plain = condition.strip().lower()
    if plain in ("", "no", "false", "false()"):
        return False
    return plain in ("yes", "true", "true()") or compile(condition).truth(scope)
