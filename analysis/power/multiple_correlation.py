"""The test of R² when the predictors are drawn with the people, as in a survey, and not set by the design."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

__all__ = ["random_predictors_power"]

_FURTHEST = 1e-14
"""Chance left out on either side of the mixture."""


def random_predictors_power(n: float, predictors: int, f2: float, alpha: float) -> float:
    """Power of the F test of R² = 0 under multivariate normal predictors and outcome.

    Given the predictors, R² is a mixture of beta distributions; over predictors the weights are negative binomial.
    Source: Gatsonis & Sampson (1989); Lee (1971).

    >>> round(random_predictors_power(400, 2, 0.02 / 0.98, 0.05), 5)
    0.72076
    """
    df2 = n - predictors - 1
    border = special.betainccinv(predictors / 2, df2 / 2, alpha)
    size, chance = (n - 1) / 2, 1 / (1 + f2)
    first = int(stats.nbinom.ppf(_FURTHEST, size, chance))
    last = int(stats.nbinom.isf(_FURTHEST, size, chance)) + 2
    terms = np.arange(max(first, 0), last, max(1, (last - first) // 20_000))
    weights = stats.nbinom.pmf(terms, size, chance)
    beyond = special.betaincc(predictors / 2 + terms, df2 / 2, border)
    return float(weights @ beyond / weights.sum())
