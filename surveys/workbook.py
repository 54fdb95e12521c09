"""Opening a workbook that a stranger made: sizes are looked at before anything is unpacked.

A workbook is a zip of XML. A file of 0.6 MB can declare 600 MB of XML, and macros or outside links have no business
in a questionnaire; all of that is refused in milliseconds, from the directory of the zip alone.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from surveys.errors import Finding, InstrumentError

__all__ = ["Row", "Sheet", "open_workbook", "read_bytes"]

LARGEST_FILE = 10 * 2**20
LARGEST_UNPACKED = 40 * 2**20
MOST_PARTS = 500
MOST_ROWS = 5_000
MOST_COLUMNS = 300
WORDS = {"name", "label", "hint", "list_name", "list name", "value"}
READ = ("survey", "choices", "settings")
UNSEEN = re.compile("[\u200b\u2060\ufeff]")
"""Signs without width that copying from a page brings along."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the sheet and its filled cells by header."""

    number: int
    cells: Mapping[str, str]

    def get(self, header: str | None) -> str:
        return self.cells.get(header, "") if header else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: the headers in order and the rows that are not empty."""

    name: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]


def read_bytes(source: str | Path | bytes) -> bytes:
    """The file, refused by its size before it is read."""
    if isinstance(source, bytes):
        size = len(source)
    else:
        path = Path(source)
        if path.suffix.lower() in (".xlsm", ".xltm", ".xlsb"):
            raise _refused("a workbook with macros is not accepted", "save it as .xlsx")
        if path.suffix.lower() == ".xls":
            raise _refused("the old format .xls is not accepted", "save it as .xlsx")
        try:
            size = path.stat().st_size
        except OSError:
            raise _refused(f"the file '{path.name}' cannot be read", "check the name of the file") from None
    if size > LARGEST_FILE:
        raise _refused(
            f"the file is {size / 2**20:.0f} MB; at most {LARGEST_FILE // 2**20} MB is read", "remove pictures"
        )
    return source if isinstance(source, bytes) else Path(source).read_bytes()


def open_workbook(source: str | Path | bytes) -> dict[str, Sheet]:
    """The sheets by name in lower case.

    Raises InstrumentError when the file is no workbook, is too large (also unpacked), or holds macros, document type
    definitions or links to other files.
    """
    # Reading a workbook is rare; answering a page should not pay for importing its reader.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    content = read_bytes(source)
    _inspect(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError, TypeError):
        raise _refused("the file is not a workbook, or it is damaged", "open it in Excel and save it again") from None
    try:
        found: dict[str, Sheet] = {}
        for sheet in book.worksheets:
            # The size that a sheet says it has may be wrong; rows beyond it would be lost in silence.
            sheet.reset_dimensions()
            found[sheet.title.strip().lower()] = _sheet(sheet.title, sheet.iter_rows(values_only=True))
        _computed(content, book)
        return found
    except InstrumentError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError, TypeError, AttributeError):
        raise _refused("the file is not a workbook, or it is damaged", "open it in Excel and save it again") from None
    finally:
        book.close()


def _computed(content: bytes, book: Any) -> None:
    """A formula that nobody worked out has no text, and would be an empty cell in silence."""
    from openpyxl import load_workbook

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
        if not any(re.search(rb"<f[\s>/]", archive.read(name)) for name in sheets):
            return
    written = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    try:
        for sheet in (one for one in book.worksheets if one.title.strip().lower() in READ):
            formulas = written[sheet.title]
            formulas.reset_dimensions()
            for row, (said, formula) in enumerate(
                zip(sheet.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=False), start=1
            ):
                for value, source in zip(said, formula, strict=False):
                    if value is None and isinstance(source, str) and source.startswith("="):
                        message = f"the formula {source[:40]} has no result yet"
                        remedy = "open the file in Excel and save it, or type the text itself"
                        raise InstrumentError([Finding(sheet.title, row, None, message, remedy)])
    finally:
        written.close()


def _inspect(content: bytes) -> None:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError):
        raise _refused("the file is not an .xlsx workbook", "save the form in Excel as .xlsx") from None
    with archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
            raise _refused("the workbook is far larger inside than outside", "copy the sheets into a new workbook")
        names = [part.filename.lower() for part in parts]
        if any(part.flag_bits & 1 for part in parts):
            raise _refused("the workbook is protected by a password", "save it without a password")
        if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
            raise _refused("a workbook with macros is not accepted", "save it as .xlsx without macros")
        if "xl/workbook.xml" not in names:
            raise _refused("the file is not an .xlsx workbook", "save the form in Excel as .xlsx")
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels")):
                _no_entities(archive, part)


def _no_entities(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """A document type definition can blow up while it is parsed, or read other files; no workbook needs one."""
    try:
        with archive.open(part) as stream:
            start = stream.read(4096)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError):
        raise _refused("the workbook is damaged", "open it in Excel and save it again") from None
    if b"<!doctype" in start.lower() or "<!doctype".encode("utf-16-le") in start.lower():
        raise _refused("the workbook holds a document type definition", "open it in Excel and save it again")


def _sheet(title: str, rows: Iterator[tuple[Any, ...]]) -> Sheet:
    headers: tuple[str, ...] = ()
    found: list[Row] = []
    for number, values in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise InstrumentError([Finding(title, number, None, f"more than {MOST_ROWS} rows", "remove empty rows")])
        if len(values) > MOST_COLUMNS and any(v is not None for v in values[MOST_COLUMNS:]):
            raise InstrumentError([Finding(title, number, None, f"more than {MOST_COLUMNS} columns", "remove columns")])
        texts = [cell_text(value) for value in values[:MOST_COLUMNS]]
        if not any(texts):
            continue
        if not headers:
            headers = tuple(texts)
            continue
        for place, value in enumerate(values[: len(headers)]):
            # A choice or label TRUE is a word; a condition TRUE is an expression.
            if isinstance(value, bool) and headers[place].partition("::")[0].strip().lower() in WORDS:
                texts[place] = str(value).upper()
        cells = {header: text for header, text in zip(headers, texts, strict=False) if header and text}
        if cells:
            found.append(Row(number, cells))
    return Sheet(title, tuple(header for header in headers if header), tuple(found))


def cell_text(value: Any) -> str:
    """A cell as text: 3.0 is written 3, and Excel's true is ``true()``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true()" if value else "false()"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if (value.hour, value.minute) == (0, 0) else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return UNSEEN.sub("", str(value)).replace("\u00a0", " ").strip()


def _refused(message: str, remedy: str) -> InstrumentError:
    return InstrumentError([Finding("workbook", None, None, message, remedy)])
