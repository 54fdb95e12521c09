"""Tests of one and of two independent proportions by large-sample methods; exact ones are in `exact`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from analysis.power import arms, checks, exact, fisher, tails
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["one_proportion", "one_proportion_arcsine", "two_proportions", "two_proportions_arcsine"]

TwoProportionsMethod = Literal["pooled", "unpooled", "arcsine", "continuity", "fisher"]
OneProportionMethod = Literal["score", "wald", "arcsine", "exact"]

_SOURCE = "Fleiss, Levin & Paik (2003) ch. 4; Chow, Shao & Wang (2008) §4.2; R stats::power.prop.test"


def arcsine_distance(p1: float, p2: float) -> float:
    """Cohen's h: the difference of the arcsine-transformed proportions."""
    return 2 * math.asin(math.sqrt(p2)) - 2 * math.asin(math.sqrt(p1))


def _pooled(p1: float, p2: float, n1: float, n2: float) -> tuple[float, float]:
    mean = (n1 * p1 + n2 * p2) / (n1 + n2)
    return math.sqrt(mean * (1 - mean) * (1 / n1 + 1 / n2)), math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)


def _z_from_two_errors(gap: float, null: float, alternative: float, alpha: float, sides: int, both: bool) -> float:
    critical = tails.z_critical(alpha, sides)
    upper = tails.special.ndtr((abs(gap) - critical * null) / alternative)
    lower = tails.special.ndtr((-abs(gap) - critical * null) / alternative) if sides == 2 and both else 0.0
    return float(upper + lower)


def _pooled_power(p1: float, p2: float, n1: float, n2: float, alpha: float, sides: int, both: bool) -> float:
    return _z_from_two_errors(p2 - p1, *_pooled(p1, p2, n1, n2), alpha, sides, both)


def _unpooled_power(p1: float, p2: float, n1: float, n2: float, alpha: float, sides: int, both: bool) -> float:
    se = _pooled(p1, p2, n1, n2)[1]
    return _z_from_two_errors(p2 - p1, se, se, alpha, sides, both)


def _arcsine_power(p1: float, p2: float, n1: float, n2: float, alpha: float, sides: int, both: bool) -> float:
    return float(tails.z_power(arcsine_distance(p1, p2) * math.sqrt(n1 * n2 / (n1 + n2)), alpha, sides, both))


def _continuity_power(p1: float, p2: float, n1: float, n2: float, alpha: float, sides: int, both: bool) -> float:
    # Inverts the correction of Fleiss (1981, formula 3.19): the corrected size buys the power of a smaller sample.
    shortfall = 2 * (n1 + n2) / (n2 * abs(p2 - p1))
    if 4 * n1 <= shortfall:
        return 0.0
    effective = (4 * n1 - shortfall) ** 2 / (16 * n1)
    return _pooled_power(p1, p2, effective, effective * n2 / n1, alpha, sides, both)


_POWERS: dict[str, Callable[..., float]] = {
    "pooled": _pooled_power,
    "unpooled": _unpooled_power,
    "arcsine": _arcsine_power,
    "continuity": _continuity_power,
}
_METHODS = {
    "pooled": Method(
        "two proportions",
        "z, pooled variance under the null (equals the chi-square test)",
        "z = (|p2 - p1| - z_a sqrt(p q (1/n1 + 1/n2))) / sqrt(p1 q1/n1 + p2 q2/n2), p the weighted mean",
        _SOURCE,
    ),
    "unpooled": Method(
        "two proportions",
        "z, unpooled variance",
        "z = |p2 - p1| / sqrt(p1 q1/n1 + p2 q2/n2) - z_a",
        "Chow, Shao & Wang (2008) §4.2.1",
    ),
    "arcsine": Method(
        "two proportions",
        "arcsine transformation",
        "z = |h| sqrt(n1 n2 / (n1 + n2)) - z_a, h = 2 asin sqrt(p2) - 2 asin sqrt(p1)",
        "Cohen (1988) ch. 6",
    ),
    "continuity": Method(
        "two proportions",
        "pooled z with continuity correction",
        "n_corrected = n/4 (1 + sqrt(1 + 2 (r + 1) / (n r |p2 - p1|)))²",
        "Casagrande, Pike & Smith (1978); Fleiss, Levin & Paik (2003) formula 4.18",
    ),
}


