"""Parameters and values that only some kinds of question have: the ends of a range, a seed, a list of choices."""

from __future__ import annotations

import math
from collections.abc import Iterator

from surveys.checks.places import Cell, Place
from surveys.definition import Question, Section
from surveys.errors import ExpressionError, Finding
from surveys.expressions import compile

__all__ = ["check"]

MOST_MARKS = 1_000_000


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:  # noqa: ARG001 - one signature for all checks
    for found in place.instrument.places.values():
        item = found.item
        if isinstance(item, Section):
            if not item.children:
                yield place.finding(item, "type", f"'{item.name}' holds no questions", "remove it", "warning")
            continue
        if item.kind == "range":
            yield from _range(place, item)
        if item.kind == "calculate" and not item.calculation:
            yield place.finding(item, "calculation", f"'{item.name}' calculates nothing", "fill in the calculation")
        if item.choices and not place.instrument.lists[item.choices]:
            yield place.finding(item, "type", f"the list '{item.choices}' is empty", "add choices")
        yield from _seed(place, item)


def _range(place: Place, question: Question) -> Iterator[Finding]:
    ends: list[float] = []
    for name, otherwise in (("start", "1"), ("end", "10"), ("step", "1")):
        text = question.parameters.get(name, otherwise)
        try:
            ends.append(float(text))
        except ValueError:
            yield place.finding(question, "parameters", f"{name}={text} is not a number", "write for instance end=10")
            return
    low, high, step = ends
    if not all(math.isfinite(end) for end in ends) or (step > 0 and (high - low) / step > MOST_MARKS):
        message = f"the range has more than {MOST_MARKS:,} marks"
        yield place.finding(question, "parameters", message, "make the step larger, or ask for a number")
        return
    if step <= 0 or low >= high:
        yield place.finding(question, "parameters", "the range is empty", "let start be below end, and step above 0")


def _seed(place: Place, question: Question) -> Iterator[Finding]:
    seed = question.parameters.get("seed", "")
    if not seed.startswith("${"):
        return
    try:
        names = compile(seed).references
    except ExpressionError as error:
        yield place.finding(question, "parameters", error.message, error.remedy)
        return
    for name in sorted(names - place.instrument.places.keys()):
        yield place.finding(question, "parameters", f"there is no question '{name}'", "check the name")
