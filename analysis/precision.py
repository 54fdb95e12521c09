"""More precision from what was known before: CUPED, and covariates with gaps filled honestly.

Both use baseline variables only, so neither can bias the effect; what they buy is a smaller standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.differences import difference_in_means
from analysis.errors import MissingValues, OptionError
from analysis.estimate import Estimate
from analysis.exact_fit import refuse_exact_fit
from analysis.frame import as_frame, column, complete, numbers
from analysis.kernels.linear import least_squares


def cuped(
    data: Any, outcome: str, covariates: str | Sequence[str], arm: str | None = None, **structure: Any
) -> Estimate:
    """The difference in means of the outcome less theta times the centred baseline, theta pooled over the arms.

    Deng, Xu, Kohavi and Walker (2013). `structure` is that of `difference_in_means` (blocks, clusters, pairs). Rows
    without a baseline are left out and counted; `extras["theta"]` holds the coefficients by covariate (one number when
    there is one). Raises RankDeficient when a covariate does not vary, MissingValues.

    >>> data = pd.DataFrame({"y": [1.0, 2, 3, 4, 4, 6], "x": [1.0, 2, 3, 1, 2, 3], "z": [0, 0, 0, 1, 1, 1]})
    >>> effect = cuped(data, "y", "x", "z")
    >>> round(effect.value, 4), round(effect.extras["theta"], 4)
    (2.6667, 1.0)
    """
    frame = as_frame(data)
    names = [covariates] if isinstance(covariates, str) else list(covariates)
    if not names:
        raise OptionError("CUPED needs a baseline covariate", remedy="use difference_in_means")
    y = column(frame, outcome, "outcome")
    keep = complete(frame, [y, *(column(frame, name, "covariate") for name in names)])
    X = np.column_stack([numbers(column(frame, name, "covariate"), "covariate") for name in names])[keep]
    values = numbers(y, "outcome")
    centred = X - X.mean(axis=0)
    design = np.column_stack([np.ones(centred.shape[0]), centred])
    fit = least_squares(design, values[keep], ("constant", *names))
    refuse_exact_fit(fit.residuals, values[keep], outcome, ", ".join(f"'{name}'" for name in names))
    theta = fit.coefficients[1:]
    adjusted = np.full(len(frame), np.nan)
    adjusted[keep] = values[keep] - centred @ theta
    table = frame.assign(**{outcome: adjusted})
    source = data if isinstance(data, (pd.DataFrame, dict)) else replace(data, data=table)
    effect = difference_in_means(table if source is data else source, outcome, arm, **structure)
    known = float(theta[0]) if len(names) == 1 else dict(zip(names, theta.tolist(), strict=True))
    return replace(effect, convention=f"CUPED, {effect.convention}", extras=dict(effect.extras) | {"theta": known})


def fill_covariates(data: Any, columns: Sequence[str], *, suffix: str = "_missing") -> tuple[pd.DataFrame, list[str]]:
    """Baseline covariates with gaps filled by their mean and an indicator of the gap beside each; and all their names.

    Valid for baseline covariates of a randomised trial, never for outcomes (Zhao and Ding 2024, JASA 119). A column
    of text gets its own category "missing". Raises MissingValues for a column without any value.

    >>> table, names = fill_covariates(pd.DataFrame({"age": [30.0, None, 50.0]}), ["age"])
    >>> table["age"].tolist(), table["age_missing"].tolist(), names
    ([30.0, 40.0, 50.0], [0, 1, 0], ['age', 'age_missing'])
    """
    frame = as_frame(data).copy()
    names: list[str] = []
    for name in columns:
        series = column(frame, name, "covariate")
        names.append(name)
        gap = series.isna()
        if not gap.any():
            continue
        if gap.all():
            raise MissingValues(f"the covariate '{name}' has no value at all", remedy="leave it out")
        if not pd.api.types.is_numeric_dtype(series):
            frame[name] = series.astype(object).where(~gap, "missing")
            continue
        frame[name] = series.astype(float).fillna(float(series.mean()))
        frame[f"{name}{suffix}"] = gap.astype(int)
        names.append(f"{name}{suffix}")
    return frame, names
