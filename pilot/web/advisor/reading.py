"""What the record says about an advisor's people, read in a few queries however long the list is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot import access
from pilot.catalogue.offers import plain
from pilot.models import (
    AdviceSession,
    Caseload,
    Identity,
    Membership,
    Participant,
    PerformanceStatement,
    Pilot,
    User,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One person in a caseload: who, how far, and when next."""

    study_id: str
    name: str
    phone: str
    advisor: str
    minutes: int
    talks: int
    last: date | None
    next_appointment: datetime | None
    signed: bool
    withdrawn: str | None
    assigned_at: datetime

    def holds(self, words: str) -> bool:
        """Whether every word stands in the name, the study id or the telephone number."""
        known = plain(f"{self.name} {self.study_id} {self.phone}")
        return all(word in known for word in plain(words).split())


def caseload(
    session: Session, pilot: Pilot, user: User, *, everyone: bool, words: str = "", now: datetime
) -> list[Row]:
    """The people this advisor guides now, or with `everyone` those of the whole organisation; the next talk first."""
    query = (
        select(Participant, Identity, Caseload, User.name)
        .join(Caseload, Caseload.participant_id == Participant.id)
        .join(User, User.id == Caseload.advisor_id)
        .outerjoin(Identity, Identity.participant_id == Participant.id)
        .where(
            Participant.pilot_id == pilot.id,
            Participant.mode == pilot.mode,
            Caseload.ended_at.is_(None),
            Participant.organisation_id.in_(access.organisations_in(user, pilot, "see_caseload")),
        )
    )
    if not everyone:
        query = query.where(Caseload.advisor_id == user.id)
    found = session.execute(query.order_by(Caseload.id)).all()
    ids = [participant.id for participant, *_rest in found]
    talks = _talks(session, ids)
    signed = set(
        session.scalars(select(PerformanceStatement.participant_id).where(PerformanceStatement.participant_id.in_(ids)))
    )
    rows = [
        _row(participant, identity, assigned, advisor, talks.get(participant.id, []), participant.id in signed, now)
        for participant, identity, assigned, advisor in found
    ]
    return sorted((row for row in rows if row.holds(words)), key=_urgency)


def colleagues(session: Session, pilot: Pilot, organisation_id: int | None, *, but: int | None) -> Sequence[User]:
    """The other active advisors of an organisation in this pilot."""
    return session.scalars(
        select(User)
        .join(Membership)
        .where(
            Membership.pilot_id == pilot.id,
            Membership.role == access.ADVISOR,
            Membership.organisation_id == organisation_id,
            User.active,
            User.id != (but or 0),
        )
        .order_by(User.name, User.id)
    ).all()


def _talks(session: Session, ids: Iterable[int]) -> dict[int, list[AdviceSession]]:
    query = select(AdviceSession).where(AdviceSession.participant_id.in_(ids))
    found: dict[int, list[AdviceSession]] = {}
    for talk in session.scalars(query.order_by(AdviceSession.held_on, AdviceSession.id)):
        found.setdefault(talk.participant_id, []).append(talk)
    return found


def upcoming(talks: Sequence[AdviceSession], now: datetime) -> datetime | None:
    """The appointment that was made in the latest talk, while it has yet to come."""
    planned = talks[-1].next_appointment if talks else None
    return planned if planned is not None and planned >= now else None


def _row(
    participant: Participant, identity: Identity | None, assigned: Caseload, advisor: str,
    talks: Sequence[AdviceSession], signed: bool, now: datetime,
) -> Row:  # fmt: skip
    return Row(
        study_id=participant.study_id,
        name=(identity.name if identity else None) or "",
        phone=(identity.phone if identity else None) or "",
        advisor=advisor,
        minutes=sum(talk.minutes for talk in talks),
        talks=len(talks),
        last=talks[-1].held_on if talks else None,
        next_appointment=upcoming(talks, now),
        signed=signed,
        withdrawn=participant.withdrawn,
        assigned_at=assigned.assigned_at,
    )


def _urgency(row: Row) -> tuple[bool, bool, float, float]:
    """Appointments in their order, then whoever waits longest for a first talk, then the rest; the finished last."""
    done = row.signed or row.withdrawn is not None
    planned = row.next_appointment.timestamp() if row.next_appointment else float("inf")
    since = row.last.toordinal() if row.last else 0
    return done, row.next_appointment is None, planned, since or row.assigned_at.timestamp() / 1e12
