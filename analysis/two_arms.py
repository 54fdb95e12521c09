"""Two arms of a table as plain arrays, for the functions that a researcher may also hand arrays.

Bounds, balance, costs and looks are about two arms. In a notebook they are called on a table with the names of its
columns, `lee_bounds(people, "hours", "arm")`; inside a plan the arrays are there already, `lee_bounds(y, treated)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import OptionError
from analysis.estimate import Array
from analysis.frame import as_frame, column, numbers, of_trial, two_arms


def is_table(data: Any) -> bool:
    """Whether this is a data frame, a mapping of columns or a trial, and not an array."""
    return isinstance(data, (pd.DataFrame, Mapping)) or isinstance(getattr(data, "data", None), pd.DataFrame)


def arrays_of(
    data: Any,
    given: Sequence[Any],
    arm: Any = None,
    *,
    treated: Any = None,
    control: Any = None,
    labels: Mapping[str, Any] | None = None,
) -> tuple[list[Array], Array, dict[str, Any]]:
    """The columns of two arms as arrays of floats, who is treated as truth values, and further columns by name.

    From a table `given` names the columns. From arrays `data` is the first, `given` are the others and the last one
    says who is treated. `labels` are columns (or arrays, or None) that need not be numbers. Rows outside the two arms
    are left out.

    >>> table = pd.DataFrame({"y": [1.0, 2.0, 3.0], "arm": ["a", "b", "c"]})
    >>> arrays_of(table, ["y"], "arm", treated="b", control="a")[:2]
    ([array([1., 2.])], array([False,  True]))
    >>> arrays_of([1.0, 2.0], [[True, False]])[:2]
    ([array([1., 2.])], array([ True, False]))
    """
    extra = dict(labels or {})
    if not is_table(data):
        if arm is not None or treated is not None or control is not None:
            raise OptionError("arm, treated and control name columns and arms of a table", remedy="hand in the table")
        values = [np.asarray(one, float) for one in (data, *given[:-1])]
        return values, np.asarray(given[-1], bool), extra
    frame, z, rows = _rows(data, arm, treated, control)
    values = [numbers(column(frame, name, "column"), "column")[rows] for name in given]
    extra = {
        name: None if which is None else column(frame, which, name).to_numpy()[rows] for name, which in extra.items()
    }
    return values, z, extra


def covariates_of(
    data: Any, names: Any, arm: Any, treated: Any, control: Any, labels: Mapping[str, Any] | None = None
) -> tuple[Array, list[str], Array, dict[str, Any]]:
    """Baseline covariates of two arms as numbers, shape (n, k), their names, who is treated, and further columns.

    From a table labels become indicators, one for every level but the first, and missing values get one too.
    """
    from analysis.covariates import encode

    frame, z, rows = _rows(data, arm, treated, control)
    table = encode(frame.iloc[rows].reset_index(drop=True), [names] if isinstance(names, str) else list(names))
    extra = {
        name: None if which is None else column(frame, which, name).to_numpy()[rows]
        for name, which in dict(labels or {}).items()
    }
    return table.values, list(table.names), z, extra


def _rows(data: Any, arm: Any, treated: Any, control: Any) -> tuple[pd.DataFrame, Array, Array]:
    frame = as_frame(data).reset_index(drop=True)
    name = of_trial(data, "arm", arm)
    if name is None:
        raise OptionError("it is not said which column holds the arms", remedy="name it, for example arm='arm'")
    series = column(frame, name, "arm")
    known = np.flatnonzero(series.notna().to_numpy())
    arms, mine = two_arms(series.iloc[known], treated, of_trial(data, "control", control))
    return frame, arms.indicator == 1, known[mine]
