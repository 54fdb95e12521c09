"""Sizes for a confidence interval of a wanted width, instead of for a test."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.result import Result, Values
from analysis.power.roots import root
from analysis.power.solve import round_up
from analysis.power.wording import asked

__all__ = ["precision_correlation", "precision_difference", "precision_mean", "precision_proportion"]


def _answer(
    test: str,
    formula: str,
    source: str,
    half_width_at: Callable[[float], float],
    n: float | None,
    half_width: float | None,
    minimum: float,
    notes: Mapping[str, object],
    convention: str = "normal reference",
) -> Result:
    checks.exactly_one_missing({"n": n, "half_width": half_width})
    checks.positive(half_width=half_width)
    checks.at_least(minimum, n=n)
    if n is not None:
        width = half_width_at(n)
        inputs = {"n": n, "half_width": width, **notes}
        return Result(
            "half_width", width, math.ceil(width * 1e4) / 1e4, test, convention, formula, source, Values(inputs)
        )
    assert half_width is not None
    low = high = minimum
    while half_width_at(high) > half_width:
        low, high = high, high * 2
        if high > 1e15:
            raise NoSolution("n", f"no sample gives a half-width of {half_width:g}")
    size = low if high == minimum else root(lambda x: half_width_at(x) - half_width, low, high, xtol=1e-10)
    rounded = round_up(size)
    details = Values({"half_width": half_width_at(rounded)})
    inputs = {"n": size, "half_width": half_width, **notes}
    return Result(
        "n", size, rounded, test, convention, formula, source, Values(inputs), details=Values({}), at_rounded=details
    )


@asked
def precision_mean(
    *,
    sd: float,
    half_width: float | None = None,
    n: float | None = None,
    confidence: float = 0.95,
    test: Literal["z", "t"] = "z",
    design_effect: float = 1.0,
) -> Result:
    """Size for, or half-width of, the confidence interval of a mean. Source: Cochran (1977) §4.6.

    >>> precision_mean(sd=15, half_width=3).rounded
    97
    """
    checks.probability(confidence=confidence)
    checks.positive(sd=sd, design_effect=design_effect)

    def half(n: float) -> float:
        alpha = 1 - confidence
        quantile = tails.z_critical(alpha) if test == "z" else tails.t_critical(alpha, n - 1)
        return quantile * sd * math.sqrt(design_effect / n)

    notes = {"sd": sd, "confidence": confidence, "design_effect": design_effect}
    reference = "normal reference" if test == "z" else "t, df = n - 1"
    return _answer(
        "interval of a mean", "n = (q sd / h)²", "Cochran (1977) §4.6", half, n, half_width, 2, notes, reference
    )


@asked
def precision_proportion(
    *,
    p: float,
    half_width: float | None = None,
    n: float | None = None,
    confidence: float = 0.95,
    method: Literal["wald", "wilson"] = "wald",
    design_effect: float = 1.0,
) -> Result:
    """Size for, or half-width of, the confidence interval of a proportion.

    Source: Cochran (1977) §4.4; Wilson (1927) for "wilson".

    >>> precision_proportion(p=0.5, half_width=0.05).rounded
    385
    """
    checks.probability(p=p, confidence=confidence)
    checks.positive(design_effect=design_effect)
    checks.choice("method", method, ("wald", "wilson"))
    z = tails.z_critical(1 - confidence)

    def half(n: float) -> float:
        worth = n / design_effect
        if method == "wald":
            return z * math.sqrt(p * (1 - p) / worth)
        return z / (1 + z**2 / worth) * math.sqrt(p * (1 - p) / worth + z**2 / (4 * worth**2))

    notes = {"p": p, "confidence": confidence, "design_effect": design_effect}
    return _answer(
        "interval of a proportion", "n = z² p q / h²", "Cochran (1977) §4.4", half, n, half_width, 1, notes, method
    )


@asked
def precision_difference(
    *,
    sd: float | None = None,
    sd2: float | None = None,
    p1: float | None = None,
    p2: float | None = None,
    half_width: float | None = None,
    n: float | None = None,
    ratio: float = 1.0,
    confidence: float = 0.95,
    design_effect: float = 1.0,
) -> Result:
    """Size (first arm) for, or half-width of, the interval of a difference of two means or two proportions.

    Give `sd` (and `sd2`) for means or `p1` and `p2` for proportions. Source: Machin et al. (2018) ch. 10.

    >>> precision_difference(p1=0.45, p2=0.5, half_width=0.05).rounded
    765
    """
    checks.probability(confidence=confidence)
    checks.positive(ratio=ratio, design_effect=design_effect)
    if p1 is not None and p2 is not None:
        checks.probability(p1=p1, p2=p2)
        variances = p1 * (1 - p1), p2 * (1 - p2)
    elif sd is not None:
        checks.positive(sd=sd, sd2=sd2)
        variances = sd**2, (sd if sd2 is None else sd2) ** 2
    else:
        raise ImpossibleRequest("sd", "give `sd` for means, or `p1` and `p2` for proportions")
    z = tails.z_critical(1 - confidence)

    def half(n: float) -> float:
        return z * math.sqrt(design_effect * (variances[0] / n + variances[1] / (n * ratio)))

    notes = {"confidence": confidence, "ratio": ratio, "design_effect": design_effect}
    formula = "h = z sqrt(v1/n1 + v2/n2)"
    return _answer("interval of a difference", formula, "Machin et al. (2018) ch. 10", half, n, half_width, 2, notes)


@asked
def precision_correlation(
    *, r: float, half_width: float | None = None, n: float | None = None, confidence: float = 0.95
) -> Result:
    """Size for, or half-width of, the interval of a correlation by Fisher's z. Source: Bonett & Wright (2000).

    >>> precision_correlation(r=0.5, half_width=0.1).rounded
    219
    """
    checks.between("r", r, -0.9999, 0.9999)
    checks.probability(confidence=confidence)
    z = tails.z_critical(1 - confidence)

    def half(n: float) -> float:
        reach = z / math.sqrt(n - 3)
        return (math.tanh(math.atanh(r) + reach) - math.tanh(math.atanh(r) - reach)) / 2

    notes = {"r": r, "confidence": confidence}
    formula = "tanh(atanh r ± z / sqrt(n - 3))"
    return _answer("interval of a correlation", formula, "Bonett & Wright (2000)", half, n, half_width, 4, notes)
