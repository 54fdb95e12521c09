"""Analysis of variance: one way, contrasts, factorial designs, covariates and repeated measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["anova", "anova_factorial", "anova_repeated", "contrast"]

_SOURCE = "Cohen (1988) ch. 8; G*Power 3.1 manual"


def effect_f(means: Sequence[float], sd: float, weights: Sequence[float] | None = None) -> float:
    """Cohen's f of group means: their spread around the weighted mean over the standard deviation within groups.

    >>> round(effect_f([4, 5, 6], 2), 4)
    0.4082
    """
    shares = [1.0] * len(means) if weights is None else list(weights)
    total = sum(shares)
    centre = sum(m * w for m, w in zip(means, shares, strict=True)) / total
    return math.sqrt(sum(w * (m - centre) ** 2 for m, w in zip(means, shares, strict=True)) / total) / sd


@asked
def anova(
    *,
    groups: int | None = None,
    f: float | None = None,
    means: Sequence[float] | None = None,
    sd: float = 1.0,
    between_var: float | None = None,
    within_var: float | None = None,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    test: Literal["f", "chi2"] = "f",
) -> Result:
    """Size (per group), power, smallest effect or level of the one-way F test.

    State the effect as Cohen's `f`, as group `means` with a common `sd`, or as `between_var` (sample variance of the
    group means) and `within_var`. `test="chi2"` takes the variance within groups as known, as Chow, Shao & Wang (2008)
    §3.4 do. Source: Cohen (1988) ch. 8; R stats::power.anova.test.

    >>> round(anova(groups=4, between_var=1, within_var=3, n=5).power, 7)
    0.3535594
    >>> anova(groups=3, f=0.0996126, power=0.8).at_rounded["n_total"]
    975
    """
    if means is not None:
        groups, f = len(means), effect_f(means, sd)
    checks.whole(2, groups=groups if groups is not None else 0)
    assert groups is not None
    count = groups
    if between_var is not None:
        checks.positive(between_var=between_var, within_var=within_var if within_var is not None else 0.0)
        assert within_var is not None
        f = math.sqrt(between_var * (count - 1) / count / within_var)
    checks.positive(sd=sd, f=f)
    checks.level(alpha, power)
    # A size solved for may lie between one and two; below two whole people the variance has no degrees of freedom.
    checks.at_least(2 if n is None or n <= 1 else 1, n=n)
    checks.choice("test", test, ("f", "chi2"))

    def power_of(n: float, f: float, alpha: float) -> float:
        if test == "chi2":
            return tails.chi2_power(f**2 * n * count, count - 1, alpha)
        return tails.f_power(f**2 * n * count, count - 1, count * (n - 1), alpha)

    def details(n: float, f: float, alpha: float) -> dict[str, float]:
        df2 = count * (n - 1) if test == "f" else math.inf
        if test == "f":
            critical = tails.f_critical(alpha, count - 1, df2)
        else:
            critical = float(tails.special.chdtri(count - 1, alpha))
        return {"n_total": n * count, "df1": count - 1, "df2": df2, "ncp": f**2 * n * count, "critical": critical}

    return Question(
        Method(
            "one-way analysis of variance",
            "noncentral F, df = k - 1, k (n - 1)" if test == "f" else "noncentral chi-square, variance known",
            "ncp = f² n k",
            _SOURCE,
        ),
        {"n": n, "f": f, "power": power, "alpha": alpha},
        power_of,
        {"n": SizeRange(1 + 1e-3 if n is None else 2), "f": EffectRange(scale=0.05)},
        details,
        {"groups": count},
    ).answer()


@asked
def contrast(
    *,
    weights: Sequence[float],
    means: Sequence[float] | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Size (per group), power, smallest value or level of a linear contrast of group means, by t.

    `weights` sum to zero; the contrast is sum(weights * means), or give it as `delta`.
    Source: Rosenthal & Rosnow (1985); Winer (1971).

    >>> contrast(weights=[-1, 0, 1], means=[10, 11, 12], sd=4, power=0.8).rounded
    64
    """
    if abs(sum(weights)) > 1e-9 * max(map(abs, weights)):
        raise ImpossibleRequest("weights", f"must sum to zero, not {sum(weights):g}")
    if means is not None:
        delta = sum(w * m for w, m in zip(weights, means, strict=True))
    groups = len(weights)
    checks.level(alpha, power, sides)
    checks.positive(sd=sd)
    checks.different("delta", delta, 0)
    checks.at_least(2, n=n)
    length = math.sqrt(sum(w * w for w in weights))

    def power_of(n: float, delta: float, alpha: float) -> float:
        return tails.t_power(delta * math.sqrt(n) / (sd * length), groups * (n - 1), alpha, sides, both_tails)

    return Question(
        Method("contrast of means", "noncentral t, df = k (n - 1)", "ncp = delta sqrt(n) / (sd sqrt(sum w²))", _SOURCE),
        {"n": n, "delta": delta, "power": power, "alpha": alpha},
        power_of,
        {"n": SizeRange(2), "delta": EffectRange(scale=0.1 * sd)},
        lambda n, **_: {"n_total": n * groups, "df": groups * (n - 1)},
        {"sd": sd, "sides": sides, "groups": groups},
    ).answer()


