"""Allocation: one transaction, the lock last, and an arm that nobody could have known before.

Everything slow is done before the stratum's row is locked: `UPDATE stratum_state … RETURNING` is the lock, after it
come the derived arm, the row and its link in the stratum's hash chain, and COMMIT. Concealment rests on the key alone:
there is no list of future allocations anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, exists, func, insert, select, update
from sqlalchemy.orm import Session

from pilot.db import insert_once
from pilot.errors import Busy, Refused
from pilot.events import record
from pilot.journey import consent
from pilot.models import (
    Allocation,
    AllocationNote,
    Look,
    Participant,
    Pilot,
    ProtocolVersion,
    Screening,
    StratumState,
    Submission,
)
from pilot.protocol import OUTREACH, Protocol
from randomization import Design, live

NOTES = ("unblind", "withdraw", "replace", "override", "stratum_error")
LAST_PLACES = 64
"""With fewer places left than this, people are allocated one by one, in whatever stratum."""

# The statements of the draw are made once: building them anew costs more than the database takes to carry them out.
_strata = cast(Table, StratumState.__table__)
_person, _counter = Participant.__table__.c, _strata.c
LOCK = select(_person.id).where(_person.id == bindparam("person")).with_for_update(key_share=True)
_HERE = [_counter[name] == bindparam(f"at_{name}") for name in ("pilot_id", "mode", "epoch", "stratum")]
TAKE_PLACE = (
    update(_strata)
    .where(*_HERE)
    .values(next_position=_counter.next_position + 1)
    .returning(_counter.next_position - 1, _counter.state, _counter.head, _counter.counts)
)
KEEP_STATE = (
    update(_strata)
    .where(*_HERE)
    .values(state=bindparam("to_state"), head=bindparam("to_head"), counts=bindparam("to_counts"))
)
KEEP_ARM = insert(cast(Table, Allocation.__table__)).inline()
LAST_LOOK = (
    select(Look.name, Look.evidence)
    .where(Look.pilot_id == bindparam("pilot"), Look.evidence.is_not(None))
    .order_by(Look.id.desc())
    .limit(1)
)


@lru_cache(maxsize=64)
def on_record(required: tuple[str, ...]) -> Any:
    """The statement that asks everything that has to be on record, consent to the required purposes among it."""
    here = bindparam("person")
    screened, filled = Screening.__table__.c, Submission.__table__.c
    return select(
        exists().where(Allocation.__table__.c.participant_id == here).label("allocated"),
        exists().where(screened.participant_id == here, screened.eligible).label("eligible"),
        consent.all_stand(required, here).label("consented"),
        exists().where(filled.participant_id == here, filled.wave == bindparam("baseline")).label("baseline"),
    )


def allocate(
    session: Session,
    pilot: Pilot,
    version: ProtocolVersion,
    protocol: Protocol,
    participant: Participant,
    *,
    key: bytes,
    now: datetime,
) -> Allocation:
    """The arm of this participant: derived at the first call, found at every other one.

    Raises Refused when eligibility, consent or the first list is not on record, when the protocol is not locked or
    recruitment is closed, and when an arm is full: then the pilot closes for everyone, before any arm is derived.
    """
    session.flush()
    found = _on_record(session, protocol, participant)
    if found.allocated:
        return _of(session, participant)
    _require_open(pilot, version, protocol, participant, now)
    _require_on_record(found)
    design, traits = protocol.allocation, traits_of(protocol.allocation, participant)
    row = "*" if live.scope(design) == "pilot" else live.stratum_label(design, traits)
    place = {"pilot_id": pilot.id, "mode": participant.mode, "epoch": version.epoch, "stratum": row}
    position, state, head, counts = _take_place(session, place)
    _require_room(session, protocol, pilot, participant.mode)
    look, state = _learned(session, pilot, participant.mode, design, state)
    drawn = live.next_draw(
        design,
        key=key,
        context=live.Context(pilot=pilot.slug, mode=participant.mode, epoch=version.epoch),
        stratum=row,
        position=position,
        state=state,
        covariates=traits,
    )
    basis = live.basis(design, state, drawn)
    kept = {
        **place,
        "position": position,
        "arm": drawn.arm,
        "probability": str(drawn.probability),
        "covariates": traits,
        "basis": basis if basis is None or look is None else {**basis, "look": look},
        "fingerprint": version.fingerprint,
        "allocated_at": now,
    }
    row_hash = live.chain_hash(head, _payload(pilot.slug, participant.study_id, kept))
    after = {
        "to_state": drawn.state,
        "to_head": row_hash,
        "to_counts": {**counts, drawn.arm: counts.get(drawn.arm, 0) + 1},
    }
    connection = session.connection()
    connection.execute(KEEP_STATE, {**_at(place), **after})
    own = {"participant_id": participant.id, "idempotency_key": participant.nonce}
    kept = {**kept, **own, "previous_hash": head, "row_hash": row_hash}
    connection.execute(KEEP_ARM, kept)
    record(session, "allocated", participant, now=now, stratum=row, position=position, row_hash=row_hash)
    return Allocation(**kept)


def of(session: Session, participant: Participant) -> Allocation | None:
    return session.scalar(select(Allocation).where(Allocation.participant_id == participant.id))


def _of(session: Session, participant: Participant) -> Allocation:
    return session.scalars(select(Allocation).where(Allocation.participant_id == participant.id)).one()


def traits_of(design: Design, participant: Participant) -> dict[str, Any]:
    """What the draw may look at: the covariates of the screening, and the outreach arm where the design reads it."""
    if OUTREACH in design.columns:
        return {**participant.covariates, OUTREACH: participant.outreach_arm}
    return dict(participant.covariates)


def payload_of(pilot: Pilot, allocation: Allocation, study_id: str) -> dict[str, Any]:
    """What was hashed of a stored row: the same fields in the same notation."""
    return _payload(pilot.slug, study_id, {name: getattr(allocation, name) for name in _HASHED})


_HASHED = (
    "mode", "epoch", "stratum", "position", "arm", "probability", "covariates", "basis", "fingerprint", "allocated_at",
)  # fmt: skip


def _payload(slug: str, study_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: row[name] for name in _HASHED if name not in ("basis", "allocated_at")}
    told = {"pilot": slug, "study_id": study_id, "allocated_at": row["allocated_at"].isoformat()}
    return {**plain, **told, **(row["basis"] or {})}


def note(
    session: Session,
    participant: Participant,
    kind: str,
    *,
    reason: str,
    actor_id: int,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> AllocationNote:
    """Keeps what was done about an allocation, with reason and actor. The arm that is analysed never changes.

    Raises Refused for an unknown kind, a missing reason, and a participant who was not allocated.
    """
    if kind not in NOTES:
        raise Refused(f"'{kind}' is not one of {', '.join(NOTES)}", code="kind")
    if not reason.strip():
        raise Refused("give the reason: it is part of the record", code="reason_missing")
    if of(session, participant) is None:
        raise Refused("this participant has no allocation", code="not_allocated")
    row = AllocationNote(
        participant_id=participant.id,
        kind=kind,
        detail=dict(detail or {}),
        reason=reason.strip(),
        actor_id=actor_id,
        at=now,
    )
    session.add(row)
    record(session, f"allocation_{kind}", participant, now=now, actor_id=actor_id, reason=reason.strip())
    session.flush()
    return row


def _require_open(
    pilot: Pilot, version: ProtocolVersion, protocol: Protocol, participant: Participant, now: datetime
) -> None:
    if version.locked_at is None:
        raise Refused("the protocol is not locked; nobody can be allocated yet", code="not_locked")
    if pilot.status != "running":
        raise Refused("recruitment is closed", code="recruitment_closed")
    if participant.mode != pilot.mode:
        raise Refused("this person enrolled in a test run, which has ended", code="recruitment_closed")
    if not protocol.pilot.recruitment.start <= now.date() <= protocol.pilot.recruitment.end:
        raise Refused("recruitment is closed: today lies outside its dates", code="recruitment_closed")
    if participant.withdrawn:
        raise Refused("this person has withdrawn", code="withdrawn")


def _on_record(session: Session, protocol: Protocol, participant: Participant) -> Any:
    """What the record says of this person; a second click waits here until the first has ended."""
    connection, who = session.connection(), {"person": participant.id}
    if connection.dialect.name != "sqlite":  # whose writers come one by one already
        connection.execute(LOCK, who)
    # A statement of its own: one that had to wait for the lock would still read the record as it was before.
    required = tuple(text.purpose for text in protocol.consent.texts if text.required)
    return connection.execute(on_record(required), {**who, "baseline": protocol.baseline.name}).one()


def _require_on_record(found: Any) -> None:
    if not found.eligible:
        raise Refused("eligibility is not on record", code="not_eligible")
    if not found.consented:
        raise Refused("consent is not on record", code="no_consent")
    if not found.baseline:
        raise Refused("the first list of questions is not finished", code="no_baseline")


def _learned(
    session: Session, pilot: Pilot, mode: str, design: Design, state: dict[str, Any] | None
) -> tuple[str | None, dict[str, Any] | None]:
    """The look behind the draw and the state with what it showed, for a design that learns from outcomes.

    Outcomes reach the draw by a permitted look and by nothing else: what a statistician opened on a freeze of this
    pilot. A test run draws without.
    """
    if not live.learns(design) or mode != "live":
        return None, state
    look = session.connection().execute(LAST_LOOK, {"pilot": pilot.id}).first()
    if look is None:
        return None, state
    seen = {arm: pair for arm, pair in look.evidence.items() if arm in design.names}
    return look.name, live.with_evidence(design, state, seen)


def _take_place(session: Session, place: Mapping[str, Any]) -> Any:
    """(position, state, head, counts) of this stratum; from here on its row is locked until the transaction ends."""
    connection = session.connection()
    taken = connection.execute(TAKE_PLACE, _at(place)).first()
    if taken is None:
        insert_once(session, StratumState, **place, next_position=1, counts={}, head=live.GENESIS)
        taken = connection.execute(TAKE_PLACE, _at(place)).one()
    return taken


def _at(place: Mapping[str, Any]) -> dict[str, Any]:
    return {f"at_{name}": value for name, value in place.items()}


def _require_room(session: Session, protocol: Protocol, pilot: Pilot, mode: str) -> None:
    """Closes the pilot for everyone once an arm is full; no refusal ever depends on the arm that would be derived.

    Far from the limit allocations in other strata go on at the same time (FOR SHARE): each holds one stratum's lock,
    so no more are under way than there are strata. Near it they go one by one (FOR NO KEY UPDATE), counting exactly.
    """
    limits = {arm.name: arm.capacity for arm in protocol.arms if arm.capacity is not None}
    if not limits:
        return
    strata, room = _room(session, limits, pilot.id, mode)
    near = room <= max(2 * strata, LAST_PLACES)
    query = select(Pilot.id).where(Pilot.id == pilot.id)
    session.execute(query.with_for_update(key_share=True) if near else query.with_for_update(read=True))
    strata, room = _room(session, limits, pilot.id, mode)
    if not near and room <= strata:
        raise Busy("the last places are being given out one by one; try again")
    if room <= 0:
        raise Refused("all places are taken", code="full")


def _room(session: Session, limits: Mapping[str, int], pilot_id: int, mode: str) -> tuple[int, int]:
    """(number of strata so far, places left in the fullest arm), over what is committed and what this one sees."""
    rows = session.scalars(
        select(StratumState.counts).where(StratumState.pilot_id == pilot_id, StratumState.mode == mode)
    ).all()
    taken = {arm: sum(counts.get(arm, 0) for counts in rows) for arm in limits}
    return len(rows), min(limit - taken[arm] for arm, limit in limits.items())


def counters_hold(session: Session) -> list[str]:
    """Every stratum whose counter is not one past its last position: empty when all is well. Checked at start-up."""
    last = (
        select(
            Allocation.pilot_id,
            Allocation.mode,
            Allocation.epoch,
            Allocation.stratum,
            func.max(Allocation.position).label("last"),
            func.count().label("rows"),
        )
        .group_by(Allocation.pilot_id, Allocation.mode, Allocation.epoch, Allocation.stratum)
        .subquery()
    )
    rows = session.execute(
        select(StratumState.stratum, StratumState.next_position, last.c.last, last.c.rows).outerjoin(
            last,
            (StratumState.pilot_id == last.c.pilot_id)
            & (StratumState.mode == last.c.mode)
            & (StratumState.epoch == last.c.epoch)
            & (StratumState.stratum == last.c.stratum),
        )
    )
    return [
        f"stratum '{stratum}': the next position is {following}, the last one used {used or 0}, rows {count or 0}"
        for stratum, following, used, count in rows
        if following != (used or 0) + 1 or (used or 0) != (count or 0)
    ]
