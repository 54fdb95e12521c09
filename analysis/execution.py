"""Carrying out a plan: from checked rows to results, in the order that the plan fixes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from analysis import deviations
from analysis.baseline import balance_result
from analysis.contrasts import Context, clusters_of, received_chances
from analysis.covariates import encode
from analysis.errors import NotConverged, UnknownColumn
from analysis.measured import Measured, measure
from analysis.outcome_results import Estimated, arm_means, contrast, response, weights_for
from analysis.plan_correction import OUTSIDE_BY, Key, over_family, within_outcome
from analysis.plan_redraw import joint_correction, redraws_for, with_permutation
from analysis.plan_schema import JOINT
from analysis.plan_subgroups import subgroup_results
from analysis.provenance import provenance
from analysis.redraws import Redraws
from analysis.results import ArmCount, ContrastResult, Deviation, OutcomeResult, Reading, Results, SampleRatio
from analysis.sample_ratio import sample_ratio, sample_ratio_by_chances, sample_ratio_by_redraw
from analysis.trial import Trial
from analysis.uptake import by_arm, taken_up
from analysis.waiting_list import columns_of

if TYPE_CHECKING:
    from analysis.plan import PreAnalysisPlan

FREE_SIZES = {"simple", "minimization", "biased_coin", "urn"}
"""Designs whose arm sizes are free to vary; all others keep them close to the intended shares."""

SHARE_DRAWS = 20
"""Redraws from which the intended shares of a lottery or of two stages are read: nearly the same in every draw."""

FIXED_SIZES = {"complete", "blocked", "factorial", "clustered", "matched_pairs"}
"""Designs that fix the sizes and are redrawn at once, so that their own redraws judge the sizes found."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One outcome on its way: as measured, its result so far, and the contrasts with the tables behind them."""

    measured: Measured
    result: OutcomeResult
    estimated: Sequence[Estimated]

    def corrected_within(self) -> Iterable[tuple[Key, float]]:
        """The p-values that already pay for the contrasts of this outcome."""
        for one in self.result.contrasts:
            if one.p_corrected is not None:
                yield (self.result.name, (one.treated, one.comparison)), one.p_corrected


def carry_out(
    plan: PreAnalysisPlan, data: pd.DataFrame, *, created: str | None = None,
    mode: Literal["run", "dry_run"] = "run", balance: bool = True, alpha: float | None = None,
) -> Results:  # fmt: skip
    """The results of a plan on data with one row per participant; see `PreAnalysisPlan.run`.

    A simulation leaves out the table of `balance`, which redraws the design many times and changes no estimate.
    """
    require_named(plan, data)
    trial = trial_of(plan, data)
    context = Context(
        trial=trial,
        decision=plan.decision,
        plan=plan.analysis if alpha is None else plan.analysis.model_copy(update={"alpha": alpha}),
        covariates=encode(trial.data, plan.decision.adjust),
        clusters=clusters_of(trial, plan.decision, plan.analysis),
        received=received_chances(trial, plan.decision, plan.analysis),
    )
    measured = [measure(trial, outcome) for outcome in plan.outcomes]
    taken = taken_up(trial, plan.analysis)
    take_up = () if taken is None else by_arm(trial, taken)
    arms, ratio = arm_counts(context)
    found = [*deviations.of_data(context, ratio), *deviations.of_take_up(take_up, context)]
    redraws = redraws_for(context, {part.outcome.family for part in measured})
    parts = []
    for part in measured:
        one, new = _outcome(context, part, taken, redraws)
        parts.append(one)
        found += new
    return Results(
        mode=mode,
        plan=plan.to_dict(),
        decision=plan.decision.to_dict(),
        alpha=context.plan.alpha,
        arms=arms,
        sample_ratio=ratio,
        outcomes=tuple(_corrected(context, parts, redraws)),
        take_up=take_up,
        take_up_definition=plan.analysis.take_up.definition if plan.analysis.take_up else "",
        balance=balance_result(context) if balance else None,
        deviations=tuple(found),
        provenance=provenance(
            plan.lock().sha256, plan.design.fingerprint, data, seed=plan.analysis.seed, draws=plan.analysis.draws,
            created=created,
        ),
    )  # fmt: skip


