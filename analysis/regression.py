"""`lm_robust`: one regression, any of the field's standard errors, each named.

The coefficients never depend on the standard error; what a reader can trust does. So the convention travels with the
result, and so do the degrees of freedom, which for clusters are those of Satterthwaite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.errors import DesignNotEstimable, OptionError, TooFewClusters, nearest
from analysis.estimate import Array, Regression
from analysis.exact_fit import refuse_exact_fit
from analysis.formulas import INTERCEPT, Model, read_model
from analysis.frame import of_trial
from analysis.kernels import absorb
from analysis.kernels.clusters import Grouping, cluster_robust
from analysis.kernels.linear import Fit, least_squares
from analysis.kernels.rows import Columns, Rows
from analysis.kernels.sandwich import alone_in_design, classical, robust
from analysis.kernels.weighted import weighted_cr2

UNCLUSTERED = {"HC0": 0, "HC1": 0, "HC2": 1, "HC3": 2}
CLUSTERED = {"CR0": "CR0", "CR1": "CR1", "STATA": "CR1", "CR2": "CR2", "CR3": "CR3"}
SOURCES = {
    "classical": "Gauss-Markov", "HC": "MacKinnon and White (1985)", "CR0": "Liang and Zeger (1986)",
    "CR1": "Stata, vce(cluster)", "CR2": "Bell and McCaffrey (2002); Pustejovsky and Tipton (2018)",
    "CR3": "Bell and McCaffrey (2002)",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Working:
    """What the tests and the bootstrap need of a fit: the solved rows (root-weighted, effects taken out)."""

    model: Model
    rows: Rows
    y: Array
    fit: Fit
    df_residual: int
    absorbed: Array | None = None


def lm_robust(
    formula: str,
    data: Any,
    *,
    se_type: str | None = None,
    clusters: Any = None,
    fixed_effects: Any = None,
    weights: Any = None,
) -> Regression:
    """Least squares of `formula` with robust standard errors; one `Estimate` per coefficient by name.

    `se_type` is "classical", "HC0", "HC1", "HC2" or "HC3", and with `clusters` (a column) "CR0", "CR1" (also called
    "stata"), "CR2" or "CR3". The default is HC2, or CR2 with Satterthwaite degrees of freedom. `fixed_effects` names
    one or more columns whose effects are absorbed; `weights` a column of weights such as 1 / P(assignment). Rows with
    missing values are left out and counted in `dropped`.

    Conventions are those of estimatr 1.0 (Blair, Cooper, Coppock, Humphreys and Sonnet): with weights the leverage is
    that of the root-weighted rows, and CR2 keeps an identity working model; absorbed effects count as parameters.
    CR3 carries no factor (G - 1)/G and is compared with t(G - 1).

    Raises RankDeficient with the columns' names, PerfectFit when the columns determine the outcome, TooFewClusters
    when there are fewer clusters than coefficients, MissingValues, ConstantOutcome, UnknownColumn, OptionError. A
    coefficient that one person or one cluster alone determines has no robust standard error: asking for it raises
    DesignNotEstimable.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 3, 2, 6, 4, 5], "treat": [0, 0, 0, 1, 1, 1]})
    >>> fit = lm_robust("y ~ treat", data)
    >>> round(fit["treat"].value, 4), round(fit["treat"].se, 4), fit["treat"].df
    (3.0, 0.8165, 4.0)
    """
    chosen = of_trial(data, "clusters", clusters)
    model = read_model(formula, data, clusters=chosen, weights=weights, fixed_effects=fixed_effects)
    return regress(model, se_type)


def regress(
    model: Model, se_type: str | None = None, estimand: str = "coefficient of a linear regression"
) -> Regression:
    """The regression of a model that was read already."""
    convention = se_convention(se_type, model.clusters is not None)
    work = solve(model)
    n, k = model.n, len(work.model.names)
    G = model.n_clusters
    if G is not None and k > G:
        raise TooFewClusters(
            f"{G} clusters cannot support {k} coefficients", remedy="use fewer covariates, or permutation inference"
        )
    if work.df_residual <= 0:
        raise DesignNotEstimable(
            f"{n} rows leave no degrees of freedom for {n - work.df_residual} parameters",
            remedy="use fewer covariates or more participants",
        )
    covariance, dfs, lone = robust_covariance(work, convention)
    rss = float(work.fit.residuals @ work.fit.residuals)
    return Regression(
        names=work.model.names, coefficients=work.fit.coefficients, covariance=covariance, dfs=dfs, n=n,
        outcome=model.outcome, estimand=estimand, convention=described(convention, model),
        source=SOURCES.get(convention, SOURCES["HC"]), dropped=model.dropped,
        residual_variance=rss / work.df_residual, r_squared=r_squared(work, rss),
        extras={} if G is None else {"clusters": G}, working=work, refused=without_variance(work, lone),
    )  # fmt: skip


def without_variance(work: Working, lone: list[int]) -> dict[str, str]:
    """The coefficients at these places, each with the reason why its robust standard error does not exist.

    A person (or a cluster) that alone determines a coefficient has no residual in it. The formulas then count its
    uncertainty as zero, which is an invented number.
    """
    names, clustered = work.model.names, work.model.clusters is not None
    who = "cluster" if clustered else "person"
    remedy = (
        "at least two clusters are needed on either side of a comparison"
        if clustered
        else "join the group of one with another, or use se_type='classical'"
    )
    return {
        names[place]: f"one {who} alone determines '{names[place]}', so its standard error does not exist; {remedy}"
        for place in lone
    }


def se_convention(se_type: str | None, clustered: bool) -> str:
    """The canonical name of a standard error; raises OptionError when it does not fit."""
    if se_type is None:
        return "CR2" if clustered else "HC2"
    name = se_type.upper()
    if clustered:
        if name in CLUSTERED:
            return CLUSTERED[name]
        if name in UNCLUSTERED or name == "CLASSICAL":
            raise OptionError(f"se_type '{se_type}' ignores the clusters", remedy="with clusters use 'CR2'")
        known = ["CR0", "CR1", "CR2", "CR3", "stata"]
        raise OptionError(f"se_type '{se_type}' does not exist", remedy=nearest(se_type, known, "se_type"))
    if name == "STATA":
        return "HC1"
    if name == "CLASSICAL":
        return "classical"
    if name in UNCLUSTERED:
        return name
    if name in CLUSTERED:
        raise OptionError(f"se_type '{se_type}' needs clusters", remedy="name the column with clusters=")
    known = ["classical", *UNCLUSTERED]
    raise OptionError(f"se_type '{se_type}' does not exist", remedy=nearest(se_type, known, "se_type"))


def solve(model: Model) -> Working:
    """Solve a model: effects taken out, rows multiplied by the root of their weights."""
    rows: Columns = model.X
    y, taken, basis = model.y, 0, None
    if model.absorbed:
        rows, y = _without_effects(model)
        taken = absorb.rank(model.absorbed)
        model = replace(model, names=tuple(name for name in model.names if name != INTERCEPT))
    if model.weights is not None:
        root = np.sqrt(model.weights)
        rows, y = rows.scaled(root), y * root
    fit = least_squares(rows, y, model.names)
    _check_residuals(model, fit, y)
    return Working(model, rows, y, fit, model.n - len(model.names) - taken, basis)


def _check_residuals(model: Model, fit: Fit, y: Array) -> None:
    """Raise PerfectFit when nothing is left to estimate with, unless there are no degrees of freedom to begin with."""
    if model.n <= len(model.names):
        return
    names = [name for name in model.names if name != INTERCEPT]
    shown = ", ".join(f"'{name}'" for name in names[:6]) + (" and others" if len(names) > 6 else "")
    size = math.sqrt(float(model.y @ model.y) / model.n) if model.absorbed else None
    by = " and ".join(part for part in (shown, "the absorbed effects" if model.absorbed else "") if part)
    refuse_exact_fit(fit.residuals, y, model.outcome, by or "the intercept", size)


def _without_effects(model: Model) -> tuple[Columns, Array]:
    kept = [i for i, name in enumerate(model.names) if name != INTERCEPT]
    stacked = np.column_stack([model.y, *(np.broadcast_to(model.X.columns[i], model.n) for i in kept)])
    size = np.linalg.norm(stacked, axis=0)
    clean = absorb.absorb(stacked, model.absorbed, model.weights)
    clean[:, np.linalg.norm(clean, axis=0) < 1e-10 * size] = 0.0
    clean = np.asfortranarray(clean)
    return Columns([clean[:, i + 1] for i in range(len(kept))], model.n), clean[:, 0]


def covariance_of(work: Working, convention: str) -> tuple[Array, Array]:
    """The covariance (k, k) and degrees of freedom (k,) under one convention."""
    covariance, dfs, _ = robust_covariance(work, convention)
    return covariance, dfs


def robust_covariance(work: Working, convention: str) -> tuple[Array, Array, list[int]]:
    """The same, and the places of coefficients that one row or cluster alone determines."""
    model, fit = work.model, work.fit
    k = len(model.names)
    if convention == "classical":
        return classical(fit, work.df_residual), np.full(k, float(work.df_residual)), []
    if convention in UNCLUSTERED:
        power = UNCLUSTERED[convention]
        extra = absorb.leverage(model.absorbed, model.weights) if model.absorbed else None
        covariance = robust(work.rows, fit, power, extra)
        factor = model.n / work.df_residual if convention == "HC1" else 1.0
        return covariance * factor, np.full(k, float(work.df_residual)), alone_in_design(work.rows, fit, extra)
    return _by_clusters(work, convention)


def _by_clusters(work: Working, convention: str) -> tuple[Array, Array, list[int]]:
    model = work.model
    assert model.clusters is not None
    grouping = Grouping.of(model.clusters)
    kind = "CR0" if convention == "CR2" and model.weights is not None else convention
    basis = absorb.basis(model.absorbed, model.weights) if model.absorbed and convention in ("CR2", "CR3") else None
    covariance, dfs, lone = cluster_robust(work.rows, work.fit, grouping, kind, basis)
    n, G = model.n, grouping.sizes.size
    if convention == "CR1":
        covariance = covariance * (G / (G - 1) * (n - 1) / work.df_residual)
    if convention == "CR3":
        dfs = np.full(len(model.names), G - 1.0)
    if kind != convention:
        covariance, dfs = _weighted(work, grouping)
    return covariance, dfs, lone


def _weighted(work: Working, grouping: Grouping) -> tuple[Array, Array]:
    """CR2 of a weighted fit; absorbed effects come back as columns, for the hat matrix needs them unweighted."""
    model = work.model
    assert model.weights is not None
    residuals = work.fit.residuals / np.sqrt(model.weights)
    if not model.absorbed:
        return weighted_cr2(model.X, residuals, model.weights, work.fit.Q, grouping)
    inside = absorb.basis(model.absorbed)
    own = work.rows.dense() / np.sqrt(model.weights)[:, None]
    full = Columns(list(np.asfortranarray(np.hstack([own, inside])).T), model.n)
    Q = least_squares(full.scaled(np.sqrt(model.weights)), work.y).Q
    covariance, dfs = weighted_cr2(full, residuals, model.weights, Q, grouping)
    k = len(model.names)
    return covariance[:k, :k], dfs[:k]


def described(convention: str, model: Model) -> str:
    """The convention in words for a table's foot."""
    words = {"CR1": "CR1 (Stata)", "CR2": "CR2, Satterthwaite df"}.get(convention, convention)
    if model.absorbed:
        words += ", effects absorbed"
    return words + (", weighted" if model.weights is not None else "")


def r_squared(work: Working, rss: float) -> float:
    """Share of the (weighted, within-effects) variance that the regression accounts for."""
    y, model = work.y, work.model
    if model.absorbed or INTERCEPT not in model.names:
        total = float(y @ y)
    else:
        root = np.ones_like(y) if model.weights is None else np.sqrt(model.weights)
        centred = y - root * (float(root @ y) / float(root @ root))
        total = float(centred @ centred)
    return 1.0 - rss / total if total > 0 else math.nan
