"""Do the arms have the sizes that the design intends? A mismatch points at lost or invented rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from analysis.errors import DataError
from analysis.results import SampleRatio
from analysis.trial import Trial, column_of
from randomization.diagnostics import sample_ratio_test

THRESHOLD = 0.001
"""Below this p-value a mismatch is reported; strict, because the test is looked at in every pilot."""

DRAWS = 1_999
"""Redraws: enough for the smallest p-value, 1 / 2,000, to fall below the threshold."""


def sample_ratio(counts: Mapping[str, int], shares: Mapping[str, float], *, restricted: bool = False) -> SampleRatio:
    """Pearson's chi-square of the arm sizes against the intended shares, which sum to one.

    `restricted` says that the design itself keeps the sizes close to the shares (blocks, fixed totals); the test is
    then conservative and the note says so. Raises `DataError` when nobody was allocated or the shares are not shares.
    Fabijan et al. (2019), KDD, for the use of a strict threshold.

    >>> found = sample_ratio({"a": 500, "b": 400}, {"a": 0.5, "b": 0.5})
    >>> round(found.statistic, 4), found.df, found.mismatch
    (11.1111, 1, True)
    """
    arms = list(shares)
    seen = np.array([counts.get(arm, 0) for arm in arms], float)
    expected = np.array([shares[arm] for arm in arms], float)
    if seen.sum() == 0:
        raise DataError("nobody was allocated")
    if abs(expected.sum() - 1) > 1e-9 or (expected <= 0).any():
        raise DataError("the intended shares of the arms are positive and sum to one")
    statistic = float((((seen - expected * seen.sum()) ** 2) / (expected * seen.sum())).sum())
    p = float(stats.chi2.sf(statistic, len(arms) - 1))
    return SampleRatio(
        statistic=statistic,
        df=len(arms) - 1,
        p=p,
        reference="chi-square",
        threshold=THRESHOLD,
        mismatch=p < THRESHOLD,
        note="the design restricts the sizes of the arms, so this test is conservative" if restricted else "",
    )


def sample_ratio_by_chances(arms: Sequence[str], received: np.ndarray) -> SampleRatio:
    """The same question for a design whose chances followed the outcomes: everybody's own chance is the reference.

    `received`, shape (n,), is the chance that each person had of the arm in `arms`. Within an arm one over the chance
    sums to n in expectation, whatever came before, with variance the sum of (1 - p) / p². The statistic is the largest
    squared deviation in standard errors, its p from chi-square with one degree of freedom times the number of arms.
    Raises `DataError` for a chance outside (0, 1].

    >>> found = sample_ratio_by_chances(["a", "b"] * 200, np.full(400, 0.5))
    >>> found.statistic, found.mismatch
    (0.0, False)
    """
    chances = np.asarray(received, float)
    if not ((chances > 0) & (chances <= 1)).all():
        raise DataError("the chance of the arm that was drawn lies above 0 and is at most 1")
    drawn, names = np.asarray(arms), sorted(set(arms))
    if not names:
        raise DataError("nobody was allocated")
    squares = []
    for name in names:
        here = chances[drawn == name]
        variance = float(((1 - here) / here**2).sum())
        squares.append(float((1 / here).sum() - len(chances)) ** 2 / variance if variance else 0.0)
    p = min(1.0, len(names) * float(stats.chi2.sf(max(squares), 1)))
    return SampleRatio(
        statistic=max(squares),
        df=1,
        p=p,
        reference="chi-square",
        threshold=THRESHOLD,
        mismatch=p < THRESHOLD,
        note="everybody is counted by one over the chance of the arm that was drawn",
    )


def sample_ratio_by_redraw(trial: Trial, *, seed: int, draws: int = DRAWS) -> SampleRatio:
    """The same question for a design that fixes the sizes of arms: its own redraws are the reference.

    The statistic sums (observed - expected)² / expected over strata and arms. Raises `DataError` when the trial has
    no design.

    >>> import pandas as pd
    >>> import randomization as rz
    >>> data = pd.DataFrame({"arm": ["a"] * 53 + ["b"] * 47})
    >>> sample_ratio_by_redraw(Trial(data, design=rz.complete(["a", "b"])), seed=1).mismatch
    True
    """
    if trial.design is None:
        raise DataError("without its design the sizes of the arms cannot be judged")
    found = sample_ratio_test(column_of(trial.data, trial.arm), trial.design, trial.data, draws=draws, seed=seed)
    return SampleRatio(
        statistic=float(found.statistic),
        df=None,
        p=float(found.p),
        reference="redraws",
        threshold=THRESHOLD,
        mismatch=found.p < THRESHOLD,
        note="the design fixes the sizes of the arms: a mismatch means that rows are lost, added or moved",
    )
