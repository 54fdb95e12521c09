"""Allocation: one arm a person, found again at every other click, and refused when something before it is missing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from arrivals import unbalanced
from small_pilot import START, Site, person, with_capacity
from sqlalchemy import select, update

from pilot import locking
from pilot.errors import Refused
from pilot.journey import allocation, consent, enrolment, withdrawal
from pilot.models import Allocation, AllocationNote, Event, Participant, Pilot, StratumState, Submission


def allocated(site: Site, number: int, **options: object) -> Allocation:
    with site.writing() as (session, _pilot):
        participant = site.enrol(session, person(number), **options)
        found = allocation.of(session, participant)
    assert found is not None
    return found


def refusal(site: Site, participant_id: int, *, now: datetime = START) -> str:
    with pytest.raises(Refused) as found, site.writing() as (session, _pilot):
        site.allocate(session, session.get_one(Participant, participant_id), now=now)
    return found.value.code


def counted(site: Site) -> int:
    with site.reading() as (session, pilot):
        return locking.allocated(session, pilot)


def test_a_double_click_a_reload_and_a_late_retry_give_one_arm(either_site: Site):
    first = allocated(either_site, 1)
    for later in (timedelta(0), timedelta(hours=1), timedelta(days=40)):
        with either_site.writing() as (session, _pilot):
            again = either_site.allocate(session, session.get_one(Participant, first.participant_id), now=START + later)
            assert (again.arm, again.position, again.row_hash) == (first.arm, first.position, first.row_hash)
    with either_site.reading() as (session, _pilot):
        kinds = session.scalars(select(Event.kind).where(Event.kind == "allocated")).all()
        states = session.scalars(select(StratumState)).all()
    assert len(kinds) == 1
    assert [state.next_position for state in states] == [2]
    assert counted(either_site) == 1


def test_an_allocation_that_was_undone_leaves_no_hole(either_site: Site):
    with either_site.writing() as (session, _pilot):
        either_site.enrol(session, 8)
        session.rollback()
    assert counted(either_site) == 0
    first, second = allocated(either_site, 8), allocated(either_site, 16)
    assert (first.stratum, first.position, second.stratum, second.position) == (first.stratum, 1, first.stratum, 2)


@pytest.mark.parametrize(
    ("until", "code"),
    [("enrol", "not_eligible"), ("screen", "no_consent"), ("consent", "no_baseline"), ("contact", "no_baseline")],
)
def test_nobody_is_allocated_before_everything_is_on_record(site: Site, until: str, code: str):
    with site.writing() as (session, _pilot):
        participant = site.enrol(session, 1, until=until)
    assert refusal(site, participant.id) == code
    assert counted(site) == 0


def test_somebody_who_is_not_eligible_gets_no_arm(site: Site):
    with site.writing() as (session, _pilot):
        participant = site.enrol(session, person(1, schooling="hbo_wo"), until="baseline")
    assert refusal(site, participant.id) == "not_eligible"


def test_consent_that_was_taken_back_before_the_draw_counts(site: Site):
    with site.writing() as (session, pilot):
        participant = site.enrol(session, 1, until="baseline")
        _version, protocol = locking.in_force(session, pilot.id)
        versions = {text.purpose: text.version for text in protocol.consent.texts}
        no = dict.fromkeys(versions, False)
        consent.give(session, protocol, participant, no, versions=versions, language="nl", now=START)
    assert refusal(site, participant.id) == "no_consent"


def test_somebody_who_stopped_gets_no_arm(site: Site):
    with site.writing() as (session, _pilot):
        participant = site.enrol(session, 1, until="baseline")
        withdrawal.withdraw(session, participant, "no_contact", actor_id=None, now=START)
    assert refusal(site, participant.id) == "withdrawn"


def test_nobody_is_allocated_after_closing(site: Site):
    with site.writing() as (session, pilot):
        participant = site.enrol(session, 1, until="baseline")
        locking.close(session, pilot, actor_id=None, now=START)
    assert refusal(site, participant.id) == "recruitment_closed"


@pytest.mark.parametrize("day", [datetime(2026, 1, 4, 12, tzinfo=UTC), datetime(2027, 7, 1, 12, tzinfo=UTC)])
def test_nobody_is_allocated_outside_the_dates_of_recruitment(site: Site, day: datetime):
    with site.writing() as (session, _pilot):
        participant = site.enrol(session, 1, until="baseline")
    assert refusal(site, participant.id, now=day) == "recruitment_closed"


def test_an_unlocked_protocol_allocates_nobody(site: Site):
    with site.writing() as (session, pilot):
        participant = site.enrol(session, 1, until="baseline")
        version, protocol = locking.in_force(session, pilot.id)
        version.locked_at = None
        with pytest.raises(Refused) as found:
            allocation.allocate(session, pilot, version, protocol, participant, key=site.key(), now=START)
        assert found.value.code == "not_locked"
        session.rollback()


def test_nobody_enrols_before_recruitment_starts(new_site):
    site = new_site(mode=None)
    with pytest.raises(Refused) as found, site.writing() as (session, _pilot):
        site.enrol(session, 1, until="enrol")
    assert found.value.code == "recruitment_closed"


def test_the_pilot_is_full_for_everyone_once_one_arm_is(new_site, address: str):
    """Whoever would have been next sees the same refusal in every stratum, whatever arm would have been derived."""
    site = new_site(database_url=address, protocol=with_capacity({"advice": 2}))
    arms: Counter[str] = Counter()
    people = iter(range(1, 60))
    while arms["advice"] < 2:
        arms[allocated(site, next(people)).arm] += 1
    for number in range(100, 108):
        with site.writing() as (session, _pilot):
            later = site.enrol(session, person(number), until="baseline")
        assert refusal(site, later.id) == "full"
    assert counted(site) == arms.total()


def test_a_test_run_shares_no_position_and_no_key_with_the_live_run(new_site):
    site = new_site(mode="test")
    rehearsed = [allocated(site, number) for number in range(8, 80, 8)]
    with site.writing() as (session, pilot):
        left_over = site.enrol(session, person(88), until="baseline")
        locking.start(session, pilot, mode="live", actor_id=None, now=START)
    real = [allocated(site, number) for number in range(808, 880, 8)]
    assert site.key("test") != site.key("live")
    assert [a.position for a in rehearsed] == [a.position for a in real] == list(range(1, 10))
    assert {a.stratum for a in rehearsed} == {a.stratum for a in real}
    assert {a.mode for a in rehearsed} == {"test"}
    assert {a.mode for a in real} == {"live"}
    assert [a.arm for a in rehearsed] != [a.arm for a in real]
    assert refusal(site, left_over.id) == "recruitment_closed"
    with pytest.raises(Refused), site.writing() as (session, pilot):
        locking.start(session, pilot, mode="test", actor_id=None, now=START)


@pytest.mark.parametrize("kind", allocation.NOTES)
def test_a_note_keeps_the_reason_and_leaves_the_arm(site: Site, kind: str):
    before = allocated(site, 1)
    with site.writing() as (session, _pilot):
        participant = session.get_one(Participant, before.participant_id)
        allocation.note(session, participant, kind, reason=" asked for ", actor_id=site.staff["steward"], now=START)
    with site.reading() as (session, _pilot):
        after = session.scalars(select(Allocation)).one()
        row = session.scalars(select(AllocationNote)).one()
    assert (after.arm, after.row_hash, after.position) == (before.arm, before.row_hash, before.position)
    assert (row.kind, row.reason, row.actor_id) == (kind, "asked for", site.staff["steward"])


@pytest.mark.parametrize(
    ("kind", "reason", "until", "code"),
    [
        ("swap", "because", "allocate", "kind"),
        ("unblind", "  ", "allocate", "reason_missing"),
        ("unblind", "because", "baseline", "not_allocated"),
    ],
)
def test_a_note_without_reason_kind_or_arm_is_refused(site: Site, kind: str, reason: str, until: str, code: str):
    with site.writing() as (session, _pilot):
        participant = site.enrol(session, 1, until=until)
        with pytest.raises(Refused) as found:
            allocation.note(session, participant, kind, reason=reason, actor_id=1, now=START)
    assert found.value.code == code


def test_finished_blocks_hold_the_arms_in_their_ratio(site: Site):
    """The design draws blocks of six or nine: no more than eight arrivals in a row stand between two level moments."""
    arms = [allocated(site, number).arm for number in range(8, 8 * 37, 8)]
    assert unbalanced("noord", arms) == []
    assert unbalanced("noord", [*arms, *["portal"] * 9]) != []


def test_the_same_key_and_people_give_the_same_arms_and_another_key_others(new_site):
    runs = []
    for seed in (5, 5, 6):
        site = new_site(seed=seed)
        runs.append([allocated(site, number).arm for number in range(1, 25)])
    assert runs[0] == runs[1] != runs[2]


def test_the_counters_are_checked_against_the_record(site: Site):
    allocated(site, 1)
    with site.writing() as (session, _pilot):
        assert allocation.counters_hold(session) == []
        session.execute(update(StratumState).values(next_position=9))
        assert "the next position is 9" in allocation.counters_hold(session)[0]
        session.rollback()


def test_the_arm_stands_in_no_event(site: Site):
    """Events are read by people who are blind to the arm."""
    with site.writing() as (session, _pilot):
        site.enrol(session, 1, until="deliver")
    with site.reading() as (session, _pilot):
        arm = session.scalars(select(Allocation.arm)).one()
        details = [event.detail for event in session.scalars(select(Event))]
    assert not any(arm in map(str, detail.values()) for detail in details)


def test_one_persons_baseline_does_not_count_for_another(site: Site):
    with site.writing() as (session, _pilot):
        site.enrol(session, 1, until="baseline")
        other = site.enrol(session, 2, until="contact")
        rows = session.scalars(select(Submission.participant_id)).all()
    assert other.id not in rows
    assert refusal(site, other.id) == "no_baseline"


def test_a_form_that_is_sent_twice_enrols_one_person(either_site: Site):
    for _ in range(2):
        with either_site.writing() as (session, pilot):
            enrolment.enrol(session, pilot, nonce="n" * 20, language="nl", secret=either_site.secret, now=START)
    with either_site.reading() as (session, _pilot):
        assert len(session.scalars(select(Participant)).all()) == 1
        assert session.scalars(select(Pilot)).one().slug == either_site.slug
