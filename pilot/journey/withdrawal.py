"""Stopping, in three degrees: no more contact; no more data; erase what the law allows.

The allocation stays in every degree: who was randomised is counted, and the arm that is analysed never changes.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pilot.errors import Refused
from pilot.events import record
from pilot.models import (
    AdviceSession,
    DevelopmentPlan,
    Draft,
    Exposure,
    Identity,
    Invitee,
    Message,
    PaperDecision,
    PaperEntry,
    Participant,
    Screening,
    Submission,
    Withdrawal,
)

DEGREES = ("no_contact", "no_data", "erase")


def withdraw(
    session: Session, participant: Participant, degree: str, *, actor_id: int | None, reason: str = "", now: datetime
) -> Withdrawal:
    """Stops what the degree says, at once: messages are cancelled and personal links no longer open.

    A later withdrawal can only go further. Raises Refused for an unknown degree.
    """
    if degree not in DEGREES:
        raise Refused(f"'{degree}' is not one of {', '.join(DEGREES)}", code="degree")
    if participant.withdrawn and DEGREES.index(participant.withdrawn) >= DEGREES.index(degree):
        return session.scalars(
            select(Withdrawal).where(Withdrawal.participant_id == participant.id).order_by(Withdrawal.id.desc())
        ).first() or _row(session, participant, degree, actor_id, reason, now)
    participant.withdrawn = degree
    participant.link_generation += 1
    session.execute(
        update(Message)
        .where(Message.participant_id == participant.id, Message.status == "queued")
        .values(status="cancelled", lease_until=None)
    )
    row = _row(session, participant, degree, actor_id, reason, now)
    _forget_means(session, participant)
    if degree == "erase":
        _erase(session, participant)
    record(session, "withdrawn", participant, now=now, actor_id=actor_id, degree=degree)
    session.flush()
    return row


def _row(
    session: Session, participant: Participant, degree: str, actor_id: int | None, reason: str, now: datetime
) -> Withdrawal:
    row = Withdrawal(participant_id=participant.id, degree=degree, reason=reason.strip(), actor_id=actor_id, at=now)
    session.add(row)
    session.flush()
    return row


def _forget_means(session: Session, participant: Participant) -> None:
    """Nobody is looked for any more: the second person and the mark of the device go in every degree."""
    identity = session.get(Identity, participant.id)
    if identity is not None:
        identity.forget_second()
        identity.device_hash = None
        session.flush()


def _erase(session: Session, participant: Participant) -> None:
    """Identity, contact data, answers and notes go. What stays: that somebody was randomised, to what, and when."""
    mine = {"participant_id": participant.id}
    session.execute(delete(Identity).filter_by(**mine))
    for kind in (Draft, PaperEntry, PaperDecision):
        session.execute(delete(kind).filter_by(**mine))
    session.execute(delete(DevelopmentPlan).filter_by(**mine))
    session.execute(delete(Exposure).filter_by(**mine))
    session.execute(update(Submission).filter_by(**mine).values(answers={}, analysed={}, modes={}))
    session.execute(update(Screening).filter_by(**mine).values(answers={}))
    session.execute(update(AdviceSession).filter_by(**mine).values(notes=None))
    if participant.invitee_id is not None:
        blank = {"name": None, "address": None, "email": None, "covariates": {}}
        session.execute(update(Invitee).where(Invitee.id == participant.invitee_id).values(**blank))
    session.expire_all()
