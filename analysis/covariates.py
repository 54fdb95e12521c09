"""Baseline covariates as numbers, decided without looking at arms or outcomes.

Missing values never cost a participant: a number gets the mean of the known ones and an indicator column says that it
was missing; a missing label is a level of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.trial import as_text, column_of, numeric, require_columns

MOST_LEVELS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Numeric columns, shape (n, k), with readable `names`, the covariate each comes from, and those left out."""

    values: np.ndarray
    names: tuple[str, ...]
    origin: tuple[str, ...]
    constant: tuple[str, ...]
    missing: dict[str, int]

    def of(self, rows: np.ndarray, arms: np.ndarray | None = None) -> Chosen:
        """The columns that vary within `rows` (boolean, shape (n,)), and within each of the `arms` there if given.

        Within an arm a column varies when at least two people differ from the value that is most common: one person
        alone would decide the coefficient and have no residual.
        """
        part = self.values[rows]
        groups = [part] if arms is None else [part[arms[rows] == name] for name in np.unique(arms[rows])]
        least = 1 if arms is None else 2
        keep = [
            place for place in range(part.shape[1]) if all(_differing(group[:, place]) >= least for group in groups)
        ]
        return Chosen(
            part[:, keep],
            tuple(self.names[place] for place in keep),
            tuple(name for place, name in enumerate(self.names) if place not in keep),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The covariate columns of some rows: `values` (m, k), their `names`, and those `left_out` for not varying."""

    values: np.ndarray
    names: tuple[str, ...]
    left_out: tuple[str, ...]


def encode(data: pd.DataFrame, columns: Iterable[str], *, all_levels: bool = False) -> Covariates:
    """Numbers for the named columns: numbers as they are, labels as indicators (the first level left out).

    With `all_levels` every level of a label gets a column, as a balance table wants. A column with one value is left
    out and named in `constant`. Raises `UnknownColumn`, and `DataError` for a label with more than 30 levels.

    >>> table = encode(pd.DataFrame({"age": [30, None, 50], "sex": ["f", "m", "f"]}), ["age", "sex"])
    >>> table.names, table.values[:, 0].tolist()
    (('age', 'age (missing)', 'sex: m'), [30.0, 40.0, 50.0])
    """
    columns = list(columns)
    require_columns(data, columns)
    parts: list[np.ndarray] = []
    names: list[str] = []
    origin: list[str] = []
    constant: list[str] = []
    missing: dict[str, int] = {}
    for column in columns:
        missing[column] = int(column_of(data, column).isna().to_numpy().sum())
        found = _numbers(data, column) if _is_number(column_of(data, column)) else _levels(data, column, all_levels)
        kept = [(name, values) for name, values in found if np.ptp(values) > 0]
        if not kept:
            constant.append(column)
        for name, values in kept:
            names.append(name)
            origin.append(column)
            parts.append(values)
    values = np.column_stack(parts) if parts else np.empty((len(data), 0))
    return Covariates(values, tuple(names), tuple(origin), tuple(constant), missing)


def independent(X: np.ndarray) -> list[int]:
    """The places of the columns of X, shape (n, k), that are no combination of the columns before them.

    >>> independent(np.array([[1.0, 2, 0], [1, 2, 1]]))
    [0, 2]
    """
    kept: list[int] = []
    basis = np.empty((len(X), 0))
    for place in range(X.shape[1]):
        column = X[:, place]
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)  # once more: one pass loses digits when columns are nearly parallel
        size = np.linalg.norm(rest)
        if size > 1e-8 * max(float(np.linalg.norm(column)), 1e-300):
            kept.append(place)
            basis = np.column_stack([basis, rest / size])
    return kept


def _differing(values: np.ndarray) -> int:
    """How many values differ from the most common one."""
    return len(values) - int(np.unique(values, return_counts=True)[1].max()) if len(values) else 0


def _is_number(series: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(series) or bool(series.isna().all())


def _numbers(data: pd.DataFrame, column: str) -> list[tuple[str, np.ndarray]]:
    values = numeric(data, column).to_numpy(copy=True)
    absent = np.isnan(values)
    if absent.all():
        return [(column, np.zeros(len(values)))]
    values[absent] = values[~absent].mean()
    return [(column, values), (f"{column} (missing)", absent.astype(float))]


def _levels(data: pd.DataFrame, column: str, all_levels: bool) -> list[tuple[str, np.ndarray]]:
    values = column_of(data, column)
    labels = as_text(values.astype(object).where(values.notna(), "(missing)"))
    levels = sorted(labels.unique())
    if len(levels) > MOST_LEVELS:
        raise DataError(
            f"covariate '{column}' has {len(levels)} different labels",
            remedy=f"a label used as a covariate has at most {MOST_LEVELS}; group them or leave it out",
        )
    return [(f"{column}: {level}", (labels == level).to_numpy(float)) for level in levels[0 if all_levels else 1 :]]
