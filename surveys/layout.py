"""The workbook as it lies there: which row holds which question, which column which text, what is wrong at sight."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from surveys.errors import Finding, InstrumentError
from surveys.nearest import did_you_mean, nearest
from surveys.workbook import Row, Sheet

__all__ = ["Layout", "check", "read"]

MOST_QUESTIONS = 1_500
MOST_DEPTH = 20
"""Groups inside each other: nobody can follow more, and reading them would run out of stack."""
LONGEST_NAME = 64
"""Statistical programs cut or refuse longer names."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
CHOOSING = re.compile(r"(select[_ ]one|select[_ ]multiple|select all that apply|rank)\s+(\S+)(\s+or[_ ]other)?", re.I)
FROM_FILE = re.compile(r"select_(?:one|multiple)_from_file\s+(\S+)", re.I)
SEED = re.compile(r"-?[0-9]+(\.[0-9]+)?|\$\{[^}]+\}")
REFERENCE = re.compile(r"\$\{\s+([^}]*?)\s*\}|\$\{([^}]*?)\s+\}")
SECTION = re.compile(r"(begin|end)[_ ](group|repeat)", re.I)
PLAIN = {"text", "string", "integer", "int", "decimal", "range", "date", "time", "datetime", "note", "acknowledge",
         "trigger", "calculate", "hidden"}  # fmt: skip
IGNORED = {"start", "end", "today", "deviceid", "username", "phonenumber", "email", "audit", "start-geopoint",
           "subscriberid", "simserial"}  # fmt: skip
UNASKED = {"image", "audio", "video", "file", "geopoint", "geotrace", "geoshape", "barcode", "background-audio",
           "select_one_external", "xml-external", "csv-external"}  # fmt: skip
WORDED = {"label", "hint", "image", "audio", "video", "big-image", "calculation", "calculate"}
SPOKEN = ("label", "hint", "guidance_hint", "constraint_message", "required_message")
FAULTS = re.compile(r"#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!)")
"""What Excel shows when a formula has no value."""
COLUMNS = {
    "type", "name", "label", "hint", "guidance_hint", "relevant", "constraint", "constraint_message", "required",
    "required_message", "calculation", "choice_filter", "default", "readonly", "read_only", "repeat_count",
    "appearance", "parameters", "image", "audio", "video", "big-image", "relevance", "calculate", "required message",
    "constraint message", "note", "comment", "trigger", "autoplay",
}  # fmt: skip
CODES = {"dutch": "nl", "nederlands": "nl", "english": "en", "engels": "en", "arabic": "ar", "turkish": "tr",
         "polish": "pl", "ukrainian": "uk", "german": "de", "deutsch": "de", "french": "fr"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """The three sheets of a form and what can be read from them without understanding the form."""

    survey: Sheet
    choices: Sheet | None
    settings: Mapping[str, str]
    languages: tuple[str, ...]
    rows: Mapping[str, Row] = field(default_factory=dict)
    choice_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, int | None] = field(default_factory=dict)
    pulled: frozenset[str] = frozenset()
    with_other: frozenset[str] = frozenset()

    def row(self, name: str) -> int | None:
        """The row of the survey sheet that the question or section stands in."""
        return self.rows[name].number if name in self.rows else None

    def column(self, base: str, language: str | None = None) -> str | None:
        """The header that holds this column, in this language when it has several."""
        for header in self.survey.headers:
            name, spoken = split(header)
            if ALIAS.get(name, name) == base and (language is None or (spoken and self.code(spoken) == language)):
                return header
        return None

    def choice_place(self, list_: str, choice: str, language: str) -> tuple[int | None, str | None]:
        """The row of a choice in the choices sheet, and the header of its label in a language."""
        if self.choices is None:
            return None, None
        listed, name = (
            _header(self.choices, "list_name") or _header(self.choices, "list name"),
            _header(self.choices, "name"),
        )
        wanted = (list_, choice)
        row = next((r.number for r in self.choices.rows if (r.get(listed), r.get(name)) == wanted), None)
        labels = [header for header in self.choices.headers if split(header)[0] == "label"]
        header = next((header for header in labels if self.code(split(header)[1]) == language), None)
        return row, header or "label"

    def code(self, language: str) -> str:
        """The plain code of a language as the workbook writes it: 'Nederlands (nl)' is 'nl'."""
        return self.languages[0] if language == "default" else code(language)


