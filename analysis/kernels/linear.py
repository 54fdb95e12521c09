"""Least squares by the normal equations where they are safe, by an orthogonal decomposition where they are not.

The normal equations need one pass over the rows and lose twice the digits of the condition number. So they are used on
scaled columns while the condition number is moderate; beyond that a pivoted QR decides, which also names the columns
that are combinations of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular

from analysis.errors import DesignNotEstimable, MissingValues, RankDeficient
from analysis.kernels.rows import Rows, as_rows

Array = NDArray[Any]
SAFE_CONDITION = 2e3
RANK_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A least-squares fit: coefficients (k,), residuals (n,) and the matrix Q (k, k) that makes Z = XQ orthonormal.

    Then (X'X)^-1 = QQ' and the leverage of row i is the squared length of row i of Z.
    """

    coefficients: Array
    residuals: Array
    Q: Array

    @property
    def bread(self) -> Array:
        """(X'X)^-1, shape (k, k)."""
        return self.Q @ self.Q.T


def least_squares(X: Array | Rows, y: Array, names: tuple[str, ...] = ()) -> Fit:
    """Least squares of y, shape (n,), on X, shape (n, k).

    Raises MissingValues when a value is not finite, DesignNotEstimable when there are fewer rows than columns and
    RankDeficient with the names of the columns that repeat others.

    >>> fit = least_squares(np.array([[1.0, 0], [1, 1], [1, 2]]), np.array([1.0, 3, 5]))
    >>> fit.coefficients.round(6)
    array([1., 2.])
    """
    rows = as_rows(X)
    n, k = rows.shape
    if n < k:
        raise DesignNotEstimable(
            f"{n} rows cannot determine {k} coefficients", remedy="use fewer covariates or more participants"
        )
    gram, moments = cross_products(rows, y)
    scale = np.sqrt(np.diag(gram))
    if not (np.isfinite(gram).all() and np.isfinite(moments).all()):
        raise MissingValues("the design or the outcome holds values that are missing or infinite")
    if (scale > 0).all():
        scaled = gram / np.outer(scale, scale)
        values = np.linalg.eigvalsh(scaled)
        if values[0] > values[-1] / SAFE_CONDITION**2:
            lower = np.linalg.cholesky(scaled)
            inverse = solve_triangular(lower, np.eye(k), lower=True, check_finite=False)
            Q = inverse.T / scale[:, None]
            beta = Q @ (Q.T @ moments)
            return Fit(beta, residuals_of(rows, y, beta), Q)
    return by_orthogonal(rows.dense(), y, names)


def by_orthogonal(X: Array, y: Array, names: tuple[str, ...] = ()) -> Fit:
    """The same fit by a column-pivoted QR of the scaled columns; raises RankDeficient."""
    scale = np.linalg.norm(X, axis=0)
    if (scale == 0).any():
        raise RankDeficient(labels(np.flatnonzero(scale == 0), names), because=" (zero everywhere)")
    parts: Any = qr(X / scale, mode="economic", pivoting=True)
    basis, triangle, order = parts
    size = np.abs(np.diag(triangle))
    rank = int((size > RANK_TOLERANCE * size[0]).sum())
    if rank < X.shape[1]:
        raise RankDeficient(labels(repeated(X / scale), names))
    inverse = solve_triangular(triangle, np.eye(rank))
    Q = np.empty_like(inverse)
    Q[order] = inverse
    Q /= scale[:, None]
    beta = np.empty(rank)
    beta[order] = inverse @ (basis.T @ y)
    beta /= scale
    residuals = y - X @ beta
    correction = Q @ (Q.T @ (X.T @ residuals))
    return Fit(beta + correction, residuals - X @ correction, Q)


def repeated(X: Array) -> NDArray[np.intp]:
    """The later columns that earlier ones already determine, found by adding columns one at a time."""
    kept: list[Array] = []
    found = []
    for place, column in enumerate(X.T):
        rest = column.copy()
        for _ in range(2):
            for known in kept:
                rest -= known * (known @ rest)
        length = np.linalg.norm(rest)
        if length <= 10 * RANK_TOLERANCE * max(np.linalg.norm(column), 1e-300):
            found.append(place)
        else:
            kept.append(rest / length)
    return np.array(found if found else [X.shape[1] - 1], dtype=np.intp)


def cross_products(rows: Rows, y: Array) -> tuple[Array, Array]:
    """X'X, shape (k, k), and X'y, shape (k,), in one pass."""
    k = rows.shape[1]
    gram, moments = np.zeros((k, k)), np.zeros(k)
    for part, block in rows.blocks():
        gram += block.T @ block
        moments += block.T @ y[part]
    return gram, moments


def residuals_of(rows: Rows, y: Array, beta: Array) -> Array:
    """y - X beta, shape (n,), in one pass."""
    out = np.empty(rows.shape[0])
    for part, block in rows.blocks():
        np.subtract(y[part], block @ beta, out=out[part])
    return out


def labels(places: NDArray[np.intp], names: tuple[str, ...]) -> list[str]:
    """Names of columns, or their numbers counted from one."""
    return [names[i] if i < len(names) else f"column {i + 1}" for i in places]
