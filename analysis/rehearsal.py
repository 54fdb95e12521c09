"""The dry run: the whole pipeline on real answers, with everything about the arms taken away first.

The pipeline is tested on the data as they are (missing answers, odd labels, thin strata) while nobody can learn
anything about the arms. Columns are kept by a list of what the plan needs, so a column with sessions, vouchers or
costs is dropped whatever it is called; arms, take-up and advisors are invented anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.execution import carry_out
from analysis.results import Results
from analysis.trial import joined, require_columns
from analysis.waiting_list import columns_of, invented

if TYPE_CHECKING:
    from analysis.plan import PreAnalysisPlan

INVENTED_TAKE_UP = 0.5
INVENTED_CASELOAD = 20


def rehearse(plan: PreAnalysisPlan, data: pd.DataFrame, seed: int) -> Results:
    """Results of mode "dry_run"; see `PreAnalysisPlan.dry_run`. The same data and seed give the same results.

    Raises `UnknownColumn` when a column that the plan needs and may see is absent.
    """
    return carry_out(plan, blinded(plan, data, seed), mode="dry_run")


def blinded(plan: PreAnalysisPlan, data: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The columns that the plan may see before the arms are known, with arms redrawn from the design.

    Take-up is invented by the toss of a coin in the arms that have the component, so that its tables are not empty.
    """
    keep = visible_columns(plan)
    require_columns(data, keep)
    blind = data.loc[:, keep].reset_index(drop=True).copy()
    arm = plan.analysis.columns.arm
    blind[arm] = plan.design.draw(blind, seed).astype(object).to_numpy()
    blind = blind.loc[blind[arm].notna()].reset_index(drop=True)
    rng = np.random.default_rng([seed, 1])
    names = blind[arm].to_numpy()
    take_up, advisors, chance = plan.analysis.take_up, plan.analysis.advisors, plan.analysis.columns.probability
    if take_up is not None:
        offered = [a for a in plan.arms if take_up.component in plan.analysis.components.get(a, ())]
        offered = offered or [a for a in plan.arms if a != plan.analysis.control]
        coin = rng.random(len(blind)) < INVENTED_TAKE_UP
        blind[take_up.column] = (np.isin(names, offered) & coin).astype(int)
    if advisors is not None:
        numbers = rng.integers(0, max(2, len(blind) // INVENTED_CASELOAD), len(blind))
        advised = np.isin(names, advisors.arms)
        blind[advisors.column] = [f"advisor {n}" if here else None for n, here in zip(numbers, advised, strict=True)]
    if plan.analysis.waiting_list is not None:
        blind = invented(plan.analysis, blind, joined(blind, plan.decision.strata), rng)
    if chance is not None:
        chances = plan.design.probabilities(blind.drop(columns=[arm]))
        blind[chance] = chances.to_numpy()[np.arange(len(blind)), chances.columns.get_indexer(pd.Index(names))]
    return blind


def visible_columns(plan: PreAnalysisPlan) -> list[str]:
    """What a dry run may read: strata, clusters, pairs, baseline covariates, subgroups and outcomes, never more."""
    analysis, hidden = plan.analysis, {plan.analysis.columns.arm, plan.analysis.columns.probability}
    hidden |= {analysis.take_up.column} if analysis.take_up else set()
    hidden |= {analysis.advisors.column} if analysis.advisors else set()
    hidden |= set(columns_of(analysis))
    wanted = [
        analysis.columns.id,
        *plan.decision.strata,
        *plan.design.columns,
        plan.decision.clusters,
        plan.decision.pairs,
        *plan.decision.adjust,
        *analysis.subgroups,
        *(analysis.attrition.covariates or ()),
        *(outcome.column for outcome in plan.outcomes),
        *(outcome.event for outcome in plan.outcomes),
    ]
    return list(dict.fromkeys(name for name in wanted if name is not None and name not in hidden))