ALIAS = {"relevance": "relevant", "calculate": "calculation", "read_only": "readonly", "constraint message":
         "constraint_message", "required message": "required_message"}  # fmt: skip


def code(language: str) -> str:
    """The code between brackets, else the code of a language name, else the name itself.

    >>> code("Nederlands (nl)"), code("English"), code("Tigrinya")
    ('nl', 'en', 'tigrinya')
    """
    match = re.search(r"\(\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\s*\)\s*$", language)
    if match:
        return match[1]
    plain = language.strip().lower()
    return CODES.get(plain, plain.replace(" ", "_"))


def split(header: str) -> tuple[str, str]:
    """The column and its language: ``media::image::English (en)`` is image in English."""
    parts = [part.strip() for part in re.split(r"::", header)]
    if parts[0].lower() == "media" and len(parts) > 1:
        parts = parts[1:]
    return parts[0].lower(), parts[1] if len(parts) > 1 else ""


def read(sheets: Mapping[str, Sheet]) -> Layout:
    """The layout of a workbook. Raises InstrumentError when it has no usable survey sheet."""
    survey = sheets.get("survey")
    if survey is None:
        near = nearest("survey", sheets)
        remedy = f"rename the sheet '{near}'" if near else "name the sheet with the questions 'survey'"
        raise InstrumentError([Finding("workbook", None, None, "there is no sheet 'survey'", remedy)])
    headers = {header.lower() for header in survey.headers}
    missing = [f"there is no column '{column}'" for column in ("type", "name") if column not in headers]
    if missing or not survey.rows:
        messages = missing or ["the sheet has no questions"]
        raise InstrumentError([Finding(survey.name, 1, None, m, "see xlsform.org") for m in messages])
    if len(survey.rows) > MOST_QUESTIONS:
        message = f"the form has {len(survey.rows)} rows; at most {MOST_QUESTIONS} are read"
        raise InstrumentError([Finding(survey.name, None, None, message, "divide it into several forms")])
    survey = replace(survey, rows=tuple(_tidy(row) for row in survey.rows))
    choices = sheets.get("choices")
    settings = {k.lower(): v for k, v in (sheets["settings"].rows[0].cells if _filled(sheets) else {}).items()}
    return _collect(survey, choices, settings)


def _tidy(row: Row) -> Row:
    """The row with its type in small letters and single spaces, and references without blanks: ``${ age }``."""
    cells = {header: REFERENCE.sub(lambda m: f"${{{m[1] or m[2] or ''}}}", text) for header, text in row.cells.items()}
    return Row(row.number, {h: _kind(text) if h.lower() == "type" else text for h, text in cells.items()})


def _kind(text: str) -> str:
    plain = " ".join(text.split())
    if match := SECTION.fullmatch(plain):
        return f"{match[1]} {match[2]}".lower()
    if match := CHOOSING.fullmatch(plain):
        word = match[1].lower().replace("select one", "select_one").replace("select multiple", "select_multiple")
        return f"{word} {match[2]}" + (" or_other" if match[3] else "")
    if match := FROM_FILE.fullmatch(plain):
        return plain.replace(plain.split()[0], plain.split()[0].lower())
    return plain.lower() if plain.lower() in PLAIN | IGNORED else plain


def _filled(sheets: Mapping[str, Sheet]) -> bool:
    return "settings" in sheets and bool(sheets["settings"].rows)


