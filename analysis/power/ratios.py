"""Risk ratios and odds ratios of two independent groups, tested on the log scale."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import arms, checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question
from analysis.power.wording import asked

__all__ = ["odds_ratio", "risk_ratio"]

Direction = Literal["higher", "lower"]


@asked
def risk_ratio(
    *,
    p1: float,
    ratio_of_risks: float | None = None,
    null: float = 1.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    direction: Direction = "higher",
    both_tails: bool = True,
) -> Result:
    """Size, power or smallest risk ratio p2 / p1 by Wald's test of the log risk ratio against `null`.

    Source: Blackwelder (1993); Chow, Shao & Wang (2008) §4.6.

    >>> risk_ratio(p1=0.2, ratio_of_risks=1.5, power=0.8).rounded
    303
    """
    largest = 1 / p1 if direction == "higher" else 0.0
    if ratio_of_risks is not None and p1 * ratio_of_risks >= 1:
        raise ImpossibleRequest("ratio_of_risks", f"{ratio_of_risks:g} times p1 {p1:g} is not a probability")

    def variance(second: float) -> tuple[float, float]:
        return (1 - p1) / p1, (1 - p1 * second) / (p1 * second)

    method = Method(
        "risk ratio",
        "Wald test of the log risk ratio",
        "z = |log RR - log RR0| / sqrt(q1/(n1 p1) + q2/(n2 p2)) - z_a",
        "Blackwelder (1993); Katz et al. (1978)",
    )
    given = {"n": n, "ratio_of_risks": ratio_of_risks, "power": power, "alpha": alpha}
    effect = EffectRange(null, largest, 0.01)
    return _log_ratio(method, given, variance, effect, (p1, n2, ratio, sides, both_tails)).answer()


@asked
def odds_ratio(
    *,
    p1: float,
    ratio_of_odds: float | None = None,
    null: float = 1.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    direction: Direction = "higher",
    both_tails: bool = True,
) -> Result:
    """Size, power or smallest odds ratio by Wald's test of the log odds ratio against `null`.

    Source: Chow, Shao & Wang (2008) §4.6; Wang, Chow & Li (2002).

    >>> odds_ratio(p1=0.25, ratio_of_odds=2.0, power=0.8).rounded
    156
    """

    def variance(second: float) -> tuple[float, float]:
        odds = p1 / (1 - p1) * second
        p2 = odds / (1 + odds)
        return 1 / (p1 * (1 - p1)), 1 / (p2 * (1 - p2))

    method = Method(
        "odds ratio",
        "Wald test of the log odds ratio",
        "z = |log OR - log OR0| / sqrt(1/(n1 p1 q1) + 1/(n2 p2 q2)) - z_a",
        "Chow, Shao & Wang (2008) §4.6; Wang, Chow & Li (2002)",
    )
    given = {"n": n, "ratio_of_odds": ratio_of_odds, "power": power, "alpha": alpha}
    effect = EffectRange(null, math.inf if direction == "higher" else 0.0, 0.05)
    return _log_ratio(method, given, variance, effect, (p1, n2, ratio, sides, both_tails)).answer()


def _log_ratio(method, given, variance, effect: EffectRange, design: tuple) -> Question:
    p1, n2, ratio, sides, both_tails = design
    checks.level(given["alpha"], given["power"], sides)
    checks.probability(p1=p1)
    name = next(key for key in given if key.startswith("ratio_of"))
    checks.positive(**{name: given[name], "null": effect.null})
    checks.different(name, given[name], effect.null)
    arms.check_arms(given["n"], n2, ratio)

    def power_of(n: float, alpha: float, **effects: float) -> float:
        first, second = arms.sizes(n, n2, ratio)
        v1, v2 = variance(effects[name])
        se = math.sqrt(v1 / first + v2 / second)
        return tails.z_power((math.log(effects[name]) - math.log(effect.null)) / se, alpha, sides, both_tails)

    def details(n: float, **_: float) -> dict[str, float]:
        return arms.totals(n, n2, ratio)

    notes = {"p1": p1, "ratio": ratio, "sides": sides, "null": effect.null}
    return Question(method, given, power_of, {"n": arms.smallest(n2, ratio), name: effect}, details, notes)
