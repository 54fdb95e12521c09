"""A trial as the analysis sees it: one checked row per participant, and which column says what.

Everything downstream (estimates, balance, attrition, the plan) trusts a `Trial` and checks nothing again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from analysis.errors import DataError, MissingValues, UnknownColumn, nearest

if TYPE_CHECKING:
    from randomization import Design


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One row per participant with the arm that was allocated, whatever happened afterwards.

    `data` is copied and its arm column turned into text, so that 0/1 in a file and "0"/"1" in a design are the same
    arm. `arms` are those of the design in the design's order, or else those of the data in sorted order. `strata`
    defaults to the columns of the design. `clusters`, `pairs`, `identity` and `probability` name columns when given.

    Raises `UnknownColumn`, `MissingValues` and `DataError` when a row cannot belong to this trial: an arm unknown to
    the design, one participant twice, no stratum, a cluster in two arms or two strata, a pair of three.

    >>> data = pd.DataFrame({"arm": ["portal", "advice", "portal", "advice"], "score": [1.0, 2.0, 3.0, 5.0]})
    >>> trial = Trial(data, control="portal")
    >>> trial.arms, trial.n, trial.counts()
    (('advice', 'portal'), 4, {'advice': 2, 'portal': 2})
    """

    data: pd.DataFrame
    arm: str = "arm"
    control: str | None = None
    design: Design | None = None
    strata: tuple[str, ...] = ()
    clusters: str | None = None
    pairs: str | None = None
    identity: str | None = None
    probability: str | None = None
    arms: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        if not isinstance(self.data, pd.DataFrame):
            raise DataError(
                f"a trial is made of a data frame, not of {type(self.data).__name__}",
                remedy="read a file with analysis.read_data(path)",
            )
        if self.data.empty:
            raise DataError("the data hold no participants")
        put(self, "strata", tuple(self.strata) or tuple(getattr(self.design, "strata", ()) or ()))
        wanted = [self.arm, *self.strata, self.clusters, self.pairs, self.identity, self.probability]
        require_columns(self.data, [name for name in wanted if name is not None])
        _refuse_missing(self.data, [name for name in wanted if name is not None])
        data = self.data.copy()
        data[self.arm] = as_text(column_of(data, self.arm))
        put(self, "data", data)
        put(self, "arms", self._known_arms())
        if self.control is not None and self.control not in self.arms:
            raise DataError(
                f"the control arm '{self.control}' is no arm of this trial",
                remedy=nearest(self.control, self.arms, "arm"),
            )
        self._check_identity()
        self._check_clusters()
        self._check_pairs()
        self._check_probability()

    @property
    def n(self) -> int:
        """The number of participants allocated."""
        return len(self.data)

    def counts(self) -> dict[str, int]:
        """The number of participants allocated to each arm, in the order of `arms`."""
        arm = self.data[self.arm].to_numpy()
        return {name: int((arm == name).sum()) for name in self.arms}

    def stratum(self) -> pd.Series:
        """The stratum of each participant as one text; a single stratum when the design has none."""
        return joined(self.data, self.strata)

    def rows(self, keep: np.ndarray) -> pd.DataFrame:
        """The rows for which the boolean array `keep`, shape (n,), is true."""
        return cast(pd.DataFrame, self.data.loc[keep])

    def _known_arms(self) -> tuple[str, ...]:
        found = list(dict.fromkeys(self.data[self.arm]))
        if self.design is None:
            return tuple(sorted(found))
        known = tuple(str(getattr(arm, "name", arm)) for arm in self.design.arms)
        for arm in found:
            if arm not in known:
                row = self.data.index[self.data[self.arm] == arm][0]
                raise DataError(
                    f"row {row}: arm '{arm}' in column '{self.arm}' is not an arm of the design ({', '.join(known)})",
                    remedy=nearest(arm, known, "arm"),
                )
        return known

    def _check_identity(self) -> None:
        if self.identity is None:
            return
        twice = column_of(self.data, self.identity).duplicated().to_numpy()
        if twice.any():
            raise DataError(
                f"participant '{self.data[self.identity].to_numpy()[twice][0]}' stands on more than one row "
                f"({int(twice.sum())} rows too many in column '{self.identity}')",
                remedy="keep one row per participant, with the arm allocated first",
            )

    def _check_clusters(self) -> None:
        if self.clusters is None:
            return
        for column in (self.arm, *self.strata):
            spread = cast(pd.Series, self.data.groupby(self.clusters, observed=True)[column].nunique())
            several = spread.index.to_numpy()[spread.to_numpy() > 1]
            if len(several) and (column != self.arm or self._allocates_clusters()):
                where = "arm" if column == self.arm else f"value of stratum column '{column}'"
                raise DataError(
                    f"cluster '{several[0]}' has more than one {where}",
                    remedy="a cluster was allocated as a whole: correct its rows or name another cluster column",
                )

    def _allocates_clusters(self) -> bool:
        inner = getattr(self.design, "base", self.design)
        return self.design is None or getattr(inner, "clusters", None) == self.clusters

    def _check_pairs(self) -> None:
        if self.pairs is None:
            return
        sizes = column_of(self.data, self.pairs).value_counts()
        largest = 2 if self.design is None else max(2, len(self.design.arms))
        if int(sizes.iloc[0]) > largest:
            raise DataError(
                f"pair '{sizes.index[0]}' has {int(sizes.iloc[0])} members",
                remedy=f"a set has one member for each arm, here {largest}",
            )
        arms = cast(pd.Series, self.data.groupby(self.pairs, observed=True)[self.arm].nunique())
        size = {pair: int(n) for pair, n in zip(sizes.index, sizes.to_numpy(), strict=True)}
        same = [pair for pair, n in zip(arms.index, arms.to_numpy(), strict=True) if n < size[pair]]
        if same:
            raise DataError(f"two members of pair '{same[0]}' are in the same arm")

    def _check_probability(self) -> None:
        if self.probability is None:
            return
        values = numeric(self.data, self.probability).to_numpy()
        if not ((values > 0) & (values < 1)).all():
            row = self.data.index[~((values > 0) & (values < 1))][0]
            raise DataError(
                f"row {row}: the probability in column '{self.probability}' does not lie between 0 and 1",
                remedy="give the probability with which this person could get the arm that was allocated",
            )


