"""The codebook: every variable of an instrument in a wave, with its label, type, value labels and missing codes.

A variable is called ``<wave>__<name>``, so that waves can lie side by side in one data set. A question with several
answers gives a variable for each choice besides (``<wave>__<name>__<choice>``, 1 or 0). A repeat has a variable with
its number of instances (``<wave>__<repeat>_count``); its questions have one variable for each instance that the data
hold (``<wave>__<repeat>_2__<name>``), which ``with_instances`` adds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from surveys.definition import CHOOSING, Instrument, Place, Question, Section, Text
from surveys.errors import ExpressionError
from surveys.expressions import parse, tree
from surveys.expressions.functions import FUNCTIONS

__all__ = ["MISSING", "Codebook", "Variable", "codebook", "with_instances"]

Type = Literal["text", "integer", "number", "category", "date", "time", "datetime", "flag", "list"]
TYPES: Mapping[str, Type] = {
    "text": "text", "integer": "integer", "decimal": "number", "range": "number", "select_one": "category",
    "select_multiple": "list", "rank": "list", "date": "date", "time": "time", "datetime": "datetime",
    "acknowledge": "category", "calculate": "text", "hidden": "text",
}  # fmt: skip

MISSING: Mapping[str, tuple[int, Text]] = {
    "not_applicable": (-8, {"nl": "vraag niet van toepassing", "en": "question does not apply"}),
    "no_answer": (-9, {"nl": "vraag overgeslagen", "en": "question left blank"}),
    "not_reached": (-7, {"nl": "vraag niet bereikt", "en": "question not reached"}),
    "no_wave": (-6, {"nl": "deze meting is niet ingevuld", "en": "this wave was not answered"}),
}
"""Why a value is missing: code and label. They are documentation; a data set keeps the cell empty beside the reason."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. ``values`` maps each code to its label in each language, in the order of the form; ``question`` is
    the key of the answer, ``choice`` the choice that a flag stands for, and ``instance`` the numbers of the repeats."""

    name: str
    label: Text
    type: Type
    question: str
    values: Mapping[str, Text] = field(default_factory=dict)
    universe: str = ""
    unit: str = ""
    bounds: tuple[float, float] | None = None
    repeated: tuple[str, ...] = ()
    choice: str = ""
    instance: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": self.name,
            "label": dict(self.label),
            "type": self.type,
            "question": self.question,
        }
        if self.values:
            found["values"] = {code: dict(label) for code, label in self.values.items()}
        found |= {k: v for k, v in (("universe", self.universe), ("unit", self.unit)) if v}
        if self.bounds is not None:
            found["bounds"] = list(self.bounds)
        if self.repeated:
            found["repeated"] = list(self.repeated)
        return found


@dataclass(frozen=True, slots=True)
class Codebook:
    """The variables of one instrument in one wave."""

    instrument: str
    title: str
    wave: str
    fingerprint: str
    languages: tuple[str, ...]
    variables: tuple[Variable, ...]

    def __getitem__(self, name: str) -> Variable:
        """The variable with that name. Raises KeyError."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; the form in which a freeze stores it."""
        return {
            "instrument": self.instrument,
            "title": self.title,
            "wave": self.wave,
            "fingerprint": self.fingerprint,
            "languages": list(self.languages),
            "missing": {name: {"code": code, "label": dict(label)} for name, (code, label) in MISSING.items()},
            "variables": [variable.to_dict() for variable in self.variables],
        }


def codebook(instrument: Instrument, wave: str) -> Codebook:
    """The codebook of an instrument in a wave; notes give no variable.

    >>> from surveys.definition import Choice
    >>> work = Question("work", "select_one", {"en": "Do you work?"}, choices="yn")
    >>> form = Instrument("f", (work,), languages=("en",), lists={"yn": (Choice("yes", {"en": "Yes"}),)})
    >>> codebook(form, "baseline")["baseline__work"].values
    {'yes': {'en': 'Yes'}}
    """
    variables = tuple(v for place in instrument.places.values() for v in _of_place(instrument, place, wave))
    return Codebook(instrument.name, instrument.title, wave, instrument.fingerprint, instrument.languages, variables)


