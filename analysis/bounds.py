"""What an effect can be when some outcomes are missing and their absence is not assumed away.

Manski's bounds fill the missing outcomes in with their smallest and largest possible values and assume nothing. Lee's
bounds assume that the offer moves response one way only, and hold for those who would respond in either arm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize
from scipy.special import ndtr

from analysis.errors import DesignNotEstimable, OptionError
from analysis.estimate import Interval
from analysis.two_arms import arrays_of

MONOTONE = "the offer moves response in one direction only; the bounds hold for those who respond in either arm"


@dataclass(frozen=True, slots=True)
class Bounds:
    """A lower and an upper bound on a difference (treated minus comparison), with the standard error of each.

    `quantile_low` and `quantile_high` are the same bounds by the quantile convention, `trimmed_share` is the share of
    the respondents of `trimmed` ("treated" or "comparison") that is cut off; all None for worst-case bounds.
    """

    method: str
    low: float
    high: float
    se_low: float
    se_high: float
    n: int
    assumption: str
    quantile_low: float | None = None
    quantile_high: float | None = None
    trimmed_share: float | None = None
    trimmed: str | None = None
    cells: int = 1

    def interval(self, level: float = 0.95) -> Interval:
        """The Imbens-Manski interval: it holds the effect, not the whole set, with probability `level`.

        Imbens and Manski (2004), Econometrica 72, equation 7.
        """
        if not 0 < level < 1:
            raise OptionError(f"a confidence level lies between 0 and 1, not at {level}")
        widest = max(self.se_low, self.se_high)
        width = (self.high - self.low) / widest if widest > 0 else math.inf

        def shortfall(c: float) -> float:
            return float(ndtr(c + width) - ndtr(-c)) - level

        root: Any = optimize.brentq(shortfall, 0.0, 20.0, xtol=1e-12) if shortfall(0.0) < 0 else 0.0
        c = float(root)
        return Interval(self.low - c * self.se_low, self.high + c * self.se_high)


def manski_bounds(
    data: Any, outcome: Any, arm: Any = None, *, lowest: float, highest: float, treated: Any = None, control: Any = None
) -> Bounds:
    """Worst-case bounds on the mean difference; missing outcomes are NaN.

    Called with a table, the `outcome` column and the `arm` column, or with two arrays of shape (n,): the outcomes and
    who is treated. `lowest` and `highest` are the possible extremes of the outcome. Raises
    `DesignNotEstimable` when an arm is empty or a known value lies outside the extremes. Manski (1990).

    >>> b = manski_bounds([1, np.nan, 0, 0], np.array([True, True, False, False]), lowest=0, highest=1)
    >>> b.low, b.high
    (0.5, 1.0)
    """
    (y,), z, _ = arrays_of(data, [outcome], arm, treated=treated, control=control)
    known = ~np.isnan(y)
    if not lowest < highest:
        raise OptionError(f"the lowest possible value {lowest} is not below the highest {highest}")
    if ((y[known] < lowest) | (y[known] > highest)).any():
        raise DesignNotEstimable(f"an outcome lies outside the possible range {lowest:g} to {highest:g}")
    ends = []
    for fill_treated, fill_comparison in ((lowest, highest), (highest, lowest)):
        filled = np.where(known, y, np.where(z, fill_treated, fill_comparison))
        ends.append((*_mean_and_variance(filled[z]), *_mean_and_variance(filled[~z])))
    low, high = ((mean1 - mean0, math.sqrt(variance1 + variance0)) for mean1, variance1, mean0, variance0 in ends)
    return Bounds("manski", low[0], high[0], low[1], high[1], len(y), "none: missing outcomes can be anything possible")


def lee_bounds(
    data: Any, outcome: Any, arm: Any = None, *, cells: Any = None, treated: Any = None, control: Any = None
) -> Bounds:
    """Lee's trimming bounds on the mean difference for those who respond in either arm.

    Called with a table, the `outcome` column and the `arm` column, or with two arrays of shape (n,): the outcomes,
    NaN where a person did not respond, and who is treated. `cells`, when given, is a column or array of labels of a
    discrete baseline covariate within which the trimming is done, which never widens the bounds in the population.
    The arm with more response is trimmed by the excess share. `low` and `high` trim by fractional weights, which is
    exact; `quantile_low` and `quantile_high` keep what is not beyond the quantile, as Stata's leebounds does.

    Raises `DesignNotEstimable` when an arm (of a cell) has fewer than two respondents, or all would be trimmed.
    Lee (2009), Review of Economic Studies 76, propositions 1a to 3; standard errors by his equations.

    >>> y = np.array([1.0, 2, 3, 4, 5, np.nan, 1, 2, 3, np.nan, np.nan, np.nan])
    >>> b = lee_bounds(y, np.arange(12) < 6)
    >>> round(b.low, 6), round(b.high, 6), round(b.trimmed_share, 6), b.trimmed
    (0.0, 2.0, 0.4, 'treated')
    """
    (y,), z, more = arrays_of(data, [outcome], arm, treated=treated, control=control, labels={"cells": cells})
    return _over_cells(y, z, more["cells"])


def _over_cells(y: np.ndarray, treated: np.ndarray, cells: Any) -> Bounds:
    if cells is None:
        return _one_cell(y, treated, "")
    labels = np.asarray([str(label) for label in cells], dtype=object)
    names = sorted(set(labels))
    parts, weights, reference = [], [], 0
    for name in names:
        rows = labels == name
        part = _one_cell(y[rows], treated[rows], f" in cell '{name}'")
        shares = _response(y[rows], treated[rows])
        parts.append(part)
        weights.append(rows.sum() * min(shares))
        reference += int((~np.isnan(y[rows]) & ~treated[rows]).sum())
    share = np.array(weights) / sum(weights)

    def pooled(field: str) -> float:
        return float(share @ np.array([getattr(part, field) for part in parts]))

    def error(field: str, bound: str) -> float:
        values = np.array([getattr(part, bound) for part in parts])
        within = share**2 @ np.array([getattr(part, field) ** 2 for part in parts])
        return math.sqrt(within + share @ (values - share @ values) ** 2 / reference)

    arms = {part.trimmed for part in parts}
    return Bounds(
        method="lee", low=pooled("low"), high=pooled("high"), se_low=error("se_low", "low"),
        se_high=error("se_high", "high"), n=len(y), assumption=f"within each cell, {MONOTONE}",
        quantile_low=pooled("quantile_low"), quantile_high=pooled("quantile_high"),
        trimmed_share=pooled("trimmed_share"), trimmed=arms.pop() if len(arms) == 1 else "either", cells=len(names),
    )  # fmt: skip


def _one_cell(y: np.ndarray, treated: np.ndarray, place: str) -> Bounds:
    known = ~np.isnan(y)
    y1, y0 = np.sort(y[treated & known]), np.sort(y[~treated & known])
    for values, name in ((y1, "treated arm"), (y0, "comparison arm")):
        if len(values) < 2:
            raise DesignNotEstimable(f"the {name} has {len(values)} respondents{place}; bounds need at least two")
    share1, share0 = _response(y, treated)
    more_in_treated = share1 >= share0
    full, rest = (y1, y0) if more_in_treated else (y0, y1)
    larger, smaller = (share1, share0) if more_in_treated else (share0, share1)
    trim = (larger - smaller) / larger
    n_full, n_rest = (int(treated.sum()), int((~treated).sum()))
    if not more_in_treated:
        n_full, n_rest = n_rest, n_full
    if len(full) * (1 - trim) < 1:
        raise DesignNotEstimable(f"trimming would leave nobody of the arm with more response{place}")
    v_share = (1 - larger) / (n_full * larger) + (1 - smaller) / (n_rest * smaller)
    mean, variance = _mean_and_variance(rest)
    ends = []
    for flip in (1.0, -1.0):  # cut the high values, then the low ones, as the high values of the mirrored outcome
        kept, kept_variance, by_quantile = _trimmed(np.sort(flip * full), trim, v_share)
        ends.append((flip * kept, kept_variance, flip * by_quantile))
    smallest, largest = ends
    if more_in_treated:
        low, high = smallest[0] - mean, largest[0] - mean
        quantiles = (smallest[2] - mean, largest[2] - mean)
        errors = (smallest[1], largest[1])
    else:
        low, high = mean - largest[0], mean - smallest[0]
        quantiles = (mean - largest[2], mean - smallest[2])
        errors = (largest[1], smallest[1])
    low, high = min(low, high), max(low, high)  # with nothing to trim the two differ by the order of summation
    return Bounds(
        method="lee", low=low, high=high, se_low=math.sqrt(errors[0] + variance),
        se_high=math.sqrt(errors[1] + variance), n=len(y), assumption=MONOTONE, quantile_low=quantiles[0],
        quantile_high=quantiles[1], trimmed_share=trim, trimmed="treated" if more_in_treated else "comparison",
    )  # fmt: skip


def _trimmed(ordered: np.ndarray, trim: float, v_share: float) -> tuple[float, float, float]:
    """Mean without the highest share `trim`, its variance (Lee's proposition 3), and the mean by the quantile rule."""
    n = len(ordered)
    keep = n * (1 - trim)
    weights = np.clip(keep - np.arange(n), 0.0, 1.0)
    mean = float(weights @ ordered / keep)
    spread = float(weights @ (ordered - mean) ** 2 / keep)
    edge = _percentile(ordered, 1 - trim)
    left = ordered[ordered <= edge] if trim > 0 else ordered
    distance = (edge - mean) ** 2 if trim > 0 else 0.0
    n_keep = max(keep - 1, 1.0)
    variance = spread / n_keep + distance * trim / keep + (distance * v_share if trim > 0 else 0.0)
    return mean, variance, float(left.mean())


def _percentile(ordered: np.ndarray, share: float) -> float:
    """Stata's percentile (Hyndman and Fan's type 2): the average of two neighbours when the share falls between."""
    place = len(ordered) * share
    nearest = round(place)
    if abs(place - nearest) < 1e-9 and 0 < nearest < len(ordered):
        return float((ordered[nearest - 1] + ordered[nearest]) / 2)
    return float(ordered[min(max(math.ceil(place - 1e-9) - 1, 0), len(ordered) - 1)])


def _response(y: np.ndarray, treated: np.ndarray) -> tuple[float, float]:
    known = ~np.isnan(y)
    return float(known[treated].mean()), float(known[~treated].mean())


def _mean_and_variance(values: np.ndarray) -> tuple[float, float]:
    """Mean and the estimated variance of that mean."""
    if len(values) < 2:
        raise DesignNotEstimable("an arm has fewer than two people; bounds need at least two")
    return float(values.mean()), float(values.var(ddof=1) / len(values))
