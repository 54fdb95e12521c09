"""Reliability of a scale in the data at hand: Cronbach's alpha and McDonald's omega."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surveys.errors import ScoringError

__all__ = ["Reliability", "alpha", "omega", "reliability"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Alpha with its interval (Feldt, 1965), omega, and the people and items that they rest on."""

    alpha: float
    low: float
    high: float
    level: float
    omega: float
    n: int
    items: int


def reliability(answers: ArrayLike, level: float = 0.95) -> Reliability:
    """Alpha and omega of answers of shape (people, items); people with a missing answer (not-a-number) are left out.

    Raises ScoringError with fewer than three people with complete answers, fewer than three items, an item without
    variance, or a covariance matrix that a single factor does not describe.

    >>> rng = np.random.default_rng(1)
    >>> data = rng.normal(size=(400, 1)) + rng.normal(size=(400, 5))
    >>> round(reliability(data).alpha, 2), round(reliability(data).omega, 2)
    (0.81, 0.81)
    """
    from scipy.stats import f

    complete = _complete(answers)
    n, k = complete.shape
    a = alpha(complete)
    rest = (1 - level) / 2
    # Feldt (1965): (1 - alpha of the population) / (1 - alpha of the sample) follows F(n - 1, (n - 1)(k - 1)).
    low = 1 - (1 - a) * f.ppf(1 - rest, n - 1, (n - 1) * (k - 1))
    high = 1 - (1 - a) * f.ppf(rest, n - 1, (n - 1) * (k - 1))
    return Reliability(a, float(low), float(high), level, omega(complete), n, k)


def alpha(answers: ArrayLike) -> float:
    """Cronbach's alpha (1951): k/(k-1) (1 - sum of item variances / variance of the sum), shape (people, items)."""
    matrix = _complete(answers, fewest_items=2)
    k = matrix.shape[1]
    covariance = np.cov(matrix, rowvar=False)
    total = float(covariance.sum())
    if total <= 0:
        raise ScoringError("the sum of the items has no variance")
    return float(k / (k - 1) * (1 - np.trace(covariance) / total))


def omega(answers: ArrayLike) -> float:
    """McDonald's omega total (1999) of one factor: (sum of loadings)^2 / variance of the sum, shape (people, items).

    The loadings are those of unweighted least squares (minres, Harman and Jones, 1966): they make the covariances off
    the diagonal as close as possible to the products of loadings.
    """
    matrix = _complete(answers)
    covariance = np.cov(matrix, rowvar=False)
    loadings = _loadings(covariance)
    total = float(covariance.sum())
    unique = np.diag(covariance) - loadings**2
    if total <= 0 or (unique < -1e-8 * np.diag(covariance)).any():
        raise ScoringError("one factor does not describe these items (a negative unique variance)")
    return float(loadings.sum() ** 2 / (loadings.sum() ** 2 + unique.sum()))


def _loadings(covariance: Array) -> Array:
    from scipy.optimize import minimize

    k = len(covariance)
    off = ~np.eye(k, dtype=bool)
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)

    def misfit(loadings: Array) -> tuple[float, Array]:
        residual: Any = np.where(off, np.outer(loadings, loadings) - correlation, 0.0)
        return float((residual**2).sum() / 2), 2 * residual @ loadings

    values, vectors = np.linalg.eigh(correlation)
    start = vectors[:, -1] * np.sqrt(max(values[-1], 1e-6))
    start = start * (1.0 if start.sum() >= 0 else -1.0)
    found = minimize(misfit, start, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 2000})
    if np.abs(found.jac).max() > 1e-5:
        raise ScoringError("the factor model did not converge; look at the correlations of the items")
    return found.x * scale


def _complete(answers: ArrayLike, fewest_items: int = 3) -> Array:
    matrix = np.asarray(answers, dtype=float)
    if matrix.ndim != 2 or matrix.shape[1] < fewest_items:
        raise ScoringError(f"reliability needs at least {fewest_items} items, in a table of people by items")
    complete = matrix[~np.isnan(matrix).any(axis=1)]
    if len(complete) < 3:
        raise ScoringError(f"reliability needs three people with complete answers; there are {len(complete)}")
    if (complete.std(axis=0) == 0).any():
        item = int(np.flatnonzero(complete.std(axis=0) == 0)[0]) + 1
        raise ScoringError(f"item {item} has no variance: everybody gave the same answer")
    return complete
