"""A mistake in a workbook is named with sheet, row and column, and with what to do about it."""

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from surveys import InstrumentError, check_xlsform, read_xlsform

BROKEN = Path(__file__).parent / "examples" / "broken"
GOOD = Path(__file__).parent / "examples" / "integer.xlsx"

PLACES = {
    "argument_count": ("survey", 3, "relevant", "selected() takes 2 arguments, not 1"),
    "asked_later": ("survey", 2, "relevant", "'age' is asked only later"),
    "bad_name": ("survey", 2, "name", "the name 'first name' is not possible"),
    "bad_pattern": ("survey", 2, "constraint", "the pattern '[0-9' cannot be used: a bracket [ is not closed"),
    "bare_name": ("survey", 3, "relevant", "'age' stands without ${}"),
    "choice_not_in_list": ("survey", 3, "relevant", "'yess' is no choice of ${a}"),
    "choice_twice": ("choices", 4, "name", "the choice 'yes' is in the list twice"),
    "cycle": ("survey", 2, "calculation", "these depend on each other: a, b, a"),
    "date_with_number": ("survey", 3, "relevant", "a date is compared with a number"),
    "endless_pattern": ("survey", 2, "constraint", "the pattern '^([a-z]+ ?)+\\1$' cannot be used: a sign behind"),
    "endless_range": ("survey", 2, "parameters", "the range has more than 1,000,000 marks"),
    "groups_too_deep": ("survey", 22, "type", "more than 20 groups inside each other"),
    "long_name": ("survey", 2, "name", "the name has 65 characters; at most 64 are possible"),
    "empty_range": ("survey", 2, "parameters", "the range is empty"),
    "filter_column": ("survey", 2, "choice_filter", "the list 'town' has no column 'provnce'"),
    "group_closed_twice": ("survey", 3, "type", "no group is open here"),
    "group_open": ("survey", 2, "type", "this group is never closed"),
    "missing_file": ("survey", 2, "type", "the file 'nowhere.csv' is not there"),
    "missing_translation": ("survey", 3, "label::Nederlands (nl)", "'b' has no label in 'nl'"),
    "name_twice": ("survey", 3, "name", "the name 'name' is also used in row 2"),
    "no_label": ("survey", 2, "label", "'name' has no text"),
    "no_name": ("survey", 1, None, "there is no column 'name'"),
    "number_with_text": ("survey", 3, "relevant", "a number is compared with the text 'old'"),
    "own_relevance": ("survey", 2, "relevant", "'age' depends on itself"),
    "reference_in_label": ("survey", 3, "label", "there is no question 'nam'"),
    "repeat_from_outside": ("survey", 5, "relevant", "'n' is in the repeat 'r': every instance has its own answer"),
    "selected_not_in_list": ("survey", 3, "relevant", "'maybe' is no choice of ${a}"),
    "sum_of_choices": ("survey", 3, "calculation", "the choices of ${a} are not numbers"),
    "syntax": ("survey", 3, "relevant", "the expression stops too early, at character 10"),
    "unknown_column": ("survey", 1, "relevent", "the column 'relevent' is not known"),
    "unknown_function": ("survey", 3, "relevant", "there is no function selectd()"),
    "unknown_list": ("survey", 2, "type", "there is no list 'yesno'"),
    "unknown_reference": ("survey", 3, "relevant", "there is no question 'agee'"),
    "unknown_type": ("survey", 2, "type", "there is no question type 'integr'"),
    "unreachable": ("survey", 3, "relevant", "nobody ever gets this question"),
    "unreachable_group": ("survey", 4, "relevant", "nobody ever gets this question"),
}
WARNINGS = {"missing_translation", "repeat_from_outside"}


def test_every_broken_example_is_tested():
    assert sorted(path.stem for path in BROKEN.glob("*.xlsx")) == sorted(PLACES)


@pytest.mark.parametrize("name", sorted(PLACES))
def test_the_finding_names_the_place_and_the_mistake(name: str):
    sheet, row, column, message = PLACES[name]
    first = check_xlsform(BROKEN / f"{name}.xlsx")[1][0]
    assert (first.sheet, first.row, first.column) == (sheet, row, column)
    assert first.message.startswith(message)
    assert first.remedy
    assert (first.severity == "warning") == (name in WARNINGS)


@pytest.mark.parametrize("name", sorted(set(PLACES) - WARNINGS))
def test_a_form_with_a_mistake_is_not_read(name: str):
    with pytest.raises(InstrumentError) as caught:
        read_xlsform(BROKEN / f"{name}.xlsx")
    assert all(finding.severity == "error" for finding in caught.value.findings)


def test_warnings_do_not_stop_a_form():
    assert [read_xlsform(BROKEN / f"{name}.xlsx").name for name in sorted(WARNINGS)] == ["example", "example"]


def changed(**parts: bytes) -> bytes:
    """The good workbook with parts of the zip replaced, added (by name) or taken out (empty)."""
    target = io.BytesIO()
    with zipfile.ZipFile(GOOD) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for info in source.infolist():
            content = parts.pop(info.filename, source.read(info))
            if content:
                out.writestr(info.filename, content)
        for name, content in parts.items():
            out.writestr(name, content)
    return target.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(InstrumentError) as caught:
        read_xlsform(content)
    assert all(finding.remedy for finding in caught.value.findings)
    return str(caught.value)


