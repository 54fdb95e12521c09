"""From the data of a block to estimates: by a batched kernel where one exists, else trial by trial."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from analysis.differences import difference_in_means
from analysis.errors import AnalysisError, UnknownColumn
from analysis.execution import carry_out
from analysis.nested import partially_nested
from analysis.plan import PreAnalysisPlan
from analysis.power.errors import ImpossibleRequest
from analysis.regression import lm_robust
from analysis.simulation import kernels, registered
from analysis.simulation.world import Batch, World

__all__ = ["ESTIMATORS", "FIELDS", "Contrast", "Estimator", "by_kernel", "by_trial", "has_kernel"]

Contrast = tuple[str, str]
# One row per trial and contrast; a refused estimate is a row of NaN, counted and reported, never averaged.
FIELDS = ("value", "se", "p", "covered")
Estimator = Callable[[pd.DataFrame, str, str], Any]


def _means(frame: pd.DataFrame, treated: str, comparison: str) -> Any:
    pair = frame[frame["arm"].isin((treated, comparison)) & frame["y"].notna()]
    return difference_in_means(pair, "y", "arm", treated=treated, control=comparison)


def _regression(frame: pd.DataFrame, treated: str, comparison: str, clusters: str | None = None) -> Any:
    pair = frame[frame["arm"].isin((treated, comparison)) & frame["y"].notna()].copy()
    pair["treat"] = (pair["arm"] == treated).astype(float)
    names = frame.attrs["covariates"]
    return lm_robust(" + ".join(["y ~ treat", *names]), pair, clusters=clusters)["treat"]


def _clustered(frame: pd.DataFrame, treated: str, comparison: str) -> Any:
    return _regression(frame, treated, comparison, clusters="cluster")


def _nested(frame: pd.DataFrame, treated: str, comparison: str) -> Any:
    pair = frame[frame["arm"].isin((treated, comparison)) & frame["y"].notna()]
    if np.all(pd.isna(pair["advisor"])):
        return _means(frame, treated, comparison)  # two arms without advisors: every person a cluster of one
    return partially_nested(pair, "y", "advisor", "arm", treated=treated, control=comparison)


ESTIMATORS: dict[str, Estimator] = {
    "difference_in_means": _means,
    "lm_robust": _regression,
    "cluster_cr2": _clustered,
    "partially_nested": _nested,
}


def has_kernel(estimator: str | Estimator | PreAnalysisPlan, world: World) -> bool:
    """Whether the batched kernel of this estimator covers this world."""
    if isinstance(estimator, PreAnalysisPlan):
        return registered.covers(estimator, world)
    if estimator == "difference_in_means":
        return True
    all_seen = not world.attrition and world.until == 1
    if estimator == "lm_robust":
        return len(world.arms) == 2 and all_seen and world.covariates > 0
    return estimator == "cluster_cr2" and all_seen and not world.covariates and world.cluster_size > 0


def by_kernel(
    estimator: str | PreAnalysisPlan,
    world: World,
    batch: Batch,
    contrasts: tuple[Contrast, ...],
    alpha: float,
    trials: range,
) -> np.ndarray:
    """Estimates of these trials of the block, shape (trials, contrasts, fields).

    Sums run over the whole block, so that no last digit hangs on which trials are asked for. A trial in which a kernel
    divides by nothing (an arm of one person, an outcome that never varies) goes through the public estimator by
    itself, which estimates it or says why it cannot.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if isinstance(estimator, PreAnalysisPlan):
            _check_contrasts(estimator, contrasts)
            out, sound = registered.estimates(estimator, world, batch, contrasts, trials)
        else:
            try:
                out, sound = _block(estimator, world, batch, contrasts, alpha)
            except np.linalg.LinAlgError:
                # One singular design stops the factorisation of the whole batch.
                return by_trial(estimator, world, batch, contrasts, alpha, trials)
            out, sound = out[trials.start : trials.stop], sound[trials.start : trials.stop]
    for place in np.flatnonzero(~sound):
        alone = range(trials[place], trials[place] + 1)
        out[place] = by_trial(estimator, world, batch, contrasts, alpha, alone)[0]
    return out


