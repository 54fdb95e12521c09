"""Exact tests of counts: binomial and McNemar (Fisher's is in `fisher`).

Their power is a saw-tooth in n, so a size has two meanings: the smallest n with the power, and the smallest from which
every larger n has it too. The first is the answer, the second stands in the details as `n_stable`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from scipy import special, stats

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.result import Result, Values
from analysis.power.roots import root
from analysis.power.solve import Method

__all__ = ["TIE", "binomial_one_proportion", "exact_answer", "exact_mcnemar", "poisson_one_rate"]

# Computed and observed probabilities that should tie may differ in the last digits; R uses the same allowance.
TIE = 1 + 1e-7
_LARGEST_EXACT = 5000


def binomial_one_proportion(p0: float, given: Mapping[str, float | None], sides: int, direction: str) -> Result:
    """Exact binomial test of one proportion, each tail at alpha / sides. Source: Chernick & Liu (2002)."""

    def power_at(n: int, p1: float, alpha: float) -> tuple[float, float]:
        low, high = _binomial_region(n, p0, alpha, sides, upward=p1 > p0)
        return _outside(n, p1, low, high), _outside(n, p0, low, high)

    method = Method(
        "one proportion",
        "exact binomial, alpha / sides in each tail",
        "sum of binomial probabilities at p1 over the rejection region at p0",
        "G*Power 3.1 manual, exact: generic binomial test; Chernick & Liu (2002)",
    )
    return exact_answer(method, given, "p1", (p0, direction), power_at, {"p0": p0, "sides": sides})


def _binomial_region(n: int, p0: float, alpha: float, sides: int, upward: bool) -> tuple[int, int]:
    """Reject when x <= low or x >= high."""
    tail = alpha / sides
    counts = np.arange(n + 1)
    cdf = special.bdtr(counts, n, p0)
    upper = special.bdtrc(counts - 1.0, n, p0)
    upper[0] = 1.0
    low = int(np.searchsorted(cdf, tail * TIE, side="right")) - 1
    high = int(np.argmax(upper <= tail * TIE)) if (upper <= tail * TIE).any() else n + 1
    if sides == 1:
        return (-1, high) if upward else (low, n + 1)
    return low, high


def _outside(n: int, p: float, low: int, high: int) -> float:
    below = float(special.bdtr(low, n, p)) if low >= 0 else 0.0
    above = float(special.bdtrc(high - 1, n, p)) if high <= n else 0.0
    return below + above


def poisson_one_rate(
    rate0: float, exposure: float, given: Mapping[str, float | None], sides: int, direction: str
) -> Result:
    """Exact test of one Poisson rate, each tail at alpha / sides. Source: Guenther (1977)."""

    def power_at(n: int, rate1: float, alpha: float) -> tuple[float, float]:
        low, high = _poisson_region(n * exposure * rate0, alpha / sides, sides, upward=rate1 > rate0)
        return _beyond(n * exposure * rate1, low, high), _beyond(n * exposure * rate0, low, high)

    method = Method(
        "one rate",
        "exact Poisson, alpha / sides in each tail",
        "sum of Poisson probabilities at rate1 over the rejection region at rate0",
        "Guenther (1977)",
    )
    far = ("rate", rate0) if direction == "higher" else (direction, rate0)
    notes = {"rate0": rate0, "exposure": exposure, "sides": sides}
    return exact_answer(method, given, "rate1", (far[1], far[0]), power_at, notes)


def _poisson_region(mean: float, tail: float, sides: int, upward: bool) -> tuple[float, float]:
    """Reject when x <= low or x >= high; -1 and infinity where there is no such count."""
    allowed = tail * TIE
    low, high = -1.0, math.inf
    if sides == 2 or not upward:
        low = float(stats.poisson.ppf(tail, mean))
        while low >= 0 and special.pdtr(low, mean) > allowed:
            low -= 1
    if sides == 2 or upward:
        high = float(stats.poisson.isf(tail, mean))
        while special.pdtrc(high - 1, mean) > allowed:
            high += 1
    return low, high


def _beyond(mean: float, low: float, high: float) -> float:
    below = float(special.pdtr(low, mean)) if low >= 0 else 0.0
    return below + (float(special.pdtrc(high - 1, mean)) if math.isfinite(high) else 0.0)


def exact_answer(
    method: Method,
    given: Mapping[str, float | None],
    effect: str,
    null: tuple[float, str],
    power_at: Callable[[int, float, float], tuple[float, float]],
    notes: Mapping[str, object],
) -> Result:
    """Solve an exact test; `power_at(n, effect, alpha)` gives the power and the level really used."""
    unknown = checks.exactly_one_missing(given)
    alpha, target = given["alpha"], given["power"]
    if alpha is None:
        raise ImpossibleRequest("alpha", "an exact test has only discrete levels; give alpha and leave out another")
    stable: dict[str, float] = {}
    if unknown == "power":
        value = power_at(_whole_size(given["n"]), given[effect], alpha)[0]  # type: ignore[arg-type]
    elif unknown == "n":
        assert target is not None
        value, lasting = _exact_sizes(lambda n: power_at(n, given[effect], alpha)[0], target)  # type: ignore[arg-type]
        stable["n_stable"] = lasting
    else:
        assert target is not None
        value = _exact_effect(lambda p: power_at(_whole_size(given["n"]), p, alpha)[0], target, *null)
    known = {**given, unknown: value}
    power, size = power_at(_whole_size(known["n"]), known[effect], alpha)  # type: ignore[arg-type]
    return Result(
        solved=unknown,
        value=value,
        rounded=_rounded(unknown, value, null),
        test=method.test,
        convention=method.convention,
        formula=method.formula,
        source=method.source,
        inputs=Values({**known, **notes}),
        details=Values({"actual_alpha": size, "actual_power": power, **stable}),
        at_rounded=Values({"actual_alpha": size, "power": power, **stable}),
        warnings=_saw_tooth(value, stable) + _nothing_rejects(size),
    )


def _rounded(unknown: str, value: float, null: tuple[float, str]) -> float:
    if unknown == "n":
        return value
    if unknown == "power":
        return math.floor(value * 1e4) / 1e4
    away = math.floor if null[1] == "lower" else math.ceil
    return away(value * 1e4) / 1e4


def _saw_tooth(value: float, stable: Mapping[str, float]) -> tuple[str, ...]:
    lasting = stable.get("n_stable", value)
    if lasting <= value:
        return ()
    return (f"the power of an exact test is a saw-tooth: some sizes above {value:g} have less; none from {lasting:g}",)


def _nothing_rejects(size: float) -> tuple[str, ...]:
    return ("with so few people no outcome is significant at this alpha",) if size == 0 else ()


def _whole_size(n: float | None) -> int:
    if n is None or n != int(n) or n > _LARGEST_EXACT:
        raise ImpossibleRequest(
            "n", f"an exact test needs a whole number of at most {_LARGEST_EXACT}, not {n}", remedy="use a z method"
        )
    return int(n)


def _exact_sizes(power_at: Callable[[int], float], target: float) -> tuple[int, int]:
    """The smallest size with the power, and the smallest from which every larger size has it."""
    seen: dict[int, float] = {}

    def enough(n: int) -> bool:
        if n not in seen:
            seen[n] = power_at(n)
        return seen[n] >= target

    low, high = 2, 4
    while not enough(high):
        low, high = high, high * 2
        if high > _LARGEST_EXACT:
            raise NoSolution("n", f"more than {_LARGEST_EXACT} would be needed; use a z method")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    # A tooth spans few sizes: what lies more than this far from the crossing is on its own side of the power.
    reach = high if high < 60 else 30 + math.isqrt(high) // 2
    first = next(n for n in range(max(2, high - reach), high + 1) if enough(n))
    last = max((n for n in range(first, high + reach) if not enough(n)), default=first - 1)
    return first, max(last + 1, first)


def _exact_effect(power_at: Callable[[float], float], target: float, null: float, direction: str) -> float:
    far = {"higher": 1 - 1e-9, "lower": 1e-9, "odds": 1e6, "rate": 1e3 * max(null, 1.0)}[direction]
    near = null + (far - null) * 1e-9
    if power_at(far) < target:
        raise NoSolution("effect", f"even the largest possible effect has power {power_at(far):.4f}, below {target:g}")
    return root(lambda p: power_at(p) - target, near, far, xtol=1e-12)


def exact_mcnemar(given: Mapping[str, float | None], discordant: float, sides: int) -> Result:
    """Exact unconditional power of McNemar's test: the binomial test averaged over the number of discordant pairs.

    Source: G*Power 3.1 manual, exact: inequality of two dependent proportions (McNemar).
    """

    def power_at(n: int, ratio: float, alpha: float) -> tuple[float, float]:
        share = ratio / (1 + ratio)
        given_pairs = np.array([_given_pairs(pairs, share, alpha, sides) for pairs in range(n + 1)])
        power, size = stats.binom.pmf(np.arange(n + 1), n, discordant) @ given_pairs
        return float(power), float(size)

    method = Method(
        "paired proportions",
        "exact McNemar, averaged over the number of discordant pairs",
        "sum over d of Binomial(d; n, p_disc) times the power of the binomial test on d pairs",
        "G*Power 3.1 manual; Schork & Williams (1980)",
    )
    notes = {"discordant": discordant, "sides": sides}
    return exact_answer(method, given, "odds_ratio", (1.0, "odds"), power_at, notes)


@lru_cache(maxsize=16_384)
def _given_pairs(pairs: int, share: float, alpha: float, sides: int) -> tuple[float, float]:
    """Power and level of the binomial test on so many discordant pairs."""
    low, high = _binomial_region(pairs, 0.5, alpha, sides, upward=share > 0.5)
    return _outside(pairs, share, low, high), _outside(pairs, 0.5, low, high)
