"""A time to an event as one number per person, so that everything a design asks of its analysis can be done with it.

A person who was censored has no known time. Their jackknife pseudo-value, what they add to the restricted mean of
their group, has the right expectation all the same (Andersen, Hansen and Klein 2004, Lifetime Data Analysis 10). And a
log-rank score is what they add to the log-rank statistic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.survival import kaplan_meier, restricted_mean

Array = NDArray[Any]
CELLS = 1 << 21


def restricted_pseudo_values(time: Array, event: Array, horizon: float) -> Array:
    """n m - (n - 1) m_-i with m the restricted mean up to `horizon`, shape (n,), from times and events (1 or 0).

    Without censoring they are the times themselves, cut off at the horizon.

    >>> restricted_pseudo_values(np.array([1.0, 2.0, 5.0]), np.array([1.0, 1.0, 0.0]), 4.0).round(10).tolist()
    [1.0, 2.0, 4.0]
    """
    n = time.size
    whole = restricted_mean(kaplan_meier(time, event), horizon)[0]
    times = np.unique(time[(event == 1) & (time < horizon)])
    if not times.size:
        return np.full(n, whole)
    at_risk = (n - np.searchsorted(np.sort(time), times)).astype(float)
    events = np.bincount(np.searchsorted(times, time[(event == 1) & (time < horizon)]), minlength=times.size)
    widths = np.diff(np.concatenate([times, [horizon]]))
    without = np.empty(n)
    step = max(1, CELLS // times.size)
    for start in range(0, n, step):
        part = slice(start, start + step)
        left = at_risk - (time[part, None] >= times)
        gone = events - ((time[part, None] == times) & (event[part, None] == 1))
        survival = np.cumprod(1 - gone / np.maximum(left, 1.0), axis=1)
        without[part] = times[0] + survival @ widths
    return n * whole - (n - 1) * without


def log_rank_scores(time: Array, event: Array) -> Array:
    """Event less cumulative hazard at the own time, shape (n,): their sum over an arm is observed less expected.

    >>> log_rank_scores(np.array([1.0, 2.0]), np.array([1.0, 1.0])).tolist()
    [0.5, -0.5]
    """
    curve = kaplan_meier(time, event)
    hazard = np.concatenate([[0.0], np.cumsum(curve.events / curve.at_risk)])
    return event - hazard[np.searchsorted(curve.times, time, side="right")]
