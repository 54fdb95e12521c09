"""One pass over the outbox: lease, look again, send, settle. Each message in transactions of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from pilot import locking, mail, texting
from pilot.db import Database
from pilot.errors import PilotError, Undeliverable, Unsure
from pilot.journey import followup
from pilot.models import Message, Pilot
from pilot.post import markup
from pilot.post.wording import Letter, compose
from pilot.settings import Settings

logger = logging.getLogger("pilot.post")
Now = Callable[[Pilot], datetime]
AT_ONCE = 20


def deliver(database: Database, settings: Settings, *, now: Now, machine_now: datetime, limit: int = 200) -> int:
    """Sends what is due by each pilot's clock; says how many left. Safe to run in several processes at once, which
    share the work: each takes a few messages at a time.
    """
    sent = 0
    for _ in range(0, limit, AT_ONCE):
        with database.writing() as session:
            followup.doubtful(session)
            pilots = {pilot.id: now(pilot) for pilot in session.query(Pilot)}
            latest = max(pilots.values(), default=machine_now)
            leased = [(m.id, m.pilot_id, m.lease_until) for m in followup.lease(session, now=latest, limit=AT_ONCE)]
        for message_id, pilot_id, until in leased:
            if _still_ours(database, settings, message_id, until):
                sent += _one(database, settings, message_id, pilots[pilot_id])
        if len(leased) < AT_ONCE:
            break
    return sent


def _still_ours(database: Database, settings: Settings, message_id: int, until: datetime | None) -> bool:
    """A long row of messages can outlast its lease; then another worker sends the rest, and this one leaves it."""
    once = frozenset() if texting.repeatable(settings) else frozenset({"sms"})
    with database.writing() as session:
        return until is not None and followup.renew(session, message_id, until, once=once)


def _one(database: Database, settings: Settings, message_id: int, now: datetime) -> bool:
    """The state is read again after the lease: whoever answered or stopped in the meantime hears nothing. What was due
    by day and is late, or is tried again, waits for the next morning.
    """
    wakes = followup.waking(now, settings.zone)
    if wakes > now:
        return _put_off(database, message_id, wakes)
    with database.reading() as session:
        message = session.get_one(Message, message_id)
        letter = _ready(session, settings, message, now) if followup.still_wanted(session, message) else None
        if letter is not None and message.due_at > now:
            return _put_off(database, message_id, message.due_at)
    if letter is None:
        return _settle(database, message_id, "cancelled", now)
    try:
        CHANNELS[message.channel](settings, letter, message)
    except Undeliverable as error:
        logger.info("bounced", extra={"message_id": message_id, "channel": message.channel})
        return _settle(database, message_id, "bounced", now, str(error))
    except Unsure as error:
        logger.warning("not known whether it left", extra={"message_id": message_id, "channel": message.channel})
        return _settle(database, message_id, "unsure", now, str(error))
    except PilotError as error:
        logger.warning("not sent", extra={"message_id": message_id, "code": error.code})
        return _settle(database, message_id, "failed", now, str(error))
    return _settle(database, message_id, "sent", now)


def _ready(session, settings: Settings, message: Message, now: datetime) -> Letter | None:  # type: ignore[no-untyped-def]
    pilot = session.get_one(Pilot, message.pilot_id)
    _version, protocol = locking.in_force(session, pilot.id)
    return compose(session, settings, pilot, protocol, message, now=now)


def _settle(database: Database, message_id: int, outcome: str, now: datetime, error: str = "") -> bool:
    with database.writing() as session:
        followup.settle(session, message_id, outcome, now=now, error=error)  # type: ignore[arg-type]
    return outcome == "sent"


def _put_off(database: Database, message_id: int, until: datetime) -> bool:
    """Lays the message back as if nobody had taken it up; never sent, so this counts as no try."""
    with database.writing() as session:
        waits = session.get_one(Message, message_id)
        waits.lease_until, waits.begun_at, waits.attempts = None, None, waits.attempts - 1
        waits.due_at = max(waits.due_at, until)
    return False


def _by_email(settings: Settings, letter: Letter, message: Message) -> None:
    page, reference = markup.page(letter), message.reference
    mail.send(settings, letter.to, letter.subject, letter.body, kind=message.name, reference=reference, html=page)


def _by_text(settings: Settings, letter: Letter, message: Message) -> None:
    texting.send(settings, letter.to, letter.body, reference=message.reference, kind=message.name)


CHANNELS: dict[str, Callable[[Settings, Letter, Message], None]] = {
    "email": _by_email,
    "sms": _by_text,
}
"""Letters are not among them: a steward prints them, a batch at a time."""
