"""A condition in words, for people who fill in paper: `${works} = 'yes'` becomes “u bij vraag 3 ‘Ja’ koos”."""

from __future__ import annotations

from collections.abc import Mapping

from surveys.catalogue import message
from surveys.definition import Instrument, Question, say
from surveys.expressions.parse import parse
from surveys.expressions.tree import Binary, Call, Node, Number, Reference, String

__all__ = ["NotSayable", "in_words"]

NUMERIC = {">": "more", ">=": "at_least", "<": "less", "<=": "at_most", "=": "equal", "!=": "not_equal"}
MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "=", "!=": "!="}
OPPOSITE = {"chosen": "not_chosen", "not_chosen": "chosen", "filled": "not_filled", "not_filled": "filled",
            "more": "at_most", "at_most": "more", "less": "at_least", "at_least": "less",
            "equal": "not_equal", "not_equal": "equal"}  # fmt: skip


class NotSayable(ValueError):
    """The condition is of a kind for which there are no words; the text says which part."""


def in_words(expression: str, instrument: Instrument, numbers: Mapping[str, int], language: str) -> str:
    """The condition as the end of a sentence that begins with “only if”; empty when it always holds.

    `numbers` gives the printed number of each question. Known are comparisons of an answer with a choice, a number or
    nothing, `selected`, `not`, `and` and `or`. Raises NotSayable for anything else.

    >>> works = Question("works", "integer")
    >>> in_words("${works} >= 12", Instrument("f", (works,)), {"works": 4}, "en")
    'your answer to question 4 is 12 or more'
    """
    return _Speaker(instrument, numbers, language).say(parse(expression))


class _Speaker:
    def __init__(self, instrument: Instrument, numbers: Mapping[str, int], language: str) -> None:
        self.instrument, self.numbers, self.language = instrument, numbers, language

    def say(self, node: Node, *, denied: bool = False) -> str:
        match node:
            case Binary("and" | "or" as joint, left, right):
                return self._joined(joint if not denied else {"and": "or", "or": "and"}[joint], left, right, denied)
            case Call("not", (inner,)):
                return self.say(inner, denied=not denied)
            case Call("selected", (Reference() as asked, String() as choice)):
                return self._told("chosen", asked, denied, choice=self._choice(asked, choice.value))
            case Call("true", ()) if not denied:
                return ""
            case Binary(operator, Reference() as asked, String() | Number() as other) if operator in NUMERIC:
                return self._compared(operator, asked, other, denied)
            case Binary(operator, String() | Number() as other, Reference() as asked) if operator in NUMERIC:
                return self._compared(MIRRORED[operator], asked, other, denied)
        raise NotSayable(f"the part at character {getattr(node, 'at', 0) + 1}")

    def _joined(self, joint: str, left: Node, right: Node, denied: bool) -> str:
        parts = []
        for side in (left, right):
            said = self.say(side, denied=denied)
            other = isinstance(side, Binary) and side.operator in ("and", "or")
            nested = other and (side.operator != joint) != denied  # type: ignore[union-attr]
            parts.append(f"({said})" if nested and said else said)
        return message(f"paper.{joint}", self.language).join(part for part in parts if part)

    def _compared(self, operator: str, asked: Reference, other: String | Number, denied: bool) -> str:
        question = self._question(asked)
        if isinstance(other, Number) or (question.kind in ("integer", "decimal", "range") and other.value):
            value = f"{other.value:g}" if isinstance(other, Number) else other.value
            if question.choices:
                return self._equal(operator, asked, denied, choice=self._choice(asked, value))
            return self._told(NUMERIC[operator], asked, denied, value=value)
        if other.value == "":
            return self._told({"=": "not_filled", "!=": "filled"}.get(operator, ""), asked, denied)
        if question.choices:
            return self._equal(operator, asked, denied, choice=self._choice(asked, other.value))
        return self._told({"=": "equal", "!=": "not_equal"}.get(operator, ""), asked, denied, value=other.value)

    def _equal(self, operator: str, asked: Reference, denied: bool, *, choice: str) -> str:
        return self._told({"=": "chosen", "!=": "not_chosen"}.get(operator, ""), asked, denied, choice=choice)

    def _told(self, what: str, asked: Reference, denied: bool, **values: str) -> str:
        if not what or asked.name not in self.numbers:
            raise NotSayable(f"'{asked.name}' is not an earlier question on the paper")
        key = OPPOSITE[what] if denied else what
        return message(f"paper.{key}", self.language, number=self.numbers[asked.name], **values)

    def _question(self, asked: Reference) -> Question:
        place = self.instrument.places.get(asked.name)
        if place is None or not isinstance(place.item, Question):
            raise NotSayable(f"'{asked.name}' is not a question")
        return place.item

    def _choice(self, asked: Reference, name: str) -> str:
        for choice in self.instrument.lists.get(self._question(asked).choices, ()):
            if choice.name == name:
                return say(choice.label, self.language, self.instrument.default_language)
        raise NotSayable(f"'{asked.name}' has no choice '{name}'")
