"""Whether the field work was the same for everybody: the share of interviewers in what people say, and equal effort.

Both are looked at while a pilot runs, pooled over arms or under blinded labels; neither says anything about effects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis.errors import ConstantOutcome, DataError, DesignNotEstimable


@dataclass(frozen=True, slots=True)
class VarianceShare:
    """The intraclass correlation of groups, with the F test that it is zero.

    `share` can be negative: groups then differ less than chance makes them. `df` are those of the F test.
    """

    share: float
    statistic: float
    df: tuple[int, int]
    p: float
    groups: int
    n: int


@dataclass(frozen=True, slots=True)
class MeanScores:
    """A test that groups have the same mean within strata; `p` from chi-square with `df` degrees of freedom."""

    statistic: float
    df: int
    p: float
    n: int


def variance_share(values: ArrayLike, groups: ArrayLike) -> VarianceShare:
    """The share of the variance of `values` that lies between `groups` (interviewers), both of shape (n,).

    One-way analysis of variance with random groups: share = (B - W) / (B + (m - 1) W), B and W the mean squares
    between and within, m = (n - sum of squared sizes / n) / (k - 1) for k groups. F = B / W with (k - 1, n - k)
    degrees of freedom; for values that are 0 or 1 its p is approximate. Donner (1986), International Statistical
    Review 54. Raises DesignNotEstimable for fewer than two groups or nobody beside another in any group, and
    ConstantOutcome when everybody has the same value; groups that agree within and differ between have share 1.

    >>> found = variance_share([1, 2, 3, 4, 5, 6], ["a", "a", "a", "b", "b", "b"])
    >>> round(found.share, 4), round(found.statistic, 2), found.df, round(found.p, 4)
    (0.8065, 13.5, (1, 4), 0.0213)
    """
    y, (label, code) = np.asarray(values, float), np.unique(np.asarray(groups), return_inverse=True)
    _same_length(y, code)
    n, k = len(y), len(label)
    if k < 2:
        raise DesignNotEstimable("one group has nothing to differ from", remedy="compare at least two groups")
    if n <= k:
        raise DesignNotEstimable("nobody is beside another in a group", remedy="wait for more values in each group")
    sizes = np.bincount(code)
    means = np.bincount(code, y) / sizes
    within = float(((y - means[code]) ** 2).sum()) / (n - k)
    between = float((sizes * (means - y.mean()) ** 2).sum()) / (k - 1)
    if between + within <= 1e-12 * max(float(np.mean(y**2)), 1e-300):
        raise ConstantOutcome("everybody has the same value", remedy="look at another outcome")
    typical = (n - float((sizes**2).sum()) / n) / (k - 1)
    share = (between - within) / (between + (typical - 1) * within)
    ratio = between / within if within > 0 else float("inf")
    return VarianceShare(share, ratio, (k - 1, n - k), float(special.fdtrc(k - 1, n - k, ratio)), k, n)


def equal_means(values: ArrayLike, groups: ArrayLike, strata: ArrayLike | None = None) -> MeanScores:
    """Whether `groups` (arms) have the same mean of `values` within `strata`, all of shape (n,).

    The sums of the groups are compared with what they would be had each stratum's values been dealt out anew over the
    same people: d'V⁻¹d, with the exact mean and variance of that permutation, referred to chi-square with one degree
    of freedom less than there are groups. That is the mean-score test of Landis, Heyman and Koch (1978), International
    Statistical Review 46; with values 0 and 1 and two groups the one of Mantel and Haenszel without correction. It
    assumes that within a stratum everybody had the same chances. Raises DesignNotEstimable for fewer than two groups,
    ConstantOutcome when no stratum with two groups has values that vary.

    >>> found = equal_means([1, 0, 1, 1, 0, 0, 1, 0], ["a", "a", "a", "a", "b", "b", "b", "b"])
    >>> round(found.statistic, 4), found.df, round(found.p, 4)
    (1.75, 1, 0.1859)
    """
    y, (label, code) = np.asarray(values, float), np.unique(np.asarray(groups), return_inverse=True)
    _same_length(y, code)
    if len(label) < 2:
        raise DesignNotEstimable("one group has nothing to differ from", remedy="compare at least two groups")
    blocks = np.zeros(len(y), int) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    _same_length(y, blocks)
    gap, spread = np.zeros(len(label)), np.zeros((len(label), len(label)))
    for block in np.unique(blocks):
        here = blocks == block
        n, own = int(here.sum()), y[here] - y[here].mean()
        if n < 2:
            continue
        sizes = np.bincount(code[here], minlength=len(label)).astype(float)
        gap += np.bincount(code[here], own, minlength=len(label))
        spread += float((own**2).sum()) / (n - 1) * (np.diag(sizes) - np.outer(sizes, sizes) / n)
    statistic, df = _distance(gap, spread)
    return MeanScores(statistic, df, float(special.chdtrc(df, statistic)), len(y))


def _distance(gap: np.ndarray, spread: np.ndarray) -> tuple[float, int]:
    """d'V⁺d and the rank of V, whose rows add up to zero."""
    roots, axes = np.linalg.eigh(spread)
    kept = roots > 1e-9 * max(float(roots.max(initial=0.0)), 1e-300)
    if not kept.any() or float(roots.max()) <= 0:
        raise ConstantOutcome("the values are the same for everybody", remedy="there is nothing to test")
    along = axes[:, kept].T @ gap
    return float((along**2 / roots[kept]).sum()), int(kept.sum())


def _same_length(values: np.ndarray, other: np.ndarray) -> None:
    if values.ndim != 1 or values.shape != other.shape:
        raise DataError("values, groups and strata have one entry for each person", remedy="hand in equal lengths")
    if not np.isfinite(values).all():
        raise DataError("a value is missing or infinite", remedy="leave such people out and say so")
