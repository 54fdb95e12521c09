"""What must hold before people are let in: tables, allocation keys, and counters that agree with the record."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from pilot import keys, schema
from pilot.db import Database
from pilot.errors import Tampered
from pilot.models import Allocation, Commitment, Pilot, StratumState
from pilot.settings import Settings


def check(database: Database, settings: Settings) -> None:
    """Raises the first thing that is wrong: Busy, SettingsError or Tampered, each with its remedy."""
    database.ready()
    schema.must_be_current(database)
    with database.reading() as session:
        keys_are_there(session, settings)
        counters_agree(session)


def keys_are_there(session: Session, settings: Settings) -> None:
    """Raises SettingsError when the key of a locked or running pilot is missing."""
    query = (
        select(Pilot.slug, Commitment.mode)
        .join(Commitment, Commitment.pilot_id == Pilot.id)
        .where(Pilot.status.in_(("locked", "running")))
        .order_by(Pilot.slug, Commitment.mode)
    )
    for slug, mode in session.execute(query):
        keys.read(settings.keys, slug, mode)


def counters_agree(session: Session) -> None:
    """Raises Tampered when the next position of a stratum is not one after its last allocation."""
    key = ("pilot_id", "mode", "epoch", "stratum")
    same = and_(*(getattr(Allocation, name) == getattr(StratumState, name) for name in key))
    last = func.coalesce(func.max(Allocation.position), 0)
    held = func.count(Allocation.position)
    query = (
        select(Pilot.slug, StratumState.mode, StratumState.stratum, StratumState.next_position, last, held)
        .join(Pilot, Pilot.id == StratumState.pilot_id)
        .outerjoin(Allocation, same)
        .group_by(Pilot.slug, StratumState.mode, StratumState.epoch, StratumState.stratum, StratumState.next_position)
        .having((StratumState.next_position != last + 1) | (held != last))
    )
    for slug, mode, stratum, upcoming, position, count in session.execute(query):
        raise Tampered(
            f"pilot '{slug}' ({mode}), stratum '{stratum}': the next position is {upcoming}, but the record holds "
            f"{count} allocations up to position {position}. Nobody is let in until this is explained: compare with "
            "the last backup and run `pilot audit verify`."
        )
    orphan = session.execute(
        select(Allocation.stratum).outerjoin(StratumState, same).where(StratumState.next_position.is_(None)).limit(1)
    ).first()
    if orphan is not None:
        raise Tampered(f"stratum '{orphan.stratum}' has allocations but no counter; put back the last backup")
