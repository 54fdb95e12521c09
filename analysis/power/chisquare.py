"""Chi-square tests of goodness of fit and of independence, by Cohen's w."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["chi_square", "effect_w"]


def effect_w(observed: Sequence[float], expected: Sequence[float]) -> float:
    """Cohen's w of cell probabilities against those of the null.

    >>> round(effect_w([0.375, 0.208, 0.208, 0.209], [0.25, 0.25, 0.25, 0.25]), 4)
    0.2887
    """
    p1, p0 = np.asarray(observed, float).ravel(), np.asarray(expected, float).ravel()
    if (p0 <= 0).any() or abs(p0.sum() - 1) > 1e-3 or abs(p1.sum() - 1) > 1e-3:
        raise ImpossibleRequest("expected", "cell probabilities must be positive and sum to one")
    return math.sqrt(float(np.sum((p1 - p0) ** 2 / p0)))


@asked
def chi_square(
    *,
    df: int,
    w: float | None = None,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
) -> Result:
    """Total size, power, smallest w or level of a chi-square test with `df` degrees of freedom.

    Source: Cohen (1988) ch. 7.

    >>> round(chi_square(df=20, w=0.1, power=0.8).n, 1)
    2096.1
    """
    checks.whole(1, df=df)
    checks.positive(w=w)
    checks.level(alpha, power)
    checks.at_least(1, n=n)
    return Question(
        Method("chi-square", "noncentral chi-square", "ncp = w² n", "Cohen (1988) ch. 7"),
        {"n": n, "w": w, "power": power, "alpha": alpha},
        lambda n, w, alpha: tails.chi2_power(n * w**2, df, alpha),
        {"n": SizeRange(1), "w": EffectRange(scale=0.02)},
        lambda n, w, alpha: {"ncp": n * w**2, "critical": float(tails.stats.chi2.isf(alpha, df))},
        {"df": df},
    ).answer()
