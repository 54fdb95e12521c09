"""What an advisor does: who is in the caseload, which talks were held, the plan, and the statement at the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from pilot.db import insert_once
from pilot.errors import Refused
from pilot.events import record
from pilot.models import (
    AdviceSession,
    Caseload,
    DevelopmentPlan,
    Membership,
    Participant,
    PerformanceStatement,
    Pilot,
    User,
)

COMPONENTS = (
    "acquaintance", "labour_market_scan", "skills_inventory", "goals", "development_plan", "training_search",
    "funding_search", "referral", "follow_up_call",
)  # fmt: skip
CHANNELS = ("in_person", "phone", "video")
STATEMENT_MINUTES = 240
"""At least four hours of talks: the statutory form of the advice trajectory, 2020-2023 schemes."""

# Made once: making a statement costs more than the database takes to carry it out.
_ADVISOR = (
    select(Caseload)
    .where(Caseload.participant_id == bindparam("person"), Caseload.ended_at.is_(None))
    .order_by(Caseload.id.desc())
    .limit(1)
)
_LOAD = (
    select(Caseload.advisor_id, func.count().label("people"))
    .where(Caseload.ended_at.is_(None))
    .group_by(Caseload.advisor_id)
    .subquery()
)
_LEAST_BUSY = (
    select(User.id)
    .join(Membership)
    .outerjoin(_LOAD, _LOAD.c.advisor_id == User.id)
    .where(Membership.pilot_id == bindparam("pilot"), Membership.role == "advisor", User.active)
    .order_by(func.coalesce(_LOAD.c.people, 0), User.id)
    .limit(1)
)
_LEAST_BUSY_OF = _LEAST_BUSY.where(Membership.organisation_id == bindparam("organisation"))
_ORGANISATION = select(Membership.organisation_id).where(
    Membership.user_id == bindparam("advisor"), Membership.pilot_id == bindparam("pilot"), Membership.role == "advisor"
)
_TALK = select(AdviceSession).where(
    AdviceSession.participant_id == bindparam("person"), AdviceSession.nonce == bindparam("nonce")
)
_MINUTES = select(func.sum(AdviceSession.minutes)).where(AdviceSession.participant_id == bindparam("person"))
_PLAN = (
    select(DevelopmentPlan)
    .where(DevelopmentPlan.participant_id == bindparam("person"))
    .order_by(DevelopmentPlan.version.desc())
    .limit(1)
)


def assign(
    session: Session,
    participant: Participant,
    advisor_id: int,
    *,
    actor_id: int | None,
    reason: str = "",
    now: datetime,
) -> Caseload:
    """Puts the participant in an advisor's caseload; an earlier assignment ends and stays on record."""
    current = advisor_of(session, participant)
    if current is not None and current.advisor_id == advisor_id:
        return current
    if current is not None:
        if not reason.strip():
            raise Refused("a handover needs a reason", code="reason_missing")
        current.ended_at = now
    participant.organisation_id = session.scalar(_ORGANISATION, {"advisor": advisor_id, "pilot": participant.pilot_id})
    row = Caseload(participant_id=participant.id, advisor_id=advisor_id, assigned_at=now, reason=reason.strip())
    session.add(row)
    record(
        session, "advisor_assigned", participant, now=now, actor_id=actor_id, advisor=advisor_id, reason=reason.strip()
    )
    session.flush()
    return row


def assign_least_busy(session: Session, pilot: Pilot, participant: Participant, *, now: datetime) -> Caseload | None:
    """The advisor with the fewest participants, of the participant's organisation when one is known.

    Nothing when the pilot has no active advisor. Ties go to the advisor who was added first.
    """
    current = advisor_of(session, participant)
    if current is not None:
        return current
    anywhere = participant.organisation_id is None
    where = {"pilot": pilot.id} | ({} if anywhere else {"organisation": participant.organisation_id})
    advisor_id = session.scalar(_LEAST_BUSY if anywhere else _LEAST_BUSY_OF, where)
    return None if advisor_id is None else assign(session, participant, advisor_id, actor_id=None, now=now)


def advisor_of(session: Session, participant: Participant) -> Caseload | None:
    return session.scalar(_ADVISOR, {"person": participant.id})


