"""Looking at a pilot while it runs without fooling oneself: looks that are paid for, and intervals valid at any time.

Boundaries and conditional power are those of `analysis.power.sequential`; this module keeps the account of the looks
that were really taken. Whether the arms have the right sizes is asked by `analysis.sample_ratio`, and what was
delivered to whom by `analysis.delivery`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from scipy import special

from analysis.errors import DataError, DesignNotEstimable, OptionError
from analysis.estimate import Array
from analysis.power.sequential import SPENDING, conditional_power, predictive_power, spent
from analysis.power.sequential.boundaries import spending_bounds
from analysis.two_arms import arrays_of

__all__ = [
    "AlphaLedger", "ConfidenceSequence", "Look", "conditional_power", "confidence_sequence", "level_of_look",
    "predictive_power",
]  # fmt: skip

LEAST = 1e-10
"""The smallest level at which a look is read: nothing crosses it, and an interval at it still has ends."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look that was taken: the share of the planned information, z, the bound it was held against, and alpha."""

    information: float
    z: float
    bound: float
    alpha_spent: float
    crossed: bool


@dataclass(frozen=True, slots=True)
class AlphaLedger:
    """The account of error: what was spent at which look, and what is left.

    `alpha` is two-sided; half of it is spent on each side by the `spending` function, whatever the timing of the
    looks. Every look gives a new ledger; nothing can be taken back.

    >>> ledger = AlphaLedger(alpha=0.05)
    >>> round(ledger.bound(0.5), 4)
    2.9626
    >>> ledger = ledger.look(0.5, z=1.2).look(1.0, z=2.1)
    >>> round(ledger.looks[-1].bound, 4), ledger.decision
    (1.9686, 'stop: efficacy or harm shown')
    """

    alpha: float = 0.05
    spending: str = "lan_demets_obf"
    parameter: float | None = None
    looks: tuple[Look, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise OptionError(f"alpha lies between 0 and 1, not at {self.alpha}")
        if self.spending not in SPENDING:
            raise OptionError(
                f"there is no spending function '{self.spending}'", remedy=f"choose {', '.join(sorted(SPENDING))}"
            )

    def bound(self, information: float) -> float:
        """The |z| to exceed at a look with this share of the planned information; raises OptionError out of order."""
        times = [*(look.information for look in self.looks), self._next(information)]
        return spending_bounds(times, self.alpha / 2, self.spending, self.parameter, symmetric=True)[-1]

    def look(self, information: float, *, z: float) -> AlphaLedger:
        """The ledger after a look; raises `OptionError` after a stop, or when information does not grow."""
        if self.looks and (self.looks[-1].crossed or self.looks[-1].information >= 1):
            raise OptionError("the trial has stopped, so no further look can be paid for")
        if not math.isfinite(z):
            raise DataError("the statistic of a look is a finite number")
        bound = self.bound(information)
        new = Look(information, z, bound, self.spent_at(information), abs(z) >= bound)
        return replace(self, looks=(*self.looks, new))

    def spent_at(self, information: float) -> float:
        """The two-sided error spent by this share of the information."""
        return 2 * spent(self.spending, self.alpha / 2, information, self.parameter)

    @property
    def left(self) -> float:
        """The error that is still to be spent."""
        return self.alpha - (self.looks[-1].alpha_spent if self.looks else 0.0)

    @property
    def decision(self) -> Literal["go on", "stop: efficacy or harm shown", "ended: not shown"]:
        """What the looks so far allow to say."""
        if self.looks and self.looks[-1].crossed:
            return "stop: efficacy or harm shown"
        return "ended: not shown" if self.looks and self.looks[-1].information >= 1 else "go on"

    def _next(self, information: float) -> float:
        before = self.looks[-1].information if self.looks else 0.0
        if not before < information <= 1:
            raise OptionError(
                f"a look at information {information:g} cannot follow one at {before:g}",
                remedy="information grows from look to look and ends at 1",
            )
        return information


def level_of_look(
    information: Sequence[float],
    *,
    alpha: float = 0.05,
    spending: str = "lan_demets_obf",
    parameter: float | None = None,
    tests: int = 1,
) -> float:
    """The two-sided level of the last of these looks, so that all looks together make at most `alpha` false claims.

    `information` has the share of the planned information at each look so far, rising, at most 1. With several `tests`
    corrected by Bonferroni or Holm, p-values that already pay for the other tests are held against this level: it is
    the smallest of j times the level of one test at `alpha`/j, j = 1 .. `tests`, so that no step of Holm's procedure
    gets more than its own group-sequential test allows. Never below 1e-10.
    Raises OptionError for an unknown spending function, a level that is none, or information that does not rise.
    Source: Lan & DeMets (1983); Maurer & Bretz (2013).

    >>> round(level_of_look([0.5]), 5), round(level_of_look([0.5, 1.0]), 4)
    (0.00305, 0.049)
    >>> level_of_look([0.5], tests=3) < level_of_look([0.5])
    True
    """
    if tests < 1:
        raise OptionError("at least one test is made at a look")
    rising = [0.0, *information]
    if not information or any(later <= before for before, later in pairwise(rising)) or rising[-1] > 1:
        raise OptionError(
            f"the information at looks rises from look to look up to 1, and this is {list(information)}",
            remedy="give the share of the planned information at every look so far",
        )
    AlphaLedger(alpha, spending, parameter)
    levels = [
        j
        * 2
        * float(special.ndtr(-spending_bounds(information, alpha / j / 2, spending, parameter, symmetric=True)[-1]))
        for j in range(1, tests + 1)
    ]
    return max(min(levels), LEAST)


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceSequence:
    """Estimates and intervals after each of n people, all of shape (n,); infinite ends until both arms have two.

    All intervals together hold the effect with probability 1 - alpha in large samples, however often one looks.
    """

    estimate: Array
    low: Array
    high: Array
    alpha: float

    def first_exclusion(self, value: float = 0.0) -> int | None:
        """How many people it took until the interval left `value` out for the first time, or None."""
        out = np.flatnonzero((self.low > value) | (self.high < value))
        return int(out[0]) + 1 if len(out) else None


def confidence_sequence(
    data: Any,
    outcome: Any,
    arm: Any = None,
    *,
    probability: Any,
    alpha: float = 0.05,
    tightest_at: int,
    treated: Any = None,
    control: Any = None,
) -> ConfidenceSequence:
    """An asymptotic confidence sequence for the average effect, people in order of arrival.

    Called with a table, the `outcome` column and the `arm` column, or with two arrays of shape (n,): outcomes and
    who is treated. `probability` (a number, a column or an array) is the chance of treatment that the design gave
    each of them; `tightest_at` is the number of people at which the interval should be tightest. The estimate is
    the mean of inverse-probability terms, centred by the arm means of the people before, which only narrows it.

    Raises `DataError` for missing outcomes and for probabilities outside (0, 1). Waudby-Smith, Arbour, Sinha, Kennedy
    and Ramdas (2024), Annals of Statistics 52, theorem 2.2 and the choice of rho below it.

    >>> rng = np.random.default_rng(2)
    >>> z = rng.random(2_000) < 0.5
    >>> found = confidence_sequence(rng.normal(0.3 * z), z, probability=0.5, tightest_at=1_000)
    >>> bool(found.low[-1] < 0.3 < found.high[-1]), found.first_exclusion() is not None
    (True, True)
    """
    several = not isinstance(probability, (int, float, np.number))
    (y,), z, more = arrays_of(
        data, [outcome], arm, treated=treated, control=control, labels={"p": probability if several else None}
    )
    p = np.broadcast_to(np.asarray(more["p"] if several else probability, float), y.shape)
    if not np.isfinite(y).all():
        raise DataError("an outcome is missing; a confidence sequence takes people whose outcome is known")
    if not ((p > 0) & (p < 1)).all():
        raise DataError("the probability of treatment lies between 0 and 1 for everybody")
    if tightest_at < 2 or not 0 < alpha < 1:
        raise OptionError("tightest_at is 2 or more, and alpha lies between 0 and 1")
    if len(y) < 4 or min(z.sum(), (~z).sum()) < 2:
        raise DesignNotEstimable("each arm needs two people before an interval exists")
    before = {arm: _mean_before(y, z == arm) for arm in (True, False)}
    terms = before[True] - before[False]
    terms = terms + np.where(z, (y - before[True]) / p, -(y - before[False]) / (1 - p))
    count = np.arange(1, len(y) + 1)
    estimate = np.cumsum(terms) / count
    variance = np.maximum(np.cumsum(terms**2) / count - estimate**2, 0.0)
    log_alpha = -2 * math.log(alpha)
    rho2 = (log_alpha + math.log(log_alpha + 1)) / tightest_at
    grown = count * rho2 + 1
    half = np.sqrt(variance * 2 * grown / (count**2 * rho2) * np.log(np.sqrt(grown) / alpha))
    known = (np.cumsum(z) >= 2) & (np.cumsum(~z) >= 2)
    half = np.where(known, half, np.inf)
    return ConfidenceSequence(estimate, estimate - half, estimate + half, alpha)


def _mean_before(y: Array, member: np.ndarray) -> Array:
    """The mean of the members among the people before each one; 0 before the first."""
    sums = np.concatenate([[0.0], np.cumsum(np.where(member, y, 0.0))[:-1]])
    counts = np.concatenate([[0], np.cumsum(member)[:-1]])
    return sums / np.maximum(counts, 1)
