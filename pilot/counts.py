"""What happens in a pilot, in numbers read straight from the record: reach, enrolment, flow, response, recruitment.

Nothing here is an outcome. Numbers by arm are numbers of people and of what they were given; who answered by arm is
left to the figure, which masks it until a look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from pilot.models import (
    AdviceSession,
    Allocation,
    Consent,
    Draft,
    Invitee,
    Participant,
    Pilot,
    Screening,
    Submission,
    Voucher,
)
from pilot.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Reach:
    """How far people came, for one way of inviting them; `invited` is None for those who came by themselves."""

    outreach_arm: str
    invited: int | None
    opened: int | None
    started: int
    screened: int
    eligible: int
    consented: int
    allocated: int


@dataclass(frozen=True, slots=True)
class WaveCount:
    """A wave in one arm: whom it was open to, who answered, and who had left before."""

    wave: str
    asked: int
    answered: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """One arm: how many were allocated, how many got what it offers beyond the portal, and its waves."""

    arm: str
    allocated: int
    received: int
    waves: tuple[WaveCount, ...]


def reach(session: Session, pilot: Pilot) -> list[Reach]:
    """One row for each way of inviting that brought or could bring people, in the order of their names."""
    invited = {
        arm: (count, opened)
        for arm, count, opened in session.execute(
            select(Invitee.outreach_arm, func.count(), func.count(Invitee.opened_at))
            .where(Invitee.pilot_id == pilot.id)
            .group_by(Invitee.outreach_arm)
        )
    }
    yes = exists().where(Consent.participant_id == Participant.id, Consent.purpose == "participate", Consent.given)
    stages = {
        "started": None,
        "screened": exists().where(Screening.participant_id == Participant.id),
        "eligible": exists().where(Screening.participant_id == Participant.id, Screening.eligible),
        "consented": yes,
        "allocated": exists().where(Allocation.participant_id == Participant.id),
    }
    people: dict[str, dict[str, int]] = {}
    for stage, condition in stages.items():
        query = (
            select(Participant.outreach_arm, func.count())
            .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode)
            .group_by(Participant.outreach_arm)
        )
        for arm, count in session.execute(query if condition is None else query.where(condition)):
            people.setdefault(arm, {})[stage] = count
    found = []
    for arm in sorted({*invited, *people}):
        count, opened = invited.get(arm, (None, None))
        found.append(Reach(arm, count, opened, **{stage: people.get(arm, {}).get(stage, 0) for stage in stages}))
    return found


def not_eligible(session: Session, pilot: Pilot) -> dict[str, int]:
    """Reasons why people could not take part, with how many."""
    rows = session.execute(
        select(Screening.reason, func.count())
        .join(Participant, Participant.id == Screening.participant_id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode, Screening.eligible.is_(False))
        .group_by(Screening.reason)
    )
    return dict(sorted((name, number) for name, number in rows))


def by_arm(session: Session, pilot: Pilot, protocol: Protocol, *, now: datetime) -> list[ArmCounts]:
    """The flow after allocation, arm by arm, in the order of the protocol."""
    people = session.execute(
        select(Participant.id, Participant.withdrawn, Allocation.arm, Allocation.allocated_at)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Allocation.mode == pilot.mode)
    ).all()
    answered = _pairs(session, pilot)
    talked = _who(session, pilot, AdviceSession.participant_id)
    vouchers = _who(session, pilot, Voucher.participant_id)
    found = []
    for arm in protocol.arms:
        mine = [row for row in people if row.arm == arm.name]
        if "advice" in arm.components:
            received = sum(row.id in talked for row in mine)
        else:
            received = sum(row.id in vouchers for row in mine) if "voucher" in arm.components else len(mine)
        waves = []
        for wave in protocol.waves[1:]:
            open_ = [row for row in mine if wave.on(row.allocated_at.date()).opens_on <= now.date()]
            done = sum((row.id, wave.name) in answered for row in open_)
            left = sum(bool(row.withdrawn) and (row.id, wave.name) not in answered for row in open_)
            waves.append(WaveCount(wave.name, len(open_), done, left))
        found.append(ArmCounts(arm.name, len(mine), received, tuple(waves)))
    return found


def arrivals(session: Session, pilot: Pilot) -> Mapping[date, int]:
    """Allocations a day."""
    counts: dict[date, int] = {}
    rows = session.scalars(
        select(Allocation.allocated_at).where(Allocation.pilot_id == pilot.id, Allocation.mode == pilot.mode)
    )
    for moment in rows:
        counts[moment.date()] = counts.get(moment.date(), 0) + 1
    return counts


def under_way(session: Session, pilot: Pilot) -> int:
    """People who began a list and have not finished it."""
    done = exists().where(Submission.participant_id == Draft.participant_id, Submission.wave == Draft.wave)
    return (
        session.scalar(
            select(func.count())
            .select_from(Draft)
            .join(Participant, Participant.id == Draft.participant_id)
            .where(Participant.pilot_id == pilot.id, Draft.wave != "screening", ~done)
        )
        or 0
    )


def _pairs(session: Session, pilot: Pilot) -> set[tuple[int, str]]:
    rows = session.execute(
        select(Submission.participant_id, Submission.wave)
        .join(Participant, Participant.id == Submission.participant_id)
        .where(Participant.pilot_id == pilot.id)
    )
    return {(person, wave) for person, wave in rows}


def _who(session: Session, pilot: Pilot, person: object) -> set[int]:
    query = (
        select(person)  # type: ignore[call-overload]
        .join(Participant, Participant.id == person)
        .where(Participant.pilot_id == pilot.id)
        .distinct()
    )
    return set(session.scalars(query))
