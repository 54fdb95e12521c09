"""Writing an instrument as a REDCap data dictionary (CSV)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from surveys.definition import Instrument, Question, Section, say
from surveys.errors import ExpressionError, Finding
from surveys.redcap import columns as c
from surveys.redcap.logic import to_logic

__all__ = ["Exported", "write_redcap"]

TYPES = {
    "text": ("text", ""), "integer": ("text", "integer"), "decimal": ("text", "number"), "range": ("slider", ""),
    "select_one": ("radio", ""), "select_multiple": ("checkbox", ""), "date": ("text", "date_ymd"),
    "time": ("text", "time"), "datetime": ("text", "datetime_ymd"), "note": ("descriptive", ""),
    "acknowledge": ("checkbox", ""), "calculate": ("calc", ""), "hidden": ("text", ""),
}  # fmt: skip
LIMIT = re.compile(r"\.\s*(>=|<=)\s*(?:date\('([^']+)'\)|(-?\d+(?:\.\d+)?)|(today\(\)))")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Exported:
    """The data dictionary, and what REDCap has no place for."""

    content: bytes
    findings: tuple[Finding, ...]


def write_redcap(instrument: Instrument, *, language: str | None = None) -> Exported:
    """The data dictionary of an instrument in one language; groups become section headers.

    >>> form = Instrument("f", (Question("age", "integer", {"en": "Age?"}, constraint=". >= 18"),), languages=("en",))
    >>> write_redcap(form).content.decode().splitlines()[1]
    'age,f,,text,Age?,,,integer,18,,,,,,,,,'
    """
    writer = _Writer(instrument, language or instrument.default_language)
    target = io.StringIO()
    table = csv.DictWriter(target, c.COLUMNS, lineterminator="\n", restval="")
    table.writeheader()
    for row in writer.rows(instrument.children, "", []):
        table.writerow({key: value for key, value in row.items() if value})
    return Exported(target.getvalue().encode(), tuple(writer.findings))


class _Writer:
    def __init__(self, instrument: Instrument, language: str) -> None:
        self.instrument, self.language = instrument, language
        self.findings: list[Finding] = []

    def lost(self, item: Question | Section, column: str, message: str, remedy: str = "enter it in REDCap") -> None:
        self.findings.append(Finding("survey", item.row, column, message, remedy, "warning"))

    def rows(self, children: tuple[Question | Section, ...], header: str, around: list[str]) -> Iterator[Row]:
        for item in children:
            if isinstance(item, Section):
                if item.repeats:
                    self.lost(item, "type", f"the repeat '{item.name}' is left out", "use a repeating instrument")
                    continue
                conditions = [*around, item.relevant] if item.relevant else around
                yield from self.rows(item.children, say(item.label, self.language) or header, conditions)
            elif item.kind == "rank":
                self.lost(item, "type", f"'{item.name}' is a ranking; REDCap has none")
            else:
                yield self.row(item, header, around)
            header = ""

    def row(self, item: Question, header: str, around: list[str]) -> Row:
        kind, validation = TYPES[item.kind]
        calculation = self.logic(item, "calculation", item.calculation) if item.kind == "calculate" else ""
        # REDCap refuses a calculated field without a formula: the variable stays, as a text that nobody sees.
        unsaid = item.kind == "calculate" and not calculation
        conditions = [*around, item.relevant] if item.relevant else around
        source = " and ".join(f"({text})" for text in conditions) if len(conditions) > 1 else "".join(conditions)
        row: Row = {
            c.NAME: item.name.lower().replace("-", "_"),
            c.FORM: re.sub(r"[^a-z0-9_]", "_", self.instrument.name.lower()),
            c.HEADER: header,
            c.TYPE: "notes" if item.kind == "text" and "multiline" in item.appearance else "text" if unsaid else kind,
            c.LABEL: say(item.label, self.language, self.instrument.default_language) or item.name,
            c.CHOICES: calculation or self.choices(item),
            c.NOTE: say(item.hint, self.language),
            c.VALIDATION: "phone" if "phone" in item.appearance else validation,
            c.BRANCHING: self.logic(item, "relevant", source),
            c.REQUIRED: "y" if item.required == "true()" else "",
            c.ANNOTATION: "@HIDDEN" if item.kind == "hidden" or unsaid else "",
        }
        if item.kind == "range":
            row[c.MINIMUM], row[c.MAXIMUM] = item.parameters.get("start", "1"), item.parameters.get("end", "10")
        return row | self.limits(item) | self.extras(item)

    def choices(self, item: Question) -> str:
        if item.kind == "acknowledge":
            return "OK, OK"
        if not item.choices:
            return ""
        if item.choice_filter:
            self.lost(item, "choice_filter", f"the choice filter of '{item.name}' is left out")
        labels = [(choice.name, say(choice.label, self.language)) for choice in self.instrument.lists[item.choices]]
        return " | ".join(f"{code}, {label.replace('|', '/')}" for code, label in labels)

    def logic(self, item: Question, column: str, source: str) -> str:
        if not source:
            return ""
        try:
            return to_logic(source, self.instrument)
        except ExpressionError as error:
            self.lost(item, column, f"{column} of '{item.name}' is left out: {error.message}")
            return ""

    def limits(self, item: Question) -> Row:
        """A constraint that only sets a lowest and a highest value fits; any other is left out."""
        row: Row = {}
        for part in re.split(r"\s+and\s+", item.constraint) if item.constraint else []:
            match = LIMIT.fullmatch(part.strip())
            if match is None or item.kind not in ("integer", "decimal", "date"):
                self.lost(item, "constraint", f"the constraint of '{item.name}' is left out")
                return {}
            row[c.MINIMUM if match[1] == ">=" else c.MAXIMUM] = "today" if match[4] else match[2] or match[3]
        return row

    def extras(self, item: Question) -> Row:
        if item.media:
            self.lost(item, "media", f"the pictures and sounds of '{item.name}' are left out")
        if item.required not in ("", "true()"):
            self.lost(item, "required", f"'{item.name}' is required only sometimes; REDCap cannot say so")
        if item.default and "$" not in item.default and "(" not in item.default:
            return {c.ANNOTATION: f"{'@HIDDEN ' if item.kind == 'hidden' else ''}@DEFAULT='{item.default}'"}
        if item.default:
            self.lost(item, "default", f"the calculated default of '{item.name}' is left out")
        return {}
