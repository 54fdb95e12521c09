"""Fisher's exact test of two proportions: its unconditional power, computed where the counts can really fall."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
    counts = _counts(n1, n2, totals)
    other = totals[:, None] - counts
    ways = _log_choose(n1)[np.clip(counts, -1, n1 + 1)], _log_choose(n2)[np.clip(other, -1, n2 + 1)]
    log = ways[0] + ways[1]
    reject = _p_values(np.exp(log - special.logsumexp(log, axis=1, keepdims=True)), sides, upward) <= alpha
    x1, x2, ways_log = counts[reject], other[reject], log[reject]
    return [_chance(x1, x2, ways_log, (n1, p1), (n2, p2)) for p2 in seconds]


def _chance(
    x1: np.ndarray, x2: np.ndarray, log: np.ndarray, first: tuple[int, float], second: tuple[int, float]
) -> float:
    """Sum of the chances of these tables, `log` being that of the number of ways to get each."""
    (n1, p1), (n2, p2) = first, second
    exponent = x1 * math.log(p1) + (n1 - x1) * math.log1p(-p1) + x2 * math.log(p2) + (n2 - x2) * math.log1p(-p2)
    return float(np.sum(np.exp(log + exponent)))


def _likely_totals(n1: int, n2: int, p1: float, seconds: list[float]) -> np.ndarray:
    low, high = n1 + n2, 0
    for p2 in seconds:
        centre = n1 * p1 + n2 * p2
        reach = _REACH * math.sqrt(n1 * p1 * (1 - p1) + n2 * p2 * (1 - p2)) + 20
        low, high = min(low, math.floor(centre - reach)), max(high, math.ceil(centre + reach))
    return np.arange(max(low, 0), min(high, n1 + n2) + 1)


def _counts(n1: int, n2: int, totals: np.ndarray) -> np.ndarray:
    """First-arm counts that are likely given each total, shape (totals, window)."""
    both = n1 + n2
    centre = totals * n1 / both
    spread = math.sqrt(n1 * n2 / both**2 * np.max(totals * (both - totals)) / max(both - 1, 1))
    half = math.ceil(_REACH * spread + 20)
    start = np.clip(np.floor(centre) - half, np.maximum(0, totals - n2), None).astype(int)
    return start[:, None] + np.arange(min(2 * half, n1) + 1)


@lru_cache(maxsize=4)
def _log_choose(n: int) -> np.ndarray:
    """log C(n, k) for k = 0..n, and minus infinity at n + 1, which is also index -1."""
    factorial = special.gammaln(np.arange(n + 1) + 1.0)
    return np.append(factorial[-1] - factorial - factorial[::-1], -np.inf)


def _p_values(pmf: np.ndarray, sides: int, upward: bool) -> np.ndarray:
    if sides == 1:
        # A higher second arm shows as a small count in the first.
        return np.cumsum(pmf, axis=1) if upward else np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
    order = np.argsort(pmf, axis=1, kind="stable")
    ranked = np.take_along_axis(pmf, order, axis=1)
    cumulative = np.cumsum(ranked, axis=1)
    # Tables that tie but for the last digits share the largest sum among them.
    last = np.ones_like(ranked, dtype=bool)
    last[:, :-1] = ranked[:, 1:] > ranked[:, :-1] * TIE
    ends = np.where(last, cumulative, np.inf)
    shared = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    found = np.empty_like(pmf)
    np.put_along_axis(found, order, shared, axis=1)
    return found
