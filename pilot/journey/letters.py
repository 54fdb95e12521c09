"""Letters to participants: they wait in the outbox like every message, and a steward prints them, a batch at a time.

A letter counts as sent once it is in a batch. The batch can be printed again; who has answered or stopped in the
meantime, or has no address any more, is not in it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pilot.errors import Refused
from pilot.events import record
from pilot.journey import followup
from pilot.models import Event, Identity, Message, Pilot

KIND = "wave_letters_handed_over"


def waiting(session: Session, pilot: Pilot, *, now: datetime) -> int:
    """How many letters to participants are due by now and in no batch yet."""
    return session.scalar(select(func.count()).select_from(Message).where(*_due(pilot, now))) or 0


def hand_over(session: Session, pilot: Pilot, *, actor_id: int, now: datetime, most: int) -> Event | None:
    """A batch of the first `most` letters that are still of use; None when there is none.

    Whoever answered or stopped is left out for good. Who has no address any more gets this message by another way.
    """
    query = select(Message).where(*_due(pilot, now)).order_by(Message.id).with_for_update(skip_locked=True)
    numbers: list[int] = []
    for message in session.scalars(query).all():
        if len(numbers) == most:
            break
        if not followup.still_wanted(session, message):
            followup.settle(session, message.id, "cancelled", now=now)
        elif _address(session, message) is None:
            followup.settle(session, message.id, "cancelled", now=now)
            message.key = f"{message.key}:no-address:{message.id}"
        else:
            followup.settle(session, message.id, "sent", now=now)
            numbers.append(message.id)
    session.flush()
    if not numbers:
        return None
    record(session, "wave_letters_handed_over", pilot, now=now, actor_id=actor_id, rows=len(numbers), messages=numbers)
    return session.scalars(
        select(Event).where(Event.kind == KIND, Event.pilot_id == pilot.id).order_by(Event.id.desc()).limit(1)
    ).one()


def in_batch(session: Session, batch: Event) -> Sequence[Message]:
    """The letters of a batch that still make sense. Raises Refused for an event that is no batch of them."""
    if batch.kind != KIND:
        raise Refused("this is no batch of letters to participants", code="not_found")
    mine = (Message.id.in_(batch.detail["messages"]), Message.pilot_id == batch.pilot_id, Message.status == "sent")
    found = session.scalars(select(Message).where(*mine).order_by(Message.id)).all()
    return [one for one in found if followup.still_to_answer(session, one) and _address(session, one) is not None]


def _due(pilot: Pilot, now: datetime):  # type: ignore[no-untyped-def]
    mine = (Message.pilot_id == pilot.id, Message.participant_id.is_not(None), Message.channel == "letter")
    return *mine, Message.status == "queued", Message.due_at <= now


def _address(session: Session, message: Message) -> str | None:
    identity = session.get(Identity, message.participant_id)
    return identity.letter_address if identity is not None else None
