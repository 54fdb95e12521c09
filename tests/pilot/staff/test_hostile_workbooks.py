"""Workbooks and posts that are broken, huge or made to do harm: told so at the door, on the page and by the command."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import Workbook
from sqlalchemy import func, select

from pilot.cli import main
from pilot.models import QuestionnaireDraft
from pilot.web.instruments import words as spoken
from surveys import check_xlsform
from surveys.expressions.patterns import CAUSES

EXAMPLES = Path(__file__).parents[2] / "surveys" / "examples" / "broken"


def book(*rows: list[str], title: str = "survey") -> bytes:
    made, target = Workbook(), io.BytesIO()
    sheet = made.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    made.save(target)
    return target.getvalue()


HEAD = ["type", "name", "label"]
ASKED = ["text", "a", "A"]


def with_part(name: str, content: bytes) -> bytes:
    source, target = io.BytesIO(book(HEAD, ASKED)), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, old.read(part.filename))
        new.writestr(name, content)
    return target.getvalue()


def deep() -> bytes:
    open_ = [["begin group", f"g{n}", "G"] for n in range(700)]
    return book(HEAD, *open_, ASKED, *[["end group", "", ""]] * 700)


BROKEN: dict[str, tuple[bytes, str]] = {
    "no sheet with questions": (book(HEAD, ASKED, title="vragen"), "there is no sheet 'survey'"),
    "an unknown type": (book(HEAD, ["signature", "a", "A"]), "there is no question type 'signature'"),
    "macros": (with_part("xl/vbaProject.bin", b"x"), "a workbook with macros is not accepted"),
    "a zip bomb": (with_part("xl/media/image1.png", b"0" * (50 * 2**20)), "far larger inside than outside"),
    "seven hundred groups inside each other": (deep(), "more than 20 groups inside each other"),
    "a pattern without end": (
        book([*HEAD, "constraint"], [*ASKED, r"regex(., '^(a+)\1+$')"]),
        "refers back to an earlier part",
    ),
    "a document type definition": (
        with_part("xl/evil.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'),
        "document type definition",
    ),
    "a picture with another name": (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "not an .xlsx workbook"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 64, "not an .xlsx workbook"),
    "nothing between the columns": (book(["a", "b"], ["c", "d"]), "there is no column 'type'"),
}


MENDABLE = {"a pattern without end"}
"""What can be mended in the editor may be kept as a draft."""


def drafts(office) -> int:
    with office.database.reading() as session:
        return session.scalar(select(func.count()).select_from(QuestionnaireDraft)) or 0


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&#39;", "'").split())


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_workbook_is_refused_in_the_same_words_on_the_page_as_a_draft_and_by_the_command(
    reading_room, name: str, tmp_path, monkeypatch
):
    content, said = BROKEN[name]
    before = drafts(reading_room)
    doors = [("instruments", {}), ("instruments/drafts", {"name": "kept"})]
    for path, more in doors[:1] if name in MENDABLE else doors:
        file = (io.BytesIO(content), "mine.xlsx")
        answer = reading_room.post("researcher", path, page="instruments", file=file, **more)
        assert answer.status_code == 422, name
        assert said in words(answer.text), words(answer.text)[:3000]
    assert drafts(reading_room) == before
    monkeypatch.setenv("PILOT_KIND", "test")
    monkeypatch.setenv("PILOT_HOME", str(tmp_path))
    (tmp_path / "mine.xlsx").write_bytes(content)
    told = CliRunner().invoke(main, ["survey", "import", str(tmp_path / "mine.xlsx")])
    assert told.exit_code == 1
    assert said in " ".join(told.output.split())


def test_a_file_of_fifty_megabytes_is_refused_by_the_command_unread(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOT_KIND", "test")
    monkeypatch.setenv("PILOT_HOME", str(tmp_path))
    with (tmp_path / "large.xlsx").open("wb") as file:
        file.truncate(50 * 2**20)
    told = CliRunner().invoke(main, ["survey", "import", str(tmp_path / "large.xlsx")])
    assert told.exit_code == 1
    assert "the file is 50 MB; at most 10 MB is read" in told.output


STRANGE: dict[str, dict[str, str]] = {
    "a version that is no number": {"version": "٣"},
    "a version that does not exist": {"version": "99999999"},
    "a negative version": {"version": "-1"},
    "a count of choices without end": {"version": "1", "choices": "9" * 30},
    "choices that are not there": {"version": "1", "choices": "500"},
    "a known choice that is unknown": {"version": "1", "choices": "1", "choice-1-known": "zzz", "choice-1-name": "zzz"},
    "emoji": {"version": "1", "label-nl": "😀" * 500},
    "control characters": {"version": "1", "label-nl": "a\x00b\x1bc"},
    "half an expression": {"version": "1", "relevant": "${"},
    "a language that the form does not speak": {"version": "1", "label-xx": "?"},
    "parameters without sense": {"version": "1", "parameters": "=== a= =b seed=${"},
    "brackets without end": {"version": "1", "relevant": "(" * 2000},
    "marks without number": {"version": "1", "parameters": f"start=0 end={'9' * 400} step=1"},
    "a template": {"version": "1", "label-nl": "{{ 7*7 }}<script>alert(1)</script>"},
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_post_to_the_editor_is_taken_or_refused_and_every_page_still_opens(reading_room, name: str):
    office, own = reading_room, name.replace(" ", "_")[:40]
    begun = office.post("researcher", "instruments/drafts", page="instruments", of="baseline", name=own)
    assert begun.status_code == 303
    path = f"instruments/drafts/{own}"
    answer = office.post("researcher", f"{path}/q/work", **STRANGE[name])
    assert answer.status_code in (303, 404, 409, 422)
    for page in (path, f"{path}/q/work", f"{path}/q/work/preview", f"{path}/form.xlsx", f"{path}/form.json"):
        shown = office.browser("researcher").get(f"/{office.slug}/{page}")
        assert shown.status_code == 200, page
        assert b"<script>alert" not in shown.data or page.endswith("json")


def all_said() -> set[str]:
    """What the checks say about every broken example, and about every file that is refused here."""
    found: set[str] = set()
    for file in EXAMPLES.glob("*.xlsx"):
        found |= {part for one in check_xlsform(file)[1] for part in (one.message, one.remedy)}
    for content, _said in BROKEN.values():
        found |= {part for one in check_xlsform(content)[1] for part in (one.message, one.remedy)}
    return (found | {part for cause in CAUSES.values() for part in cause}) - {""}


def test_what_is_wrong_with_a_workbook_is_said_in_dutch_on_a_dutch_page(reading_room):
    with reading_room.app.test_request_context("/?lang=nl"):
        english = sorted(text for text in all_said() if "<span lang" in str(spoken.said(text)) or not spoken.said(text))
        assert english == []
        assert spoken.said("there is no question 'agee'") == "er is geen vraag 'agee'"
        assert spoken.said("did you mean 'age'?") == "bedoelt u 'age'?"
        assert str(spoken.said("nobody knows this sentence")).startswith('<span lang="en"')
    with reading_room.app.test_request_context("/?lang=en"):
        assert spoken.said("there is no question 'agee'") == "there is no question 'agee'"


def test_a_dutch_researcher_reads_the_mistake_in_the_editor_in_dutch(reading_room):
    file = (io.BytesIO(BROKEN["a pattern without end"][0]), "mine.xlsx")
    answer = reading_room.browser("researcher").post(
        f"/{reading_room.slug}/instruments?lang=nl",
        data={"file": file, "csrf_token": token(reading_room)},
        base_url=reading_room.settings.base_url,
        headers={"Referer": reading_room.settings.base_url},
    )
    assert "verwijst terug naar een eerder deel" in words(answer.text)


def token(office) -> str:
    shown = office.browser("researcher").get(f"/{office.slug}/instruments", base_url=office.settings.base_url).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', shown)
    assert found
    return found[1]
