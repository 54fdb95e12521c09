"""Files that have no business being there any more are destroyed: by what the record says, and only after it says so.

A transaction that deletes a file and is then undone has lost it; one that commits and then dies has left it lying. So
nothing is deleted inside a transaction. The record itself is the list of what is to be done: a freeze that was
superseded, a message to somebody whose contact data have gone. A sweep may die anywhere; the next one ends the work.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session

from pilot import mail, texting
from pilot.db import Database
from pilot.events import record
from pilot.models import Event, Freeze, Identity, Invitee, Message, Pilot
from pilot.settings import Settings

logger = logging.getLogger("pilot.disposal")
DESTROYED = "freeze_destroyed"
"""The event, once for each superseded freeze; it holds the SHA-256 that the file had."""
UNFINISHED_SECONDS = 3600
"""So old is a file that no record names before it counts as left behind by a transaction that was undone."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many files of each kind are gone now."""

    freezes: int = 0
    messages: int = 0


def sweep(database: Database, settings: Settings, *, now: datetime) -> Swept:
    """Destroys what is due in both folders. Safe at any moment, in any number of processes, as often as one likes."""
    return Swept(freezes(database, settings.freezes, now=now), messages(database, settings.outbox, now=now))


def freezes(database: Database, folder: Path, *, now: datetime) -> int:
    """The files of superseded freezes, each with an event once it is gone; and what undone transactions left there."""
    with database.reading() as session:
        due = [(row.id, row.file) for row in _superseded(session, folder)]
        names = set(session.scalars(select(Freeze.file)))
    for freeze_id, name in due:
        _destroy([folder / name])
        if (folder / name).exists():
            continue
        with database.writing() as session:
            _note(session, freeze_id, now)
    left = [path for path in _written(folder) if path.relative_to(folder).as_posix() not in names]
    old = [path for path in left if _age(path, folder) > UNFINISHED_SECONDS]
    return sum(not (folder / name).exists() for _id, name in due) + _destroy(old)


def messages(database: Database, folder: Path, *, now: datetime) -> int:
    """What lies in the outbox for people whose contact data have gone: after an erasure, or on their day.

    The record says which copies those are, and notes that they are gone: nobody looks through the folder, however many
    files lie in it. Of very many a round takes the first; the next ones take the rest.
    """
    with database.reading() as session:
        due = session.scalars(select(Message).where(*_to_nobody()).order_by(Message.id).limit(AT_ONCE)).all()
    gone = _destroy(path for message in due for path in _copies(message, folder))
    away = [message.id for message in due if not any(path.exists() for path in _copies(message, folder))]
    if away:
        with database.writing() as session:
            mine = update(Message).where(Message.id.in_(away), Message.lease_until.is_(None))
            session.execute(mine.values(copy_gone_at=now))
    return gone


def _superseded(session: Session, folder: Path) -> list[Freeze]:
    """Freezes that gave way to another one and whose file is there, or was never said to be gone."""
    said = {
        (event.pilot_id, event.detail["number"])
        for event in session.scalars(select(Event).where(Event.kind == DESTROYED))
    }
    rows = session.scalars(select(Freeze).where(Freeze.superseded_by.is_not(None)).order_by(Freeze.id))
    return [row for row in rows if (row.pilot_id, row.number) not in said or (folder / row.file).exists()]


def _note(session: Session, freeze_id: int, now: datetime) -> None:
    """That the file is gone, once; its hash stays on record."""
    row = session.get_one(Freeze, freeze_id, with_for_update=True)
    mine = select(Event.detail).where(Event.kind == DESTROYED, Event.pilot_id == row.pilot_id)
    if all(detail["number"] != row.number for detail in session.scalars(mine)):
        pilot = session.get_one(Pilot, row.pilot_id)
        record(session, DESTROYED, pilot, now=now, number=row.number, sha256=row.sha256)


def _written(folder: Path) -> Iterator[Path]:
    for pattern in ("*/freeze-*.parquet", "*/freeze-*.part"):
        yield from folder.glob(pattern)


def _copies(message: Message, folder: Path) -> tuple[Path, Path]:
    """Where a message lies that was written to a file, by whichever way it went."""
    return folder / mail.file_of(message.name, message.reference), folder / texting.file_of(message.name)


def _to_nobody():  # type: ignore[no-untyped-def]
    """Messages that may have left a copy and that nobody is sending, to somebody who has no contact data any more."""
    known = exists().where(Identity.participant_id == Message.participant_id)
    named = or_(Invitee.name.is_not(None), Invitee.address.is_not(None), Invitee.email.is_not(None))
    invited = exists().where(Invitee.id == Message.invitee_id, named)
    nobody = or_(and_(Message.participant_id.is_not(None), ~known), and_(Message.invitee_id.is_not(None), ~invited))
    return Message.copy_gone_at.is_(None), Message.lease_until.is_(None), nobody


def _age(path: Path, folder: Path) -> float:
    """Seconds since the file was written, by the clock of the disk that it lies on: a worker's own may be days off."""
    mark = folder / f".now-{os.getpid()}"
    mark.touch()
    try:
        return mark.stat().st_mtime - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
    finally:
        mark.unlink(missing_ok=True)


def _destroy(paths: Iterable[Path]) -> int:
    """Removes files, and makes their folders forget them before anybody is told; says how many were there."""
    gone, folders = 0, set()
    for path in paths:
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError:
            logger.exception("a file that must go cannot be destroyed; the next round tries again")
            continue
        folders.add(path.parent)
        gone += 1
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    if gone:
        logger.info("destroyed", extra={"files": gone})
    return gone