def _block(
    estimator: str, world: World, batch: Batch, contrasts: tuple[Contrast, ...], alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates of a whole block by a kernel, and in which trials all of them exist."""
    found = [_kernel(estimator, world, batch, contrast) for contrast in contrasts]
    rows = [_fields(f, world.truth(*pair), alpha) for f, pair in zip(found, contrasts, strict=True)]
    sound = np.all([np.isfinite(f.value) & (f.se > 0) & np.isfinite(f.se) & (f.df > 0) for f in found], axis=0)
    return np.stack(rows, axis=1), sound


def _check_contrasts(plan: PreAnalysisPlan, contrasts: tuple[Contrast, ...]) -> None:
    for contrast in contrasts:
        if contrast not in plan.every_contrast:
            raise ImpossibleRequest("contrasts", f"the plan does not compare '{contrast[0]}' with '{contrast[1]}'")


def _kernel(estimator: str, world: World, batch: Batch, contrast: Contrast) -> kernels.Estimates:
    a, b = (world.arms.index(name) for name in contrast)
    if estimator == "difference_in_means":
        return kernels.difference_in_means(batch.outcome, batch.codes, a, b, batch.seen)
    if estimator == "lm_robust":
        assert batch.covariates is not None
        return kernels.regression_hc2(batch.outcome, batch.covariates, batch.codes == a)
    return _cluster_kernel(world, batch, a, b)


def _cluster_kernel(world: World, batch: Batch, treated: int, control: int) -> kernels.Estimates:
    size = world.cluster_size
    totals = (batch.outcome.astype(np.float64).reshape(-1, size) @ np.ones(size)).reshape(len(batch.outcome), -1)
    codes = batch.codes[..., ::size]
    return kernels.cluster_cr2(totals, np.full(totals.shape[1], size), codes, treated, control)


def _fields(found: kernels.Estimates, truth: float, alpha: float) -> np.ndarray:
    # The interval covers the truth exactly when the test of the truth does not reject: no quantile per trial needed.
    p = _two_sided(found, 0.0)
    covered = _two_sided(found, truth) >= alpha if truth else p >= alpha
    return np.stack([found.value, found.se, p, covered], axis=1)


def _two_sided(found: kernels.Estimates, null: float) -> np.ndarray:
    return 2 * special.stdtr(found.df, -np.abs((found.value - null) / found.se))


def by_trial(
    estimator: str | Estimator | PreAnalysisPlan,
    world: World,
    batch: Batch,
    contrasts: tuple[Contrast, ...],
    alpha: float,
    trials: range,
) -> np.ndarray:
    """The general path: these trials of a block, each as a table through the public estimator or the whole plan."""
    out = np.full((len(trials), len(contrasts), len(FIELDS)), np.nan)
    for row, trial in enumerate(trials):
        frame = world.frame(batch, trial)
        if isinstance(estimator, PreAnalysisPlan):
            out[row] = _planned(estimator, world, frame, contrasts)
            continue
        compute = ESTIMATORS[estimator] if isinstance(estimator, str) else estimator
        for place, (treated, comparison) in enumerate(contrasts):
            try:
                found = compute(frame, treated, comparison)
            except AnalysisError:
                continue
            interval = found.interval(1 - alpha)
            covered = interval.low <= world.truth(treated, comparison) <= interval.high
            out[row, place] = found.value, found.se, found.p, covered
    return out


def _planned(plan: PreAnalysisPlan, world: World, frame: pd.DataFrame, contrasts: tuple[Contrast, ...]) -> np.ndarray:
    """Headline effects of the first outcome of a plan, with the corrected p-values that it would report."""
    _check_contrasts(plan, contrasts)
    out = np.full((len(contrasts), len(FIELDS)), np.nan)
    try:
        results = carry_out(plan, frame, balance=False)
    except UnknownColumn:
        raise
    except AnalysisError:
        return out  # this draw cannot be analysed: the trial is refused and counted
    found = {(c.treated, c.comparison): c for c in results.outcomes[0].contrasts}
    for place, contrast in enumerate(contrasts):
        row = found[contrast]
        effect = row.adjusted if row.headline == "adjusted" else row.unadjusted
        if effect is not None:
            p = effect.p if row.p_corrected is None else row.p_corrected
            covered = effect.low <= world.truth(*contrast) <= effect.high
            out[place] = effect.value, effect.se, p, covered
    return out
