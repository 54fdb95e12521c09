"""The one way in from a table: columns by name, rows with missing values left out and counted, labels turned to codes.

Every estimator reads its table here, so that a missing value, an infinite one or a column that does not exist is met
with the same sentence everywhere.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import ConstantOutcome, DataError, MissingValues, OptionError, UnknownColumn, nearest

Array = NDArray[Any]
Codes = NDArray[np.intp]
Column = str | Sequence[str] | NDArray[Any] | pd.Series
CONTROLS = ("control", "placebo")


def as_frame(data: Any) -> pd.DataFrame:
    """A data frame from a data frame, a mapping of columns, or a trial (whose `data` it takes)."""
    if isinstance(data, pd.DataFrame):
        return data
    inner = getattr(data, "data", None)
    if isinstance(inner, pd.DataFrame):
        return inner
    if isinstance(data, Mapping):
        return pd.DataFrame(data)
    raise DataError(
        f"data of type '{type(data).__name__}' cannot be read", remedy="hand in a pandas DataFrame or a Trial"
    )


def of_trial(data: Any, name: str, given: Any) -> Any:
    """An argument as given, or else what a trial itself knows under `name` (arm, control, clusters, …)."""
    if given is not None or isinstance(data, (pd.DataFrame, Mapping)):
        return given
    known = getattr(data, name, None)
    return None if known is None or (isinstance(known, tuple) and not known) else known


def column(frame: pd.DataFrame, which: Any, role: str) -> pd.Series:
    """One column by name, several joined into one label, or an array of the table's length.

    >>> column(pd.DataFrame({"score": [1, 2]}), "scoer", "outcome")
    Traceback (most recent call last):
    analysis.errors.UnknownColumn: the data have no column 'scoer'; did you mean 'score'?
    """
    if isinstance(which, str) or (isinstance(which, Hashable) and not isinstance(which, tuple)):
        if which not in frame.columns:
            raise UnknownColumn(which, frame.columns, path=(role,))
        found = frame[which]
        if isinstance(found, pd.DataFrame):
            raise DataError(f"the data have more than one column '{which}'", remedy="rename all but one")
        return found
    if isinstance(which, (list, tuple)) and all(isinstance(part, str) for part in which):
        parts = [column(frame, part, role) for part in which]
        if len(parts) == 1:
            return parts[0]
        missing = np.logical_or.reduce([part.isna().to_numpy() for part in parts])
        group = frame.groupby([part.to_numpy() for part in parts], sort=True, dropna=False).ngroup()
        return pd.Series(np.where(missing, np.nan, group), index=frame.index, name="|".join(which))
    values = np.asarray(which)
    if values.shape != (len(frame),):
        raise DataError(f"the {role} has shape {values.shape} for a table of {len(frame)} rows")
    return pd.Series(values, index=frame.index, name=role)


def is_number(series: Any) -> bool:
    """Whether a column holds numbers (truth values count as 0 and 1)."""
    return pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_complex_dtype(series)


def numbers(series: Any, role: str) -> Array:
    """A column as floats, missing values as NaN; raises DataError for text and MissingValues for infinite values."""
    if not is_number(series):
        try:
            converted = series.astype(float) if series.dtype == object else None
        except (TypeError, ValueError):
            converted = None
        if converted is None:
            raise DataError(
                f"the {role} '{series.name}' holds text, not numbers",
                remedy="code it as numbers, for example I(column == 'value')",
            )
        series = converted
    values = series.to_numpy(dtype=float, na_value=np.nan)
    check_finite(values, str(series.name), role)
    return values


def check_finite(values: Array, name: str, role: str = "column") -> None:
    """Raise MissingValues when a column holds infinite values (missing ones are another matter)."""
    if np.isinf(values).any():
        raise MissingValues(
            f"the {role} '{name}' holds {int(np.isinf(values).sum())} infinite values",
            remedy="correct them, or mark them as missing",
        )


def complete(frame: pd.DataFrame, series: Sequence[pd.Series]) -> NDArray[np.bool_]:
    """Which rows have a value in every one of these columns, shape (n,)."""
    keep = np.ones(len(frame), dtype=bool)
    for one in series:
        keep &= one.notna().to_numpy()
    if not keep.any():
        names = ", ".join(f"'{one.name}'" for one in series)
        raise MissingValues(
            f"no row has a value in all of {names}" if len(frame) else "the table has no rows",
            remedy="look for a column that is empty",
        )
    return keep


def codes(series: Any) -> tuple[Codes, list[Any]]:
    """Labels as numbers 0, 1, … in the order of a categorical, else sorted; only labels that occur."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.cat.remove_unused_categories()
        return series.cat.codes.to_numpy().astype(np.intp), list(series.cat.categories)
    values = series.to_numpy()
    try:
        found, uniques = pd.factorize(values, sort=True)
    except TypeError:
        found, uniques = pd.factorize(series.astype(str).to_numpy(), sort=True)
    return found.astype(np.intp), [_written(u.item() if isinstance(u, np.generic) else u) for u in uniques]


