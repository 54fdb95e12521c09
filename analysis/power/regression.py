"""Linear regression: the share of variance explained, its increase, one coefficient; and correlations."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy import special

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.multiple_correlation import random_predictors_power
from analysis.power.result import Result
from analysis.power.roots import root
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = [
    "correlation",
    "point_biserial",
    "r_squared",
    "r_squared_change",
    "regression_coefficient",
    "two_correlations",
]

_SOURCE = "Cohen (1988) ch. 9; G*Power 3.1 manual"


@asked
def r_squared(
    *,
    predictors: int,
    f2: float | None = None,
    r2: float | None = None,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    model: Literal["fixed", "random"] = "fixed",
) -> Result:
    """Size, power, smallest f² or level of the test that R² is zero.

    State the effect as `f2` or as `r2` = f2 / (1 + f2). Degrees of freedom are `predictors` and
    n - predictors - 1. `model`: predictors "fixed" by the design, or "random" (multivariate normal) as in a survey.
    Source: Cohen (1988) ch. 9; Gatsonis & Sampson (1989) for "random".

    >>> round(r_squared(predictors=5, f2=1 / 9, n=95).power, 6)
    0.673586
    """
    checks.choice("model", model, ("fixed", "random"))
    checks.whole(1, predictors=predictors)
    f2, given = _f2(f2, r2, None), {"n": n, "power": power, "alpha": alpha}
    kinds = (model, "random" if model == "fixed" else "fixed")
    chosen, rival = (_variance_explained(given | {"f2": f2}, predictors, predictors, kind) for kind in kinds)
    return chosen.answer(rivals=[rival])


def _f2(f2: float | None, change: float | None, full: float | None) -> float | None:
    if change is None:
        return f2
    if f2 is not None:
        raise ImpossibleRequest("f2", "says the same as the R² given; give one of them")
    full = change if full is None else full
    checks.probability(r2_change=change, r2_full=full)
    if full < change:
        raise ImpossibleRequest("r2_full", f"{full:g} of the full model cannot lie below its own increase {change:g}")
    return change / (1 - full)


def _variance_explained(given: dict[str, float | None], tested: int, predictors: int, model: str) -> Question:
    smallest = predictors + 2
    checks.positive(f2=given["f2"])
    checks.level(given["alpha"], given["power"])
    checks.at_least(smallest, n=given["n"])

    def power_of(n: float, f2: float, alpha: float) -> float:
        if model == "random":
            return random_predictors_power(n, predictors, f2, alpha)
        return tails.f_power(f2 * n, tested, n - predictors - 1, alpha)

    def details(n: float, f2: float, alpha: float) -> dict[str, float]:
        df2 = n - predictors - 1
        critical = tails.f_critical(alpha, tested, df2)
        return {"df1": tested, "df2": df2, "ncp": f2 * n, "critical": critical, "r2": f2 / (1 + f2)}

    kind = "noncentral F, fixed predictors" if model == "fixed" else "predictors drawn from a multivariate normal"
    return Question(
        Method("R² (change)", f"{kind}, df2 = n - p - 1", "ncp = f² n", _SOURCE),
        given,
        power_of,
        {"n": SizeRange(smallest), "f2": EffectRange(scale=0.01)},
        details,
        {"tested": tested, "predictors": predictors},
    )


@asked
def r_squared_change(
    *,
    tested: int,
    predictors: int,
    f2: float | None = None,
    r2_change: float | None = None,
    r2_full: float | None = None,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
) -> Result:
    """Size, power, smallest f² or level of the test that `tested` of `predictors` add nothing.

    State the effect as `f2`, or as `r2_change` with `r2_full` (the R² of the full model, by default the change).
    Source: Cohen (1988) §9.3; G*Power "linear multiple regression: fixed model, R² increase".

    >>> round(r_squared_change(tested=4, predictors=9, f2=0.0714286, n=90, alpha=0.01).power, 6)
    0.241297
    """
    checks.whole(1, tested=tested, predictors=predictors)
    checks.between("tested", tested, 1, predictors)
    given = {"n": n, "f2": _f2(f2, r2_change, r2_full), "power": power, "alpha": alpha}
    return _variance_explained(given, tested, predictors, "fixed").answer()


@asked
def regression_coefficient(
    *,
    slope: float | None = None,
    sd_x: float = 1.0,
    sd_residual: float = 1.0,
    r2_x: float = 0.0,
    predictors: int = 1,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest slope or level of the t test of one coefficient.

    `sd_x` is the standard deviation of the predictor, `r2_x` the share of it that the other predictors explain
    (variance inflation), `sd_residual` that of the outcome around the line. Source: Dupont & Plummer (1998).

    >>> regression_coefficient(slope=0.3, power=0.8).rounded
    90
    """
    checks.level(alpha, power, sides)
    checks.positive(sd_x=sd_x, sd_residual=sd_residual)
    checks.loading(r2_x=r2_x)
    checks.whole(1, predictors=predictors)
    checks.different("slope", slope, 0)
    checks.at_least(predictors + 2, n=n)
    unit = sd_x * math.sqrt(1 - r2_x) / sd_residual

    def power_of(n: float, slope: float, alpha: float) -> float:
        return tails.t_power(slope * unit * math.sqrt(n), n - predictors - 1, alpha, sides, both_tails)

    return Question(
        Method(
            "regression coefficient",
            "noncentral t, df = n - p - 1",
            "ncp = slope sd_x sqrt(n (1 - R²_x)) / sd_residual",
            "Dupont & Plummer (1998); G*Power 3.1 manual",
        ),
        {"n": n, "slope": slope, "power": power, "alpha": alpha},
        power_of,
        {"n": SizeRange(predictors + 2), "slope": EffectRange(scale=0.1 / unit)},
        lambda n, slope, **_: {"df": n - predictors - 1, "ncp": abs(slope) * unit * math.sqrt(n)},
        {"sd_x": sd_x, "sd_residual": sd_residual, "r2_x": r2_x, "predictors": predictors, "sides": sides},
    ).answer()


