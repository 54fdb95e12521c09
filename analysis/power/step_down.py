"""Chances that a step-down procedure rejects, exact for any number of comparisons with one control.

Given the error of the control the comparisons are independent. A step-down procedure goes on to rank r as long as at
least r statistics exceed the critical value of rank r, so it is enough to carry, from rank to rank, how many of each
kind of comparison have exceeded theirs: alike comparisons are counted and not told apart (the recursion for order
statistics of Noé, 1972, with kinds).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from analysis.power.errors import NoSolution

__all__ = ["Kind", "alike", "step_down"]

MOST_STATES = 4096
"""Counts of comparisons beyond their critical value that are told apart; 12 comparisons of which no two are alike."""

MOST_ALIKE = 150
"""Alike comparisons beyond which factorials leave double precision."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Comparisons that are alike: how many, and each one's chance (ranks, points) beyond its critical value by rank.

    `above` in the wanted direction, `below` in the other one; `weights` of the points sum to one.
    """

    size: int
    above: np.ndarray
    below: np.ndarray


def step_down(kinds: Sequence[Kind], weights: np.ndarray, *, both_tails: bool) -> tuple[list[float], float, float]:
    """Chances to reject: one of each kind, any comparison, all of them; in the wanted direction or in either.

    A rejection in the other direction does not count as found, yet it lets the procedure go on, as it does in the
    analysis. Raises NoSolution where too many comparisons all differ from each other.
    """
    _check(kinds)
    if both_tails or not any(kind.below.any() for kind in kinds):
        either = [replace(kind, above=kind.above + kind.below, below=np.zeros_like(kind.below)) for kind in kinds]
        found = _stops(either, weights)
        total = [sum(mass * counts[i] for counts, mass in found.items()) / kind.size for i, kind in enumerate(kinds)]
        nobody = sum(mass for counts, mass in found.items() if not any(counts))
        return total, 1 - nobody, _last(found, kinds)
    swapped = [Kind(kind.size, kind.below, kind.above) for kind in kinds]
    nobody = sum(_stops(swapped, weights).values())
    return [_one(kinds, i, weights) for i in range(len(kinds))], 1 - nobody, _last(_stops(kinds, weights), kinds)


def _check(kinds: Sequence[Kind]) -> None:
    states = math.prod(kind.size + 1 for kind in kinds)
    if states > MOST_STATES or any(kind.size > MOST_ALIKE for kind in kinds):
        raise NoSolution(
            "comparisons",
            "the power of a step-down procedure is computed exactly for 150 alike comparisons and for 12 "
            f"that all differ, not for {sum(kind.size for kind in kinds)} of {len(kinds)} kinds",
            remedy="let alike arms share one effect, take correction='dunnett' or 'bonferroni' (whose power is never "
            "larger), or simulate the analysis",
        )


def _one(kinds: Sequence[Kind], at: int, weights: np.ndarray) -> float:
    """Chance to reject one comparison of a kind in the wanted direction, the others in either."""
    chosen = replace(kinds[at], size=1)
    others = [
        Kind(kind.size - (i == at), kind.above + kind.below, np.zeros_like(kind.below)) for i, kind in enumerate(kinds)
    ]
    found = _stops([chosen, *(kind for kind in others if kind.size)], weights)
    return sum(mass for counts, mass in found.items() if counts[0])


def _last(found: dict[tuple[int, ...], float], kinds: Sequence[Kind]) -> float:
    return found.get(tuple(kind.size for kind in kinds), 0.0)


def _stops(kinds: Sequence[Kind], weights: np.ndarray) -> dict[tuple[int, ...], float]:
    """Chance, by how many of each kind are rejected, that the procedure ends so.

    Only `above` counts towards the ranks; paths on which some comparison goes `below` are left out.
    """
    shape = tuple(kind.size + 1 for kind in kinds)
    totals = np.indices(shape).sum(axis=0)
    state = np.zeros((*shape, len(weights)))
    state[(0,) * len(shape)] = weights
    ranks, ended = sum(kind.size for kind in kinds), {}
    for rank in range(ranks):
        for axis, kind in enumerate(kinds):
            _move(np.moveaxis(state, axis, 0), kind, rank)
        for counts in zip(*np.nonzero(totals == rank), strict=True):
            ended[tuple(int(c) for c in counts)] = float(state[counts].sum())
            state[counts] = 0.0
    ended[tuple(kind.size for kind in kinds)] = float(state[tuple(kind.size for kind in kinds)].sum())
    return ended


def _move(state: np.ndarray, kind: Kind, rank: int) -> None:
    """Some of one kind pass the critical value of this rank, in place; `state` counts that kind on its first axis."""
    was_above, was_below = (kind.above[rank - 1], kind.below[rank - 1]) if rank else (0.0, 0.0)
    left = np.maximum(1.0 - was_above - was_below, 1e-300)
    passes = np.clip((kind.above[rank] - was_above) / left, 0.0, 1.0)
    stays = np.clip((1.0 - kind.above[rank] - kind.below[rank]) / left, 0.0, 1.0)
    if kind.size == 1:
        state[1] += state[0] * passes
        state[0] *= stays
        return
    # Binomial jumps as a convolution: (size - then)! / ((now - then)! (size - now)!) splits into three factors.
    size, counts = kind.size, np.arange(kind.size + 1).reshape(-1, *[1] * (state.ndim - 1))
    ways = np.exp(special.gammaln(size - counts + 1) - special.gammaln(size + 1))
    scaled = state * ways
    arrived, jump = scaled.copy(), np.ones_like(passes)
    for length in range(1, size + 1):
        jump = jump * passes / length
        arrived[length:] += scaled[:-length] * jump
    state[...] = arrived * stays ** (size - counts) / ways


def alike(rows: Sequence[tuple[float, ...]]) -> list[tuple[tuple[float, ...], int]]:
    """Distinct rows with how often each occurs, in order of first appearance."""
    return list(Counter(rows).items())
