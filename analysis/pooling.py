"""Several pilots together: one average effect with its spread, when there are pilots enough to tell the two apart.

With fewer than five pilots the spread between them cannot be estimated, so they are shown side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats

from analysis.errors import DesignNotEstimable, OptionError
from analysis.estimate import Array, Estimate, Interval, critical_value

FEWEST_PILOTS = 5
METHODS = ("REML", "DL", "PM", "EE")


@dataclass(frozen=True, slots=True)
class Pooled:
    """The average of the effects of k pilots.

    `se` treats the between-pilot variance `tau2` as known; `estimate` carries the standard error of Hartung and
    Knapp, which does not. `q` and `i2` measure how much more the effects differ than their errors explain; `i2` is a
    share of 1. `prediction` is the interval in which the effect of a new pilot is expected, None with fewer than 3.
    """

    method: str
    value: float
    se: float
    se_hartung_knapp: float
    tau2: float
    q: float
    q_p: float
    i2: float
    k: int
    estimate: Estimate
    weights: tuple[float, ...]

    def prediction(self, level: float = 0.95) -> Interval | None:
        """Where the effect of a new pilot is expected (Higgins, Thompson and Spiegelhalter 2009)."""
        if self.k < 3:
            return None
        half = critical_value(level, self.k - 2) * math.sqrt(self.tau2 + self.se**2)
        return Interval(self.value - half, self.value + half)


def pool(
    effects: Sequence[float], ses: Sequence[float], *, method: str = "REML", fewest: int = FEWEST_PILOTS
) -> Pooled:
    """The random-effects average of independent effects with their standard errors.

    `method` estimates the variance between pilots: "REML", "DL" (DerSimonian-Laird), "PM" (Paule-Mandel), or "EE"
    (one common effect). The interval of `.estimate` is that of Hartung and Knapp (2001) with k - 1 degrees of freedom;
    its standard error is left as it is when it is smaller than the usual one.

    Raises `DesignNotEstimable` with fewer than `fewest` pilots, and `OptionError` for an unknown method.

    >>> pooled = pool([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18])
    >>> round(pooled.value, 4), round(pooled.se, 4), round(pooled.tau2, 4), round(pooled.se_hartung_knapp, 4)
    (7.6856, 4.0719, 0.0, 3.3391)
    """
    y, v = _checked(effects, ses)
    if len(y) < fewest:
        raise DesignNotEstimable(
            f"{len(y)} pilots are too few to estimate how much their effects differ",
            remedy=f"show them side by side; pooling starts at {fewest}",
        )
    if method not in METHODS:
        raise OptionError(f"there is no pooling method '{method}'", remedy=f"choose {', '.join(METHODS)}")
    tau2 = {"REML": _reml, "DL": _dersimonian_laird, "PM": _paule_mandel, "EE": lambda *_: 0.0}[method](y, v)
    w = 1 / (v + tau2)
    mean = float(w @ y / w.sum())
    se = float(1 / math.sqrt(w.sum()))
    k = len(y)
    hk = float(math.sqrt(w @ (y - mean) ** 2 / (k - 1) / w.sum()))
    q = _q(y, v)
    estimate = Estimate.of(
        "average effect", mean, se if method == "EE" else hk, df=math.inf if method == "EE" else k - 1, n=k,
        estimand="average of the effects of pilots like these",
        convention="common effect" if method == "EE" else f"{method}, Hartung-Knapp",
        source="Hartung and Knapp (2001), Statistics in Medicine 20",
    )  # fmt: skip
    return Pooled(
        method=method, value=mean, se=se, se_hartung_knapp=hk, tau2=tau2, q=q, q_p=float(stats.chi2.sf(q, k - 1)),
        i2=_i2(v, tau2), k=k, estimate=estimate, weights=tuple(float(x) for x in w / w.sum()),
    )  # fmt: skip


def shrink(effects: Sequence[float], ses: Sequence[float], *, tau: float) -> tuple[float, Array]:
    """The average, and every effect pulled towards it, given the spread `tau` of the true effects.

    The posterior means of a normal model with a flat prior on the average; useful across the arms of one trial, where
    the best-looking arm is otherwise overrated. Gelman et al. (2013), Bayesian Data Analysis, section 5.4.

    >>> mean, shrunk = shrink([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18], tau=10)
    >>> round(mean, 4), shrunk.round(2).tolist()
    (8.1265, [14.24, 8.06, 5.0, 7.62, 3.08, 4.9, 13.06, 9.04])
    """
    y, v = _checked(effects, ses)
    if not tau > 0:
        raise OptionError(f"the spread of the true effects is above zero, not {tau:g}")
    w = 1 / (v + tau**2)
    mean = float(w @ y / w.sum())
    return mean, (y / v + mean / tau**2) / (1 / v + 1 / tau**2)


def _checked(effects: Sequence[float], ses: Sequence[float]) -> tuple[Array, Array]:
    y, se = np.asarray(effects, float), np.asarray(ses, float)
    if len(y) != len(se) or len(y) < 2:
        raise DesignNotEstimable(f"{len(y)} effects and {len(se)} standard errors; give two or more of each, as many")
    if not (np.isfinite(y).all() and np.isfinite(se).all() and (se > 0).all()):
        raise DesignNotEstimable("every effect is a finite number with a standard error above zero")
    return y, se**2


def _q(y: Array, v: Array, tau2: float = 0.0) -> float:
    w = 1 / (v + tau2)
    return float(w @ (y - w @ y / w.sum()) ** 2)


def _i2(v: Array, tau2: float) -> float:
    """Share of the variation that is between pilots (Higgins and Thompson 2002), with their typical variance."""
    w = 1 / v
    typical = (len(v) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
    return float(tau2 / (tau2 + typical))


def _dersimonian_laird(y: Array, v: Array) -> float:
    w = 1 / v
    scale = w.sum() - (w**2).sum() / w.sum()
    return max(0.0, (_q(y, v) - (len(y) - 1)) / scale)


def _paule_mandel(y: Array, v: Array) -> float:
    target = len(y) - 1
    if _q(y, v) <= target:
        return 0.0
    root: Any = optimize.brentq(lambda t: _q(y, v, t) - target, 0.0, _far(y, v), xtol=1e-14)
    return float(root)


def _reml(y: Array, v: Array) -> float:
    """The root of the restricted score; with several roots the one of highest restricted likelihood, else zero."""

    def score(tau2: float) -> float:
        w = 1 / (v + tau2)
        residual = y - w @ y / w.sum()
        return float((w**2) @ residual**2 - w.sum() + (w**2).sum() / w.sum())

    def likelihood(tau2: float) -> float:
        w = 1 / (v + tau2)
        return float(0.5 * np.log(w).sum() - 0.5 * math.log(w.sum()) - 0.5 * (w @ (y - w @ y / w.sum()) ** 2))

    grid = np.concatenate([[0.0], np.geomspace(1e-8, 1.0, 400) * _far(y, v)])
    scores = np.array([score(point) for point in grid])
    best, highest = 0.0, likelihood(0.0)
    for left, right, a, b in zip(grid[:-1], grid[1:], scores[:-1], scores[1:], strict=True):
        if a > 0 >= b:
            root: Any = optimize.brentq(score, left, right, xtol=1e-14)
            if likelihood(float(root)) > highest:
                best, highest = float(root), likelihood(float(root))
    return best


def _far(y: Array, v: Array) -> float:
    """A between-pilot variance that is larger than any estimate of it."""
    return float(10 * (np.var(y) * len(y) + v.max()))
