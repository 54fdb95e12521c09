"""Effects within pre-specified subgroups, and the test that they are all the same.

The test is what counts: an effect in one group and none in another is not yet a difference between groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from analysis.contrasts import Context, lay_table, unadjusted
from analysis.errors import AnalysisError
from analysis.estimate import Estimate, on_scale
from analysis.measured import Measured
from analysis.multiplicity import adjust
from analysis.outcome_results import effect_of
from analysis.results import SubgroupLevel, SubgroupResult
from analysis.trial import as_text, column_of


def subgroup_results(context: Context, measured: Measured, weights: np.ndarray | None) -> tuple[SubgroupResult, ...]:
    """Every registered subgroup column by every contrast, corrected by Holm over the tests of this outcome.

    Contrasts outside the confirmatory family are corrected among themselves.
    """
    inside, outside = context.plan.contrasts, context.plan.secondary_contrasts
    return (*_tested(context, measured, weights, inside), *_tested(context, measured, weights, outside, outside=True))


def _tested(
    context: Context, measured: Measured, weights: np.ndarray | None, contrasts: Sequence[tuple[str, str]],
    *, outside: bool = False,
) -> list[SubgroupResult]:  # fmt: skip
    found = [
        _one(context, measured, column, *pair, weights).model_copy(update={"outside_family": outside})
        for column in context.plan.subgroups
        for pair in contrasts
    ]
    tested = [place for place, result in enumerate(found) if result.p is not None]
    corrected = adjust(np.array([found[place].p for place in tested], float), "holm") if tested else np.empty(0)
    for place, p in zip(tested, corrected, strict=True):
        found[place] = found[place].model_copy(update={"p_corrected": float(p)})
    return found


def equal_effects(estimates: Sequence[Estimate]) -> tuple[float, int, float]:
    """Cochran's Q that independent effects are equal: statistic, degrees of freedom and p of the chi-square.

    >>> one = Estimate.of("a", 1.0, 1.0, df=50, n=60, estimand="", convention="HC2", source="")
    >>> two = Estimate.of("b", 4.0, 1.0, df=50, n=60, estimand="", convention="HC2", source="")
    >>> [round(float(part), 4) for part in equal_effects([one, two])]
    [4.5, 1.0, 0.0339]
    """
    value = np.array([on_scale(estimate.value, estimate.scale) for estimate in estimates])
    weight = 1 / np.array([estimate.se for estimate in estimates]) ** 2
    statistic = float(weight @ (value - weight @ value / weight.sum()) ** 2)
    df = len(value) - 1
    return statistic, df, float(stats.chi2.sf(statistic, df))


def _one(
    context: Context, measured: Measured, column: str, treated: str, comparison: str, weights: np.ndarray | None
) -> SubgroupResult:
    labels = column_of(context.trial.data, column).astype(object)
    labels = as_text(labels.where(labels.notna(), "(missing)")).to_numpy()
    levels, estimates = [], []
    for level in sorted(set(labels)):
        here = labels == level
        try:
            estimate = unadjusted(lay_table(context, measured, treated, comparison, weights, within=here))
        except AnalysisError as error:
            levels.append(SubgroupLevel(level=level, n=int(here.sum()), effect=None, refused=str(error)))
            continue
        estimates.append(estimate)
        effect = effect_of(estimate, context, measured, context.decision.unadjusted)
        levels.append(SubgroupLevel(level=level, n=estimate.n, effect=effect))
    statistic = df = p = None
    if len(estimates) > 1 and context.clusters is None:
        statistic, df, p = equal_effects(estimates)
    return SubgroupResult(
        column=column, treated=treated, comparison=comparison, levels=tuple(levels), statistic=statistic, df=df, p=p,
        p_corrected=None,
    )  # fmt: skip
