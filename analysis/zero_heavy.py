"""Earnings with many zeros: the mean, the share above zero and the quantiles, side by side.

No logarithm: with zeros its effect depends on the unit of money (Chen and Roth 2024). The mean answers the budget's
question, the share who earn at all the policy's, and quantiles show where the change is.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.differences import difference_in_means, read_contrast
from analysis.errors import AnalysisError, DataError
from analysis.estimate import Estimate
from analysis.frame import as_frame, column, numbers
from analysis.quantiles import MassPointWarning, quantile_effect

SOURCE = "Chen and Roth (2024), Quarterly Journal of Economics 139, 891-936"


@dataclass(frozen=True, slots=True)
class Earnings:
    """Effects on the mean, the share above zero and quantiles; `notes` says what could not be computed and why."""

    mean: Estimate
    above_zero: Estimate
    quantiles: dict[float, Estimate]
    notes: tuple[str, ...]


def earnings(
    data: Any,
    outcome: str,
    arm: str | None = None,
    *,
    quantiles: Sequence[float] = (0.25, 0.5, 0.75),
    treated: Any = None,
    control: Any = None,
    **structure: Any,
) -> Earnings:
    """Effects on an outcome that is zero for many and never negative; `structure` as in `difference_in_means`.

    A quantile at a mass point keeps its place in `notes` instead of in `quantiles`. Raises DataError for values below
    zero.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"pay": [0.0, 0, 0, 5, 8, 9, 0, 0, 6, 8, 9, 12], "arm": [0] * 6 + [1] * 6})
    >>> found = earnings(data, "pay", "arm", quantiles=[0.25])
    >>> round(found.mean.value, 3), round(found.above_zero.value, 3), len(found.notes)
    (2.167, 0.167, 1)
    """
    contrast = read_contrast(data, outcome, arm, treated=treated, control=control)
    if (contrast.y < 0).any():
        raise DataError(f"'{outcome}' is negative for some rows", remedy="losses and earnings are two outcomes")
    mean = difference_in_means(data, outcome, arm, treated=treated, control=control, **structure)
    above = _above_zero(data, outcome, arm, treated, control, structure)
    found: dict[float, Estimate] = {}
    notes: list[str] = []
    table = {"y": contrast.y, "z": contrast.z}
    for q in quantiles:
        with warnings.catch_warnings():
            warnings.simplefilter("error", MassPointWarning)
            try:
                found[q] = quantile_effect("y ~ z", table, q)["z"]
            except (AnalysisError, MassPointWarning) as reason:
                notes.append(f"quantile {q:g}: {reason}")
    if len(found) and structure:
        notes.append("the standard errors of the quantiles take no account of blocks or clusters")
    return Earnings(mean, above, found, tuple(notes))


def _above_zero(data: Any, outcome: str, arm: str | None, treated: Any, control: Any, structure: Any) -> Estimate:
    frame = as_frame(data)
    values = numbers(column(frame, outcome, "outcome"), "outcome")
    table = frame.assign(**{outcome: np.where(np.isnan(values), np.nan, values > 0)})
    source = table if isinstance(data, (pd.DataFrame, dict)) else replace(data, data=table)
    return difference_in_means(source, outcome, arm, treated=treated, control=control, **structure)