def column_of(data: pd.DataFrame, name: str) -> pd.Series:
    """One column of a table whose column names are known to be unique."""
    return cast(pd.Series, data[name])


def as_text(values: pd.Series) -> pd.Series:
    """Labels as text; whole numbers lose the '.0' that a missing value elsewhere in the column gave them."""
    if pd.api.types.is_float_dtype(values) and bool((values == values.round()).all()):
        values = values.astype("int64")
    return values.astype(str).astype(object)


def joined(data: pd.DataFrame, columns: Iterable[str]) -> pd.Series:
    """Several columns as one label per row, 'north|mbo2'; 'all' when there are no columns.

    >>> joined(pd.DataFrame({"region": ["north"], "level": [2]}), ["region", "level"]).tolist()
    ['north|2']
    """
    columns = list(columns)
    if not columns:
        return pd.Series("all", index=data.index, dtype=object)
    label = as_text(column_of(data, columns[0]))
    for column in columns[1:]:
        label = label + "|" + as_text(column_of(data, column))
    return label


def require_columns(data: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise `UnknownColumn` for the first of `columns` that the data do not have."""
    for column in columns:
        if column not in data.columns:
            raise UnknownColumn(column, data.columns)


def numeric(data: pd.DataFrame, column: str) -> pd.Series:
    """A column as floats, missing values kept as NaN; text or infinite values raise and name the row.

    >>> numeric(pd.DataFrame({"hours": [4, None, 2]}), "hours").tolist()
    [4.0, nan, 2.0]
    """
    require_columns(data, [column])
    values = column_of(data, column)
    numbers = cast(pd.Series, pd.to_numeric(values, errors="coerce")).astype(float)
    spoiled = (numbers.isna() & values.notna()).to_numpy()
    if spoiled.any():
        row = data.index[spoiled][0]
        raise DataError(
            f"row {row}: '{values.to_numpy()[spoiled][0]}' in column '{column}' is not a number",
            remedy="leave the cell empty when the value is missing",
        )
    infinite = np.isinf(numbers.to_numpy())
    if infinite.any():
        raise DataError(f"row {data.index[infinite][0]}: column '{column}' holds an infinite value")
    return numbers


def _refuse_missing(data: pd.DataFrame, columns: Iterable[str]) -> None:
    for column in columns:
        absent = data[column].isna().to_numpy()
        if absent.any():
            raise MissingValues(
                f"column '{column}' is empty on {int(absent.sum())} of {len(data)} rows, the first being row "
                f"{data.index[absent][0]}",
                remedy="every participant has an arm, an id and a stratum from the moment of allocation",
            )