@asked
def anova_factorial(
    *,
    df: int,
    groups: int,
    f: float | None = None,
    n_total: float | None = None,
    covariates: int = 0,
    r2: float = 0.0,
    power: float | None = None,
    alpha: float | None = 0.05,
) -> Result:
    """Total size, power, smallest effect or level of a main effect or interaction in a factorial design.

    `df` belongs to the tested effect, `groups` counts all cells, `covariates` takes degrees of freedom and `r2` is the
    share of the variance within cells that they explain. Source: Cohen (1988) §8.3; G*Power "ANOVA: fixed effects,
    special, main effects and interactions" and "ANCOVA".

    >>> round(anova_factorial(df=2, groups=18, f=0.2450722, n_total=108).power, 3)
    0.604
    """
    checks.whole(1, df=df, groups=groups)
    checks.whole(0, covariates=covariates)
    checks.loading(r2=r2)
    checks.positive(f=f)
    checks.level(alpha, power)
    smallest = groups + covariates + 1
    checks.at_least(smallest, n_total=n_total)

    def power_of(n_total: float, f: float, alpha: float) -> float:
        return tails.f_power(f**2 * n_total / (1 - r2), df, n_total - groups - covariates, alpha)

    def details(n_total: float, f: float, **_: float) -> dict[str, float]:
        return {"df1": df, "df2": n_total - groups - covariates, "ncp": f**2 * n_total / (1 - r2)}

    return Question(
        Method(
            "factorial analysis of variance",
            "noncentral F, df2 = N - cells - covariates",
            "ncp = f² N / (1 - R²)",
            _SOURCE,
        ),
        {"n_total": n_total, "f": f, "power": power, "alpha": alpha},
        power_of,
        {"n_total": SizeRange(smallest), "f": EffectRange(scale=0.05)},
        details,
        {"df": df, "groups": groups, "covariates": covariates, "r2": r2},
    ).answer()


@asked
def anova_repeated(
    *,
    effect: Literal["between", "within", "interaction"],
    groups: int,
    measurements: int,
    correlation: float,
    f: float | None = None,
    epsilon: float = 1.0,
    n_total: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
) -> Result:
    """Total size, power, smallest effect or level in a repeated-measures design with compound symmetry.

    `epsilon` is the nonsphericity correction (1 is spherical). Source: G*Power 3.1 manual, repeated measures.

    >>> answer = anova_repeated(effect="between", groups=2, measurements=3, correlation=0.5, f=0.25, power=0.8)
    >>> answer.rounded
    86
    """
    checks.choice("effect", effect, ("between", "within", "interaction"))
    checks.whole(1 if effect == "within" else 2, groups=groups)
    checks.whole(2, measurements=measurements)
    checks.loading(correlation=correlation)
    checks.between("epsilon", epsilon, 1 / (measurements - 1), 1)
    checks.positive(f=f)
    checks.level(alpha, power)
    checks.at_least(groups + 1, n_total=n_total)
    m = measurements

    def standing(n_total: float, f: float) -> tuple[float, float, float]:
        if effect == "between":
            return f**2 * n_total * m / (1 + (m - 1) * correlation), groups - 1, n_total - groups
        tested = (m - 1) * (groups - 1 if effect == "interaction" else 1)
        ncp = f**2 * n_total * m * epsilon / (1 - correlation)
        return ncp, tested * epsilon, (n_total - groups) * (m - 1) * epsilon

    def details(n_total: float, f: float, **_: float) -> dict[str, float]:
        return dict(zip(("ncp", "df1", "df2"), standing(n_total, f), strict=True))

    return Question(
        Method(
            f"repeated measures, {effect} effect",
            "noncentral F, compound symmetry",
            "ncp = f² N m / (1 + (m - 1) rho) between, f² N m epsilon / (1 - rho) within and interaction",
            "G*Power 3.1 manual; Muller & Barton (1989)",
        ),
        {"n_total": n_total, "f": f, "power": power, "alpha": alpha},
        lambda n_total, f, alpha: tails.f_power(*standing(n_total, f), alpha),
        {"n_total": SizeRange(groups + 1, multiple=groups), "f": EffectRange(scale=0.05)},
        details,
        {"groups": groups, "measurements": m, "correlation": correlation, "epsilon": epsilon},
    ).answer()
