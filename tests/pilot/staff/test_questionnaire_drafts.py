"""Researchers write a questionnaire in the browser, version by version, and nothing that anybody wrote is lost."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from openpyxl import Workbook
from small_pilot import shipped
from sqlalchemy import select

from pilot import people
from pilot.models import Event, QuestionnaireDraft
from surveys import read_xlsform

EXAMPLES = Path(__file__).parents[2] / "surveys" / "examples"
DRAFTS = "instruments/drafts"


def begin(office, of: str = "baseline", name: str = "mine") -> str:
    answer = office.post("researcher", DRAFTS, page="instruments", of=of, name=name)
    assert answer.status_code == 303, answer.text
    return f"{DRAFTS}/{name}"


def in_browser(office, site: str, screen) -> None:
    cookie = office.browser("researcher").get_cookie("session").value
    screen.context.add_cookies([{"name": "session", "value": cookie, "url": site}])


def test_the_editor_is_accessible_fits_the_smallest_telephone_and_needs_no_mouse(office, serve, new_page, axe):
    site, screen = serve(office.app), new_page(viewport={"width": 320, "height": 640})
    in_browser(office, site, screen)
    begin(office)
    room = f"{site}/{office.slug}/{DRAFTS}/mine"
    screen.goto(f"{room}/q/work")
    screen.focus("#relevant")
    screen.keyboard.type("${niets} = 1")
    with screen.expect_navigation():
        screen.keyboard.press("Enter")
    assert "er is geen vraag 'niets'" in (screen.text_content("main") or "")
    screen.goto(f"{room}/q/work")
    screen.click("summary:has-text('Een andere naam geven')")
    screen.fill("#new_name", "werk")
    with screen.expect_navigation():
        screen.keyboard.press("Enter")
    assert screen.url.endswith("/q/werk")
    screen.goto(f"{site}/{office.slug}/instruments")
    screen.fill("#name", "nieuw")
    with screen.expect_navigation():
        screen.keyboard.press("Enter")
    assert screen.url.endswith("/instruments/drafts")
    for path in (f"{room}/q/werk", room, f"{room}/q/werk/preview", f"{site}/{office.slug}/instruments"):
        screen.goto(path)
        assert axe(screen) == []
        assert screen.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def fields_of(office, path: str) -> dict[str, str]:
    """The form of a page as a browser would send it back unchanged."""

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, str] = {}
            self.area = ""
            self.inside = False

        def handle_starttag(self, tag, attrs):
            given = {key: value or "" for key, value in attrs}
            if tag == "form":
                self.inside = "editor" in given.get("class", "")
            name = given.get("name", "")
            if not self.inside or not name:
                return
            if tag == "textarea":
                self.area, self.found[name] = name, ""
            elif tag == "input" and given.get("type") != "checkbox":
                self.found[name] = given.get("value", "")

        def handle_endtag(self, tag):
            self.area = "" if tag == "textarea" else self.area

        def handle_data(self, data):
            if self.area:
                self.found[self.area] += data.removeprefix("\n")

    reader = Reader()
    reader.feed(office.html("researcher", path))
    return reader.found


def draft(office, name: str = "mine") -> list[QuestionnaireDraft]:
    with office.database.reading() as session:
        query = select(QuestionnaireDraft).where(QuestionnaireDraft.name == name).order_by(QuestionnaireDraft.number)
        rows = list(session.scalars(query))
        for row in rows:
            assert row.content
        return rows


def words(answer) -> str:
    return " ".join(answer.text.split())


def test_a_draft_is_a_copy_and_the_locked_questionnaire_stays_as_it_is(office):
    path = begin(office)
    given = fields_of(office, f"{path}/q/work") | {"label-nl": "Werkt u?"}
    assert office.post("researcher", f"{path}/q/work", **given).status_code == 303
    first, second = draft(office)
    assert first.content == {**shipped().instruments["baseline"].to_dict(), "version": "2"}
    assert next(c for c in second.content["children"] if c["name"] == "work")["label"]["nl"] == "Werkt u?"
    taken = office.browser("researcher").get(f"/{office.slug}/instruments/baseline/form.xlsx").data
    assert read_xlsform(taken).question("work").label == shipped().instruments["baseline"].question("work").label
    with office.database.reading() as session:
        written = session.scalars(select(Event).where(Event.kind == "questionnaire_drafted")).all()
        assert [event.detail["number"] for event in written] == [1, 2]


def test_saving_what_stands_there_changes_nothing(office):
    path = begin(office)
    answer = office.post("researcher", f"{path}/q/work", **fields_of(office, f"{path}/q/work"))
    assert answer.status_code == 303
    assert "Nothing was changed." in office.get("researcher", path)
    assert len(draft(office)) == 1


@pytest.mark.parametrize("of", ["screening", "baseline", "followup_12m"])
def test_no_question_of_a_shipped_form_is_changed_by_opening_and_saving_it(office, of: str):
    path = begin(office, of=of)
    for question in shipped().instruments[of].questions[::4]:
        given = fields_of(office, f"{path}/q/{question.name}")
        assert office.post("researcher", f"{path}/q/{question.name}", **given).status_code == 303
    assert len(draft(office)) == 1


def test_a_sentence_that_is_too_long_is_shown_with_its_language_and_a_mistake_with_its_column(office):
    path = begin(office)
    long = "Wilt u ons vertellen of u in de afgelopen twaalf maanden wel eens een cursus of opleiding hebt gevolgd?"
    given = fields_of(office, f"{path}/q/work") | {"label-nl": long, "relevant": "${nothing} = 1"}
    assert office.post("researcher", f"{path}/q/work", **given).status_code == 303
    said = office.get("researcher", f"{path}/q/work")
    assert f"Make this shorter: {long}" in said
    assert "Longest sentence: 19 words, at most 15." in said
    assert "relevant: there is no question 'nothing'" in said
    assert "1 mistake, 1 text to make easier." in office.get("researcher", path)


def test_two_researchers_on_different_questions_keep_both_changes(office):
    path = begin(office)
    mine = fields_of(office, f"{path}/q/work") | {"label-nl": "Werkt u nu?"}
    theirs = fields_of(office, f"{path}/q/hours_worked") | {"label-nl": "Hoeveel uur werkt u?"}
    assert office.post("researcher", f"{path}/q/work", **mine).status_code == 303
    assert office.post("researcher", f"{path}/q/hours_worked", **theirs).status_code == 303
    assert "Both changes are kept" in office.get("researcher", path)
    form = {child["name"]: child for child in draft(office)[-1].content["children"]}
    assert form["work"]["label"]["nl"] == "Werkt u nu?"
    assert form["hours_worked"]["label"]["nl"] == "Hoeveel uur werkt u?"


def test_two_researchers_on_one_question_see_each_others_words_and_nothing_is_lost(office):
    path = begin(office)
    before = fields_of(office, f"{path}/q/work")
    assert office.post("researcher", f"{path}/q/work", **before | {"label-nl": "Van hen?"}).status_code == 303
    answer = office.post("researcher", f"{path}/q/work", **before | {"label-nl": "Van mij?"})
    assert answer.status_code == 409
    assert "Somebody else changed this question too" in answer.text
    assert "Van hen?" in answer.text
    assert ">\nVan mij?</textarea>" in answer.text
    assert len(draft(office)) == 2
    again = before | {"label-nl": "Van mij?", "version": "2"}
    assert office.post("researcher", f"{path}/q/work", **again).status_code == 303
    labels = [next(c for c in row.content["children"] if c["name"] == "work")["label"]["nl"] for row in draft(office)]
    assert labels[1:] == ["Van hen?", "Van mij?"]


def test_a_question_is_added_filled_moved_and_removed_and_an_earlier_version_stands_again(office):
    path = begin(office, of="screening")
    size = len(shipped().instruments["screening"].questions)
    answer = office.post(
        "researcher", f"{path}/add", page=path, version="1", name="colour", kind="select_one", list="", after=""
    )
    assert answer.location.endswith("/q/colour")
    assert "has no choices yet" in office.get("researcher", f"{path}/q/colour")
    given = fields_of(office, f"{path}/q/colour") | {
        "label-nl": "Welke kleur?", "label-en": "Which colour?", "choice-1-name": "red", "choice-1-label-nl": "Rood",
        "choice-1-label-en": "Red", "choice-2-name": "blue", "choice-2-label-nl": "Blauw", "choice-2-label-en": "Blue",
    }  # fmt: skip
    assert office.post("researcher", f"{path}/q/colour", **given).status_code == 303
    given = fields_of(office, f"{path}/q/colour") | {"choice-1-place": "2", "choice-2-place": "1"}
    assert office.post("researcher", f"{path}/q/colour", **given).status_code == 303
    assert [c["name"] for c in draft(office)[-1].content["lists"]["colour"]] == ["blue", "red"]
    assert "Nothing to mend." in office.get("researcher", path)
    assert office.post("researcher", f"{path}/move", page=path, version="4", down="colour").status_code == 303
    assert draft(office)[-1].content["children"][1]["name"] == "colour"
    assert office.post("researcher", f"{path}/remove", page=path, version="5", question="colour").status_code == 303
    assert office.post("researcher", f"{path}/restore", page=path, version="6", wanted="4").status_code == 303
    rows = draft(office)
    assert [row.deed for row in rows] == ["copied", "added", "changed", "changed", "moved", "removed", "restored"]
    assert rows[-1].content == rows[3].content
    taken = office.browser("researcher").get(f"/{office.slug}/{path}/form.xlsx").data
    assert len(read_xlsform(taken).questions) == size + 1
    as_json = json.loads(office.browser("researcher").get(f"/{office.slug}/{path}/form.json").data)
    assert as_json == rows[-1].content


def test_a_question_is_put_at_a_place_by_name_also_when_somebody_changed_its_words(office):
    path = begin(office)
    given = fields_of(office, f"{path}/q/work") | {"label-nl": "Werkt u?"}
    assert office.post("researcher", f"{path}/q/work", **given).status_code == 303
    moved = {"version": "1", "moved": "work", "after": ""}
    assert office.post("researcher", f"{path}/move", page=f"{path}/q/work", **moved).status_code == 303
    first = draft(office)[-1].content["children"][0]
    assert (first["name"], first["label"]["nl"]) == ("work", "Werkt u?")
    away = {"version": "1", "question": "work"}
    refused = office.post("researcher", f"{path}/remove", page=f"{path}/q/work", **away)
    assert refused.status_code == 409
    assert "Look at it first" in refused.text
    assert office.browser("researcher").get(f"/{office.slug}/{path}/form.xlsx?version={10**30}").status_code == 404


def test_the_form_gets_another_title_and_two_who_do_that_at_once_are_told(office):
    path = begin(office)
    given = {"page": path, "version": "1", "title": "Nieuwe start", "form_version": "2026-2"}
    assert office.post("researcher", f"{path}/form", **given).status_code == 303
    assert (draft(office)[-1].content["title"], draft(office)[-1].content["version"]) == ("Nieuwe start", "2026-2")
    late = office.post("researcher", f"{path}/form", **{**given, "title": "Anders"})
    assert late.status_code == 409
    assert "Somebody else changed the same thing" in late.text
    assert office.post("researcher", f"{path}/form", **{**given, "title": "x" * 201}).status_code == 422
    assert len(draft(office)) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "work"}, "used already"),
        ({"name": "een vraag"}, "is not possible"),
        ({"name": ""}, "is not possible"),
        ({"name": "x", "kind": "poem"}, "Choose what kind"),
        ({"name": "x", "after": "gone"}, "not there any more"),
    ],
)
def test_a_question_that_cannot_be_added_is_refused_in_words(office, given: dict[str, str], said: str):
    path = begin(office)
    answer = office.post("researcher", f"{path}/add", page=path, **{"version": "1", "kind": "text", **given})
    assert answer.status_code == 422
    assert said in answer.text
    assert len(draft(office)) == 1


def test_a_mistake_in_the_choices_or_a_text_of_ten_thousand_characters_keeps_what_was_typed(office):
    path = begin(office)
    before = fields_of(office, f"{path}/q/work")
    for change, said in (
        ({"label-nl": "x" * 10_000}, "at most 2000 characters"),
        ({"choice-1-place": "eerst"}, "a whole number"),
    ):
        answer = office.post("researcher", f"{path}/q/work", **before | {"hint-nl": "Bewaar mij"} | change)
        assert answer.status_code == 422
        assert said in answer.text
        assert "Bewaar mij" in answer.text
    assert len(draft(office)) == 1


def test_a_question_is_seen_as_a_participant_gets_it_in_each_language(office):
    path = begin(office)
    page = office.browser("researcher").get(f"/{office.slug}/{path}/q/work/preview?in=nl&lang=en").text
    assert shipped().instruments["baseline"].question("work").label["nl"] in page
    assert 'type="radio"' in page
    assert office.browser("researcher").get(f"/{office.slug}/{path}/q/nothing/preview").status_code == 404


def one_of_each(file: Path) -> bool:
    return file.stem in ("select_from_file", "select_other", "household", "rank", "range", "media", "languages")


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, marks=() if one_of_each(file) else pytest.mark.heavy, id=file.stem)
        for file in sorted(EXAMPLES.glob("*.xlsx"))
    ],
)
def test_every_example_can_be_put_in_edited_and_previewed(reading_room, file: Path):
    office, name = reading_room, file.stem
    beside = [(io.BytesIO(csv.read_bytes()), csv.name) for csv in EXAMPLES.glob("*.csv")]
    answer = office.post(
        "researcher", DRAFTS, page="instruments", name=name, file=(io.BytesIO(file.read_bytes()), file.name),
        beside=beside,
    )  # fmt: skip
    assert answer.status_code == 303, words(answer)[:2000]
    form = read_xlsform(file)
    shown = [q for q in form.questions if not q.silent]
    for question in shown[:3]:
        given = fields_of(office, f"{DRAFTS}/{name}/q/{question.name}")
        if f"{question.name}_other" != question.name and "version" in given:
            kept = office.post("researcher", f"{DRAFTS}/{name}/q/{question.name}", **given)
            assert kept.status_code in (303, 422), words(kept)[:500]
        page = office.browser("researcher").get(f"/{office.slug}/{DRAFTS}/{name}/q/{question.name}/preview")
        assert page.status_code == 200
    assert len(draft(office, name)) == 1
    taken = office.browser("researcher").get(f"/{office.slug}/{DRAFTS}/{name}/form.json").data
    assert json.loads(taken) == form.to_dict()


def test_who_may_not_propose_a_protocol_reads_drafts_and_changes_nothing(office):
    path = begin(office)
    assert "Save and look again" not in office.html("statistician", f"{path}/q/work")
    answer = office.browser("statistician").post(f"/{office.slug}/{path}/q/work", data={"version": "1"})
    assert answer.status_code in (400, 404)
    assert office.browser("advisor").get(f"/{office.slug}/{path}").status_code == 404
    assert len(draft(office)) == 1


@pytest.mark.parametrize(
    ("name", "said"), [("mine", "a draft with that name already"), ("Één", "small letters"), ("", "small letters")]
)
def test_a_draft_needs_a_name_of_its_own(office, name: str, said: str):
    begin(office)
    answer = office.post("researcher", DRAFTS, page="instruments", of="screening", name=name)
    assert answer.status_code == 422
    assert said in answer.text
    with office.database.reading() as session:
        assert people.by_email(session, "researcher@proef.nl")
        assert len(session.scalars(select(QuestionnaireDraft)).all()) == 1


def asked(office, name: str = "mine") -> dict[str, dict]:
    return {child["name"]: child for child in draft(office, name)[-1].content["children"]}


def test_a_question_gets_another_name_and_the_form_follows_and_the_protocol_is_named(office):
    path = begin(office, of="screening")
    answer = office.post("researcher", f"{path}/q/age/rename", page=f"{path}/q/age", version="1", new_name="years")
    assert answer.location.endswith("/q/years")
    said = office.get("researcher", f"{path}/q/years")
    assert "age is now called years" in said
    assert "The protocol still says age:" in said
    assert "population eligibility 1 rule" in said
    assert "years" in asked(office)
    assert "renamed: age – years" in office.get("researcher", path)
    for wrong, why in (("een vraag", "is not possible"), ("schooling", "used already")):
        refused = office.post("researcher", f"{path}/q/years/rename", page=path, version="2", new_name=wrong)
        assert refused.status_code == 422
        assert why in refused.text
        assert f'value="{wrong}"' in refused.text
    assert len(draft(office)) == 2


def test_who_saves_a_question_that_got_another_name_meanwhile_is_told(office):
    path = begin(office)
    mine = fields_of(office, f"{path}/q/work") | {"label-nl": "Werkt u nu?"}
    office.post("researcher", f"{path}/q/work/rename", page=path, version="1", new_name="job")
    late = office.post("researcher", f"{path}/q/work", page=path, **mine)
    assert late.status_code == 409
    assert "There is no question &#39;work&#39; in this draft any more" in late.text
    assert "job" in late.text


def test_a_name_in_an_expression_that_cannot_be_read_stops_the_new_name_with_its_place(office):
    path = begin(office)
    given = fields_of(office, f"{path}/q/hours_worked") | {"relevant": "work = 'yes'"}
    assert office.post("researcher", f"{path}/q/hours_worked", **given).status_code == 303
    refused = office.post("researcher", f"{path}/q/work/rename", page=path, version="2", new_name="job")
    assert refused.status_code == 422
    assert "hours_worked&#39; refers to it in the column relevant" in refused.text
    assert len(draft(office)) == 2


def test_a_copy_and_a_removal_are_undone_by_one_button(office):
    path = begin(office)
    first = draft(office)[0].content
    made = office.post("researcher", f"{path}/q/work/copy", page=path, version="1")
    assert made.location.endswith("/q/work_2")
    names = list(asked(office))
    assert names[names.index("work") + 1] == "work_2"
    assert "Undo the last change (a copy made: work)" in office.get("researcher", path)
    assert office.post("researcher", f"{path}/restore", page=path, version="2", wanted="1").status_code == 303
    assert draft(office)[-1].content == first
    assert office.post("researcher", f"{path}/remove", page=path, version="3", question="work").status_code == 303
    assert "Undo the last change (removed: work)" in office.get("researcher", path)
    assert office.post("researcher", f"{path}/restore", page=path, version="4", wanted="3").status_code == 303
    assert draft(office)[-1].content == first


def test_a_language_is_added_and_every_missing_text_is_listed_until_it_is_filled_in(office):
    path = begin(office)
    assert office.post("researcher", f"{path}/language", page=path, version="1", language="tr").status_code == 303
    assert draft(office)[-1].content["languages"] == ["nl", "en", "tr"]
    assert ": 'work' has no label in 'tr'" in office.get("researcher", f"{path}/q/work")
    given = fields_of(office, f"{path}/q/work") | {"label-tr": "Çalışıyor musunuz?"}
    assert office.post("researcher", f"{path}/q/work", **given).status_code == 303
    assert ": 'work' has no label in 'tr'" not in office.get("researcher", f"{path}/q/work")
    again = office.post("researcher", f"{path}/language", page=path, version="3", language="tr")
    assert again.status_code == 422
    assert "has this language already" in again.text


def test_the_preview_shows_the_pictures_of_the_folder_and_names_those_that_are_missing(office_of_a_folder):
    office, file = office_of_a_folder, EXAMPLES / "media.xlsx"
    folder = office.settings.protocols / office.slug / "media"
    folder.mkdir(parents=True)
    for name in ("fruit.png", "secret.png"):
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    kept = office.post(
        "researcher", DRAFTS, page="instruments", name="mine", file=(io.BytesIO(file.read_bytes()), file.name)
    )
    assert kept.status_code == 303
    page = office.browser("researcher").get(f"/{office.slug}/{DRAFTS}/mine/q/fruit/preview?lang=en").text
    assert f'src="/{office.slug}/{DRAFTS}/mine/media/fruit.png"' in page
    assert "These files are not there yet: fruit.mp3, apple.png, pear.png." in page
    for name, status in (("fruit.png", 200), ("apple.png", 404), ("secret.png", 404), ("..", 404)):
        answer = office.browser("researcher").get(f"/{office.slug}/{DRAFTS}/mine/media/{name}")
        assert answer.status_code == status, name


@pytest.mark.parametrize(("spoken", "code", "way"), [("Tigrinya", "tigrinya", "auto"), ("Arabisch (ar)", "ar", "rtl")])
def test_a_question_in_any_language_can_be_edited_and_previewed(office, spoken: str, code: str, way: str):
    book = Workbook()
    for row in (["type", "name", "label::Nederlands (nl)", f"label::{spoken}"], ["text", "a", "Vraag", "B"]):
        book.worksheets[0].append(row)
    book.worksheets[0].title = "survey"
    file = io.BytesIO()
    book.save(file)
    kept = office.post(
        "researcher", DRAFTS, page="instruments", name="mine", file=(io.BytesIO(file.getvalue()), "x.xlsx")
    )
    assert kept.status_code == 303
    assert office.browser("researcher").get(f"/{office.slug}/{DRAFTS}/mine/q/a").status_code == 200
    page = office.browser("researcher").get(f"/{office.slug}/{DRAFTS}/mine/q/a/preview?in={code}&lang=nl")
    assert page.status_code == 200
    assert f'lang="{code}" dir="{way}">B</span>' in page.text
