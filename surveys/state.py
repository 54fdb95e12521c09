"""The values of a form while it is being answered: what ``path``, ``runner`` and the codebook read.

Relevance, calculations and repeats are worked out on demand and remembered for the length of one request, so that an
expression may refer to a later question and nothing is computed twice. Answers are a flat mapping: ``age`` outside
repeats, ``person.2.age`` in the second instance of the repeat ``person``, and ``person.2`` ("yes" or "no") for the
question whether there is a second one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from surveys.definition import Choice, Instrument, Place, Question, Section, say
from surveys.errors import ExpressionError
from surveys.expressions import Expression, compile
from surveys.expressions.values import Nodes, string, text_of

__all__ = ["MOST_INSTANCES", "Context", "Instance", "Scope", "State", "key_of"]

MOST_INSTANCES = 100
"""A repeat is cut off here: more would be a mistake of the form, not a household."""

Instance: TypeAlias = tuple[tuple[str, int], ...]
"""The repeats around a question with the number of the instance, outermost first: ``(("person", 2),)``."""


@dataclass(frozen=True, slots=True)
class Context:
    """What varies from request to request: the clock, the language and the seed that random orders derive from.

    Give every participant another ``seed`` (for instance the study id); the same seed gives the same order of choices.
    """

    today: date
    now: datetime
    language: str = "nl"
    seed: str = ""


def key_of(name: str, instance: Instance = ()) -> str:
    """The key of an answer.

    >>> key_of("age"), key_of("age", (("person", 2),))
    ('age', 'person.2.age')
    """
    return ".".join([*(f"{repeat}.{index}" for repeat, index in instance), name]) if instance else name


# Stands for a value while it is being worked out: whoever meets it has come round in a circle.
_BUSY: Any = object()


class State:
    """The values of one form at one moment. Not to be kept between requests."""

    __slots__ = ("_counts", "_relevant", "answers", "context", "instrument", "texts")

    def __init__(self, instrument: Instrument, answers: Mapping[str, Any], context: Context) -> None:
        self.instrument, self.answers, self.context = instrument, answers, context
        self.texts: dict[str, str] = {}
        self._relevant: dict[str, bool] = {}
        self._counts: dict[str, int] = {}

    def scope(self, name: str, instance: Instance) -> Scope:
        return Scope(self, name, instance)

    def relevant(self, place: Place, instance: Instance, *, inside: bool = False) -> bool:
        """Whether the question or section, and every section around it, applies in this instance.

        ``inside``: the sections around it are known to apply, as they are while walking down from them.
        """
        item = place.item
        key = key_of(item.name, instance)
        known = self._relevant.get(key)
        if known is _BUSY:
            raise ExpressionError(f"whether '{key}' is asked depends on itself")
        if known is not None:
            return known
        answer = inside or not place.parents or self._around(place.parents[-1], instance)
        if answer and item.relevant:
            self._relevant[key] = _BUSY
            try:
                answer = compile(item.relevant).truth(Scope(self, item.name, instance))
            finally:
                del self._relevant[key]
        self._relevant[key] = answer
        return answer

    def _around(self, parent: Section, instance: Instance) -> bool:
        """Whether the section around applies, and has as many instances as this one's number."""
        place = self.instrument.places[parent.name]
        if not parent.repeats:
            return self.relevant(place, instance)
        outer = instance[:-1]
        return self.relevant(place, outer) and instance[-1][1] <= self.count(parent, outer)

    def text(self, place: Place, instance: Instance) -> str:
        """The value that expressions see: empty when the question is not on the path."""
        item = place.item
        key = key_of(item.name, instance)
        known = self.texts.get(key)
        if known is _BUSY:
            raise ExpressionError(f"the value of '{key}' depends on itself")
        if known is not None:
            return known
        self.texts[key] = _BUSY
        try:
            text = self._value(item, key, instance) if self.relevant(place, instance) else ""
        except RecursionError:
            del self.texts[key]
            raise ExpressionError(f"'{key}' rests on too many calculations, one behind the other") from None
        except BaseException:
            del self.texts[key]
            raise
        self.texts[key] = text
        return text

    def _value(self, item: Question | Section, key: str, instance: Instance) -> str:
        if isinstance(item, Section):
            return ""
        if item.calculation:
            text = compile(item.calculation).text(Scope(self, item.name, instance))
            return "" if text in ("NaN", "Infinity", "-Infinity") else text
        if key in self.answers:
            return text_of(self.answers[key]) if item.kind != "note" else ""
        return self.default(item, instance) if item.silent or item.shown_only else ""

    def default(self, question: Question, instance: Instance) -> str:
        """The default: the outcome of an expression when it holds a reference or a call, else the text itself."""
        text = question.default.strip()
        if not text or not ("${" in text or text.endswith(")")):
            return text
        try:
            expression = compile(text)
        except ExpressionError:
            return text
        return expression.text(Scope(self, question.name, instance))

    def count(self, section: Section, instance: Instance) -> int:
        """How many instances a repeat has: from ``repeat_count``, else from the answers "add another: yes"."""
        key = key_of(section.name, instance)
        known = self._counts.get(key)
        if known is _BUSY:
            raise ExpressionError(f"the number of '{key}' depends on itself")
        if known is not None:
            return known
        if section.repeat_count:
            self._counts[key] = _BUSY
            try:
                wanted = compile(section.repeat_count).number(Scope(self, section.name, instance))
            finally:
                del self._counts[key]
            count = 0 if wanted != wanted else int(min(max(wanted, 0), MOST_INSTANCES))
        else:
            count = 0
            while count < MOST_INSTANCES and self.answers.get(f"{key}.{count + 1}") == "yes":
                count += 1
        self._counts[key] = count
        return count

    def instances(self, repeats: tuple[str, ...], around: Instance) -> list[Instance]:
        """Every instance of these repeats that shares the instances around the question that asks; none of a repeat
        that does not apply."""
        known = 0
        while known < len(repeats) and known < len(around) and repeats[known] == around[known][0]:
            known += 1
        found: list[Instance] = [around[:known]]
        for name in repeats[known:]:
            section = self.instrument.places[name].item
            assert isinstance(section, Section)
            place = self.instrument.places[name]
            relevant = [i for i in found if self.relevant(place, i)]
            found = [(*i, (name, n)) for i in relevant for n in range(1, self.count(section, i) + 1)]
        return found

    def place(self, name: str) -> Place:
        place = self.instrument.places.get(name)
        if place is None:
            raise ExpressionError(f"there is no question '{name}'")
        return place

    def choices(self, question: Question, instance: Instance) -> tuple[Choice, ...]:
        """The choices offered: filtered, and in random order where the parameters ask for it."""
        choices = self.instrument.lists[question.choices]
        if question.choice_filter:
            keep: Expression = compile(question.choice_filter)
            scope = Scope(self, question.name, instance)
            choices = tuple(choice for choice in choices if keep.truth(scope.of(choice)))
        if question.parameters.get("randomize", "").lower() == "true":
            seed = self._seed(question, instance)
            order = sorted(choices, key=lambda c: hashlib.sha256(f"{seed}\0{c.name}".encode()).digest())
            choices = tuple(order)
        return choices

    def offers(self, question: Question, instance: Instance, names: list[str]) -> bool:
        """Whether all these choices are on offer: only they are put to the filter, not the whole list."""
        keep = compile(question.choice_filter)
        scope = Scope(self, question.name, instance)
        chosen = [choice for choice in self.instrument.lists[question.choices] if choice.name in names]
        return len(chosen) == len(names) and all(keep.truth(scope.of(choice)) for choice in chosen)

    def _seed(self, question: Question, instance: Instance) -> str:
        """A seed in the parameters is shared by all participants; ``${name}`` takes it from an answer."""
        given = question.parameters.get("seed", "")
        if given.startswith("${"):
            given = string(compile(given).value(Scope(self, question.name, instance)))
        return given or f"{self.context.seed}\0{key_of(question.name, instance)}"

    def label_of(self, name: str, value: str, language: str) -> str:
        place = self.place(name)
        question = place.item
        if not isinstance(question, Question) or not question.choices:
            raise ExpressionError(f"'{name}' has no choices to name")
        labels = {c.name: c.label for c in self.instrument.lists[question.choices]}
        fallback = self.instrument.default_language
        return ", ".join(say(labels[part], language, fallback) for part in value.split() if part in labels)


