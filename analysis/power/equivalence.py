"""Equivalence by two one-sided tests: the effect lies between two margins."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import special, stats

from analysis.power import arms, checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = [
    "equivalence_means",
    "equivalence_proportions",
    "equivalence_rates",
    "equivalence_ratio",
    "noninferiority_log_ratio",
    "tost_power",
    "tost_power_z",
]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(160)
# Above one half the two one-sided tests would no longer exclude each other.
_LEVELS = (1e-20, 0.5)
# Beyond this many degrees of freedom t and z agree to 1e-8, and the density of chi-square loses its digits.
_NORMAL_FROM = 1e7


def tost_power(delta: float, low: float, high: float, se: float, df: float, alpha: float) -> float:
    """Exact power of two one-sided t tests: the difference of two of Owen's Q functions.

    The estimate is normal around `delta` with standard error `se`, its estimated variance an independent chi-square
    with `df` degrees of freedom. Integrates over the estimated standard deviation, so it stays right where the two
    noncentral t probabilities of the usual approximation overlap. Source: Owen (1965); Phillips (1990).

    >>> round(tost_power(0.1, -0.5, 0.5, (2 / 60) ** 0.5, 118, 0.05), 6)
    0.650796
    """
    if df > _NORMAL_FROM:
        return tost_power_z(delta, low, high, (se, se, se), alpha)
    critical = tails.t_critical(alpha, df, 1)
    widest = (high - low) / (2 * critical * se) if critical > 0 else math.inf
    bottom = math.sqrt(stats.chi2.ppf(1e-15, df) / df)
    top = min(widest, math.sqrt(stats.chi2.isf(1e-15, df) / df))
    if top <= bottom:
        return 0.0
    s = bottom + (top - bottom) * (_NODES + 1) / 2
    weight = (top - bottom) / 2 * _WEIGHTS * stats.chi2.pdf(df * s**2, df) * 2 * df * s
    inside = special.ndtr((high - delta) / se - critical * s) - special.ndtr((low - delta) / se + critical * s)
    return float(np.sum(weight * np.maximum(inside, 0.0)))


def tost_power_z(delta: float, low: float, high: float, ses: tuple[float, float, float], alpha: float) -> float:
    """Power of two one-sided normal tests; standard errors at the low margin, the high margin, the alternative."""
    critical = tails.z_critical(alpha, 1)
    at_low, at_high, alternative = ses
    upper = special.ndtr((high - delta - critical * at_high) / alternative)
    lower = special.ndtr((low - delta + critical * at_low) / alternative)
    return float(max(upper - lower, 0.0))


def tost_power_bound(delta: float, low: float, high: float, se: float, alpha: float) -> float:
    """Lower bound on the power of two one-sided normal tests that textbooks invert: 2 Phi(room / se - z_a) - 1.

    Source: Chow, Shao & Wang (2008) §3.2.3, whence (z_a + z_{b/2})².
    """
    room = min(high - delta, delta - low)
    return float(max(2 * special.ndtr(room / se - tails.z_critical(alpha, 1)) - 1, 0.0))


def _margins(margin: float | None, low: float | None, high: float | None, delta: float) -> tuple[float, float]:
    if margin is not None:
        checks.positive(margin=margin)
        low, high = -margin, margin
    if low is None or high is None:
        raise ImpossibleRequest("margin", "give `margin`, or both `low` and `high`")
    checks.between("low", low, -math.inf, high)
    if not low < delta < high:
        raise ImpossibleRequest(
            "margin", f"the expected effect {delta:g} does not lie between the margins {low:g} and {high:g}"
        )
    return low, high


Limits = Callable[[float | None], tuple[float, float]]


def _limits(
    margin: float | None, low: float | None, high: float | None, delta: float, given: dict[str, float | None]
) -> tuple[dict[str, float | None], dict[str, EffectRange], Limits]:
    """The quantities asked, with a symmetric margin among them unless `low` and `high` are fixed."""
    if margin is None and low is None and high is None:
        given = {"margin": margin, **given}
    elif margin is not None:
        _margins(margin, None, None, delta)
        given = {"margin": margin, **given}
    else:
        fixed = _margins(None, low, high, delta)
        return given, {}, lambda _: fixed
    return given, {"margin": EffectRange(abs(delta), math.inf, 0.1)}, lambda m: (-(m or 0.0), m or 0.0)


@asked
def equivalence_means(
    *,
    delta: float = 0.0,
    margin: float | None = None,
    low: float | None = None,
    high: float | None = None,
    sd: float = 1.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    test: Literal["t", "z", "bound"] = "t",
    paired: bool = False,
) -> Result:
    """Size, power, smallest symmetric margin or level of equivalence by two one-sided tests, each at `alpha`.

    Tests: "t" exact by Owen's Q, "z" both normal tails exactly, "bound" the textbook's (z_a + z_{b/2})².
    Give `margin` (symmetric) or `low` and `high`, in the units of `sd`. `paired=True`: n pairs (or one sample of n
    against a fixed value), sd of the differences. Source: Schuirmann (1987); Phillips (1990).

    >>> round(equivalence_means(delta=0.1, margin=0.5, n=60).power, 6)
    0.650796
    """
    checks.level(alpha, power, 1)
    checks.positive(sd=sd)
    checks.choice("test", test, ("t", "z", "bound"))
    arms.check_arms(n, n2, ratio)
    given, ranges, limits_at = _limits(margin, low, high, delta, {"n": n, "power": power, "alpha": alpha})

    def ask(kind: str) -> Question:
        def power_of(n: float, alpha: float, margin: float | None = None) -> float:
            first, second = (n, math.inf) if paired else arms.sizes(n, n2, ratio)
            se = sd * math.sqrt(1 / first + 1 / second)
            limits = limits_at(margin)
            if kind == "z":
                return tost_power_z(delta, *limits, (se, se, se), alpha)
            if kind == "bound":
                return tost_power_bound(delta, *limits, se, alpha)
            return tost_power(delta, *limits, se, n - 1 if paired else first + second - 2, alpha)

        return Question(
            Method("equivalence of means", _TOST_TESTS[kind], "Q(t, high) - Q(-t, low)", _TOST),
            given,
            power_of,
            {"n": arms.smallest(n2, 1.0 if paired else ratio), **ranges},
            lambda n, **_: {"pairs": n} if paired else arms.totals(n, n2, ratio),
            {"delta": delta, "low": low, "high": high, "sd": sd, "ratio": ratio},
            levels=_LEVELS,
        )

    return ask(test).answer(rivals=[ask(kind) for kind in _TOST_TESTS if kind != test])


_TOST_TESTS = {
    "t": "two one-sided t tests, exact by Owen's Q, df = n1 + n2 - 2",
    "z": "two one-sided normal tests, both tails",
    "bound": "two one-sided normal tests, textbook bound (z_a + z_{b/2})²",
}
_TOST = "Schuirmann (1987); Phillips (1990); Owen (1965)"
# Variance factor per total n, degrees of freedom as (per person, lost), people a step (one a sequence or arm).
# Julious (2010) chapters 5-7; for replicate crossovers (treatments x sequences x periods) Chen, Chow & Liu (1997)
# without carry-over.
_DESIGNS = {
    "crossover": (2.0, (1, 2), 2),
    "parallel": (4.0, (1, 2), 2),
    "paired": (2.0, (1, 1), 1),
    "2x2": (2.0, (1, 2), 2),
    "3x3": (2.0, (2, 4), 3),
    "4x4": (2.0, (3, 6), 4),
    "2x2x3": (1.5, (2, 3), 2),
    "2x2x4": (1.0, (3, 4), 2),
    "2x4x4": (1.0, (3, 4), 4),
    "2x3x3": (1.5, (2, 3), 3),
}
CrossoverDesign = Literal["crossover", "parallel", "paired", "2x2", "3x3", "4x4", "2x2x3", "2x2x4", "2x4x4", "2x3x3"]


@asked
def equivalence_ratio(
    *,
    cv: float,
    theta: float = 0.95,
    low: float = 0.8,
    high: float = 1.25,
    n_total: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    design: CrossoverDesign = "crossover",
) -> Result:
    """Total size, power or level of average bioequivalence of a ratio of means on the log scale.

    `cv` is the coefficient of variation (within people for "crossover" and "paired", total for "parallel"), `theta`
    the expected ratio. Sizes go up in pairs so that sequences or arms stay equal.
    Source: Phillips (1990); Julious (2010).

    >>> answer = equivalence_ratio(cv=0.25, power=0.8)
    >>> answer.rounded, round(answer.at_rounded["power"], 5)
    (28, 0.80744)
    """
    checks.level(alpha, power, 1)
    checks.positive(cv=cv, theta=theta, low=low, high=high)
    checks.choice("design", design, _DESIGNS)
    checks.at_least(4, n_total=n_total)
    if not low < theta < high:
        raise ImpossibleRequest("theta", f"the expected ratio {theta:g} does not lie between {low:g} and {high:g}")
    sigma = math.sqrt(math.log1p(cv**2))
    factor, (each, lost), step = _DESIGNS[design]

    def power_of(n_total: float, alpha: float) -> float:
        se = sigma * math.sqrt(factor / n_total)
        return tost_power(math.log(theta), math.log(low), math.log(high), se, each * n_total - lost, alpha)

    return Question(
        Method(
            "equivalence of a ratio",
            f"two one-sided t tests of the log ratio, {design}, exact by Owen's Q",
            "se = sqrt(log(1 + CV²)) sqrt(c / n), c = 2 crossover, 4 parallel",
            _TOST,
        ),
        {"n_total": n_total, "power": power, "alpha": alpha},
        power_of,
        {"n_total": SizeRange(max(4.0, (lost + 1) / each), multiple=step)},
        lambda n_total, **_: {"df": each * n_total - lost},
        {"cv": cv, "theta": theta, "low": low, "high": high},
        levels=_LEVELS,
    ).answer()


@asked
def noninferiority_log_ratio(
    *,
    cv: float,
    theta: float = 0.95,
    margin: float = 0.8,
    n_total: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.025,
    design: CrossoverDesign = "crossover",
) -> Result:
    """Total size, power or level of the one-sided test that a ratio of means exceeds `margin` (or lies below it).

    The logarithms are compared by t; a `margin` above 1 is an upper one. Other arguments as in `equivalence_ratio`.
    Source: Julious (2010) ch. 6; Chow, Shao & Wang (2008) §3.3.

    >>> noninferiority_log_ratio(cv=0.25, power=0.8).rounded
    36
    """
    checks.level(alpha, power, 1)
    checks.positive(cv=cv, theta=theta, margin=margin)
    checks.choice("design", design, _DESIGNS)
    if (theta - margin) * (1 - margin) <= 0:
        raise ImpossibleRequest("margin", f"the expected ratio {theta:g} lies beyond the margin {margin:g}")
    factor, (each, lost), step = _DESIGNS[design]
    room = abs(math.log(theta / margin)) / math.sqrt(math.log1p(cv**2) * factor)
    smallest = max(4.0, (lost + 1) / each)
    checks.at_least(smallest, n_total=n_total)

    return Question(
        Method(
            "non-inferiority of a ratio of means",
            f"one-sided t test of the log ratio, {design}",
            "ncp = log(theta / margin) / (sqrt(log(1 + CV²)) sqrt(c / n))",
            "Julious (2010) ch. 6",
        ),
        {"n_total": n_total, "power": power, "alpha": alpha},
        lambda n_total, alpha: tails.t_power(room * math.sqrt(n_total), each * n_total - lost, alpha, 1),
        {"n_total": SizeRange(smallest, multiple=step)},
        lambda n_total, **_: {"df": each * n_total - lost},
        {"cv": cv, "theta": theta, "margin": margin},
    ).answer()


@asked
def equivalence_proportions(
    *,
    p1: float,
    p2: float,
    margin: float | None = None,
    low: float | None = None,
    high: float | None = None,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    test: Literal["z", "bound"] = "z",
) -> Result:
    """Size, power, smallest symmetric margin or level of equivalence of p2 - p1 by two one-sided Wald tests.

    Tests: "z" sums both tails; "bound" is the textbook's (z_a + z_{b/2})². Source: Chow, Shao & Wang (2008) §4.2.3.

    >>> equivalence_proportions(p1=0.75, p2=0.8, margin=0.2, power=0.8).rounded
    98
    """
    checks.level(alpha, power, 1)
    checks.probability(p1=p1, p2=p2)
    arms.check_arms(n, n2, ratio)
    checks.choice("test", test, ("z", "bound"))
    given, ranges, limits_at = _limits(margin, low, high, p2 - p1, {"n": n, "power": power, "alpha": alpha})

    def ask(kind: str) -> Question:
        def power_of(n: float, alpha: float, margin: float | None = None) -> float:
            first, second = arms.sizes(n, n2, ratio)
            limits = limits_at(margin)
            se = math.sqrt(p1 * (1 - p1) / first + p2 * (1 - p2) / second)
            if kind == "bound":
                return tost_power_bound(p2 - p1, *limits, se, alpha)
            return tost_power_z(p2 - p1, *limits, (se, se, se), alpha)

        return Question(
            Method(
                "equivalence of proportions",
                _TOST_TESTS[kind],
                "Phi((margin - d)/se - z_a) + Phi((margin + d)/se - z_a) - 1",
                "Chow, Shao & Wang (2008) §4.2.3",
            ),
            given,
            power_of,
            {"n": arms.smallest(n2, ratio), **ranges},
            lambda n, **_: arms.totals(n, n2, ratio),
            {"p1": p1, "p2": p2, "low": low, "high": high, "ratio": ratio},
            levels=_LEVELS,
        )

    return ask(test).answer(rivals=[ask("bound" if test == "z" else "z")])


@asked
def equivalence_rates(
    *,
    rate1: float,
    rate2: float,
    low: float = 0.8,
    high: float = 1.25,
    exposure: float = 1.0,
    dispersion: float = 0.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
) -> Result:
    """Size, power or level of equivalence of two rates by two one-sided tests of the log ratio rate2 / rate1.

    `exposure` is the time at risk a person; `dispersion` the negative binomial one (0 is Poisson).
    Source: Zhu (2017).

    >>> round(equivalence_rates(rate1=2.2, rate2=2.5, exposure=2.5, n=396, alpha=0.025).power, 5)
    0.90045
    """
    checks.level(alpha, power, 1)
    checks.positive(rate1=rate1, rate2=rate2, low=low, high=high, exposure=exposure)
    arms.check_arms(n, n2, ratio)
    if dispersion:
        checks.positive(dispersion=dispersion)
    limits = _margins(None, math.log(low), math.log(high), math.log(rate2 / rate1))

    def power_of(n: float, alpha: float) -> float:
        first, second = arms.sizes(n, n2, ratio)
        variance = (1 / (rate1 * exposure) + dispersion) / first + (1 / (rate2 * exposure) + dispersion) / second
        se = math.sqrt(variance)
        return tost_power_z(math.log(rate2 / rate1), *limits, (se, se, se), alpha)

    return Question(
        Method(
            "equivalence of rates",
            "two one-sided Wald tests of the log rate ratio",
            "se² = (1/(rate1 t) + k)/n1 + (1/(rate2 t) + k)/n2",
            "Zhu (2017)",
        ),
        {"n": n, "power": power, "alpha": alpha},
        power_of,
        {"n": arms.smallest(n2, ratio)},
        lambda n, **_: arms.totals(n, n2, ratio),
        {"rate1": rate1, "rate2": rate2, "low": low, "high": high, "exposure": exposure, "dispersion": dispersion},
        levels=_LEVELS,
    ).answer()
