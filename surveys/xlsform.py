"""Reading an XLSForm workbook: pyxform judges its structure, we keep the definition and the place of every mistake.

pyxform accepts broken expressions, unknown functions and cycles; those are judged by ``surveys.checks`` afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from surveys import layout
from surveys.catalogue import LANGUAGES, message
from surveys.checks import check
from surveys.definition import Choice, Instrument, Question, Section, Text
from surveys.errors import Finding, InstrumentError
from surveys.layout import Layout
from surveys.tables import Table, choices_of, read_tables
from surveys.workbook import Row, open_workbook

__all__ = ["check_xlsform", "read_xlsform"]

KINDS = {
    "text": "text", "string": "text", "integer": "integer", "int": "integer", "decimal": "decimal", "range": "range",
    "select one": "select_one", "select all that apply": "select_multiple", "rank": "rank", "date": "date",
    "time": "time", "datetime": "datetime", "note": "note", "acknowledge": "acknowledge", "trigger": "acknowledge",
    "calculate": "calculate", "hidden": "hidden",
}  # fmt: skip


def read_xlsform(source: str | Path | bytes, *, tables: Mapping[str, bytes] | None = None) -> Instrument:
    """The instrument in a workbook: a path, or the content of an upload.

    ``tables`` holds CSV files by name that the form refers to (``select_one_from_file``, ``pulldata``); for a path
    they are looked for in the same folder. Raises InstrumentError with a finding for every mistake, each with sheet,
    row and column.
    """
    instrument, findings = check_xlsform(source, tables=tables)
    if instrument is None or any(finding.severity == "error" for finding in findings):
        raise InstrumentError([finding for finding in findings if finding.severity == "error"])
    return instrument


def check_xlsform(
    source: str | Path | bytes, *, tables: Mapping[str, bytes] | None = None
) -> tuple[Instrument | None, tuple[Finding, ...]]:
    """The instrument (None when it cannot be built) with every finding, warnings included."""
    try:
        sheets = open_workbook(source)
        form = layout.read(sheets)
        findings = list(layout.check(form))
        if _broken(findings):
            return None, tuple(findings)
        known = read_tables(form, source, tables or {})
        instrument = _Builder(form, _converted(form), known).build()
    except InstrumentError as error:
        return None, error.findings
    findings += check(instrument, form)
    return instrument, tuple(findings)


def _broken(findings: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _converted(form: Layout) -> dict[str, Any]:
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    try:
        return dict(convert(_sheets(form), validate=False, form_name="data")._pyxform or {})
    except PyXFormError as error:
        raise InstrumentError([_told(str(error), form)]) from None
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        finding = Finding(form.survey.name, None, None, f"the form cannot be converted: {error}", REMEDY)
        raise InstrumentError([finding]) from None


def _sheets(form: Layout) -> dict[str, Any]:
    """The sheets as we read them. Given the file itself, pyxform stops in silence after sixty empty rows."""
    found: dict[str, Any] = {"sheet_names": ["survey"], "survey": _padded(form.survey.rows)}
    found["survey_header"] = [dict.fromkeys(form.survey.headers)]
    if form.choices is not None:
        found["sheet_names"].append("choices")
        found |= {"choices": _padded(form.choices.rows), "choices_header": [dict.fromkeys(form.choices.headers)]}
    if form.settings:
        found["sheet_names"].append("settings")
        found |= {"settings": [dict(form.settings)], "settings_header": [dict.fromkeys(form.settings)]}
    return found


def _padded(rows: Sequence[Row]) -> list[dict[str, str]]:
    """The rows from row 2 on, empty ones included: pyxform counts them."""
    by_number = {row.number: dict(row.cells) for row in rows}
    return [by_number.get(number, {}) for number in range(2, max(by_number, default=1) + 1)]


REMEDY = "mend what it names, and try again; xlsform.org tells what may stand where"


def _told(said: str, form: Layout) -> Finding:
    """What pyxform says, in a sentence of ours, with the sheet, row and column that it names."""
    row = re.search(r"\[row : (\w+)\]", said)
    text = re.sub(r"\s+", " ", said.replace(row[0] if row else "", "")).strip()
    sheet = re.search(r"[Oo]n the '(\w+)' sheet", text)
    column = re.search(r"the '([\w:() ]+)' (?:value|column)", text)
    rows = (form.row(name) for name in re.findall(r"'([\w.\-]+)'", text))
    number = int(row[1]) if row and row[1].isdecimal() else next((one for one in rows if one), None)
    named = sheet[1] if sheet else form.survey.name
    message_ = f"the program that reads XLSForm (pyxform) says: “{text}”"
    return Finding(named, number, column[1] if column else None, message_, REMEDY)


class _Builder:
    """Turns what pyxform made of the workbook into the definition."""

    def __init__(self, form: Layout, converted: dict[str, Any], tables: Mapping[str, Table]) -> None:
        self.form, self.converted, self.tables = form, converted, tables
        self.lists: dict[str, tuple[Choice, ...]] = {}
        own = form.choice_names
        for name, choices in converted.get("choices", {}).items():
            self.lists[name] = tuple(self.choice(c) for c in choices if str(c.get("name", "")) in own.get(name, ()))

    def build(self) -> Instrument:
        children = tuple(self.children(self.converted.get("children", [])))
        return Instrument(
            name=str(self.converted.get("id_string") or "form"),
            title=str(self.converted.get("title") or ""),
            version=str(self.converted.get("version") or ""),
            languages=self.form.languages,
            children=children,
            lists=self.lists,
            tables={name: table for name, table in self.tables.items() if name in self.form.pulled},
        )

    def children(self, items: list[dict[str, Any]]) -> Iterator[Question | Section]:
        others: dict[str, Question] = {}
        for item in items:
            kind, name = str(item.get("type", "")).lower(), str(item.get("name", ""))
            if name in others:
                yield others[name]
            elif kind in ("group", "repeat"):
                if name != "meta" or item.get("control", {}).get("bodyless") is None:
                    yield self.section(item)
            elif item.get("bind", {}).get("jr:preload") or kind in layout.IGNORED:
                continue
            elif kind not in KINDS:
                message_ = f"questions of the type '{kind}' cannot be asked here"
                raise InstrumentError(
                    [Finding(self.form.survey.name, self.form.row(name), "type", message_, "remove it")]
                )
            else:
                question = self.question(item)
                yield question
                if name in self.form.with_other:
                    others[f"{name}_other"] = self.specify(question)

    def section(self, item: dict[str, Any]) -> Section:
        control = item.get("control", {})
        return Section(
            name=str(item["name"]),
            children=tuple(self.children(item.get("children", []))),
            repeats=item["type"] == "repeat",
            label=self.text(item.get("label")),
            relevant=str(item.get("bind", {}).get("relevant", "")),
            repeat_count=str(control.get("jr:count", "")),
            appearance=str(control.get("appearance", "")),
            row=self.form.row(str(item["name"])),
        )

    def question(self, item: dict[str, Any]) -> Question:
        bind, kind = item.get("bind", {}), KINDS[str(item["type"]).lower()]
        return Question(
            name=str(item["name"]),
            kind=kind,  # type: ignore[arg-type]
            label=self.text(item.get("label")),
            hint=self.text(item.get("hint")),
            guidance=self.text(item.get("guidance_hint")),
            media={medium: self.text(file) for medium, file in item.get("media", {}).items()},
            relevant=str(bind.get("relevant", "")),
            required=_condition(bind.get("required", "")),
            required_message=self.text(bind.get("jr:requiredMsg")),
            constraint=str(bind.get("constraint", "")),
            constraint_message=self.text(bind.get("jr:constraintMsg")),
            calculation=str(bind.get("calculate", "")),
            default=str(item.get("default", "")),
            readonly=_condition(bind.get("readonly", "")),
            choices=self.list_of(item),
            choice_filter=str(item.get("choice_filter", "")),
            appearance=str(item.get("control", {}).get("appearance", "")),
            parameters=_parameters(item.get("parameters")),
            row=self.row(str(item["name"])),
        )

    def row(self, name: str) -> int | None:
        """The row it stands in; of a count that pyxform keeps for a repeat, the row of that repeat."""
        return self.form.row(name) or self.form.row(name.removesuffix("_count"))

    def list_of(self, item: dict[str, Any]) -> str:
        source = str(item.get("itemset") or item.get("list_name") or "")
        if not source:
            return ""
        if source.endswith(".csv"):
            parameters = _parameters(item.get("parameters"))
            name = source.removesuffix(".csv")
            table = self.tables[name]
            self.lists[name] = choices_of(
                source, table, self.form, parameters.get("value", "name"), parameters.get("label", "label")
            )
            return name
        if str(item["name"]) in self.form.with_other:
            name = f"{source} or_other"
            labels = {language: message("other", language) for language in self._spoken()}
            self.lists[name] = (*self.lists[source], Choice("other", labels))
            return name
        return source

    def specify(self, question: Question) -> Question:
        """The text question behind "other": pyxform makes it in English only."""
        return Question(
            name=f"{question.name}_other",
            kind="text",
            label={language: message("other_specify", language) for language in self._spoken()},
            relevant=f"selected(${{{question.name}}}, 'other')",
            required=question.required,
            row=question.row,
        )

    def _spoken(self) -> tuple[str, ...]:
        return tuple(language for language in self.form.languages if language in LANGUAGES) or ("en",)

    def choice(self, item: dict[str, Any]) -> Choice:
        known = {"name", "label", "media"}
        return Choice(
            name=str(item["name"]),
            label=self.text(item.get("label")),
            media={medium: self.text(file) for medium, file in (item.get("media") or {}).items()},
            columns={str(k): str(v) for k, v in item.items() if k not in known and isinstance(v, str | int | float)},
        )

    def text(self, value: Any) -> Text:
        """pyxform gives a plain text when a column has no language, else a text for each language."""
        if not value:
            return {}
        texts = value if isinstance(value, dict) else {"default": value}
        found = {self.form.code(str(language)): str(words) for language, words in texts.items() if str(words).strip()}
        return {language: found[language] for language in self.form.languages if language in found}


def _parameters(given: Any) -> dict[str, str]:
    """pyxform takes them apart for kinds that have some of their own, and leaves them a text for the others."""
    pairs = (
        given.items() if isinstance(given, dict) else (part.partition("=")[::2] for part in str(given or "").split())
    )
    return {str(key): str(value) for key, value in pairs if key}


def _condition(value: Any) -> str:
    """XLSForm writes yes or true; the definition holds an expression."""
    text = str(value).strip()
    if text.lower() in ("yes", "true", "true()", "ja", "waar"):
        return "true()"
    return "" if text.lower() in ("no", "false", "false()", "nee", "onwaar") else text
