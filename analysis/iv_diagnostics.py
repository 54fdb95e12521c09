"""Two questions that a 2SLS answers on the way: was take-up endogenous, and do several instruments agree?

Both are computed as estimatr::iv_robust(diagnostics = TRUE) does, under the same standard errors as the estimate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

from analysis.errors import AnalysisError
from analysis.joint import wald
from analysis.kernels.linear import least_squares
from analysis.kernels.rows import Columns, Dense
from analysis.regression import Working, covariance_of

Array = NDArray[Any]


def wu_hausman(work: Working, X: Array, fitted: Array, endogenous: list[int], convention: str) -> dict[str, Any]:
    """The F test that the endogenous regressors are exogenous: first-stage residuals added to the regression.

    `X` and `fitted`, shape (n, k), are the regressors and their first-stage fits (root-weighted, effects taken out).
    Nothing is returned when the first stage fits perfectly or no degrees of freedom are left. Hausman (1978).
    """
    residuals = (X - fitted)[:, endogenous]
    if (np.linalg.norm(residuals, axis=0) <= 1e-10 * np.linalg.norm(X[:, endogenous], axis=0)).any():
        return {}
    q, k = len(endogenous), X.shape[1]
    if work.df_residual <= q:
        return {}
    rows = Dense(np.hstack([X, residuals]))
    names = (*work.model.names, *(f"residual {place}" for place in endogenous))
    try:
        fit = least_squares(rows, work.y, names)
        wider = replace(
            work, rows=rows, fit=fit, df_residual=work.df_residual - q, model=_with_columns(work, rows, names)
        )
        covariance, _ = covariance_of(wider, convention)
        contrast = np.eye(k + q)[k:]
        statistic = wald(contrast, fit.coefficients, covariance) / q
    except AnalysisError:
        return {}
    G = work.model.n_clusters
    df2 = float(wider.df_residual) if G is None else float(G - 1)
    return {
        "wu_hausman_F": statistic, "wu_hausman_df": (q, df2), "wu_hausman_p": float(fdtrc(q, df2, statistic)),
    }  # fmt: skip


def _with_columns(work: Working, rows: Dense, names: tuple[str, ...]) -> Any:
    """The model with the residuals as columns; unweighted, because a weighted CR2 reads its rows from the model."""
    columns = rows.array
    if work.model.weights is not None:
        columns = columns / np.sqrt(work.model.weights)[:, None]
    return replace(work.model, names=names, X=Columns(list(np.ascontiguousarray(columns.T)), work.model.n))


def overidentification(
    work: Working, fitted: Array, instruments: Array, extra: list[int], convention: str
) -> dict[str, Any]:
    """The chi-square test that more instruments than needed agree; nothing when there are just enough.

    `instruments`, shape (n, m), holds all of them with the exogenous columns, `extra` the places of those excluded
    from the regression. Sargan's (1958) n R² for classical errors; otherwise the robust score test of Wooldridge
    (1995), whose scores are summed by cluster where there are clusters.
    """
    df = instruments.shape[1] - fitted.shape[1]
    if df <= 0:
        return {}
    e = work.fit.residuals
    if convention == "classical":
        inside = least_squares(instruments, e).residuals
        statistic = e.size * (1 - float(inside @ inside) / float(e @ e))
    else:
        spare = instruments[:, extra[:df]]
        scores = np.column_stack([least_squares(fitted, column).residuals for column in spare.T]) * e[:, None]
        if work.model.clusters is not None:
            sums = np.zeros((int(work.model.clusters.max()) + 1, df))
            np.add.at(sums, work.model.clusters, scores)
            scores = sums
        total = scores.sum(axis=0)
        statistic = float(total @ np.linalg.lstsq(scores.T @ scores, total, rcond=None)[0])
    return {"overid_statistic": statistic, "overid_df": df, "overid_p": float(chdtrc(df, max(statistic, 0.0)))}
