"""What it costs that people share an advisor or a site: more variance, and a t reference for how few of them there are.

The analysis of clustered people estimates its standard error from the clusters, so its critical value is that of
Student's t with about as many degrees of freedom as there are clusters. A normal reference would promise 80% where four
advisors find 63%.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from analysis.planning.section import Clusters
from analysis.power.tails import t_power

__all__ = ["FEWEST", "design_effect", "freedom", "joined", "reach", "variances", "welch_power"]

Means = tuple[tuple[float, float], ...]
"""Parts of the variance of a difference, each with its degrees of freedom."""

FEWEST = 2
"""Clusters in an arm below which no analysis can tell their luck from the treatment."""

_X, _W = np.polynomial.legendre.leggauss(32)
_FURTHEST = 37.0  # a normal tail beyond which a probability is zero in double precision


def design_effect(clusters: Clusters | None) -> float:
    """Variance of a mean over that of as many independent people. Source: Eldridge, Ashby & Kerry (2006)."""
    if clusters is None:
        return 1.0
    cv = 0.0 if clusters.cv is None else clusters.cv.value
    return 1 + ((1 + cv**2) * clusters.size.value - 1) * clusters.icc.value


def freedom(clusters: Clusters | None, people: float) -> float:
    """Degrees of freedom of the mean of an arm: its clusters minus one, fewer when their sizes vary.

    Zero below two clusters. Source: Bell & McCaffrey (2002), for sizes with the coefficient of variation cv.
    """
    if clusters is None:
        return people - 1
    count = people / clusters.size.value
    if count < FEWEST * (1 - 1e-9):
        return 0.0
    cv = 0.0 if clusters.cv is None else clusters.cv.value
    return (count - 1) / (1 + cv**2)


def reach(drift: float, critical: float, means: Means) -> float:
    """The normal threshold that a statistic with mean `drift` passes as often as Student's t passes its critical value.

    `critical` is the critical value of the normal reference; t faces the one of the same level. With it, comparisons
    that have different degrees of freedom are joined by one normal distribution, each with its own exact power.
    `means` are the parts of the variance with their degrees of freedom: none for a normal reference; one when these are
    fixed (CR2); two when they are estimated from either arm (Welch). Infinite where a test does not exist.

    >>> round(reach(2.8, 1.959964, ((1.0, 8.0),)), 3), reach(2.8, 1.959964, ())
    (2.305, 1.959964)
    """
    if not means:
        return critical
    if any(df <= 0 for _, df in means):
        return math.inf
    level = float(special.ndtr(-critical))
    power = t_power(drift, means[0][1], level, 1) if len(means) == 1 else welch_power(drift, level, means)
    return drift - min(max(float(special.ndtri(power)), -_FURTHEST), _FURTHEST)


def joined(means: Means) -> float:
    """Degrees of freedom of a difference from the variance and the degrees of freedom of either mean.

    Source: Satterthwaite (1946).

    >>> joined(((1.0, 9.0), (1.0, 9.0))), joined(((1.0, 9.0), (1.0, 0.0)))
    (18.0, 0.0)
    """
    if any(df <= 0 for _, df in means):
        return 0.0
    return sum(variance for variance, _ in means) ** 2 / sum(variance**2 / df for variance, df in means)


def welch_power(drift: float, level: float, means: Means) -> float:
    """Power in the wanted direction of Welch's test at one-sided `level`, exact for normal means.

    Averages over both estimated variances, on which the critical value depends; the usual noncentral t with the true
    variances in Satterthwaite's formula promises 80% where four groups an arm find 76%. Source: Welch (1938).

    >>> round(welch_power(2.8, 0.025, ((1.0, 3.0), (1.0, 3.0))), 3)
    0.598
    """
    (first, df1), (second, df2) = means
    (a, weight1), (b, weight2) = variances(df1), variances(df2)
    a, b = first * a[:, None], second * b[None, :]
    critical = -special.stdtrit((a + b) ** 2 / (a**2 / df1 + b**2 / df2), level)
    found = special.ndtr(drift - critical * np.sqrt((a + b) / (first + second)))
    return float(weight1 @ found @ weight2)


def variances(df: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of chi-square / df, the estimated over the true variance."""
    low, high = (math.sqrt(special.chdtri(df, p) / df) for p in (1 - 1e-11, 1e-11))
    scale = low + (high - low) * (_X + 1) / 2
    density = (df / 2 - 1) * np.log(df * scale**2 / 2) - df * scale**2 / 2 - special.gammaln(df / 2)
    weights = (high - low) / 2 * _W * np.exp(density) * df * scale
    return scale**2, weights / weights.sum()
