"""Tests of one, two paired and two independent means."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import arms, checks, tails
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["one_mean", "paired_means", "two_means"]

MeansTest = Literal["t", "z", "welch"]

_SOURCE = "Cohen (1988) ch. 2; Chow, Shao & Wang (2008) §3.2; noncentral t as in R stats::power.t.test"


@asked
def one_mean(
    *,
    n: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Literal["t", "z"] = "t",
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest effect or level of a test of one mean against a fixed value.

    Leave out exactly one of `n` (people), `delta` (true minus null mean), `power` and `alpha` (give `alpha=None`).
    `sd` is in the units of `delta`. Source: Cohen (1988) ch. 2; G*Power 3.1 manual, "t test: one sample case".

    >>> one_mean(delta=0.1, power=0.95).rounded
    1302
    """
    checks.level(alpha, power, sides)
    checks.positive(sd=sd)
    checks.different("delta", delta, 0)
    checks.choice("test", test, ("t", "z"))
    checks.at_least(2, n=n)

    def ask(kind: str) -> Question:
        return _one_sample(kind, {"n": n, "delta": delta, "power": power, "alpha": alpha}, sd, (sides, both_tails))

    return ask(test).answer(rivals=[ask("z" if test == "t" else "t")])


def _one_sample(kind: str, given: dict[str, float | None], sd: float, tail: tuple[int, bool]) -> Question:
    sides, both_tails = tail

    def shift(n: float, delta: float) -> float:
        return delta / sd * math.sqrt(n)

    def power_of(n: float, delta: float, alpha: float) -> float:
        if kind == "z":
            return tails.z_power(shift(n, delta), alpha, sides, both_tails)
        return tails.t_power(shift(n, delta), n - 1, alpha, sides, both_tails)

    def details(n: float, delta: float, alpha: float) -> dict[str, float]:
        df = math.inf if kind == "z" else n - 1
        critical = tails.z_critical(alpha, sides) if kind == "z" else tails.t_critical(alpha, df, sides)
        return {"df": df, "ncp": abs(shift(n, delta)), "critical": critical, "d": delta / sd}

    reference = "normal reference, known variance" if kind == "z" else "noncentral t, df = n - 1"
    return Question(
        Method("one mean", reference, "ncp = delta / sd * sqrt(n)", _SOURCE),
        given,
        power_of,
        {"n": SizeRange(2), "delta": EffectRange(scale=0.1 * sd)},
        details,
        {"sd": sd, "sides": sides},
    )


@asked
def paired_means(
    *,
    n: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    correlation: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Literal["t", "z"] = "t",
    both_tails: bool = True,
) -> Result:
    """Size (pairs), power, smallest mean difference or level of a paired test.

    `sd` is the standard deviation of the differences; with `correlation` it is that of each measurement, and the
    differences have sd * sqrt(2 (1 - correlation)). Source: Cohen (1988) p. 48.

    >>> round(paired_means(n=40, delta=8, sd=16, correlation=0.6).power, 4)
    0.9315
    """
    checks.level(alpha, power, sides)
    checks.positive(sd=sd)
    checks.different("delta", delta, 0)
    checks.choice("test", test, ("t", "z"))
    checks.at_least(2, n=n)
    spread = sd
    if correlation is not None:
        if not -1 <= correlation < 1:
            checks.between("correlation", correlation, -1, math.nextafter(1, 0))
        spread = sd * math.sqrt(2 * (1 - correlation))

    def ask(kind: str) -> Question:
        return _one_sample(kind, {"n": n, "delta": delta, "power": power, "alpha": alpha}, spread, (sides, both_tails))

    return ask(test).answer(rivals=[ask("z" if test == "t" else "t")])


@asked
def two_means(
    *,
    n: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    sd2: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: MeansTest = "t",
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest difference or level of a test of two independent means.

    Leave out exactly one of `n` (people in the first arm), `delta` (difference of means, units of `sd`), `power` and
    `alpha` (give `alpha=None`). The second arm has `n2` people when given, else `ratio` times the first; `sd2` is its
    standard deviation when that differs; "t" then becomes "welch", since pooling would be wrong. Tests: "t" with
    pooled variance and n1 + n2 - 2 degrees of freedom; "welch" with Satterthwaite's degrees of freedom at the
    population variances; "z" with known variances. Raises ImpossibleRequest naming the binding parameter.
    Source: Cohen (1988) ch. 2; Chow, Shao & Wang (2008) §3.2.

    >>> round(two_means(delta=0.1, power=0.9).n, 3)
    2102.445
    """
    checks.level(alpha, power, sides)
    checks.positive(sd=sd, sd2=sd2)
    checks.different("delta", delta, 0)
    checks.choice("test", test, ("t", "z", "welch"))
    arms.check_arms(n, n2, ratio)
    if test == "t" and sd2 is not None and sd2 != sd:
        # Student's test pools the variances, so its size and power under unequal ones are not given by this formula.
        test = "welch"

    def ask(kind: str) -> Question:
        given = {"n": n, "delta": delta, "power": power, "alpha": alpha}
        return _two_sample(kind, given, (sd, sd if sd2 is None else sd2), n2, ratio, (sides, both_tails))

    others = [kind for kind in ("t", "z", "welch") if kind != test and not (kind == "t" and sd2 not in (None, sd))]
    return ask(test).answer(rivals=[ask(kind) for kind in others])


_REFERENCES = {
    "t": "noncentral t, pooled variance, df = n1 + n2 - 2",
    "welch": "noncentral t, separate variances, Satterthwaite df at the population variances",
    "z": "normal reference, known variances",
}


def _two_sample(
    kind: str,
    given: dict[str, float | None],
    sds: tuple[float, float],
    n2: float | None,
    ratio: float,
    tail: tuple[int, bool],
) -> Question:
    sides, both_tails = tail

    def standing(n: float) -> tuple[float, float]:
        first, second = arms.sizes(n, n2, ratio)
        a, b = sds[0] ** 2 / first, sds[1] ** 2 / second
        if kind == "z":
            return math.sqrt(a + b), math.inf
        if kind == "welch":
            return math.sqrt(a + b), (a + b) ** 2 / (a**2 / (first - 1) + b**2 / (second - 1))
        return math.sqrt(a + b), first + second - 2

    def power_of(n: float, delta: float, alpha: float) -> float:
        se, df = standing(n)
        if math.isinf(df):
            return tails.z_power(delta / se, alpha, sides, both_tails)
        return tails.t_power(delta / se, df, alpha, sides, both_tails)

    def details(n: float, delta: float, alpha: float) -> dict[str, float]:
        se, df = standing(n)
        critical = tails.z_critical(alpha, sides) if math.isinf(df) else tails.t_critical(alpha, df, sides)
        pooled = math.sqrt((sds[0] ** 2 + sds[1] ** 2) / 2)
        more = {"df": df, "ncp": abs(delta) / se, "critical": critical, "se": se, "d": delta / pooled}
        return arms.totals(n, n2, ratio) | more

    return Question(
        Method("two means", _REFERENCES[kind], "ncp = delta / sqrt(sd1² / n1 + sd2² / n2)", _SOURCE),
        given,
        power_of,
        {"n": arms.smallest(n2, ratio), "delta": EffectRange(scale=0.1 * sds[0])},
        details,
        {"sd": sds[0], "sd2": sds[1], "ratio": ratio, "sides": sides},
    )