def _written(label: Any) -> Any:
    """A whole number without the decimals that a missing value elsewhere in its column gave it."""
    return int(label) if isinstance(label, float) and label.is_integer() else label


def varied(y: Array, name: str) -> Array:
    """The outcome itself; raises ConstantOutcome when it takes one value only."""
    if y.size < 2 or float(y.max()) == float(y.min()):
        raise ConstantOutcome(
            f"the outcome '{name}' takes one value only, so it says nothing about any effect",
            remedy="look whether the right column and rows were chosen",
        )
    return y


@dataclass(frozen=True, slots=True)
class Arms:
    """Two arms of a table: their labels and, for each kept row, 1 for treated and 0 for control."""

    treated: Any
    control: Any
    indicator: Array
    column: str = "arm"

    @property
    def name(self) -> str:
        """The contrast in the arms' own names, or the column's name where the arms are only numbers."""
        if isinstance(self.treated, str) or isinstance(self.control, str):
            return f"{self.treated} - {self.control}"
        return self.column


def control_label(labels: Sequence[Any], control: Any = None) -> Any:
    """The comparison arm: as given, else the one called control or placebo, else the first in order."""
    if control is not None:
        return known_label(labels, control)
    named = [label for label in labels if str(label).strip().casefold() in CONTROLS]
    return named[0] if len(named) == 1 else labels[0]


def known_label(labels: Sequence[Any], label: Any) -> Any:
    """The label as the data write it; raises OptionError naming the nearest one."""
    for known in labels:
        if known == label or str(known) == str(label):
            return known
    raise OptionError(f"no participant is in arm '{label}'", remedy=nearest(label, labels, "arm"))


def two_arms(series: Any, treated: Any = None, control: Any = None) -> tuple[Arms, NDArray[np.bool_]]:
    """The contrast that was asked for, and which of the given rows belong to it.

    With two arms in the data nothing need be said; with more, the treated arm must be named.
    """
    found, labels = codes(series)
    if len(labels) < 2:
        raise DataError(f"everybody is in arm '{labels[0]}'" if labels else "nobody has an arm",
                        remedy="two arms are needed for a comparison")  # fmt: skip
    if treated is not None and control is None and len(labels) == 2:
        chosen = known_label(labels, treated)
        control = next(label for label in labels if label != chosen)
    against = control_label(labels, control)
    if treated is None:
        others = [label for label in labels if label != against]
        if len(others) > 1:
            raise OptionError(
                f"the data have {len(labels)} arms: {', '.join(str(label) for label in labels)}",
                remedy=f"say which to compare, for example treated='{others[0]}', control='{against}'",
            )
        treated = others[0]
    treated = known_label(labels, treated)
    if treated == against:
        raise OptionError(f"arm '{treated}' cannot be compared with itself")
    one, zero = labels.index(treated), labels.index(against)
    keep = (found == one) | (found == zero)
    return Arms(treated, against, (found[keep] == one).astype(float), str(series.name)), keep
