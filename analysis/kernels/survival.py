"""Counting processes as arrays: risk sets, Kaplan-Meier, log-rank and the partial likelihood with Efron's ties.

Everything is computed over the distinct event times, which number far fewer than the participants.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import DesignNotEstimable, NotConverged

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A Kaplan-Meier curve over distinct event times: at risk, events, survival and Greenwood's variance."""

    times: Array
    at_risk: Array
    events: Array
    survival: Array
    variance: Array

    def at(self, time: float) -> float:
        """The share that is still without the event at `time`."""
        place = int(np.searchsorted(self.times, time, side="right"))
        return 1.0 if place == 0 else float(self.survival[place - 1])


def kaplan_meier(time: Array, event: Array) -> Curve:
    """Kaplan and Meier (1958) from times (n,) and events (n,), 1 for an event and 0 for censoring.

    >>> kaplan_meier(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1, 1, 0, 1])).survival
    array([0.75, 0.5 , 0.  ])
    """
    times = np.unique(time[event == 1])
    at_risk = time.size - np.searchsorted(np.sort(time), times, side="left").astype(float)
    events = np.bincount(np.searchsorted(times, time[event == 1]), minlength=times.size).astype(float)
    survival = np.cumprod(1 - events / at_risk) if times.size else times
    left = at_risk - events
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(left > 0, events / (at_risk * left), 0.0)
    return Curve(times, at_risk, events, survival, survival**2 * np.cumsum(hazard))


def followed_up_to(time: Array, event: Array) -> float:
    """The last time at which the curve of times and events, each of shape (n,), is known.

    Infinite when everybody who was left had the event at the last time: nobody stays without it afterwards.

    >>> followed_up_to(np.array([2.0, 5.0]), np.array([1, 0])), followed_up_to(np.array([2.0, 5.0]), np.array([0, 1]))
    (5.0, inf)
    """
    last = float(time.max())
    return float("inf") if bool((event[time == last] == 1).all()) else last


def restricted_mean(curve: Curve, horizon: float) -> tuple[float, float]:
    """The area under the curve up to `horizon` and its variance (Klein and Moeschberger 2003, section 4.5)."""
    inside = curve.times < horizon
    times = np.concatenate([[0.0], curve.times[inside], [horizon]])
    heights = np.concatenate([[1.0], curve.survival[inside]])
    areas = np.diff(times) * heights
    after = areas[::-1].cumsum()[::-1][1:]
    at_risk, events = curve.at_risk[inside], curve.events[inside]
    left = at_risk - events
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(left > 0, after**2 * events / (at_risk * left), 0.0)
    return float(areas.sum()), float(terms.sum())


def log_rank(time: Array, event: Array, group: Array, strata: Array | None = None) -> tuple[Array, Array, Array]:
    """Observed and expected events per group, shape (k,), and the covariance of their differences, shape (k, k).

    Mantel (1966); with `strata` the sums are over strata.
    """
    k = int(group.max()) + 1
    observed, expected, covariance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    parts = np.zeros(time.size, dtype=int) if strata is None else strata
    for stratum in np.unique(parts):
        own = parts == stratum
        t, d, g = time[own], event[own], group[own]
        times = np.unique(t[d == 1])
        risk = np.stack([(g == j).sum() - np.searchsorted(np.sort(t[g == j]), times) for j in range(k)]).astype(float)
        dead = np.stack(
            [np.bincount(np.searchsorted(times, t[(d == 1) & (g == j)]), minlength=times.size) for j in range(k)]
        )
        n, total = risk.sum(axis=0), dead.sum(axis=0).astype(float)
        share = risk / n
        observed += dead.sum(axis=1)
        expected += share @ total
        spread = np.where(n > 1, total * (n - total) / np.maximum(n - 1, 1), 0.0)
        covariance += np.diag(share @ spread) - (share * spread) @ share.T
    return observed, expected, covariance


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """Log hazard ratios (k,), inverse information (k, k), log partial likelihood and score residuals (n, k)."""

    coefficients: Array
    covariance: Array
    loglik: float
    residuals: Array


