"""CSV files beside a form: lists of choices too long for a sheet, and look-up tables for ``pulldata``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from surveys.definition import Choice
from surveys.errors import Finding, InstrumentError
from surveys.layout import Layout
from surveys.nearest import did_you_mean

__all__ = ["LARGEST", "Table", "choices_of", "read_tables"]

LARGEST = 2 * 2**20
Table: TypeAlias = tuple[Mapping[str, str], ...]


def read_tables(form: Layout, source: str | Path | bytes, given: Mapping[str, bytes]) -> dict[str, Table]:
    """The tables that the form names, from the files handed in or from the folder of the workbook."""
    folder = None if isinstance(source, bytes) else Path(source).parent
    tables: dict[str, Table] = {}
    for file, row in form.files.items():
        name = file.removesuffix(".csv")
        content = given.get(file)
        if content is None and folder is not None and Path(file).name == file:
            path = folder / file
            if path.is_file() and path.stat().st_size <= LARGEST:
                content = path.read_bytes()
        if content is None:
            raise _wrong(form, row, f"the file '{file}' is not there", "put it beside the workbook")
        if len(content) > LARGEST:
            raise _wrong(form, row, f"the file '{file}' is larger than {LARGEST // 2**20} MB", "shorten the list")
        tables[name] = _rows(form, row, file, content)
    return tables


def _rows(form: Layout, row: int | None, file: str, content: bytes) -> Table:
    text = _decoded(file, content)
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader]
    except csv.Error as error:
        message = f"the file is not a table: {error}"
        raise InstrumentError([Finding(file, reader.line_num, None, message, "save it as CSV UTF-8")]) from None
    lines = [(number, line) for number, line in lines if any(line)]
    if len(lines) < 2:
        raise _wrong(form, row, f"the file '{file}' has no rows", "give it a header and at least one row")
    headers = lines[0][1]
    findings = [*_headers(file, headers), *_too_wide(file, len(headers), lines[1:])]
    if findings:
        raise InstrumentError(findings)
    return tuple(
        _Line(number, {header: cell for header, cell in _cells(headers, line) if header}) for number, line in lines[1:]
    )


def _decoded(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise InstrumentError(
            [Finding(file, row, None, "the file is not UTF-8 text", "save it as CSV UTF-8")]
        ) from None


def _headers(file: str, headers: Sequence[str]) -> Iterator[Finding]:
    for header in sorted({header for header in headers if header and headers.count(header) > 1}):
        yield Finding(file, 1, header, f"the column '{header}' is there twice", "keep one of them")


def _too_wide(file: str, width: int, lines: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Finding]:
    for number, line in lines:
        if any(line[width:]):
            message = f"the row has {len(line)} cells and the header {width}"
            yield Finding(file, number, None, message, "put a text with a comma between quotes")


def _cells(headers: Sequence[str], line: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(headers, [*line, *[""] * (len(headers) - len(line))], strict=False)


class _Line(dict[str, str]):
    """A row of a table that still knows where in the file it stood."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        super().__init__(cells)
        self.number = number


def choices_of(file: str, table: Table, form: Layout, value: str, label: str) -> tuple[Choice, ...]:
    """The rows as choices. A label may have a column a language (``label::English (en)``) or one for all.

    Raises InstrumentError with the file, row and column of every name that is missing, impossible or there twice.
    """
    labels = {header: form.code(header.split("::", 1)[1]) for header in table[0] if header.startswith(f"{label}::")}
    if label in table[0]:
        labels[label] = form.languages[0]
    findings = list(_misnamed(file, table, value, label, labels))
    if findings:
        raise InstrumentError(findings)
    return tuple(
        Choice(
            name=row.get(value, ""),
            label={code: row[header] for header, code in labels.items() if row.get(header)},
            columns={header: cell for header, cell in row.items() if header != value and header not in labels},
        )
        for row in table
    )


def _misnamed(file: str, table: Table, value: str, label: str, labels: Mapping[str, str]) -> Iterator[Finding]:
    if value not in table[0]:
        yield Finding(file, 1, value, f"there is no column '{value}'", did_you_mean(value, table[0], "add it"))
        return
    if not labels:
        yield Finding(file, 1, label, f"there is no column '{label}'", did_you_mean(label, table[0], "add it"))
    seen: dict[str, int] = {}
    for place, row in enumerate(table, start=2):
        number, name = getattr(row, "number", place), row.get(value, "")
        if not name:
            yield Finding(file, number, value, "the cell is empty", "fill it in")
        elif re.search(r"\s", name):
            yield Finding(file, number, value, f"the choice '{name}' holds a space", "write an underscore")
        elif name in seen:
            yield Finding(file, number, value, f"the choice '{name}' is also in row {seen[name]}", "remove one")
        seen.setdefault(name, number)


def _wrong(form: Layout, row: int | None, message: str, remedy: str) -> InstrumentError:
    return InstrumentError([Finding(form.survey.name, row, "type", message, remedy)])
