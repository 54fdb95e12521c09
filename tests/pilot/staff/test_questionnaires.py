"""The researcher puts a workbook in and hears, cell by cell and sentence by sentence, what to mend."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from openpyxl import Workbook, load_workbook

from pilot.cli import main
from surveys import read_xlsform

EXAMPLES = Path(__file__).parents[2] / "surveys" / "examples"
SHIPPED = Path(__file__).parents[3] / "protocols" / "ontwikkeladvies"


def put_in(office, content: bytes, name: str):
    return office.post("researcher", "instruments", file=(io.BytesIO(content), name))


def words(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def workbook(*rows: list[str]) -> bytes:
    book, target = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.title = "survey"
    for row in rows:
        sheet.append(row)
    book.save(target)
    return target.getvalue()


def test_a_workbook_with_mistakes_is_answered_with_their_sheet_row_and_column(office):
    answer = put_in(office, (EXAMPLES / "broken" / "unknown_reference.xlsx").read_bytes(), "mine.xlsx")
    assert answer.status_code == 422
    assert "survey 3 relevant there is no question &#39;agee&#39; did you mean &#39;age&#39;?" in words(answer)
    assert "Error:" in answer.text.partition("</title>")[0]


def test_a_good_workbook_is_said_to_be_usable_and_nothing_is_kept(office):
    before = office.get("researcher", "protocol")
    answer = put_in(office, (EXAMPLES / "repeat.xlsx").read_bytes(), "mine.xlsx")
    assert answer.status_code == 200
    assert "can be used" in answer.text
    assert office.get("researcher", "protocol") == before


def test_a_sentence_that_is_too_long_is_shown_to_be_mended(office):
    long = "Wilt u ons vertellen of u in de afgelopen twaalf maanden wel eens een cursus of opleiding hebt gevolgd?"
    answer = put_in(office, workbook(["type", "name", "label"], ["text", "a", long]), "mine.xlsx")
    assert "sentence too long (words)" in answer.text
    assert long in answer.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose a file first"),
        (b"PK\x03\x04nothing", "not an .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0", "not an .xlsx"),
    ],
)
def test_a_file_that_is_no_workbook_is_told_so(office, content: bytes, said: str):
    answer = put_in(office, content, "mine.xlsx")
    assert answer.status_code == 422
    assert said in answer.text


def test_a_file_of_fifty_megabytes_is_refused_before_it_is_read(office):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="mine.xlsx"\r\n\r\n'
    answer = office.browser("researcher").post(
        f"/{office.slug}/instruments", data=head + b"\0" * (50 * 2**20), content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 413


def beside(*names: str) -> list[tuple[io.BytesIO, str]]:
    return [(io.BytesIO((EXAMPLES / name).read_bytes()), name) for name in names]


def test_a_list_is_put_in_beside_the_workbook_loose_or_in_a_zip(office):
    form = (EXAMPLES / "select_from_file.xlsx").read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(EXAMPLES / "occupations.csv", "lists/occupations.csv")
    packed.seek(0)
    for files in (beside("occupations.csv"), [(packed, "lists.zip")]):
        answer = office.post("researcher", "instruments", file=(io.BytesIO(form), "mine.xlsx"), beside=files)
        assert answer.status_code == 200, words(answer)
    alone = put_in(office, form, "mine.xlsx")
    assert alone.status_code == 422
    assert "survey 2 type the file &#39;occupations.csv&#39; is not there put it beside the workbook" in words(alone)


def test_a_mistake_in_a_list_is_named_by_file_row_and_column(office):
    form, wrong = (EXAMPLES / "select_from_file.xlsx").read_bytes(), io.BytesIO(b"name,label\na,A\na b,B\n")
    answer = office.post(
        "researcher", "instruments", file=(io.BytesIO(form), "mine.xlsx"), beside=[(wrong, "occupations.csv")]
    )
    assert answer.status_code == 422
    assert "occupations.csv 3 name the choice &#39;a b&#39; holds a space" in words(answer)


def test_a_picture_that_the_workbook_names_is_missed_by_name(office):
    form = (EXAMPLES / "media.xlsx").read_bytes()
    answer = put_in(office, form, "mine.xlsx")
    assert answer.status_code == 200
    assert "is not there hand it in beside the workbook" in words(answer)


def test_the_command_takes_lists_beside_the_workbook_too(run, tmp_path):
    (tmp_path / "form.xlsx").write_bytes((EXAMPLES / "select_from_file.xlsx").read_bytes())
    said = run("survey", "import", tmp_path / "form.xlsx")
    assert said.exit_code == 1
    assert "survey, row 2, column type: the file 'occupations.csv' is not there" in said.output
    said = run("survey", "import", tmp_path / "form.xlsx", "--beside", EXAMPLES / "occupations.csv")
    assert said.exit_code == 0, said.output
    (tmp_path / "bad.zip").write_bytes(b"PK nothing")
    said = run("survey", "import", tmp_path / "form.xlsx", "--beside", tmp_path / "bad.zip")
    assert said.exit_code == 1
    assert "bad.zip: this is no zip file, or it is damaged" in said.output


def test_a_protocol_reads_the_lists_in_the_folder_of_its_workbooks(run, tmp_path):
    def with_a_list(file: Path) -> bytes:
        if file.stem != "session":
            return file.read_bytes()
        return (EXAMPLES / "select_from_file.xlsx").read_bytes()

    folder = protocol_with(tmp_path, with_a_list)
    assert "the file 'occupations.csv' is not there" in run("protocol", "check", folder).output
    (folder / "instruments" / "occupations.csv").write_bytes((EXAMPLES / "occupations.csv").read_bytes())
    assert "occupations.csv" not in run("protocol", "check", folder).output


def test_what_the_pilot_asks_can_be_taken_away_as_codebook_workbook_and_dictionary(office):
    browser = office.browser("researcher")
    take = lambda file: browser.get(f"/{office.slug}/instruments/baseline/{file}").data  # noqa: E731
    assert json.loads(take("codebook.json"))[0]["variables"]
    assert ElementTree.fromstring(take("codebook.xml")).tag.endswith("codeBook")
    assert load_workbook(io.BytesIO(take("form.xlsx"))).sheetnames[0] == "survey"
    assert take("redcap.csv").startswith(b"Variable")
    assert browser.get(f"/{office.slug}/instruments/baseline/secret.key").status_code == 404
    assert browser.get(f"/{office.slug}/instruments/nothing/form.xlsx").status_code == 404


def test_the_shipped_questionnaires_read_well(office):
    page = office.get("researcher", "instruments")
    assert "Every text reads well." in page
    assert "baseline" in page


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("PILOT_KIND", "test")
    monkeypatch.setenv("PILOT_HOME", str(tmp_path))
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def protocol_with(tmp_path: Path, change) -> Path:
    folder = tmp_path / "protocol"
    folder.mkdir()
    (folder / "instruments").mkdir()
    for file in (SHIPPED / "instruments").glob("*.xlsx"):
        (folder / "instruments" / file.name).write_bytes(change(file))
    (folder / "protocol.yaml").write_text((SHIPPED / "protocol.yaml").read_text())
    return folder


def test_the_check_of_a_protocol_stops_at_a_sentence_that_is_too_hard_and_names_it(run, tmp_path):
    hard = "Wilt u ons nu vertellen welk deel van Nederland de plaats is waar u op dit moment het liefste woont?"

    def harden(file: Path) -> bytes:
        book = load_workbook(file)
        if file.stem == "screening":
            for row in book["survey"].iter_rows():
                for cell in row:
                    if cell.value == "In welk deel van Nederland woont u?":
                        cell.value = hard
        target = io.BytesIO()
        book.save(target)
        return target.getvalue()

    said = run("protocol", "check", protocol_with(tmp_path, harden))
    assert said.exit_code == 1
    assert "screening: region (nl): a sentence of 20 words, and at most 15 read well" in said.output
    assert hard in said.output


def test_the_check_says_which_languages_a_translator_still_has_to_see(run, tmp_path):
    folder = protocol_with(tmp_path, Path.read_bytes)
    file = folder / "protocol.yaml"
    file.write_text(
        file.read_text().replace("languages: [nl, en]", "languages: [nl, en]\n  interface_languages: [ar, tr]")
    )
    said = run("protocol", "check", folder)
    assert said.exit_code == 0, said.output
    assert "not yet seen by a translator: ar, tr" in said.output


@pytest.mark.parametrize("ending", ["xlsx", "csv", "json", "xml"])
def test_a_form_is_written_in_another_form_by_a_command(run, tmp_path, ending: str):
    target = tmp_path / f"form.{ending}"
    said = run("survey", "export", EXAMPLES / "constraint.xlsx", target)
    assert said.exit_code == 0, said.output
    assert target.stat().st_size > 100
    if ending in ("xlsx", "csv"):
        assert run("survey", "import", target).exit_code == 0
    if ending == "xlsx":
        assert read_xlsform(target) == read_xlsform(EXAMPLES / "constraint.xlsx")


def test_a_form_is_not_written_under_an_unknown_ending(run, tmp_path):
    said = run("survey", "export", EXAMPLES / "constraint.xlsx", tmp_path / "form.doc")
    assert said.exit_code == 1
    assert ".xlsx, .csv, .json, .xml" in said.output


def with_a_picture(file: Path) -> bytes:
    """The workbook; that of the screening names a picture beside its first question."""
    book = load_workbook(file)
    if file.stem == "screening":
        sheet = book["survey"]
        column = sheet.max_column + 1
        sheet.cell(1, column, "media::image::Nederlands (nl)")
        sheet.cell(2, column, "house.svg")
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_picture_that_a_questionnaire_names_must_be_there_and_is_locked_with_it(run, tmp_path):
    folder = protocol_with(tmp_path, with_a_picture)
    said = run("protocol", "check", folder)
    assert said.exit_code == 1
    assert "there is no file 'house.svg' in the folder 'media' of the protocol" in said.output
    (folder / "media").mkdir()
    prints = []
    for drawing in ("<svg/>", "<svg></svg>"):
        (folder / "media" / "house.svg").write_text(drawing)
        said = run("--json", "protocol", "check", folder)
        assert said.exit_code == 0, said.output
        prints.append(json.loads(said.output)["fingerprint"])
    assert prints[0] != prints[1]


def test_a_picture_of_another_kind_or_too_large_is_refused(run, tmp_path):
    folder = protocol_with(tmp_path, with_a_picture)
    (folder / "media").mkdir()
    (folder / "media" / "house.svg").write_bytes(b"x" * (2 * 2**20 + 1))
    said = run("protocol", "check", folder)
    assert said.exit_code == 1
    assert "larger than 2 MB" in said.output
