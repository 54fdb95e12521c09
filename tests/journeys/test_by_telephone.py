"""An interview by telephone and a form on paper, in a real browser: from the list to the answers in the data."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from small_pilot import PASSWORD, Site, person
from sqlalchemy import select
from visitors import Doors, answers_to

from pilot.models import Event, PaperDecision, Submission

THREE_MONTHS = datetime(2026, 6, 5, 10, tzinfo=UTC)
WAVE = "followup_3m"


@pytest.fixture
def doors(new_site: Callable[..., Site], open_doors: Callable[[Site], Doors]) -> Doors:
    site = new_site()
    with site.writing() as (session, _pilot):
        site.enrol(session, person(1), until="deliver")
    doors = open_doors(site)
    doors.now = THREE_MONTHS
    return doors


@pytest.fixture
def desk(doors: Doors, serve, new_page) -> Callable[[str], Page]:
    """`desk(role)`: a browser in which this member of staff has signed in."""
    address = serve(doors.app)

    def sit(role: str) -> Page:
        page = new_page(viewport={"width": 1280, "height": 900}, is_mobile=False, has_touch=False)
        page.goto(f"{address}/login?lang=en")
        page.locator("[name=email]").fill(f"{role}@proef.nl")
        page.locator("[name=password]").fill(PASSWORD)
        send(page)
        return page

    return sit


def send(page: Page) -> None:
    page.locator("main form[method=post] button[type=submit]").last.click()
    page.wait_for_load_state()


def to(page: Page, path: str) -> Page:
    page.goto(re.match(r"https?://[^/]+", page.url)[0] + f"/ontwikkeladvies/{path}")  # type: ignore[index]
    return page


def looked_at(page: Page, axe: Callable[[Page], list], artefacts, name: str) -> None:
    page.screenshot(path=artefacts / f"{name}.png", full_page=True)
    assert axe(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} is too wide"


def test_somebody_is_called_twice_and_answers_by_telephone(doors: Doors, desk, axe, artefacts):
    page = to(desk("interviewer"), "interviews")
    page.locator("tbody th a").first.click()
    looked_at(page, axe, artefacts, "telephone-call-1280")
    page.get_by_label("Nobody answered").check()
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("main")).to_contain_text("Attempts so far")
    page.set_viewport_size({"width": 360, "height": 740})
    looked_at(page, axe, artefacts, "telephone-call-360")
    page.get_by_role("link", name="Start the questions by telephone").click()
    while "/q/" in page.url:
        answer(page, answers_to(page.content(), person(1), {"training_started": "yes"}))
    expect(page.locator("h1")).to_have_text("Check the answers")
    send(page)
    expect(page.locator("main")).to_contain_text("Nobody has to be interviewed now.")
    with doors.site.reading() as (session, _pilot):
        sent = session.scalars(select(Submission).where(Submission.wave == WAVE)).one()
        tried = session.scalars(select(Event.detail).where(Event.kind == "contact_attempt").order_by(Event.id)).all()
    assert (sent.mode, sent.analysed["training_started"]) == ("phone", "yes")
    assert [(one["outcome"], one["code"]) for one in tried] == [("no_answer", "2.20"), ("completed", "1.1")]


def answer(page: Page, given: dict) -> None:
    form = page.locator("main form[method=post]").first
    for name, value in given.items():
        for one in [value] if isinstance(value, str) else value:
            choice = form.locator(f'input[name="{name}"][value="{one}"]')
            if choice.count() and choice.first.get_attribute("type") in ("radio", "checkbox"):
                choice.first.check()
            elif form.locator(f'[name="{name}"]').first.get_attribute("type") != "hidden":
                form.locator(f'[name="{name}"]').fill(one)
    before = page.url
    send(page)
    assert page.locator(".errors").count() == 0, f"{before}: {page.locator('.errors').all_inner_texts()}"


def test_two_people_type_a_paper_form_and_what_they_disagree_on_is_decided_with_a_reason(
    doors: Doors, desk, axe, artefacts
):
    first, second = to(desk("interviewer"), "paper"), to(desk("steward"), "paper")
    type_over(first, "3")
    expect(first.locator("main")).to_contain_text("typed once")
    second.reload()
    type_over(second, "1")
    to(second, "paper").get_by_role("link", name="Decide").click()
    looked_at(second, axe, artefacts, "paper-decide-1280")
    expect(second.locator("main")).to_contain_text("At 1 question the two entries differ")
    second.locator('input[value="first"]').first.check()
    second.locator('[name="reason-1"]').fill("the cross is in the third box")
    send(second)
    expect(second.locator("main")).to_contain_text("No paper form is out.")
    with doors.site.reading() as (session, _pilot):
        sent = session.scalars(select(Submission).where(Submission.wave == WAVE)).one()
        kept = session.scalars(select(PaperDecision)).one()
    assert sent.mode == "paper"
    assert (kept.first, kept.second, kept.value, kept.reason) == ("3", "1", "3", "the cross is in the third box")


def type_over(page: Page, work: str) -> None:
    """Types what stands on the paper: the first box everywhere, no training, and what this person reads about work."""
    page.get_by_role("link", name="Type over").first.click()
    said = {"a-training_started": "2", "a-training_last_4_weeks": "2", "a-work": work}
    for field in page.locator("form.typed-over input[type=text]").all():
        name = field.get_attribute("name") or ""
        coded = field.get_attribute("inputmode") == "numeric"
        field.fill(said.get(name, "1" if coded else ""))
    send(page)