class Scope:
    """The surroundings of one expression: a question (or choice) within one instance of the repeats around it."""

    __slots__ = ("candidate", "choice", "instance", "name", "state")

    def __init__(
        self, state: State, name: str, instance: Instance, choice: Choice | None = None, candidate: str | None = None
    ) -> None:
        self.state, self.name, self.instance, self.choice, self.candidate = state, name, instance, choice, candidate

    def of(self, choice: Choice) -> Scope:
        """The same surroundings for a choice filter that judges this choice."""
        return Scope(self.state, self.name, self.instance, choice)

    @property
    def today(self) -> date:
        return self.state.context.today

    @property
    def now(self) -> datetime:
        return self.state.context.now

    def nodes(self, name: str) -> Nodes:
        state = self.state
        # Most references, most times: a question outside repeats whose value has been worked out before.
        known = state.texts.get(name)
        if known is not None and known is not _BUSY:
            return (known,)
        place = state.place(name)
        if isinstance(place.item, Section) and place.item.repeats:
            return ("",) * len(state.instances((*place.repeats, name), self.instance))
        if not place.repeats:
            return (state.text(place, ()),)
        return tuple(state.text(place, instance) for instance in state.instances(place.repeats, self.instance))

    def column(self, name: str) -> Nodes:
        if self.choice is None:
            raise ExpressionError(f"'{name}' has no meaning here", remedy=f"write ${{{name}}}")
        if name == "name":
            return (self.choice.name,)
        if name == "label":
            return (say(self.choice.label, self.state.context.language, self.state.instrument.default_language),)
        return (self.choice.columns.get(name, ""),)

    def current(self) -> str:
        if self.candidate is not None:
            return self.candidate
        return text_of(self.state.answers.get(key_of(self.name, self.instance)))

    def position(self, levels: int) -> int:
        if levels > len(self.instance):
            raise ExpressionError("position(..) has no meaning outside a repeat")
        return self.instance[-levels][1]

    def indexed(self, name: str, at: Mapping[str, int]) -> str:
        place = self.state.place(name)
        own = dict(self.instance)
        try:
            instance = tuple((repeat, at.get(repeat) or own[repeat]) for repeat in place.repeats)
        except KeyError as error:
            raise ExpressionError(f"indexed-repeat() needs a number for the repeat {error}") from None
        return self.state.text(place, instance)

    def choice_label(self, question: str, value: str) -> str:
        return self.state.label_of(question, value, self.state.context.language)

    def lookup(self, file: str, wanted: str, column: str, value: str) -> str:
        table = self.state.instrument.tables.get(file.removesuffix(".csv"))
        if table is None:
            raise ExpressionError(f"there is no file '{file}' for pulldata()")
        return next((row.get(wanted, "") for row in table if row.get(column) == value), "")

    def random(self) -> float:
        """Between 0 and 1, the same at every request of one participant: a path must not change by looking at it."""
        return int.from_bytes(hashlib.sha256(self.chance().encode()).digest()[:6]) / 2**48

    def chance(self) -> str:
        """What chance is derived from: the seed of the participant and the question."""
        return f"{self.state.context.seed}\0{key_of(self.name, self.instance)}"
