"""Calls that would stop the form for whoever meets them: each is worked out once, on a form without any answer.

A place outside a repeat, a unit that does not exist, a sum of something that is no question: the evaluator refuses
these whenever it comes to them, and a participant cannot mend a form.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from surveys.checks.places import Cell, Place
from surveys.errors import ExpressionError, Finding
from surveys.expressions import compile, tree
from surveys.expressions.write import write
from surveys.state import Context, Scope, State

__all__ = ["check"]

SOME_DAY = Context(date(2026, 11, 22), datetime(2026, 11, 22, 12, tzinfo=UTC))
"""No answer of the check depends on the day; expressions ask for one."""
SPELLED = {"digest": 1, "format-date": 1, "format-date-time": 1, "date-diff": 2}
"""From which argument on a word must be one that the function knows."""
ELSEWHERE = ("there is no", "depends on itself", "rests on too many", "has no choices to name", "has no meaning here",
             "of regex() cannot be used")  # fmt: skip
"""What other checks say, with more to the point."""


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:
    state = State(place.instrument, {}, SOME_DAY)
    for cell in cells:
        # A choice filter is asked about each choice, and has other surroundings.
        if cell.expression is None or cell.column == "choice_filter":
            continue
        told: set[str] = set()
        for call in (node for node in tree.walk(cell.expression.tree) if isinstance(node, tree.Call)):
            for message, remedy in (*_spelled(call), *_refused(place, state, cell, call)):
                if message not in told:
                    told.add(message)
                    yield cell.finding(message, remedy)


def _spelled(call: tree.Call) -> Iterator[tuple[str, str]]:
    first = SPELLED.get(call.function)
    if first is not None and not all(isinstance(argument, tree.String) for argument in call.arguments[first:]):
        yield f"the last part of {call.function}() is not written out", "write it in quotes"


def _refused(place: Place, state: State, cell: Cell, call: tree.Call) -> Iterator[tuple[str, str]]:
    around = place.instrument.places[cell.item.name].repeats
    scope = Scope(state, cell.item.name, tuple((repeat, 1) for repeat in around))
    try:
        compile(write(call)).text(scope)
    except ExpressionError as error:
        if not any(words in error.message for words in ELSEWHERE):
            yield error.message, error.remedy or "see the list of functions"
