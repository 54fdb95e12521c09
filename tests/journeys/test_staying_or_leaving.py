"""After the draw: lists that come due, answers that end reminders, and leaving in each of its degrees."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from small_pilot import START, Site
from sqlalchemy import select
from visitors import Doors, Visitor

from pilot import dataset, locking, worker
from pilot.errors import Refused
from pilot.journey import followup, withdrawal
from pilot.models import Draft, Freeze, Identity, Message, Participant, Submission

THREE_MONTHS = datetime(2026, 6, 5, 10, tzinfo=UTC)


def work(doors: Doors) -> worker.Done:
    """One round of the worker, by the clock of the doors."""
    return worker.round_once(doors.site.database, doors.site.settings, clock=lambda: doors.now)


def letters(doors: Doors) -> list[str]:
    """What lies in the outbox, oldest first."""
    return [path.read_text(encoding="utf-8") for path in sorted(doors.site.settings.outbox.glob("*.eml"))]


def messages(doors: Doors, **which: str) -> list[Message]:
    with doors.site.reading() as (session, _pilot):
        return list(session.scalars(select(Message).filter_by(**which).order_by(Message.id)))


def link_in(text: str, page: str) -> str:
    joined = text.replace("=\n", "").replace("=3D", "=")
    found = re.search(rf"http://localhost(/{page}/[\w.-]+)", joined)
    assert found, joined
    return found[1]


@pytest.fixture
def drawn(doors: Doors) -> Visitor:
    return doors.visitor().start().go_on()


def test_the_list_after_three_months_is_asked_for_answered_and_ends_its_reminders(doors: Doors, drawn: Visitor):
    work(doors)
    assert [m.kind for m in messages(doors, status="sent")] == ["receipt"]
    doors.now = THREE_MONTHS
    assert work(doors).sent == 1
    invitation = letters(doors)[-1]
    visitor = doors.visitor().open(link_in(invitation, "s"))
    assert visitor.step == "q"
    visitor.go_on("next", {"training_started": "no"})
    with doors.site.reading() as (session, _pilot):
        waves = set(session.scalars(select(Submission.wave)))
    assert waves == {"baseline", "followup_3m"}
    for day in range(1, 40):
        doors.now = THREE_MONTHS + timedelta(days=day)
        work(doors)
    assert {m.kind for m in messages(doors, wave="followup_3m")} == {"wave_invitation"}


def test_who_does_not_answer_is_reminded_and_never_twice_on_a_day(doors: Doors, drawn: Visitor):
    work(doors)
    for hour in range(0, 24 * 30, 6):
        doors.now = THREE_MONTHS + timedelta(hours=hour)
        work(doors)
    told = messages(doors, wave="followup_3m")
    assert [m.kind for m in told][:2] == ["wave_invitation", "wave_reminder"]
    days = [m.sent_at.date() for m in told if m.sent_at]
    assert len(days) == len(set(days)) == len(told) >= 3
    assert all(9 <= m.sent_at.astimezone(doors.site.settings.zone).hour < 20 for m in told if m.sent_at)


def test_a_worker_that_died_half_way_sends_the_rest_and_nothing_twice(doors: Doors, drawn: Visitor):
    site = doors.site
    with site.writing() as (session, _pilot):
        assert len(followup.lease(session, now=doors.now, limit=5)) == 1
        assert followup.lease(session, now=doors.now, limit=5) == []
    assert work(doors).sent == 0
    _six_minutes_later(site)
    assert work(doors).sent == 1
    assert work(doors).sent == 0
    assert len(letters(doors)) == 1


def _six_minutes_later(site: Site) -> None:
    """For leases, which go by the database's own clock: they were given six minutes earlier."""
    with site.writing() as (session, _pilot):
        for message in session.scalars(select(Message).where(Message.lease_until.is_not(None))):
            message.lease_until -= timedelta(minutes=6)


def test_a_link_in_a_message_that_is_too_old_opens_no_more(doors: Doors, drawn: Visitor):
    work(doors)
    doors.now = THREE_MONTHS
    work(doors)
    path = link_in(letters(doors)[-1], "s")
    doors.now = THREE_MONTHS + timedelta(days=61)
    assert doors.visitor().open(path).status == 410


