"""What the import says about a workbook, it says in Dutch too: on the page and on the command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import CliRunner

from pilot import findings
from pilot.cli import main
from surveys import check_xlsform

ROOT = Path(__file__).parents[3]
AT_IMPORT = ("layout.py", "workbook.py", "tables.py", "beside.py", "xlsform.py", "definition.py", "checks", "redcap",
             "expressions/parse.py", "expressions/patterns.py", "expressions/shuffles.py")  # fmt: skip
SAYS = ("finding", "refused", "ExpressionError", "note", "lost", "_wrong", "did_you_mean")
GIVEN = ("missing )", "pattern too large")
"""What RE2 says: the key of a table, never shown."""


def words(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*words(node.body), *words(node.orelse))
    elif isinstance(node, ast.BoolOp | ast.Tuple | ast.List):
        for part in node.values if isinstance(node, ast.BoolOp) else node.elts:
            yield from words(part)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "question" for part in node.values)


def sentences() -> Iterator[str]:
    """Every message and remedy that stands in the code of the import, with something in its gaps."""
    for part in AT_IMPORT:
        place = ROOT / "surveys" / part
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    given = node.args if any(word in called or word in called.lower() for word in SAYS) else []
                elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").rstrip("_") in (
                    "message",
                    "remedy",
                ):
                    given = [node.value]
                else:
                    given = []
                yield from (text for one in given for text in words(one) if " " in text)


def test_every_message_of_the_import_has_dutch_words():
    found = set(sentences()) - set(GIVEN)
    assert len(found) > 100
    shown = {text for text in found if not text.startswith(("label (", "media::"))}
    assert sorted(text for text in shown if findings.said(text, "nl") is None) == []


def book(path: Path, *rows: list[str]) -> Path:
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet("survey")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


HEAD = ["type", "name", "label", "parameters"]


def test_what_pyxform_says_is_put_in_a_sentence_with_the_place_and_what_to_do(tmp_path):
    file = book(tmp_path / "form.xlsx", HEAD, ["text", "a", "A", ""], ["text", "b", "B", "rows=x"])
    english = check_xlsform(file)[1]
    assert english[0].message.startswith("the program that reads XLSForm (pyxform) says: “")
    told = CliRunner().invoke(main, ["survey", "import", "--language", "nl", str(file)])
    assert told.exit_code == 1
    assert "het programma dat XLSForm leest (pyxform) zegt in het Engels: “" in told.output
    assert "verbeter wat daar genoemd wordt" in told.output


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [["text", "a b", "A", ""]],
            "blad survey, rij 2, kolom name: de naam 'a b' kan niet (gebruik letters, cijfers",
        ),
        ([["txt", "a", "A", ""]], "blad survey, rij 2, kolom type: er is geen vraagtype 'txt' (bedoelt u 'text'?)"),
        ([["text", "a", "A ${b}", ""]], "blad survey, rij 2, kolom label: er is geen vraag 'b'"),
    ],
)
def test_a_mistake_is_told_in_dutch_on_the_command_line(tmp_path, rows: list[list[str]], said: str):
    file = book(tmp_path / "form.xlsx", HEAD, *rows)
    told = CliRunner().invoke(main, ["survey", "import", "--language", "nl", str(file)])
    assert told.exit_code == 1
    assert said in told.output


def test_a_form_that_can_be_used_is_told_in_dutch_with_what_reads_badly(tmp_path):
    long = "Wilt u ons vertellen of u in de afgelopen twaalf maanden wel eens een cursus of opleiding hebt gevolgd?"
    file = book(tmp_path / "form.xlsx", HEAD, ["text", "a", long, ""])
    told = CliRunner().invoke(main, ["survey", "import", "--language", "nl", str(file)])
    assert told.exit_code == 0
    assert "1 vragen in nl, vingerafdruk" in told.output
    assert "a (nl): een zin van 19 woorden; hooguit 15 lezen goed" in told.output
