"""Audit: with the revealed key and the arrival log anybody derives every arm again and sees each difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from randomization.design import Design
from randomization.errors import RandomizationError

if TYPE_CHECKING:
    from randomization.live import Context


@dataclass(frozen=True, slots=True)
class LogRow:
    """One allocation as logged; `recorded` is the payload that was hashed into `row_hash`."""

    sequence: int
    stratum: str
    position: int
    arm: str
    covariates: Mapping[str, str]
    previous_hash: str
    row_hash: str
    recorded: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be: what, as recorded and as derived.

    `what` is one of arm, position, stratum, previous_hash, row_hash, sequence, head, draw, probability, the name of
    something the chances hung on (margins, balls, evidence, probabilities), or 'payload.<key>'.
    """

    sequence: int
    stratum: str
    position: int
    what: str
    recorded: Any
    derived: Any


def replay(
    design: Design,
    *,
    key: bytes,
    context: Context,
    log: Iterable[LogRow],
    first_positions: Mapping[str, int] | None = None,
    genesis: str | None = None,
    heads: Mapping[str, str] | None = None,
) -> list[Difference]:
    """Every difference between the log and what the key gives; an empty list is a clean audit.

    Rows are taken in the order of `sequence`, a stratum at a time. Each arm is derived again (from the derived
    state, never a stored one), positions must run 1, 2, … without a hole, each row must hash to its `row_hash` and
    continue the row before it, payload entries named like a column must agree with it, and so must the recorded
    chances, margins or balls with those that were derived. `first_positions` gives
    where a stratum begins in this epoch, when not at 1; `genesis` the hash each chain begins with; `heads` the last
    hash of each stratum as anchored outside, without which a tail cut off cannot be seen. For adaptive designs the
    evidence behind a draw is read from the payload's `evidence`.
    """
    from randomization.live import GENESIS, scope

    rows = sorted(log, key=lambda row: row.sequence)
    found = _sequences(rows)
    by_chain: dict[str, list[LogRow]] = {}
    for row in rows:
        by_chain.setdefault(row.stratum, []).append(row)
    by_pilot = scope(design) == "pilot"
    for stratum, chain in by_chain.items():
        found += _hashes(chain, GENESIS if genesis is None else genesis)
        head = (heads or {}).get(stratum)
        if head is not None and chain[-1].row_hash != head:
            found.append(_difference(chain[-1], "head", chain[-1].row_hash, head))
        if not by_pilot:
            first = (first_positions or {}).get(stratum, 1)
            found += _arms(design, chain, key, context, first)
    for stratum in set(heads or {}) - set(by_chain):
        found.append(Difference(0, stratum, 0, "head", None, (heads or {})[stratum]))
    if by_pilot and rows:
        first = min((first_positions or {}).values(), default=1)
        found += _arms(design, rows, key, context, first)
    return sorted(found, key=lambda difference: difference.sequence)


def _difference(row: LogRow, what: str, recorded: Any, derived: Any) -> Difference:
    return Difference(row.sequence, row.stratum, row.position, what, recorded, derived)


def _as_text(covariates: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in covariates.items()}


def _sequences(rows: list[LogRow]) -> list[Difference]:
    return [
        _difference(row, "sequence", row.sequence, before.sequence + 1)
        for before, row in pairwise(rows)
        if row.sequence == before.sequence
    ]


def _hashes(chain: list[LogRow], genesis: str) -> list[Difference]:
    from randomization.live import chain_hash

    found: list[Difference] = []
    last = genesis
    for row in chain:
        if row.previous_hash != last:
            found.append(_difference(row, "previous_hash", row.previous_hash, last))
        derived = chain_hash(row.previous_hash, row.recorded)
        if row.row_hash != derived:
            found.append(_difference(row, "row_hash", row.row_hash, derived))
        found += [
            _difference(row, f"payload.{name}", row.recorded[name], getattr(row, name))
            for name in ("sequence", "stratum", "position", "arm", "previous_hash")
            if name in row.recorded and row.recorded[name] != getattr(row, name)
        ]
        covariates = row.recorded.get("covariates")
        if covariates is not None and _as_text(covariates) != _as_text(row.covariates):
            found.append(_difference(row, "payload.covariates", covariates, dict(row.covariates)))
        last = row.row_hash
    return found


def _arms(design: Design, chain: list[LogRow], key: bytes, context: Context, first: int) -> list[Difference]:
    from randomization.live import basis, next_draw, opening_state, sequential, stratum_label

    found: list[Difference] = []
    machine = sequential(design)
    state = opening_state(design, first)
    for position, row in enumerate(chain, start=first):
        if row.position != position:
            found.append(_difference(row, "position", row.position, position))
        try:
            label = stratum_label(design, row.covariates)
            if design.strata and label != row.stratum:
                found.append(_difference(row, "stratum", row.stratum, label))
            before = machine.with_evidence(state, row.recorded.get("evidence"))
            draw = next_draw(
                design,
                key=key,
                context=context,
                stratum=row.stratum,
                position=position,
                state=before,
                covariates=row.covariates,
            )
        except RandomizationError as error:
            found.append(_difference(row, "draw", row.arm, str(error)))
            break
        if row.arm != draw.arm:
            found.append(_difference(row, "arm", row.arm, draw.arm))
        derived = {"probability": str(draw.probability), **(basis(design, before, draw) or {})}
        found += [
            _difference(row, name, row.recorded[name], value)
            for name, value in derived.items()
            if name in row.recorded and row.recorded[name] != value
        ]
        state = draw.state
    return found