def _fisher(n: float, r: float, r0: float, alpha: float, sides: int, both_tails: bool) -> float:
    return tails.z_power((math.atanh(r) - math.atanh(r0)) * math.sqrt(n - 3), alpha, sides, both_tails)


def _t_fisher(n: float, r: float, _r0: float, alpha: float, sides: int, both_tails: bool) -> float:
    # The critical correlation of the t test of zero, the power by Fisher's z with its bias r / (2 (n - 1)).
    critical = tails.t_critical(alpha, n - 2, sides)
    border = math.asinh(critical / math.sqrt(n - 2))
    centre = math.atanh(abs(r)) + abs(r) / (2 * (n - 1))
    power = special.ndtr((centre - border) * math.sqrt(n - 3))
    return float(power + (special.ndtr((-centre - border) * math.sqrt(n - 3)) if sides == 2 and both_tails else 0.0))


def _corrected(n: float, r: float, r0: float, alpha: float, sides: int, both_tails: bool) -> float:
    # Fisher's z has the mean atanh(r) + r / (2 (n - 1)), under the null as under the alternative.
    gap = math.atanh(r) - math.atanh(r0) + (r - r0) / (2 * (n - 1))
    return tails.z_power(gap * math.sqrt(n - 3), alpha, sides, both_tails)


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)


def _spread(n: float) -> float:
    """How far Fisher's z strays with a chance above 1e-14: as a normal, or in small samples as exp(-(n - 2) |z|)."""
    return max(9 / math.sqrt(max(n - 3, 1)), 36 / (n - 2))


def correlation_tail(border: float, centre: float, n: float) -> float:
    """P(Fisher's z of a sample of n > border), bivariate normal with Fisher's z `centre`. Source: Hotelling (1953)."""
    rho, spread = math.tanh(centre), _spread(n)
    bottom = max(border, centre - spread)
    top = max(centre + spread, bottom + spread)
    z = bottom + (top - bottom) * (_NODES + 1) / 2
    x = np.tanh(z)
    log = (
        math.log(n - 2)
        + special.gammaln(n - 1)
        - special.gammaln(n - 0.5)
        - 0.5 * math.log(2 * math.pi)
        - (n - 1) * math.log(math.cosh(centre))
        - (n - 2) * np.log(np.cosh(z))
        - (n - 1.5) * np.log1p(-rho * x)
    )
    density = np.exp(log) * special.hyp2f1(0.5, 0.5, n - 0.5, (1 + rho * x) / 2)
    return float((top - bottom) / 2 * np.sum(_WEIGHTS * density))


def _exact(n: float, r: float, r0: float, alpha: float, sides: int, both_tails: bool) -> float:
    tail, null = alpha / sides, math.atanh(r0)
    span = _spread(n)

    def quantile(upper: float) -> float:
        return root(lambda z: correlation_tail(z, null, n) - upper, null - span, null + span, xtol=1e-13)

    above = correlation_tail(quantile(tail), math.atanh(r), n)
    below = 1 - correlation_tail(quantile(1 - tail), math.atanh(r), n)
    if sides == 2 and both_tails:
        return above + below
    return above if r > r0 else below


