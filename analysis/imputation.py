"""Multiple imputation: missing values drawn several times, within each arm, and the spread of the draws kept.

A value filled in once looks as certain as one that was measured. Filled in many times, from a model that is itself
drawn anew, the differences between the completed tables say how much is not known. Rubin (1987), Multiple Imputation
for Nonresponse in Surveys; Barnard and Rubin (1999), Biometrika 86; van Buuren (2018), Flexible Imputation of Missing
Data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.covariates import independent
from analysis.errors import DataError, DesignNotEstimable, OptionError
from analysis.estimate import Estimate, from_scale, on_scale
from analysis.frame import as_frame, codes, column, numbers, of_trial

Array = NDArray[Any]
DONORS = 5
RIDGE = 1e-5
SOURCE = "Rubin (1987); Barnard and Rubin (1999)"


def impute(
    data: Any,
    columns: Sequence[str],
    arm: str | None = None,
    *,
    predictors: Sequence[str] = (),
    times: int = 20,
    rounds: int = 10,
    seed: int = 1,
) -> list[pd.DataFrame]:
    """`times` completed copies of the table: gaps in the numeric `columns` drawn by chained equations within each arm.

    Every column is regressed in turn on the others and on `predictors` (numbers or labels without gaps); coefficients
    and variance are drawn from their posterior, and a gap takes the value of one of the five people of its own arm
    whose predictions come nearest (predictive mean matching), so that yes/no stays yes/no and nothing leaves its range.
    Imputing within arms keeps an effect that differs between people. Rows without an arm are left as they are.

    Raises DataError for text in `columns`, gaps in `predictors` or an arm with too few known values, OptionError.

    >>> data = pd.DataFrame({"arm": [0, 1] * 30, "x": np.arange(60.0), "y": np.arange(60.0) % 7})
    >>> data.loc[3, "y"] = np.nan
    >>> tables = impute(data, ["y"], "arm", predictors=["x"], times=5)
    >>> len(tables), all(0 <= table.loc[3, "y"] <= 6 for table in tables)
    (5, True)
    """
    if times < 2 or rounds < 1:
        raise OptionError(f"{times} imputations of {rounds} rounds were asked for", remedy="use 20 of 10")
    if not columns:
        raise OptionError("no column was named to impute", remedy="name the columns with gaps")
    frame = as_frame(data)
    arm = of_trial(data, "arm", arm)
    if arm is None:
        raise OptionError("it is not said which column holds the arms", remedy="name it, for example arm='arm'")
    group = codes(column(frame, arm, "arm"))[0]
    values = np.column_stack([numbers(column(frame, name, "column"), "column") for name in columns])
    known = _predictors(frame, predictors)
    for code in np.unique(group[group >= 0]):
        _check_arm(values[group == code], columns)
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(times):
        filled = values.copy()
        for code in np.unique(group[group >= 0]):
            rows = group == code
            filled[rows] = _chained(values[rows], known[rows], rounds, rng)
        tables.append(frame.assign(**{name: filled[:, j] for j, name in enumerate(columns)}))
    return tables


def _predictors(frame: pd.DataFrame, names: Sequence[str]) -> Array:
    parts = []
    for name in names:
        series = column(frame, name, "predictor")
        if series.isna().any():
            raise DataError(f"the predictor '{name}' has gaps", remedy="name it among the columns to impute")
        if pd.api.types.is_numeric_dtype(series):
            parts.append(series.to_numpy(dtype=float))
        else:
            parts += [(codes(series)[0] == level).astype(float) for level in range(1, len(codes(series)[1]))]
    return np.column_stack(parts) if parts else np.empty((len(frame), 0))


def _check_arm(values: Array, columns: Sequence[str]) -> None:
    for j, name in enumerate(columns):
        count = int((~np.isnan(values[:, j])).sum())
        if count < values.shape[0] and count < 2 * DONORS:
            raise DataError(
                f"'{name}' is known for {count} people of an arm, too few to draw from", remedy="use bounds instead"
            )


def _chained(values: Array, known: Array, rounds: int, rng: np.random.Generator) -> Array:
    gaps = np.isnan(values)
    filled = values.copy()
    for j in np.flatnonzero(gaps.any(axis=0)):
        filled[gaps[:, j], j] = rng.choice(values[~gaps[:, j], j], int(gaps[:, j].sum()))
    order = [j for j in np.argsort(gaps.sum(axis=0), kind="stable") if gaps[:, j].any()]
    others_missing = len(order) > 1
    for _ in range(rounds if others_missing else 1):
        for j in order:
            X = np.column_stack([np.ones(len(filled)), known, np.delete(filled, j, axis=1)])
            X = X[:, independent(X)]
            filled[gaps[:, j], j] = _matched(X, values[:, j], gaps[:, j], rng)
    return filled


def _matched(X: Array, y: Array, gap: NDArray[np.bool_], rng: np.random.Generator) -> Array:
    """Predictive mean matching of type 1: predictions of the donors by the fit, of the gaps by drawn coefficients."""
    inside, target = X[~gap], y[~gap]
    n, k = inside.shape
    gram = inside.T @ inside
    gram = gram + np.diag(RIDGE * np.diag(gram))
    beta = np.linalg.solve(gram, inside.T @ target)
    residuals = target - inside @ beta
    sigma = math.sqrt(float(residuals @ residuals) / rng.chisquare(max(n - k, 1)))
    root = np.linalg.cholesky(np.linalg.inv(gram))
    drawn = beta + sigma * root @ rng.normal(size=k)
    fitted, wanted = inside @ beta, X[gap] @ drawn
    order = np.argsort(fitted, kind="stable")
    places = np.clip(np.searchsorted(fitted[order], wanted), 0, n)
    picked = np.empty(wanted.size)
    for i, place in enumerate(places):
        low, high = max(0, place - DONORS), min(n, place + DONORS)
        near = order[low:high][np.argsort(np.abs(fitted[order[low:high]] - wanted[i]), kind="stable")[:DONORS]]
        picked[i] = target[rng.choice(near)]
    return picked


def imputed(tables: Sequence[pd.DataFrame], estimate: Callable[[pd.DataFrame], Estimate]) -> Estimate:
    """One estimate from completed tables: `estimate` is applied to each and Rubin's rules join them.

    The variance is the mean of the variances plus (1 + 1/m) times the variance between the values; degrees of freedom
    are those of Barnard and Rubin, which never exceed those of the complete data. A ratio is joined on the log scale.
    `extras` holds the share of the variance that the missing values add (`missing_share`) and `fraction_missing`.

    Raises OptionError for fewer than two tables.

    >>> import analysis
    >>> data = pd.DataFrame({"arm": [0, 1] * 30, "x": np.arange(60.0), "y": np.arange(60.0) % 7})
    >>> data.loc[[3, 8, 20], "y"] = np.nan
    >>> tables = impute(data, ["y"], "arm", predictors=["x"])
    >>> found = imputed(tables, lambda table: analysis.difference_in_means(table, "y", "arm"))
    >>> found.n, found.extras["imputations"], found.df < 58
    (60, 20, True)
    """
    found = [estimate(table) for table in tables]
    m = len(found)
    if m < 2:
        raise OptionError(f"{m} tables cannot be joined by Rubin's rules", remedy="impute 20 times")
    first = found[0]
    values = np.array([on_scale(one.value, one.scale) for one in found])
    within = float(np.mean([one.se**2 for one in found]))
    between = float(values.var(ddof=1))
    total = within + (1 + 1 / m) * between
    if not np.isfinite(values).all() or total <= 0:
        raise DesignNotEstimable("a completed table gave no finite estimate")
    share = (1 + 1 / m) * between / total
    df = joined_df(share, m, float(np.mean([one.df for one in found])))
    return Estimate.of(
        first.name, from_scale(float(values.mean()), first.scale), math.sqrt(total), df=df, n=first.n,
        estimand=first.estimand, convention=f"{first.convention}; {m} imputations within arms, Rubin's rules",
        source=SOURCE, dropped=first.dropped, scale=first.scale,
        extras={"imputations": m, "missing_share": share, "fraction_missing": _fraction(share, df)},
    )  # fmt: skip


def joined_df(share: float, m: int, complete: float) -> float:
    """Barnard and Rubin's degrees of freedom for a share of variance due to missing values and m imputations.

    >>> round(joined_df(0.3, 5, 50.0), 3), joined_df(0.0, 5, 50.0) < 50
    (19.16, True)
    """
    old = math.inf if share == 0 else (m - 1) / share**2
    if math.isinf(complete):
        return old
    seen = (complete + 1) / (complete + 3) * complete * (1 - share)
    return seen if math.isinf(old) else old * seen / (old + seen)


def _fraction(share: float, df: float) -> float:
    """The fraction of information about the estimate that is missing."""
    if math.isinf(df):
        return share
    rise = share / (1 - share)
    return (rise + 2 / (df + 3)) / (rise + 1)
