"""Quantile effects by exact linear programming, with the standard errors of quantreg and a warning at mass points.

A quantile that sits on a mass point (a quarter of people with no earnings) has no density there, so no standard error
of the usual kind exists: the effect is still given, the warning says why its uncertainty is not.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.stats import norm

from analysis.errors import DesignNotEstimable, NotConverged, OptionError, nearest
from analysis.estimate import Array, Regression
from analysis.exact_fit import refuse_exact_fit
from analysis.formulas import read_model
from analysis.kernels.linear import by_orthogonal

Errors = Literal["nid", "iid", "ker"]
MASS = 0.05
SOURCE = "Koenker and Bassett (1978); Hendricks and Koenker (1992); Powell (1991)"


class MassPointWarning(UserWarning):
    """Many participants share the value of the quantile, so its standard error means little."""


def quantile_effect(formula: str, data: Any, quantile: float = 0.5, *, se_type: Errors = "nid") -> Regression:
    """Quantile regression of `formula` at one quantile, exact by linear programming; t reference with n - k df.

    `se_type` is "nid" (Hendricks-Koenker sandwich), "iid" (sparsity) or "ker" (Powell's kernel), all with the bandwidth
    of Hall and Sheather as in quantreg. Warns with MassPointWarning when more than 5% of the rows lie exactly on the
    fitted quantile. Raises OptionError, DesignNotEstimable when the density at the quantile cannot be estimated.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 4, 6, 7, 9, 11], "z": [0] * 5 + [1] * 5})
    >>> round(quantile_effect("y ~ z", data, 0.5, se_type="iid")["z"].value, 6)
    4.0
    """
    if not 0 < quantile < 1:
        raise OptionError(f"a quantile lies between 0 and 1, not at {quantile}")
    if se_type not in ("nid", "iid", "ker"):
        raise OptionError(
            f"se_type '{se_type}' does not exist", remedy=nearest(se_type, ["nid", "iid", "ker"], "se_type")
        )
    model = read_model(formula, data)
    X, y = model.X.dense(), model.y
    by_orthogonal(X, y, model.names)
    beta = quantile_fit(X, y, quantile)
    residuals = y - X @ beta
    refuse_exact_fit(residuals, y, model.outcome, "the columns of the formula")
    scale = float(np.abs(y).max())
    mass = float((np.abs(residuals) <= 1e-9 * scale).mean())
    if mass > max(MASS, 2 * X.shape[1] / y.size):
        warnings.warn(
            f"{mass:.0%} of the rows lie exactly on the {quantile:g} quantile, a mass point: trust no standard error",
            MassPointWarning, stacklevel=2,
        )  # fmt: skip
    covariance = _covariance(X, y, beta, quantile, se_type)
    n, k = X.shape
    return Regression(
        names=model.names, coefficients=beta, covariance=covariance, dfs=np.full(k, float(n - k)), n=n,
        outcome=model.outcome, estimand=f"effect on the {quantile:g} quantile of the outcome",
        convention=f"quantile regression, {se_type}, Hall-Sheather bandwidth", source=SOURCE, dropped=model.dropped,
        extras={"quantile": quantile, "mass": mass},
    )  # fmt: skip


def quantile_fit(X: Array, y: Array, quantile: float) -> Array:
    """Coefficients, shape (k,), that minimise the check loss; one exact vertex solution.

    Groups (one dummy per coefficient) have a closed form, a sample quantile of every group; where a whole interval
    minimises the loss its upper end is taken, as quantreg does.
    """
    closed = _by_groups(X, y, quantile)
    if closed is not None:
        return closed
    scale = np.abs(X).max(axis=0)
    unit = float(np.abs(y).max()) or 1.0
    result = linprog(
        -y / unit, A_eq=csr_array((X / scale).T), b_eq=(1 - quantile) * (X / scale).sum(axis=0), bounds=(0, 1),
        method="highs-ds", options={"presolve": True},
    )  # fmt: skip
    if not result.success:
        raise NotConverged("the quantile regression could not be solved", remedy="look at the scale of the covariates")
    return -np.asarray(result.eqlin.marginals) * unit / scale


def _by_groups(X: Array, y: Array, quantile: float) -> Array | None:
    rows, group = np.unique(X, axis=0, return_inverse=True)
    if rows.shape[0] != X.shape[1]:
        return None
    values = []
    for j in range(rows.shape[0]):
        own = np.sort(y[group.ravel() == j])
        values.append(own[min(own.size - 1, math.floor(quantile * own.size + 1e-9))])
    return np.linalg.solve(rows, np.array(values))


def bandwidth(quantile: float, n: int) -> float:
    """Hall and Sheather (1988), for 95% intervals."""
    x = float(norm.ppf(quantile))
    f = float(norm.pdf(x))
    return n ** (-1 / 3) * float(norm.ppf(0.975)) ** (2 / 3) * (1.5 * f**2 / (2 * x**2 + 1)) ** (1 / 3)


def _covariance(X: Array, y: Array, beta: Array, quantile: float, kind: str) -> Array:
    n, k = X.shape
    h = bandwidth(quantile, n)
    inner = X.T @ X
    spread = quantile * (1 - quantile)
    if kind == "iid":
        return _sparsity(y - X @ beta, h, k) ** 2 * spread * np.linalg.inv(inner)
    if kind == "nid":
        while quantile - h < 0 or quantile + h > 1:
            h /= 2
        rise = X @ (quantile_fit(X, y, quantile + h) - quantile_fit(X, y, quantile - h))
        if (rise <= 0).any():
            raise DesignNotEstimable(
                f"the outcome has no spread around its {quantile:g} quantile for {int((rise <= 0).sum())} rows",
                remedy="use se_type='iid' or 'ker', or another quantile",
            )
        density = 2 * h / rise
    else:
        while quantile - h < 0 or quantile + h > 1:
            h /= 2
        u = y - X @ beta
        middle = float(np.subtract(*np.quantile(u, [0.75, 0.25]))) / 1.34
        width = (float(norm.ppf(quantile + h)) - float(norm.ppf(quantile - h))) * min(float(u.std(ddof=1)), middle)
        if width <= 0:
            raise DesignNotEstimable("the outcome has no spread around the quantile, a mass point")
        density = norm.pdf(u / width) / width
    bread = np.linalg.inv((X * density[:, None]).T @ X)
    return spread * bread @ inner @ bread


def _sparsity(residuals: Array, h: float, k: int) -> float:
    """The slope of the ordered residuals around zero, by a median regression, as quantreg has it.

    Rounding in the last digits would decide which of two residuals of the same size comes first, so it is taken off.
    """
    n = residuals.size
    unit = float(np.abs(residuals).max()) or 1.0
    residuals = np.round(residuals / unit, 12) * unit
    zero = int((np.abs(residuals) < np.sqrt(np.finfo(float).eps)).sum())
    width = max(k + 1, math.ceil(n * h))
    places = np.arange(zero + 1, min(width + zero + 1, n) + 1)
    near = residuals[np.argsort(np.abs(residuals), kind="stable")][places - 1]
    X = np.column_stack([np.ones(places.size), places / (n - k)])
    slope = float(quantile_fit(X, np.sort(near), 0.5)[1])
    if slope <= 0:
        raise DesignNotEstimable("the outcome has no spread around the quantile, a mass point")
    return slope
