"""Everything about one outcome: means by arm, response, and each registered contrast with its bounds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis import waiting_list
from analysis.attrition import differential_response, response_weights
from analysis.bounds import MONOTONE, Bounds, lee_bounds, manski_bounds
from analysis.contrasts import Context, Table, adjusted, lay_table, pool_sparse, unadjusted
from analysis.covariates import encode
from analysis.defaults import EVERY_OFFER
from analysis.errors import AnalysisError, DesignNotEstimable, RankDeficient
from analysis.estimate import Estimate, critical_value
from analysis.measured import Measured, possible_range
from analysis.results import (
    ArmMean,
    BoundsResult,
    ComplierEffect,
    ContrastResult,
    Effect,
    ResponseArm,
    ResponseResult,
)
from analysis.times import HAZARDS
from analysis.uptake import complier_effect, refusal


@dataclass(frozen=True, slots=True, eq=False)
class Estimated:
    """One contrast before the corrections: its result, the table it was estimated on, and its place in words."""

    result: ContrastResult
    table: Table | None


METHODS = {
    "hazard_ratio": "ratio of hazards (Cox), strata of the design apart",
    "log_rank": "log-rank test with its one-step ratio of hazards, strata of the design apart",
}


def arm_means(context: Context, measured: Measured) -> tuple[ArmMean, ...]:
    """Mean, standard deviation and interval of the known outcomes of each arm; None where an arm has too few."""
    arm = context.trial.data[context.trial.arm].to_numpy()
    level = 1 - context.plan.alpha
    rows = []
    for name in context.trial.arms:
        here = arm == name
        known = measured.values[here & measured.observed]
        n = len(known)
        mean = float(known.mean()) if n else None
        sd = float(known.std(ddof=1)) if n > 1 else None
        low = high = None
        if mean is not None and sd is not None:
            half = critical_value(level, n - 1) * sd / math.sqrt(n)
            low, high = mean - half, mean + half
        rows.append(ArmMean(arm=name, n=int(here.sum()), observed=n, mean=mean, sd=sd, low=low, high=high))
    return tuple(rows)


def response(context: Context, measured: Measured) -> ResponseResult:
    """Response by arm with the differential test."""
    found = differential_response(
        context.trial.data[context.trial.arm].to_numpy(), measured.observed, context.trial.arms
    )
    rows = zip(found.arms, found.allocated, found.observed, found.shares, strict=True)
    return ResponseResult(
        arms=tuple(ResponseArm(arm=a, n=n, observed=seen, share=share) for a, n, seen, share in rows),
        statistic=found.statistic,
        df=found.df,
        p=found.p,
        largest_gap=found.largest_gap,
    )


def weights_for(context: Context, measured: Measured) -> np.ndarray | None:
    """Response weights when the plan handles missing outcomes by them and some are missing; else None."""
    if measured.complete or measured.outcome.missing.handling != "inverse_probability":
        return None
    names = context.plan.attrition.covariates
    if names is None:
        names = tuple(dict.fromkeys((*context.decision.adjust, *context.decision.strata)))
    table = encode(context.trial.data, names)
    arm = context.trial.data[context.trial.arm].to_numpy()
    return response_weights(arm, measured.observed, table.values)


def contrast(
    context: Context,
    measured: Measured,
    treated: str,
    comparison: str,
    weights: np.ndarray | None,
    taken: np.ndarray | None,
) -> Estimated:
    """One contrast, uncorrected. When it cannot be estimated the result says why and reads "unclear"."""
    if context.plan.waiting_list is not None:
        return Estimated(_by_every_offer(context, measured, treated, comparison), None)
    headline = context.decision.headline
    if measured.outcome.effective_summary == "log_rank":
        headline = "unadjusted"  # a log-rank test takes no covariates
    bounds, bounds_refused = _bounds(context, measured, treated, comparison)
    common = {"treated": treated, "comparison": comparison, "correction": "", "bounds": bounds}
    try:
        table = lay_table(context, measured, treated, comparison, weights)
        plain = unadjusted(table)
    except AnalysisError as error:
        refused = ContrastResult(
            **common, unadjusted=None, adjusted=None, headline=headline, p=None, p_corrected=None, reading="unclear",
            bounds_refused=bounds_refused, refused=str(error),
        )  # fmt: skip
        return Estimated(refused, None)
    with_covariates, why = _adjusted(context, table)
    if with_covariates is None and not why:
        headline = "unadjusted"
    main = plain if headline == "unadjusted" else with_covariates
    result = ContrastResult(
        **common,
        unadjusted=effect_of(plain, context, measured, _method(context, measured, context.decision.unadjusted)),
        adjusted=None
        if with_covariates is None
        else effect_of(with_covariates, context, measured, _method(context, measured, context.decision.adjusted)),
        headline=headline,
        p=main.p if main is not None else None,
        p_corrected=None,
        reading="unclear",
        bounds_refused=bounds_refused,
        complier=_complier(context, measured, table, taken, headline == "adjusted", (treated, comparison)),
        refused=why if headline == "adjusted" else "",
    )
    return Estimated(result, table)


def _by_every_offer(context: Context, measured: Measured, treated: str, comparison: str) -> ContrastResult:
    """The contrast of a lottery analysed by every offer made; the effect on takers comes with it."""
    common = {"treated": treated, "comparison": comparison, "correction": "", "bounds": None, "p_corrected": None}
    common |= {"adjusted": None, "headline": "unadjusted", "reading": "unclear"}
    try:
        found = waiting_list.estimate(context.plan, context.trial, measured)
    except AnalysisError as error:
        return ContrastResult(**common, unadjusted=None, p=None, refused=str(error))
    effect, takers = (effect_of(e, context, measured, EVERY_OFFER) for e in (found.offer, found.takers))
    complier = ComplierEffect(
        effect=takers.model_copy(update={"estimand": found.takers.estimand}), take_up_treated=found.first_stage,
        take_up_comparison=0.0,
    )  # fmt: skip
    return ContrastResult(**common, unadjusted=effect, p=effect.p, complier=complier)


def _method(context: Context, measured: Measured, usual: str) -> str:
    """The estimator in words; ratios and restricted means are not the difference of the decision table."""
    summary = measured.outcome.effective_summary
    simple = usual == context.decision.unadjusted
    if summary in METHODS:
        return METHODS[summary] + ("" if simple else ", with covariates")
    if summary == "rmst_difference":
        structure = context.decision.strata or context.decision.pairs or context.decision.weighs
        if simple and not structure and context.clusters is None:
            return "difference in restricted mean time"
        return f"{usual}, on pseudo-values of the restricted mean time"
    if summary != "risk_ratio":
        return usual
    plain = not (context.decision.strata or context.clusters is not None) and simple
    return "ratio of the two shares" if plain else "ratio of risks standardised by a logit"


def effect_of(estimate: Estimate, context: Context, measured: Measured, method: str) -> Effect:
    """An estimate as it stands in the results."""
    level = 1 - context.plan.alpha
    interval = estimate.interval(level)
    return Effect(
        value=estimate.value,
        se=estimate.se,
        statistic=estimate.statistic,
        df=None if math.isinf(estimate.df) else estimate.df,
        p=estimate.p,
        low=interval.low,
        high=interval.high,
        level=level,
        null=estimate.null,
        n=estimate.n,
        method=method,
        convention=estimate.convention,
        estimand=measured.label(),
        source=estimate.source,
    )


def _adjusted(context: Context, table: Table) -> tuple[Estimate | None, str]:
    """The adjusted estimate, or None with the reason why these data do not allow it."""
    if context.decision.estimator == "difference_in_means":
        return None, ""
    try:
        return adjusted(table, context.decision.estimator), ""
    except RankDeficient as error:
        readable = dict(zip(table.covariates, table.covariate_names, strict=True))
        places = {re.sub(r"^t:|_c$|[()]", "", column) for column in error.columns}
        names = sorted(readable.get(place, "a stratum") for place in places)
        return None, f"no adjusted result: {', '.join(names)} repeats what the other covariates say within an arm"
    except AnalysisError as error:
        return None, f"no adjusted result: {error}"


def _complier(
    context: Context,
    measured: Measured,
    table: Table,
    taken: np.ndarray | None,
    with_covariates: bool,
    contrast: tuple[str, str],
) -> ComplierEffect | None:
    if taken is None:
        return None
    if table.summary in HAZARDS:
        return ComplierEffect(effect=None, refused="a ratio of hazards cannot be divided by a difference in take-up")
    here, t = taken[table.rows], table.data["t"].to_numpy()
    shares = [_known_mean(here[t == side]) for side in (1.0, 0.0)]
    result = ComplierEffect(effect=None, take_up_treated=shares[0], take_up_comparison=shares[1])
    why = refusal(context.plan, *contrast)
    if why:
        return result.model_copy(update={"refused": why})
    try:
        found = complier_effect(table, here, with_covariates=with_covariates)
    except AnalysisError as error:
        return result.model_copy(update={"refused": str(error)})
    effect = effect_of(found, context, measured, "two-stage least squares, offer as instrument for take-up")
    return result.model_copy(update={"effect": effect.model_copy(update={"estimand": "effect on compliers"})})


def _known_mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _bounds(context: Context, measured: Measured, treated: str, comparison: str) -> tuple[BoundsResult | None, str]:
    kind = measured.outcome.missing.bounds
    if kind == "none":
        return None, ""
    arm = context.trial.data[context.trial.arm].to_numpy()
    rows = (arm == treated) | (arm == comparison)
    if measured.observed[rows].all():
        return None, "nobody's outcome is missing in these arms, so the estimate needs no bounds"
    if context.decision.weighs:
        return None, "allocation probabilities differ between people; these bounds are for equal probabilities"
    make: dict[str, Callable[[], BoundsResult]] = {
        "lee": lambda: _lee(context, measured, rows, treated, comparison),
        "manski": lambda: _manski(context, measured, rows, treated),
    }
    try:
        return make[kind](), ""
    except AnalysisError as error:
        return None, str(error)


def _lee(context: Context, measured: Measured, rows: np.ndarray, treated: str, comparison: str) -> BoundsResult:
    trial = context.trial
    y, is_treated = measured.values[rows], trial.data[trial.arm].to_numpy()[rows] == treated
    tightened: tuple[str, ...] = ()
    found = lee_bounds(y, is_treated)
    if context.decision.strata:
        try:
            within = lee_bounds(y, is_treated, cells=_cells(context, measured, rows, is_treated))
        except DesignNotEstimable:
            within = None  # a stratum too thin to trim: the untightened bounds hold just as well, only wider
        if within is not None:
            found, tightened = within, context.decision.strata
    names = {"treated": treated, "comparison": comparison}
    interval = _interval(context, found)
    return BoundsResult(
        method="lee", low=found.low, high=found.high, interval=interval, quantile_low=found.quantile_low,
        quantile_high=found.quantile_high, trimmed_share=found.trimmed_share,
        trimmed_arm=names.get(str(found.trimmed), found.trimmed), tightened_by=tightened, assumption=MONOTONE,
    )  # fmt: skip


def _interval(context: Context, found: Bounds) -> tuple[float, float] | None:
    """The Imbens-Manski interval; its standard errors are for people who count one by one, so none with clusters."""
    if context.clusters is not None:
        return None
    interval = found.interval(1 - context.plan.alpha)
    return interval.low, interval.high


def _cells(context: Context, measured: Measured, rows: np.ndarray, is_treated: np.ndarray) -> np.ndarray:
    """Strata in which to trim: those with too few respondents are put together by the rule of the plan."""
    labels, seen = context.trial.stratum().to_numpy()[rows], measured.observed[rows]
    pooled, thin = pool_sparse(labels[seen], is_treated[seen].astype(float), context.plan.sparse_strata.minimum)
    together = {name: str(pooled[labels[seen] == name][0]) for name in thin if (labels[seen] == name).any()}
    return np.array([together.get(label, label) for label in labels], dtype=object)


def _manski(context: Context, measured: Measured, rows: np.ndarray, treated: str) -> BoundsResult:
    lowest, highest = possible_range(measured.outcome)
    is_treated = context.trial.data[context.trial.arm].to_numpy()[rows] == treated
    found = manski_bounds(measured.values[rows], is_treated, lowest=lowest, highest=highest)
    interval = _interval(context, found)
    return BoundsResult(method="manski", low=found.low, high=found.high, interval=interval, assumption=found.assumption)
