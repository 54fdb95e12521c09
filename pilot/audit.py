"""What an outsider can check: that the log of allocations was not touched, and that the key gives every arm in it.

`verify` needs no key: it follows the hash chain of each stratum to the head that the counter's row holds. `replay`
derives every arm again from the key. Both give every difference they see; an empty list is a clean audit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.crypto import Keyring
from pilot.journey.allocation import payload_of
from pilot.locking import protocol_of
from pilot.models import Allocation, Commitment, Look, Participant, Pilot, ProtocolVersion, StratumState
from pilot.protocol import Protocol
from randomization import live


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not add up: in which mode and epoch, in which stratum, at which position."""

    mode: str
    epoch: int
    stratum: str
    position: int
    what: str


def verify(session: Session, pilot: Pilot) -> list[Finding]:
    """Every break of a hash chain, hole in the positions, and head or counter that does not fit the log."""
    findings, chains = [], _chains(session, pilot)
    for (mode, epoch, stratum), rows in chains.items():
        state = session.get(StratumState, (pilot.id, mode, epoch, stratum))
        last, expected = live.GENESIS, 1
        for row in rows:
            if row.position != expected:
                findings.append(Finding(mode, epoch, stratum, expected, "position is missing"))
            if row.previous_hash != last:
                findings.append(Finding(mode, epoch, stratum, row.position, "does not follow the row before it"))
            if live.chain_hash(row.previous_hash, row.recorded) != row.row_hash:
                findings.append(Finding(mode, epoch, stratum, row.position, "was changed after it was written"))
            last, expected = row.row_hash, row.position + 1
        if state is None:
            findings.append(Finding(mode, epoch, stratum, 0, "has allocations but no counter"))
        elif state.head != last or state.next_position != expected:
            findings.append(
                Finding(mode, epoch, stratum, expected - 1, "the log ends before its counter: rows are gone")
            )
    begun = (StratumState.pilot_id == pilot.id, StratumState.next_position > 1)
    states = session.scalars(select(StratumState).where(*begun))
    gone = [s for s in states if (s.mode, s.epoch, s.stratum) not in chains]
    findings += [Finding(state.mode, state.epoch, state.stratum, 1, "the log is gone") for state in gone]
    return findings


def replay(session: Session, pilot: Pilot, *, key: bytes, mode: str) -> list[live.Difference]:
    """Every arm of this mode derived again from the key, epoch by epoch, under the design that was in force."""
    found: list[live.Difference] = []
    for epoch, protocol in _designs(session, pilot).items():
        log = [
            row
            for (row_mode, row_epoch, _stratum), rows in _chains(session, pilot).items()
            for row in rows
            if (row_mode, row_epoch) == (mode, epoch)
        ]
        context = live.Context(pilot=pilot.slug, mode=mode, epoch=epoch)
        found += live.replay(protocol.allocation, key=key, context=context, log=log)
        found += _evidence(session, pilot, log)
    return found


def _evidence(session: Session, pilot: Pilot, log: Sequence[live.LogRow]) -> list[live.Difference]:
    """Draws whose evidence is not what the look gave that they name; without a look there is no evidence at all."""
    if not any("evidence" in row.recorded for row in log):
        return []
    looks = {look.name: look.evidence or {} for look in session.scalars(select(Look).where(Look.pilot_id == pilot.id))}
    found = []
    for row in log:
        recorded = row.recorded.get("evidence", {})
        given = looks.get(row.recorded.get("look", ""), {})
        derived = {arm: list(given.get(arm, (0, 0))) for arm in recorded}
        if recorded != derived:
            found.append(live.Difference(row.sequence, row.stratum, row.position, "evidence", recorded, derived))
    return found


def commitment_holds(session: Session, pilot: Pilot, *, key: bytes, mode: str) -> bool:
    """Whether this key is the one that was committed to at lock."""
    row = session.scalar(select(Commitment).where(Commitment.pilot_id == pilot.id, Commitment.mode == mode))
    return row is not None and live.commitment(key, bytes.fromhex(row.nonce)) == row.commitment


def anchor(session: Session, pilot: Pilot, *, keyring: Keyring, now: datetime) -> dict[str, Any]:
    """The heads of all chains in a signed record, to be kept outside: only that shows a tail that was cut off."""
    heads = {
        f"{mode}/{epoch}/{stratum}": {"positions": len(rows), "head": rows[-1].row_hash}
        for (mode, epoch, stratum), rows in sorted(_chains(session, pilot).items())
    }
    record: dict[str, Any] = {"pilot": pilot.slug, "at": now.isoformat(), "heads": heads}
    record["sha256"] = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    record["signature"] = keyring.lookup(record["sha256"], "audit anchor")
    return record


def against_anchor(session: Session, pilot: Pilot, record: dict[str, Any], *, keyring: Keyring) -> list[str]:
    """What the log has lost or changed since the anchor was written; says first when the anchor itself was changed."""
    body = {name: record.get(name) for name in ("pilot", "at", "heads")}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    if record.get("sha256") != digest or record.get("signature") != keyring.lookup(digest, "audit anchor"):
        return ["the anchor was changed, or is of another installation"]
    chains = {f"{m}/{e}/{s}": rows for (m, e, s), rows in _chains(session, pilot).items()}
    lost = []
    for name, head in record["heads"].items():
        rows = chains.get(name, [])
        if len(rows) < head["positions"] or rows[head["positions"] - 1].row_hash != head["head"]:
            lost.append(f"{name}: the log no longer holds the {head['positions']} rows of the anchor")
    return lost


def export(session: Session, pilot: Pilot) -> Iterable[dict[str, Any]]:
    """The log as plain rows, with everything an outsider needs to replay it and nothing about who people are."""
    for (mode, epoch, stratum), rows in sorted(_chains(session, pilot).items()):
        for row in rows:
            yield {
                "mode": mode,
                "epoch": epoch,
                "stratum": stratum,
                "position": row.position,
                "arm": row.arm,
                "previous_hash": row.previous_hash,
                "row_hash": row.row_hash,
                "recorded": dict(row.recorded),
            }


def _chains(session: Session, pilot: Pilot) -> dict[tuple[str, int, str], Sequence[live.LogRow]]:
    query = (
        select(Allocation, Participant.study_id)
        .join(Participant, Participant.id == Allocation.participant_id)
        .where(Allocation.pilot_id == pilot.id)
        .order_by(Allocation.mode, Allocation.epoch, Allocation.stratum, Allocation.position)
    )
    chains: dict[tuple[str, int, str], list[live.LogRow]] = {}
    for sequence, (row, study_id) in enumerate(session.execute(query), start=1):
        chains.setdefault((row.mode, row.epoch, row.stratum), []).append(
            live.LogRow(
                sequence=sequence,
                stratum=row.stratum,
                position=row.position,
                arm=row.arm,
                covariates={name: str(value) for name, value in row.covariates.items()},
                previous_hash=row.previous_hash,
                row_hash=row.row_hash,
                recorded=payload_of(pilot, row, study_id),
            )
        )
    return dict(chains)


def _designs(session: Session, pilot: Pilot) -> dict[int, Protocol]:
    """The protocol that opened each allocation epoch."""
    versions = session.scalars(
        select(ProtocolVersion)
        .where(ProtocolVersion.pilot_id == pilot.id, ProtocolVersion.locked_at.is_not(None))
        .order_by(ProtocolVersion.number)
    )
    found: dict[int, Protocol] = {}
    for version in versions:
        found.setdefault(version.epoch, protocol_of(version))
    return found
