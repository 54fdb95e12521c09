"""What can be judged before any outcome is known: the sizes of the arms, and whether they start alike.

Nothing here reads an outcome, so it may be looked at while outcomes by arm are masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.baseline import balance_result
from analysis.contrasts import Context, clusters_of
from analysis.covariates import encode
from analysis.execution import arm_counts, trial_of
from analysis.results import ArmCount, BalanceResult, SampleRatio

if TYPE_CHECKING:
    from analysis.plan import PreAnalysisPlan


@dataclass(frozen=True, slots=True)
class AtBaseline:
    """Sizes of the arms with the sample-ratio check, and the balance table (None when the plan names no covariate)."""

    arms: tuple[ArmCount, ...]
    sample_ratio: SampleRatio
    balance: BalanceResult | None


def at_baseline(plan: PreAnalysisPlan, data: pd.DataFrame) -> AtBaseline:
    """Sizes and balance of the people in `data`, one row each, under the plan's design; outcomes may be absent.

    Raises `DataError` and its kind when the data are not those of this plan.

    >>> from analysis import PreAnalysisPlan
    >>> plan = PreAnalysisPlan.from_dict({
    ...     "allocation": {"method": "complete", "ratio": {"control": 1, "advice": 1}},
    ...     "outcomes": [{"name": "started", "kind": "binary", "source": {"column": "started"}}],
    ...     "analysis_plan": {"control": "control", "contrasts": [["advice", "control"]]},
    ... })
    >>> found = at_baseline(plan, pd.DataFrame({"arm": ["control", "advice"] * 50}))
    >>> found.sample_ratio.mismatch, [arm.n for arm in found.arms]
    (False, [50, 50])
    """
    trial = trial_of(plan, data)
    context = Context(
        trial=trial,
        decision=plan.decision,
        plan=plan.analysis,
        covariates=encode(trial.data, plan.decision.adjust),
        clusters=clusters_of(trial, plan.decision, plan.analysis),
    )
    arms, ratio = arm_counts(context)
    return AtBaseline(arms, ratio, balance_result(context))
