"""Probabilities of several comparisons with one control: they share its sampling error, so they are correlated.

Given the error of the control the comparisons are independent, which turns every probability into one integral over
that error (and one more over the estimated variance when the degrees of freedom are finite).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from analysis.power.roots import root
from analysis.power.step_down import Kind, alike, step_down
from analysis.power.wording import asked

__all__ = [
    "Rejections",
    "chances",
    "dunnett_critical",
    "joint_beyond",
    "joint_within",
    "rejections",
    "step_down_critical",
]

_X, _W = np.polynomial.legendre.leggauss(128)
_NODES = 8.5 * _X
_MASS = 8.5 * _W * np.exp(-0.5 * _NODES**2) / math.sqrt(2 * math.pi)
_CHI_X, _CHI_W = np.polynomial.legendre.leggauss(64)


def _scales(df: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of sqrt(chi-square / df), the estimated standard deviation over the true one."""
    if math.isinf(df) or df > 1e7:
        return np.ones(1), np.ones(1)
    low, high = math.sqrt(stats.chi2.ppf(1e-14, df) / df), math.sqrt(stats.chi2.isf(1e-14, df) / df)
    s = low + (high - low) * (_CHI_X + 1) / 2
    return s, (high - low) / 2 * _CHI_W * stats.chi2.pdf(df * s**2, df) * 2 * df * s


def joint_within(critical: float, loadings: Sequence[float], sides: int, df: float = math.inf) -> float:
    """P(no comparison exceeds `critical`) under the null.

    Comparison i has the loading lambda_i on the error of the control, so two of them correlate lambda_i lambda_j.

    >>> round(joint_within(1.96, [0.0], 2), 4)
    0.95
    """
    return 1 - joint_beyond(critical, loadings, sides, df)


def joint_beyond(critical: float, loadings: Sequence[float], sides: int, df: float = math.inf) -> float:
    """P(some comparison exceeds `critical`) under the null, right also where it is tiny.

    >>> round(joint_beyond(6.0, [0.5] * 3, 2) * 1e9, 3)
    5.92
    """
    scales, weights = _scales(df)
    reach = critical * scales[:, None]
    log_inside = np.zeros((len(scales), len(_NODES)))
    # Equal loadings, the usual case, need one evaluation whatever the number of comparisons.
    for load, times in Counter(loadings).items():
        own = math.sqrt(1 - load**2)
        beyond = special.ndtr((load * _NODES - reach) / own)
        if sides == 2:
            beyond = beyond + special.ndtr((-reach - load * _NODES) / own)
        log_inside += times * np.log1p(-np.minimum(beyond, 1 - 1e-16))
    return float(weights @ (-np.expm1(log_inside) @ _MASS))


@asked
def dunnett_critical(
    comparisons: int, alpha: float, *, sides: int = 2, df: float = math.inf, control_ratio: float = 1.0
) -> float:
    """Critical value of Dunnett's test of `comparisons` arms with one control.

    `control_ratio` is the size of the control arm over that of a treated arm. Source: Dunnett (1955, 1964).

    >>> round(dunnett_critical(3, 0.05), 4), round(dunnett_critical(3, 0.05, df=20, sides=1), 4)
    (2.349, 2.1923)
    """
    load = math.sqrt(1 / (1 + control_ratio))
    loadings = [load] * comparisons
    top = float(-special.stdtrit(df if math.isfinite(df) else 1e9, alpha / (2 * comparisons + 2))) + 1.0
    lowest = 0.0 if sides == 2 else -top
    return root(lambda c: alpha - joint_beyond(c, loadings, sides, df), lowest, top, xtol=1e-12)


def step_down_critical(
    comparisons: int, alpha: float, correction: str, *, sides: int, df: float, control_ratio: float
) -> list[float]:
    """Critical values by rank: the largest statistic faces the first, the next the second, and so on.

    Single-step corrections repeat one value. Source: Holm (1979); Dunnett & Tamhane (1991).
    """

    def quantile(level: float) -> float:
        return float(-special.ndtri(level / sides) if math.isinf(df) else -special.stdtrit(df, level / sides))

    left = range(comparisons, 0, -1)
    if correction == "holm":
        return [quantile(alpha / m) for m in left]
    if correction == "dunnett_step_down":
        return [dunnett_critical(m, alpha, sides=sides, df=df, control_ratio=control_ratio) for m in left]
    single = {
        "none": lambda: quantile(alpha),
        "bonferroni": lambda: quantile(alpha / comparisons),
        "sidak": lambda: quantile(1 - (1 - alpha) ** (1 / comparisons)),
        "dunnett": lambda: dunnett_critical(comparisons, alpha, sides=sides, df=df, control_ratio=control_ratio),
    }[correction]()
    return [single] * comparisons


