"""Two-stage least squares: what take-up did, when assignment moved take-up and nothing else.

The standard errors are those of the second stage with the residuals of the real regressors, in the same conventions as
`lm_robust`. How strongly the instrument moves take-up comes with the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import fdtrc

from analysis.errors import DesignNotEstimable, FormulaError, OptionError, RankDeficient, TooFewClusters
from analysis.estimate import Array, Regression
from analysis.exact_fit import refuse_exact_fit
from analysis.formulas import INTERCEPT, Model, read_model, sides
from analysis.frame import as_frame, of_trial
from analysis.iv_diagnostics import overidentification, wu_hausman
from analysis.joint import wald
from analysis.kernels import absorb
from analysis.kernels.linear import Fit, least_squares, residuals_of
from analysis.kernels.rows import Columns, Dense
from analysis.regression import (
    Working,
    covariance_of,
    described,
    robust_covariance,
    se_convention,
    solve,
    without_variance,
)

ESTIMAND = "average effect on those whose take-up the assignment changed (compliers)"
SOURCE = "Imbens and Angrist (1994); standard errors as estimatr::iv_robust"


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """The outcome, the regressors and the instruments of one 2SLS, on the same rows."""

    second: Model
    instruments: Model
    endogenous: tuple[str, ...]
    excluded: tuple[str, ...]


def iv_robust(
    formula: str,
    data: Any,
    *,
    se_type: str | None = None,
    clusters: Any = None,
    fixed_effects: Any = None,
    weights: Any = None,
) -> Regression:
    """Two-stage least squares of "y ~ d + x | z + x": outcome, regressors, then all instruments and exogenous terms.

    Standard errors as in `lm_robust` (default HC2, CR2 with clusters), with leverage from the fitted first stage and
    df = n - k, as estimatr does. `extras` holds the robust first-stage F of every endogenous regressor
    (`first_stage_F`, with `first_stage_df` and `first_stage_p`), the Wu-Hausman test that take-up is exogenous
    (`wu_hausman_F`, `_df`, `_p`), and with more instruments than needed the test that they agree
    (`overid_statistic`, `overid_df`, `overid_p`: Sargan's, or Wooldridge's robust score).

    Raises FormulaError without an instrument part, DesignNotEstimable with fewer instruments than endogenous
    regressors or when the instruments do not move them, and what `lm_robust` raises.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 3, 2, 6, 4, 5], "d": [0, 0, 1, 1, 1, 0], "z": [0, 0, 0, 1, 1, 1]})
    >>> round(iv_robust("y ~ d | z", data)["d"].value, 6)
    9.0
    """
    stages = read_stages(formula, data, clusters=clusters, fixed_effects=fixed_effects, weights=weights)
    convention = se_convention(se_type, stages.second.clusters is not None)
    work, first = second_stage(stages)
    k, G = len(work.model.names), stages.second.n_clusters
    if G is not None and k > G:
        raise TooFewClusters(f"{G} clusters cannot support {k} coefficients", remedy="use fewer covariates")
    if work.df_residual <= 0:
        raise DesignNotEstimable(f"{work.model.n} rows leave no degrees of freedom", remedy="use fewer covariates")
    covariance, dfs, lone = robust_covariance(work, convention)
    extras: dict[str, Any] = first_stage(stages, first, convention) | diagnostics(stages, work, first, convention)
    if G is not None:
        extras["clusters"] = G
    rss = float(work.fit.residuals @ work.fit.residuals)
    return Regression(
        names=work.model.names, coefficients=work.fit.coefficients, covariance=covariance, dfs=dfs, n=work.model.n,
        outcome=work.model.outcome, estimand=ESTIMAND, convention="2SLS, " + described(convention, stages.second),
        source=SOURCE, dropped=stages.second.dropped, residual_variance=rss / work.df_residual, extras=extras,
        working=work, refused=without_variance(work, lone),
    )  # fmt: skip


def read_stages(
    formula: str, data: Any, *, clusters: Any = None, fixed_effects: Any = None, weights: Any = None
) -> Stages:
    """Both parts of an instrumental-variable formula, on the rows that are complete in both."""
    outcome, right = sides(formula)
    parts = [part.strip() for part in right.split("|")]
    if len(parts) != 2 or not all(parts):
        raise FormulaError(
            f"'{formula}' does not say what the instruments are", remedy="write 'outcome ~ take_up + x | assigned + x'"
        )
    frame = as_frame(data)
    options = {"clusters": of_trial(data, "clusters", clusters), "fixed_effects": fixed_effects, "weights": weights}
    second = read_model(f"{outcome} ~ {parts[0]}", frame, **options)
    instruments = read_model(f"{outcome} ~ {parts[1]}", frame, **options)
    both = second.keep & instruments.keep
    if not (both == second.keep).all() or not (both == instruments.keep).all():
        rows = frame.loc[both]
        options = {name: _rows(value, both) for name, value in options.items()}
        second = read_model(f"{outcome} ~ {parts[0]}", rows, **options)
        instruments = read_model(f"{outcome} ~ {parts[1]}", rows, **options)
        second, instruments = replace(second, keep=both), replace(instruments, keep=both)
    endogenous = tuple(name for name in second.names if name not in instruments.names)
    excluded = tuple(name for name in instruments.names if name not in second.names)
    if not endogenous:
        raise FormulaError(f"every regressor of '{formula}' is also an instrument", remedy="use lm_robust")
    if len(excluded) < len(endogenous):
        raise DesignNotEstimable(
            f"{len(excluded)} instruments cannot identify the effects of {', '.join(endogenous)}",
            remedy="repeat the covariates after the bar and add an instrument",
        )
    return Stages(second, instruments, endogenous, excluded)


def _rows(value: Any, keep: Any) -> Any:
    return value[keep] if isinstance(value, np.ndarray) or hasattr(value, "iloc") else value


def second_stage(stages: Stages) -> tuple[Working, Working]:
    """The 2SLS fit as if it were a regression on the fitted regressors, and the instruments' own fit of the outcome."""
    first = solve(stages.instruments)
    model = stages.second
    X, _ = prepared(model)
    names = tuple(name for name in model.names if not (model.absorbed and name == INTERCEPT))
    Z = first.rows.dense() @ first.fit.Q
    fitted = Z @ (Z.T @ X)
    own = [names.index(name) for name in stages.endogenous]
    if (np.linalg.norm(fitted[:, own], axis=0) < 1e-8 * np.linalg.norm(X[:, own], axis=0)).any():
        raise DesignNotEstimable("the instruments do not move the endogenous regressors at all")
    try:
        fit = least_squares(fitted, first.y, names)
    except RankDeficient as error:
        raise DesignNotEstimable(
            f"the instruments do not move {', '.join(stages.endogenous)} on their own: {error.message}",
            remedy="look whether take-up differs between the arms",
        ) from error
    residuals = first.y - X @ fit.coefficients
    refuse_exact_fit(residuals, first.y, model.outcome, ", ".join(f"'{name}'" for name in names if name != INTERCEPT))
    fit = Fit(fit.coefficients, residuals, fit.Q)
    shown = replace(model, names=names)
    if model.weights is not None:
        shown = replace(shown, X=_columns(fitted / np.sqrt(model.weights)[:, None]))
    taken = model.n - first.df_residual - len(first.model.names)
    return Working(shown, Dense(fitted), first.y, fit, model.n - len(names) - taken), first