def with_instances(book: Codebook, keys: Iterable[str]) -> Codebook:
    """The codebook with a variable for each instance of the repeats that these data hold, instead of one for all.

    ``keys`` are the names of the values, as ``surveys.analysable`` gives them: ``person.2.age``.

    >>> from surveys.definition import Section
    >>> person = Section("person", (Question("age", "integer", {"en": "Age?"}),), repeats=True)
    >>> book = codebook(Instrument("f", (person,), languages=("en",)), "w")
    >>> [v.name for v in with_instances(book, ["person_count", "person.1.age", "person.2.age"]).variables]
    ['w__person_count', 'w__person_1__age', 'w__person_2__age']
    """
    held: dict[str, list[str]] = {}
    for key in keys:
        if "." in key:
            held.setdefault(_INSTANCE.sub(".", key), []).append(key)
    found: list[Variable] = []
    for variable in book.variables:
        if not variable.repeated:
            found.append(variable)
            continue
        instances = sorted(held.get(".".join((*variable.repeated, variable.question)), ()), key=_by_number)
        found.extend(_instance(variable, key, book.wave) for key in instances)
    return replace(book, variables=tuple(found))


_INSTANCE = re.compile(r"\.\d+\.")


def _by_number(key: str) -> tuple[int, ...]:
    return tuple(int(part) for part in key.split(".") if part.isdigit())


def _instance(variable: Variable, key: str, wave: str) -> Variable:
    numbers = _by_number(key)
    around = "__".join(f"{repeat}_{number}" for repeat, number in zip(variable.repeated, numbers, strict=True))
    tail = variable.name.removeprefix(f"{wave}__")
    which = ", ".join(map(str, numbers))
    label = {language: f"{text} ({which})" for language, text in variable.label.items()}
    return replace(variable, name=f"{wave}__{around}__{tail}", label=label, question=key, repeated=(), instance=numbers)


def _of_place(instrument: Instrument, place: Place, wave: str) -> Iterator[Variable]:
    if isinstance(place.item, Question):
        yield from _variables(instrument, place, place.item, wave)
    elif place.item.repeats:
        yield _count(instrument, place, place.item, wave)


def _count(instrument: Instrument, place: Place, section: Section, wave: str) -> Variable:
    label = section.label or dict.fromkeys(instrument.languages, section.name)
    counted = {language: f"{text}: {_NUMBER_OF.get(language, _NUMBER_OF['en'])}" for language, text in label.items()}
    name = f"{section.name}_count"
    return Variable(f"{wave}__{name}", counted, "integer", name, universe=_universe(place), repeated=place.repeats)


def _universe(place: Place) -> str:
    relevant = [item.relevant for item in (*place.parents, place.item) if item.relevant]
    return " and ".join(f"({text})" for text in relevant) if len(relevant) > 1 else "".join(relevant)


def _variables(instrument: Instrument, place: Place, question: Question, wave: str) -> Iterator[Variable]:
    if question.kind == "note":
        return
    values: Mapping[str, Text] = {}
    if question.kind in CHOOSING:
        values = {choice.name: choice.label for choice in instrument.lists[question.choices]}
    kind = TYPES[question.kind]
    if question.kind == "calculate":
        kind, values = _calculated(question.calculation)
    name = f"{wave}__{question.name}"
    universe = _universe(place)
    label = question.label or dict.fromkeys(instrument.languages, question.name)
    bounds = None
    if question.kind == "range":
        bounds = (float(question.parameters.get("start", 1)), float(question.parameters.get("end", 10)))
    yield Variable(
        name, label, kind, question.name, values, universe,
        question.parameters.get("unit", ""), bounds, place.repeats,
    )  # fmt: skip
    if question.kind == "select_multiple":
        for code, words in values.items():
            joined = {language: f"{label.get(language, question.name)}: {text}" for language, text in words.items()}
            yield Variable(
                f"{name}__{code}", joined, "flag", question.name, _FLAG, universe, repeated=place.repeats, choice=code
            )


def _calculated(calculation: str) -> tuple[Type, Mapping[str, Text]]:
    """What a calculation gives whatever the answers are: numbers, true or false with their labels; else text."""
    try:
        kind = _kind(parse(calculation))
    except ExpressionError:
        return "text", {}
    return ("number", {}) if kind == "number" else ("category", _TRUTH) if kind == "boolean" else ("text", {})


def _kind(node: tree.Node) -> str:
    match node:
        case tree.Number() | tree.Negative():
            return "number"
        case tree.Binary(operator):
            return "number" if operator in ("+", "-", "*", "div", "mod") else "text" if operator == "|" else "boolean"
        case tree.Call("if", (_, yes, no)):
            return _kind(yes) if _kind(yes) == _kind(no) else "text"
        case tree.Call(function) if function in FUNCTIONS:
            return FUNCTIONS[function].gives
        case _:
            return "text"


_NUMBER_OF = {"nl": "aantal", "en": "how many"}
_TRUTH: Mapping[str, Text] = {"true": {"nl": "waar", "en": "true"}, "false": {"nl": "niet waar", "en": "false"}}
_FLAG: Mapping[str, Text] = {"1": {"nl": "gekozen", "en": "chosen"}, "0": {"nl": "niet gekozen", "en": "not chosen"}}
