"""Lists and pictures beside a workbook: found, bounded, and what is wrong in them named by file, row and column."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from surveys import InstrumentError, check_xlsform, read_xlsform
from surveys.beside import gather, missing_media, near

EXAMPLES = Path(__file__).parent / "examples"
FORM = (EXAMPLES / "select_from_file.xlsx").read_bytes()
LIST = (EXAMPLES / "occupations.csv").read_bytes()


def packed(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def said(content: bytes) -> list[tuple[str, int | None, str | None, str]]:
    _form, findings = check_xlsform(FORM, tables={"occupations.csv": content})
    return [(f.sheet, f.row, f.column, f.message) for f in findings if f.severity == "error"]


def test_a_list_in_a_zip_is_found_as_one_that_lies_loose():
    loose = read_xlsform(FORM, tables=gather([("occupations.csv", LIST)]))
    zipped = packed({"lists/occupations.csv": LIST, "__MACOSX/lists/._occupations.csv": b"x", "lists/.DS_Store": b"x"})
    assert read_xlsform(FORM, tables=gather([("all.zip", zipped)])) == loose
    assert near(EXAMPLES / "select_from_file.xlsx")["occupations.csv"] == LIST


def test_without_its_list_a_form_says_which_file_is_missing_and_in_which_row():
    _form, findings = check_xlsform(FORM)
    assert [(f.row, f.message) for f in findings] == [(2, "the file 'occupations.csv' is not there")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"nam,label\na,A\n", ("occupations.csv", 1, "name", "there is no column 'name'")),
        (b"name,labl\na,A\n", ("occupations.csv", 1, "label", "there is no column 'label'")),
        (b"name,label\na,A\n\n,B\n", ("occupations.csv", 4, "name", "the cell is empty")),
        (b"name,label\na b,A\n", ("occupations.csv", 2, "name", "the choice 'a b' holds a space")),
        (b"name,label\na,A\nb,B\na,C\n", ("occupations.csv", 4, "name", "the choice 'a' is also in row 2")),
        (b"name,label\na,A,too,many\n", ("occupations.csv", 2, None, "the row has 4 cells and the header 2")),
        (b"name,label,label\na,A,B\n", ("occupations.csv", 1, "label", "the column 'label' is there twice")),
        (b"name,label\na,A\nb,\xff\n", ("occupations.csv", 3, None, "the file is not UTF-8 text")),
    ],
)
def test_what_is_wrong_in_a_list_is_named_by_file_row_and_column(content: bytes, expected):
    assert expected in said(content)


def test_an_unclosed_quote_is_told_with_its_row():
    (place,) = said(b'name,label\na,"A\n')
    assert place[0] == "occupations.csv"
    assert "not a table" in place[3]


@pytest.mark.parametrize("content", [b"", b"name,label\n", b"\n\n"])
def test_a_list_without_rows_is_told(content: bytes):
    assert "has no rows" in said(content)[0][3]


def bomb() -> bytes:
    return packed({"occupations.csv": b"0" * (30 * 2**20)})


def lying() -> bytes:
    """A zip whose directory says that a part is small, while it unpacks to far more."""
    content = bytearray(packed({"occupations.csv": b"0" * (5 * 2**20)}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 100)
    return bytes(content)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("a.zip", b"PK\x03\x04 nothing")], "no zip file"),
        ([("a.zip", b"")], "no zip file"),
        ([("a.zip", bomb())], "larger inside"),
        ([("a.zip", lying())], "larger than the zip says|damaged"),
        ([("a.zip", packed({"b.zip": packed({"c.csv": b"x"})}))], "a zip within a zip"),
        ([("a.zip", packed({f"{n}.csv": b"x" for n in range(51)}))], "more than 50 files"),
        ([(f"{n}.csv", b"x") for n in range(51)], "more than 50 files"),
        ([("a.csv", b"x"), ("a.zip", packed({"in/a.csv": b"y"}))], "twice, with another content"),
        ([(f"{n}.csv", bytes(4 * 2**20)) for n in range(3)], "more than 10 MB"),
    ],
)
def test_a_zip_that_is_too_much_or_not_what_it_says_is_refused_by_name(files, message: str):
    with pytest.raises(InstrumentError, match=message):
        gather(files)


def test_a_path_that_leads_outside_is_only_a_name():
    assert gather([("a.zip", packed({"../../etc/towns.csv": b"x", "..\\jobs.csv": b"y"}))]) == {
        "towns.csv": b"x",
        "jobs.csv": b"y",
    }


def test_a_picture_that_a_form_names_and_nobody_handed_in_is_told_with_its_row():
    form = read_xlsform(EXAMPLES / "media.xlsx")
    missing = missing_media(form, ())
    assert missing
    assert all(finding.severity == "warning" for finding in missing)
    assert missing[0].row == form.questions[0].row
    assert missing_media(form, form.shown_files) == ()
