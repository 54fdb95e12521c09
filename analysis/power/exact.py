"""Exact tests of counts: binomial, Fisher, McNemar. Their power is a saw-tooth in n, so sizes are found by walking."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy import special, stats

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.result import Result, Values
from analysis.power.roots import root
from analysis.power.solve import Method

__all__ = ["binomial_one_proportion", "exact_mcnemar", "fisher_two_proportions", "smallest_whole"]

# Computed and observed probabilities that should tie may differ in the last digits; R uses the same allowance.
_TIE = 1 + 1e-7
_LARGEST_EXACT = 5000


def smallest_whole(power_at: Callable[[int], float], target: float, start: int, minimum: int, maximum: int) -> int:
    """The smallest whole number from which one has at least the power, walking up from safely below `start`."""
    n = max(minimum, start)
    while n <= maximum:
        if power_at(n) >= target:
            return n
        n += 1
    raise NoSolution("n", f"no size up to {maximum} reaches power {target:g} by the exact test")


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
    return _exact_answer(method, given, "p1", (p0, direction), power_at, {"p0": p0, "sides": sides})


def _binomial_region(n: int, p0: float, alpha: float, sides: int, upward: bool) -> tuple[int, int]:
    """Reject when x <= low or x >= high."""
    tail = alpha / sides
    counts = np.arange(n + 1)
    cdf = special.bdtr(counts, n, p0)
    upper = special.bdtrc(counts - 1.0, n, p0)
    upper[0] = 1.0
    low = int(np.searchsorted(cdf, tail * _TIE, side="right")) - 1
    high = int(np.argmax(upper <= tail * _TIE)) if (upper <= tail * _TIE).any() else n + 1
    if sides == 1:
        return (-1, high) if upward else (low, n + 1)
    return low, high


def _outside(n: int, p: float, low: int, high: int) -> float:
    below = float(special.bdtr(low, n, p)) if low >= 0 else 0.0
    above = float(special.bdtrc(high - 1, n, p)) if high <= n else 0.0
    return below + above


def _exact_answer(
    method: Method,
    given: Mapping[str, float | None],
    effect: str,
    null: tuple[float, str],
    power_at: Callable[[int, float, float], tuple[float, float]],
    notes: Mapping[str, object],
) -> Result:
    unknown = checks.exactly_one_missing(given)
    alpha, target = given["alpha"], given["power"]
    if alpha is None:
        raise ImpossibleRequest("alpha", "an exact test has only discrete levels; give alpha and leave out another")
    if unknown == "power":
        value = power_at(_whole_size(given["n"]), given[effect], alpha)[0]  # type: ignore[arg-type]
    elif unknown == "n":
        assert target is not None
        value = _exact_size(lambda n: power_at(n, given[effect], alpha)[0], target)  # type: ignore[arg-type]
    else:
        assert target is not None
        value = _exact_effect(lambda p: power_at(_whole_size(given["n"]), p, alpha)[0], target, *null)
    known = {**given, unknown: value}
    power, size = power_at(_whole_size(known["n"]), known[effect], alpha)  # type: ignore[arg-type]
    return Result(
        solved=unknown,
        value=value,
        rounded=value if unknown == "n" else math.floor(value * 1e4) / 1e4 if unknown == "power" else round(value, 4),
        test=method.test,
        convention=method.convention,
        formula=method.formula,
        source=method.source,
        inputs=Values({**known, **notes}),
        details=Values({"actual_alpha": size, "actual_power": power}),
        at_rounded=Values({"actual_alpha": size, "power": power}),
    )


def _whole_size(n: float | None) -> int:
    if n is None or n != int(n) or n > _LARGEST_EXACT:
        raise ImpossibleRequest(
            "n", f"an exact test needs a whole number of at most {_LARGEST_EXACT}, not {n}", remedy="use a z method"
        )
    return int(n)


def _exact_size(power_at: Callable[[int], float], target: float) -> int:
    high = 4
    while power_at(high) < target:
        high *= 2
        if high > _LARGEST_EXACT:
            raise NoSolution("n", f"more than {_LARGEST_EXACT} would be needed; use a z method")
    # The saw-tooth never falls back by more than a third, so the first success lies above a third of this bracket.
    return smallest_whole(power_at, target, high // 3, 2, high)


def _exact_effect(power_at: Callable[[float], float], target: float, null: float, direction: str) -> float:
    far = {"higher": 1 - 1e-9, "lower": 1e-9, "odds": 1e6}[direction]
    near = null + (far - null) * 1e-9
    if power_at(far) < target:
        raise NoSolution("effect", f"even the largest possible effect has power {power_at(far):.4f}, below {target:g}")
    return root(lambda p: power_at(p) - target, near, far, xtol=1e-12)


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
        second = n2 if n2 is not None else math.ceil(n * ratio - 1e-9)
        region = fisher_region(n, int(second), alpha, sides, upward=p2 > p1)
        first, other = np.arange(n + 1), np.arange(int(second) + 1)

        def chance(b: float) -> float:
            return float(stats.binom.pmf(first, n, p1) @ region @ stats.binom.pmf(other, second, b))

        return chance(p2), chance(p1)

    method = Method(
        "two proportions",
        "Fisher's exact test, unconditional power",
        "sum over (x1, x2) of both binomial probabilities where the conditional p-value is at most alpha",
        "Fisher (1935); Bennett & Hsu (1960); two-sided rule of R stats::fisher.test",
    )
    notes = {"p1": p1, "ratio": ratio, "sides": sides}
    return _exact_answer(method, given, "p2", (p1, direction), power_at, notes)


def fisher_region(n1: int, n2: int, alpha: float, sides: int, upward: bool) -> np.ndarray:
    """Boolean table (n1 + 1, n2 + 1): which pairs of counts Fisher's test rejects at level alpha."""
    region = np.zeros((n1 + 1, n2 + 1), dtype=bool)
    logs = [special.gammaln(np.arange(n + 1) + 1) for n in (n1, n2)]
    weights = [special.gammaln(n + 1) - log - log[::-1] for n, log in zip((n1, n2), logs, strict=True)]
    for total in range(n1 + n2 + 1):
        x1 = np.arange(max(0, total - n2), min(n1, total) + 1)
        log = weights[0][x1] + weights[1][total - x1]
        pmf = np.exp(log - special.logsumexp(log))
        if sides == 1:
            # A higher second arm shows as a small count in the first.
            p_values = np.cumsum(pmf) if upward else np.cumsum(pmf[::-1])[::-1]
        else:
            order = np.argsort(pmf, kind="stable")
            cumulative = np.cumsum(pmf[order])
            rank = np.searchsorted(pmf[order], pmf * _TIE, side="right") - 1
            p_values = cumulative[rank]
        region[x1, total - x1] = p_values <= alpha
    return region