@asked
def two_proportions(
    *,
    p1: float,
    p2: float | None = None,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: TwoProportionsMethod = "pooled",
    both_tails: bool = True,
    direction: Literal["higher", "lower"] = "higher",
) -> Result:
    """Size, power, smallest detectable second proportion or level of a test of two independent proportions.

    Leave out exactly one of `n` (people in the first arm), `p2`, `power` and `alpha` (give `alpha=None`). A missing
    `p2` is sought above `p1`, or below it with `direction="lower"`. The second arm has `n2` people when given, else
    `ratio` times the first. Method "fisher" gives Fisher's exact test, whose size is the smallest whole number with
    the power. Source: Fleiss, Levin & Paik (2003) ch. 4; Cohen (1988) ch. 6; Chow, Shao & Wang (2008) ch. 4.

    >>> round(two_proportions(p1=0.1, p2=0.2, power=0.8).n, 2)
    198.96
    >>> round(two_proportions(p1=0.45, p2=0.50, n=1565, method="unpooled").power, 4)
    0.8008
    """
    checks.level(alpha, power, sides)
    checks.probability(p1=p1, p2=p2)
    checks.choice("method", method, (*_POWERS, "fisher"))
    checks.choice("direction", direction, ("higher", "lower"))
    arms.check_arms(n, n2, ratio)
    if p2 is not None:
        checks.different("p2", p2, p1)
    if method == "fisher":
        given = {"n": n, "p2": p2, "power": power, "alpha": alpha}
        return fisher.fisher_two_proportions(p1, given, n2, ratio, sides, direction)

    def ask(kind: str) -> Question:
        def power_of(n: float, p2: float, alpha: float) -> float:
            return _POWERS[kind](p1, p2, *arms.sizes(n, n2, ratio), alpha, sides, both_tails)

        return Question(
            _METHODS[kind],
            {"n": n, "p2": p2, "power": power, "alpha": alpha},
            power_of,
            {"n": arms.smallest(n2, ratio), "p2": EffectRange(p1, 1.0 if direction == "higher" else 0.0, 0.01)},
            lambda n, p2, **_: _two_proportion_details(p1, p2, arms.totals(n, n2, ratio)),
            {"p1": p1, "ratio": ratio, "sides": sides},
        )

    rivals = [ask(kind) for kind in _POWERS if kind != method]
    answer = ask(method)
    return answer.answer(rivals=rivals, warnings=_small_cells(answer, p1, n2, ratio))


def _two_proportion_details(p1: float, p2: float, totals: dict[str, float]) -> dict[str, float]:
    return totals | {
        "risk_difference": p2 - p1,
        "risk_ratio": p2 / p1,
        "odds_ratio": p2 / (1 - p2) / (p1 / (1 - p1)),
        "h": arcsine_distance(p1, p2),
    }


def _small_cells(question: Question, p1: float, n2: float | None, ratio: float) -> list[str]:
    known = {**question.given, question.unknown: question.number()}
    n, p2 = known["n"], known["p2"]
    assert n is not None
    assert p2 is not None
    first, second = arms.sizes(n, n2, ratio)
    smallest = min(first * min(p1, 1 - p1), second * min(p2, 1 - p2))
    if smallest >= 5:
        return []
    return [f"an expected cell count of {smallest:.1f} is below 5: use method='fisher'"]


