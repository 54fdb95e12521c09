"""Ordered categories by proportional odds, and rank tests."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

from analysis.power import arms, checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["ordinal", "rank_sum", "rank_test"]


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
    both_tails: bool = True,
) -> Result:
    """Total size, power, smallest odds ratio or level of the proportional-odds (Wilcoxon) test.

    `probabilities` of the ordered categories, averaged over the arms or of the control arm. Source: Whitehead (1993).

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

    def information(n_total: float, odds_ratio: float) -> float:
        return n_total * ratio / (3 * (1 + ratio) ** 2) * (1 - sum(p**3 for p in mixed(odds_ratio)))

    def power_of(n_total: float, odds_ratio: float, alpha: float) -> float:
        return tails.z_power(
            math.log(odds_ratio) * math.sqrt(information(n_total, odds_ratio)), alpha, sides, both_tails
        )

    return Question(
        Method(
            "ordered categories, proportional odds",
            "score test, normal reference",
            "N = 3 (1 + r)² (z_a + z_b)² / (r log(OR)² (1 - sum p³))",
            "Whitehead (1993)",
        ),
        {"n_total": n_total, "odds_ratio": odds_ratio, "power": power, "alpha": alpha},
        power_of,
        {"n_total": SizeRange(4), "odds_ratio": EffectRange(1.0, scale=0.05)},
        lambda n_total, odds_ratio, **_: {
            "n1": n_total / (1 + ratio),
            "n2": n_total * ratio / (1 + ratio),
            "efficiency": 1 - sum(p**3 for p in mixed(odds_ratio)),
        },
        {"ratio": ratio, "sides": sides},
    ).answer()


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


@asked
def rank_sum(
    *,
    superiority: float | None = None,
    n_total: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Total size, power, smallest P(Y2 > Y1) or level of the Wilcoxon-Mann-Whitney test.

    `superiority` is the chance that a person of the second arm scores higher than one of the first (0.5: no effect).
    Source: Noether (1987).

    >>> rank_sum(superiority=0.7, n_total=54, sides=1).power > 0.8
    True
    """
    checks.level(alpha, power, sides)
    checks.probability(superiority=superiority)
    checks.different("superiority", superiority, 0.5)
    checks.positive(ratio=ratio)
    checks.at_least(4, n_total=n_total)
    share = ratio / (1 + ratio)

    def power_of(n_total: float, superiority: float, alpha: float) -> float:
        return tails.z_power(
            (superiority - 0.5) * math.sqrt(12 * share * (1 - share) * n_total), alpha, sides, both_tails
        )

    return Question(
        Method(
            "Wilcoxon-Mann-Whitney",
            "normal reference, variance under the null",
            "N = (z_a + z_b)² / (12 c (1 - c) (P - 1/2)²)",
            "Noether (1987)",
        ),
        {"n_total": n_total, "superiority": superiority, "power": power, "alpha": alpha},
        power_of,
        {"n_total": SizeRange(4), "superiority": EffectRange(0.5, 1.0, 0.01)},
        lambda n_total, **_: {"n1": n_total * (1 - share), "n2": n_total * share},
        {"ratio": ratio, "sides": sides},
    ).answer()


# Pitman efficiency of the Wilcoxon tests relative to t. Hettmansperger (1984); G*Power manual.
_EFFICIENCY = {"normal": 3 / math.pi, "uniform": 1.0, "logistic": math.pi**2 / 9, "laplace": 1.5, "minimum": 0.864}


@asked
def rank_test(
    *,
    delta: float | None = None,
    sd: float = 1.0,
    samples: Literal[1, 2] = 2,
    parent: Literal["normal", "uniform", "logistic", "laplace", "minimum"] = "normal",
    n: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Size (first arm), power, smallest shift or level of Wilcoxon's tests by asymptotic relative efficiency.

    `samples` 2 is Mann-Whitney, 1 the signed-rank test; `parent` the shape of the outcome ("minimum": no shape has
    less). Source: Lehmann (1975); G*Power 3.1 manual, A.R.E. method.

    >>> rank_test(delta=0.5, power=0.8).rounded
    67
    """
    checks.level(alpha, power, sides)
    checks.positive(sd=sd, ratio=ratio)
    checks.choice("parent", parent, _EFFICIENCY)
    checks.different("delta", delta, 0)
    checks.at_least(3, n=n)
    efficiency = _EFFICIENCY[parent]

    def power_of(n: float, delta: float, alpha: float) -> float:
        worth = n * efficiency
        if samples == 1:
            return tails.t_power(delta / sd * math.sqrt(worth), worth - 1, alpha, sides, both_tails)
        shift = delta / sd * math.sqrt(worth * ratio / (1 + ratio))
        return tails.t_power(shift, worth * (1 + ratio) - 2, alpha, sides, both_tails)

    return Question(
        Method(
            "Wilcoxon signed rank" if samples == 1 else "Wilcoxon-Mann-Whitney",
            f"asymptotic relative efficiency, {parent} parent",
            "the t test with n times the efficiency",
            "Lehmann (1975); G*Power 3.1 manual",
        ),
        {"n": n, "delta": delta, "power": power, "alpha": alpha},
        power_of,
        {"n": SizeRange(3), "delta": EffectRange(scale=0.1 * sd)},
        lambda n, **_: {"efficiency": efficiency} | (arms.totals(n, None, ratio) if samples == 2 else {}),
        {"sd": sd, "ratio": ratio, "sides": sides},
    ).answer()
