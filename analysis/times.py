"""A time to an event inside a plan: what is known of every participant, and the effect that the plan registered.

The restricted mean is estimated on pseudo-values, so that strata, pairs, clusters, weights, covariates and redrawing
are handled as for any other outcome. A ratio of hazards keeps the strata of the design apart, each with its own
baseline hazard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import DesignNotEstimable, PlanError
from analysis.estimate import Estimate
from analysis.kernels import survival as kernel
from analysis.pseudo_values import log_rank_scores, restricted_pseudo_values
from analysis.survival import cox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.defaults import Decision
    from analysis.plan_schema import Outcome

HAZARDS = ("hazard_ratio", "log_rank")


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Times and events of all participants, shape (n,), and one number for each that stands for both.

    `pseudo_values` are made within each arm, because people may be lost from sight at another pace in every arm.
    `fixed` is made over everybody together: pseudo-values, or log-rank scores where there is no horizon. `short` names
    arms of which nobody is followed up to the horizon.
    """

    time: np.ndarray
    event: np.ndarray
    pseudo_values: np.ndarray
    fixed: np.ndarray
    horizon: float | None
    short: tuple[str, ...]

    @classmethod
    def of(
        cls, time: np.ndarray, event: np.ndarray, observed: np.ndarray, arm: np.ndarray, horizon: float | None
    ) -> Times:
        """From times, events, who is observed and the arms, all of shape (n,)."""
        values, fixed = np.full(time.size, np.nan), np.full(time.size, np.nan)
        if horizon is None:
            fixed[observed] = log_rank_scores(time[observed], event[observed])
            return cls(time, event, values, fixed, None, ())
        short = []
        for name in sorted(set(arm)):
            here = observed & (arm == name)
            if not here.any():
                continue
            last = kernel.followed_up_to(time[here], event[here])
            if last < horizon:
                short.append(str(name))
            values[here] = restricted_pseudo_values(time[here], event[here], min(horizon, last))
        last = kernel.followed_up_to(time[observed], event[observed])
        fixed[observed] = restricted_pseudo_values(time[observed], event[observed], min(horizon, last))
        return cls(time, event, values, fixed, horizon, tuple(short))

    def require_horizon(self, arms: Iterable[str]) -> None:
        """Raise DesignNotEstimable when nobody of one of the arms is followed up to the horizon."""
        for arm in arms:
            if arm in self.short:
                raise DesignNotEstimable(
                    f"nobody of arm '{arm}' is followed up to {self.horizon:g}, the horizon of the plan",
                    remedy="the restricted mean up to there is not known; report an earlier horizon beside the plan",
                )

    def censored_early(self, observed: np.ndarray) -> np.ndarray:
        """Who, shape (n,), was lost from sight before the horizon, or before the last event without a horizon."""
        end = self.horizon
        if end is None:
            seen = observed & (self.event == 1)
            end = float(self.time[seen].max()) if seen.any() else 0.0
        return observed & (self.event == 0) & (self.time < end)


def check_times(outcomes: Iterable[Outcome], decision: Decision) -> None:
    """Raise PlanError for a ratio of hazards under a design that leaves it without an honest standard error."""
    for place, outcome in enumerate(outcomes):
        if outcome.kind != "time_to_event" or outcome.effective_summary not in HAZARDS:
            continue
        reason = ""
        if decision.weighs:
            reason = "people had unequal chances, and a ratio of hazards has no weighted estimator here"
        elif decision.inference == "permutation":
            reason = "the plan infers by redrawing, and the interval of a ratio of hazards cannot be inverted"
        elif outcome.effective_summary == "log_rank" and decision.convention == "CR2":
            reason = "people do not count one by one, and the log-rank test takes no clusters"
        if reason:
            raise PlanError(
                f"outcomes[{place}].summary: {reason}",
                remedy="register rmst_difference, which every design in the decision table can carry",
                path=("outcomes", place, "summary"),
            )


def hazard_effect(
    data: pd.DataFrame, summary: str, covariates: tuple[str, ...], *, strata: str | None, clusters: str | None
) -> Estimate:
    """The ratio of hazards of t (1, 0) over columns time and event; `strata` have baseline hazards of their own.

    `summary` is "hazard_ratio" (Cox, with `covariates`) or "log_rank"; `strata` and `clusters` name columns.
    """
    if summary == "log_rank":
        return _one_step(data, strata)
    fit = cox(" + ".join(["t", *covariates]), data, time="time", event="event", strata=strata, clusters=clusters)
    found, df, se = fit["t"], math.inf, fit["t"].se
    if clusters:
        G = fit.extras["clusters"]
        if G < 3:
            raise DesignNotEstimable(f"{G} clusters cannot carry a ratio of hazards")
        df, se = float(G - 2), se * math.sqrt(G / (G - 1))
    words = "Cox, Efron ties" + (", strata apart" if strata else "")
    words += ", by cluster, t(G - 2)" if clusters else ""
    return Estimate.of(
        "t", math.exp(found.value), se, df=df, n=found.n, estimand="ratio of hazards", convention=words,
        source="Cox (1972); Lin and Wei (1989)" if clusters else "Cox (1972)", scale="log",
        extras={"events": fit.extras["events"]},
    )  # fmt: skip


def _one_step(data: pd.DataFrame, strata: str | None) -> Estimate:
    """The log-rank test with the ratio of hazards that belongs to it: exp((O - E)/V) with error 1/sqrt(V)."""
    codes = None if strata is None else np.unique(data[strata].to_numpy().astype(str), return_inverse=True)[1]
    observed, expected, covariance = kernel.log_rank(
        data["time"].to_numpy(), data["event"].to_numpy(), data["t"].to_numpy().astype(int), codes
    )
    variance = float(covariance[1, 1])
    if variance <= 0:
        raise DesignNotEstimable("nobody had the event while people of both arms were followed")
    gap = float(observed[1] - expected[1])
    return Estimate.of(
        "t", math.exp(gap / variance), 1 / math.sqrt(variance), df=math.inf, n=len(data), estimand="ratio of hazards",
        convention="log-rank, hypergeometric variance" + (", strata apart" if strata else ""),
        source="Mantel (1966); Peto et al. (1977)", scale="log", extras={"events": int(observed.sum())},
    )  # fmt: skip