@pytest.mark.parametrize("degree", ["no_contact", "no_data", "erase"])
def test_leaving_stops_messages_and_kills_every_link(doors: Doors, drawn: Visitor, degree: str):
    stop = drawn.link("/privacy/")
    paths = [drawn.path, drawn.link("/portal/")]
    left = doors.visitor().open(stop).send(degree=degree)
    assert left.status == 200
    assert [m.status for m in messages(doors)] == ["cancelled"]
    assert [doors.visitor().open(path).status for path in (*paths, stop)] == [410, 410, 410]
    for day in (1, 95, 180, 370):
        doors.now = START + timedelta(days=day)
        work(doors)
    assert letters(doors) == []
    assert {m.status for m in messages(doors)} == {"cancelled"}
    with doors.site.reading() as (session, pilot):
        assert locking.allocated(session, pilot) == 1


def test_leaving_can_only_go_further(doors: Doors, drawn: Visitor):
    with doors.site.writing() as (session, _pilot):
        participant = session.scalars(select(Participant)).one()
        withdrawal.withdraw(session, participant, "no_data", actor_id=None, now=START)
        withdrawal.withdraw(session, participant, "no_contact", actor_id=None, now=START)
        assert participant.withdrawn == "no_data"
        withdrawal.withdraw(session, participant, "erase", actor_id=None, now=START)
        assert participant.withdrawn == "erase"
        with pytest.raises(Refused):
            withdrawal.withdraw(session, participant, "forget", actor_id=None, now=START)


def test_erasure_empties_the_record_and_supersedes_the_freezes(doors: Doors, drawn: Visitor):
    site = doors.site
    doors.visitor(2).start().go_on()
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        first = dataset.freeze(session, pilot, protocol, folder=site.settings.freezes, with_arms=False, actor_id=None,
                               now=doors.now)  # fmt: skip
        old = site.settings.freezes / first.file
        assert len(dataset.read_freeze(site.settings.freezes, first)) == 2
    doors.visitor().open(drawn.link("/privacy/")).send(degree="erase")
    with site.reading() as (session, _pilot):
        before, after = session.scalars(select(Freeze).order_by(Freeze.number)).all()
        person = session.scalars(select(Participant).where(Participant.withdrawn == "erase")).one()
        assert session.get(Identity, person.id) is None
        assert session.scalars(select(Draft).where(Draft.participant_id == person.id)).all() == []
        kept = session.scalars(select(Submission).where(Submission.participant_id == person.id)).all()
        data = dataset.read_freeze(site.settings.freezes, after)
        with pytest.raises(Refused, match="superseded"):
            dataset.read_freeze(site.settings.freezes, before)
    assert [(s.answers, s.analysed) for s in kept] == [({}, {})]
    assert not old.exists()
    assert before.superseded_by == after.id
    assert before.manifest["rows"] == 2
    row = data.set_index("study_id").loc[person.study_id]
    assert row["withdrawn"] == "erase"
    answers = [name for name in data.columns if name.startswith("baseline__") and "submitted" not in name]
    about = ("baseline__responded", "baseline__mode", "baseline__modes")
    assert row[[n for n in answers if n not in about]].isna().all()


def test_after_an_erasure_no_letter_to_that_person_lies_in_the_outbox(doors: Doors, drawn: Visitor):
    other = doors.visitor(2).start().go_on()
    work(doors)
    assert len(letters(doors)) == 2
    doors.visitor().open(drawn.link("/privacy/")).send(degree="erase")
    (left,) = letters(doors)
    assert other.who.email in left


def test_a_name_stands_nowhere_in_the_database_or_the_freezes(doors: Doors, drawn: Visitor):
    site: Site = doors.site
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        dataset.freeze(session, pilot, protocol, folder=site.settings.freezes, with_arms=True, actor_id=None,
                       now=doors.now)  # fmt: skip
    site.database.dispose()
    home = site.settings.home
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert drawn.who.name.encode() not in written
    assert drawn.who.email.encode() not in written