def log_session(
    session: Session,
    participant: Participant,
    *,
    advisor_id: int,
    nonce: str,
    held_on: date,
    minutes: int,
    channel: str,
    components: Sequence[str],
    notes: str = "",
    next_appointment: datetime | None = None,
    now: datetime,
) -> AdviceSession:
    """Keeps one talk; the same form twice is one talk. Raises Refused for a talk that cannot have been."""
    if held_on > (now + timedelta(days=1)).date():
        raise Refused("the talk lies in the future; log it once it was held", code="in_future", field="held_on")
    if not 1 <= minutes <= 600:
        raise Refused("a talk lasts between 1 and 600 minutes", code="minutes", field="minutes")
    if channel not in CHANNELS:
        raise Refused("choose how the talk was held", code="channel", field="channel")
    unknown = sorted(set(components) - set(COMPONENTS))
    if unknown:
        raise Refused(f"'{unknown[0]}' is no component of the advice", code="component", field="components")
    if not components:
        raise Refused("tick at least one thing that was done", code="components_missing", field="components")
    if len(notes) > 10_000:
        raise Refused("the notes are longer than 10,000 characters", code="too_long", field="notes")
    created = insert_once(
        session,
        AdviceSession,
        participant_id=participant.id,
        advisor_id=advisor_id,
        nonce=nonce,
        held_on=held_on,
        minutes=minutes,
        channel=channel,
        components=sorted(set(components)),
        notes=notes or None,
        next_appointment=next_appointment,
        logged_at=now,
    )
    if created:
        detail = {"minutes": minutes, "channel": channel, "components": sorted(set(components))}
        record(session, "session_logged", participant, now=now, actor_id=advisor_id, **detail)
    row = session.scalar(_TALK, {"person": participant.id, "nonce": nonce})
    assert row is not None
    return row


def sessions_of(session: Session, participant: Participant) -> Sequence[AdviceSession]:
    return session.scalars(
        select(AdviceSession)
        .where(AdviceSession.participant_id == participant.id)
        .order_by(AdviceSession.held_on, AdviceSession.id)
    ).all()


def minutes_of(session: Session, participant: Participant) -> int:
    return session.scalar(_MINUTES, {"person": participant.id}) or 0


def write_plan(
    session: Session, participant: Participant, *, advisor_id: int, goal: str, steps: str, now: datetime
) -> DevelopmentPlan:
    """A new version of the development plan; the earlier ones stay."""
    if not goal.strip():
        raise Refused("write what the participant wants to reach", code="goal_missing", field="goal")
    if max(len(goal), len(steps)) > 10_000:
        raise Refused("the text is longer than 10,000 characters", code="too_long", field="steps")
    last = plan_of(session, participant)
    if last is not None and (last.goal, last.steps) == (goal.strip(), steps.strip()):
        return last
    row = DevelopmentPlan(
        participant_id=participant.id,
        advisor_id=advisor_id,
        version=last.version + 1 if last else 1,
        goal=goal.strip(),
        steps=steps.strip(),
        written_at=now,
    )
    session.add(row)
    record(session, "plan_written", participant, now=now, actor_id=advisor_id, version=row.version)
    session.flush()
    return row


def plan_of(session: Session, participant: Participant) -> DevelopmentPlan | None:
    return session.scalar(_PLAN, {"person": participant.id})


def state_performance(
    session: Session, participant: Participant, *, advisor_id: int, now: datetime
) -> PerformanceStatement:
    """The advisor's signature under the statement of performance; the participant signs through a personal link.

    Raises Refused with fewer than four hours of talks, or without a development plan.
    """
    minutes = minutes_of(session, participant)
    if minutes < STATEMENT_MINUTES:
        raise Refused(
            f"the talks add up to {minutes} minutes; the statement needs {STATEMENT_MINUTES}", code="too_few_minutes"
        )
    if plan_of(session, participant) is None:
        raise Refused("write the development plan first", code="no_plan")
    created = insert_once(
        session,
        PerformanceStatement,
        participant_id=participant.id,
        advisor_id=advisor_id,
        minutes=minutes,
        advisor_signed_at=now,
    )
    if created:
        record(session, "performance_stated", participant, now=now, actor_id=advisor_id, minutes=minutes)
        session.flush()
    return session.get_one(PerformanceStatement, participant.id)


def confirm_performance(session: Session, participant: Participant, *, now: datetime) -> PerformanceStatement:
    """The participant's signature."""
    row = session.get(PerformanceStatement, participant.id)
    if row is None:
        raise Refused("the advisor has not signed yet", code="not_stated")
    if row.participant_signed_at is None:
        row.participant_signed_at = now
        record(session, "performance_confirmed", participant, now=now)
        session.flush()
    return row