def _collect(survey: Sheet, choices: Sheet | None, settings: Mapping[str, str]) -> Layout:
    type_, name = _header(survey, "type"), _header(survey, "name")
    rows: dict[str, Row] = {}
    files: dict[str, int | None] = {}
    others: set[str] = set()
    pulled: set[str] = set()
    for row in survey.rows:
        kind = row.get(type_)
        if not kind.lower().startswith("end"):
            rows.setdefault(row.get(name), row)
        if match := FROM_FILE.fullmatch(kind):
            files.setdefault(match[1], row.number)
        if (match := CHOOSING.fullmatch(kind)) and match[3]:
            others.add(row.get(name))
        for file in re.findall(r"pulldata\(\s*['\"]([^'\"]+)['\"]", " ".join(row.cells.values())):
            pulled.add(file.removesuffix(".csv"))
            files.setdefault(f"{file.removesuffix('.csv')}.csv", row.number)
    names: dict[str, list[str]] = {}
    if choices is not None:
        listed = _header(choices, "list_name") or _header(choices, "list name")
        for row in choices.rows:
            names.setdefault(row.get(listed), []).append(row.get(_header(choices, "name") or _header(choices, "value")))
    return Layout(
        survey, choices, settings, _languages(survey, settings), rows,
        {key: tuple(value) for key, value in names.items()}, files, frozenset(pulled), frozenset(others),
    )  # fmt: skip


def _header(sheet: Sheet, column: str) -> str | None:
    return next((header for header in sheet.headers if header.lower() == column), None)


def _languages(survey: Sheet, settings: Mapping[str, str]) -> tuple[str, ...]:
    spoken = [code(split(header)[1]) for header in survey.headers if split(header)[1]]
    default = settings.get("default_language", "")
    first = [code(default)] if default and default != "default" else []
    return tuple(dict.fromkeys([*first, *spoken])) or ("nl",)


def check(form: Layout) -> Iterator[Finding]:
    """What is wrong at sight: unknown types and columns, names, lists, and groups that are not closed."""
    yield from _check_columns(form)
    yield from _check_cells(form)
    yield from _check_choices(form)
    yield from _check_rows(form)
    yield from _check_others(form)
    yield from _check_references(form)


def _check_references(form: Layout) -> Iterator[Finding]:
    """pyxform stops at the first question that does not exist, and does not name the column."""
    lines = [(sheet.name, row) for sheet in (form.survey, form.choices) if sheet for row in sheet.rows]
    for sheet, row in lines:
        for header, text in row.cells.items():
            for name in re.findall(r"\$\{\s*([^}#]*?)\s*\}", text):
                if name not in form.rows:
                    remedy = did_you_mean(name, form.rows, "check the name")
                    yield Finding(sheet, row.number, header, f"there is no question '{name}'", remedy)


def _check_cells(form: Layout) -> Iterator[Finding]:
    for sheet in (form.survey, form.choices):
        for row in sheet.rows if sheet else ():
            for header, text in row.cells.items():
                if FAULTS.fullmatch(text):
                    assert sheet
                    message = f"the formula in this cell gives {text}"
                    yield Finding(sheet.name, row.number, header, message, "mend the formula, or type the text itself")


def _check_others(form: Layout) -> Iterator[Finding]:
    """pyxform adds "other, namely" by itself; it cannot when the name, the choice or a filter stands in the way."""
    type_ = _header(form.survey, "type")
    for name in sorted(form.with_other):
        row = form.rows[name]
        match = CHOOSING.fullmatch(row.get(type_))
        assert match
        if other := form.rows.get(f"{name}_other"):
            message = f"the name '{name}_other' comes by itself with or_other, and is also used in row {other.number}"
            yield Finding(form.survey.name, row.number, type_, message, "rename that question")
        if "other" in form.choice_names.get(match[2], ()):
            message = f"the list '{match[2]}' has a choice 'other' already"
            yield Finding(form.survey.name, row.number, type_, message, "leave out or_other, or that choice")
        if row.get(form.column("choice_filter")):
            message = "or_other and a choice filter do not go together"
            remedy = "put the choice 'other' in the list, and ask for the text in a question of its own"
            yield Finding(form.survey.name, row.number, type_, message, remedy)


