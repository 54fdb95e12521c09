"""Follow-up: waves that are due become messages, once each; whoever has answered or stopped hears nothing more.

The outbox is the queue. `queue_due` fills it, `lease` hands out what is to be sent now, and `settle` says how it went;
each is a short transaction of its own, so that a worker that dies half-way loses nothing and sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import case, or_, select, true, update
from sqlalchemy.orm import Session

from pilot.db import insert_once, shared_clock
from pilot.errors import Refused
from pilot.events import record
from pilot.models import Allocation, Identity, Invitee, Message, Participant, Pilot, Submission
from pilot.protocol import Protocol
from surveys.followups import Due, Wave

QUIET_UNTIL, QUIET_FROM = time(9, 0), time(20, 0)
LEASE = timedelta(minutes=5)
ATTEMPTS = 5
LONGEST_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Open:
    """A wave that a person can fill in now."""

    wave: Wave
    due: Due


def open_waves(session: Session, protocol: Protocol, participant: Participant, *, today: date) -> list[Open]:
    """The waves whose window is open and that are not finished, earliest first; the baseline is not among them."""
    allocated_at = session.scalar(select(Allocation.allocated_at).where(Allocation.participant_id == participant.id))
    if allocated_at is None or participant.withdrawn in ("no_data", "erase"):
        return []
    finished = set(session.scalars(select(Submission.wave).where(Submission.participant_id == participant.id)))
    found = [Open(wave, wave.on(allocated_at.date())) for wave in protocol.waves[1:] if wave.name not in finished]
    return sorted((o for o in found if o.due.status(today) == "open"), key=lambda o: o.due.due_on)


def queue_due(session: Session, pilot: Pilot, protocol: Protocol, *, zone: ZoneInfo, now: datetime) -> int:
    """Puts every invitation and reminder that is due by now in the outbox; says how many were new.

    Contact effort is the same in all arms: nothing here knows an arm.
    """
    queued = 0
    for wave in protocol.waves[1:]:
        for participant, due in people_asked(session, pilot, wave, now):
            step = _next_message(session, participant, due, now.date())
            if step is None:
                continue
            name, wanted = step
            channel = usable(session, participant, wanted) or usable_channel(session, participant, wave.channels)
            if channel is None:
                continue
            meant = wanted or wave.channels[0]
            queued += insert_once(
                session,
                Message,
                pilot_id=pilot.id,
                participant_id=participant.id,
                key=f"{_ladder(participant, wave.name)}{name}",
                kind="wave_invitation" if name == "invitation" else "wave_reminder",
                wave=wave.name,
                channel=channel,
                language=participant.language,
                detail={} if channel == meant else {"instead_of": meant},
                status="queued",
                due_at=waking(now, zone),
                attempts=0,
            )
    return queued


def waking(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment itself, or the next one outside quiet hours (20:00 to 9:00 where people live)."""
    local = moment.astimezone(zone)
    if local.time() < QUIET_UNTIL:
        local = datetime.combine(local.date(), QUIET_UNTIL, zone)
    elif local.time() >= QUIET_FROM:
        local = datetime.combine(local.date() + timedelta(days=1), QUIET_UNTIL, zone)
    return local.astimezone(UTC)


def doubtful(session: Session) -> int:
    """Messages whose sending began and of which no worker ever said how it went: it died meanwhile. They are not sent
    again by themselves, since they may have left; a steward decides. Says how many.
    """
    lost = (Message.status == "queued", Message.begun_at.is_not(None), Message.lease_until < shared_clock(session))
    query = select(Message).where(*lost).with_for_update(skip_locked=True)
    messages = session.scalars(query).all()
    for message in messages:
        _unsure(message, "the worker stopped while this message was under way")
    session.flush()
    return len(messages)


