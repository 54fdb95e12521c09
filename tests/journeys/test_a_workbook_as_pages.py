"""A workbook with a repeat and lists that depend on an answer, as a researcher makes it, becomes pages on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from small_pilot import shipped
from sqlalchemy import select
from visitors import Doors

from pilot.models import Submission
from pilot.protocol import Protocol, from_record
from surveys import read_xlsform

WORKBOOK = Path(__file__).parents[1] / "surveys" / "examples" / "household.xlsx"


def with_household() -> Protocol:
    """The shipped protocol, whose first list goes on with what stands in the workbook."""
    base, form = shipped(), read_xlsform(WORKBOOK).to_dict()
    record = base.instruments_record()
    first = record[base.baseline.instrument]
    record[base.baseline.instrument] = {
        **first,
        "children": [*first["children"], *form["children"]],
        "lists": {**first["lists"], **form["lists"]},
    }
    return from_record(base.canonical, record)


@pytest.fixture
def doors(new_site, open_doors) -> Doors:
    return open_doors(new_site(protocol=with_household()))


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
