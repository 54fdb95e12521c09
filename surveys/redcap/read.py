"""Reading a REDCap data dictionary (CSV) as an instrument."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from surveys.checks import check
from surveys.definition import Choice, Instrument, Question, Section
from surveys.errors import ExpressionError, Finding, InstrumentError
from surveys.layout import NAME
from surveys.redcap import columns as c
from surveys.redcap.logic import to_expression
from surveys.workbook import cell_text

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
    try:
        instrument = Instrument(name, children, title=name, languages=(language,), lists=reader.lists)
    except InstrumentError as error:
        raise InstrumentError(_placed(finding) for finding in error.findings) from None
    found = tuple(_placed(finding) for finding in check(instrument))
    if any(finding.severity == "error" for finding in found):
        raise InstrumentError(finding for finding in found if finding.severity == "error")
    return instrument, (*reader.findings, *found)


def _placed(finding: Finding) -> Finding:
    """The finding with the column of the dictionary that our column came from."""
    base = (finding.column or "").split(" ")[0]
    column = COLUMN_OF.get(base, finding.column)
    return replace(finding, sheet="dictionary", column=column)


COLUMN_OF = {
    "relevant": c.BRANCHING, "constraint": c.MINIMUM, "parameters": c.MINIMUM, "calculation": c.CHOICES,
    "label": c.LABEL, "hint": c.NOTE, "name": c.NAME, "type": c.TYPE, "default": c.ANNOTATION, "required": c.REQUIRED,
}  # fmt: skip


def _rows(content: bytes) -> list[Row]:
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        finding = Finding("dictionary", None, None, "the file is not UTF-8 text", "save it as CSV UTF-8")
        raise InstrumentError([finding]) from None
    try:
        # Excel in Dutch writes semicolons.
        head = text.partition("\n")[0]
        reader = csv.DictReader(
            io.StringIO(text, newline=""), strict=True, delimiter=";" if head.count(";") > head.count(",") else ","
        )
        table, headers = list(reader), reader.fieldnames or ()
    except csv.Error as error:
        finding = Finding("dictionary", None, None, f"the file is not CSV: {error}", "export it from REDCap again")
        raise InstrumentError([finding]) from None
    missing = [column for column in (c.NAME, c.TYPE, c.LABEL) if column not in headers]
    if missing:
        findings = [Finding("dictionary", 1, m, f"there is no column '{m}'", "export it from REDCap") for m in missing]
        raise InstrumentError(findings)
    if not table:
        raise InstrumentError([Finding("dictionary", 1, None, "the file holds no fields", "export it from REDCap")])
    return [{key: cell_text(value) for key, value in row.items() if key} for row in table]


class _Reader:
    def __init__(self, language: str) -> None:
        self.language = language
        self.lists: dict[str, tuple[Choice, ...]] = {}
        self.findings: list[Finding] = []
        self.names: set[str] = set()
        self.row = 1

    def children(self, rows: list[Row]) -> tuple[Question | Section, ...]:
        found: list[Question | Section] = []
        group: list[Question] = []
        header: tuple[str, str, int] | None = None
        form = ""
        self.names = {row[c.NAME] for row in rows}
        for number, row in enumerate(rows, start=2):
            self.row = number
            if not row[c.NAME] and not row[c.TYPE]:
                continue
            if row.get(c.HEADER) or row.get(c.FORM, "") != form:
                _close(found, header, group, self.language)
                header, group, form = None, [], row.get(c.FORM, "")
            if row.get(c.HEADER):
                header = (f"section_{row[c.NAME]}", self.words(row[c.HEADER]), number)
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
        if not NAME.fullmatch(row[c.NAME]):
            message = f"the name '{row[c.NAME]}' is not possible"
            self.note(c.NAME, message, "use letters, figures, _ and -; start with a letter", "error")
            return None
        self.unsaid(row)
        if row.get(c.IDENTIFIER, "").lower() == "y":
            self.note(c.IDENTIFIER, f"'{row[c.NAME]}' identifies people", "keep identities apart from research data")
        annotation = row.get(c.ANNOTATION, "")
        default = re.search(r"@DEFAULT\s*=\s*(?:'([^']*)'|\"([^\"]*)\")", annotation)
        hidden = "@HIDDEN" in annotation and kind == "text"
        spoken = {self.language: self.words(row[c.LABEL])} if row[c.LABEL] else {}
        try:
            return Question(
                name=row[c.NAME],
                kind="hidden" if hidden else kind,  # type: ignore[arg-type]
                label={} if kind == "calculate" or hidden else spoken,
                hint={self.language: self.words(row[c.NOTE])} if row.get(c.NOTE) else {},
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

    def unsaid(self, row: Row) -> None:
        """What REDCap would do with this field and we do not."""
        for tag in sorted(set(re.findall(r"@[A-Z][A-Z0-9_-]*", row.get(c.ANNOTATION, ""))) - CARRIED):
            self.note(c.ANNOTATION, f"'{tag}' is not carried over", "look at what it did, and say it otherwise")
        if row.get(c.RANKING, "").lower() == "y":
            message = f"that every answer of the matrix '{row.get(c.MATRIX)}' differs is not carried over"
            self.note(c.RANKING, message, "add a constraint, or use a question of the type rank")
        if row[c.TYPE].lower() == "slider" and row.get(c.CHOICES):
            message = f"the words at the slider '{row[c.NAME]}' are not carried over"
            self.note(c.CHOICES, message, "put them in the question")

    def words(self, markup: str) -> str:
        """A text, with the answers that it repeats: ``[name]`` is ``${name}``."""
        return re.sub(r"\[(\w+)(?::(?:value|label))?\]", self.piped, _text(markup))

    def piped(self, match: re.Match[str]) -> str:
        return f"${{{match[1]}}}" if match[1] in self.names else match[0]

    def logic(self, text: str, column: str) -> str:
        if not text:
            return ""
        try:
            return to_expression(" ".join(text.split()))
        except ExpressionError as error:
            place = f", at character {error.offset + 1} of: {error.source}" if error.source else ""
            self.note(column, error.message + place, error.remedy or "rewrite the logic", "error")
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
            elif any(choice.name == code.strip() for choice in found):
                self.note(c.CHOICES, f"the choice '{code.strip()}' is in the list twice", "remove one", "error")
            found.append(Choice(code.strip(), {self.language: self.words(label)} if label.strip() else {}))
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
            limit = _limit(value, kind, validation)
            if limit:
                limits.append(f". {operator} {limit}")
            elif value and kind in ("integer", "decimal", "date"):
                self.note(
                    column, f"the limit '{value}' is not understood", "write a number, or a date as 2026-11-22", "error"
                )
            elif value:
                self.note(column, f"the limit {value} is not carried over", "add a constraint")
        if limits:
            parts["constraint"] = " and ".join(limits)
        return kind, parts


def _limit(value: str, kind: str, validation: str) -> str:
    """A limit as an expression: a number (also with a comma), a day as the validation orders it, or another field."""
    if match := re.fullmatch(r"\[(\w+)\]", value):
        return f"${{{match[1]}}}" if kind in ("integer", "decimal", "date") else ""
    if kind in ("integer", "decimal"):
        number = value.replace(",", ".")
        return number if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", number) else ""
    if kind != "date":
        return ""
    if value.lower() in ("today", "now"):
        return "today()"
    parts = re.fullmatch(r"([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})", value)
    if parts is None:
        return ""
    first, second, third = (int(part) for part in parts.groups())
    order = (
        (first, second, third)
        if first > 31
        else (third, first, second)
        if "mdy" in validation
        else (third, second, first)
    )
    try:
        return f"date('{date(*order).isoformat()}')"
    except ValueError:
        return ""


CARRIED = {"@DEFAULT", "@HIDDEN", "@READONLY"}
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
