"""Were the arms alike at baseline? A table, normalised differences and omnibus tests.

A test of balance checks the randomisation and the data handling, never whether to adjust: that is in the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.covariates import independent
from analysis.errors import DesignNotEstimable
from analysis.estimate import JointTest
from analysis.exact_fit import refuse_exact_fit
from analysis.two_arms import covariates_of, is_table

HANSEN_BOWERS = "Hansen and Bowers (2008), Statistical Science 23"


@dataclass(frozen=True, slots=True)
class Row:
    """One covariate: mean and standard deviation (n - 1) by arm, in the order of the arms handed in."""

    name: str
    means: tuple[float, ...]
    sds: tuple[float, ...]


def table(X: np.ndarray, names: Sequence[str], arm: np.ndarray, arms: Sequence[str]) -> tuple[Row, ...]:
    """Means and standard deviations of the columns of X, shape (n, k), by arm, shape (n,).

    Raises `DesignNotEstimable` when an arm has fewer than two people.

    >>> table(np.array([[1.0], [3.0], [2.0], [4.0]]), ["age"], np.array(["a", "a", "b", "b"]), ["a", "b"])[0].means
    (2.0, 3.0)
    """
    parts = [X[arm == name] for name in arms]
    for name, part in zip(arms, parts, strict=True):
        if len(part) < 2:
            raise DesignNotEstimable(f"arm '{name}' has {len(part)} participants; a balance table needs two in each")
    means = [part.mean(axis=0) for part in parts]
    sds = [part.std(axis=0, ddof=1) for part in parts]
    return tuple(
        Row(name, tuple(float(m[place]) for m in means), tuple(float(s[place]) for s in sds))
        for place, name in enumerate(names)
    )


def normalised_difference(X: Any, treated: Any, arm: Any = None, *, control: Any = None) -> Any:
    """Difference in means over the root of the average variance, per column of X (n, k); `treated` boolean (n,).

    Called as `normalised_difference(data, covariates, "arm")` with a table it gives a mapping by covariate. Unlike
    a t statistic it does not grow with the sample. A column that does not vary has difference 0 when the means
    agree; otherwise `DesignNotEstimable` is raised. Imbens and Rubin (2015), section 14.2.

    >>> normalised_difference(np.array([[1.0], [3.0], [2.0], [4.0]]), np.array([False, False, True, True])).round(4)
    array([0.7071])
    """
    if is_table(X):
        values, names, z, _ = covariates_of(X, treated, arm, None, control)
        return dict(zip(names, normalised_difference(values, z).tolist(), strict=True))
    one, zero = X[treated], X[~treated]
    difference = one.mean(axis=0) - zero.mean(axis=0)
    spread = np.sqrt((one.var(axis=0, ddof=1) + zero.var(axis=0, ddof=1)) / 2)
    flat = spread == 0
    if (flat & (np.abs(difference) > 0)).any():
        raise DesignNotEstimable("a covariate is constant within both arms and differs between them")
    return np.where(flat, 0.0, difference / np.where(flat, 1.0, spread))


def joint_f(X: Any, names: Any, treated: Any = None, *, robust: bool = False, control: Any = None) -> JointTest:
    """F test that no column of X predicts the arm: ordinary least squares, or with HC1 errors when `robust`.

    X of shape (n, k), `treated` boolean (n,); or a table, the names of covariates and the name of the arm column.
    Columns that repeat others are left out. Raises `DesignNotEstimable` when fewer observations than columns are
    left.

    >>> X = np.array([[1.0], [2], [3], [4], [5], [7]])
    >>> test = joint_f(X, ["age"], np.array([0, 0, 1, 0, 1, 1], bool))
    >>> round(test.statistic, 4), test.df1, test.df2
    (3.3684, 1.0, 4.0)
    """
    if is_table(X):
        X, names, treated, _ = covariates_of(X, names, treated, None, control)
    y = np.asarray(treated).astype(float)
    kept = independent(X - X.mean(axis=0))
    centred = X[:, kept] - X[:, kept].mean(axis=0)
    n, k = centred.shape
    df2 = n - k - 1
    if k == 0 or df2 < 1:
        raise DesignNotEstimable(f"{n} participants and {k} covariates leave no degrees of freedom for a joint F test")
    gram = np.linalg.inv(centred.T @ centred)
    beta = gram @ (centred.T @ (y - y.mean()))
    residual = y - y.mean() - centred @ beta
    refuse_exact_fit(residual, y, "the arm", "the covariates")
    if robust:
        meat = (centred * residual[:, None] ** 2).T @ centred
        covariance = gram @ meat @ gram * n / df2
    else:
        covariance = gram * (residual @ residual) / df2
    statistic = float(beta @ np.linalg.solve(covariance, beta)) / k
    return JointTest(
        tuple(names[place] for place in kept), statistic, float(k), float(df2), float(stats.f.sf(statistic, k, df2)),
        "HC1" if robust else "classical", "F test of the regression of the arm on the covariates",
    )  # fmt: skip


def hansen_bowers(
    X: Any, names: Any, treated: Any = None, *, strata: Any = None, clusters: Any = None, control: Any = None
) -> JointTest:
    """The omnibus d-squared test that treated and comparison people are alike within strata.

    X of shape (n, k), `treated` boolean, `strata` and `clusters` labels, all of shape (n,); or a table, the names of
    covariates and the name of the arm column, with `strata` and `clusters` columns. The reference is the
    permutation variance of the design with the numbers treated in each stratum fixed, and a chi-square with the rank
    of that variance as degrees of freedom (`df2` is infinite). Clusters count by their totals.

    >>> rng = np.random.default_rng(1)
    >>> X, z = rng.normal(size=(60, 3)), np.arange(60) % 2 == 0
    >>> test = hansen_bowers(X, ["a", "b", "c"], z)
    >>> test.df1, 0 < test.p < 1
    (3.0, True)
    """
    if is_table(X):
        more = {"strata": strata, "clusters": clusters}
        X, names, treated, found = covariates_of(X, names, treated, None, control, more)
        strata, clusters = found["strata"], found["clusters"]
    labels = np.zeros(len(X)) if strata is None else strata
    total = np.zeros(X.shape[1])
    variance = np.zeros((X.shape[1], X.shape[1]))
    for label in pd.unique(labels):
        rows = labels == label
        x, z = X[rows] - X[rows].mean(axis=0), treated[rows]
        if clusters is not None:
            x, z = _totals(x, z, clusters[rows])
        n, m = len(z), int(z.sum())
        if 0 < m < n:
            total += x[z].sum(axis=0) - m * x.mean(axis=0)
            variance += m * (n - m) / n * np.atleast_2d(np.cov(x, rowvar=False))
    inverse, rank = _pseudo_inverse(variance)
    if rank == 0:
        raise DesignNotEstimable("no stratum holds people of both arms with differing covariates")
    statistic = float(total @ inverse @ total)
    return JointTest(
        tuple(names), statistic, float(rank), np.inf, float(stats.chi2.sf(statistic, rank)),
        "permutation variance", HANSEN_BOWERS,
    )  # fmt: skip


def permutation_p(
    X: np.ndarray,
    codes: np.ndarray,
    draws: Callable[[int], np.ndarray],
    *,
    n_draws: int,
    strata: np.ndarray | None = None,
) -> float:
    """The share of redrawn allocations in which the arms differ at least as much as in the real one.

    `codes`, shape (n,), are arm numbers; `draws(m)` gives m allocations by the design itself, shape (m, n). The
    statistic is the sum over arms of the squared Mahalanobis distance of the arm's mean from the overall mean, times
    the arm's size, after centring within strata. The real allocation counts as one of the draws.

    >>> X = np.arange(8.0)[:, None]
    >>> def shuffled(m):
    ...     rng = np.random.default_rng(3)
    ...     return np.array([rng.permutation([0, 0, 0, 0, 1, 1, 1, 1]) for _ in range(m)])
    >>> permutation_p(X, np.array([0, 0, 0, 0, 1, 1, 1, 1]), shuffled, n_draws=999) < 0.05
    True
    """
    centred = X - X.mean(axis=0)
    if strata is not None:
        groups = pd.DataFrame(X).groupby(pd.factorize(strata)[0])
        centred = X - groups.transform("mean").to_numpy()
    inverse, rank = _pseudo_inverse(np.atleast_2d(np.cov(centred, rowvar=False)))
    if rank == 0:
        raise DesignNotEstimable("the covariates do not vary within strata, so there is nothing to compare")
    values, vectors = np.linalg.eigh(inverse)
    whitened = centred @ (vectors * np.sqrt(np.clip(values, 0, None)))
    n_arms = int(codes.max()) + 1
    real = _distance(whitened, codes[None, :], n_arms)[0]
    redrawn = draws(n_draws)
    beyond = 0
    for start in range(0, n_draws, 500):
        beyond += int((_distance(whitened, redrawn[start : start + 500], n_arms) >= real * (1 - 1e-12)).sum())
    return (1 + beyond) / (1 + n_draws)


def _distance(whitened: np.ndarray, codes: np.ndarray, n_arms: int) -> np.ndarray:
    total = np.zeros(len(codes))
    for arm in range(n_arms):
        members = (codes == arm).astype(float)
        size = np.maximum(members.sum(axis=1), 1.0)
        total += ((members @ whitened) ** 2).sum(axis=1) / size
    return total


def _totals(x: np.ndarray, z: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    code, names = pd.factorize(clusters)
    totals = np.zeros((len(names), x.shape[1]))
    np.add.at(totals, code, x)
    arm = np.zeros(len(names), bool)
    arm[code] = z
    return totals, arm


def _pseudo_inverse(matrix: np.ndarray) -> tuple[np.ndarray, int]:
    """Inverse over the directions that vary, after scaling so that units of measurement do not decide the rank."""
    scale = np.sqrt(np.diag(matrix))
    keep = scale > 0
    scaled = matrix[np.ix_(keep, keep)] / np.outer(scale[keep], scale[keep])
    inverse = np.zeros_like(matrix)
    if not keep.any():
        return inverse, 0
    values, vectors = np.linalg.eigh(scaled)
    alive = values > 1e-10 * values.max()
    inner = (vectors[:, alive] / values[alive]) @ vectors[:, alive].T
    inverse[np.ix_(keep, keep)] = inner / np.outer(scale[keep], scale[keep])
    return inverse, int(alive.sum())
