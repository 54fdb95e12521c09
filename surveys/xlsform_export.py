"""Writing an instrument as an XLSForm workbook, so that it can be edited in Excel and read by other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter

from surveys.definition import Choice, Instrument, Question, Section, Text

__all__ = ["Workbook", "rows_of", "write_xlsform"]

LANGUAGES = {"nl": "Nederlands", "en": "English", "ar": "Arabic", "tr": "Turkish", "pl": "Polish", "uk": "Ukrainian"}
OTHER = " or_other"
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Workbook:
    """The bytes of the .xlsx and, by name, of the CSV files that belong beside it."""

    content: bytes
    tables: Mapping[str, bytes]


def write_xlsform(instrument: Instrument) -> Workbook:
    """The workbook of an instrument: reading it again gives an equal instrument.

    >>> from surveys.xlsform import read_xlsform
    >>> form = Instrument("f", (Question("age", "integer", {"en": "Age?"}),), title="F", languages=("en",))
    >>> read_xlsform(write_xlsform(form).content) == form
    True
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - a fixed date: same form, same bytes
    rows = rows_of(instrument)
    # Every language has its column, so that one without a single text is not lost.
    labels = [f"label::{_spoken(language)}" for language in instrument.languages]
    _sheet(book, "survey", ["type", "name", *labels], rows)
    # "other" is added on reading, and a list that is a table as well comes from its file again.
    listed = {
        name: c for name, c in instrument.lists.items() if not name.endswith(OTHER) and name not in instrument.tables
    }
    choices = [row for name, list_ in listed.items() for row in _choices(name, list_)]
    _sheet(book, "choices", ["list_name", "name"], choices)
    settings = {"form_title": instrument.title, "form_id": instrument.name, "version": instrument.version}
    _sheet(book, "settings", [], [settings | {"default_language": _spoken(instrument.default_language)}])
    book.close()
    return Workbook(target.getvalue(), {f"{name}.csv": _csv(rows) for name, rows in instrument.tables.items()})


def rows_of(instrument: Instrument) -> list[Row]:
    """The rows of the survey sheet in order; the first stands in row 2."""
    return list(_rows(instrument, instrument.children))


def _spoken(code: str) -> str:
    return f"{LANGUAGES.get(code, code)} ({code})"


def _rows(instrument: Instrument, children: Sequence[Question | Section]) -> Iterator[Row]:
    specified = {f"{q.name}_other" for q in instrument.questions if q.choices.endswith(OTHER)}
    for item in children:
        if isinstance(item, Section):
            kind = "repeat" if item.repeats else "group"
            row = {"type": f"begin {kind}", "name": item.name, "relevant": item.relevant}
            yield row | _texts("label", item.label) | {"repeat_count": item.repeat_count, "appearance": item.appearance}
            yield from _rows(instrument, item.children)
            yield {"type": f"end {kind}", "name": item.name}
        elif item.name not in specified:
            yield _question(item, item.choices in instrument.tables)


def _question(item: Question, from_file: bool) -> Row:
    kind = f"{item.kind} {item.choices}" if item.choices else item.kind
    if from_file:
        kind = f"{item.kind}_from_file {item.choices}.csv"
    row: Row = {"type": kind, "name": item.name}
    row |= _texts("label", item.label) | _texts("hint", item.hint) | _texts("guidance_hint", item.guidance)
    row |= {"required": "yes" if item.required == "true()" else item.required}
    row |= _texts("required_message", item.required_message)
    row |= {"relevant": item.relevant, "constraint": item.constraint}
    row |= _texts("constraint_message", item.constraint_message)
    row |= {
        "calculation": item.calculation,
        "default": item.default,
        "readonly": "yes" if item.readonly == "true()" else item.readonly,
        "choice_filter": item.choice_filter,
        "appearance": item.appearance,
        "parameters": " ".join(f"{key}={value}" for key, value in item.parameters.items()),
    }
    for medium, files in item.media.items():
        row |= _texts(f"media::{medium}", files)
    return row


def _choices(name: str, choices: Sequence[Choice]) -> Iterator[Row]:
    for choice in choices:
        row = {"list_name": name, "name": choice.name} | _texts("label", choice.label) | dict(choice.columns)
        for medium, files in choice.media.items():
            row |= _texts(f"media::{medium}", files)
        yield row


def _texts(column: str, texts: Text) -> Row:
    return {f"{column}::{_spoken(language)}": words for language, words in texts.items()}


def _sheet(book: xlsxwriter.Workbook, name: str, first: Sequence[str], rows: Sequence[Row]) -> None:
    sheet = book.add_worksheet(name)
    used = dict.fromkeys(header for row in rows for header, cell in row.items() if cell)
    headers = list(dict.fromkeys([*first, *used]))
    for column, header in enumerate(headers):
        sheet.write_string(0, column, header)
    for number, row in enumerate(rows, start=1):
        for column, header in enumerate(headers):
            if row.get(header):
                sheet.write_string(number, column, row[header])


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    target = io.StringIO()
    writer = csv.DictWriter(target, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode()
