"""Names and contact data go on their day: all of them, once, with an event, and never a day earlier."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from small_pilot import START, Site, person
from sqlalchemy import func, select

from pilot import locking, retention, worker
from pilot.journey import outreach
from pilot.models import Allocation, Event, Identity, Invitee, Message, Submission

PEOPLE = 4


@pytest.fixture
def closed(either_site: Site) -> Site:
    """Two people who were invited, four who took part and have messages, and recruitment that is over."""
    site = either_site
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        rows = [{"reference": str(n), "name": "Canary Kanarie", "address": "Canarystraat 1", "language": "nl",
                 "region": "noord"} for n in range(2)]  # fmt: skip
        outreach.import_list(session, pilot, protocol, rows, batch="one", keyring=site.database.keyring, actor_id=None,
                             now=START)  # fmt: skip
        for number in range(PEOPLE):
            site.enrol(session, person(number), until="deliver")
        locking.close(session, pilot, actor_id=None, now=START + timedelta(days=20))
    worker.round_once(site.database, site.settings, clock=lambda: START + timedelta(hours=2))
    return site


def at(day) -> datetime:
    return datetime.combine(day, time(12), UTC)


def days(site: Site) -> tuple[retention.Kept, retention.Kept]:
    with site.reading() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        return retention.standing(session, pilot, protocol, zone=site.settings.zone)


def go(site: Site, now: datetime) -> int:
    return worker.round_once(site.database, site.settings, clock=lambda: now).forgotten


def left(site: Site) -> tuple[int, int]:
    """How many invited people and participants still have a name."""
    with site.reading() as (session, _pilot):
        named = select(func.count()).select_from(Invitee).where(Invitee.name.is_not(None))
        return session.scalar(named) or 0, session.scalar(select(func.count()).select_from(Identity)) or 0


def test_nothing_goes_a_day_too_early_and_everything_on_its_day(closed: Site):
    invited, enrolled = days(closed)
    assert invited.goes_on is not None
    assert enrolled.goes_on is not None
    assert enrolled.goes_on > invited.goes_on > START.date()
    assert go(closed, at(invited.goes_on - timedelta(days=1))) == 0
    assert left(closed) == (2, PEOPLE)
    assert go(closed, at(invited.goes_on)) == 2
    assert left(closed) == (0, PEOPLE)
    assert go(closed, at(enrolled.goes_on - timedelta(days=1))) == 0
    assert go(closed, at(enrolled.goes_on)) == PEOPLE
    assert left(closed) == (0, 0)


def test_a_clock_that_is_three_days_ahead_removes_nothing_that_is_needed(closed: Site):
    invited, enrolled = days(closed)
    assert invited.needed_until is not None
    assert enrolled.needed_until is not None
    assert go(closed, at(invited.needed_until + timedelta(days=3))) == 0
    assert left(closed) == (2, PEOPLE)
    go(closed, at(enrolled.needed_until + timedelta(days=3)))
    assert left(closed) == (0, PEOPLE)


def test_it_happens_once_and_is_on_record_without_names(closed: Site):
    _invited, enrolled = days(closed)
    assert enrolled.goes_on is not None
    moment = at(enrolled.goes_on)
    assert [go(closed, moment), go(closed, moment + timedelta(days=1))] == [2 + PEOPLE, 0]
    with closed.reading() as (session, _pilot):
        kinds = (retention.INVITED, retention.ENROLLED)
        events = session.scalars(select(Event).where(Event.kind.in_(kinds)).order_by(Event.id)).all()
        assert [(event.kind, event.detail["people"]) for event in events] == [(kinds[0], 2), (kinds[1], PEOPLE)]
        assert "Canary" not in str([event.detail for event in events])
    assert [kept.removed_at is not None for kept in days(closed)] == [True, True]


def test_answers_and_draws_stay_and_no_message_goes_out_any_more(closed: Site):
    _invited, enrolled = days(closed)
    assert enrolled.goes_on is not None
    assert list(closed.settings.outbox.glob("*-receipt*"))
    go(closed, at(enrolled.goes_on))
    assert not [path for path in closed.settings.outbox.iterdir() if path.name[:6].isdigit()]
    with closed.reading() as (session, _pilot):
        assert session.scalar(select(func.count()).select_from(Allocation)) == PEOPLE
        assert session.scalar(select(func.count()).select_from(Submission)) == PEOPLE
        assert session.scalars(select(Message.id).where(Message.status == "queued")).all() == []


def test_while_people_are_still_recruited_the_day_is_not_there_yet(site: Site):
    with site.writing() as (session, _pilot):
        site.enrol(session, person(1), until="contact")
        _version, protocol = locking.in_force(session, _pilot.id)
    end = protocol.pilot.recruitment.end
    assert go(site, at(end)) == 0
    assert left(site)[1] == 1
    (_invited, enrolled) = days(site)
    assert enrolled.needed_until == end
