"""Fisher's exact test of two proportions: its unconditional power, computed where the counts can really fall."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from scipy import special

from analysis.power.exact import TIE, exact_answer
from analysis.power.result import Result
from analysis.power.solve import Method

__all__ = ["fisher_power", "fisher_two_proportions"]

# Counts further than this many standard deviations from what is expected have a chance below 1e-14.
_REACH = 8.0


def fisher_two_proportions(
    p1: float,
    given: Mapping[str, float | None],
    n2: float | None,
    ratio: float,
    sides: int,
    direction: str = "higher",
) -> Result:
    """Fisher's exact test of two proportions: unconditional power over both binomials.

    Two-sided p-values add the tables no more probable than the observed one, as R's `fisher.test`.
    Source: Fisher (1935); Bennett & Hsu (1960).
    """

    def power_at(n: int, p2: float, alpha: float) -> tuple[float, float]:
        second = int(n2) if n2 is not None else math.ceil(n * ratio - 1e-9)
        return tuple(fisher_power((n, second), p1, [p2, p1], alpha, sides, upward=p2 > p1))  # type: ignore[return-value]

    method = Method(
        "two proportions",
        "Fisher's exact test, unconditional power",
        "sum over (x1, x2) of both binomial probabilities where the conditional p-value is at most alpha",
        "Fisher (1935); Bennett & Hsu (1960); two-sided rule of R stats::fisher.test",
    )
    notes = {"p1": p1, "ratio": ratio, "sides": sides}
    return exact_answer(method, given, "p2", (p1, direction), power_at, notes)


def fisher_power(
    sizes: tuple[int, int], p1: float, seconds: list[float], alpha: float, sides: int, *, upward: bool
) -> list[float]:
    """Chance that Fisher's test rejects when the second proportion is each of `seconds` (one may equal `p1`).

    One row for every total of the margin that can occur, one column for every count of the first arm in its window.
    """
    n1, n2 = sizes
    totals = _likely_totals(n1, n2, p1, seconds)
    start, width = _windows(n1, n2, totals)
    log = _rows(_log_choose(n1), start, width) + _rows(_log_choose(n2)[::-1], n2 - totals + start, width)
    log -= _log_choose(n1 + n2)[totals][:, None]
    low, high = _region(np.exp(log, out=log), alpha, sides, upward)
    low, high = start + low, start + high
    if np.all(np.diff(low) >= 0) and np.all(np.diff(high) >= 0):
        return [_chance_by_count(totals, low, high, (n1, p1), (n2, p2)) for p2 in seconds]
    counts = start[:, None] + np.arange(width)
    return [_chance_by_total(totals, counts, (low, high), (n1, p1), (n2, p2)) for p2 in seconds]


def _rows(values: np.ndarray, start: np.ndarray, width: int) -> np.ndarray:
    """One row a start: that many values from there on, minus infinity beyond the last."""
    padded = np.concatenate([values, np.full(width, -np.inf)])
    return np.lib.stride_tricks.sliding_window_view(padded, width)[start]


def _region(pmf: np.ndarray, alpha: float, sides: int, upward: bool) -> tuple[np.ndarray, np.ndarray]:
    """Columns of each row up to which, and from which on, the test rejects; -1 and the width where it never does."""
    rows, width = pmf.shape
    # A p-value that equals the level as a fraction may miss it by the last digit of a sum.
    alpha = alpha * (1 + 1e-12)
    below = np.cumsum(pmf, axis=1)
    never_low, never_high = np.full(rows, -1), np.full(rows, width)
    if sides == 1:
        # A higher second arm shows as a small count in the first.
        if upward:
            return np.sum(below <= alpha, axis=1) - 1, never_high
        above = np.cumsum(pmf[:, ::-1], axis=1)
        return never_low, width - np.sum(above <= alpha, axis=1)
    mode = np.argmax(pmf, axis=1)
    at = np.arange(rows)
    below = np.concatenate([np.zeros((rows, 1)), below], axis=1)

    def matched(level: np.ndarray, rising: bool) -> np.ndarray:
        """Columns beyond the mode that are no more probable: how many on the left, or from which on the right."""
        first, last = (np.zeros(rows, int), mode) if rising else (mode + 1, np.full(rows, width))
        return _first(first, last, lambda c: (pmf[at, np.minimum(c, width - 1)] > level * TIE) == rising)

    def left_p(column: np.ndarray) -> np.ndarray:
        return below[at, column + 1] + below[:, -1] - below[at, matched(pmf[at, column], False)]

    def right_p(column: np.ndarray) -> np.ndarray:
        return below[:, -1] - below[at, column] + below[at, matched(pmf[at, column], True)]

    low = _first(np.zeros(rows, int), mode, lambda c: left_p(c) > alpha) - 1
    high = _first(mode + 1, np.full(rows, width), lambda c: right_p(np.minimum(c, width - 1)) <= alpha)
    return low, high


def _first(start: np.ndarray, stop: np.ndarray, holds: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """First column of start..stop, row by row, at which something holds that goes on holding; else `stop`."""
    start, stop = start.copy(), stop.copy()
    while np.any(start < stop):
        middle = (start + stop) // 2
        found = holds(middle)
        open_ = start < stop
        stop = np.where(open_ & found, middle, stop)
        start = np.where(open_ & ~found, middle + 1, start)
    return start


def _chance_by_count(
    totals: np.ndarray, low: np.ndarray, high: np.ndarray, first: tuple[int, float], second: tuple[int, float]
) -> float:
    """Chance of rejection, count by count of the first arm: it rejects from one total on and up to another."""
    n1, n2 = first[0], second[0]
    counts = np.arange(n1 + 1)
    cumulative = np.concatenate([[0.0], np.cumsum(_binomial(*second)), [1.0]])
    from_, upto = np.searchsorted(low, counts), np.searchsorted(high, counts, side="right") - 1
    lowest = np.where(from_ < len(totals), totals[np.minimum(from_, len(totals) - 1)] - counts, n2 + 1)
    highest = np.where(upto >= 0, totals[np.maximum(upto, 0)] - counts, -1)
    above = 1 - cumulative[np.clip(lowest, 0, n2 + 1)]
    return float(_binomial(*first) @ (above + cumulative[np.clip(highest + 1, 0, n2 + 1)]))


def _chance_by_total(
    totals: np.ndarray,
    counts: np.ndarray,
    region: tuple[np.ndarray, np.ndarray],
    first: tuple[int, float],
    second: tuple[int, float],
) -> float:
    """Chance of rejection where the region is not convex: a sum over all tables."""
    other = totals[:, None] - counts
    reject = (counts <= region[0][:, None]) | (counts >= region[1][:, None])
    inside = (counts <= first[0]) & (other >= 0) & (other <= second[0]) & reject
    return float(_binomial(*first)[counts[inside]] @ _binomial(*second)[other[inside]])


@lru_cache(maxsize=8)
def _binomial(n: int, p: float) -> np.ndarray:
    """Probabilities of 0..n."""
    counts = np.arange(n + 1)
    return np.exp(_log_choose(n) + counts * math.log(p) + (n - counts) * math.log1p(-p))


def _likely_totals(n1: int, n2: int, p1: float, seconds: list[float]) -> np.ndarray:
    low, high = n1 + n2, 0
    for p2 in seconds:
        centre = n1 * p1 + n2 * p2
        reach = _REACH * math.sqrt(n1 * p1 * (1 - p1) + n2 * p2 * (1 - p2)) + 20
        low, high = min(low, math.floor(centre - reach)), max(high, math.ceil(centre + reach))
    return np.arange(max(low, 0), min(high, n1 + n2) + 1)


def _windows(n1: int, n2: int, totals: np.ndarray) -> tuple[np.ndarray, int]:
    """First of the first-arm counts that are likely given each total, and how many there are."""
    both = n1 + n2
    centre = totals * n1 / both
    spread = math.sqrt(n1 * n2 / both**2 * np.max(totals * (both - totals)) / max(both - 1, 1))
    half = math.ceil(_REACH * spread + 20)
    start = np.clip(np.floor(centre) - half, np.maximum(0, totals - n2), None).astype(int)
    return start, min(2 * half, n1) + 1


@lru_cache(maxsize=8)
def _log_choose(n: int) -> np.ndarray:
    """log C(n, k) for k = 0..n."""
    factorial = special.gammaln(np.arange(n + 1) + 1.0)
    return factorial[-1] - factorial - factorial[::-1]
