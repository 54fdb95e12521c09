"""What an arm promises is made ready: an advisor, a voucher, a receipt. Safe to call as often as one likes.

It runs after the allocation was committed, so that nothing slow happens under the stratum's lock; the page that shows
the arm calls it, and the worker calls it for whoever closed the page too soon.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pilot.db import insert_once
from pilot.journey import advice, followup, vouchers
from pilot.models import Allocation, Event, Identity, Message, Participant, Pilot
from pilot.protocol import Protocol

_ALLOCATION = select(Allocation).where(Allocation.participant_id == bindparam("person"))


def deliver(
    session: Session,
    pilot: Pilot,
    protocol: Protocol,
    participant: Participant,
    *,
    secret: bytes,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Everything the participant's arm holds and that does not need the participant."""
    allocation = session.scalar(_ALLOCATION, {"person": participant.id})
    if allocation is None or participant.withdrawn:
        return
    if "advice" in protocol.arm(allocation.arm).components:
        advice.assign_least_busy(session, pilot, participant, now=now)
    vouchers.issue(session, protocol, participant, allocation, secret=secret, now=now)
    _queue(session, pilot, participant, "receipt", {"receipt": allocation.row_hash[:12]}, zone=zone, now=now)


def ask_confirmation(
    session: Session, pilot: Pilot, participant: Participant, *, zone: ZoneInfo, now: datetime
) -> bool:
    """Sends the participant the link to the statement that the advisor signed, once; says whether it was queued now."""
    if participant.withdrawn:
        return False
    return _queue(session, pilot, participant, "statement", {}, zone=zone, now=now)


def _queue(
    session: Session,
    pilot: Pilot,
    participant: Participant,
    kind: str,
    detail: dict[str, str],
    *,
    zone: ZoneInfo,
    now: datetime,
) -> bool:
    """One message of this kind for this person, by e-mail or else by text; nothing for who cannot be reached."""
    identity = session.get(Identity, participant.id)
    channel = None if identity is None else "email" if identity.email else "sms" if identity.phone else None
    if channel is None:
        return False
    return insert_once(
        session,
        Message,
        pilot_id=pilot.id,
        participant_id=participant.id,
        key=f"{pilot.id}:{participant.id}:{kind}",
        kind=kind,
        channel=channel,
        language=participant.language,
        detail=detail,
        status="queued",
        due_at=followup.waking(now, zone),
        attempts=0,
    )


def is_missing(session: Session, protocol: Protocol, participant: Participant) -> bool:
    """Whether something of the arm is not ready yet; a read, so that a page need not write each time it is shown."""
    allocation = session.scalar(select(Allocation).where(Allocation.participant_id == participant.id))
    if allocation is None:
        return False
    components = protocol.arm(allocation.arm).components
    no_advisor = "advice" in components and advice.advisor_of(session, participant) is None
    no_voucher = "voucher" in components and vouchers.of(session, participant) is None
    receipt = select(Message.id).where(Message.participant_id == participant.id, Message.kind == "receipt")
    return no_advisor or no_voucher or session.scalar(receipt) is None


def undelivered(session: Session, pilot: Pilot, *, limit: int = 200) -> list[Participant]:
    """Allocated participants for whom no receipt was queued yet."""
    sent = select(Message.id).where(Message.participant_id == Participant.id, Message.kind == "receipt")
    reachable = select(Identity.participant_id).where(
        Identity.participant_id == Participant.id, (Identity.email.is_not(None)) | (Identity.phone.is_not(None))
    )
    return list(
        session.scalars(
            select(Participant)
            .join(Allocation, Allocation.participant_id == Participant.id)
            .where(
                Participant.pilot_id == pilot.id, Participant.withdrawn.is_(None), ~sent.exists(), reachable.exists()
            )
            .order_by(Participant.id)
            .limit(limit)
        )
    )


def events_of(session: Session, participant: Participant) -> list[Event]:
    """What happened to this participant, oldest first."""
    return list(session.scalars(select(Event).where(Event.participant_id == participant.id).order_by(Event.id)))
