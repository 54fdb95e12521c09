"""Ordered categories by proportional odds. Rank tests are in `ranks`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["ordinal", "shifted"]


@asked
def ordinal(
    *,
    probabilities: Sequence[float],
    odds_ratio: float | None = None,
    probabilities_are: Literal["average", "control"] = "average",
    n_total: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    variance: Literal["large", "score"] = "large",
    both_tails: bool = True,
) -> Result:
    """Total size, power, smallest odds ratio or level of the proportional-odds (Wilcoxon) test.

    `probabilities` of the ordered categories, averaged over the arms or of the control arm. `variance`: "large" is
    that of a large sample, which the formula for N inverts; "score" the score statistic's own, with N²/(N + 1)² less
    information (R Hmisc popower). Source: Whitehead (1993).

    >>> round(ordinal(probabilities=[0.25] * 4, odds_ratio=1.5, power=0.9).n_total, 2)
    818.09
    """
    if len(probabilities) < 2 or min(probabilities) <= 0 or abs(sum(probabilities) - 1) > 1e-6:
        raise ImpossibleRequest("probabilities", "give at least two positive category probabilities that sum to one")
    checks.level(alpha, power, sides)
    checks.positive(odds_ratio=odds_ratio, ratio=ratio)
    checks.different("odds_ratio", odds_ratio, 1)
    checks.at_least(4, n_total=n_total)

    def mixed(odds_ratio: float) -> list[float]:
        if probabilities_are == "average":
            return list(probabilities)
        second = shifted(probabilities, odds_ratio)
        return [(p + ratio * q) / (1 + ratio) for p, q in zip(probabilities, second, strict=True)]

    checks.choice("variance", variance, ("large", "score"))

    def information(n_total: float, odds_ratio: float, kind: str) -> float:
        worth = n_total if kind == "large" else n_total**3 / (n_total + 1) ** 2
        return worth * ratio / (3 * (1 + ratio) ** 2) * (1 - sum(p**3 for p in mixed(odds_ratio)))

    def ask(kind: str) -> Question:
        def power_of(n_total: float, odds_ratio: float, alpha: float) -> float:
            shift = math.log(odds_ratio) * math.sqrt(information(n_total, odds_ratio, kind))
            return tails.z_power(shift, alpha, sides, both_tails)

        return _ordinal_question(kind, power_of, given, notes, details)

    given = {"n_total": n_total, "odds_ratio": odds_ratio, "power": power, "alpha": alpha}
    notes = {"ratio": ratio, "sides": sides}

    def details(n_total: float, odds_ratio: float, **_: float) -> dict[str, float]:
        efficiency = 1 - sum(p**3 for p in mixed(odds_ratio))
        return {"n1": n_total / (1 + ratio), "n2": n_total * ratio / (1 + ratio), "efficiency": efficiency}

    return ask(variance).answer(rivals=[ask("score" if variance == "large" else "large")])


def _ordinal_question(
    kind: str,
    power_of: Callable[..., float],
    given: dict[str, float | None],
    notes: dict[str, object],
    details: Callable[..., dict[str, float]],
) -> Question:
    own = "" if kind == "large" else ", the score statistic's own variance"
    return Question(
        Method(
            "ordered categories, proportional odds",
            f"score test, normal reference{own}",
            "N = 3 (1 + r)² (z_a + z_b)² / (r log(OR)² (1 - sum p³))",
            "Whitehead (1993)",
        ),
        given,
        power_of,
        {"n_total": SizeRange(4), "odds_ratio": EffectRange(1.0, scale=0.05)},
        details,
        notes,
    )


def shifted(probabilities: Sequence[float], odds_ratio: float) -> list[float]:
    """Category probabilities after multiplying the odds of every 'this category or worse' by `odds_ratio`.

    >>> [round(p, 3) for p in shifted([0.5, 0.5], 3)]
    [0.75, 0.25]
    """
    cumulative, moved = 0.0, [0.0]
    for p in probabilities[:-1]:
        cumulative += p
        odds = cumulative / (1 - cumulative) * odds_ratio
        moved.append(odds / (1 + odds))
    moved.append(1.0)
    return [b - a for a, b in itertools.pairwise(moved)]
