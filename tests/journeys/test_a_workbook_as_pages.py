"""A workbook with a repeat and lists that depend on an answer, as a researcher makes it, becomes pages on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from small_pilot import shipped
from sqlalchemy import select
from visitors import Doors, errors

from pilot.models import Submission
from pilot.protocol import Protocol, from_record
from surveys import read_xlsform

EXAMPLES = Path(__file__).parents[1] / "surveys" / "examples"


def going_on_with(example: str) -> Protocol:
    """The shipped protocol, whose first list goes on with what stands in a workbook."""
    base, form = shipped(), read_xlsform(EXAMPLES / f"{example}.xlsx").to_dict()
    record = base.instruments_record()
    first = record[base.baseline.instrument]
    record[base.baseline.instrument] = {
        **first,
        "children": [*first["children"], *form["children"]],
        "lists": {**first["lists"], **form["lists"]},
        "tables": {**first.get("tables", {}), **form["tables"]},
    }
    return from_record(base.canonical, record)


@pytest.fixture
def doors(new_site, open_doors) -> Doors:
    return open_doors(new_site(protocol=going_on_with("household")))


def choose(page: Page, words: str) -> None:
    page.get_by_label(words, exact=True).check()
    with page.expect_navigation():
        page.get_by_role("button", name="Verder").click()


def choices(page: Page) -> list[str]:
    return [words.strip() for words in page.locator(".choice label").all_inner_texts()]


def test_people_at_home_are_told_one_by_one_each_with_the_towns_of_the_own_province(
    page: Page, doors: Doors, serve: Callable, axe
):
    person = doors.visitor().start().go_on("member.1")
    page.goto(serve(doors.app) + person.path)
    expect(page.locator("h1")).to_have_text("Is there another person at home?")
    expect(page.locator("h1 span")).to_have_attribute("lang", "en")
    choose(page, "Ja")
    assert choices(page) == ["Groningen", "Zuid-Holland"]
    choose(page, "Groningen")
    assert choices(page) == ["Groningen", "Delfzijl"]
    choose(page, "Delfzijl")
    choose(page, "Ja")
    choose(page, "Zuid-Holland")
    assert choices(page) == ["Leiden"]
    choose(page, "Leiden")
    choose(page, "Nee")
    expect(page.locator("h1")).to_have_text("Kijk uw antwoorden na")
    assert axe(page) == []
    said = page.locator(".answers .said").all_inner_texts()
    assert said[-7:] == ["Ja", "Groningen", "Delfzijl", "Ja", "Zuid-Holland", "Leiden", "Nee"]

    page.locator(".answers a").nth(-6).click()
    choose(page, "Zuid-Holland")
    expect(page.locator("h1")).to_have_text("In which town?")
    assert choices(page) == ["Leiden"]
    choose(page, "Leiden")
    with page.expect_navigation():
        page.get_by_role("button", name="Stuur mijn antwoorden").click()
    with doors.site.reading() as (session, _pilot):
        sent = session.scalars(select(Submission)).one().analysed
    assert sent["member_count"] == 2
    assert [sent[f"member.{n}.member_town"] for n in (1, 2)] == ["leiden", "leiden"]


# What a person types where the first choice, or twelve, is no answer.
TYPED = {
    "birth_date-day": "3", "birth_date-month": "7", "birth_date-year": "1985", "day-day": "3", "day-month": "7",
    "day-year": "2025", "first-day": "3", "first-month": "7", "first-year": "2025", "begin_day-day": "31",
    "begin_day-month": "1", "begin_day-year": "2026", "moment-day": "3", "moment-month": "7", "moment-year": "2025",
    "moment-time": "14:30", "start": "8:30", "phone": "06 12345678", "word": "abc xyz", "child.1": "yes",
    "child.2": "no", "member.1": "yes", "member.2": "no", "favourite-groningen": "2", "favourite-delfzijl": "1",
    "favourite-leiden": "3", "jobs": "1", "children": "2", "person.1.jobs": "1", "person.2.jobs": "0", "age": "40",
    "score": "4", "rate": "4.5",
}  # fmt: skip
NOT_ASKED = {"relevant": {"school"}, "select_other": {"work_other"}, "select_multiple_other": {"both_other"}}
"""Questions that a person of forty is not asked."""


def made_of(example: str) -> Protocol:
    """The shipped protocol, whose first list is a workbook."""
    base = shipped()
    record = base.instruments_record()
    record[base.baseline.instrument] = read_xlsform(EXAMPLES / f"{example}.xlsx").to_dict()
    return from_record(base.canonical, record)


@pytest.mark.heavy
@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.xlsx")))
def test_every_example_is_answered_page_by_page_and_reaches_the_data(new_site, open_doors, name: str):
    form = read_xlsform(EXAMPLES / f"{name}.xlsx")
    site = new_site(protocol=made_of(name))
    visitor = open_doors(site).visitor().start()
    for _page in range(40):
        if visitor.step == "next":
            break
        own = {"work": "yes"} if "/q/baseline/" in visitor.path else {}  # the screening asks for work too
        visitor.send(None, **visitor.answers({**TYPED, **own}))
        assert visitor.status == 200, errors(visitor.page)
    with site.reading() as (session, _pilot):
        (sent,) = session.scalars(select(Submission).where(Submission.wave == "baseline"))
    found = {key.rsplit(".", 1)[-1] for key in sent.analysed}
    unasked = {question.name for question in form.questions if question.kind != "note"} - found
    assert unasked <= NOT_ASKED.get(name, set()), sent.analysed