def lease(session: Session, *, now: datetime, limit: int = 20) -> Sequence[Message]:
    """Messages to send now, marked as being sent; several workers never get the same one. Letters wait for a steward.

    What is due is a matter of the pilot's time, `now`; how long a lease holds is one of the clock that workers share.
    """
    shared = shared_clock(session)
    free = or_(Message.lease_until.is_(None), Message.lease_until < shared)
    query = (
        select(Message)
        .where(Message.status == "queued", Message.channel != "letter", Message.due_at <= now, free)
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    messages = session.scalars(query).all()
    for message in messages:
        message.lease_until, message.attempts = shared + LEASE, message.attempts + 1
    session.flush()
    return messages


def renew(session: Session, message_id: int, until: datetime, *, once: frozenset[str] = frozenset()) -> bool:
    """Holds on to a message that was leased until then, just before it is sent. False when that lease ran out in the
    meantime and another worker has the message: a slow mail server never makes two workers send the same.

    On the channels in `once` nothing is tried a second time before it is known how the first try went: `doubtful`.
    """
    mine = update(Message).where(Message.id == message_id, Message.status == "queued", Message.lease_until == until)
    shared = shared_clock(session)
    begun = case((Message.channel.in_(once), shared), else_=None)
    held = session.execute(mine.values(lease_until=shared + LEASE, begun_at=begun))
    return held.rowcount == 1  # type: ignore[attr-defined]


def still_wanted(session: Session, message: Message) -> bool:
    """Whether the message should still go, read again just before it is sent."""
    fresh = session.get(Message, message.id, populate_existing=True)
    if fresh is None or fresh.status != "queued":
        return False
    if fresh.participant_id is None:
        return True
    return still_to_answer(session, fresh)


def still_to_answer(session: Session, message: Message) -> bool:
    """Whether the participant has not stopped, and has not answered what this message asks."""
    participant = session.get_one(Participant, message.participant_id, populate_existing=True)
    if participant.withdrawn:
        return False
    if message.wave is None:
        return True
    done = select(Submission.id).where(Submission.participant_id == participant.id, Submission.wave == message.wave)
    return session.scalar(done) is None


def settle(
    session: Session,
    message_id: int,
    outcome: Literal["sent", "cancelled", "failed", "bounced", "unsure"],
    *,
    now: datetime,
    error: str = "",
) -> None:
    """Keeps how sending went. A failure is tried again later, five times in all; what bounced is not, and its address
    is not used again until somebody mends it: the next message takes another way. What nobody is sure of waits for a
    steward: it is never sent twice in silence.
    """
    message = session.get_one(Message, message_id, with_for_update=True)
    message.lease_until = message.begun_at = message.copy_gone_at = None
    if outcome == "sent":
        message.status, message.sent_at = "sent", now
        if message.invitee_id is not None:
            session.get_one(Invitee, message.invitee_id).sent_at = now
    elif outcome == "cancelled":
        message.status = "cancelled"
    elif outcome == "bounced":
        _bounced(session, message, error, now)
    elif outcome == "unsure":
        _unsure(message, error)
    else:
        message.error = error[:300]
        message.due_at = now + timedelta(minutes=2**message.attempts)
        message.status = "failed" if message.attempts >= ATTEMPTS else "queued"
    subject = session.get(Participant, message.participant_id) if message.participant_id else None
    if outcome == "sent" and subject is not None:
        record(session, "message_sent", subject, now=now, what=message.kind, wave=message.wave, channel=message.channel)
    session.flush()


def decide(session: Session, message: Message, *, left: bool, actor_id: int, now: datetime) -> None:
    """What a steward found out about a message of which nobody was sure: it left, or it did not and goes now.

    Raises Refused for a message that is not in doubt.
    """
    if message.status != "unsure":
        raise Refused("nobody doubts whether this message left", code="not_found")
    if left:
        message.status, message.sent_at, message.error = "sent", message.sent_at or now, None
    else:
        message.status, message.due_at, message.error, message.attempts = "queued", now, None, 0
    subject = session.get(Participant, message.participant_id) if message.participant_id else None
    about = {"what": message.kind, "wave": message.wave, "channel": message.channel, "left": left}
    record(
        session,
        "message_decided",
        subject or session.get_one(Pilot, message.pilot_id),
        now=now,
        actor_id=actor_id,
        **about,
    )
    session.flush()


def _unsure(message: Message, error: str) -> None:
    message.status, message.error = "unsure", error[:300]
    message.lease_until = message.begun_at = None


def bounce(session: Session, message: Message, *, actor_id: int | None, now: datetime) -> None:
    """A message that was sent came back: its address is of no use. Raises Refused for one that never left.

    What still waits for this person by the same way takes another one, or is cancelled when there is none.
    """
    if message.status not in ("sent", "unsure"):
        raise Refused("only a message that was sent can come back", code="not_found")
    _bounced(session, message, "came back", now, actor_id=actor_id)
    session.flush()


def _bounced(session: Session, message: Message, error: str, now: datetime, actor_id: int | None = None) -> None:
    """Keeps which address it was by its keyed hash. The step of the ladder is open again for another channel."""
    message.status, message.error = "bounced", error[:300]
    message.key = f"{message.key}:bounced:{message.id}"
    identity = session.get(Identity, message.participant_id) if message.participant_id else None
    if identity is None:
        pilot = session.get_one(Pilot, message.pilot_id)
        about = {"what": message.kind, "channel": message.channel}
        record(session, "message_bounced", pilot, now=now, actor_id=actor_id, **about)
        return
    message.detail = {**message.detail, "address": _hash(identity, message.channel)}
    participant = session.get_one(Participant, identity.participant_id)
    detail = {"what": message.kind, "wave": message.wave, "channel": message.channel}
    record(session, "message_bounced", participant, now=now, actor_id=actor_id, **detail)
    _turn_aside(session, participant, message)


def _turn_aside(session: Session, participant: Participant, back: Message) -> None:
    """Messages that wait to go where this one came back from. A step of a ladder is opened again for another way."""
    session.flush()
    same = (Message.participant_id == participant.id, Message.channel == back.channel, Message.status == "queued")
    if usable(session, participant, back.channel) is not None:
        return
    for waits in session.scalars(select(Message).where(*same, Message.id != back.id)):
        other = usable_channel(session, participant)
        if waits.wave is None and other is not None:
            waits.channel = other
            continue
        waits.status, waits.lease_until = "cancelled", None
        waits.key = f"{waits.key}:bounced:{waits.id}"


def _hash(identity: Identity, channel: str) -> str | None:
    return {"email": identity.email_hash, "sms": identity.phone_hash, "letter": identity.address_hash}.get(channel)


def cancel(session: Session, participant: Participant, *, wave: str | None = None) -> None:
    """Takes everything that waits for this person (or for one wave) out of the outbox."""
    condition = [Message.participant_id == participant.id, Message.status == "queued"]
    if wave is not None:
        condition.append(Message.wave == wave)
    session.execute(update(Message).where(*condition).values(status="cancelled", lease_until=None))


def people_asked(
    session: Session, pilot: Pilot, wave: Wave, now: datetime, only: Participant | None = None
) -> Iterator[tuple[Participant, Due]]:
    """Allocated people for whom the wave is open and not finished, or whether one person is among them. SQL narrows by
    date, the calendar decides.
    """
    near = wave.on(now.date())
    span = (near.due_on - now.date(), near.opens_on - now.date(), near.closes_on - now.date())
    oldest, newest = now - max(span) - LONGEST_MONTH, now - min(span) + LONGEST_MONTH
    done = select(Submission.id).where(Submission.participant_id == Participant.id, Submission.wave == wave.name)
    rows = session.execute(
        select(Participant, Allocation.allocated_at)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .where(
            Participant.pilot_id == pilot.id,
            Participant.mode == pilot.mode,
            Participant.withdrawn.is_(None),
            Allocation.allocated_at.between(oldest, newest),
            ~done.exists(),
            true() if only is None else Participant.id == only.id,
        )
        .order_by(Participant.id)
    ).all()
    for participant, allocated_at in rows:
        due = wave.on(allocated_at.date())
        if due.status(now.date()) == "open":
            yield participant, due


def _ladder(participant: Participant, wave: str) -> str:
    return f"{participant.pilot_id}:{participant.id}:{wave}:"


def _next_message(session: Session, participant: Participant, due: Due, today: date) -> tuple[str, str | None] | None:
    """The invitation, or after it the latest reminder that is due; one message a day, and none that was overtaken."""
    prefix = _ladder(participant, due.wave.name)
    queued = session.execute(
        select(Message.key, Message.due_at).where(
            Message.participant_id == participant.id, Message.wave == due.wave.name
        )
    )
    steps = {key.removeprefix(prefix): queued_for.date() for key, queued_for in queued}
    # A step that came back, or for which there was no address, is open again: its key has a tail.
    sent = {name: day for name, day in steps.items() if ":" not in name}
    if not sent:
        return "invitation", None
    last = max(sent.values())
    ladder = [
        (f"reminder_{index}", wanted)
        for index, (day, wanted) in enumerate(due.reminders_on, start=1)
        if last < day <= today
    ]
    return ladder[-1] if ladder else None


def usable_channel(
    session: Session, participant: Participant, channels: Sequence[str] = ("email", "sms")
) -> str | None:
    """The first of these ways by which this person can be reached, and none that a message came back from."""
    return next((channel for channel in channels if usable(session, participant, channel)), None)


def usable(session: Session, participant: Participant, channel: str | None) -> str | None:
    """The channel when the person can be reached by it, and no message came back from there."""
    identity = session.get(Identity, participant.id)
    if identity is None or channel is None:
        return None
    reachable = {"email": identity.email, "sms": identity.phone, "letter": identity.letter_address}
    if not reachable.get(channel):
        return None
    came_back = session.scalars(
        select(Message.detail).where(
            Message.participant_id == participant.id, Message.channel == channel, Message.status == "bounced"
        )
    )
    return None if any(detail.get("address") == _hash(identity, channel) for detail in came_back) else channel
