"""The instrument: a questionnaire as a frozen value, free of the workbook that it came from.

It is stored as JSON beside the answers it produced; its fingerprint says which version a participant saw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias, get_args

import rfc8785

from surveys.errors import Finding, InstrumentError

__all__ = ["Choice", "Instrument", "Kind", "Question", "Section", "Text", "say", "spoken"]

Text: TypeAlias = Mapping[str, str]
"""Language code -> text; an empty mapping when there is none."""

Kind = Literal[
    "text", "integer", "decimal", "range", "select_one", "select_multiple", "rank", "date", "time", "datetime",
    "note", "acknowledge", "calculate", "hidden",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
CHOOSING = ("select_one", "select_multiple", "rank")
SILENT = ("calculate", "hidden")


def say(text: Text, language: str, fallback: str = "") -> str:
    """The text in a language, else in the fallback language, else in whichever language there is.

    >>> say({"nl": "Leeftijd", "en": "Age"}, "tr", "nl")
    'Leeftijd'
    """
    return text.get(language) or text.get(fallback) or next((t for t in text.values() if t), "")


def spoken(text: Text, language: str, fallback: str = "") -> str:
    """The language of the text that ``say`` gives; the language that was asked for when there is no text.

    >>> spoken({"nl": "Leeftijd", "en": "Age"}, "ar", "nl"), spoken({}, "ar", "nl")
    ('nl', 'ar')
    """
    if text.get(language):
        return language
    return fallback if text.get(fallback) else next((code for code, words in text.items() if words), language)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be chosen; ``columns`` are the further columns that a choice filter may use."""

    name: str
    label: Text = field(default_factory=dict)
    media: Mapping[str, Text] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """One question, note or calculation. Expressions are kept as text in the XLSForm notation (``${name}``).

    ``required`` and ``readonly`` are expressions too (``true()`` when always). ``row`` is the row of the survey sheet
    that it came from: it serves messages only and takes no part in equality or in the fingerprint.
    """

    name: str
    kind: Kind
    label: Text = field(default_factory=dict)
    hint: Text = field(default_factory=dict)
    guidance: Text = field(default_factory=dict)
    media: Mapping[str, Text] = field(default_factory=dict)
    relevant: str = ""
    required: str = ""
    required_message: Text = field(default_factory=dict)
    constraint: str = ""
    constraint_message: Text = field(default_factory=dict)
    calculation: str = ""
    default: str = ""
    readonly: str = ""
    choices: str = ""
    choice_filter: str = ""
    appearance: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    row: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise _wrong(self, f"there is no question type '{self.kind}'", "choose one of " + ", ".join(KINDS))
        if self.kind in CHOOSING and not self.choices:
            raise _wrong(self, f"'{self.name}' has no list of choices", f"write '{self.kind} list_name'")

    @property
    def silent(self) -> bool:
        """Whether the question is never shown: a calculation or a hidden value."""
        return self.kind in SILENT

    @property
    def shown_only(self) -> bool:
        """Whether the question is shown but takes no answer: a note, or a value that is calculated or read only."""
        if self.kind == "note" or self.calculation:
            return True
        return bool(self.readonly) and self.readonly.strip() in ("true()", "yes", "true")


