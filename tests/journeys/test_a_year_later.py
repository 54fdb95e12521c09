"""From the address in a letter to the finished questions of a year later, on a telephone; also in Arabic."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from screens import Screen
from showcase import showcase
from small_pilot import START
from sqlalchemy import select

from pilot import locking
from pilot.journey import followup, outreach
from pilot.models import Invitee, Message, Participant, Submission
from pilot.post.wording import compose

YEAR = timedelta(days=366)
FILLED = {
    "story": "Ik werk.", "distance": "12", "town": "t3", "order-computer": "1", "order-taal": "2", "order-lassen": "3",
    "start_work": "8:30", "last_talk-day": "3", "last_talk-month": "2", "last_talk-year": "2026",
    "last_talk-time": "14:00", "child.1": "no",
}  # fmt: skip


@pytest.fixture
def doors(new_site, open_doors, tmp_path):
    return open_doors(new_site(protocol=showcase(tmp_path / "p"), settings={"protocols": tmp_path / "p"}))


def code_of_a_letter(doors) -> str:
    site, rows = doors.site, [{"reference": "A1", "name": "Fatima Proef"}]
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        outreach.import_list(
            session, pilot, protocol, rows, batch="b", keyring=site.database.keyring, actor_id=None, now=START
        )
        return session.scalars(select(Invitee.code)).one()


def link_in_the_message(doors) -> str:
    """What the invitation of the wave that is due says, as it is sent."""
    site = doors.site
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        followup.queue_due(session, pilot, protocol, zone=site.settings.zone, now=doors.now)
        message = session.scalars(select(Message).where(Message.wave == protocol.waves[-1].name)).first()
        assert message is not None
        letter = compose(session, site.settings, pilot, protocol, message, now=doors.now)
        assert letter is not None
        return letter.link.removeprefix(site.settings.base_url)


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["nl", "ar"])
def test_from_the_letter_to_the_finished_questions_of_a_year_later(new_page, doors, serve, axe, language: str):
    page = new_page(locale=language)
    screen = Screen(page, serve(doors.app), axe, briefly=True)
    screen.open(f"/p/{doors.site.slug}/c/{code_of_a_letter(doors)}?lang={language}").fill({}).go_on("next", FILLED)

    doors.now = START + YEAR
    screen.open(link_in_the_message(doors))
    assert screen.kind.startswith("q/")
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    asked = page.locator("h1 span[lang=nl][dir=ltr]")
    assert asked.count() == (1 if language == "ar" else 0)
    screen.go_on("check").go_on("next")
    expect(page.locator("h1")).to_have_text("هذا ما تحصل عليه" if language == "ar" else "Dit krijgt u")
    with doors.site.reading() as (session, _pilot):
        sent = session.scalars(select(Submission).order_by(Submission.id)).all()
        assert [one.mode for one in sent] == ["self", "self"]
        assert sent[-1].language == language
        assert session.scalars(select(Participant)).one().invitee_id is not None
