"""Static checks of an instrument: everything that pyxform lets through silently, each with sheet, row and column.

Syntax, functions and their arguments, references, order, cycles, comparisons that can never be true, questions that
nobody can reach, and translations that are missing. Each module judges one of these; ``check`` runs them in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from surveys.checks import cycles, defaults, meaning, parameters, reach, references, texts, types
from surveys.checks.places import Cell, Place, cells
from surveys.definition import Instrument
from surveys.errors import Finding
from surveys.layout import Layout

__all__ = ["CHECKS", "check"]

CHECKS: tuple[Callable[[Place, tuple[Cell, ...]], Iterator[Finding]], ...] = (
    references.check,
    types.check,
    meaning.check,
    cycles.check,
    reach.check,
    parameters.check,
    defaults.check,
    texts.check,
)


def check(instrument: Instrument, form: Layout | None = None) -> Iterator[Finding]:
    """Every finding about the expressions and texts of an instrument; ``form`` knows the headers of its workbook.

    >>> from surveys.definition import Question
    >>> print(*check(Instrument("f", (Question("a", "text", {"nl": "A"}, relevant="${b} = 1", row=2),))))
    survey, row 2, column relevant: there is no question 'b' (check the name)
    """
    place = Place(instrument, form)
    found = tuple(cells(place))
    for cell in found:
        if cell.error is not None:
            yield cell.finding(cell.error.message + _where(cell), cell.error.remedy)
    for one in CHECKS:
        yield from one(place, found)


def _where(cell: Cell) -> str:
    assert cell.error is not None
    return f", at character {cell.error.offset + 1} of: {cell.source}"
