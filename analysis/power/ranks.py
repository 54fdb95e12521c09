"""Wilcoxon's rank tests: by the chance of doing better, by ordered categories, or by relative efficiency."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from analysis.power import arms, checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["rank_sum", "rank_sum_ordinal", "rank_test", "signed_rank"]


@asked
def rank_sum(
    *,
    superiority: float | None = None,
    twice: tuple[float, float] | None = None,
    n_total: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Total size, power, smallest P(Y2 > Y1) or level of the Wilcoxon-Mann-Whitney test.

    `superiority` is the chance that a person of the second arm scores higher than one of the first (0.5: no effect).
    Without `twice` the variance is that of the null hypothesis throughout (Noether, 1987). `twice` gives the variance
    under the alternative: the chance that one of the second arm outdoes two of the first, and the chance that two of
    the second both outdo one of the first (Chow, Shao & Wang, 2008, §14.3).

    >>> rank_sum(superiority=0.7, n_total=54, sides=1).power > 0.8
    True
    >>> round(rank_sum(superiority=0.7, twice=(0.8, 0.8), power=0.8).n_total / 2, 3)
    53.498
    """
    checks.level(alpha, power, sides)
    checks.probability(superiority=superiority)
    checks.different("superiority", superiority, 0.5)
    checks.positive(ratio=ratio)
    checks.at_least(4, n_total=n_total)
    share = ratio / (1 + ratio)
    if twice is not None:
        if superiority is None:
            raise ImpossibleRequest("superiority", "cannot be sought while `twice` is fixed; leave out `twice`")
        for value in twice:
            checks.between("twice", value, superiority**2, 1)

    def power_of(n_total: float, superiority: float, alpha: float) -> float:
        null = math.sqrt(1 / (12 * share * (1 - share) * n_total))
        if twice is None:
            return tails.z_power((superiority - 0.5) / null, alpha, sides, both_tails)
        second, first = (value - superiority**2 for value in twice)
        alternative = math.sqrt((second / share + first / (1 - share)) / n_total)
        return _two_errors(abs(superiority - 0.5), null, alternative, alpha, sides)

    return Question(
        Method(
            "Wilcoxon-Mann-Whitney",
            "normal reference, variance under the null" + (" and the alternative" if twice else ""),
            "N = (z_a + z_b)² / (12 c (1 - c) (P - 1/2)²)",
            "Chow, Shao & Wang (2008) §14.3" if twice else "Noether (1987)",
        ),
        {"n_total": n_total, "superiority": superiority, "power": power, "alpha": alpha},
        power_of,
        {"n_total": SizeRange(4), "superiority": EffectRange(0.5, 1.0, 0.01)},
        lambda n_total, **_: {"n1": n_total * (1 - share), "n2": n_total * share},
        {"ratio": ratio, "sides": sides},
    ).answer()


@asked
def signed_rank(
    *,
    superiority: float | None = None,
    test: Literal["wilcoxon", "sign"] = "wilcoxon",
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest chance or level of a rank test of one sample, or of the differences of pairs, against zero.

    `superiority` for "wilcoxon" is the chance that two differences add up to more than zero, for "sign" the chance that
    one lies above zero (0.5: no effect). The variance is that of the null hypothesis. Source: Noether (1987).

    >>> signed_rank(superiority=0.7, power=0.9, sides=1).rounded
    72
    """
    checks.level(alpha, power, sides)
    checks.probability(superiority=superiority)
    checks.different("superiority", superiority, 0.5)
    checks.choice("test", test, ("wilcoxon", "sign"))
    checks.at_least(2, n=n)
    factor, formula = (3, "3 (P - 1/2)²") if test == "wilcoxon" else (4, "4 (P - 1/2)²")

    def power_of(n: float, superiority: float, alpha: float) -> float:
        return tails.z_power((superiority - 0.5) * math.sqrt(factor * n), alpha, sides, both_tails)

    name = "Wilcoxon signed ranks" if test == "wilcoxon" else "sign test"
    return Question(
        Method(name, "normal reference, variance under the null", f"N = (z_a + z_b)² / ({formula})", "Noether (1987)"),
        {"n": n, "superiority": superiority, "power": power, "alpha": alpha},
        power_of,
        {"n": SizeRange(2), "superiority": EffectRange(0.5, 1.0, 0.01)},
        None,
        {"test": test, "sides": sides},
    ).answer()


def _two_errors(gap: float, null: float, alternative: float, alpha: float, sides: int) -> float:
    return float(tails.special.ndtr((gap - tails.z_critical(alpha, sides) * null) / alternative))


@asked
def rank_sum_ordinal(
    *,
    control: Sequence[float],
    treated: Sequence[float],
    n_total: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Total size, power or level of the Wilcoxon-Mann-Whitney test of ordered categories, ties counted.

    `control` and `treated` are the category probabilities of both arms; no proportional odds are assumed.
    Source: Zhao, Rahardja & Qu (2008).

    >>> arms = dict(control=[0.2, 0.3, 0.3, 0.2], treated=[0.1, 0.25, 0.35, 0.3])
    >>> rank_sum_ordinal(**arms, power=0.8).rounded
    269
    """
    for name, values in (("control", control), ("treated", treated)):
        if len(values) != len(control) or len(values) < 2 or min(values) < 0 or abs(sum(values) - 1) > 1e-6:
            raise ImpossibleRequest(name, "give the same two or more categories in both arms, each summing to one")
    checks.level(alpha, power, sides)
    checks.positive(ratio=ratio)
    checks.at_least(4, n_total=n_total)
    share = ratio / (1 + ratio)
    below = [sum(control[:c]) for c in range(len(control))]
    superiority = sum(q * (b + p / 2) for q, b, p in zip(treated, below, control, strict=True))
    checks.different("treated", superiority, 0.5)
    untied = 1 - sum(((1 - share) * p + share * q) ** 3 for p, q in zip(control, treated, strict=True))

    def power_of(n_total: float, alpha: float) -> float:
        shift = (superiority - 0.5) * math.sqrt(12 * share * (1 - share) * n_total / untied)
        return tails.z_power(shift, alpha, sides, both_tails)

    return Question(
        Method(
            "Wilcoxon-Mann-Whitney, ordered categories",
            "normal reference, variance under the null with ties",
            "N = (z_a + z_b)² (1 - sum mean³) / (12 c (1 - c) (P - 1/2)²)",
            "Zhao, Rahardja & Qu (2008)",
        ),
        {"n_total": n_total, "power": power, "alpha": alpha},
        power_of,
        {"n_total": SizeRange(4)},
        lambda n_total, **_: {
            "n1": n_total * (1 - share),
            "n2": n_total * share,
            "superiority": superiority,
            "efficiency": untied,
        },
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
