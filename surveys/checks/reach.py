"""Reach: questions that no combination of answers leads to.

Conditions over questions with a fixed list of choices are tried out in full, up to a number of combinations; others are
judged only where they hold no reference at all. A condition that is not judged is taken to be possible.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

from surveys.checks.places import Cell, Place
from surveys.definition import Question, Section
from surveys.errors import ExpressionError, Finding
from surveys.expressions import Expression, Variables, tree

__all__ = ["check"]

MOST_COMBINATIONS = 4096
MOST_EVALUATIONS = 50_000
MOST_CHOICES = 8
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = (
    "today",
    "now",
    "random",
    "uuid",
    "randomize",
    "position",
    "once",
    "pulldata",
    "jr:choice-name",
    "indexed-repeat",
)


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:
    relevant = {c.item.name: c for c in cells if c.column == "relevant" and c.expression is not None}
    lost: set[str] = set()
    budget = MOST_EVALUATIONS
    for name, found in place.instrument.places.items():
        if name not in relevant or any(parent.name in lost for parent in found.parents):
            continue
        around = [relevant[parent.name] for parent in found.parents if parent.name in relevant]
        conditions = [cell.expression for cell in [*around, relevant[name]] if cell.expression is not None]
        values = _all_values(place, conditions, min(MOST_COMBINATIONS, budget))
        if values is None:
            continue
        tried, possible = _try(conditions, values)
        budget -= tried
        if not possible:
            lost.add(name)
            what = "questions" if isinstance(found.item, Section) else "question"
            message = f"nobody ever gets this {what}: the condition is never true"
            yield relevant[name].finding(message, "mend the condition")


def _all_values(place: Place, conditions: list[Expression], most: int) -> dict[str, list[str]] | None:
    """Everything that each question of the conditions can hold; None when that cannot be listed or is too much."""
    names = sorted({name for condition in conditions for name in condition.references})
    values = {name: _values(place, name) for name in names}
    count = math.prod(len(each) for each in values.values())
    return None if count == 0 or count > most or _needs_more(conditions) else values


def _try(conditions: list[Expression], values: Mapping[str, list[str]]) -> tuple[int, bool]:
    """How many combinations of answers were tried, and whether one of them makes every condition true."""
    tried = 0
    for row in itertools.product(*values.values()):
        tried += 1
        if _all_hold(conditions, dict(zip(values, row, strict=True))):
            return tried, True
    return tried, False


def _needs_more(conditions: list[Expression]) -> bool:
    nodes = (node for condition in conditions for node in tree.walk(condition.tree))
    return any(
        isinstance(n, tree.Current | tree.Parent) or (isinstance(n, tree.Call) and n.function in CLOCK) for n in nodes
    )


def _all_hold(conditions: list[Expression], answers: Mapping[str, str]) -> bool:
    scope = Variables(answers, date(2026, 1, 1), WHEN)
    try:
        return all(condition.truth(scope) for condition in conditions)
    except ExpressionError:
        return True


def _values(place: Place, name: str) -> list[str]:
    """Everything that the question can hold, or nothing when that cannot be listed."""
    found = place.instrument.places.get(name)
    if found is None or found.repeats or not isinstance(found.item, Question):
        return []
    question = found.item
    if question.calculation or question.kind not in ("select_one", "select_multiple"):
        return []
    names = [choice.name for choice in place.instrument.lists[question.choices]]
    if question.kind == "select_one":
        return ["", *names]
    if len(names) > MOST_CHOICES:
        return []
    return [" ".join(kept) for size in range(len(names) + 1) for kept in itertools.combinations(names, size)]
