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


def _quantile(test: str, df: float, confidence: float, probability: float | None) -> float:
    """Half-width in standard errors, at the true standard deviation or at the quantile of the estimated one."""
    if test == "z":
        return tails.z_critical(1 - confidence)
    spread = 1.0 if probability is None else math.sqrt(float(tails.special.chdtri(df, 1 - probability)) / df)
    return tails.t_critical(1 - confidence, df) * spread


def _reference(test: str, df: str, probability: float | None) -> str:
    if test == "z":
        return "normal reference"
    return f"t, df = {df}" + ("" if probability is None else f"; no wider with probability {probability:g}")


@asked
def precision_mean(
    *,
    sd: float,
    half_width: float | None = None,
    n: float | None = None,
    confidence: float = 0.95,
    probability: float | None = None,
    test: Literal["z", "t"] = "z",
    design_effect: float = 1.0,
) -> Result:
    """Size for, or half-width of, the confidence interval of a mean.

    With `probability` the interval, by t and the standard deviation of the sample, will be no wider than stated with
    that chance. Source: Cochran (1977) §4.6; Kupper & Hafner (1989) and Hahn & Meeker (1991) for `probability`.

    >>> precision_mean(sd=15, half_width=3).rounded
    97
    >>> precision_mean(sd=2500, half_width=1500, probability=0.9).rounded
    19
    """
    checks.probability(confidence=confidence, probability=probability)
    checks.positive(sd=sd, design_effect=design_effect)
    checks.choice("test", test, ("z", "t"))
    test = "t" if probability is not None else test

    def half(n: float) -> float:
        return _quantile(test, n - 1, confidence, probability) * sd * math.sqrt(design_effect / n)

    notes = {"sd": sd, "confidence": confidence, "design_effect": design_effect}
    reference = _reference(test, "n - 1", probability)
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
    probability: float | None = None,
    test: Literal["z", "t"] = "z",
    design_effect: float = 1.0,
) -> Result:
    """Size (first arm) for, or half-width of, the interval of a difference of two means or two proportions.

    Give `sd` (and `sd2`) for means or `p1` and `p2` for proportions. Means may take "t" with the pooled variance, and
    then a `probability` that the interval will be no wider than stated.
    Source: Machin et al. (2018) ch. 10; Kupper & Hafner (1989) for `probability`.

    >>> precision_difference(p1=0.45, p2=0.5, half_width=0.05).rounded
    765
    >>> precision_difference(sd=1, half_width=0.25, probability=0.8).rounded
    134
    """
    checks.probability(confidence=confidence, probability=probability)
    checks.positive(ratio=ratio, design_effect=design_effect)
    checks.choice("test", test, ("z", "t"))
    test = "t" if probability is not None else test
    if test == "t" and (sd is None or sd2 not in (None, sd)):
        raise ImpossibleRequest("test", "t and `probability` are for two means with one standard deviation `sd`")
    if p1 is not None and p2 is not None:
        checks.probability(p1=p1, p2=p2)
        variances = p1 * (1 - p1), p2 * (1 - p2)
    elif sd is not None:
        checks.positive(sd=sd, sd2=sd2)
        variances = sd**2, (sd if sd2 is None else sd2) ** 2
    else:
        raise ImpossibleRequest("sd", "give `sd` for means, or `p1` and `p2` for proportions")

    def half(n: float) -> float:
        quantile = _quantile(test, n * (1 + ratio) - 2, confidence, probability)
        return quantile * math.sqrt(design_effect * (variances[0] / n + variances[1] / (n * ratio)))

    notes = {"confidence": confidence, "ratio": ratio, "design_effect": design_effect}
    formula, source = "h = q sqrt(v1/n1 + v2/n2)", "Machin et al. (2018) ch. 10"
    reference = _reference(test, "n1 + n2 - 2", probability)
    smallest = 2.0 if ratio >= 1 else 2 / ratio
    return _answer("interval of a difference", formula, source, half, n, half_width, smallest, notes, reference)


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
