"""The worker: what happens without anybody clicking. Messages, arms, publications, and the end of contact data.

Any number of workers may run; each deed is a short transaction that finds out for itself whether it is still needed.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from pilot import clock as clocks
from pilot import disposal, locking, post, publishing, retention
from pilot.clock import Clock
from pilot.db import Database
from pilot.errors import Busy
from pilot.journey import delivery, followup, incentives, outreach
from pilot.models import Pilot
from pilot.settings import Settings

logger = logging.getLogger("pilot.worker")
EVERY = 20.0


@dataclass(frozen=True, slots=True)
class Done:
    """What one round did."""

    delivered: int
    queued: int
    sent: int
    published: int = 0
    forgotten: int = 0
    destroyed: int = 0


def round_once(database: Database, settings: Settings, *, clock: Clock) -> Done:
    """One round over every pilot that runs or has people to follow up."""
    by_pilot = lambda pilot: moment(settings, pilot, clock)  # noqa: E731
    delivered = queued = published = forgotten = 0
    with database.reading() as session:
        active = list(
            session.scalars(select(Pilot.id).where(Pilot.status.in_(("running", "closed"))).order_by(Pilot.id))
        )
    for pilot_id in active:
        with database.writing() as session:
            pilot = session.get_one(Pilot, pilot_id)
            _version, protocol = locking.in_force(session, pilot_id)
            now = by_pilot(pilot)
            for participant in delivery.undelivered(session, pilot):
                secret = settings.secret_key.encode()
                delivery.deliver(session, pilot, protocol, participant, secret=secret, zone=settings.zone, now=now)
                delivered += 1
            if pilot.status == "running":
                queued += outreach.queue_invitations(session, pilot, protocol, now=now)
            queued += followup.queue_due(session, pilot, protocol, zone=settings.zone, now=now)
            incentives.give_due(session, pilot, protocol, zone=settings.zone, now=now)
            gone = retention.forget(session, pilot, protocol, zone=settings.zone, now=now)
            forgotten += sum(gone.values())
        published += publish_when_due(database, settings, pilot_id, now=now)
    sent = post.deliver(database, settings, now=by_pilot, machine_now=clock())
    swept = disposal.sweep(database, settings, now=clock())
    return Done(delivered, queued, sent, published, forgotten, swept.freezes + swept.messages)


def publish_when_due(database: Database, settings: Settings, pilot_id: int, *, now: datetime) -> bool:
    """Makes the next publication of a pilot when it is time. The check only reads, and takes seconds in a large pilot;
    so it holds no lock, and the short transaction after it keeps what was found unless another worker was first.
    """
    with database.reading() as session:
        pilot = session.get_one(Pilot, pilot_id)
        if not publishing.due(session, pilot, now=now):
            return False
        _version, protocol = locking.in_force(session, pilot_id)
        draft = publishing.prepare(session, pilot, protocol, folder=settings.freezes, now=now)
    with database.writing() as session:
        return publishing.publish(session, session.get_one(Pilot, pilot_id), draft, now=now)


def moment(settings: Settings, pilot: Pilot, clock: Clock) -> datetime:
    """The pilot's own time: a demo's can run ahead of the machine."""
    shift = 0 if settings.kind == "production" else pilot.clock_shift
    return clock() + timedelta(seconds=shift)


def run(settings: Settings, stop: threading.Event, *, clock: Clock = clocks.system, every: float = EVERY) -> None:
    """Rounds until `stop` is set. A round that fails is logged and tried again; nothing is lost by it."""
    database = Database(settings)
    try:
        while not stop.is_set():
            try:
                done = round_once(database, settings, clock=clock)
                if done != Done(0, 0, 0):
                    logger.info("round", extra=asdict(done))
            except Busy:
                logger.warning("the database is busy; the next round tries again")
            except Exception:
                logger.exception("a round failed; the next one tries again")
            stop.wait(every)
    finally:
        database.dispose()
