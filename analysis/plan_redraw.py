"""Inference by redrawing the design inside a plan: for few clusters, or because the plan says so.

One set of redrawn allocations serves all outcomes and contrasts, so their p-values are about the same shuffles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.contrasts import Context, pool_sparse
from analysis.errors import AnalysisError, DesignNotEstimable
from analysis.measured import Measured
from analysis.outcome_results import Estimated
from analysis.permutation import randomization_inference
from analysis.plan_schema import JOINT
from analysis.redraws import Redraws, redraw
from analysis.stepdown import Hypothesis, permutation_family

THICK = 8
"""Units that every arm of a stratum has before the stratum enters the test statistic by itself."""


def redraws_for(context: Context, families: Iterable[str]) -> Redraws | None:
    """The redrawn allocations of this trial, or None when the plan needs none for these families of outcomes."""
    corrections = {context.plan.correction.for_family(family) for family in families}
    if context.decision.inference != "permutation" and not corrections & set(JOINT):
        return None
    if context.trial.design is None:
        raise DesignNotEstimable("without its design an allocation cannot be redrawn")
    drawn = redraw(context.trial, context.trial.design, draws=context.plan.draws, seed=context.plan.seed)
    if not context.decision.strata or context.decision.pairs is not None:
        return drawn
    return replace(drawn, strata=_thick_strata(context, drawn))


def _thick_strata(context: Context, drawn: Redraws) -> np.ndarray:
    """Strata for the test statistic, joined until each arm has units enough to survive a redraw and some drop-out.

    Any statistic gives a valid test as long as the draws are those of the design, so this is free to choose.
    """
    first = np.unique(drawn.unit, return_index=True)[1]
    labels = context.trial.stratum().to_numpy()[first]
    return pd.factorize(pool_sparse(labels, drawn.observed, THICK)[0])[0].astype(np.intp)


def with_permutation(
    context: Context, measured: Measured, estimated: Sequence[Estimated], redraws: Redraws | None
) -> list[Estimated]:
    """The contrasts with p-value and inverted interval by redrawing; unchanged when there are no redraws.

    When the adjusted result is the main one, the outcome is first regressed on the covariates without the arm, and
    the residuals are compared: the test stays exact, because covariates do not change with the allocation
    (Rosenbaum 2002, Statistical Science 17).
    """
    if redraws is None or context.decision.inference != "permutation":
        return list(estimated)
    return [one if one.table is None else _redrawn(context, measured, one, redraws) for one in estimated]


def _fixed(context: Context, measured: Measured, one: Estimated) -> np.ndarray:
    """The outcome of everybody who may come into one of the two arms when these are redrawn, NaN for the others.

    People of other arms belong to it; those of the two arms whom the plan leaves out (a broken pair) do not.
    """
    table = one.table
    assert table is not None
    arm = context.trial.data[context.trial.arm].to_numpy()
    fixed = np.nan_to_num(measured.fixed) if measured.outcome.missing.handling == "zero" else measured.fixed
    compared = (arm == one.result.treated) | (arm == one.result.comparison)
    values = np.where(compared, np.nan, fixed)
    values[table.rows] = measured.fixed[table.rows] if measured.times is not None else table.data["y"].to_numpy(float)
    return values


def _redrawn(context: Context, measured: Measured, one: Estimated, redraws: Redraws) -> Estimated:
    result, table = one.result, one.table
    assert table is not None
    values = _fixed(context, measured, one)
    if result.headline == "adjusted" and table.covariates:
        known = ~np.isnan(values)
        values[known] = _residuals(values[known], context.covariates.values[known])
    data = context.trial.data.assign(**{"_redrawn outcome": values})
    try:
        test = randomization_inference(
            data, "_redrawn outcome", redraws, treated=result.treated, control=result.comparison
        )
        interval = test.interval(1 - context.plan.alpha)
    except AnalysisError as error:
        return Estimated(result.model_copy(update={"refused": f"no inference by redrawing: {error}", "p": None}), table)
    ends = tuple(interval) if math.isfinite(interval.low) and math.isfinite(interval.high) else None
    return Estimated(
        result.model_copy(update={"p_permutation": test.p, "p": test.p, "permutation_interval": ends}), table
    )


def _residuals(y: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    X = np.column_stack([np.ones(len(y)), covariates])
    return y - X @ np.linalg.lstsq(X, y, rcond=None)[0]


def joint_correction(
    context: Context, family: Sequence[tuple[Measured, Estimated]], method: str, redraws: Redraws
) -> list[float]:
    """p-values of a whole family corrected at once over the same redraws, in the order handed in.

    `method` is "romano_wolf" or "westfall_young"; every item is a contrast that could be estimated. Outcomes enter as
    they were analysed, without covariates.
    """
    columns, hypotheses = {}, []
    for place, (measured, one) in enumerate(family):
        values = _fixed(context, measured, one)
        name = f"_redrawn outcome {place}"
        columns[name] = values
        hypotheses.append(Hypothesis(name, one.result.treated, one.result.comparison))
    found = permutation_family(context.trial.data.assign(**columns), hypotheses, redraws)
    return [float(getattr(one, method)) for one in found]