def exact_mcnemar(given: Mapping[str, float | None], discordant: float, sides: int) -> Result:
    """Exact unconditional power of McNemar's test: the binomial test averaged over the number of discordant pairs.

    Source: G*Power 3.1 manual, exact: inequality of two dependent proportions (McNemar).
    """

    def power_at(n: int, ratio: float, alpha: float) -> tuple[float, float]:
        share = ratio / (1 + ratio)
        counts = np.arange(n + 1)
        weight = stats.binom.pmf(counts, n, discordant)
        power = size = 0.0
        for pairs in np.flatnonzero(weight > 1e-14):
            low, high = _binomial_region(int(pairs), 0.5, alpha, sides, upward=share > 0.5)
            power += weight[pairs] * _outside(int(pairs), share, low, high)
            size += weight[pairs] * _outside(int(pairs), 0.5, low, high)
        return power, size

    method = Method(
        "paired proportions",
        "exact McNemar, averaged over the number of discordant pairs",
        "sum over d of Binomial(d; n, p_disc) times the power of the binomial test on d pairs",
        "G*Power 3.1 manual; Schork & Williams (1980)",
    )
    notes = {"discordant": discordant, "sides": sides}
    return _exact_answer(method, given, "odds_ratio", (1.0, "odds"), power_at, notes)
