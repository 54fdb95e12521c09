"""Several pilots or arms together: random-effects pooling and shrinkage.

With few studies the between-study variance is hardly known, so the interval is that of Hartung and Knapp, and fewer
than five pilots are shown side by side instead of being pooled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq

from analysis.errors import DataError, DesignNotEstimable, OptionError, nearest
from analysis.estimate import Array, Estimate

Method = Literal["REML", "DL", "PM", "EE"]
METHODS = ("REML", "DL", "PM", "EE")


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled effect, the variance between studies, Cochran's Q with its df, and I² in percent."""

    effect: Estimate
    tau2: float
    q: float
    q_df: int
    i2: float


def pool(
    values: Sequence[float],
    ses: Sequence[float],
    *,
    method: Method = "REML",
    knapp_hartung: bool = True,
    minimum: int = 5,
) -> Pooled:
    """Pool estimates with their standard errors: REML, DerSimonian-Laird, Paule-Mandel or equal effects ("EE").

    With `knapp_hartung` the standard error is that of Hartung and Knapp (2001) with t(k - 1); otherwise the normal.
    Raises DesignNotEstimable for fewer than `minimum` studies, DataError, OptionError.

    >>> found = pool([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18])      # eight schools
    >>> round(found.effect.value, 4), round(found.effect.se, 4), found.tau2
    (7.6856, 3.3391, 0.0)
    """
    if method not in METHODS:
        raise OptionError(f"method '{method}' does not exist", remedy=nearest(method, METHODS, "method"))
    y, v = _checked(values, ses)
    k = y.size
    if k < minimum:
        raise DesignNotEstimable(
            f"{k} studies are too few to pool; {minimum} are needed", remedy="show them side by side"
        )
    tau2 = 0.0 if method == "EE" else _tau2(y, v, method)
    w = 1 / (v + tau2)
    mu = float(w @ y / w.sum())
    w0 = 1 / v
    q = float(w0 @ (y - w0 @ y / w0.sum()) ** 2)
    typical = (k - 1) * w0.sum() / (w0.sum() ** 2 - (w0**2).sum())
    i2 = 100 * tau2 / (tau2 + typical) if method != "EE" else max(0.0, 100 * (q - (k - 1)) / q)
    adjusted = knapp_hartung and method != "EE"
    se = math.sqrt(float(w @ (y - mu) ** 2) / ((k - 1) * w.sum())) if adjusted else math.sqrt(1 / w.sum())
    if se <= 1e-12 * math.sqrt(1 / w.sum()):
        raise DesignNotEstimable(
            "all studies found the very same effect, from which no variation between studies can be told",
            remedy="use knapp_hartung=False",
        )
    effect = Estimate.of(
        "pooled", mu, se, df=k - 1 if adjusted else math.inf, n=k, estimand="mean effect over studies like these",
        convention=f"{method}, {'Hartung-Knapp, t(k - 1)' if adjusted else 'normal reference'}",
        source="Viechtbauer (2005); Hartung and Knapp (2001)",
    )  # fmt: skip
    return Pooled(effect, tau2, q, k - 1, i2)


def shrink(
    values: Sequence[float], ses: Sequence[float], *, tau: float | None = None
) -> tuple[float, tuple[float, ...]]:
    """The common mean and every effect drawn towards it: posterior means given `tau` (REML when not given), flat mean.

    Rubin (1981). With tau 0 all effects become the common mean.

    >>> mu, effects = shrink([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18], tau=10)
    >>> round(mu, 4), round(effects[0], 4)
    (8.1265, 14.2414)
    """
    y, v = _checked(values, ses)
    if tau is not None and tau < 0:
        raise OptionError(f"tau is a standard deviation and cannot be {tau}")
    tau2 = _tau2(y, v, "REML") if tau is None else tau**2
    w = 1 / (v + tau2)
    mu = float(w @ y / w.sum())
    own = tau2 / (tau2 + v)
    return mu, tuple((own * y + (1 - own) * mu).tolist())


def _checked(values: Sequence[float], ses: Sequence[float]) -> tuple[Array, Array]:
    y, s = np.asarray(values, dtype=float), np.asarray(ses, dtype=float)
    if y.ndim != 1 or y.shape != s.shape or y.size < 2 or not (np.isfinite(y).all() and np.isfinite(s).all()):
        raise DataError("pooling needs two or more finite effects, each with a standard error")
    if (s <= 0).any():
        raise DataError("a standard error is above zero")
    return y, s**2


def _tau2(y: Array, v: Array, method: str) -> float:
    k = y.size
    if method == "DL":
        w = 1 / v
        q = float(w @ (y - w @ y / w.sum()) ** 2)
        return max(0.0, (q - (k - 1)) / float(w.sum() - (w**2).sum() / w.sum()))

    def excess(tau2: float) -> float:
        w = 1 / (v + tau2)
        gap = y - w @ y / w.sum()
        if method == "PM":
            return float(w @ gap**2) - (k - 1)
        return float(w**2 @ gap**2 - w.sum() + (w**2).sum() / w.sum())

    if excess(0.0) <= 0:
        return 0.0
    high = float(np.var(y) + v.max())
    while excess(high) > 0:
        high *= 4
    root: Any = brentq(excess, 0.0, high, xtol=1e-14 * high)
    return float(root)
