"""Builds the XLSForm workbooks of this folder from ``source/*.yaml``: the same source gives the same bytes.

Researchers may as well edit the workbooks in Excel; whoever edits the source runs ``python build.py`` again. In the
source a question is ``type: name`` with its text in Dutch and English; every question must be answered unless
``required: false``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml

HERE = Path(__file__).parent
LANGUAGES = {"nl": "Nederlands (nl)", "en": "English (en)"}
OWN = ("relevant", "constraint", "calculation", "appearance", "choice_filter", "default", "repeat_count", "parameters")
COLUMNS = [
    "type", "name", *(f"label::{spoken}" for spoken in LANGUAGES.values()),
    *(f"hint::{spoken}" for spoken in LANGUAGES.values()), "required", "relevant", "constraint",
    *(f"constraint_message::{spoken}" for spoken in LANGUAGES.values()), "calculation", "appearance", "choice_filter",
    "default", "repeat_count", "parameters",
]  # fmt: skip
NOT_REQUIRED = ("note", "calculate", "begin repeat", "begin group", "end repeat", "end group")
KNOWN = {"nl", "en", "hint", "message", "required", "only", *OWN}


def main() -> None:
    """Writes every workbook into the folder of this script."""
    lists = _load("lists")
    for source in sorted((HERE / "source").glob("*.yaml")):
        if source.stem != "lists":
            for name, form in _forms(source.stem, _load(source.stem)):
                write(HERE / f"{name}.xlsx", name, form, lists)


def _load(name: str) -> dict[str, Any]:
    # BaseLoader keeps every scalar as text: "yes", "no" and "true" are codes of answers here.
    return yaml.load((HERE / "source" / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506


def _forms(name: str, form: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "waves" not in form:
        yield name, form
        return
    for wave in form["waves"]:
        questions = [q for q in form["questions"] if wave in q.get("only", [wave])]
        yield f"{name}_{wave}", {**form, "title": form["title"][wave], "questions": questions}


def write(path: Path, name: str, form: Mapping[str, Any], lists: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """One workbook with the sheets survey, choices and settings."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": form["title"], "created": datetime(2026, 11, 22, tzinfo=UTC).replace(tzinfo=None)})
    rows = [row(question, len(form["questions"]) - 2) for question in form["questions"]]
    _sheet(book, "survey", COLUMNS, rows)
    used = {
        question.split()[1] for q in form["questions"] for question in list(q)[:1] if question.startswith("select_")
    }
    choices = [_choice(n, code, texts) for n, list_ in lists.items() if n in used for code, texts in list_.items()]
    header = ["list_name", "name", *(f"label::{spoken}" for spoken in LANGUAGES.values()), "exclusive"]
    _sheet(book, "choices", header, choices)
    settings = [form["title"], name, form["version"], LANGUAGES["nl"]]
    _sheet(book, "settings", ["form_title", "form_id", "version", "default_language"], [settings])
    book.close()


def _choice(name: str, code: str, texts: Sequence[str]) -> list[str]:
    nl, en, *flags = texts
    return [name, code, nl, en, "yes" if "exclusive" in flags else ""]


def row(question: Mapping[str, Any], count: int) -> list[str]:
    """The cells of one question. ``{n}`` in a text is the number of questions."""
    kind = next(iter(question))
    if unknown := set(list(question)[1:]) - KNOWN:
        raise ValueError(f"{question[kind]}: unknown keys {sorted(unknown)}")
    required = "yes" if question.get("required", "true") == "true" and kind not in NOT_REQUIRED else ""
    hint, message = question.get("hint", ["", ""]), question.get("message", ["", ""])
    texts = [question.get(language, "").replace("{n}", str(count)) for language in LANGUAGES]
    if kind.startswith("end"):
        texts = ["", ""]
    own = {key: question.get(key, "") for key in OWN}
    return [
        kind, question[kind], *texts, *hint, required, own["relevant"], own["constraint"], *message, own["calculation"],
        own["appearance"], own["choice_filter"], own["default"], own["repeat_count"], own["parameters"],
    ]  # fmt: skip


def _sheet(book: xlsxwriter.Workbook, name: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True})
    for i, title in enumerate(header):
        sheet.write_string(0, i, title, bold)
        sheet.set_column(i, i, 44 if "::" in title else 22)
    sheet.freeze_panes(1, 2)
    for i, cells in enumerate(rows, start=1):
        for j, cell in enumerate(cells):
            if cell:
                sheet.write_string(i, j, cell)


if __name__ == "__main__":
    main()