def _check_columns(form: Layout) -> Iterator[Finding]:
    for sheet in (form.survey, form.choices):
        yield from _check_headers(sheet) if sheet else ()
    plain = {name for name, spoken in map(split, form.survey.headers) if not spoken}
    for base in (name for name in SPOKEN if name in plain):
        others = [header for header in form.survey.headers if split(header)[0] == base and split(header)[1]]
        if others:
            message = f"the column '{base}' has no language, and '{others[0]}' has"
            yield Finding(form.survey.name, 1, base, message, "write for instance label::Nederlands (nl)")
    for header in form.survey.headers:
        name, _ = split(header)
        if name in COLUMNS or name.startswith(("bind", "control", "body", "instance", "$", "_")):
            continue
        near = nearest(name, COLUMNS, cutoff=0.8)
        message = f"the column '{header}' is not known and would be ignored"
        remedy = f"did you mean '{near}'?" if near else "remove it, or let its name start with _"
        yield Finding(form.survey.name, 1, header, message, remedy, "error" if near else "warning")


def _check_headers(sheet: Sheet) -> Iterator[Finding]:
    for header in sorted({header for header in sheet.headers if sheet.headers.count(header) > 1}):
        yield Finding(sheet.name, 1, header, f"the column '{header}' is there twice", "keep one of them")
    for header in sheet.headers:
        if "::" in header and not all(part.strip() for part in header.split("::")):
            message = f"the column '{header}' has nothing on one side of '::'"
            yield Finding(sheet.name, 1, header, message, "write for instance label::English (en)")


def _check_choices(form: Layout) -> Iterator[Finding]:
    sheet = form.choices
    if sheet is None:
        return
    listed, name = _header(sheet, "list_name") or _header(sheet, "list name"), _header(sheet, "name")
    seen: set[tuple[str, str]] = set()
    for row in sheet.rows:
        key = (row.get(listed), row.get(name))
        if not key[0] or not key[1]:
            yield Finding(sheet.name, row.number, listed if not key[0] else name, "the cell is empty", "fill it in")
        elif re.search(r"\s", key[1]):
            yield Finding(sheet.name, row.number, name, f"the choice '{key[1]}' holds a space", "write an underscore")
        elif key in seen:
            yield Finding(sheet.name, row.number, name, f"the choice '{key[1]}' is in the list twice", "remove one")
        seen.add(key)


def _check_rows(form: Layout) -> Iterator[Finding]:
    sheet = form.survey
    type_, name = _header(sheet, "type"), _header(sheet, "name")
    open_: list[tuple[str, Row]] = []
    seen: dict[str, int] = {}
    for row in sheet.rows:
        kind, own = row.get(type_), row.get(name)
        if not kind:
            yield Finding(sheet.name, row.number, type_, "the type is missing", "fill in the type of the question")
            continue
        section = SECTION.fullmatch(kind)
        if section and section[1].lower() == "end":
            yield from _close(sheet, row, type_, section[2].lower(), open_)
            continue
        if section:
            open_.append((section[2].lower(), row))
            if len(open_) == MOST_DEPTH + 1:
                message = f"more than {MOST_DEPTH} groups inside each other"
                yield Finding(sheet.name, row.number, type_, message, "put the groups one after the other")
        elif finding := _check_type(form, row, kind, type_):
            yield finding
        elif kind.lower() not in {"calculate", "hidden", *IGNORED} and not _worded(row):
            yield Finding(
                sheet.name, row.number, form.column("label") or "label", f"'{own}' has no text", "fill in the label"
            )
        parameters = form.column("parameters")
        if (match := re.search(r"\bseed\s*=\s*(\S+)", row.get(parameters))) and not SEED.fullmatch(match[1]):
            message = f"the seed {match[1]} is no number and no question"
            yield Finding(sheet.name, row.number, parameters, message, "write for instance seed=42")
        if any("jr:preload" in header for header in row.cells):
            message = f"'{own}' is filled in by the device and is left out"
            yield Finding(sheet.name, row.number, type_, message, "remove the row", "warning")
        if kind == "calculate" and not row.get(form.column("calculation")):
            yield Finding(
                sheet.name, row.number, "calculation", f"'{own}' calculates nothing", "fill in the calculation"
            )
        if kind == "range" and (match := re.search(r"(\w+)=(-?[0-9]+),([0-9]+)", row.get(form.column("parameters")))):
            message = f"{match[0]} has a comma"
            yield Finding(
                sheet.name, row.number, form.column("parameters"), message, f"write {match[1]}={match[2]}.{match[3]}"
            )
        if kind.lower() in IGNORED:
            continue
        yield from _check_name(sheet, row, name, own, seen)
    for kind, row in open_:
        yield Finding(sheet.name, row.number, type_, f"this {kind} is never closed", f"add a row 'end {kind}'")