@asked
def two_proportions_arcsine(
    *,
    h: float | None = None,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Two proportions when only Cohen's effect size h is known. Source: Cohen (1988) ch. 6.

    >>> round(two_proportions_arcsine(h=0.2, n2=1600, alpha=0.01, power=0.9).n, 2)
    484.66
    """
    checks.level(alpha, power, sides)
    checks.different("h", h, 0)
    arms.check_arms(n, n2, ratio)

    def power_of(n: float, h: float, alpha: float) -> float:
        first, second = arms.sizes(n, n2, ratio)
        return tails.z_power(h * math.sqrt(first * second / (first + second)), alpha, sides, both_tails)

    return Question(
        _METHODS["arcsine"],
        {"n": n, "h": h, "power": power, "alpha": alpha},
        power_of,
        {"n": arms.smallest(n2, ratio), "h": EffectRange(far=math.pi, scale=0.01)},
        lambda n, **_: arms.totals(n, n2, ratio),
        {"ratio": ratio, "sides": sides},
    ).answer()


@asked
def one_proportion_arcsine(
    *,
    h: float | None = None,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """One proportion against a fixed value when only Cohen's effect size h is known. Source: Cohen (1988) §6.3.

    >>> round(one_proportion_arcsine(h=0.2, power=0.95, sides=1).n, 2)
    270.55
    """
    checks.level(alpha, power, sides)
    checks.different("h", h, 0)
    checks.at_least(1, n=n)
    return Question(
        _ONE_METHODS["arcsine"],
        {"n": n, "h": h, "power": power, "alpha": alpha},
        lambda n, h, alpha: tails.z_power(h * math.sqrt(n), alpha, sides, both_tails),
        {"n": SizeRange(1), "h": EffectRange(far=math.pi, scale=0.01)},
        None,
        {"sides": sides},
    ).answer()


@asked
def one_proportion(
    *,
    p0: float,
    p1: float | None = None,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: OneProportionMethod = "score",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest detectable proportion or level of a test of one proportion against `p0`.

    Methods: "score" takes the variance at p0 under the null and at p1 under the alternative; "wald" at p1 for both;
    "arcsine" Cohen's h; "exact" the binomial test, whose size is the smallest whole number with the power.
    With `p0=0.5` and "exact" this is the sign test. Source: Chow, Shao & Wang (2008) §4.1; Cohen (1988) §6.3.

    >>> one_proportion(p0=0.3, p1=0.5, power=0.8, method="wald").rounded
    50
    """
    checks.level(alpha, power, sides)
    checks.probability(p0=p0, p1=p1)
    checks.choice("method", method, ("score", "wald", "arcsine", "exact"))
    checks.choice("direction", direction, ("higher", "lower"))
    checks.at_least(1, n=n)
    if p1 is not None:
        checks.different("p1", p1, p0)
    given = {"n": n, "p1": p1, "power": power, "alpha": alpha}
    if method == "exact":
        return exact.binomial_one_proportion(p0, given, sides, direction)

    def ask(kind: str) -> Question:
        def power_of(n: float, p1: float, alpha: float) -> float:
            if kind == "arcsine":
                return tails.z_power(arcsine_distance(p0, p1) * math.sqrt(n), alpha, sides, both_tails)
            alternative = math.sqrt(p1 * (1 - p1) / n)
            null = alternative if kind == "wald" else math.sqrt(p0 * (1 - p0) / n)
            return _z_from_two_errors(p1 - p0, null, alternative, alpha, sides, both_tails)

        return Question(
            _ONE_METHODS[kind],
            given,
            power_of,
            {"n": SizeRange(1), "p1": EffectRange(p0, 1.0 if direction == "higher" else 0.0, 0.01)},
            lambda p1, **_: {"h": arcsine_distance(p0, p1), "difference": p1 - p0},
            {"p0": p0, "sides": sides},
        )

    return ask(method).answer(rivals=[ask(kind) for kind in _ONE_METHODS if kind != method])


_ONE_METHODS = {
    "score": Method(
        "one proportion",
        "z, variance at p0 under the null",
        "n = ((z_a sqrt(p0 q0) + z_b sqrt(p1 q1)) / (p1 - p0))²",
        "Fleiss, Levin & Paik (2003) §2.5",
    ),
    "wald": Method(
        "one proportion",
        "z, variance at p1",
        "n = (z_a + z_b)² p1 q1 / (p1 - p0)²",
        "Chow, Shao & Wang (2008) §4.1.1",
    ),
    "arcsine": Method("one proportion", "arcsine transformation", "n = ((z_a + z_b) / h)²", "Cohen (1988) §6.3"),
}
