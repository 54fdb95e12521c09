"""From the fields of a posted page to one stored value: a table with a reader for each kind of question."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from surveys.contact import find_citizen_number, read_phone
from surveys.definition import Question
from surveys.errors import InputError
from surveys.path import Step
from surveys.reading import read_date, read_decimal, read_integer, read_time

__all__ = ["LONGEST_TEXT", "NONE_OF_THESE", "READERS", "read"]

LONGEST_TEXT = 10_000
NONE_OF_THESE = "exclusive"
"""The column of the choices sheet that says (``yes``) that a choice cannot go with another one."""

Raw: TypeAlias = Mapping[str, list[str]]


def read(step: Step, raw: Raw) -> Any:
    """The value that the page gives, or None when it was left blank. Raises InputError when it cannot be understood."""
    if step.shown_only:
        return step.value if isinstance(step.item, Question) and step.kind != "note" else True
    return READERS[step.kind](step, raw)


def clean(text: str) -> str:
    """The text as it is kept: composed (NFC), without control characters; emoji and line ends stay.

    >>> clean("cafe\\u0301\\x00 👷🏽‍♀️\\r\\nja ")
    'café 👷🏽\u200d♀️\\nja'
    """
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in composed if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def _one(step: Step, raw: Raw) -> str:
    values = raw.get(step.key) or [""]
    text = clean(values[0])
    if len(text) > LONGEST_TEXT:
        raise InputError("text_too_long", most=LONGEST_TEXT, length=len(text))
    return text


def _text(step: Step, raw: Raw) -> str | None:
    text = _one(step, raw)
    if not text:
        return None
    if "phone" in step.question.appearance.split():
        return read_phone(text)
    if find_citizen_number(text) is not None:
        raise InputError("citizen_number")
    return text


def _integer(step: Step, raw: Raw) -> int | None:
    text = _one(step, raw)
    return read_integer(text) if text else None


def _decimal(step: Step, raw: Raw) -> float | None:
    text = _one(step, raw)
    return read_decimal(text) if text else None


def _range(step: Step, raw: Raw) -> int | float | None:
    text = _one(step, raw)
    if not text:
        return None
    low, high, jump = bounds(step.question)
    value = read_decimal(text)
    if not low <= value <= high:
        raise InputError("number_out_of_range", low=f"{low:g}", high=f"{high:g}")
    steps = (value - low) / jump
    if abs(steps - round(steps)) > 1e-9:
        raise InputError("number_step")
    return int(value) if value == int(value) else value


def bounds(question: Question) -> tuple[float, float, float]:
    """Lowest, highest and step of a range question; XLSForm's defaults are 1, 10 and 1."""
    given = question.parameters
    return float(given.get("start", 1)), float(given.get("end", 10)), float(given.get("step", 1))


def _choice(step: Step, raw: Raw) -> str | None:
    values = [value for value in raw.get(step.key) or [] if value]
    if not values:
        return None
    if len(values) > 1:
        raise InputError("choice_single")
    if values[0] not in {choice.name for choice in step.choices}:
        raise InputError("choice_unknown")
    return values[0]


def _choices(step: Step, raw: Raw) -> list[str] | None:
    chosen = {value for value in raw.get(step.key) or [] if value}
    offered = step.choices
    if not chosen:
        return None
    if not chosen <= {choice.name for choice in offered}:
        raise InputError("choice_unknown")
    for choice in offered:
        if choice.name in chosen and len(chosen) > 1 and choice.columns.get(NONE_OF_THESE) == "yes":
            raise InputError("choice_exclusive", choice=choice.label)
    ordered = step.state.instrument.lists[step.question.choices]
    return [choice.name for choice in ordered if choice.name in chosen]


def _rank(step: Step, raw: Raw) -> list[str] | None:
    names = [choice.name for choice in step.choices]
    order = [value for value in raw.get(step.key) or [] if value]
    if not order:
        places = {name: clean((raw.get(f"{step.key}-{name}") or [""])[0]) for name in names}
        if not any(places.values()):
            return None
        if sorted(places.values()) != sorted(str(n) for n in range(1, len(names) + 1)):
            raise InputError("rank_incomplete", count=len(names))
        order = sorted(names, key=lambda name: int(places[name]))
    if sorted(order) != sorted(names):
        raise InputError("rank_incomplete", count=len(names))
    return order


def _date(step: Step, raw: Raw) -> str | None:
    text = _one(step, raw)
    if not text:
        parts = [clean((raw.get(f"{step.key}-{part}") or [""])[0]) for part in ("day", "month", "year")]
        if not any(parts):
            return None
        if not all(parts):
            raise InputError("date_incomplete")
        text = " ".join(parts)
    return read_date(text).isoformat()


def _time(step: Step, raw: Raw) -> str | None:
    text = _one(step, raw)
    return read_time(text).isoformat(timespec="minutes") if text else None


def _datetime(step: Step, raw: Raw) -> str | None:
    """``<key>`` in ISO form, or ``<key>`` (or its three parts) as a date with ``<key>-time``."""
    text = _one(step, raw)
    if "T" in text:
        try:
            return datetime.fromisoformat(text).isoformat(timespec="minutes")
        except ValueError:
            raise InputError("date_not_understood") from None
    day = _date(step, raw)
    moment = clean((raw.get(f"{step.key}-time") or [""])[0])
    if day is None and not moment:
        return None
    if day is None:
        raise InputError("date_incomplete")
    return f"{day}T{read_time(moment).isoformat(timespec='minutes')}"


def _acknowledge(step: Step, raw: Raw) -> str | None:
    return "OK" if any(raw.get(step.key) or []) else None


def _another(step: Step, raw: Raw) -> str | None:
    values = raw.get(step.key) or []
    if not values or not values[0]:
        return None
    if values[0] not in ("yes", "no"):
        raise InputError("choice_unknown")
    return values[0]


READERS: dict[str, Callable[[Step, Raw], Any]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "range": _range,
    "select_one": _choice,
    "select_multiple": _choices,
    "rank": _rank,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "acknowledge": _acknowledge,
    "another": _another,
}
