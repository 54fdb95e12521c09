"""The path: which questions this person gets, worked out from the answers at every request and never stored.

Answers to questions that left the path stay stored but count nowhere; when the person comes back to them they are
found as they were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from surveys.definition import Choice, Instrument, Question, Section, Text, say
from surveys.expressions import compile
from surveys.expressions.values import text_of
from surveys.state import MOST_INSTANCES, Context, Instance, Scope, State, key_of

__all__ = ["Context", "Path", "Step", "walk"]

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
    steps: list[Step] = []
    _add(steps, state, instrument.children, ())
    return Path(tuple(steps), state)


def _add(steps: list[Step], state: State, children: tuple[Question | Section, ...], instance: Instance) -> None:
    places = state.instrument.places
    for child in children:
        if isinstance(child, Question):
            if not child.silent and state.relevant(places[child.name], instance, inside=True):
                steps.append(_step(state, child, instance))
        elif state.relevant(places[child.name], instance, inside=True):
            if child.repeats:
                _add_repeat(steps, state, child, instance)
            else:
                _add(steps, state, child.children, instance)


def _add_repeat(steps: list[Step], state: State, section: Section, instance: Instance) -> None:
    count = state.count(section, instance)
    base = key_of(section.name, instance)
    for index in range(1, count + 1):
        if not section.repeat_count:
            steps.append(Step(f"{base}.{index}", "another", section, instance, True, state))
        _add(steps, state, section.children, (*instance, (section.name, index)))
    if not section.repeat_count and count < MOST_INSTANCES:
        key = f"{base}.{count + 1}"
        steps.append(Step(key, "another", section, instance, state.answers.get(key) == "no", state))


def _step(state: State, question: Question, instance: Instance) -> Step:
    key = key_of(question.name, instance)
    return Step(key, question.kind, question, instance, _answered(state, question, key, instance), state)


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
