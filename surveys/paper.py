"""A questionnaire on paper: numbered questions with codes for their answers, and in words what may be skipped.

A sheet is made from the instrument itself, so paper asks what the telephone asks. What was written on it is read back
with the codes of the sheet (`surveys.paper_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from surveys.catalogue import message
from surveys.definition import Choice, Instrument, Question, Section, say
from surveys.errors import SurveyError
from surveys.paper_words import NotSayable, in_words
from surveys.state import Instance, key_of

__all__ = ["MOST_CHOICES", "Line", "NotPrintable", "Sheet", "sheet"]

MOST_CHOICES = 60
COPIES = 3
"""How often a group that is repeated stands on the paper."""


class NotPrintable(SurveyError):
    """A questionnaire that cannot be put on paper as it is; the text names the question and the remedy."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on the paper: a question, a note, or the heading of a group.

    `number` is that of a question (None for notes and headings), `key` names its answer, `codes` pairs each printed
    code with the choice it stands for, `condition` says in words when the question is to be answered.
    """

    key: str
    kind: str
    label: str
    number: int | None = None
    hint: str = ""
    condition: str = ""
    codes: tuple[tuple[int, Choice], ...] = ()
    question: Question | None = None
    instance: Instance = ()

    def choice(self, language: str, fallback: str) -> list[tuple[int, str]]:
        """The printed codes with their words."""
        return [(code, say(choice.label, language, fallback)) for code, choice in self.codes]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All lines of an instrument in one language, in their order."""

    instrument: Instrument
    language: str
    lines: tuple[Line, ...]

    @property
    def questions(self) -> tuple[Line, ...]:
        """The lines that take an answer."""
        return tuple(line for line in self.lines if line.number is not None)

    def line(self, key: str) -> Line:
        """The line of an answer. Raises KeyError when the paper does not ask it."""
        for line in self.questions:
            if line.key == key:
                return line
        raise KeyError(key)


def sheet(instrument: Instrument, language: str) -> Sheet:
    """The instrument as it is printed.

    Raises NotPrintable for a condition that cannot be said in words (write the instruction in the column
    guidance_hint), for a list of more than 60 choices, and for a repeat inside a repeat.

    >>> yes_no = {"yn": (Choice("yes", {"nl": "Ja"}), Choice("no", {"nl": "Nee"}))}
    >>> works = Question("works", "select_one", {"nl": "Werkt u?"}, choices="yn")
    >>> hours = Question("hours", "integer", {"nl": "Hoeveel uur?"}, relevant="${works} = 'yes'")
    >>> paper = sheet(Instrument("f", (works, hours), lists=yes_no), "nl")
    >>> [(line.number, line.condition) for line in paper.lines]
    [(1, ''), (2, 'Alleen als u bij vraag 1 ‘Ja’ koos.')]
    """
    return Sheet(instrument, language, tuple(_Printer(instrument, language).lines()))


class _Printer:
    """Walks the instrument once, numbering questions as they come, so that conditions can name earlier numbers."""

    def __init__(self, instrument: Instrument, language: str) -> None:
        self.instrument, self.language = instrument, language
        self.numbers: dict[str, int] = {}
        self.last = 0

    def lines(self) -> Iterator[Line]:
        yield from self._all(self.instrument.children, ())

    def _all(self, children: tuple[Question | Section, ...], instance: Instance) -> Iterator[Line]:
        for child in children:
            if isinstance(child, Section):
                yield from self._section(child, instance)
            elif not child.silent and not child.calculation:
                yield self._question(child, instance)

    def _section(self, section: Section, instance: Instance) -> Iterator[Line]:
        if section.repeats and instance:
            raise NotPrintable(
                f"'{section.name}' is a repeat inside a repeat, which paper cannot hold; ask it by telephone instead"
            )
        for index in range(1, COPIES + 1 if section.repeats else 2):
            inner = (*instance, (section.name, index)) if section.repeats else instance
            label = say(section.label, self.language, self.instrument.default_language)
            if section.repeats:
                label = message("paper.copy", self.language, label=label or section.name, number=index)
            condition = self._condition(section.relevant, section.name, {})
            if label or condition:
                yield Line(key_of(section.name, inner), "heading", label, condition=condition, instance=inner)
            yield from self._all(section.children, inner)

    def _question(self, question: Question, instance: Instance) -> Line:
        number = None
        condition = self._condition(question.relevant, question.name, question.guidance)
        if not question.shown_only:
            self.last += 1
            number = self.numbers[question.name] = self.last
        fallback = self.instrument.default_language
        return Line(
            key=key_of(question.name, instance),
            kind=question.kind if number else "note",
            label=self._filled(say(question.label, self.language, fallback)),
            number=number,
            hint=self._filled(say(question.hint, self.language, fallback)),
            condition=condition,
            codes=self._codes(question),
            question=question,
            instance=instance,
        )

    def _codes(self, question: Question) -> tuple[tuple[int, Choice], ...]:
        if not question.choices:
            return ()
        choices = self.instrument.lists[question.choices]
        if len(choices) > MOST_CHOICES:
            raise NotPrintable(
                f"'{question.name}' has {len(choices)} choices, and paper holds at most {MOST_CHOICES}; "
                "ask it as text, or not on paper"
            )
        return tuple(enumerate(choices, start=1))

    def _condition(self, relevant: str, name: str, guidance: Mapping[str, str]) -> str:
        if not relevant.strip():
            return ""
        try:
            words = in_words(relevant, self.instrument, self.numbers, self.language)
        except NotSayable as problem:
            own = say(guidance, self.language, self.instrument.default_language)
            if own:
                return own
            raise NotPrintable(
                f"the condition of '{name}' cannot be said in words ({problem}); "
                "write in its column guidance_hint who is to answer it"
            ) from None
        return message("paper.only_if", self.language, condition=words) if words else ""

    def _filled(self, text: str) -> str:
        """An earlier answer in a text becomes a pointer to its question: paper cannot fill it in."""
        for name, number in self.numbers.items():
            text = text.replace(f"${{{name}}}", message("paper.your_answer", self.language, number=number))
        return text