def cox(X: Array, time: Array, event: Array, strata: Array | None = None) -> CoxFit:
    """Cox's partial likelihood with Efron's handling of ties, by Newton's method.

    With `strata`, shape (n,), every stratum has a baseline hazard of its own. Cox (1972); Efron (1977).
    Raises NotConverged when a coefficient runs away, DesignNotEstimable without events.
    """
    if not (event == 1).any():
        raise DesignNotEstimable("nobody had the event, so no hazard can be compared")
    centre = X.mean(axis=0)
    scale = X.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    Z = (X - centre) / scale
    parts = np.zeros(time.size, dtype=int) if strata is None else strata
    order = np.lexsort((-event, -time, parts))
    Z, t, d = Z[order], time[order], event[order]
    cuts = np.flatnonzero(np.diff(parts[order])) + 1
    beta = np.zeros(X.shape[1])
    value, score, information, _ = over_strata(Z, t, d, beta, cuts)
    for _ in range(50):
        step = np.linalg.lstsq(information, score, rcond=None)[0]
        for _ in range(30):
            trial = over_strata(Z, t, d, beta + step, cuts)
            if trial[0] >= value - 1e-12 * abs(value):
                break
            step = step / 2
        beta = beta + step
        gained, (value, score, information, residuals) = trial[0] - value, trial
        if np.abs(beta).max() > 30:
            break
        if gained < 1e-12 * abs(value) and float(np.abs(step).max()) < 1e-9:
            if np.linalg.cond(information) > 1e13:
                break
            out = np.empty_like(residuals)
            out[order] = residuals
            return CoxFit(beta / scale, np.linalg.inv(information) / np.outer(scale, scale), value, out / (1 / scale))
    raise NotConverged("the hazard ratio has no finite estimate", remedy="look for an arm without events; use rmst")


def over_strata(Z: Array, time: Array, event: Array, beta: Array, cuts: Array) -> tuple[float, Array, Array, Array]:
    """The sums of `partial` over strata whose first rows, but for the first stratum, stand in `cuts`."""
    edges = [0, *cuts.tolist(), time.size]
    rows = [slice(low, high) for low, high in pairwise(edges)]
    found = [partial(Z[part], time[part], event[part], beta) for part in rows]
    values, scores, informations, residuals = zip(*found, strict=True)
    return (
        float(np.sum(values)), np.sum(np.stack(scores), axis=0), np.sum(np.stack(informations), axis=0),
        np.concatenate(residuals),
    )  # fmt: skip


def partial(Z: Array, time: Array, event: Array, beta: Array) -> tuple[float, Array, Array, Array]:
    """Log partial likelihood, score, information and score residuals, for rows in order of falling time."""
    risk = np.exp(Z @ beta)
    first = np.cumsum(risk)
    second = np.cumsum(risk[:, None] * Z, axis=0)
    third = np.cumsum(risk[:, None, None] * Z[:, :, None] * Z[:, None, :], axis=0)
    times, starts = np.unique(-time, return_index=True)
    ends = np.append(starts[1:], time.size) - 1
    value, k = 0.0, Z.shape[1]
    score, information, residuals = np.zeros(k), np.zeros((k, k)), np.zeros_like(Z)
    for start, end in zip(starts, ends, strict=True):
        dead = np.flatnonzero(event[start : end + 1] == 1) + start
        if not dead.size:
            continue
        r, z = risk[dead], Z[dead]
        own = r.sum(), r @ z, (z * r[:, None]).T @ z
        value += float((z @ beta).sum())
        score += z.sum(axis=0)
        for step in range(dead.size):
            share = step / dead.size
            s0 = first[end] - share * own[0]
            mean = (second[end] - share * own[1]) / s0
            value -= float(np.log(s0))
            score -= mean
            information += (third[end] - share * own[2]) / s0 - np.outer(mean, mean)
            pull = (risk[: end + 1] / s0)[:, None] * (Z[: end + 1] - mean)
            pull[dead] *= 1 - share
            residuals[: end + 1] -= pull
            residuals[dead] += (z - mean) / dead.size
    del times
    return value, score, information, residuals
