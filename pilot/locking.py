"""The life of a protocol: draft -> locked -> running -> closed. Locking takes two people, and so does an amendment.

Locking freezes the protocol, makes the allocation keys and publishes a commitment to each: whoever holds the key after
closing can show that it was there from the start.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, defer

from pilot import keys
from pilot.errors import NotYours, Refused
from pilot.events import record
from pilot.models import Allocation, Commitment, Pilot, ProtocolVersion
from pilot.protocol import Protocol, from_record
from randomization import live

MODES = ("live", "test")


def create(session: Session, protocol: Protocol, *, now: datetime) -> Pilot:
    """The pilot of this protocol, as a draft. Raises Refused when its name is taken."""
    slug = protocol.pilot.slug
    if find(session, slug):
        raise Refused(
            f"a pilot named '{slug}' exists already; amend it, or choose another pilot.slug", code="name_taken"
        )
    pilot = Pilot(slug=slug, title=protocol.pilot.title, created_at=now)
    session.add(pilot)
    session.flush()
    record(session, "pilot_created", pilot, now=now)
    return pilot


def find(session: Session, slug: str) -> Pilot | None:
    return session.scalar(select(Pilot).where(Pilot.slug == slug))


def by_slug(session: Session, slug: str) -> Pilot:
    pilot = find(session, slug)
    if pilot is None:
        raise NotYours(f"there is no pilot '{slug}'")
    return pilot


def propose(
    session: Session, pilot: Pilot, protocol: Protocol, *, author_id: int | None, reason: str = "", now: datetime
) -> ProtocolVersion:
    """A version that waits for a second person: the lock itself, or after it an amendment, which needs a reason."""
    latest = session.scalar(
        select(ProtocolVersion)
        .where(ProtocolVersion.pilot_id == pilot.id)
        .order_by(ProtocolVersion.number.desc())
        .limit(1)
    )
    if pilot.status == "closed":
        raise Refused("the pilot is closed; its protocol cannot change any more", code="closed")
    if protocol.pilot.slug != pilot.slug:
        raise Refused(f"this protocol is of '{protocol.pilot.slug}', not of '{pilot.slug}'", code="other_pilot")
    if latest is not None and latest.locked_at is not None:
        if not reason.strip():
            raise Refused("an amendment needs a reason: say what changed and why", code="reason_missing")
        if latest.fingerprint == protocol.fingerprint:
            raise Refused("nothing differs from the protocol that is in force", code="no_change")
    elif latest is not None:
        session.delete(latest)
        session.flush()
        latest = _locked(session, pilot.id)
    version = ProtocolVersion(
        pilot_id=pilot.id,
        number=0 if latest is None else latest.number + 1,
        canonical=protocol.canonical,
        instruments=protocol.instruments_record(),
        fingerprint=protocol.fingerprint,
        epoch=_epoch(latest, protocol),
        reason=reason.strip(),
        author_id=author_id,
        proposed_at=now,
    )
    session.add(version)
    session.flush()
    record(
        session,
        "protocol_proposed",
        pilot,
        now=now,
        actor_id=author_id,
        number=version.number,
        fingerprint=version.fingerprint,
    )
    return version


def approve(
    session: Session,
    pilot: Pilot,
    version: ProtocolVersion,
    *,
    approver_id: int | None,
    folder: Path,
    now: datetime,
    entropy: keys.Entropy = secrets.token_bytes,
) -> ProtocolVersion:
    """Locks a proposed version. The approver is another person than the author; `folder` is where the keys live."""
    if version.locked_at is not None:
        raise Refused("this version is locked already", code="already_locked")
    if approver_id is None or approver_id == version.author_id:
        raise Refused("a second person approves: the author cannot lock the own proposal", code="second_person")
    version.approver_id, version.locked_at = approver_id, now
    if pilot.status == "draft":
        pilot.status = "locked"
        for mode in MODES:
            _commit_to_key(session, pilot, mode, folder, now, entropy)
    pilot.title = from_record(version.canonical, version.instruments).pilot.title
    record(
        session,
        "protocol_locked",
        pilot,
        now=now,
        actor_id=approver_id,
        number=version.number,
        fingerprint=version.fingerprint,
    )
    session.flush()
    return version


def start(session: Session, pilot: Pilot, *, mode: str, actor_id: int | None, now: datetime) -> None:
    """Opens recruitment, live or as a test. A test run and the live run share no position and no key."""
    if pilot.status not in ("locked", "running"):
        raise Refused("recruitment starts from a locked protocol; have it approved first", code="not_locked")
    if mode not in MODES:
        raise Refused(f"the mode is live or test, not '{mode}'", code="mode")
    if pilot.status == "running" and pilot.mode == "live" and mode == "test":
        raise Refused("a live pilot does not go back to test", code="mode")
    pilot.status, pilot.mode, pilot.started_at = "running", mode, now
    record(session, "recruitment_started", pilot, now=now, actor_id=actor_id, mode=mode)


def close(session: Session, pilot: Pilot, *, actor_id: int | None, now: datetime) -> None:
    """Ends recruitment for good."""
    if pilot.status != "running":
        raise Refused("only a running pilot can be closed", code="not_running")
    pilot.status, pilot.closed_at = "closed", now
    record(session, "pilot_closed", pilot, now=now, actor_id=actor_id)


def reveal(session: Session, pilot: Pilot, *, folder: Path, actor_id: int | None, now: datetime) -> list[Commitment]:
    """Publishes the keys of a closed pilot, so that anyone can replay every allocation."""
    if pilot.status != "closed":
        raise Refused(
            "the key is revealed after closing; before, it would give away what comes next", code="not_closed"
        )
    published = commitments(session, pilot)
    for commitment in published:
        commitment.revealed_key = keys.read(folder, pilot.slug, commitment.mode).hex()
        commitment.revealed_at = now
    record(session, "key_revealed", pilot, now=now, actor_id=actor_id)
    return published


def commitments(session: Session, pilot: Pilot) -> list[Commitment]:
    """What was published about the keys, live and test."""
    return list(session.scalars(select(Commitment).where(Commitment.pilot_id == pilot.id).order_by(Commitment.mode)))


def in_force(session: Session, pilot_id: int) -> tuple[ProtocolVersion, Protocol]:
    """The locked version that counts now, and its protocol; raises Refused when nothing is locked."""
    version = _locked(session, pilot_id)
    if version is None:
        raise Refused("the protocol is not locked yet", code="not_locked")
    return version, _protocols(_Record(version))


def protocol_of(version: ProtocolVersion) -> Protocol:
    """The protocol of this version."""
    return _protocols(_Record(version))


class _Record:
    """A stored version as a cache key: equal when the fingerprint is, since the fingerprint is of the content."""

    def __init__(self, version: ProtocolVersion) -> None:
        self.version, self.fingerprint = version, version.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Record) and other.fingerprint == self.fingerprint


@lru_cache(maxsize=64)
def _protocols(record: _Record) -> Protocol:
    return from_record(record.version.canonical, record.version.instruments)


def _locked(session: Session, pilot_id: int) -> ProtocolVersion | None:
    return session.scalar(_IN_FORCE, {"pilot": pilot_id})


# Every page asks this. The two long texts stay in the database until somebody reads them: the protocol that they make
# is kept in memory under its fingerprint.
_IN_FORCE = (
    select(ProtocolVersion)
    .where(ProtocolVersion.pilot_id == bindparam("pilot"), ProtocolVersion.locked_at.is_not(None))
    .order_by(ProtocolVersion.number.desc())
    .limit(1)
    .options(defer(ProtocolVersion.canonical), defer(ProtocolVersion.instruments))
)


def _epoch(previous: ProtocolVersion | None, protocol: Protocol) -> int:
    if previous is None:
        return 1
    same = protocol_of(previous).allocation_section() == protocol.allocation_section()
    return previous.epoch if same else previous.epoch + 1


def _commit_to_key(
    session: Session, pilot: Pilot, mode: str, folder: Path, now: datetime, entropy: keys.Entropy
) -> None:
    key, nonce = keys.create(folder, pilot.slug, mode, entropy), entropy(keys.LENGTH)
    commitment = live.commitment(key, nonce)
    session.add(Commitment(pilot_id=pilot.id, mode=mode, commitment=commitment, nonce=nonce.hex(), published_at=now))


def allocated(session: Session, pilot: Pilot) -> int:
    """How many people were allocated in the pilot's present mode."""
    where = (Allocation.pilot_id == pilot.id, Allocation.mode == pilot.mode)
    return session.scalar(select(func.count()).select_from(Allocation).where(*where)) or 0