def trial_of(plan: PreAnalysisPlan, data: pd.DataFrame) -> Trial:
    """The rows as a checked trial of this plan's design."""
    columns = plan.analysis.columns
    return Trial(
        data.reset_index(drop=True),
        arm=columns.arm,
        control=plan.analysis.control,
        design=plan.design,
        strata=plan.decision.strata,
        clusters=plan.decision.clusters,
        pairs=plan.decision.pairs,
        identity=columns.id,
        probability=columns.probability,
    )


def require_named(plan: PreAnalysisPlan, data: pd.DataFrame) -> None:
    """Raise `UnknownColumn` with its place in the plan for the first column that the data do not have."""
    analysis = plan.analysis
    named: list[tuple[str, tuple[str | int, ...]]] = [(analysis.columns.arm, ("analysis_plan", "columns", "arm"))]
    named += [(name, ("allocation",)) for name in dict.fromkeys((*plan.decision.strata, *plan.design.columns))]
    named += [(name, ("analysis_plan", "covariates", place)) for place, name in enumerate(analysis.covariates)]
    named += [(name, ("analysis_plan", "subgroups", place)) for place, name in enumerate(analysis.subgroups)]
    named += [(name, ("allocation",)) for name in plan.decision.adjust]
    if analysis.take_up is not None:
        named.append((analysis.take_up.column, ("analysis_plan", "take_up", "column")))
    named += [(name, ("analysis_plan", "waiting_list")) for name in columns_of(analysis)]
    if analysis.advisors is not None:
        named.append((analysis.advisors.column, ("analysis_plan", "advisors", "column")))
    for name, path in named:
        if name not in data.columns:
            raise UnknownColumn(name, data.columns, path=path)


def arm_counts(context: Context) -> tuple[tuple[ArmCount, ...], SampleRatio]:
    """The sizes of the arms beside the intended shares, and whether the design can explain the difference."""
    trial, design, method = context.trial, context.trial.design, context.decision.design
    assert design is not None
    people = trial.counts()
    shares = dict(zip(design.names, (float(share) for share in design.shares), strict=True))
    if method in ("lottery", "two_stage"):
        drawn = design.draws(trial.data, SHARE_DRAWS, context.plan.seed)
        shares = {arm: float((drawn == code).mean()) for code, arm in enumerate(design.names)}
    if method in FIXED_SIZES:
        ratio = sample_ratio_by_redraw(trial, seed=context.plan.seed)
    elif method == "adaptive" and context.received is not None:
        ratio = sample_ratio_by_chances(trial.data[trial.arm].tolist(), context.received)
    else:
        ratio = sample_ratio(people, shares, restricted=method not in FREE_SIZES)
    counts = [ArmCount(arm=arm, n=people[arm], share=people[arm] / trial.n, expected=shares[arm]) for arm in trial.arms]
    return tuple(counts), ratio


def _outcome(
    context: Context, measured: Measured, taken: np.ndarray | None, redraws: Redraws | None
) -> tuple[Part, list[Deviation]]:
    outcome, found = measured.outcome, []
    answered = response(context, measured)
    found += deviations.of_response(measured, answered, context)
    try:
        weights = weights_for(context, measured)
    except NotConverged as error:
        weights = None
        found.append(
            Deviation(code="no_weights", severity="serious", sentence=f"complete cases: {error}", where=outcome.name)
        )
    estimated = [contrast(context, measured, *pair, weights, taken) for pair in context.plan.every_contrast]
    for one in estimated:
        found += deviations.of_contrast(measured, one.result, one.table, context)
    estimated = with_permutation(context, measured, estimated, redraws)
    result = OutcomeResult(
        name=outcome.name,
        label=outcome.label,
        kind=outcome.kind,
        family=outcome.family,
        direction=outcome.direction,
        summary=outcome.effective_summary,
        population=outcome.population,
        timepoint=outcome.timepoint,
        handling=outcome.missing.handling,
        assumption=outcome.missing.assumption,
        analysis_label=measured.label(),
        arms=arm_means(context, measured),
        response=answered,
        contrasts=_within(context, measured, estimated),
        subgroups=subgroup_results(context, measured, weights) if outcome.family == "primary" else (),
    )
    return Part(measured, result, estimated), found


