"""From a formula and a table to an outcome and a design matrix with names.

A formula of plain numeric columns is read here directly, because a general reading costs more than the whole
regression at a thousand rows. Everything else (factors, interactions, transformations) goes through formulaic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import DataError, FormulaError, MissingValues, UnknownColumn
from analysis.frame import Array, Codes, as_frame, check_finite, codes, column, complete, is_number, numbers, varied
from analysis.kernels.rows import Columns

INTERCEPT = "Intercept"
_PLAIN = re.compile(r"\s*(?:[A-Za-z_][\w.]*|[01])(?:\s*\+\s*(?:[A-Za-z_][\w.]*|[01]))*\s*\Z")


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A regression ready to be solved: n rows, k named columns, and who belongs to which cluster."""

    outcome: str
    y: Array
    X: Columns
    names: tuple[str, ...]
    keep: NDArray[np.bool_]
    weights: Array | None = None
    clusters: Codes | None = None
    absorbed: tuple[Codes, ...] = ()

    @property
    def n(self) -> int:
        return self.y.size

    @property
    def dropped(self) -> int:
        return int(self.keep.size - self.keep.sum())

    @property
    def n_clusters(self) -> int | None:
        return None if self.clusters is None else int(self.clusters.max()) + 1


def read_model(
    formula: str,
    data: Any,
    *,
    clusters: Any = None,
    weights: Any = None,
    fixed_effects: Any = None,
    also: Sequence[str] = (),
) -> Model:
    """Read `outcome ~ terms` against a table.

    Rows without a value in any column in use, or with weight zero, are left out and counted. `also` names further
    columns that must have a value. Raises FormulaError, UnknownColumn, MissingValues, ConstantOutcome.
    """
    frame = as_frame(data)
    left, right = sides(formula)
    side = {"cluster": [clusters], "weight": [weights], "fixed effect": effects(fixed_effects)}
    extra = {role: [column(frame, w, role) for w in which if w is not None] for role, which in side.items()}
    flat = [one for found in extra.values() for one in found] + [column(frame, name, "column") for name in also]
    plain = _plain_terms(frame, left, right)
    used = [column(frame, name, "column") for name in (plain[1] if plain else variables(formula, frame))]
    keep = complete(frame, [*used, *flat])
    weight = numbers(extra["weight"][0], "weight") if extra["weight"] else None
    if weight is not None:
        keep = keep & positive(weight, keep, str(extra["weight"][0].name))
    whole = bool(keep.all())
    rows = frame if whole else frame.loc[keep]
    if plain:
        y, X, names = _plain_design(rows, left, plain[0])
    else:
        y, X, names = _formulaic_design(rows, left, right)
    model = Model(left.strip(), varied(y, left.strip()), X, names, keep)
    return replace(
        model,
        weights=None if weight is None else weight[keep],
        clusters=codes(extra["cluster"][0][keep])[0] if extra["cluster"] else None,
        absorbed=tuple(codes(one[keep])[0] for one in extra["fixed effect"]),
    )


def positive(weight: Array, keep: NDArray[np.bool_], name: str) -> NDArray[np.bool_]:
    """Which rows, shape (n,), have a weight above zero; raises DataError for negative weights and for none at all."""
    if (weight[keep] < 0).any():
        raise DataError(f"the weight '{name}' is negative for some rows", remedy="weights are zero or more")
    found = weight > 0
    if not (found & keep).any():
        raise DataError(f"the weight '{name}' is zero for every row", remedy="look at the column of weights")
    return found


def sides(formula: str) -> tuple[str, str]:
    """The two sides of a formula.

    >>> sides("re78 ~ treat + age")
    ('re78', 'treat + age')
    """
    parts = formula.split("~") if isinstance(formula, str) else []
    if len(parts) != 2 or not parts[0].strip() or not parts[1].strip():
        raise FormulaError(f"'{formula}' is not a formula", remedy="write 'outcome ~ treatment + covariate'")
    return parts[0].strip(), parts[1].strip()


def effects(fixed_effects: Any) -> list[Any]:
    """Fixed effects as a list of columns; a formula '~ block + site' and a list name several sets of effects."""
    if fixed_effects is None:
        return []
    if isinstance(fixed_effects, str) and ("~" in fixed_effects or "+" in fixed_effects):
        return [part.strip() for part in fixed_effects.replace("~", "").split("+")]
    if isinstance(fixed_effects, (list, tuple)):
        return list(fixed_effects)
    return [fixed_effects]