_CORRELATION_METHODS = {
    "exact": (
        _exact,
        "exact distribution of the correlation, bivariate normal",
        "Hotelling (1953); G*Power 3.1 manual",
    ),
    "fisher": (_fisher, "Fisher's z, variance 1 / (n - 3)", "Fisher (1921); Chow, Shao & Wang (2008)"),
    "corrected": (
        _corrected,
        "Fisher's z with bias correction r / (2 (n - 1))",
        "Fisher (1921); Hotelling (1953); SAS PROC POWER",
    ),
    "t": (_t_fisher, "critical value by t, power by Fisher's z with bias correction", "Cohen (1988) ch. 3; R pwr"),
}


@asked
def correlation(
    *,
    r: float | None = None,
    r0: float = 0.0,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: Literal["exact", "fisher", "corrected", "t"] = "fisher",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest correlation above `r0` (below it with `direction="lower"`) or level of a test.

    Methods: "fisher" z transformation, "corrected" for its bias, "exact" bivariate normal, "t"
    (null value zero only) as in Cohen's tables.

    >>> round(correlation(r=0.65, r0=0.6, power=0.95).n, 3)
    1928.464
    >>> correlation(r=0.65, r0=0.6, power=0.95, method="exact").rounded
    1928
    """
    checks.level(alpha, power, sides)
    checks.between("r0", r0, -0.9999, 0.9999)
    if r is not None:
        checks.between("r", r, -0.9999, 0.9999)
        checks.different("r", r, r0)
    checks.choice("method", method, _CORRELATION_METHODS)
    checks.choice("direction", direction, ("higher", "lower"))
    checks.at_least(4, n=n)

    def ask(kind: str) -> Question:
        compute, convention, source = _CORRELATION_METHODS[kind]
        return Question(
            Method("correlation", convention, "z = (atanh r - atanh r0) sqrt(n - 3)", source),
            {"n": n, "r": r, "power": power, "alpha": alpha},
            lambda n, r, alpha: compute(n, r, r0, alpha, sides, both_tails),
            {"n": SizeRange(4), "r": EffectRange(r0, 1.0 if direction == "higher" else -1.0, 0.02)},
            None,
            {"r0": r0, "sides": sides},
            levels=(1e-12, 0.5),
        )

    others = [k for k in ("fisher", "t") if k != method and (k != "t" or r0 == 0)]
    if method == "t":
        checks.between("r0", r0, 0, 0)
    return ask(method).answer(rivals=[ask(kind) for kind in others])


@asked
def two_correlations(
    *,
    r1: float | None = None,
    r2: float | None = None,
    q: float | None = None,
    n: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Size (first group), power, smallest q or level of a test of two independent correlations.

    The effect is Cohen's q = atanh r1 - atanh r2. Source: Cohen (1988) ch. 4.

    >>> two_correlations(r1=0.75, r2=0.88, n=260, ratio=51 / 260).power > 0.7
    True
    """
    for name, value in (("r1", r1), ("r2", r2)):
        checks.between(name, value, -0.9999, 0.9999)
    if r1 is not None and r2 is not None:
        q = math.atanh(r1) - math.atanh(r2)
    checks.level(alpha, power, sides)
    checks.different("q", q, 0)
    checks.positive(ratio=ratio)
    checks.at_least(4, n=n)

    def power_of(n: float, q: float, alpha: float) -> float:
        return tails.z_power(q / math.sqrt(1 / (n - 3) + 1 / (n * ratio - 3)), alpha, sides, both_tails)

    return Question(
        Method("two correlations", "Fisher's z", "z = q / sqrt(1/(n1 - 3) + 1/(n2 - 3))", "Cohen (1988) ch. 4"),
        {"n": n, "q": q, "power": power, "alpha": alpha},
        power_of,
        {"n": SizeRange(max(4.0, 3.01 / ratio)), "q": EffectRange(scale=0.05)},
        lambda n, **_: {"n_total": n * (1 + ratio)},
        {"ratio": ratio, "sides": sides},
    ).answer()


@asked
def point_biserial(
    *,
    r: float | None = None,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest correlation or level of the test of a point-biserial correlation.

    Source: G*Power 3.1 manual, "correlation: point biserial model".

    >>> point_biserial(r=(1 / 3) ** 0.5, sides=1, power=0.95).rounded
    24
    """
    checks.level(alpha, power, sides)
    checks.different("r", r, 0)
    checks.at_least(3, n=n)

    def power_of(n: float, r: float, alpha: float) -> float:
        return tails.t_power(abs(r) * math.sqrt(n / (1 - r * r)), n - 2, alpha, sides, both_tails)

    return Question(
        Method("point-biserial correlation", "noncentral t, df = n - 2", "ncp = sqrt(n r² / (1 - r²))", _SOURCE),
        {"n": n, "r": r, "power": power, "alpha": alpha},
        power_of,
        {"n": SizeRange(3), "r": EffectRange(0.0, 1.0, 0.02)},
        lambda n, **_: {"df": n - 2},
        {"sides": sides},
    ).answer()
