"""Reading a REDCap data dictionary (CSV) as an instrument."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping
from pathlib import Path

from surveys.checks import check
from surveys.definition import Choice, Instrument, Question, Section
from surveys.errors import ExpressionError, Finding, InstrumentError
from surveys.redcap import columns as c
from surveys.redcap.logic import to_expression

__all__ = ["read_redcap"]

LARGEST = 5 * 2**20
YES_NO = {"nl": ("Ja", "Nee"), "en": ("Yes", "No")}
TRUE_FALSE = {"nl": ("Waar", "Niet waar"), "en": ("True", "False")}
Row = Mapping[str, str]


def read_redcap(
    source: str | Path | bytes, name: str, *, language: str = "en"
) -> tuple[Instrument, tuple[Finding, ...]]:
    """The instrument in a data dictionary, and warnings about what REDCap says and we do not.

    Section headers become groups; checkbox, radio, dropdown, yes/no, slider, calculated and descriptive fields become
    our types. Raises InstrumentError with every field that cannot be carried over, by row.
    """
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    if len(content) > LARGEST:
        raise InstrumentError([Finding("dictionary", None, None, "the file is too large", "at most 5 MB is read")])
    rows = _rows(content)
    reader = _Reader(language)
    children = reader.children(rows)
    errors = [finding for finding in reader.findings if finding.severity == "error"]
    if errors:
        raise InstrumentError(errors)
    instrument = Instrument(name, children, title=name, languages=(language,), lists=reader.lists)
    found = tuple(Finding("dictionary", f.row, f.column, f.message, f.remedy, f.severity) for f in check(instrument))
    if any(finding.severity == "error" for finding in found):
        raise InstrumentError(finding for finding in found if finding.severity == "error")
    return instrument, (*reader.findings, *found)


def _rows(content: bytes) -> list[Row]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        table, headers = list(reader), reader.fieldnames or ()
    except (UnicodeDecodeError, csv.Error) as error:
        finding = Finding("dictionary", None, None, f"the file is not CSV: {error}", "export it from REDCap again")
        raise InstrumentError([finding]) from None
    missing = [column for column in (c.NAME, c.TYPE, c.LABEL) if column not in headers]
    if missing:
        findings = [Finding("dictionary", 1, m, f"there is no column '{m}'", "export it from REDCap") for m in missing]
        raise InstrumentError(findings)
    if not table:
        raise InstrumentError([Finding("dictionary", 1, None, "the file holds no fields", "export it from REDCap")])
    return [{key: (value or "").strip() for key, value in row.items() if key} for row in table]


class _Reader:
    def __init__(self, language: str) -> None:
        self.language = language
        self.lists: dict[str, tuple[Choice, ...]] = {}
        self.findings: list[Finding] = []
        self.row = 1

    def children(self, rows: list[Row]) -> tuple[Question | Section, ...]:
        found: list[Question | Section] = []
        group: list[Question] = []
        header: tuple[str, str, int] | None = None
        form = ""
        for number, row in enumerate(rows, start=2):
            self.row = number
            if row.get(c.HEADER) or row.get(c.FORM, "") != form:
                _close(found, header, group, self.language)
                header, group, form = None, [], row.get(c.FORM, "")
            if row.get(c.HEADER):
                header = (f"section_{row[c.NAME]}", _text(row[c.HEADER]), number)
            question = self.question(row)
            if question is not None:
                (group if header else found).append(question)
        _close(found, header, group, self.language)
        return tuple(found)

    def note(self, column: str, message: str, remedy: str, severity: str = "warning") -> None:
        self.findings.append(Finding("dictionary", self.row, column, message, remedy, severity))  # type: ignore[arg-type]

    def question(self, row: Row) -> Question | None:
        kind, parts = self.kind(row)
        if not kind:
            return None
        if row.get(c.IDENTIFIER, "").lower() == "y":
            self.note(c.IDENTIFIER, f"'{row[c.NAME]}' identifies people", "keep identities apart from research data")
        annotation = row.get(c.ANNOTATION, "")
        default = re.search(r"@DEFAULT\s*=\s*(?:'([^']*)'|\"([^\"]*)\")", annotation)
        hidden = "@HIDDEN" in annotation and kind == "text"
        spoken = {self.language: _text(row[c.LABEL])} if row[c.LABEL] else {}
        try:
            return Question(
                name=row[c.NAME],
                kind="hidden" if hidden else kind,  # type: ignore[arg-type]
                label={} if kind == "calculate" or hidden else spoken,
                hint={self.language: _text(row[c.NOTE])} if row.get(c.NOTE) else {},
                relevant=self.logic(row.get(c.BRANCHING, ""), c.BRANCHING),
                required="true()" if row.get(c.REQUIRED, "").lower() == "y" else "",
                readonly="true()" if "@READONLY" in annotation else "",
                default=(default[1] or default[2] or "") if default else "",
                row=self.row,
                **parts,  # type: ignore[arg-type]
            )
        except InstrumentError as error:
            self.findings += [Finding("dictionary", self.row, c.TYPE, f.message, f.remedy) for f in error.findings]
            return None

    def logic(self, text: str, column: str) -> str:
        if not text:
            return ""
        try:
            return to_expression(" ".join(text.split()))
        except ExpressionError as error:
            self.note(column, str(error), error.remedy or "rewrite the logic", "error")
            return ""

    def kind(self, row: Row) -> tuple[str, dict[str, object]]:
        """Our type of a field, with the properties that follow from it."""
        type_, name = row[c.TYPE].lower(), row[c.NAME]
        if type_ in ("radio", "dropdown", "checkbox"):
            self.lists[name] = self.choices(row)
            kind = "select_multiple" if type_ == "checkbox" else "select_one"
            return kind, {"choices": name, "appearance": "minimal" if type_ == "dropdown" else ""}
        if type_ in ("yesno", "truefalse"):
            words = (YES_NO if type_ == "yesno" else TRUE_FALSE).get(self.language, YES_NO["en"])
            self.lists[type_] = tuple(Choice(code, {self.language: w}) for code, w in zip("10", words, strict=True))
            return "select_one", {"choices": type_}
        if type_ == "calc":
            return "calculate", {"calculation": self.logic(row.get(c.CHOICES, ""), c.CHOICES)}
        if type_ == "slider":
            ends = {"start": row.get(c.MINIMUM) or "0", "end": row.get(c.MAXIMUM) or "100", "step": "1"}
            return "range", {"parameters": ends}
        if type_ == "descriptive":
            return "note", {}
        if type_ == "notes":
            return "text", {"appearance": "multiline"}
        if type_ == "text":
            return self.typed(row)
        self.note(c.TYPE, f"fields of the type '{type_}' cannot be asked here", "remove the field", "error")
        return "", {}

    def choices(self, row: Row) -> tuple[Choice, ...]:
        found: list[Choice] = []
        for part in filter(None, (piece.strip() for piece in row.get(c.CHOICES, "").split("|"))):
            code, mark, label = part.partition(",")
            if not mark or not re.fullmatch(r"[\w.\-]+", code.strip()):
                self.note(c.CHOICES, f"the choice '{part}' is not 'code, label'", "write for instance 1, Yes", "error")
            found.append(Choice(code.strip(), {self.language: _text(label)}))
        if not found:
            self.note(c.CHOICES, f"'{row[c.NAME]}' has no choices", "write for instance 1, Yes | 0, No", "error")
        return tuple(found)

    def typed(self, row: Row) -> tuple[str, dict[str, object]]:
        """A text field by its validation: whole numbers, numbers, dates, times and telephone numbers have a type."""
        validation = row.get(c.VALIDATION, "").lower()
        kind = next((k for start, k in VALIDATIONS.items() if validation.startswith(start)), "text")
        if kind == "text" and validation and not validation.startswith("phone"):
            self.note(c.VALIDATION, f"the validation '{validation}' is not carried over", "add a constraint")
        parts: dict[str, object] = {"appearance": "phone"} if validation.startswith("phone") else {}
        limits = []
        for column, operator in ((c.MINIMUM, ">="), (c.MAXIMUM, "<=")):
            value = row.get(column, "")
            if value and kind in ("integer", "decimal", "date"):
                quoted = f"date('{value}')" if kind == "date" else value
                limits.append(f". {operator} {'today()' if value == 'today' else quoted}")
            elif value:
                self.note(column, f"the limit {value} is not carried over", "add a constraint")
        if limits:
            parts["constraint"] = " and ".join(limits)
        return kind, parts


VALIDATIONS = {"integer": "integer", "number": "decimal", "datetime": "datetime", "date": "date", "time": "time"}


def _close(
    found: list[Question | Section], header: tuple[str, str, int] | None, group: list[Question], language: str
) -> None:
    if header is not None and group:
        name, label, row = header
        found.append(Section(name, tuple(group), label={language: label}, row=row))


def _text(markup: str) -> str:
    """A label without its HTML: REDCap allows it, we write text."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())
