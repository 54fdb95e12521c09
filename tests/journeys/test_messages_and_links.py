"""Messages come at decent hours and to who stopped half-way; links survive whatever else opens them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from visitors import Doors, Visitor

from pilot import access, worker
from pilot.journey.followup import waking
from pilot.journey.outreach import import_list
from pilot.locking import in_force
from pilot.models import Draft, Event, Invitee, Message, Participant, Submission

THREE_MONTHS = datetime(2026, 6, 5, 10, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
def drawn(doors: Doors) -> Visitor:
    return doors.visitor().start().go_on()


def survey_link(doors: Doors) -> str:
    with doors.site.reading() as (session, _pilot):
        someone = session.scalars(select(Participant)).one()
        secret = doors.site.settings.secret_key
        return "/s/" + access.link_token(secret, someone, "survey", now=doors.now, wave="followup_3m")


def everything(doors: Doors) -> list[int]:
    with doors.site.reading() as (session, _pilot):
        kinds = (Draft, Submission, Event, Message, Participant)
        return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


def test_programs_that_look_at_a_link_use_nothing_up_and_change_nothing(doors: Doors, drawn: Visitor):
    doors.now = THREE_MONTHS
    link, before = survey_link(doors), everything(doors)
    scanner = doors.app.test_client()
    for _ in range(3):
        assert scanner.head(link).status_code == 303
        assert scanner.get(link, follow_redirects=True).status_code == 200
    assert scanner.post(link).status_code in (400, 405)
    assert everything(doors) == before
    doors.visitor().open(link).go_on("next", {"training_started": "no"})
    with doors.site.reading() as (session, _pilot):
        assert session.scalars(select(Submission.wave).where(Submission.wave == "followup_3m")).all() == ["followup_3m"]


def test_an_invitation_that_is_only_fetched_beforehand_was_not_opened(doors: Doors):
    with doors.site.writing() as (session, pilot):
        _version, protocol = in_force(session, pilot.id)
        rows = [{"reference": "A1", "name": "Anna", "address": "Straat 1"}]
        keyring = doors.site.database.keyring
        import_list(session, pilot, protocol, rows, batch="a", keyring=keyring, actor_id=None, now=doors.now)
        code = session.scalars(select(Invitee.code)).one()
    path, program = f"/p/ontwikkeladvies/c/{code}", doors.app.test_client()
    assert program.head(path).status_code == 200
    assert program.get(path, headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 200
    assert opened(doors) is None
    assert program.get(path).status_code == 200
    assert opened(doors) == doors.now


def opened(doors: Doors) -> datetime | None:
    with doors.site.reading() as (session, _pilot):
        return session.scalars(select(Invitee.opened_at)).one()


def test_who_stopped_half_way_is_reminded_and_comes_back_where_it_stopped(doors: Doors, drawn: Visitor):
    doors.now = THREE_MONTHS
    visitor = doors.visitor().open(survey_link(doors))
    visitor.send(**visitor.answers({}))
    visitor.send(**visitor.answers({}))
    where = visitor.path.rsplit("/", 1)[1]
    for day in range(0, 9):
        doors.now = THREE_MONTHS + timedelta(days=day)
        worker.round_once(doors.site.database, doors.site.settings, clock=lambda: doors.now)
    with doors.site.reading() as (session, _pilot):
        told = session.scalars(select(Message.kind).where(Message.wave == "followup_3m").order_by(Message.id)).all()
        assert session.scalars(select(Draft).where(Draft.wave == "followup_3m")).one().revision > 0
    assert told == ["wave_invitation", "wave_reminder"]
    assert doors.visitor().open(survey_link(doors)).path.endswith(where)


def rounds(doors: Doors, *moments: str) -> list[int]:
    """How many messages left in a round of the worker at each of these moments (UTC)."""
    sent = []
    for moment in moments:
        doors.now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        sent.append(worker.round_once(doors.site.database, doors.site.settings, clock=lambda: doors.now).sent)
    return sent


@pytest.mark.parametrize(
    "moments",
    [
        # By eight in the evening of a day in March, and until nine the next morning, when the clock went forward.
        ["2026-03-28T19:00", "2026-03-28T23:59", "2026-03-29T06:59", "2026-03-29T07:00"],
        # The evening before the clock goes back: nine is an hour later by UTC.
        ["2026-10-24T18:00", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T07:59", "2026-10-25T08:00"],
    ],
)
def test_what_is_late_because_no_worker_ran_waits_for_the_morning(
    doors: Doors, drawn: Visitor, moments: tuple[str, ...]
):
    assert rounds(doors, *moments) == [0] * (len(moments) - 1) + [1]
    with doors.site.reading() as (session, _pilot):
        (message,) = session.scalars(select(Message))
        assert (message.kind, message.status, message.attempts) == ("receipt", "sent", 1)


@pytest.mark.parametrize(
    ("moment", "wakes"),
    [
        ("2026-03-28T20:30", "2026-03-29T07:00"),  # the night in which the clock goes forward: nine is seven in UTC
        ("2026-03-29T00:30", "2026-03-29T07:00"),
        ("2026-10-24T18:30", "2026-10-25T08:00"),  # the night in which it goes back: nine is eight in UTC
        ("2026-10-25T00:30", "2026-10-25T08:00"),  # half past two, for the first time
        ("2026-10-25T01:30", "2026-10-25T08:00"),  # half past two, for the second time
        ("2026-10-25T08:00", "2026-10-25T08:00"),
        ("2026-06-05T17:59", "2026-06-05T17:59"),
        ("2026-06-05T18:00", "2026-06-06T07:00"),
        ("2026-12-31T19:00", "2027-01-01T08:00"),
    ],
)
def test_nobody_is_woken_also_when_the_clock_changes(moment: str, wakes: str):
    found = waking(datetime.fromisoformat(moment).replace(tzinfo=UTC), AMSTERDAM)
    assert found == datetime.fromisoformat(wakes).replace(tzinfo=UTC)
    assert found.astimezone(AMSTERDAM).hour in range(9, 20)