def _columns(array: Array) -> Columns:
    return Columns(list(np.ascontiguousarray(array.T)), array.shape[0])


def prepared(model: Model) -> tuple[Array, Array]:
    """Regressors and outcome, dense, with effects taken out and rows root-weighted."""
    if not model.absorbed:
        X, y = model.X.dense(), model.y
    else:
        kept = [i for i, name in enumerate(model.names) if name != INTERCEPT]
        both = np.column_stack([model.y, model.X.dense()[:, kept]])
        both = absorb.absorb(both, model.absorbed, model.weights)
        X, y = both[:, 1:], both[:, 0]
    if model.weights is None:
        return X, y
    root = np.sqrt(model.weights)
    return X * root[:, None], y * root


def first_stage(stages: Stages, first: Working, convention: str) -> dict[str, Any]:
    """The robust F of the excluded instruments in each first stage; one number when there is one such regressor."""
    X, _ = prepared(stages.second)
    names = [name for name in stages.second.names if not (stages.second.absorbed and name == INTERCEPT)]
    places = [first.model.names.index(name) for name in stages.excluded]
    contrast = np.zeros((len(places), len(first.model.names)))
    contrast[np.arange(len(places)), places] = 1.0
    q, df2 = len(places), float(first.df_residual)
    if stages.second.n_clusters is not None:
        df2 = float(stages.second.n_clusters - 1)
    found: dict[str, float] = {}
    for name in stages.endogenous:
        take_up = X[:, names.index(name)]
        beta = first.fit.Q @ (first.fit.Q.T @ (first.rows.dense().T @ take_up))
        fit = Fit(beta, residuals_of(first.rows, take_up, beta), first.fit.Q)
        if float(fit.residuals @ fit.residuals) <= 1e-20 * float(take_up @ take_up):
            continue
        covariance, _ = covariance_of(replace(first, fit=fit), convention)
        found[name] = wald(contrast, beta, covariance) / q
    if not found:
        return {}
    ps = {name: float(fdtrc(q, df2, value)) for name, value in found.items()}
    one = len(stages.endogenous) == 1
    return {
        "first_stage_F": next(iter(found.values())) if one else found,
        "first_stage_p": next(iter(ps.values())) if one else ps,
        "first_stage_df": (q, df2),
    }


def diagnostics(stages: Stages, work: Working, first: Working, convention: str) -> dict[str, Any]:
    """The Wu-Hausman test and, with more instruments than needed, the test that they agree."""
    X, _ = prepared(stages.second)
    fitted = work.rows.dense()
    endogenous = [work.model.names.index(name) for name in stages.endogenous]
    extra = [first.model.names.index(name) for name in stages.excluded]
    return wu_hausman(work, X, fitted, endogenous, convention) | overidentification(
        work, fitted, first.rows.dense(), extra, convention
    )


def check_one(stages: Stages) -> str:
    """The endogenous regressor when there is one only; raises OptionError otherwise."""
    if len(stages.endogenous) != 1:
        raise OptionError(f"{len(stages.endogenous)} regressors are endogenous; this method handles one")
    return stages.endogenous[0]
