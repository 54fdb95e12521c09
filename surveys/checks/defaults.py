"""What stands in a question already, and how often a repeat comes: values that can be judged without any answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from surveys.checks.places import Cell, Place
from surveys.definition import Question, Section
from surveys.errors import Finding
from surveys.state import MOST_INSTANCES

__all__ = ["check"]

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
WHOLE = re.compile(r"-?[0-9]+")


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:  # noqa: ARG001 - one signature for all checks
    for found in place.instrument.places.values():
        item = found.item
        if isinstance(item, Section):
            yield from _count(place, item)
        elif item.default and "${" not in item.default and not item.default.rstrip().endswith(")"):
            yield from _default(place, item)


def _default(place: Place, question: Question) -> Iterator[Finding]:
    text = question.default.strip()
    match question.kind:
        case "integer" if not WHOLE.fullmatch(text):
            yield place.finding(question, "default", f"'{text}' is no whole number", "write for instance 5")
        case "decimal" | "range" if not NUMBER.fullmatch(text):
            yield place.finding(question, "default", f"'{text}' is no number", "write for instance 2.5")
        case "date" if not _day(text):
            yield place.finding(question, "default", f"'{text}' is no date", "write a date as 2026-11-22, or today()")
        case "time" if not TIME.match(text):
            yield place.finding(question, "default", f"'{text}' is no time", "write a time as 08:30")
        case "select_one" | "select_multiple" | "rank":
            names = {choice.name for choice in place.instrument.lists[question.choices]}
            chosen = [text] if question.kind == "select_one" else text.split()
            for name in (one for one in chosen if names and one not in names):
                message = f"'{name}' is no choice of '{question.name}'"
                yield place.finding(question, "default", message, "write the name of a choice")
        case _:
            return


def _day(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _count(place: Place, section: Section) -> Iterator[Finding]:
    """A count that is a plain number; pyxform keeps it as a calculation beside the repeat."""
    counter = place.instrument.places.get(section.repeat_count.removeprefix("${").removesuffix("}"))
    text = section.repeat_count
    if counter is not None and isinstance(counter.item, Question) and counter.item.name == f"{section.name}_count":
        text = counter.item.calculation or text
    if not NUMBER.fullmatch(text.strip()):
        return
    number = float(text)
    if number > MOST_INSTANCES:
        message = f"{text.strip()} times is too often; at most {MOST_INSTANCES} are asked"
        yield place.finding(section, "repeat_count", message, "ask for fewer")
    elif number < 1 or number != int(number):
        yield place.finding(section, "repeat_count", f"'{text.strip()}' is no number of times", "write 1 or more")
