"""Standardised effect sizes, for comparing outcomes on scales that nobody knows by heart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import gammaln

from analysis.differences import Contrast, read_contrast
from analysis.errors import DesignNotEstimable
from analysis.estimate import Estimate
from analysis.exact_fit import is_rounding


def hedges_g(data: Any, outcome: str, arm: str | None = None, *, treated: Any = None, control: Any = None) -> Estimate:
    """Hedges' g: the difference over the pooled standard deviation, with the exact small-sample correction.

    Variance 1/n1 + 1/n0 + g²/(2n), normal reference. Hedges (1981), Journal of Educational Statistics 6, 107-128.
    Raises DesignNotEstimable when an arm has fewer than two participants.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 2, 3, 2, 3, 5], "arm": [0, 0, 0, 1, 1, 1]})
    >>> round(hedges_g(data, "y", "arm").value, 4)
    0.8241
    """
    contrast, one, zero = _arms(data, outcome, arm, treated, control)
    df = one.size + zero.size - 2
    pooled = math.sqrt(((one.size - 1) * one.var(ddof=1) + (zero.size - 1) * zero.var(ddof=1)) / df)
    correction = math.exp(float(gammaln(df / 2) - gammaln((df - 1) / 2))) / math.sqrt(df / 2)
    value = correction * float(one.mean() - zero.mean()) / _spread(pooled, outcome, contrast)
    se = math.sqrt(1 / one.size + 1 / zero.size + value**2 / (2 * (one.size + zero.size)))
    return _result(contrast, value, se, "difference in pooled standard deviations", "exact correction", "Hedges (1981)")


def glass_delta(
    data: Any, outcome: str, arm: str | None = None, *, treated: Any = None, control: Any = None
) -> Estimate:
    """Glass's delta: the difference over the control arm's standard deviation, which the treatment cannot change.

    Variance 1/n1 + 1/n0 + delta²/(2(n0 - 1)), normal reference. Glass (1976); Hedges (1981).
    """
    contrast, one, zero = _arms(data, outcome, arm, treated, control)
    value = float(one.mean() - zero.mean()) / _spread(float(zero.std(ddof=1)), outcome, contrast)
    se = math.sqrt(1 / one.size + 1 / zero.size + value**2 / (2 * (zero.size - 1)))
    return _result(
        contrast, value, se, "difference in standard deviations of the control arm", "no correction", "Glass (1976)"
    )


def _arms(data: Any, outcome: str, arm: str | None, treated: Any, control: Any) -> tuple[Contrast, Any, Any]:
    contrast = read_contrast(data, outcome, arm, treated=treated, control=control)
    one, zero = contrast.y[contrast.z == 1], contrast.y[contrast.z == 0]
    for values, name in ((one, contrast.arms.treated), (zero, contrast.arms.control)):
        if values.size < 2:
            raise DesignNotEstimable(f"arm '{name}' has {values.size} participants with an outcome; two are needed")
    return contrast, one, zero


def _spread(sd: float, outcome: str, contrast: Contrast) -> float:
    if is_rounding(np.array([sd]), contrast.y):
        raise DesignNotEstimable(f"'{outcome}' does not vary within the arms, so there is nothing to standardise by")
    return sd


def _result(contrast: Contrast, value: float, se: float, estimand: str, words: str, source: str) -> Estimate:
    return Estimate.of(
        contrast.arms.name, value, se, df=math.inf, n=contrast.n, estimand=estimand,
        convention=f"{words}, normal reference", source=source, dropped=contrast.dropped,
    )  # fmt: skip
