"""Heteroskedasticity-robust covariances of least-squares coefficients.

MacKinnon and White (1985), Journal of Econometrics 29, 305-325; HC2 is unbiased under homoskedasticity and equals the
variance of the difference in means that Neyman derived from randomization alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import DesignNotEstimable
from analysis.kernels.linear import Fit
from analysis.kernels.rows import Rows, as_rows, take

Array = NDArray[Any]
LEVERAGE_ONE = 1e-10


def classical(fit: Fit, df: float) -> Array:
    """s²(X'X)^-1 with s² = e'e / df, shape (k, k)."""
    if df <= 0:
        raise DesignNotEstimable("no degrees of freedom are left", remedy="use fewer covariates or more participants")
    return float(fit.residuals @ fit.residuals) / df * fit.bread


def robust(X: Array | Rows, fit: Fit, power: float, extra_leverage: Array | None = None) -> Array:
    """The sandwich with squared residuals divided by (1 - h)^power, shape (k, k).

    `power` 0 gives HC0, 1 HC2 and 2 HC3. `extra_leverage`, shape (n,), is the leverage of absorbed effects. A row that
    determines its own fit (h = 1) has residual zero and adds nothing.

    >>> from analysis.kernels.linear import least_squares
    >>> X, y = np.array([[1.0, 0], [1, 0], [1, 1], [1, 1]]), np.array([1.0, 3, 2, 6])
    >>> round(float(robust(X, least_squares(X, y), 1)[1, 1]), 6)      # 2/2 + 8/2, the variances of the two means
    5.0
    """
    rows = as_rows(X)
    k = fit.Q.shape[0]
    meat = np.zeros((k, k))
    across = np.ascontiguousarray(fit.Q.T)
    for part, block in rows.blocks():
        weights = fit.residuals[part]
        Z = across @ block.T  # one row per coefficient, so that the sums below run along memory
        if power:
            room = 1.0 - np.einsum("ij,ij->j", Z, Z)
            if extra_leverage is not None:
                room -= extra_leverage[part]
            alone = room < LEVERAGE_ONE
            if alone.any():
                room[alone] = np.inf
            weights = weights / (np.sqrt(room) if power == 1 else room)
        Z *= weights
        meat += Z @ Z.T
    return fit.Q @ meat @ fit.Q.T


def alone_in_design(X: Array | Rows, fit: Fit, extra_leverage: Array | None = None) -> list[int]:
    """The places of coefficients that a row with leverage one determines; such a row has residual zero.

    >>> from analysis.kernels.linear import least_squares
    >>> X, y = np.array([[1.0, 0], [1, 0], [1, 1]]), np.array([1.0, 3, 2])
    >>> alone_in_design(X, least_squares(X, y))
    [1]
    """
    rows = as_rows(X)
    size = float(np.sqrt(fit.residuals @ fit.residuals / max(fit.residuals.size, 1)))
    suspects = np.flatnonzero(np.abs(fit.residuals) <= 1e-7 * size)
    if not suspects.size:
        return []
    Z = take(rows, suspects) @ fit.Q
    leverage = np.einsum("ij,ij->i", Z, Z) + (0.0 if extra_leverage is None else extra_leverage[suspects])
    influence = np.abs(Z[leverage > 1 - LEVERAGE_ONE] @ fit.Q.T)
    scale = np.sqrt(np.einsum("ij,ij->i", fit.Q, fit.Q))
    return np.flatnonzero((influence > 1e-6 * scale).any(axis=0)).tolist()


def leverages(X: Array | Rows, fit: Fit) -> Array:
    """The diagonal of the hat matrix, shape (n,)."""
    rows = as_rows(X)
    out = np.empty(rows.shape[0])
    for part, block in rows.blocks():
        Z = block @ fit.Q
        out[part] = np.einsum("ij,ij->i", Z, Z)
    return out
