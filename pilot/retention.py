"""How long names and contact data are kept, and the deed that removes them: once, on its day, never earlier.

Two days count. The list of invited people goes thirty days after recruitment has ended; who took part stays reachable
until thirty days after the last list of questions closes. Answers, arms and deeds stay under the study number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from pilot.events import record
from pilot.models import Allocation, Event, Identity, Invitee, Message, Participant, Pilot
from pilot.protocol import Protocol

GRACE = timedelta(days=30)
"""For late post, questions and complaints; and no clock that is some days ahead removes anything too early."""
INVITED, ENROLLED = "invited_forgotten", "contact_forgotten"
"""The events, one a pilot each time that something was removed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Until which day each kind is needed and when it goes, how many are still here, and when some were removed last.

    `needed_until` is None while nobody can say: recruitment goes on, or nobody was drawn.
    """

    kind: str
    needed_until: date | None
    here: int
    removed_at: datetime | None

    @property
    def goes_on(self) -> date | None:
        """The first day on which the worker removes it."""
        return None if self.needed_until is None else self.needed_until + GRACE


def standing(session: Session, pilot: Pilot, protocol: Protocol, *, zone: ZoneInfo) -> tuple[Kept, Kept]:
    """The list of invited people, and the contact data of participants."""
    ended = _recruitment_ended(pilot, protocol, zone)
    invited = session.scalar(select(func.count()).select_from(Invitee).where(*_named(pilot))) or 0
    enrolled = session.scalar(select(func.count()).select_from(Identity).where(_mine(pilot))) or 0
    return (
        Kept(INVITED, ended, invited, _last(session, pilot, INVITED)),
        Kept(ENROLLED, _last_list(session, pilot, protocol, ended), enrolled, _last(session, pilot, ENROLLED)),
    )


def forget(session: Session, pilot: Pilot, protocol: Protocol, *, zone: ZoneInfo, now: datetime) -> dict[str, int]:
    """Removes what its day has come for; says how many people of each kind, nothing when it was done before.

    Copies of their messages in the outbox are destroyed by `disposal.sweep` after the commit.
    """
    today, done = now.astimezone(zone).date(), {}
    for kept in standing(session, pilot, protocol, zone=zone):
        if kept.goes_on is None or today < kept.goes_on or not kept.here:
            continue
        REMOVE[kept.kind](session, pilot)
        record(session, kept.kind, pilot, now=now, people=kept.here, needed_until=str(kept.needed_until))
        done[kept.kind] = kept.here
    session.flush()
    return done


def _invited(session: Session, pilot: Pilot) -> None:
    """The list of invited people loses names and addresses; reference, way of inviting and what came of it stay."""
    blank = {"name": None, "address": None, "email": None}
    session.execute(update(Invitee).where(Invitee.pilot_id == pilot.id).values(**blank))
    _quiet(session, pilot, Message.invitee_id.is_not(None))


def _enrolled(session: Session, pilot: Pilot) -> None:
    session.execute(delete(Identity).where(_mine(pilot)))
    _quiet(session, pilot, Message.participant_id.is_not(None))


def _quiet(session: Session, pilot: Pilot, whose: ColumnElement[bool]) -> None:
    """Whatever still waits is not sent, and an error that may name an address goes."""
    mine = (Message.pilot_id == pilot.id, whose)
    session.execute(update(Message).where(*mine).values(error=None))
    session.execute(
        update(Message).where(*mine, Message.status == "queued").values(status="cancelled", lease_until=None)
    )


REMOVE = {INVITED: _invited, ENROLLED: _enrolled}


def _recruitment_ended(pilot: Pilot, protocol: Protocol, zone: ZoneInfo) -> date | None:
    if pilot.closed_at is not None:
        return pilot.closed_at.astimezone(zone).date()
    return protocol.pilot.recruitment.end


def _last_list(session: Session, pilot: Pilot, protocol: Protocol, ended: date | None) -> date | None:
    """The day on which the last list closes of whoever was drawn last, and never before recruitment ends."""
    drawn = (Allocation.pilot_id == pilot.id, Allocation.mode == pilot.mode)
    last = session.scalar(select(func.max(Allocation.allocated_at)).where(*drawn))
    days = [ended] if ended is not None else []
    if last is not None:
        days += [wave.on(last.date()).closes_on for wave in protocol.waves]
    return max(days, default=None)


def _last(session: Session, pilot: Pilot, kind: str) -> datetime | None:
    return session.scalar(select(func.max(Event.at)).where(Event.pilot_id == pilot.id, Event.kind == kind))


def _named(pilot: Pilot) -> tuple[ColumnElement[bool], ...]:
    anything = or_(Invitee.name.is_not(None), Invitee.address.is_not(None), Invitee.email.is_not(None))
    return Invitee.pilot_id == pilot.id, anything


def _mine(pilot: Pilot) -> ColumnElement[bool]:
    here = (Participant.id == Identity.participant_id, Participant.pilot_id == pilot.id)
    return exists().where(*here)
