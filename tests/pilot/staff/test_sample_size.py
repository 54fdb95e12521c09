"""Sample size as a researcher uses it: numbers that can be changed, documents, money, and the wizard."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from sqlalchemy import select

from analysis.planning import Plan
from analysis.power import partially_nested
from analysis.power.errors import ImpossibleRequest
from pilot import sizing
from pilot.models import ProtocolVersion

PAGE = "sample-size"
ANSWERS = {
    "kind": "share", "groups": "2", "base": "15", "gain": "6", "whom": "takers", "take_up": "60", "take_up_low": "40",
    "take_up_high": "80", "elsewhere": "5", "loss": "40", "together": "no", "sure": "0.8",
}  # fmt: skip


def shown(office: Any, path: str = PAGE, *, lang: str = "en", **query: str) -> Any:
    return office.browser("researcher").get(f"/{office.slug}/{path}", query_string={"lang": lang, **query})


def read(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_the_page_shows_the_number_of_the_protocol_and_how_it_came_about(reading_room):
    words = read(shown(reading_room))
    assert "11,880 people in all" in words
    for told in ("Textbook number: 642", "Take-up: × 3.11", "Bonferroni", "What if one assumption is wrong?"):
        assert told in words


def test_a_changed_number_moves_the_answer_and_the_links_to_the_document_carry_it(reading_room):
    answer = shown(reading_room, take_up="80", people="1000")
    assert "6,570 people in all" in read(answer)
    assert "Power with 1,000 recruited in each group" in read(answer)
    for link in (r"design\.en\.pdf", r"design\.nl\.docx", "risk", "time", "trial", "money"):
        assert re.search(rf'{link}\?[^"]*take_up=80', answer.text)


def test_numbers_are_read_with_a_comma_and_written_as_the_reader_writes_them(reading_room):
    answer = shown(reading_room, lang="nl", take_up="62,5")
    assert answer.status_code == 200
    assert 'value="62,5"' in answer.text


@pytest.mark.parametrize(
    ("query", "field", "dutch"),
    [
        ({"take_up": "5"}, "take_up", "Het gebruik moet verschillen tussen de groepen."),
        ({"power": "4"}, "power", "De kans om het effect te vinden moet hoger zijn dan alfa"),
        ({"power": "200"}, "power", "Geef een getal tussen 1 en 99,99."),
        ({"take_up": "veel"}, "take_up", "Geef een getal tussen 0 en 100."),
        ({"outcomes.training_started_12m.effect": "0"}, "outcomes.training_started_12m.effect", "Dit effect kan niet."),
        ({"attrition.survey": "100"}, "attrition.survey", "De uitval moet minstens 0% zijn en lager dan 100%."),
        ({"people": "1"}, "people", "Geef een getal tussen 2 en"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_in_the_readers_language(reading_room, query, field, dutch):
    answer = shown(reading_room, lang="nl", **query)
    assert answer.status_code == 422
    assert dutch in read(answer)
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text


def test_only_the_part_that_moves_is_sent_when_a_script_asks_for_it(reading_room):
    answer = shown(reading_room, part="answer", take_up="70")
    assert "<html" not in answer.text
    assert "data-summary=" in answer.text
    refused = shown(reading_room, part="answer", take_up="5")
    assert refused.status_code == 422
    assert "come out the same" in read(refused)


@pytest.mark.parametrize("name", ["design.json", "design.html", "design.docx"])
def test_the_design_document_of_these_numbers_is_one_click(reading_room, name):
    answer = shown(reading_room, f"{PAGE}/document/{name}", take_up="80")
    assert answer.status_code == 200
    assert f"filename=ontwikkeladvies-{name}" in answer.headers["Content-Disposition"]
    if name == "design.json":
        assert "6,570" in json.dumps(json.loads(answer.text)["answer"])


@pytest.mark.parametrize(("name", "title", "analysis"), [
    ("design.nl.json", "Pilot ontwikkeladvies", "vond de vastgelegde analyse"),
    ("design.en.json", "Development advice pilot", "the registered analysis found"),
])  # fmt: skip
def test_the_document_comes_in_either_language_with_the_registered_analysis_simulated(
    reading_room, monkeypatch, name, title, analysis
):
    monkeypatch.setattr(sizing, "SECONDS", 0.9)
    found = json.loads(shown(reading_room, f"{PAGE}/document/{name}", lang="en").text)
    assert found["title"] == title
    assert analysis in json.dumps(found["answer"], ensure_ascii=False)
    assert found["simulation"]["estimator"] == "lin"


def test_the_page_says_the_chance_of_a_clear_result_and_two_assumptions_move_together(reading_room):
    assert "Chance of a clear result if the effect may lie anywhere in its range" in read(shown(reading_room))
    words = read(shown(reading_room, f"{PAGE}/risk"))
    assert "If the true effect can lie anywhere in its range, the chance of a clear result is" in words
    chosen = shown(reading_room, f"{PAGE}/risk", down="take_up", across="attrition.survey", part="answer")
    for cell in ("3,960", "Share who use the offer", "Loss when measured by a survey"):
        assert cell in read(chosen)
    assert "Kies twee verschillende aannames" in read(
        shown(reading_room, f"{PAGE}/risk", lang="nl", down="take_up", across="take_up")
    )


def test_the_forecast_follows_the_pace_and_the_number_needed(reading_room):
    asked = Plan.from_dict(sample_size(reading_room))
    words = read(shown(reading_room, f"{PAGE}/time"))
    assert f"{asked.forecast().chance:.0%}" in words
    slower = shown(reading_room, f"{PAGE}/time", pace="100", pace_low="80", pace_high="120", weeks="52", target="5000")
    assert "5,000 is 64%" in read(slower)
    refused = shown(reading_room, f"{PAGE}/time", lang="nl", pace="100", pace_low="120")
    assert refused.status_code == 422
    assert "Uw beste schatting moet tussen de laagste en de hoogste liggen." in read(refused)


def test_a_pilot_without_a_pace_is_asked_for_one(reading_room):
    bare = Plan.from_dict({**sample_size(reading_room), "recruitment": None})
    assert sizing.in_time(bare, (100, 80, 120), 52, 5000).chance == pytest.approx(0.64, abs=0.005)
    with pytest.raises(ImpossibleRequest, match="recruitment"):
        sizing.in_time(bare, None, None, None)


def test_simulated_pilots_are_tried_when_the_button_is_pressed_and_no_more_than_a_page_affords(
    reading_room, monkeypatch
):
    assert "Press the button" in read(shown(reading_room, f"{PAGE}/trial"))
    monkeypatch.setattr(sizing, "SECONDS", 0.9)
    words = read(shown(reading_room, f"{PAGE}/trial", run="1", trials="400", seed="3"))
    assert "The registered analysis was carried out: Lin’s regression" in words
    assert "seed 3" in words
    assert "A page does no more than 50 of these pilots." in words
    monkeypatch.setattr(sizing, "SECONDS", 0.1)
    assert "duurt te lang voor een pagina" in read(shown(reading_room, f"{PAGE}/trial", lang="nl", run="1"))
    assert shown(reading_room, f"{PAGE}/trial", run="1", trials="5000").status_code == 422


def sample_size(office: Any) -> dict[str, Any]:
    with office.database.reading() as session:
        locked = session.scalars(select(ProtocolVersion)).first()
        assert locked is not None
        return json.loads(locked.canonical)["sample_size"]


@pytest.mark.heavy
def test_the_design_document_comes_as_pdf(reading_room):
    assert shown(reading_room, f"{PAGE}/document/design.pdf").data.startswith(b"%PDF")


def test_a_document_of_another_kind_or_of_impossible_numbers_is_not_made(reading_room):
    assert shown(reading_room, f"{PAGE}/document/design.exe").status_code == 404
    assert shown(reading_room, f"{PAGE}/document/design.json", take_up="5").status_code == 303


def test_a_budget_buys_a_division_over_the_groups_and_too_small_a_one_is_refused(reading_room):
    words = read(shown(reading_room, f"{PAGE}/money", lang="nl", budget="3.000.000"))
    assert "De beste verdeling van dit budget" in words
    refused = shown(reading_room, f"{PAGE}/money", lang="nl", budget="100")
    assert refused.status_code == 422
    assert "Dit budget betaalt geen twee mensen in elke groep." in read(refused)


def test_the_money_moves_along_while_it_is_typed(reading_room):
    answer = shown(reading_room, f"{PAGE}/money", budget="3.000.000", lang="nl", part="answer")
    assert "<html" not in answer.text
    assert re.search(r'data-summary="Kans om het effect te vinden: \d', answer.text)
    assert "data-figure" in answer.text
    refused = shown(reading_room, f"{PAGE}/money", budget="100", part="answer")
    assert refused.status_code == 422
    assert "This budget does not pay for two people in every group." in read(refused)


def test_a_draw_for_places_is_refused_for_three_groups(reading_room):
    refused = shown(reading_room, f"{PAGE}/money", places="100", applicants="300")
    assert refused.status_code == 422
    assert "A draw for places has two groups" in read(refused)


def test_proposing_changes_the_sample_size_only_and_waits_for_a_second_person(office):
    answer = office.post("researcher", PAGE, take_up="80", reason="Take-up in the first months")
    assert answer.status_code == 303
    assert answer.location.endswith("/protocol")
    with office.database.reading() as session:
        locked, proposed = session.scalars(select(ProtocolVersion).order_by(ProtocolVersion.number)).all()
        before, after = json.loads(locked.canonical), json.loads(proposed.canonical)
        assert proposed.locked_at is None
        assert after["sample_size"]["take_up"]["value"] == 0.8
        assert {key for key in before if before[key] != after[key]} == {"sample_size"}


def test_a_locked_protocol_is_not_changed_without_a_reason(office):
    answer = office.post("researcher", PAGE, take_up="80", reason=" ")
    assert answer.location.split("?")[0].endswith(PAGE)
    assert "Say what changed, and why." in read(office.browser("researcher").get(answer.location))
    with office.database.reading() as session:
        assert len(session.scalars(select(ProtocolVersion)).all()) == 1


def walk(office: Any, answers: dict[str, str], *, lang: str = "en") -> str:
    """Answers each question as it comes; gives the address of the result."""
    place, carried = f"/{office.slug}/{PAGE}/wizard/kind", {}
    for _ in range(30):
        if place.endswith("/result"):
            return f"{place}?{'&'.join(f'{k}={v}' for k, v in carried.items())}"
        key = place.rsplit("/", 1)[-1]
        own = {name: value for name, value in answers.items() if re.fullmatch(f"{key}(_low|_high)?", name)}
        query = {"sent": key, "lang": lang, **carried, **own}
        answer = office.browser("researcher").get(place, query_string=query)
        assert answer.status_code == 303, read(answer)
        to = urlsplit(answer.location)
        place, carried = to.path, {name: values[0] for name, values in parse_qs(to.query).items()}
    raise AssertionError("the questions have no end")


def test_the_wizard_asks_plain_questions_and_ends_in_a_section_that_reads_back(reading_room):
    page = reading_room.browser("researcher").get(walk(reading_room, ANSWERS))
    assert "3,960 people in each group, 11,880 in all" in read(page)
    section = unescape(re.search(r"<code>(.*?)</code>", page.text, re.S)[1])
    plan = Plan.from_dict(yaml.safe_load(section)["sample_size"])
    assert plan.n().total == 11_880
    assert {a.name: (a.low, a.high) for a in plan.assumptions()}["take_up"] == (0.4, 0.8)


def test_the_wizard_sizes_scores_of_people_who_share_an_advisor(reading_room):
    answers = {
        "kind": "number", "groups": "1", "spread": "10", "rise": "2", "whom": "assigned", "loss": "0",
        "together": "new", "size": "40", "alike": "0.03", "sure": "0.9", "budget": "",
    }  # fmt: skip
    page = reading_room.browser("researcher").get(walk(reading_room, answers))
    plan = Plan.from_dict(yaml.safe_load(unescape(re.search(r"<code>(.*?)</code>", page.text, re.S)[1]))["sample_size"])
    assert plan.section.arms[1].nested is not None
    # 525.4 in each group without advisors; those of the new group weigh 1 + 39 x .03 times as much; t for 21 advisors.
    assert plan.n().n > 525.4 * (1 + 1 + 39 * 0.03) / 2
    book = partially_nested(delta=2, sd=10, icc=0.03, cluster_size=40, power=0.9)
    assert plan.n().n == pytest.approx(book.n, rel=2e-3)


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("base", "0", "Geef een getal tussen 0,1 en 99,9."),
        ("gain", "0", "Een winst van nul is met geen enkel aantal mensen te vinden."),
        ("kind", "", "Kies één van de antwoorden."),
        ("take_up", "90", "Uw beste schatting moet tussen de laagste en de hoogste liggen."),
    ],
)
def test_a_question_of_the_wizard_says_what_is_not_right_yet(reading_room, key, typed, said):
    query = {**ANSWERS, key: typed, "sent": key}
    answer = shown(reading_room, f"{PAGE}/wizard/{key}", lang="nl", **query)
    assert answer.status_code == 422
    assert said in read(answer)


def test_answers_that_cannot_be_together_are_said_at_the_end(reading_room):
    answer = shown(reading_room, f"{PAGE}/wizard/result", lang="nl", **{**ANSWERS, "base": "98"})
    assert answer.status_code == 422
    assert "een groep komt onder 0% of boven 100%" in read(answer)


def test_the_wizard_proposes_its_answer_in_the_names_of_the_pilot(office):
    answer = office.post(
        "researcher", f"{PAGE}/wizard/result", page=PAGE, reason="New start", **{**ANSWERS, "gain": "8"}
    )
    assert answer.location.endswith("/protocol")
    with office.database.reading() as session:
        proposed = session.scalars(select(ProtocolVersion).where(ProtocolVersion.locked_at.is_(None))).one()
        section = json.loads(proposed.canonical)["sample_size"]
    assert [arm["name"] for arm in section["arms"]] == ["portal", "advice", "voucher"]
    assert section["outcomes"][0]["name"] == "training_started_12m"


def test_a_wizard_answer_with_other_groups_is_not_proposed(office):
    answer = office.post("researcher", f"{PAGE}/wizard/result", page=PAGE, reason="x", **{**ANSWERS, "groups": "1"})
    assert "The number of groups is not that of the pilot." in read(office.browser("researcher").get(answer.location))


def in_browser(office: Any, site: str, screen: Any) -> None:
    cookie = office.browser("researcher").get_cookie("session").value
    screen.context.add_cookies([{"name": "session", "value": cookie, "url": site}])


def test_the_answer_moves_while_a_number_is_typed_by_keyboard(reading_room, serve, desktop_page, axe):
    site, screen = serve(reading_room.app), desktop_page
    in_browser(reading_room, site, screen)
    screen.goto(f"{site}/{reading_room.slug}/{PAGE}?lang=en")
    assert axe(screen) == []
    screen.focus("#take_up")
    screen.keyboard.press("Control+A")
    screen.keyboard.type("80")
    screen.wait_for_selector("text=6,570 people in all")
    assert "take_up=80" in screen.url
    assert "6,570 in all" in screen.text_content("[data-said]")
    screen.wait_for_selector("[data-figure] .main-svg")
    for link in (".views[data-follow] a >> nth=1", "main a[hreflang=nl]"):
        assert "take_up=80" in screen.get_attribute(link, "href")
    assert axe(screen) == []


def test_without_scripts_the_button_computes_and_the_wizard_goes_on(reading_room, serve, page_without_javascript):
    site, screen = serve(reading_room.app), page_without_javascript
    in_browser(reading_room, site, screen)
    screen.goto(f"{site}/{reading_room.slug}/{PAGE}?lang=en")
    screen.fill("#take_up", "80")
    screen.click("text=Compute")
    screen.wait_for_selector("text=6,570 people in all")
    screen.goto(f"{site}/{reading_room.slug}/{PAGE}/wizard?lang=en")
    screen.click("text=Start >> nth=-1")
    screen.check("#kind-1")
    screen.click("main form button")
    screen.wait_for_selector("h1:has-text('How many groups')")


def test_the_pages_are_accessible_and_fit_the_smallest_telephone(reading_room, serve, new_page, axe):
    site, screen = serve(reading_room.app), new_page(viewport={"width": 320, "height": 640})
    in_browser(reading_room, site, screen)
    answered = "&".join(f"{name}={value}" for name, value in ANSWERS.items())
    for path in (
        "",
        "/money",
        "/risk",
        "/time",
        "/trial",
        "/wizard",
        f"/wizard/take_up?{answered}",
        f"/wizard/result?{answered}",
    ):
        screen.goto(f"{site}/{reading_room.slug}/{PAGE}{path}")
        assert axe(screen) == []
        assert screen.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
