"""The live allocator: one arm at a time, derived when it is needed from a secret key, and checkable afterwards.

Everything here is pure. The caller holds the row lock, hands in what that row says, and stores what comes back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from randomization.canonical import sha256_hex
from randomization.design import Design
from randomization.errors import AllocationError, DesignNotDefined, UnitsError
from randomization.replay import Difference, LogRow, replay
from randomization.sequential import Draw, Sequential, check_position
from randomization.streams import ALGORITHM, KeyedStream
from randomization.units import join_label

__all__ = [
    "GENESIS",
    "Context",
    "Difference",
    "Draw",
    "LogRow",
    "basis",
    "chain_hash",
    "commitment",
    "learns",
    "next_draw",
    "opening_state",
    "replay",
    "scope",
    "stratum_label",
    "verify_commitment",
    "with_evidence",
]

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Context:
    """What a live draw is bound to beside the design and the stratum; test and live never share a draw.

    >>> Context("advice-2026", "live", 1)
    Context(pilot='advice-2026', mode='live', epoch=1)
    """

    pilot: str
    mode: str
    epoch: int

    def __post_init__(self) -> None:
        if self.mode not in ("live", "test"):
            raise AllocationError(f"mode {self.mode!r} does not exist", path=("mode",), remedy="write 'live' or 'test'")
        if not self.pilot:
            raise AllocationError("the pilot has no name", path=("pilot",), remedy="give the pilot's identifier")
        if isinstance(self.epoch, bool) or not isinstance(self.epoch, int) or self.epoch < 0:
            raise AllocationError(f"epoch {self.epoch!r} does not exist", path=("epoch",), remedy="count 0, 1, 2, …")


def sequential(design: Design) -> Sequential:
    """The design as one that can be drawn from live; `DesignNotDefined` for a batch design."""
    if not isinstance(design, Sequential):
        raise DesignNotDefined(
            f"{design.method} allocates everybody at once and cannot meet people one by one",
            path=("method",),
            remedy="use permuted_blocks, big_stick, block_urn, biased_coin, urn, minimization or simple",
        )
    return design


def next_draw(
    design: Design,
    *,
    key: bytes,
    context: Context,
    stratum: str,
    position: int,
    state: Mapping[str, Any] | None,
    covariates: Mapping[str, str] | None = None,
) -> Draw:
    """The arm of arrival `position` (1, 2, …) within `stratum`; a pure function of its arguments.

    `state` is None at position 1, then the `.state` of the draw before. Words are
    HMAC-SHA256(key, length-prefixed(algorithm, pilot, mode, epoch, design fingerprint, stratum, index, counter)),
    where the index is the block for permuted blocks and the position otherwise. The chances in the result are those
    given the state, except for permuted blocks, where they are the ratio (the block is what is drawn).

    Raises `DesignNotDefined` for a batch design, `AllocationError` for a position out of order or a key of fewer
    than 32 bytes, `UnitsError` for a covariate the design needs and does not get.

    >>> import randomization as rz
    >>> d = rz.permuted_blocks(["portal", "advice"], sizes=(2,))
    >>> seat = dict(key=bytes(32), context=Context("p", "test", 1), stratum="all")
    >>> first = next_draw(d, position=1, state=None, **seat)
    >>> second = next_draw(d, position=2, state=first.state, **seat)
    >>> sorted([first.arm, second.arm])
    ['advice', 'portal']
    """
    form = None if state is None else dict(state)
    check_position(position, form)
    machine = sequential(design)
    fields = (ALGORITHM, context.pilot, context.mode, context.epoch, design.fingerprint, stratum)
    return machine.next(partial(_stream, key, fields), position, form, covariates)


def _stream(key: bytes, fields: tuple[str | int, ...], index: int) -> KeyedStream:
    return KeyedStream(key, (*fields, index))


def opening_state(design: Design, position: int) -> dict[str, Any] | None:
    """The state before `position` when a new epoch opens there: None at 1, else a fresh start later on.

    >>> import randomization as rz
    >>> opening_state(rz.simple(["a", "b"]), 1) is None
    True
    >>> opening_state(rz.permuted_blocks(["a", "b"]), 57)
    {'position': 56, 'block': 1, 'begin': 56}
    """
    machine = sequential(design)
    return None if position == 1 else {"position": position - 1, **machine.opening_form(position)}


def learns(design: Design) -> bool:
    """Whether outcomes change the chances of later arrivals.

    >>> import randomization as rz
    >>> learns(rz.adaptive(["portal", "advice"])), learns(rz.big_stick(["portal", "advice"]))
    (True, False)
    """
    return sequential(design).learns


def with_evidence(
    design: Design, state: Mapping[str, Any] | None, evidence: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The state of the next draw with the outcomes seen so far: arm -> (successes, failures) in all.

    Without evidence, and for a design that does not learn, the state as it is. Raises `DesignError` for an arm that
    the design does not have.

    >>> import randomization as rz
    >>> with_evidence(rz.adaptive(["portal", "advice"]), None, {"advice": (3, 1)})
    {'position': 0, 'evidence': {'portal': [0, 0], 'advice': [3, 1]}}
    """
    return sequential(design).with_evidence(None if state is None else dict(state), evidence)


