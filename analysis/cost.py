"""What an effect costs: cost per unit of effect, how sure it is, and how much would have happened anyway.

A ratio of two estimates has no point value worth printing when its denominator may be zero, so none is given then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import ndtr

from analysis.errors import DataError, DesignNotEstimable, OptionError
from analysis.estimate import Array, Interval, critical_value
from analysis.two_arms import arrays_of

Shape = Literal["interval", "two rays", "whole line"]


@dataclass(frozen=True, slots=True)
class RatioSet:
    """A confidence set for a ratio: an interval, everything outside an interval ("two rays"), or the whole line.

    For "two rays" the set is all values up to `low` and all values from `high`; for the whole line both are infinite.
    """

    shape: Shape
    low: float
    high: float
    level: float

    @property
    def bounded(self) -> bool:
        """Whether the ratio is known to lie between two values."""
        return self.shape == "interval"

    def __contains__(self, value: float) -> bool:
        if self.shape == "interval":
            return self.low <= value <= self.high
        return self.shape == "whole line" or value <= self.low or value >= self.high


@dataclass(frozen=True, slots=True)
class CostEffectiveness:
    """Extra cost and extra effect per person, and their ratio.

    `ratio` is None when the interval of the effect includes zero. Costs are in the currency of the data, effects in
    the units of the outcome; for a yes/no outcome the ratio is the cost per extra person with the outcome.
    """

    extra_cost: float
    se_cost: float
    extra_effect: float
    se_effect: float
    covariance: float
    df: float
    ratio: float | None
    fieller: RatioSet
    why_no_ratio: str = ""

    def acceptability(self, values: Sequence[float]) -> Array:
        """The chance that the net benefit (value x effect - cost) is above zero, at each value of a unit of effect.

        A normal approximation, as in van Hout et al. (1994), Health Economics 3.
        """
        worth = np.asarray(values, float)
        benefit = worth * self.extra_effect - self.extra_cost
        variance = worth**2 * self.se_effect**2 + self.se_cost**2 - 2 * worth * self.covariance
        return ndtr(benefit / np.sqrt(variance))


def fieller(
    numerator: float,
    denominator: float,
    *,
    se_numerator: float,
    se_denominator: float,
    covariance: float = 0.0,
    level: float = 0.95,
    df: float = math.inf,
) -> RatioSet:
    """Fieller's (1954) confidence set for numerator / denominator, two jointly normal estimates.

    The set is all r with (numerator - r denominator)² <= t² var(numerator - r denominator). It is an interval only
    when the denominator differs from zero at this level.

    >>> fieller(10.0, 2.0, se_numerator=1.0, se_denominator=0.2)
    RatioSet(shape='interval', low=3.77..., high=6.62..., level=0.95)
    >>> fieller(10.0, 0.1, se_numerator=1.0, se_denominator=0.2).shape
    'two rays'
    """
    if not np.isfinite([numerator, denominator, se_numerator, se_denominator, covariance]).all():
        raise DataError("the two estimates, their standard errors and covariance are finite numbers")
    if se_numerator <= 0 or se_denominator <= 0 or abs(covariance) > se_numerator * se_denominator * (1 + 1e-12):
        raise OptionError("standard errors are above zero and the covariance is no larger than their product")
    t2 = critical_value(level, df) ** 2
    a = denominator**2 - t2 * se_denominator**2
    b = -2 * (numerator * denominator - t2 * covariance)
    c = numerator**2 - t2 * se_numerator**2
    discriminant = b**2 - 4 * a * c
    if a > 0:
        root = math.sqrt(max(discriminant, 0.0))
        return RatioSet("interval", (-b - root) / (2 * a), (-b + root) / (2 * a), level)
    if a == 0 or discriminant <= 0:
        return RatioSet("whole line", -math.inf, math.inf, level)
    root = math.sqrt(discriminant)
    ends = sorted(((-b - root) / (2 * a), (-b + root) / (2 * a)))
    return RatioSet("two rays", ends[0], ends[1], level)


def cost_effectiveness(
    data: Any,
    cost: Any,
    effect: Any,
    arm: Any = None,
    *,
    level: float = 0.95,
    treated: Any = None,
    control: Any = None,
) -> CostEffectiveness:
    """Incremental cost-effectiveness from the cost and the outcome of every person.

    Called with a table and the columns of `cost`, `effect` and `arm`, or with three arrays of shape (n,): costs,
    effects and who is treated. Variances are unequal by arm; the degrees of freedom are the smaller arm's. Rows
    must be complete: costs known for respondents only are not costs of the arm. Raises `DataError` for missing
    values and `DesignNotEstimable` when an arm has fewer than two people. Willan and Briggs (2006), Statistical
    Analysis of Cost-Effectiveness Data.

    >>> rng = np.random.default_rng(4)
    >>> z = np.arange(400) % 2 == 0
    >>> found = cost_effectiveness(rng.normal(300, 50, 400) + 200 * z, rng.random(400) < 0.3 + 0.3 * z, z)
    >>> found.fieller.bounded, 400 < found.ratio < 1100
    (True, True)
    """
    (c, e), z, _ = arrays_of(data, [cost, effect], arm, treated=treated, control=control)
    if not (len(c) == len(e) == len(z)):
        raise DataError("cost, effect and arm have one value for every person")
    if not (np.isfinite(c).all() and np.isfinite(e).all()):
        raise DataError("a cost or an outcome is missing", remedy="apply the plan's handling of missing outcomes first")
    parts = [np.stack([c[z], e[z]]), np.stack([c[~z], e[~z]])]
    if min(part.shape[1] for part in parts) < 2:
        raise DesignNotEstimable("an arm has fewer than two people")
    difference = parts[0].mean(axis=1) - parts[1].mean(axis=1)
    covariance = np.cov(parts[0]) / parts[0].shape[1] + np.cov(parts[1]) / parts[1].shape[1]
    df = float(min(part.shape[1] for part in parts) - 1)
    se_cost, se_effect = (float(math.sqrt(value)) for value in np.diag(covariance))
    if se_cost == 0 or se_effect == 0:
        raise DesignNotEstimable("costs or outcomes are the same for everybody in each arm")
    confidence = fieller(
        float(difference[0]), float(difference[1]), se_numerator=se_cost, se_denominator=se_effect,
        covariance=float(covariance[0, 1]), level=level, df=df,
    )  # fmt: skip
    sure = abs(difference[1]) > critical_value(level, df) * se_effect
    return CostEffectiveness(
        extra_cost=float(difference[0]), se_cost=se_cost, extra_effect=float(difference[1]), se_effect=se_effect,
        covariance=float(covariance[0, 1]), df=df, ratio=float(difference[0] / difference[1]) if sure else None,
        fieller=confidence, why_no_ratio="" if sure else "the interval of the effect includes zero",
    )  # fmt: skip


def bootstrap_interval(
    data: Any,
    cost: Any,
    effect: Any,
    arm: Any = None,
    *,
    draws: int = 2_000,
    seed: int,
    level: float = 0.95,
    treated: Any = None,
    control: Any = None,
) -> Interval:
    """The percentile interval of the ratio over resamples of people within arms; called as `cost_effectiveness`.

    Raises `DesignNotEstimable` when the extra effect changes sign over the resamples: the ratios then fall on two
    branches and no interval describes them.

    >>> rng = np.random.default_rng(4)
    >>> z = np.arange(400) % 2 == 0
    >>> interval = bootstrap_interval(rng.normal(300, 50, 400) + 200 * z, rng.random(400) < 0.3 + 0.3 * z, z, seed=1)
    >>> 500 < interval.low < 829 < interval.high < 1500
    True
    """
    (c, e), z, _ = arrays_of(data, [cost, effect], arm, treated=treated, control=control)
    whole = cost_effectiveness(c, e, z, level=level)
    rng = np.random.default_rng(seed)
    differences = np.zeros((2, draws))
    for side, sign in ((z, 1.0), (~z, -1.0)):
        values = np.stack([c[side], e[side]])
        n = values.shape[1]
        for start in range(0, draws, 200):
            size = min(200, draws - start)
            picked = rng.integers(0, n, (size, n))
            differences[:, start : start + size] += sign * values[:, picked].mean(axis=2)
    if (np.sign(differences[1]) != np.sign(whole.extra_effect)).mean() > (1 - level) / 2:
        raise DesignNotEstimable(
            "the extra effect changes sign over the resamples, so the ratio has no interval",
            remedy="report the acceptability curve and Fieller's set",
        )
    low, high = np.quantile(differences[0] / differences[1], [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


@dataclass(frozen=True, slots=True)
class Deadweight:
    """Of those in the offered arm with the outcome, the share that would have had it without the offer.

    `share` is control mean / treated mean, kept within 0 and 1; `self_reported`, when asked, is descriptive only.
    """

    share: float
    interval: RatioSet
    control_mean: float
    treated_mean: float
    self_reported: float | None
    note: str


def deadweight(
    data: Any,
    outcome: Any,
    arm: Any = None,
    *,
    would_have_anyway: Any = None,
    level: float = 0.95,
    treated: Any = None,
    control: Any = None,
) -> Deadweight:
    """Deadweight estimated from the control arm, for a yes/no outcome (1, 0) such as training started.

    Called with a table, the `outcome` column and the `arm` column, or with two arrays: outcomes and who is treated.
    `would_have_anyway` are answers (1, 0, NaN) of treated people with the outcome to the question whether they
    would have done it without the offer; they are reported beside the estimate and never mixed with it. Raises
    `DesignNotEstimable` when nobody in the offered arm has the outcome.

    >>> y = np.array([1] * 60 + [0] * 40 + [1] * 45 + [0] * 55)
    >>> round(deadweight(y, np.arange(200) < 100).share, 3)
    0.75
    """
    (y,), z, more = arrays_of(
        data, [outcome], arm, treated=treated, control=control, labels={"told": would_have_anyway}
    )
    if not np.isin(y, (0.0, 1.0)).all():
        raise DataError("deadweight is about an outcome that is 0 or 1 for everybody")
    n1, n0 = int(z.sum()), int((~z).sum())
    if min(n1, n0) < 2 or y[z].sum() == 0:
        raise DesignNotEstimable("nobody in the offered arm has the outcome, so nothing can be deadweight")
    one, zero = float(y[z].mean()), float(y[~z].mean())
    errors = [max(share * (1 - share), 1 / (4 * n)) / (n - 1) for share, n in ((zero, n0), (one, n1))]
    interval = fieller(
        zero, one, se_numerator=math.sqrt(errors[0]), se_denominator=math.sqrt(errors[1]), level=level
    )  # fmt: skip
    told: float | None = None
    if more["told"] is not None:
        answers = np.asarray(more["told"], float)
        told = float(np.nanmean(answers)) if (~np.isnan(answers)).any() else None
    return Deadweight(
        share=min(1.0, zero / one), interval=interval, control_mean=zero, treated_mean=one, self_reported=told,
        note="from the control arm; self-report is descriptive" if told is not None else "from the control arm",
    )  # fmt: skip


def crowding_out(
    data: Any, first: Any, total: Any, arm: Any = None, *, treated: Any = None, control: Any = None
) -> tuple[float, float]:
    """How much other funding falls per unit of funding offered, and its standard error by the delta method.

    Called with a table and the columns `first`, `total` and `arm`, or with three arrays, the last one who is treated.
    `first` is what the offer paid for a person, `total` what everybody paid for that person together. Zero means that
    the offer came on top, one that it only replaced. Raises `DesignNotEstimable` when the offer paid nothing.

    >>> rate, se = crowding_out([100.0, 90, 0, 0], [150.0, 140, 80, 90], [True, True, False, False])
    >>> round(rate, 4)
    0.3684
    """
    (paid, spent), z, _ = arrays_of(data, [first, total], arm, treated=treated, control=control)
    if min(z.sum(), (~z).sum()) < 2:
        raise DesignNotEstimable("each arm needs two people")
    extra_paid = float(paid[z].mean() - paid[~z].mean())
    if extra_paid <= 0:
        raise DesignNotEstimable("the offered arm was not paid more than the other, so nothing can be crowded out")
    ratio = float((spent[z].mean() - spent[~z].mean()) / extra_paid)
    gaps = [spent[side] - ratio * paid[side] for side in (z, ~z)]
    variance = sum(float(gap.var(ddof=1)) / len(gap) for gap in gaps)
    return 1 - ratio, math.sqrt(variance) / extra_paid