def variables(formula: str, frame: pd.DataFrame) -> list[str]:
    """The columns that a formula needs; raises UnknownColumn for one that the table lacks."""
    needed = sorted(str(name) for name in _formula(formula).required_variables)
    for name in needed:
        if name not in frame.columns:
            raise UnknownColumn(name, frame.columns, path=(formula,))
        if frame[name].dtype.kind in "mM" and f"C({name}" not in formula:
            raise DataError(
                f"'{name}' holds dates or durations, which a regression cannot use as they are",
                remedy="turn it into a number, such as days since the start",
            )
    return needed


def design(terms: str, rows: pd.DataFrame) -> tuple[list[Array], tuple[str, ...]]:
    """The columns of one side of a formula and their names, on rows without missing values."""
    matrix = _matrix(_formula(terms), rows)
    if not isinstance(matrix, pd.DataFrame):
        raise FormulaError(f"'{terms}' has more than one part", remedy="instruments after a | belong in iv_robust")
    names = tuple(str(name) for name in matrix.columns)
    columns = [np.ascontiguousarray(matrix.iloc[:, i].to_numpy(dtype=float)) for i in range(len(names))]
    for name, values in zip(names, columns, strict=True):
        if not np.isfinite(values).all():
            raise MissingValues(
                f"the term '{name}' is missing or infinite for {int((~np.isfinite(values)).sum())} rows",
                remedy="look at the transformation, for example a logarithm of zero",
            )
    return columns, names


def _plain_terms(frame: pd.DataFrame, left: str, right: str) -> tuple[list[str], list[str]] | None:
    """The terms of a formula of numeric columns and the columns it uses, or None when it is more than that."""
    if left not in frame.columns or not is_number(frame[left]) or not _PLAIN.match(right):
        return None
    terms = list(dict.fromkeys(part.strip() for part in right.split("+")))
    names = [term for term in terms if term not in ("0", "1")]
    for name in names:
        if name in frame.columns and not is_number(frame[name]):
            return None
        if name not in frame.columns:
            raise UnknownColumn(name, frame.columns, path=(f"{left} ~ {right}",))
    return terms, [left, *names]


def _plain_design(rows: pd.DataFrame, left: str, terms: list[str]) -> tuple[Array, Columns, tuple[str, ...]]:
    names = [term for term in terms if term not in ("0", "1")]
    columns: list[Any] = [] if "0" in terms else [1.0]
    for name in names:
        values = rows[name].to_numpy()
        if values.dtype.kind not in "fiub":
            values = rows[name].to_numpy(dtype=float)
        if values.dtype.kind == "f":
            check_finite(values, name)
        columns.append(values)
    if not columns:
        raise FormulaError(f"'{left} ~ {' + '.join(terms)}' has no term", remedy="name a treatment after the tilde")
    named = tuple([] if "0" in terms else [INTERCEPT]) + tuple(names)
    return numbers(rows[left], "outcome"), Columns(columns, len(rows)), named


def _formulaic_design(rows: pd.DataFrame, left: str, right: str) -> tuple[Array, Columns, tuple[str, ...]]:
    if left in rows.columns:
        y = numbers(rows[left], "outcome")
    else:
        outcome, _ = design(f"{left} - 1", rows)
        if len(outcome) != 1:
            raise FormulaError(f"'{left}' is not one numeric outcome", remedy="write for example I(column == 'value')")
        y = outcome[0]
    columns, names = design(right, rows)
    if not columns:
        raise FormulaError(f"'{left} ~ {right}' has no term", remedy="name a treatment after the tilde")
    columns = [1.0 if name == INTERCEPT else values for name, values in zip(names, columns, strict=True)]
    return y, Columns(columns, len(rows)), names


def _formula(formula: str) -> Any:
    import formulaic
    from formulaic.errors import FormulaicError

    reader: Any = formulaic.Formula
    try:
        return reader(formula)
    except (FormulaicError, SyntaxError, ValueError) as error:
        raise FormulaError(f"'{formula}' cannot be read: {error}") from error


def _matrix(formula: Any, rows: pd.DataFrame) -> pd.DataFrame:
    from formulaic.errors import FormulaicError
    from formulaic.transforms import C

    needed = [str(name) for name in formula.required_variables]
    texts = [name for name in needed if name in rows and isinstance(rows[name].dtype, pd.StringDtype)]
    rows = rows.astype(dict.fromkeys(texts, object)) if texts else rows  # formulaic knows text as objects only
    try:
        with np.errstate(all="ignore"):  # what is not finite is named by its term afterwards
            return formula.get_model_matrix(rows, context={"factor": C}, na_action="ignore", output="pandas")
    except FormulaicError as error:
        raise FormulaError(f"'{formula}' cannot be computed: {error}") from error
