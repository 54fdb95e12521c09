"""Reach: questions that no combination of answers leads to.

Conditions over questions with a fixed list of choices are tried out in full; others are judged only where they hold no
reference at all. A condition that is not judged is taken to be possible.
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
from surveys.expressions.values import Value, boolean

__all__ = ["check"]

MOST_COMBINATIONS = 4096
MOST_CHOICES = 8
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = ("today", "now", "random", "position", "once", "pulldata", "jr:choice-name", "indexed-repeat")


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:
    relevant = {c.item.name: c for c in cells if c.column == "relevant" and c.expression is not None}
    lost: set[str] = set()
    for name, found in place.instrument.places.items():
        if name not in relevant or any(parent.name in lost for parent in found.parents):
            continue
        own = relevant[name]
        around = [relevant[parent.name] for parent in found.parents if parent.name in relevant]
        conditions = [cell.expression for cell in [*around, own] if cell.expression is not None]
        if not _possible(place, conditions):
            lost.add(name)
            what = "questions" if isinstance(found.item, Section) else "question"
            yield own.finding(f"nobody ever gets this {what}: the condition is never true", "mend the condition")


def _possible(place: Place, conditions: list[Expression]) -> bool:
    names = sorted({name for condition in conditions for name in condition.references})
    values = {name: _values(place, name) for name in names}
    if any(not found for found in values.values()) or _needs_more(conditions):
        return True
    if math.prod(len(found) for found in values.values()) > MOST_COMBINATIONS:
        return True
    return any(_all_hold(conditions, dict(zip(names, row, strict=True))) for row in itertools.product(*values.values()))


def _needs_more(conditions: list[Expression]) -> bool:
    nodes = (node for condition in conditions for node in tree.walk(condition.tree))
    return any(
        isinstance(n, tree.Current | tree.Parent) or (isinstance(n, tree.Call) and n.function in CLOCK) for n in nodes
    )


def _all_hold(conditions: list[Expression], answers: Mapping[str, str]) -> bool:
    scope = Variables(answers, date(2026, 1, 1), WHEN)
    try:
        return all(boolean(_run(condition, scope)) for condition in conditions)
    except ExpressionError:
        return True


def _run(condition: Expression, scope: Variables) -> Value:
    return condition.value(scope)


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