def _worded(row: Row) -> bool:
    return any(split(header)[0] in WORDED for header in row.cells)


def _close(sheet: Sheet, row: Row, column: str | None, kind: str, open_: list[tuple[str, Row]]) -> Iterator[Finding]:
    if not open_ or open_[-1][0] != kind:
        yield Finding(sheet.name, row.number, column, f"no {kind} is open here", f"add 'begin {kind}' before it")
        return
    open_.pop()


def _check_type(form: Layout, row: Row, kind: str, column: str | None) -> Finding | None:
    plain = kind.strip().lower()
    if (match := FROM_FILE.fullmatch(kind)) and not match[1].lower().endswith(".csv"):
        message = "questions with choices from a file need a .csv"
        return Finding(form.survey.name, row.number, column, message, "save the list as CSV UTF-8")
    if plain in PLAIN or match:
        return None
    if plain in IGNORED:
        message = f"'{kind}' is left out: no data on devices are gathered"
        return Finding(form.survey.name, row.number, column, message, "remove the row", "warning")
    if match := CHOOSING.fullmatch(kind):
        if match[2] in form.choice_names:
            return None
        remedy = did_you_mean(match[2], form.choice_names, "add it to the sheet 'choices'")
        return Finding(form.survey.name, row.number, column, f"there is no list '{match[2]}'", remedy)
    if plain in UNASKED:
        message = f"questions of the type '{kind}' cannot be asked here"
        return Finding(form.survey.name, row.number, column, message, "remove it")
    if plain in ("select_one", "select_multiple", "rank"):
        message = f"'{plain}' does not say which list"
        return Finding(form.survey.name, row.number, column, message, f"write {plain} and the name of the list")
    known = sorted(PLAIN | {"select_one", "select_multiple", "rank", "begin group", "begin repeat"})
    remedy = did_you_mean(plain.split()[0], known, "known are " + ", ".join(known))
    return Finding(form.survey.name, row.number, column, f"there is no question type '{kind}'", remedy)


def _check_name(sheet: Sheet, row: Row, column: str | None, own: str, seen: dict[str, int]) -> Iterator[Finding]:
    if not own:
        yield Finding(sheet.name, row.number, column, "the name is missing", "give the question a name")
    elif not NAME.fullmatch(own):
        message = f"the name '{own}' is not possible"
        yield Finding(sheet.name, row.number, column, message, "use letters, figures, _ and -; start with a letter")
    elif own.lower() == "meta":
        yield Finding(
            sheet.name, row.number, column, f"the name '{own}' is kept for the form itself", "choose another name"
        )
    elif len(own) > LONGEST_NAME:
        message = f"the name has {len(own)} characters; at most {LONGEST_NAME} are possible"
        yield Finding(sheet.name, row.number, column, message, "choose a shorter name")
    elif own in seen:
        message = f"the name '{own}' is also used in row {seen[own]}"
        yield Finding(sheet.name, row.number, column, message, "give each question its own name")
    seen.setdefault(own, row.number)
