"""A plan that analyses a lottery by every offer made, refills from the waiting list included.

The default of a lottery is the first offer, which needs nothing but the draw. A plan that registers `waiting_list`
compares everybody who was ever offered a place with everybody who never was, by `analysis.lotteries.ever_offer`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import DataError, PlanError
from analysis.lotteries import EverOffer, ever_offer
from analysis.plan_schema import JOINT, AnalysisPlan, Outcome

if TYPE_CHECKING:
    from analysis.measured import Measured
    from analysis.trial import Trial
    from randomization import Design

DIFFERENCES = ("risk_difference", "mean_difference", "share_above_zero")
STRATUM, OUTCOME = "_list", "_outcome"


def check_waiting_list(design: Design, plan: AnalysisPlan, outcomes: Iterable[Outcome]) -> None:
    """Raises PlanError, with the place, for a plan whose other choices contradict an analysis by every offer made."""
    if plan.waiting_list is None:
        return
    if design.method != "lottery" or getattr(design, "tickets", None) is not None:
        what = "gives unequal tickets" if design.method == "lottery" else f"is '{design.method}'"
        raise PlanError(
            f"waiting_list belongs to a lottery in which every order is equally likely, and the allocation {what}",
            remedy="leave out analysis_plan.waiting_list", path=("analysis_plan", "waiting_list"),
        )  # fmt: skip
    for key, chosen in _contradictions(plan).items():
        if chosen:
            raise PlanError(
                f"an analysis by every offer made has weights of its own and cannot go with '{key}'",
                remedy=f"leave out analysis_plan.{key}, or waiting_list to analyse by the first offer",
                path=("analysis_plan", key),
            )
    for place, outcome in enumerate(outcomes):
        if outcome.effective_summary not in DIFFERENCES:
            raise PlanError(
                f"an analysis by every offer made gives a difference, not the {outcome.effective_summary} of "
                f"'{outcome.name}'",
                remedy="register a difference, or analyse by the first offer",
                path=("outcomes", place, "summary"),
            )
        if outcome.missing.handling != "complete_cases" or outcome.missing.bounds != "none":
            raise PlanError(
                f"missing outcomes of '{outcome.name}' can only be left out in an analysis by every offer made",
                remedy="write handling: complete_cases and bounds: none, or analyse by the first offer",
                path=("outcomes", place, "missing"),
            )


def _contradictions(plan: AnalysisPlan) -> dict[str, bool]:
    """What the weights of `ever_offer` leave no room for, by key of the plan."""
    families = {plan.correction.for_family(name) for name in ("primary", "secondary", "exploratory")}
    return {
        "control": plan.control != "waiting list",
        "covariates": bool(plan.covariates),
        "estimator": plan.estimator not in ("design_default", "difference_in_means"),
        "inference": plan.inference == "permutation",
        "correction": bool(families & set(JOINT)),
        "subgroups": bool(plan.subgroups),
        "take_up": plan.take_up is not None,
        "advisors": plan.advisors is not None,
        "columns": any((plan.columns.cluster, plan.columns.pair, plan.columns.probability)),
    }


def columns_of(plan: AnalysisPlan) -> tuple[str, ...]:
    """The columns that the record of the lottery must have; none for a plan without a waiting list."""
    named = plan.waiting_list
    if named is None:
        return ()
    return (named.rank, named.offered, named.took, *([named.started] if named.started else []))


def estimate(plan: AnalysisPlan, trial: Trial, measured: Measured) -> EverOffer:
    """The effects of one outcome; raises what `ever_offer` raises."""
    assert plan.waiting_list is not None
    named = plan.waiting_list
    data = trial.data.assign(**{OUTCOME: measured.values, STRATUM: trial.stratum()})
    found = ever_offer(
        data, OUTCOME, rank=named.rank, offered=named.offered, took=named.took, started=named.started,
        strata=STRATUM if trial.strata else None,
    )  # fmt: skip
    drawn = trial.data[trial.arm].to_numpy() == "offer"
    without = int(np.count_nonzero(drawn & (trial.data[named.offered].to_numpy(float) != 1.0)))
    if without:
        raise DataError(
            f"{without} people drawn for a first offer have no offer in '{named.offered}'",
            remedy="look up the record of the lottery",
        )
    return found


def invented(plan: AnalysisPlan, people: pd.DataFrame, strata: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """The people of a dry run with the record of a lottery that never was, in the columns that the plan names.

    First offers go to the arm that was invented for them, takers are found by the toss of a coin, and refills go down
    an invented order until as many places are taken as there were first offers, or two people are left without.
    """
    assert plan.waiting_list is not None
    named, first = plan.waiting_list, (people[plan.columns.arm] == "offer").to_numpy()
    rank, offered, took = (np.zeros(len(people), int) for _ in range(3))
    for name in strata.unique():
        here = np.flatnonzero(strata.to_numpy() == name)
        order = np.concatenate([rng.permutation(here[first[here]]), rng.permutation(here[~first[here]])])
        places = int(first[here].sum())
        takers = rng.random(len(order)) < 0.5
        if places:
            takers[places - 1] = True
        last = int(np.flatnonzero(takers[: max(places, len(order) - 2)])[:places][-1]) + 1 if places else 0
        rank[order] = np.arange(len(order)) + 1
        offered[order[:last]] = 1
        took[order[:last]] = takers[:last]
    found = people.assign(**{named.rank: rank, named.offered: offered, named.took: took})
    return found if named.started is None else found.assign(**{named.started: took})
