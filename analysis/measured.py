"""An outcome as it was measured: the numbers, who has one, and what the plan puts in place of the missing ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import DataError, UnknownColumn
from analysis.plan_schema import Outcome
from analysis.times import Times
from analysis.trial import Trial, column_of, numeric

_YES_NO = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "ja": 1.0, "nee": 0.0}


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One outcome for every participant: `values` (NaN where unknown) and `observed`, both of shape (n,).

    For a time to an event `values` are pseudo-values of the restricted mean, or whether the event was seen for a ratio
    of hazards, and `times` holds the rest.
    """

    outcome: Outcome
    values: np.ndarray
    observed: np.ndarray
    times: Times | None = None

    @property
    def fixed(self) -> np.ndarray:
        """What a redraw of the arms leaves as it is, shape (n,), NaN where unknown; no part of it knows the arms."""
        return np.where(self.observed, self.values if self.times is None else self.times.fixed, np.nan)

    @property
    def complete(self) -> bool:
        """Whether everybody's outcome is known."""
        return bool(self.observed.all())

    def completed(self, treated: np.ndarray, comparison: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values and the rows to analyse for one contrast, after the plan's handling of missing outcomes.

        `treated` and `comparison` are boolean, shape (n,). Worst case means against the treated arm: its missing
        outcomes take the least desirable value and those of the comparison the most desirable one.
        """
        values, in_contrast = self.values.copy(), treated | comparison
        handling = self.outcome.missing.handling
        if handling == "zero":
            values[~self.observed] = 0.0
            return values, in_contrast
        if handling == "worst_case":
            low, high = possible_range(self.outcome)
            bad, good = (high, low) if self.outcome.direction == "lower_is_better" else (low, high)
            values[treated & ~self.observed] = bad
            values[comparison & ~self.observed] = good
            return values, in_contrast
        return values, in_contrast & self.observed

    def label(self) -> str:
        """What an analysis of this outcome may be called. Complete cases are not intention to treat by themselves."""
        missing = self.outcome.missing
        if self.complete:
            return "intention to treat: everybody as allocated, all outcomes known"
        if missing.handling == "zero":
            return "intention to treat: everybody as allocated, a missing outcome counts as zero"
        if missing.handling == "worst_case":
            return "intention to treat: everybody as allocated, missing outcomes at their worst case"
        if not missing.justified:
            how = "reweighted respondents" if missing.handling == "inverse_probability" else "complete cases"
            return f"{how}, not intention to treat: the plan locks no assumption with bounds for missing outcomes"
        if missing.handling == "inverse_probability":
            return f"intention to treat, respondents reweighted, if: {missing.assumption}"
        return f"intention to treat, complete cases, if: {missing.assumption}"


def measure(trial: Trial, outcome: Outcome) -> Measured:
    """The values of one outcome on a trial's rows.

    Raises `UnknownColumn` when the column is absent and `DataError` when a value does not fit the kind, with its row.

    >>> from analysis.plan_schema import Source
    >>> data = pd.DataFrame({"arm": ["a", "b", "a"], "trained": [1, None, 0]})
    >>> outcome = Outcome(name="trained", kind="binary", source=Source(column="trained"))
    >>> measure(Trial(data), outcome).observed.tolist()
    [True, False, True]
    """
    if outcome.kind == "time_to_event":
        return _measure_times(trial, outcome)
    column = outcome.column
    _require(trial, outcome, column)
    series = column_of(trial.data, column)
    series = _words_as_numbers(series) if outcome.kind == "binary" else series
    values = numeric(pd.DataFrame({column: series}), column).to_numpy(copy=True)
    observed = ~np.isnan(values)
    _check_kind(outcome, values, observed, trial.data.index)
    if not observed.any():
        raise DataError(f"outcome '{outcome.name}' is missing for everybody")
    if outcome.effective_summary == "share_above_zero":
        values = np.where(observed, (values > 0).astype(float), np.nan)
    return Measured(outcome, values, observed)


def _measure_times(trial: Trial, outcome: Outcome) -> Measured:
    assert outcome.event is not None
    _require(trial, outcome, outcome.column)
    _require(trial, outcome, outcome.event)
    time = numeric(trial.data, outcome.column).to_numpy(copy=True)
    seen = _words_as_numbers(column_of(trial.data, outcome.event))
    event = numeric(pd.DataFrame({outcome.event: seen}), outcome.event).to_numpy(copy=True)
    observed = ~np.isnan(time) & ~np.isnan(event)
    if not observed.any():
        raise DataError(f"outcome '{outcome.name}' is missing for everybody")
    _refuse(outcome, time[observed], observed, time[observed] < 0, "is a time below zero", trial.data.index)
    wrong = ~np.isin(event[observed], (0.0, 1.0))
    _refuse(outcome, event[observed], observed, wrong, f"in '{outcome.event}' is not 0 or 1", trial.data.index)
    times = Times.of(time, event, observed, trial.data[trial.arm].to_numpy(), outcome.horizon)
    values = times.pseudo_values if outcome.effective_summary == "rmst_difference" else event
    return Measured(outcome, np.where(observed, values, np.nan), observed, times)


def _require(trial: Trial, outcome: Outcome, column: str) -> None:
    if column not in trial.data.columns:
        if outcome.source.column is None and column == outcome.column:
            raise DataError(
                f"the data have no column '{column}': outcome '{outcome.name}' is worked out before the analysis, "
                f"from {'a register' if outcome.source.register_ else 'answers'}",
                remedy="build the data with the derived outcomes in it",
                path=("outcomes", outcome.name, "source"),
            )
        raise UnknownColumn(column, trial.data.columns, path=("outcomes", outcome.name, "source"))


def possible_range(outcome: Outcome) -> tuple[float, float]:
    """Smallest and largest possible value; raises `DataError` when the plan gives none."""
    if outcome.possible_range is None:
        raise DataError(
            f"outcome '{outcome.name}' has no smallest and largest possible value",
            remedy="give missing.range in the plan",
            path=("outcomes", outcome.name, "missing", "range"),
        )
    return outcome.possible_range


def _words_as_numbers(series: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        return series
    words = series.map(lambda value: _YES_NO.get(str(value).strip().lower(), value) if pd.notna(value) else np.nan)
    return words.astype(object)


def _check_kind(outcome: Outcome, values: np.ndarray, observed: np.ndarray, index: pd.Index) -> None:
    known = values[observed]
    rules = {
        "binary": ("is not 0 or 1", ~np.isin(known, (0.0, 1.0))),
        "count": ("is not a whole number of zero or more", (known < 0) | (known != np.round(known))),
        "ordinal": ("is not a whole number", known != np.round(known)),
    }
    if outcome.kind in rules:
        wrong, spoiled = rules[outcome.kind]
        _refuse(outcome, known, observed, spoiled, wrong, index)
    bounds = outcome.missing.range
    if bounds is not None and outcome.kind != "binary" and outcome.effective_summary != "share_above_zero":
        outside = (known < bounds[0]) | (known > bounds[1])
        _refuse(outcome, known, observed, outside, f"lies outside the range {list(bounds)} of the plan", index)


def _refuse(
    outcome: Outcome, known: np.ndarray, observed: np.ndarray, spoiled: np.ndarray, wrong: str, index: pd.Index
) -> None:
    if spoiled.any():
        row = index[observed][spoiled][0]
        raise DataError(
            f"row {row}: {known[spoiled][0]:g} in column '{outcome.column}' {wrong}, "
            f"while outcome '{outcome.name}' is of kind '{outcome.kind}'",
            path=("outcomes", outcome.name, "kind"),
        )
