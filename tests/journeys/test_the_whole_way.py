"""The whole way in a real browser: taking part on a telephone, talks with an advisor, a later list, and the figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from screens import unfold
from small_pilot import PASSWORD, START, Site, person
from sqlalchemy import select
from visitors import MOST_PAGES, Doors, answers_to

from pilot import access, worker
from pilot.journey import advice
from pilot.models import Allocation, Message, Participant, Submission

THREE_MONTHS = datetime(2026, 6, 5, 10, tzinfo=UTC)
# With this seed of the keys the first place of the first stratum holds talks with an advisor.
SEED_WITH_ADVICE = 3


@dataclass
class Screen:
    """A browser that looks at every page it comes to: its width, its accessibility, and a picture."""

    page: Page
    address: str
    axe: Callable[[Page], list]
    folder: Path
    name: str
    seen: int = 0

    def open(self, path: str) -> Screen:
        self.page.goto(self.address + path)
        return self.look()

    def look(self) -> Screen:
        self.seen += 1
        self.page.screenshot(path=self.folder / f"journey-{self.name}-{self.seen:02d}.png", full_page=True)
        assert self.axe(self.page) == [], self.page.url
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{self.page.url} is too wide"
        return self

    def fill(self, answers: Mapping[str, str | list[str]]) -> Screen:
        """Fills in the form of this page and sends it with its button."""
        unfold(self.page)
        form = self.page.locator("main form[method=post]").first
        for name, value in answers.items():
            for one in [value] if isinstance(value, str) else value:
                choice = form.locator(f'input[name="{name}"][value="{one}"]')
                if choice.count() and choice.first.get_attribute("type") in ("radio", "checkbox"):
                    choice.first.check()
                else:
                    form.locator(f'[name="{name}"]').fill(one)
        before = self.page.url
        form.locator("button[type=submit]").last.click()
        self.page.wait_for_load_state()
        assert self.page.locator(".errors").count() == 0, f"{before}: {self.page.locator('.errors').all_inner_texts()}"
        return self.look()


@pytest.fixture
def doors(new_site: Callable[..., Site], open_doors: Callable[[Site], Doors]) -> Doors:
    return open_doors(new_site(seed=SEED_WITH_ADVICE))


@pytest.fixture
def screen(doors: Doors, serve, new_page, axe, artefacts: Path) -> Callable[..., Screen]:
    """`screen(name, **options)`: another browser at the pilot's pages, at phone width unless told otherwise."""
    address = serve(doors.app)
    return lambda name, **options: Screen(new_page(**options), address, axe, artefacts, name)


def go_on(screen: Screen, until: str, given: Mapping[str, str]) -> None:
    for _ in range(MOST_PAGES):
        if until in screen.page.url:
            return
        screen.fill(answers_to(screen.page.content(), person(0), given))
    raise AssertionError(f"never came to {until}; the last page was {screen.page.url}")


def sign_in(screen: Screen, role: str) -> None:
    screen.open("/login")
    screen.page.locator("[name=email]").fill(f"{role}@proef.nl")
    screen.page.locator("[name=password]").fill(PASSWORD)
    screen.page.locator("main button[type=submit]").first.click()
    screen.page.wait_for_load_state()
    screen.look()


def log_talk(screen: Screen, study_id: str, day: datetime, minutes: str) -> None:
    screen.open(f"/ontwikkeladvies/participants/{study_id}/talk")
    held = {"held_on-day": str(day.day), "held_on-month": str(day.month), "held_on-year": str(day.year)}
    done = {"channel": "phone", "components": ["goals", "training_search"]}
    screen.fill({**held, "minutes": minutes, **done})


def test_somebody_takes_part_is_advised_answers_later_and_is_counted(doors: Doors, screen: Callable[..., Screen]):
    telephone = screen("phone").open("/p/ontwikkeladvies")
    telephone.page.locator("main form button[type=submit]").first.click()
    telephone.look()
    go_on(telephone, "/next", {})
    with doors.site.reading() as (session, _pilot):
        study_id, arm = session.execute(select(Participant.study_id, Allocation.arm).join(Allocation)).one()
    assert arm in ("advice", "voucher")

    desk = screen("advisor")
    doors.now = START + timedelta(days=9)
    sign_in(desk, "advisor")
    desk.open("/ontwikkeladvies/caseload")
    expect(desk.page.locator("main")).to_contain_text("Fatima Proef 0")
    log_talk(desk, study_id, START + timedelta(days=3), "60")
    log_talk(desk, study_id, START + timedelta(days=8), "90")
    with doors.site.reading() as (session, _pilot):
        someone = session.scalars(select(Participant)).one()
        assert advice.minutes_of(session, someone) == 150
        assert len(advice.sessions_of(session, someone)) == 2

    doors.now = THREE_MONTHS
    worker.round_once(doors.site.database, doors.site.settings, clock=lambda: doors.now)
    with doors.site.reading() as (session, _pilot):
        assert "wave_invitation" in session.scalars(select(Message.kind).where(Message.status == "sent")).all()
        someone = session.scalars(select(Participant)).one()
        secret = doors.site.settings.secret_key
        token = access.link_token(secret, someone, "survey", now=doors.now, wave="followup_3m")
    telephone.open(f"/s/{token}")
    go_on(telephone, "/next", {"training_started": "yes"})
    with doors.site.reading() as (session, _pilot):
        assert set(session.scalars(select(Submission.wave))) == {"baseline", "followup_3m"}

    office = screen("researcher", viewport={"width": 1280, "height": 900}, is_mobile=False, has_touch=False)
    sign_in(office, "researcher")
    office.open("/ontwikkeladvies/flow")
    flow = re.sub(r"\s+", " ", office.page.locator("main").inner_text())
    assert re.search(r"Door loting ingedeeld ?n = 1\b", flow), flow
    assert re.search(r"Antwoordde: 3 maanden ?n = 1\b", flow), flow

    # Two clicks from the own page, and two from the page of the advisor: to the page about stopping, and how far.
    click(telephone, "a[href*='/privacy/']")
    click(telephone, "main button[value=no_contact]")
    assert withdrawn(doors) == "no_contact"
    expect(telephone.page.locator("h1")).to_have_text("U bent gestopt")
    desk.open(f"/ontwikkeladvies/participants/{study_id}")
    click(desk, "main a[href$='/stop']")
    click(desk, "main button[value=erase]")
    assert withdrawn(doors) == "erase"
    expect(desk.page.locator("main")).not_to_contain_text("Fatima Proef 0")


def click(screen: Screen, place: str) -> None:
    """One click of somebody, and a look at the page that it leads to."""
    screen.page.locator(place).click()
    screen.page.wait_for_load_state()
    screen.look()


def withdrawn(doors: Doors) -> str | None:
    with doors.site.reading() as (session, _pilot):
        return session.scalars(select(Participant.withdrawn)).one()
