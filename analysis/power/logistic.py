"""Logistic regression with one predictor of interest, binary or continuous, and others beside it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from analysis.power import checks, tails
from analysis.power.result import Result
from analysis.power.roots import root
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["logistic"]

Predictor = Literal["normal", "binary"]

_METHODS = {
    "hsieh": Method(
        "logistic regression",
        "Hsieh, Bloch and Larsen: difference of means or proportions",
        "normal: n = (z_a + z_b)² / (p1 q1 log(OR)² (1 - R²)); binary: two proportions",
        "Hsieh, Bloch & Larsen (1998)",
    ),
    "wald": Method(
        "logistic regression",
        "Wald test, expected information at the alternative",
        "n = (z_a + z_b)² var(b) / (b² (1 - R²)), var from the expected information",
        "Demidenko (2007)",
    ),
    "wald_null": Method(
        "logistic regression",
        "Wald test, null variance at the null model",
        "n = (z_a sqrt(v0) + z_b sqrt(v1))² / (b² (1 - R²))",
        "Demidenko (2007), variance correction; Lyles, Lin & Williamson (2007)",
    ),
    "wald_corrected": Method(
        "logistic regression",
        "Wald test, variance correction of G*Power",
        "n = (z_a sqrt(v1) + z_b sqrt(a v0 + (1 - a) v1))² / (b² (1 - R²)), a = 1 (normal), 0.85 (binary)",
        "Demidenko (2007); G*Power 3.1 manual, logistic regression, enumeration and large-sample procedures",
    ),
}
_SHARE_OF_NULL = {"normal": 1.0, "binary": 0.85}


@asked
def logistic(
    *,
    p1: float,
    odds_ratio: float | None = None,
    predictor: Predictor = "normal",
    share: float = 0.5,
    r2: float = 0.0,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: Literal["hsieh", "wald", "wald_null", "wald_corrected"] = "hsieh",
) -> Result:
    """Size, power, smallest odds ratio or level of the test of one predictor in logistic regression.

    `p1` is the event probability at the mean of a standard normal predictor (odds ratio per standard deviation), or
    in the group coded 0 of a binary one, of which a `share` is coded 1. `r2` is the share of the predictor explained
    by the others. `method`: "hsieh", "wald" (Demidenko), "wald_corrected" (his default in G*Power), or "wald_null" (the
    critical value scaled by the null variance). Source: Hsieh, Bloch & Larsen (1998); Demidenko (2007).

    >>> logistic(p1=0.5, odds_ratio=1.5, power=0.95, method="hsieh").rounded
    317
    """
    checks.level(alpha, power, sides)
    checks.probability(p1=p1, share=share)
    checks.loading(r2=r2)
    checks.positive(odds_ratio=odds_ratio)
    checks.different("odds_ratio", odds_ratio, 1)
    checks.choice("predictor", predictor, ("normal", "binary"))
    checks.choice("method", method, _METHODS)
    checks.at_least(4, n=n)

    def ask(kind: str) -> Question:
        def power_of(n: float, odds_ratio: float, alpha: float) -> float:
            gap, null, alternative = _errors(kind, predictor, p1, odds_ratio, share)
            root = math.sqrt(n * (1 - r2))
            return float(tails.special.ndtr((gap * root - tails.z_critical(alpha, sides) * null) / alternative))

        return Question(
            _METHODS[kind],
            {"n": n, "odds_ratio": odds_ratio, "power": power, "alpha": alpha},
            power_of,
            {"n": SizeRange(4), "odds_ratio": EffectRange(1.0, scale=0.1)},
            None,
            {"p1": p1, "predictor": predictor, "share": share, "r2": r2, "sides": sides},
        )

    return ask(method).answer(rivals=[ask(kind) for kind in _METHODS if kind != method])


def _errors(kind: str, predictor: str, p1: float, odds_ratio: float, share: float) -> tuple[float, float, float]:
    """Effect, and the root of n times its variance under the null and under the alternative."""
    slope = abs(math.log(odds_ratio))
    signed, intercept = math.log(odds_ratio), math.log(p1 / (1 - p1))
    if kind == "hsieh" and predictor == "normal":
        spread = 1 / math.sqrt(p1 * (1 - p1))
        return slope, spread, spread
    if kind == "hsieh":
        p2 = 1 / (1 + math.exp(-intercept - signed))
        mean = (1 - share) * p1 + share * p2
        null = math.sqrt(mean * (1 - mean) / (share * (1 - share)))
        return abs(p2 - p1), null, math.sqrt(p1 * (1 - p1) / (1 - share) + p2 * (1 - p2) / share)
    alternative = math.sqrt(slope_variance(predictor, intercept, signed, share))
    if kind == "wald":
        return slope, alternative, alternative
    null = slope_variance(predictor, _null_intercept(predictor, intercept, signed, share), 0, share)
    if kind == "wald_corrected":
        weight = _SHARE_OF_NULL[predictor]
        return slope, alternative, math.sqrt(weight * null + (1 - weight) * alternative**2)
    return slope, math.sqrt(null), alternative


_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_WEIGHTS = _WEIGHTS / math.sqrt(2 * math.pi)


def _support(predictor: str, share: float) -> tuple[np.ndarray, np.ndarray]:
    if predictor == "binary":
        return np.array([0.0, 1.0]), np.array([1 - share, share])
    return _NODES, _WEIGHTS


def slope_variance(predictor: str, intercept: float, slope: float, share: float) -> float:
    """n times the variance of the estimated slope, from the expected information. Source: Demidenko (2007)."""
    x, weight = _support(predictor, share)
    p = 1 / (1 + np.exp(-intercept - slope * x))
    information = weight * p * (1 - p)
    a, b, c = information.sum(), (information * x).sum(), (information * x * x).sum()
    return float(a / (a * c - b * b))


def _null_intercept(predictor: str, intercept: float, slope: float, share: float) -> float:
    """Intercept of the null model that keeps the overall event probability."""
    x, weight = _support(predictor, share)
    overall = float(np.sum(weight / (1 + np.exp(-intercept - slope * x))))
    return root(lambda a: 1 / (1 + math.exp(-a)) - overall, -40, 40, xtol=1e-14)
