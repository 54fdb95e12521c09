"""Reliability of a scale in the data at hand: Cronbach's alpha, McDonald's omega, and what each item does to them.

What looks wrong without being an error (an item that goes against the others, few people) is said in ``remarks``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surveys.errors import ScoringError

__all__ = ["Item", "Reliability", "alpha", "complete_answers", "items", "omega", "reliability", "standardized_alpha"]

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
    standardized: float
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """What one item does in its scale: mean and standard deviation, its correlation with the sum of the others, and
    the alpha of the scale without it (None where two items leave a scale of one)."""

    position: int
    mean: float
    sd: float
    rest: float
    alpha_without: float | None


def reliability(answers: ArrayLike, level: float = 0.95) -> Reliability:
    """Alpha and omega of answers of shape (people, items); people with a missing answer (not-a-number) are left out.

    ``remarks`` say in words what deserves a look: an item that goes against the others, a negative alpha, fewer people
    than items. Raises ScoringError with fewer than three people with complete answers, fewer than three items, an item
    without variance, or a covariance matrix that a single factor does not describe.

    >>> rng = np.random.default_rng(1)
    >>> data = rng.normal(size=(400, 1)) + rng.normal(size=(400, 5))
    >>> round(reliability(data).alpha, 2), round(reliability(data).omega, 2)
    (0.81, 0.81)
    """
    from scipy.stats import f

    complete = complete_answers(answers)
    n, k = complete.shape
    a = alpha(complete)
    rest = (1 - level) / 2
    # Feldt (1965): (1 - alpha of the population) / (1 - alpha of the sample) follows F(n - 1, (n - 1)(k - 1)).
    low = 1 - (1 - a) * f.ppf(1 - rest, n - 1, (n - 1) * (k - 1))
    high = 1 - (1 - a) * f.ppf(rest, n - 1, (n - 1) * (k - 1))
    return Reliability(
        a, float(low), float(high), level, omega(complete), n, k, standardized_alpha(complete), _remarks(complete, a)
    )


def alpha(answers: ArrayLike) -> float:
    """Cronbach's alpha (1951): k/(k-1) (1 - sum of item variances / variance of the sum), shape (people, items).

    It may be negative, when items go against each other. Raises ScoringError as ``reliability`` does, but two items
    are enough.

    >>> round(alpha([[1, 2, 2], [2, 2, 3], [3, 4, 3], [4, 4, 5], [5, 5, 4]]), 4)
    0.9286
    """
    matrix = complete_answers(answers, fewest_items=2)
    k = matrix.shape[1]
    covariance = np.cov(matrix, rowvar=False)
    total = float(covariance.sum())
    if total <= 1e-12 * np.trace(covariance):
        raise ScoringError("the sum of the items has no variance: the items cancel out; is one of them reversed?")
    return float(k / (k - 1) * (1 - np.trace(covariance) / total))


def standardized_alpha(answers: ArrayLike) -> float:
    """Alpha of the items brought to the same spread: k r / (1 + (k - 1) r) of the mean correlation r.

    >>> round(standardized_alpha([[1, 2, 2], [2, 2, 3], [3, 4, 3], [4, 4, 5], [5, 5, 4]]), 4)
    0.932
    """
    matrix = complete_answers(answers, fewest_items=2)
    return alpha((matrix - matrix.mean(axis=0)) / matrix.std(axis=0, ddof=1))


def items(answers: ArrayLike) -> tuple[Item, ...]:
    """What each item does in the scale, shape (people, items); people with a missing answer are left out.

    Raises ScoringError as ``alpha`` does.

    >>> [round(item.rest, 2) for item in items([[1, 2, 2], [2, 2, 3], [3, 4, 3], [4, 4, 5], [5, 5, 4]])]
    [0.97, 0.87, 0.78]
    """
    matrix = complete_answers(answers, fewest_items=2)
    found: list[Item] = []
    for place, column in enumerate(matrix.T):
        others = np.delete(matrix, place, axis=1)
        rest = float(np.corrcoef(column, others.sum(axis=1))[0, 1]) if np.ptp(others.sum(axis=1)) > 0 else np.nan
        without = alpha(others) if others.shape[1] > 1 and _varies(others) else None
        found.append(Item(place + 1, float(column.mean()), float(column.std(ddof=1)), rest, without))
    return tuple(found)


def _varies(matrix: Array) -> bool:
    return float(np.ptp(matrix.sum(axis=1))) > 0


def _remarks(matrix: Array, found: float) -> tuple[str, ...]:
    n, k = matrix.shape
    remarks = [
        f"item {item.position} goes against the others (correlation {item.rest:.2f} with their sum): is it reversed?"
        for item in items(matrix)
        if item.rest < 0
    ]
    if found < 0:
        remarks.append("alpha is negative: the items do not measure one thing in the same direction")
    if n <= k:
        remarks.append(f"{n} people for {k} items: too few to say how reliable the scale is")
    return tuple(remarks)


def omega(answers: ArrayLike) -> float:
    """McDonald's omega total (1999) of one factor, shape (people, items): what the factor gives of the sum's variance.

    The loadings are those of unweighted least squares on the correlations (minres, Harman and Jones, 1966), times the
    standard deviations of the items.
    """
    matrix = complete_answers(answers)
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


def complete_answers(answers: ArrayLike, fewest_items: int = 3) -> Array:
    """The people without a missing answer, shape (people, items).

    Raises ScoringError for what is no table of numbers, fewer items, fewer than three people, an infinite answer, or an
    item without variance.

    >>> complete_answers([[1, 2, 3], [2, float("nan"), 3], [3, 1, 2], [2, 3, 1]]).shape
    (3, 3)
    """
    try:
        matrix = np.asarray(answers, dtype=float)
    except (TypeError, ValueError):
        raise ScoringError("reliability needs numbers, in a table of people by items of equal length") from None
    if matrix.ndim != 2 or matrix.shape[1] < fewest_items:
        raise ScoringError(f"reliability needs at least {fewest_items} items, in a table of people by items")
    complete = matrix[~np.isnan(matrix).any(axis=1)]
    if len(complete) < 3:
        raise ScoringError(f"reliability needs three people with complete answers; there are {len(complete)}")
    if not np.isfinite(complete).all():
        raise ScoringError("an answer is infinite; answers are numbers on the response scale")
    still = np.flatnonzero(np.ptp(complete, axis=0) == 0)
    if len(still):
        item = int(still[0]) + 1
        raise ScoringError(f"item {item} has no variance: everybody gave the same answer")
    return complete