def basis(design: Design, state: Mapping[str, Any] | None, drawn: Draw) -> dict[str, Any] | None:
    """What the chances of a draw hung on: the state before it and the chance of every arm, to be stored with it.

    None for designs whose chances follow from the stratum's own sequence alone (blocks, coins). `state` is the one
    that was handed to `next_draw`.

    >>> import randomization as rz
    >>> d = rz.minimization(["portal", "advice"], ["sex"])
    >>> seat = dict(key=bytes(32), context=Context("p", "test", 1), stratum="*", position=1, state=None)
    >>> basis(d, None, next_draw(d, covariates={"sex": "f"}, **seat))
    {'margins': {'sex': {}}, 'probabilities': {'portal': '1/2', 'advice': '1/2'}}
    """
    machine = sequential(design)
    if not machine.logs_basis:
        return None
    before = machine.write_state(machine.start()) if state is None else state
    seen = {name: value for name, value in before.items() if name != "position"}
    return {**seen, "probabilities": {arm: str(chance) for arm, chance in drawn.probabilities.items()}}


def scope(design: Design) -> Literal["stratum", "pilot"]:
    """Whose row is locked during a draw: the stratum's, or the one row of the pilot (minimisation, adaptive rules).

    >>> import randomization as rz
    >>> scope(rz.big_stick(["portal", "advice"], strata=["region"]))
    'stratum'
    """
    return sequential(design).scope


def stratum_label(design: Design, covariates: Mapping[str, str]) -> str:
    """The stratum of a person, spelled in one way; 'all' for a design without strata.

    Raises `UnitsError` naming the column when a value is missing or empty.

    >>> import randomization as rz
    >>> d = rz.permuted_blocks(["portal", "advice"], strata=["region", "schooling"])
    >>> stratum_label(d, {"region": "noord", "schooling": "mbo2", "age": "31"})
    'noord|mbo2'
    """
    return join_label([read_trait(covariates, name, "stratum") for name in design.strata])


def read_trait(covariates: Mapping[str, Any] | None, name: str, role: str) -> str:
    """The value of a column as text; `UnitsError` when it is absent, empty or not a plain value."""
    value = (covariates or {}).get(name)
    if value is None or value == "" or value != value:
        raise UnitsError(
            f"column {name!r} ({role}) has no value, it holds {value!r}",
            path=(name,),
            remedy="record it before the person is allocated",
        )
    if not isinstance(value, str) and not hasattr(value, "__index__"):
        raise UnitsError(
            f"column {name!r} ({role}) holds {value!r}, which is not a category",
            path=(name,),
            remedy="hand in text or a whole number",
        )
    return str(value)


def commitment(key: bytes, nonce: bytes) -> str:
    """SHA-256 (hexadecimal) of key and nonce, published when the protocol is locked; reveals nothing of the key.

    >>> commitment(bytes(32), b"nonce")[:12]
    '8a5d64e6a627'
    """
    return hashlib.sha256(key + nonce).hexdigest()


def verify_commitment(published: str, key: bytes, nonce: bytes) -> bool:
    """Whether the revealed key and nonce are those committed to."""
    return published == commitment(key, nonce)


def chain_hash(previous_hash: str, payload: Mapping[str, Any]) -> str:
    """Hash of a log row: SHA-256 of the canonical JSON of the payload and the hash of the row before it.

    The first row of a stratum follows `GENESIS`.

    >>> chain_hash(GENESIS, {"arm": "portal"}) == chain_hash(GENESIS, {"arm": "advice"})
    False
    """
    return sha256_hex({"payload": payload, "previous": previous_hash})
