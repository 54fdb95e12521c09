"""CSV files beside a form: lists of choices too long for a sheet, and look-up tables for ``pulldata``."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from surveys.definition import Choice
from surveys.errors import Finding, InstrumentError
from surveys.layout import Layout

__all__ = ["Table", "choices_of", "read_tables"]

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
            raise _wrong(form, row, f"the file '{file}' is not there", "put it in the folder of the workbook")
        if len(content) > LARGEST:
            raise _wrong(form, row, f"the file '{file}' is larger than {LARGEST // 2**20} MB", "shorten the list")
        tables[name] = _rows(form, row, file, content)
    return tables


def _rows(form: Layout, row: int | None, file: str, content: bytes) -> Table:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(form, row, f"the file '{file}' is not UTF-8 text", "save it as CSV UTF-8") from None
    mark = ";" if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",") else ","
    try:
        rows = tuple(
            {str(k).strip(): str(v or "").strip() for k, v in line.items() if k}
            for line in csv.DictReader(io.StringIO(text), delimiter=mark, strict=True)
        )
    except csv.Error as error:
        raise _wrong(form, row, f"the file '{file}' is not a table: {error}", "save it as CSV UTF-8") from None
    if not rows:
        raise _wrong(form, row, f"the file '{file}' has no rows", "give it a header and at least one row")
    return rows


def choices_of(table: Table, form: Layout, value: str, label: str) -> tuple[Choice, ...]:
    """The rows as choices. A label may have a column a language (``label::English (en)``) or one for all."""
    labels = {header: form.code(header.split("::", 1)[1]) for header in table[0] if header.startswith(f"{label}::")}
    if label in table[0]:
        labels[label] = form.languages[0]
    return tuple(
        Choice(
            name=row.get(value, ""),
            label={code: row[header] for header, code in labels.items() if row.get(header)},
            columns={header: cell for header, cell in row.items() if header != value and header not in labels},
        )
        for row in table
    )


def _wrong(form: Layout, row: int | None, message: str, remedy: str) -> InstrumentError:
    return InstrumentError([Finding(form.survey.name, row, "type", message, remedy)])
