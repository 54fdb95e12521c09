"""Summary indices: several outcomes of one kind in one number, so that one test does the work of many.

Kling, Liebman and Katz average standardised outcomes with equal weight; the inverse-covariance index of Anderson gives
less weight to outcomes that repeat the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import ConstantOutcome, DataError, OptionError, RankDeficient
from analysis.estimate import Array
from analysis.frame import as_frame, codes, column, control_label, numbers, of_trial


def klk_index(
    data: Any, outcomes: Sequence[str], arm: str | None = None, *, reverse: Sequence[str] = (), control: Any = None
) -> pd.Series:
    """The mean of outcomes standardised by control mean and sd (n - 1), `reverse` ones turned round.

    A missing outcome takes the mean of its own arm, as long as one outcome of the person is known; a person without any
    is missing. Kling, Liebman and Katz (2007), Econometrica 75, 83-119. Use the result as an outcome. Raises
    ConstantOutcome when an outcome does not vary among controls.

    >>> data = pd.DataFrame({"arm": [0, 0, 1, 1], "work": [1.0, 3, 4, 6], "debt": [2.0, 4, 1, 1]})
    >>> klk_index(data, ["work", "debt"], "arm", reverse=["debt"]).round(4).tolist()
    [0.0, 0.0, 1.4142, 2.1213]
    """
    Z, group, index = _standardised(data, outcomes, arm, reverse, control)
    known = ~np.isnan(Z)
    for code in np.unique(group):
        own = group == code
        with np.errstate(invalid="ignore"):
            means = np.where(known[own], Z[own], 0.0).sum(axis=0) / np.maximum(known[own].sum(axis=0), 1)
        Z[own] = np.where(known[own], Z[own], means)
    values = Z.mean(axis=1)
    values[~known.any(axis=1)] = np.nan
    return pd.Series(values, index=index, name="klk_index")


def icw_index(
    data: Any, outcomes: Sequence[str], arm: str | None = None, *, reverse: Sequence[str] = (), control: Any = None
) -> pd.Series:
    """The inverse-covariance weighted mean of the same standardised outcomes.

    Weights are the row sums of the inverse covariance over everybody with all outcomes; a person's missing outcomes are
    left out of the mean. Anderson (2008), Journal of the American Statistical Association 103, 1481-1495. Raises
    RankDeficient when outcomes are combinations of one another.
    """
    Z, _, index = _standardised(data, outcomes, arm, reverse, control)
    known = ~np.isnan(Z)
    whole = Z[known.all(axis=1)]
    if whole.shape[0] <= len(outcomes):
        raise DataError("too few people have all outcomes to weigh them", remedy="use klk_index, or fewer outcomes")
    covariance = np.atleast_2d(np.cov(whole, rowvar=False))
    if np.linalg.cond(covariance) > 1e12:
        raise RankDeficient(outcomes[-1:], because=" of the index")
    weights = np.linalg.solve(covariance, np.ones(len(outcomes)))
    total = known @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(known, Z, 0.0) @ weights / total
    values[~known.any(axis=1)] = np.nan
    return pd.Series(values, index=index, name="icw_index")


def _standardised(
    data: Any, outcomes: Sequence[str], arm: str | None, reverse: Sequence[str], control: Any
) -> tuple[Array, Any, pd.Index]:
    frame = as_frame(data)
    arm = of_trial(data, "arm", arm)
    if arm is None:
        raise OptionError("it is not said which column holds the arms", remedy="name it, for example arm='arm'")
    if not outcomes:
        raise OptionError("an index needs outcomes", remedy="name at least one")
    strangers = [name for name in reverse if name not in outcomes]
    if strangers:
        raise OptionError(f"'{strangers[0]}' is to be reversed but is no outcome of the index")
    series = column(frame, arm, "arm")
    rows = frame.loc[series.notna()]
    group, labels = codes(series[series.notna()])
    base = group == labels.index(control_label(labels, of_trial(data, "control", control)))
    Z = np.empty((len(rows), len(outcomes)))
    for j, name in enumerate(outcomes):
        values = numbers(column(rows, name, "outcome"), "outcome") * (-1.0 if name in reverse else 1.0)
        own = values[base & ~np.isnan(values)]
        if own.size < 2 or own.std(ddof=1) <= 1e-12 * (1 + abs(float(own.mean()))):
            raise ConstantOutcome(f"'{name}' does not vary among the controls, so it cannot be standardised",
                                  remedy="leave it out of the index")  # fmt: skip
        Z[:, j] = (values - own.mean()) / own.std(ddof=1)
    return Z, group, rows.index