@dataclass(frozen=True, slots=True)
class Section:
    """A group, or a group that is repeated: ``repeat_count`` times, or as long as the participant adds another."""

    name: str
    children: tuple[Question | Section, ...]
    repeats: bool = False
    label: Text = field(default_factory=dict)
    relevant: str = ""
    repeat_count: str = ""
    appearance: str = ""
    row: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question or section stands: the sections around it, outermost first."""

    item: Question | Section
    parents: tuple[Section, ...]
    repeats: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "repeats", tuple(parent.name for parent in self.parents if parent.repeats))


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire. ``files`` holds the SHA-256 of every picture and recording that it shows, by name.

    Raises InstrumentError when a name is used twice or a list of choices is missing.

    >>> age = Question("age", "integer", {"nl": "Hoe oud bent u?", "en": "How old are you?"})
    >>> form = Instrument("screening", (age,), languages=("nl", "en"))
    >>> form.questions == Instrument.from_dict(form.to_dict()).questions, len(form.fingerprint)
    (True, 64)
    """

    name: str
    children: tuple[Question | Section, ...]
    title: str = ""
    version: str = ""
    languages: tuple[str, ...] = ("nl",)
    lists: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    tables: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Place] = field(init=False, repr=False, compare=False)
    questions: tuple[Question, ...] = field(init=False, repr=False, compare=False)
    _fingerprint: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.languages:
            raise InstrumentError([Finding("settings", None, None, "the instrument has no language")])
        places: dict[str, Place] = {}
        findings: list[Finding] = []
        for place in _places(self.children, ()):
            item = place.item
            if item.name in places:
                message = f"the name '{item.name}' is used twice"
                findings.append(Finding("survey", item.row, "name", message, "give each question its own name"))
            if isinstance(item, Question) and item.choices and item.choices not in self.lists:
                message = f"the list '{item.choices}' of '{item.name}' does not exist"
                findings.append(Finding("survey", item.row, "type", message, "add it to the choices sheet"))
            places[item.name] = place
        if findings:
            raise InstrumentError(findings)
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "questions", tuple(p.item for p in places.values() if isinstance(p.item, Question)))

    @property
    def default_language(self) -> str:
        """The first language; the text shown when another language lacks it."""
        return self.languages[0]

    def question(self, name: str) -> Question:
        """The question of that name. Raises KeyError when there is none."""
        place = self.places[name]
        if not isinstance(place.item, Question):
            raise KeyError(name)
        return place.item

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; empty fields are left out, so that a field added later does not change old fingerprints."""
        return {
            "name": self.name,
            "title": self.title,
            "version": self.version,
            "languages": list(self.languages),
            "children": [_item_dict(child) for child in self.children],
            "lists": {name: [_slim(choice) for choice in choices] for name, choices in self.lists.items()},
            "tables": {name: [dict(row) for row in rows] for name, rows in self.tables.items()},
            **({"files": dict(self.files)} if self.files else {}),
        }

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> Instrument:
        """The instrument that ``to_dict`` described."""
        return cls(
            name=mapping["name"],
            title=mapping.get("title", ""),
            version=mapping.get("version", ""),
            languages=tuple(mapping["languages"]),
            children=tuple(_item(child) for child in mapping["children"]),
            lists={name: tuple(Choice(**c) for c in choices) for name, choices in mapping.get("lists", {}).items()},
            tables={name: tuple(rows) for name, rows in mapping.get("tables", {}).items()},
            files=dict(mapping.get("files", {})),
        )

    @property
    def shown_files(self) -> tuple[str, ...]:
        """The names of the pictures and recordings that questions and choices refer to, in order, each once."""
        media = [question.media for question in self.questions]
        media += [choice.media for choices in self.lists.values() for choice in choices]
        return tuple(dict.fromkeys(file for one in media for texts in one.values() for file in texts.values()))

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the canonical JSON (RFC 8785) of ``to_dict``; worked out once, on first use."""
        if not self._fingerprint:
            self._fingerprint.append(hashlib.sha256(rfc8785.dumps(self.to_dict())).hexdigest())
        return self._fingerprint[0]


def _places(children: tuple[Question | Section, ...], parents: tuple[Section, ...]) -> Iterator[Place]:
    for child in children:
        yield Place(child, parents)
        if isinstance(child, Section):
            yield from _places(child.children, (*parents, child))


def _slim(value: Choice | Question | Section) -> dict[str, Any]:
    """The fields that say something; the row and the children are handled apart."""
    found = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in ("row", "children")}
    return {name: _plain(content) for name, content in found.items() if content not in ("", {}, False, None)}


def _plain(value: Any) -> Any:
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _item_dict(item: Question | Section) -> dict[str, Any]:
    if isinstance(item, Section):
        return {**_slim(item), "children": [_item_dict(child) for child in item.children]}
    return _slim(item)


def _item(mapping: Mapping[str, Any]) -> Question | Section:
    if "children" in mapping:
        return Section(**{**mapping, "children": tuple(_item(child) for child in mapping["children"])})
    return Question(**mapping)


def _wrong(question: Question, message: str, remedy: str) -> InstrumentError:
    return InstrumentError([Finding("survey", question.row, "type", message, remedy)])
