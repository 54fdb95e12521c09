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
from analysis.trial import as_text, numeric, require_columns

MOST_LEVELS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Numeric columns, shape (n, k), with readable `names`, the covariate each comes from, and those left out."""

    values: np.ndarray
    names: tuple[str, ...]
    origin: tuple[str, ...]
    constant: tuple[str, ...]
    missing: dict[str, int]

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """The columns that vary within `rows` (boolean, shape (n,)), and their names."""
        part = self.values[rows]
        varies = np.ptp(part, axis=0) > 0 if part.size else np.zeros(part.shape[1], bool)
        return part[:, varies], tuple(name for name, keep in zip(self.names, varies, strict=True) if keep)


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
        missing[column] = int(data[column].isna().sum())
        found = _numbers(data, column) if _is_number(data[column]) else _levels(data, column, all_levels)
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


def _is_number(series: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(series) or series.isna().all()


def _numbers(data: pd.DataFrame, column: str) -> list[tuple[str, np.ndarray]]:
    values = numeric(data, column).to_numpy(copy=True)
    absent = np.isnan(values)
    if absent.all():
        return [(column, np.zeros(len(values)))]
    values[absent] = values[~absent].mean()
    return [(column, values), (f"{column} (missing)", absent.astype(float))]


def _levels(data: pd.DataFrame, column: str, all_levels: bool) -> list[tuple[str, np.ndarray]]:
    labels = as_text(data[column].astype(object).where(data[column].notna(), "(missing)"))
    levels = sorted(labels.unique())
    if len(levels) > MOST_LEVELS:
        raise DataError(
            f"covariate '{column}' has {len(levels)} different labels",
            remedy=f"a label used as a covariate has at most {MOST_LEVELS}; group them or leave it out",
        )
    return [(f"{column}: {level}", (labels == level).to_numpy(float)) for level in levels[0 if all_levels else 1 :]]