def test_a_zip_bomb_is_refused_by_its_declared_size():
    bomb = changed(**{"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * (60 * 2**20)})
    assert len(bomb) < 2**20
    assert "far larger inside" in refused(bomb)


def test_a_workbook_of_50_megabytes_is_refused_unread(tmp_path: Path):
    path = tmp_path / "big.xlsx"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    with pytest.raises(InstrumentError, match="50 MB"):
        read_xlsform(path)


def test_macros_are_refused(tmp_path: Path):
    assert "macros" in refused(changed(**{"xl/vbaProject.bin": b"x"}))
    path = tmp_path / "form.xlsm"
    path.write_bytes(GOOD.read_bytes())
    with pytest.raises(InstrumentError, match="macros"):
        read_xlsform(path)


def test_a_document_type_definition_is_refused():
    laughs = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><worksheet>&lol;</worksheet>'
    assert "document type" in refused(changed(**{"xl/worksheets/sheet1.xml": laughs}))


def test_a_missing_survey_sheet_is_named():
    with zipfile.ZipFile(GOOD) as book:
        workbook = book.read("xl/workbook.xml")
    message = refused(changed(**{"xl/workbook.xml": workbook.replace(b'"survey"', b'"surveys"')}))
    assert "there is no sheet 'survey'" in message
    assert "rename the sheet 'surveys'" in message


@pytest.mark.parametrize(
    "content",
    [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 60, GOOD.read_bytes()[:900], b"\xd0\xcf\x11\xe0" + b"\0" * 600],
    ids=["empty", "text", "half a header", "cut off", "old format"],
)
def test_a_file_that_is_no_workbook_is_refused_with_a_remedy(content: bytes):
    assert "workbook" in refused(content)


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/workbook.xml", b""),
        ("xl/workbook.xml", b"<broken"),
        ("xl/worksheets/sheet1.xml", b"<broken"),
        ("xl/worksheets/sheet1.xml", b""),
        ("[Content_Types].xml", b""),
        ("xl/_rels/workbook.xml.rels", b""),
        ("xl/sharedStrings.xml", b"<broken"),
    ],
)
def test_a_damaged_part_is_refused_with_a_remedy(part: str, content: bytes):
    assert refused(changed(**{part: content}))


@pytest.mark.parametrize(
    ("headers", "header", "message"),
    [
        (["type", "name", "label", "label"], "label", "the column 'label' is there twice"),
        (["type", "name", "label::"], "label::", "the column 'label::' has nothing on one side of '::'"),
        (["type", "name", "label", "::English (en)"], "::English (en)", "nothing on one side of '::'"),
    ],
)
def test_a_header_that_cannot_be_is_named(headers: list[str], header: str, message: str):
    book, target = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.title = "survey"
    sheet.append(headers)
    sheet.append(["text", "a", *["A"] * (len(headers) - 2)])
    book.save(target)
    _form, findings = check_xlsform(target.getvalue())
    assert any((f.row, f.column) == (1, header) and message in f.message for f in findings)


def test_a_zip_of_many_parts_is_refused():
    assert "far larger inside" in refused(changed(**{f"xl/media/{i}.txt": b"x" for i in range(600)}))


def test_a_row_a_million_rows_down_is_refused_without_reading_there():
    with zipfile.ZipFile(GOOD) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    far = b'<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    assert "more than 5000 rows" in refused(
        changed(**{"xl/worksheets/sheet1.xml": sheet.replace(b"</sheetData>", far)})
    )


def test_an_old_workbook_is_refused_by_its_name(tmp_path: Path):
    path = tmp_path / "form.xls"
    path.write_bytes(b"x")
    with pytest.raises(InstrumentError, match="old format"):
        read_xlsform(path)


def test_a_path_that_does_not_exist_is_a_finding():
    with pytest.raises(InstrumentError, match="cannot be read"):
        read_xlsform(GOOD.with_name("nothing.xlsx"))


def test_a_table_outside_the_folder_is_never_read(tmp_path: Path):
    folder = tmp_path / "forms"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("name,label\na,A\n", encoding="utf-8")
    import runpy

    build = runpy.run_path(str(GOOD.with_name("build.py")))
    build["write"](
        folder / "form.xlsx",
        {"survey": [build["q"]("select_one_from_file ../secret.csv", "a")], "settings": [build["SETTINGS"]]},
    )
    with pytest.raises(InstrumentError, match="is not there"):
        read_xlsform(folder / "form.xlsx")


def test_tables_of_an_upload_come_along_by_name():
    content = GOOD.with_name("pulldata.xlsx").read_bytes()
    with pytest.raises(InstrumentError, match=r"occupations\.csv"):
        read_xlsform(content)
    form = read_xlsform(content, tables={"occupations.csv": b"\xef\xbb\xbfname;label;wage\nwelder;Lasser;2600\n"})
    assert form.tables["occupations"][0]["wage"] == "2600"
