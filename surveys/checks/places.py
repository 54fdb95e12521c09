"""Where an expression or a text stands, so that a finding can name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from surveys.definition import Instrument, Question, Section
from surveys.errors import ExpressionError, Finding, Severity
from surveys.expressions import Expression, compile
from surveys.layout import Layout

__all__ = ["Cell", "Place", "cells"]

QUESTION_COLUMNS = (
    "relevant", "required", "constraint", "calculation", "readonly", "choice_filter", "default", "repeat_count",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """An instrument and, when it came from a workbook, how that workbook is laid out."""

    instrument: Instrument
    form: Layout | None = None

    def finding(
        self,
        item: Question | Section,
        column: str,
        message: str,
        remedy: str = "",
        severity: Severity = "error",
        language: str | None = None,
    ) -> Finding:
        """A finding about one column of a question."""
        header = self.form.column(column, language) if self.form else None
        if self.form and header is None and "::" not in (plain := self.form.column(column) or "::"):
            header = plain
        sheet = self.form.survey.name if self.form else "survey"
        shown = header or (f"{column} ({language})" if language else column)
        return Finding(sheet, item.row, shown, message, remedy, severity)

    def choice_finding(self, list_: str, choice: str, language: str, message: str, remedy: str) -> Finding:
        """A warning about the label of a choice."""
        if self.form is None or self.form.choices is None:
            return Finding("choices", None, f"label ({language})", message, remedy, "warning")
        row, header = self.form.choice_place(list_, choice, language)
        return Finding(self.form.choices.name, row, header, message, remedy, "warning")


@dataclass(frozen=True, slots=True)
class Cell:
    """One expression of the form; ``error`` is set when it does not compile, ``expression`` otherwise."""

    place: Place
    item: Question | Section
    column: str
    source: str
    expression: Expression | None
    error: ExpressionError | None = None

    def finding(self, message: str, remedy: str = "", severity: Severity = "error") -> Finding:
        return self.place.finding(self.item, self.column, message, remedy, severity)


def cells(place: Place) -> Iterator[Cell]:
    """Every expression of the form, compiled."""
    for found in place.instrument.places.values():
        for column in QUESTION_COLUMNS:
            source = getattr(found.item, column, "")
            if not source or (column == "default" and not ("${" in source or source.rstrip().endswith(")"))):
                continue
            yield _cell(place, found.item, column, source)


def _cell(place: Place, item: Question | Section, column: str, source: str) -> Cell:
    if column == "calculation" and place.form and item.name not in place.form.rows and item.name.endswith("_count"):
        column = "repeat_count"  # pyxform keeps the count of a repeat as a calculation of its own
    try:
        return Cell(place, item, column, source, compile(source))
    except ExpressionError as error:
        return Cell(place, item, column, source, None, error)
