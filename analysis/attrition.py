"""Who did not answer, whether that differs between arms, and weights that let respondents speak for everybody.

Bounds that assume nothing about the missing outcomes live in `analysis.bounds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analysis.covariates import independent
from analysis.errors import DesignNotEstimable, NotConverged
from analysis.frame import as_frame, codes, column
from analysis.two_arms import is_table


@dataclass(frozen=True, slots=True)
class Response:
    """Response by arm with Pearson's test that it is the same in all arms; p is None when nobody or all responded."""

    arms: tuple[str, ...]
    allocated: tuple[int, ...]
    observed: tuple[int, ...]
    statistic: float | None
    df: int | None
    p: float | None

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each arm that responded."""
        return tuple(seen / n for seen, n in zip(self.observed, self.allocated, strict=True))

    @property
    def largest_gap(self) -> float:
        """The largest difference in response between two arms."""
        return max(self.shares) - min(self.shares)


def differential_response(arm: Any, observed: Any, arms: Any) -> Response:
    """Whether response differs between arms: Pearson's chi-square over the table of arm by response.

    `arm` and `observed`, shape (n,), and the names of the arms; or a table, the outcome column and the arm column.
    Raises `DesignNotEstimable` when an arm is empty.

    >>> arm = np.repeat(["advice", "portal"], 50)
    >>> answered = np.concatenate([np.arange(50) < 40, np.arange(50) < 30])
    >>> response = differential_response(arm, answered, ("advice", "portal"))
    >>> response.shares, round(response.p, 4)
    ((0.8, 0.6), 0.0291)
    """
    if is_table(arm):
        frame = as_frame(arm)
        group, known = column(frame, arms, "arm"), column(frame, observed, "outcome").notna().to_numpy()
        kept = group.notna().to_numpy()
        names = [str(label) for label in codes(group[kept])[1]]
        return differential_response(np.asarray(group[kept].astype(str), dtype=object), known[kept], tuple(names))
    allocated = np.array([(arm == name).sum() for name in arms])
    if (allocated == 0).any():
        raise DesignNotEstimable(f"arm '{arms[int(np.argmin(allocated))]}' has no participants")
    seen = np.array([observed[arm == name].sum() for name in arms])
    counts = (tuple(map(int, allocated)), tuple(map(int, seen)))
    if seen.sum() in (0, allocated.sum()) or len(arms) < 2:
        return Response(arms, *counts, None, None, None)
    table = np.column_stack([seen, allocated - seen])
    found: Any = stats.chi2_contingency(table, correction=False)
    return Response(arms, *counts, float(found.statistic), int(found.dof), float(found.pvalue))


def response_weights(arm: np.ndarray, observed: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    """Inverse-probability weights: one over the chance to respond, given arm and covariates.

    `arm` and `observed` of shape (n,), `covariates` (n, k). A logistic regression is fitted within each arm, so the
    model is saturated in the arm; non-respondents get 0. The weights are treated as known afterwards, which makes
    standard errors slightly too large. Seaman and White (2013), Statistical Methods in Medical Research 22.

    Raises `NotConverged` when covariates predict response perfectly in an arm.
    """
    weights = np.zeros(len(arm))
    for name in np.unique(arm):
        rows = arm == name
        seen = observed[rows]
        if not seen.any():
            raise DesignNotEstimable(f"nobody in arm '{name}' has a known outcome")
        if seen.all():
            weights[rows] = 1.0
            continue
        chance = logistic_chances(covariates[rows], seen.astype(float), what=f"response in arm '{name}'")
        weights[np.flatnonzero(rows)[seen]] = 1.0 / chance[seen]
    return weights


def logistic_chances(covariates: np.ndarray, outcome: np.ndarray, *, what: str, rounds: int = 50) -> np.ndarray:
    """Fitted chances of a logistic regression with constant, shape (n,); columns are standardised and thinned first.

    Columns that repeat others are left out, which does not change the fit. Raises `NotConverged` when the fitted
    chances run to 0 or 1, which is what happens under perfect prediction.

    >>> logistic_chances(np.empty((4, 0)), np.array([1.0, 1, 1, 0]), what="response").round(6).tolist()
    [0.75, 0.75, 0.75, 0.75]
    """
    spread = covariates.std(axis=0)
    standardised = (covariates[:, spread > 0] - covariates[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    X = np.column_stack([np.ones(len(outcome)), standardised])
    X = X[:, independent(X)]
    beta = np.zeros(X.shape[1])
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-np.clip(X @ beta, -30, 30)))
        spread_of_chance = chance * (1 - chance)
        if spread_of_chance.min() < 1e-9:
            break
        information = X.T @ (X * spread_of_chance[:, None])
        step = np.linalg.solve(information, X.T @ (outcome - chance))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return 1 / (1 + np.exp(-(X @ beta)))
    raise NotConverged(
        f"the covariates predict {what} (almost) perfectly, so no weights exist",
        remedy="use fewer covariates for the attrition model, or bounds instead of weights",
    )