def _within(context: Context, measured: Measured, estimated: Sequence[Estimated]) -> tuple[ContrastResult, ...]:
    """The contrasts of one outcome, corrected for one another within and outside the confirmatory family."""
    inside = len(context.plan.contrasts)
    return (
        *_family_within(context, measured, estimated[:inside], context.plan.correction.contrasts),
        *(
            one.model_copy(update={"outside_family": True})
            for one in _family_within(context, measured, estimated[inside:], OUTSIDE_BY)
        ),
    )


def _family_within(
    context: Context, measured: Measured, estimated: Sequence[Estimated], method: str
) -> list[ContrastResult]:
    """The contrasts of one family, corrected for one another; those that could not be estimated do not count."""
    place = [i for i, one in enumerate(estimated) if one.result.p is not None and one.result.main is not None]
    mains = [estimated[i].result.main for i in place]
    corrected = within_outcome(
        [p for p in (estimated[i].result.p for i in place) if p is not None],
        method,
        statistics=[main.statistic for main in mains if main is not None],
        contrasts=[(estimated[i].result.treated, estimated[i].result.comparison) for i in place],
        arm_variances=arm_variances(context, measured),
        df=min((main.df or math.inf for main in mains if main is not None), default=math.inf),
    )
    results = [one.result for one in estimated]
    for i, p in zip(place, corrected, strict=True):
        results[i] = results[i].model_copy(update={"p_corrected": float(p)})
    return results


def arm_variances(context: Context, measured: Measured) -> dict[str, float]:
    """The sampling variance of each arm's mean, from which the correlation of the contrasts follows."""
    arm = context.trial.data[context.trial.arm].to_numpy()
    found = {}
    for name in context.trial.arms:
        here = (arm == name) & measured.observed
        values = measured.values[here]
        if context.clusters is not None:
            values = np.array([values[context.clusters[here] == c].mean() for c in set(context.clusters[here])])
        found[name] = float(values.var(ddof=1) / len(values)) if len(values) > 1 else 0.0
    return found


def _corrected(context: Context, parts: Sequence[Part], redraws: Redraws | None) -> Iterable[OutcomeResult]:
    """The outcomes with corrected p-values and what they allow to say."""
    correction = context.plan.correction
    final: dict[Key, float] = {}
    for family in {part.result.family for part in parts}:
        members = [part for part in parts if part.result.family == family]
        method = correction.for_family(family)
        for pairs in filter(None, (context.plan.contrasts, context.plan.secondary_contrasts)):
            if method in JOINT and redraws is not None:
                final |= _jointly(context, members, method, redraws, pairs)
            else:
                within = {key: p for part in members for key, p in part.corrected_within() if key[1] in pairs}
                final |= over_family(within, method)
    for part in parts:
        method = correction.for_family(part.result.family)
        contrasts = []
        for one in part.result.contrasts:
            p = final.get((part.result.name, (one.treated, one.comparison)))
            words = _in_words(correction.contrasts, method, outside=one.outside_family)
            new = {"p_corrected": p, "correction": words, "reading": reading(one, p, context.plan.alpha)}
            contrasts.append(one.model_copy(update=new))
        yield part.result.model_copy(update={"contrasts": tuple(contrasts)})


def _in_words(within: str, over: str, *, outside: bool) -> str:
    within = OUTSIDE_BY if outside else within
    words = f"contrasts: {'with the outcomes' if over in JOINT else within}; outcomes: {over}"
    return f"{words}; outside the sized family" if outside else words


def _jointly(
    context: Context, members: Sequence[Part], method: str, redraws: Redraws, pairs: Sequence[tuple[str, str]]
) -> dict[Key, float]:
    family = [
        (part.measured, one)
        for part in members
        for one in part.estimated
        if one.table is not None and not one.result.refused and (one.result.treated, one.result.comparison) in pairs
    ]
    if not family:
        return {}
    keys = [(measured.outcome.name, (one.result.treated, one.result.comparison)) for measured, one in family]
    return dict(zip(keys, joint_correction(context, family, method, redraws), strict=True))


def reading(result: ContrastResult, p_corrected: float | None, alpha: float) -> Reading:
    """What may be said: "unclear" unless both the interval and the corrected p-value exclude no effect."""
    main = result.main
    if main is None or p_corrected is None or p_corrected > alpha:
        return "unclear"
    if result.p_permutation is not None and result.permutation_interval is None:
        return "unclear"
    low, high = result.permutation_interval or (main.low, main.high)
    if low <= main.null <= high:
        return "unclear"
    return "higher" if low > main.null else "lower"
