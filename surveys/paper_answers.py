"""What was written on a paper questionnaire, typed over with the codes of its sheet, as answers of the instrument.

People leave questions open on paper and answer questions that were not for them. An open question stays open; an
answer that is not on the path is kept as it was typed and takes no part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from surveys.catalogue import message
from surveys.definition import Section
from surveys.errors import InputError
from surveys.paper import Line, Sheet
from surveys.reading import read_date, read_decimal, read_time
from surveys.runner import Accepted, FieldError, Raw, accept
from surveys.state import Context, key_of

__all__ = ["UNREADABLE", "Filled", "difference", "fill"]

UNREADABLE = "?"
"""Typed for an answer that cannot be read, or that cannot be true."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The answers that count, the keys of those that were not for this person, and what cannot be taken in."""

    answers: dict[str, Any]
    aside: tuple[str, ...]
    errors: tuple[FieldError, ...]


def fill(paper: Sheet, typed: Mapping[str, str], *, context: Context) -> Filled:
    """Takes in a whole form, in the order of the paper. `typed` maps the keys of lines to what was typed.

    >>> from datetime import UTC, date, datetime
    >>> from surveys import Instrument
    >>> from surveys.definition import Choice, Question
    >>> from surveys.paper import sheet
    >>> lists = {"yn": (Choice("yes", {"en": "Yes"}), Choice("no", {"en": "No"}))}
    >>> form = Instrument("f", (Question("works", "select_one", choices="yn"),
    ...     Question("hours", "integer", relevant="${works} = 'yes'")), languages=("en",), lists=lists)
    >>> now = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))
    >>> fill(sheet(form, "en"), {"works": "2", "hours": "40"}, context=now)
    Filled(answers={'works': 'no'}, aside=('hours',), errors=())
    """
    filled = Filled({}, (), ())
    for line in paper.lines:
        for key, raw in _pages(paper, line, typed):
            filled = _taken(filled, paper, key, raw, context)
    return filled


def difference(line: Line, first: str, second: str) -> bool:
    """Whether two people typed different answers; how a number, a date or a row of codes is written does not count.

    >>> difference(Line("hours", "decimal", "Hours?", 1), "12,0", "12")
    False
    """
    return _same_way(line, first) != _same_way(line, second)


def _pages(paper: Sheet, line: Line, typed: Mapping[str, str]) -> Iterator[tuple[str, Raw | InputError]]:
    """The pages that a line stands for. A copy of a repeated group in which something stands is 'one more: yes'."""
    if line.number is not None:
        text = typed.get(line.key, "").strip()
        if text not in ("", UNREADABLE):
            yield line.key, _read(line, text)
    elif line.kind == "heading" and _grows(paper, line):
        name, index = line.instance[-1]
        inside = [typed.get(known.key, "").strip() for known in paper.questions if known.instance == line.instance]
        yield f"{key_of(name, line.instance[:-1])}.{index}", {"": ["yes" if any(inside) else "no"]}


def _grows(paper: Sheet, line: Line) -> bool:
    """Whether the heading is that of a repeat which is as long as the person makes it."""
    if not line.instance or line.key != key_of(line.instance[-1][0], line.instance):
        return False
    section = paper.instrument.places[line.instance[-1][0]].item
    return isinstance(section, Section) and not section.repeat_count


def _taken(filled: Filled, paper: Sheet, key: str, raw: Raw | InputError, context: Context) -> Filled:
    if isinstance(raw, InputError):
        error = FieldError(key, raw.code, message(raw.code, paper.language, **raw.values))
        return replace(filled, errors=(*filled.errors, error))
    named = {key + field: values for field, values in raw.items()}
    result = accept(paper.instrument, filled.answers, key, named, context=context, language=paper.language)
    if isinstance(result, Accepted):
        return replace(filled, answers=result.answers)
    if all(error.code == "not_on_path" for error in result.errors):
        # Nobody types "one more: no" for a copy that was left empty.
        return filled if "" in raw and raw[""] == ["no"] else replace(filled, aside=(*filled.aside, key))
    return replace(filled, errors=(*filled.errors, *result.errors))


def _read(line: Line, text: str) -> Raw | InputError:
    """The fields of the page, by what follows the key in their names."""
    try:
        return READERS.get(line.kind, _as_it_is)(line, text)
    except InputError as problem:
        return problem


def _as_it_is(_line: Line, text: str) -> Raw:
    return {"": [text]}


def _one_code(line: Line, text: str) -> Raw:
    names = _names(line, text)
    if len(names) > 1:
        raise InputError("paper.one_code")
    return {"": names}


def _several_codes(line: Line, text: str) -> Raw:
    return {"": _names(line, text)}


def _ticked(_line: Line, _text: str) -> Raw:
    return {"": ["OK"]}


def _moment(_line: Line, text: str) -> Raw:
    """A date and a time, with a space between them."""
    day, _, time = text.rpartition(" ")
    return {"": [day], "-time": [time]}


def _names(line: Line, text: str) -> list[str]:
    """The choices behind codes that are separated by spaces, commas or points."""
    known = dict(line.codes)
    ends = {"first": 1, "last": len(known)}
    found = []
    for part in re.split(r"[\s,;.+/&]+", text.strip(" ,;.")):
        if not part.isdecimal():
            raise InputError("paper.code_not_understood", **ends)
        if int(part) not in known:
            raise InputError("paper.code_unknown", typed=part, **ends)
        found.append(known[int(part)].name)
    return found


READERS: dict[str, Callable[[Line, str], Raw]] = {
    "select_one": _one_code,
    "select_multiple": _several_codes,
    "rank": _several_codes,
    "acknowledge": _ticked,
    "datetime": _moment,
}


def _same_way(line: Line, text: str) -> str:
    folded = " ".join(text.split())
    if folded in ("", UNREADABLE):
        return folded
    try:
        return SAME.get(line.kind, lambda _line, words: words)(line, folded)
    except InputError:
        return folded


SAME: dict[str, Callable[[Line, str], str]] = {
    "integer": lambda _line, text: repr(read_decimal(text)),
    "decimal": lambda _line, text: repr(read_decimal(text)),
    "range": lambda _line, text: repr(read_decimal(text)),
    "date": lambda _line, text: read_date(text).isoformat(),
    "time": lambda _line, text: read_time(text).isoformat(),
    "select_one": lambda line, text: " ".join(_names(line, text)),
    "select_multiple": lambda line, text: " ".join(sorted(set(_names(line, text)))),
    "rank": lambda line, text: " ".join(_names(line, text)),
    "acknowledge": lambda _line, _text: "OK",
}
