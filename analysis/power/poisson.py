"""Poisson regression with one predictor of interest, binary, continuous or a count, and others beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["poisson_regression"]

Predictor = Literal["normal", "binary", "uniform", "exponential", "poisson"]
PoissonMethod = Literal["signorini", "wald", "wald_corrected"]

_METHODS = {
    "signorini": Method(
        "Poisson regression",
        "Signorini: null variance at the rate stated, variance of the alternative",
        "n = (z_a sqrt(v0) + z_b sqrt(v1))² / (t rate log(RR)² (1 - R²)), v0 = 1 / var(x), v1 = 1 / (M(b) var_b(x))",
        "Signorini (1991)",
    ),
    "wald": Method(
        "Poisson regression",
        "Wald test, expected information at the alternative",
        "n = (z_a + z_b)² v1 / (t rate log(RR)² (1 - R²))",
        "Demidenko (2007); G*Power 3.1 manual, Poisson regression",
    ),
    "wald_corrected": Method(
        "Poisson regression",
        "Wald test, variance correction of G*Power",
        "n = (z_a sqrt(v1) + z_b sqrt(v0))² / (t rate log(RR)² (1 - R²)), v0 at the null model with the same mean rate",
        "Demidenko (2007); G*Power 3.1 manual, Poisson regression",
    ),
}


def _normal(b: float, mean: float, sd: float) -> tuple[float, float]:
    return math.exp(mean * b + (sd * b) ** 2 / 2), sd**2


def _uniform(b: float, mean: float, sd: float) -> tuple[float, float]:
    half = sd * math.sqrt(3) * b
    if abs(half) < 1e-3:
        return math.exp(mean * b) * (1 + half**2 / 6), sd**2 * (1 - half**2 / 5)
    spread = 1 / b**2 - (sd * math.sqrt(3) / math.sinh(half)) ** 2
    return math.exp(mean * b) * math.sinh(half) / half, spread


def _exponential(b: float, mean: float, _sd: float) -> tuple[float, float]:
    left = 1 - mean * b
    if left <= 0:
        raise ImpossibleRequest(
            "rate_ratio", f"an exponential predictor with mean {mean:g} has an infinite mean rate at {math.exp(b):g}"
        )
    return 1 / left, (mean / left) ** 2


def _counts(b: float, mean: float, _sd: float) -> tuple[float, float]:
    return math.exp(mean * math.expm1(b)), mean * math.exp(b)


def _binary(b: float, share: float, _sd: float) -> tuple[float, float]:
    raised = 1 + share * math.expm1(b)
    tilted = share * math.exp(b) / raised
    return raised, tilted * (1 - tilted)


# E exp(b x), and the variance of x when people are counted by their rates exp(b x).
_TILTED: dict[str, Callable[[float, float, float], tuple[float, float]]] = {
    "normal": _normal,
    "binary": _binary,
    "uniform": _uniform,
    "exponential": _exponential,
    "poisson": _counts,
}


@asked
def poisson_regression(
    *,
    rate: float,
    rate_ratio: float | None = None,
    predictor: Predictor = "normal",
    mean_x: float = 0.0,
    sd_x: float = 1.0,
    share: float = 0.5,
    exposure: float = 1.0,
    dispersion: float = 1.0,
    r2: float = 0.0,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: PoissonMethod = "signorini",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest rate ratio or level of the test of one predictor in Poisson regression.

    `rate` is the event rate (a unit of `exposure`) where the predictor is 0, `rate_ratio` its change for one unit of
    the predictor: "normal" or "uniform" with `mean_x` and `sd_x`, "exponential" or "poisson" with `mean_x`, or
    "binary" with a `share` coded 1. `r2` is the share of the predictor explained by the others, `dispersion` the
    factor of overdispersion (variance over mean). A ratio is sought above 1, or below with `direction="lower"`.
    Source: Signorini (1991); Demidenko (2007).

    >>> poisson_regression(rate=0.85, rate_ratio=1.3, predictor="binary", power=0.95, sides=1).rounded
    697
    >>> round(poisson_regression(rate=1, rate_ratio=1.3, mean_x=3.2, sd_x=2.1, n=25).power, 4)
    0.904
    """
    checks.level(alpha, power, sides)
    checks.positive(rate=rate, rate_ratio=rate_ratio, sd_x=sd_x, exposure=exposure, dispersion=dispersion)
    checks.probability(share=share)
    checks.loading(r2=r2)
    checks.different("rate_ratio", rate_ratio, 1)
    checks.choice("predictor", predictor, _TILTED)
    checks.choice("method", method, _METHODS)
    checks.choice("direction", direction, ("higher", "lower"))
    checks.at_least(4, n=n)
    if predictor in ("exponential", "poisson"):
        checks.positive(mean_x=mean_x)
    place = share if predictor == "binary" else mean_x
    unit = rate * exposure * (1 - r2) / dispersion

    def errors(kind: str, slope: float) -> tuple[float, float]:
        """Roots of n times the variance that scale the critical value, and that of the alternative."""
        raised, spread = _TILTED[predictor](slope, place, sd_x)
        still = _TILTED[predictor](0.0, place, sd_x)[1]
        alternative = 1 / (raised * spread)
        if kind == "signorini":
            return math.sqrt(1 / still), math.sqrt(alternative)
        return math.sqrt(alternative), math.sqrt(alternative if kind == "wald" else 1 / (raised * still))

    def ask(kind: str) -> Question:
        def power_of(n: float, rate_ratio: float, alpha: float) -> float:
            slope = math.log(rate_ratio)
            critical, spread = errors(kind, slope)
            shift = abs(slope) * math.sqrt(n * unit)
            border = tails.z_critical(alpha, sides) * critical
            wrong = tails.special.ndtr((-shift - border) / spread) if sides == 2 and both_tails else 0.0
            return float(tails.special.ndtr((shift - border) / spread) + wrong)

        far = math.inf if direction == "higher" else 0.0
        if predictor == "exponential" and direction == "higher":
            far = math.exp(1 / mean_x)
        return Question(
            _METHODS[kind],
            {"n": n, "rate_ratio": rate_ratio, "power": power, "alpha": alpha},
            power_of,
            {"n": SizeRange(4), "rate_ratio": EffectRange(1.0, far, 0.02)},
            None,
            {"rate": rate, "predictor": predictor, "exposure": exposure, "r2": r2, "sides": sides},
        )

    return ask(method).answer(rivals=[ask(kind) for kind in _METHODS if kind != method])