@dataclass(frozen=True, slots=True)
class Rejections:
    """Chances that follow from one set of critical values: each comparison, at least one, all of them."""

    marginal: tuple[float, ...]
    any_pair: float
    all_pairs: float


def rejections(
    critical: Sequence[float],
    shifts: Sequence[float],
    loadings: Sequence[float],
    *,
    sides: int,
    df: float = math.inf,
    widths: Sequence[float] | None = None,
    both_tails: bool = False,
) -> Rejections:
    """Chances of rejection when comparison i has mean `shifts[i]` in units of its standard error.

    `critical` are the values by rank; `widths[i]` multiplies them when the null standard error of a comparison differs
    from that under the alternative. A rejection in the wrong direction does not count, unless `both_tails`.

    >>> together = rejections([2.2121] * 2, [2.8, 2.8], [0.5**0.5] * 2, sides=2)
    >>> [round(p, 4) for p in (together.marginal[0], together.any_pair, together.all_pairs)]
    [0.7217, 0.8595, 0.5839]
    """
    widths = [1.0] * len(shifts) if widths is None else list(widths)
    thresholds = [[value * width for value in critical] for width in widths]
    return chances(thresholds, shifts, loadings, sides=sides, df=df, both_tails=both_tails)


def chances(
    thresholds: Sequence[Sequence[float]],
    shifts: Sequence[float],
    loadings: Sequence[float],
    *,
    sides: int,
    df: float = math.inf,
    both_tails: bool = False,
) -> Rejections:
    """Chances of rejection when comparison i has thresholds of its own, `thresholds[i]` by rank.

    Exact to about 1e-10, step-down procedures included: see `step_down`.
    """
    if all(len(set(row)) == 1 for row in thresholds):
        return _single_step([row[0] for row in thresholds], shifts, loadings, df, both_tails and sides == 2)
    rows = [(shift, load, *row) for shift, load, row in zip(shifts, loadings, thresholds, strict=True)]
    found = alike(rows)
    scales, weights = _scales(df)
    total = np.zeros(len(found) + 2)
    for scale, weight in zip(scales, weights, strict=True):
        kinds = [_kind(row, count, scale, sides) for row, count in found]
        each, any_pair, all_pairs = step_down(kinds, _MASS, both_tails=both_tails)
        total += weight * np.array([*each, any_pair, all_pairs])
    place = {row: i for i, (row, _) in enumerate(found)}
    return Rejections(tuple(float(total[place[row]]) for row in rows), float(total[-2]), float(total[-1]))


def _kind(row: tuple[float, ...], count: int, scale: float, sides: int) -> Kind:
    shift, load, *levels = row
    own = math.sqrt(1 - load**2)
    middle = shift + load * _NODES
    edges = scale * np.array(levels)[:, None]
    above = special.ndtr((middle - edges) / own)
    return Kind(count, above, special.ndtr((-edges - middle) / own) if sides == 2 else np.zeros_like(above))


def _single_step(
    thresholds: Sequence[float], shifts: Sequence[float], loadings: Sequence[float], df: float, both_tails: bool
) -> Rejections:
    """One critical value for all: given the control's error the comparisons reject independently."""
    scales, weights = _scales(df)
    nobody, everybody, each = np.ones((len(scales), len(_NODES))), np.ones((len(scales), len(_NODES))), []
    for shift, load, threshold in zip(shifts, loadings, thresholds, strict=True):
        own, edges = math.sqrt(1 - load**2), threshold * scales[:, None]
        rejected = special.ndtr((shift + load * _NODES - edges) / own)
        if both_tails:
            rejected = rejected + special.ndtr((-edges - shift - load * _NODES) / own)
        nobody, everybody = nobody * (1 - rejected), everybody * rejected
        each.append(float(weights @ (rejected @ _MASS)))
    return Rejections(tuple(each), float(weights @ ((1 - nobody) @ _MASS)), float(weights @ (everybody @ _MASS)))
