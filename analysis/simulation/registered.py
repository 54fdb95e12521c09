"""A registered analysis on made-up data: the plan cut down to one outcome, and its estimates without tables.

A plan whose headline is a difference in means or Lin's regression, of people counted one by one, is estimated from the
arrays of a block: the same numbers as by `analysis.execution`, many times as fast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from analysis.covariates import encode
from analysis.multiplicity import adjust
from analysis.plan import PreAnalysisPlan
from analysis.plan_correction import OUTSIDE_BY, within_outcome
from analysis.plan_schema import JOINT
from analysis.power.errors import ImpossibleRequest
from analysis.simulation.kernels import difference_in_means
from analysis.simulation.world import Batch, World

__all__ = ["Cut", "covers", "cut", "estimates"]

Contrast = tuple[str, str]

ALONE = 1e-9
"""A person whose leverage is this near to one decides a coefficient alone; then the table path says what to do."""


class Cut(NamedTuple):
    """A plan for the outcome `y` of a made-up table, and what of the registered one it leaves out."""

    plan: PreAnalysisPlan
    left_out: tuple[str, ...]


def cut(plan: PreAnalysisPlan, outcome: str, kind: str, *, advisors: bool = False) -> Cut:
    """The registered analysis of one outcome, made ready for the tables of a world.

    Kept are the design's estimator, covariates, strata, clusters, handling of missing outcomes, contrasts, alpha and
    correction. What changes no estimate is dropped: subgroups, take-up, bounds. `left_out` may name "outcomes" (other
    outcomes share the correction), "redraws" (inference by redrawing the design is replaced by t and Holm) and
    "advisors" (the plan knows advisors and, without `advisors`, the world does not).
    Raises ImpossibleRequest for an analysis that no world can feed: a ratio, pairs, weights by chances.

    >>> plan = PreAnalysisPlan.from_dict({
    ...     "allocation": {"method": "complete", "ratio": {"portal": 1, "advice": 1}},
    ...     "outcomes": [{"name": "trained", "kind": "binary", "source": {"column": "t"}}],
    ...     "analysis_plan": {"control": "portal", "inference": "permutation"},
    ... })
    >>> cut(plan, "trained", "binary").left_out
    ('redraws',)
    """
    chosen = next((one for one in plan.outcomes if one.name == outcome), None)
    if chosen is None:
        raise ImpossibleRequest("outcomes", f"the plan does not register '{outcome}'")
    _refuse(plan, chosen.effective_summary)
    family = [one for one in plan.outcomes if one.family == chosen.family]
    over = plan.analysis.correction.for_family(chosen.family)
    redrawn = plan.decision.inference == "permutation" or over in JOINT
    known = plan.analysis.advisors
    left_out = {
        "outcomes": len(family) > 1 and over != "none",
        "redraws": redrawn,
        "advisors": known is not None and not advisors,
    }
    correction = {"contrasts": "holm" if over in JOINT else plan.analysis.correction.contrasts, "outcomes": "none"}
    if over in ("bh", "by"):
        correction["outcomes"] = over
    columns = {"id": "id", "arm": "arm", "cluster": plan.analysis.columns.cluster}
    changes: dict[str, Any] = {
        "subgroups": [], "take_up": None, "components": {}, "correction": correction, "columns": columns,
        "inference": "t" if redrawn else plan.analysis.inference,
        "advisors": known.model_dump() | {"column": "advisor"} if known is not None and advisors else None,
    }  # fmt: skip
    missing = chosen.missing.model_dump() | {"bounds": "none"}
    made = {
        "name": chosen.name, "kind": kind, "source": {"column": "y"}, "direction": chosen.direction, "missing": missing,
    }  # fmt: skip
    sections = plan.to_dict()
    cut_down = PreAnalysisPlan.from_dict(
        {"allocation": sections["allocation"], "outcomes": [made], "analysis_plan": sections["analysis_plan"] | changes}
    )
    return Cut(cut_down, tuple(key for key, out in left_out.items() if out))


def _refuse(plan: PreAnalysisPlan, summary: str) -> None:
    decision = plan.decision
    reasons = {
        f"a made-up outcome has no {summary.replace('_', ' ')}": summary
        not in ("mean_difference", "risk_difference", "share_above_zero"),
        "pairs are not drawn": decision.pairs is not None,
        "chances that differ between people are not drawn": decision.weighs,
    }
    for reason, found in reasons.items():
        if found:
            raise ImpossibleRequest("analysis_plan", reason)


def covers(plan: PreAnalysisPlan, world: World) -> bool:
    """Whether `estimates` carries this plan out on this world without making tables."""
    decision, known = plan.decision, {*world.covariate_names, *world.columns}
    over = plan.analysis.correction.for_family(plan.outcomes[0].family)
    return (
        len(plan.outcomes) == 1
        and plan.outcomes[0].column == "y"
        and plan.outcomes[0].effective_summary in ("mean_difference", "risk_difference")
        and plan.outcomes[0].missing.handling == "complete_cases"
        and decision.estimator != "ancova"
        and decision.convention == "HC2"
        and decision.inference == "t"
        and not (decision.clusters or decision.pairs or decision.weighs)
        and over not in JOINT
        and {*decision.strata, *decision.adjust} <= known
    )


def estimates(
    plan: PreAnalysisPlan, world: World, batch: Batch, contrasts: Sequence[Contrast], trials: range
) -> tuple[np.ndarray, np.ndarray]:
    """Value, standard error, corrected p and coverage, shape (trials, contrasts, 4), and which trials are sound.

    `trials` are those of the block that are wanted. A trial is not sound when a stratum is too thin, a covariate varies
    too little or a matrix is singular: then the plan has rules that only the tables follow.
    Source: Lin (2013); MacKinnon & White (1985).
    """
    tests = _Tests(plan, world, tuple(contrasts))
    found = np.full((len(trials), len(tests.registered), 3), np.nan)
    if tests.regression:
        design = _Design.of(plan, world, batch)
        for row, trial in enumerate(trials):
            found[row] = design.contrasts(trial, tests.pairs)
    else:
        for place, (a, b) in enumerate(tests.pairs):
            one = difference_in_means(batch.outcome, batch.codes, a, b, batch.seen)
            found[:, place] = np.stack(one, axis=1)[trials.start : trials.stop]
    return tests.rows(found, batch, trials)


@dataclass(frozen=True, slots=True)
class _Tests:
    """The registered contrasts, tested and corrected in their families; those asked for are picked from them."""

    plan: PreAnalysisPlan
    world: World
    wanted: tuple[Contrast, ...]

    @property
    def registered(self) -> tuple[Contrast, ...]:
        return self.plan.every_contrast

    @property
    def pairs(self) -> list[tuple[int, int]]:
        arms = self.world.arms
        return [(arms.index(a), arms.index(b)) for a, b in self.registered]

    @property
    def regression(self) -> bool:
        """Whether strata or covariates enter; with neither the arms are compared with Welch's degrees of freedom."""
        decision = self.plan.decision
        return bool(decision.strata) or (decision.headline == "adjusted" and bool(decision.adjust))

    def rows(self, found: np.ndarray, batch: Batch, trials: range) -> tuple[np.ndarray, np.ndarray]:
        """`found` (trials, registered, 3): value, standard error, degrees of freedom."""
        value, se, df = np.moveaxis(found, 2, 0)
        sound = np.all(np.isfinite(value) & np.isfinite(se) & (se > 0) & (df > 0), axis=1)
        p = np.full(value.shape, np.nan)
        p[sound] = 2 * special.stdtr(df[sound], -np.abs(value / se)[sound])
        corrected = p.copy()
        for row in np.flatnonzero(sound):
            corrected[row] = self._corrected(p[row], (value / se)[row], df[row], batch, trials[row])
        truths = np.array([self.world.truth(*pair) for pair in self.registered])
        covered = np.full(value.shape, np.nan)
        missed = -np.abs((value - truths) / se)[sound]
        covered[sound] = 2 * special.stdtr(df[sound], missed) >= self.plan.analysis.alpha
        out = np.stack([value, se, corrected, covered], axis=2)
        return out[:, [self.registered.index(pair) for pair in self.wanted]], sound

    def _corrected(self, p: np.ndarray, t: np.ndarray, df: np.ndarray, batch: Batch, trial: int) -> np.ndarray:
        correction, inside = self.plan.analysis.correction, len(self.plan.contrasts)
        variances = self._arm_variances(batch, trial) if correction.contrasts == "dunnett" else {}
        confirmatory = within_outcome(
            p[:inside].tolist(), correction.contrasts, statistics=t[:inside].tolist(), contrasts=self.plan.contrasts,
            arm_variances=variances, df=float(df[:inside].min()),
        )  # fmt: skip
        over = correction.for_family(self.plan.outcomes[0].family)
        families = [confirmatory, within_outcome(p[inside:].tolist(), OUTSIDE_BY)]
        return np.concatenate([adjust(one, over) if over in ("bh", "by") and len(one) else one for one in families])

    def _arm_variances(self, batch: Batch, trial: int) -> dict[str, float]:
        codes, y = batch.codes if batch.codes.ndim == 1 else batch.codes[trial], batch.outcome[trial].astype(np.float64)
        seen = np.True_ if batch.seen is None else batch.seen[trial]
        parts = {name: y[(codes == place) & seen] for place, name in enumerate(self.world.arms)}
        return {name: float(one.var(ddof=1) / len(one)) if len(one) > 1 else 0.0 for name, one in parts.items()}


class _Fit(NamedTuple):
    """One arm's own regression: what its prediction at any mean of the covariates needs."""

    count: int
    total: np.ndarray
    inverse: np.ndarray
    scores: np.ndarray
    meat: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Design:
    """The covariates of a block as columns: `fixed` (n, q) in all trials, those of the batch redrawn.

    Arms interacted with centred covariates are regressions of each arm by itself, each read off at the mean of the two
    arms of a contrast; so an arm is solved once for all its contrasts.
    """

    batch: Batch
    arms: int
    fixed: np.ndarray
    strata: np.ndarray | None
    redrawn: np.ndarray | None
    minimum: int
    labels: slice

    @classmethod
    def of(cls, plan: PreAnalysisPlan, world: World, batch: Batch) -> _Design:
        decision, units = plan.decision, batch.units
        adjust_for = decision.adjust if decision.headline == "adjusted" else ()
        drawn = [name for name in adjust_for if name in world.covariate_names]
        labelled = encode(units, [name for name in adjust_for if name not in drawn]).values
        strata, dummies = None, np.empty((world.n, 0))
        if decision.strata:
            strata = units.groupby(list(decision.strata), sort=True).ngroup().to_numpy()
            dummies = (strata[:, None] == np.arange(1, strata.max() + 1)).astype(float)
        numbers = np.empty((world.n, 0))
        x = batch.covariates[..., [world.covariate_names.index(name) for name in drawn], :] if drawn else None  # type: ignore[index]
        if x is not None and x.ndim == 2:
            numbers, x = x.T.astype(np.float64), None
        return cls(
            batch, len(world.arms), np.column_stack([numbers, labelled, dummies]), strata, x,
            plan.analysis.sparse_strata.minimum, slice(numbers.shape[1], numbers.shape[1] + labelled.shape[1]),
        )  # fmt: skip

    def contrasts(self, trial: int, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
        """Value, standard error and degrees of freedom of every pair of arms; NaN in what has to be done by tables."""
        out = np.full((len(pairs), 3), np.nan)
        fits = self._fits(trial, sorted({code for pair in pairs for code in pair}))
        if fits is None:
            return out
        for place, (a, b) in enumerate(pairs):
            one, other = fits[a], fits[b]
            at = (one.total + other.total) / (one.count + other.count)
            value = variance = 0.0
            for sign, fit in ((1, one), (-1, other)):
                row = fit.inverse @ at
                value += sign * float(row @ fit.scores)
                variance += float(row @ fit.meat @ row)
            out[place] = value, math.sqrt(variance), one.count + other.count - 2 * len(at)
        return out

    def _fits(self, trial: int, wanted: Sequence[int]) -> dict[int, _Fit] | None:
        batch = self.batch
        codes = batch.codes if batch.codes.ndim == 1 else batch.codes[trial]
        y, found = batch.outcome[trial].astype(np.float64), {}
        for code in wanted:
            member = codes == code
            rows = np.flatnonzero(member if batch.seen is None else member & batch.seen[trial])
            if not self._thick(rows):
                return None
            fit = _fit(self._columns(trial, rows), y[rows])
            if fit is None:
                return None
            found[code] = fit
        return found

    def _columns(self, trial: int, rows: np.ndarray) -> np.ndarray:
        parts = [np.ones((len(rows), 1)), self.fixed[rows]]
        if self.redrawn is not None:
            parts.append(self.redrawn[trial][:, rows].T.astype(np.float64))
        return np.column_stack(parts)

    def _thick(self, rows: np.ndarray) -> bool:
        """Whether every stratum has enough people in this arm, and every label enough on either side."""
        if len(rows) < 3:
            return False
        if self.strata is not None:
            counts = np.bincount(self.strata[rows], minlength=int(self.strata.max()) + 1)
            if counts.min() < max(self.minimum, 2):
                return False
        labelled = self.fixed[rows, self.labels].sum(axis=0)
        return bool(np.all((labelled >= 2) & (labelled <= len(rows) - 2)))


def _fit(x: np.ndarray, y: np.ndarray) -> _Fit | None:
    """Regression of one arm, x (m, k) with a first column of ones; None when a person or nothing decides it."""
    if len(x) <= x.shape[1]:
        return None
    try:
        inverse = np.linalg.inv(np.linalg.cholesky(x.T @ x))
    except np.linalg.LinAlgError:
        return None
    z = x @ inverse.T
    scores = z.T @ y
    spare = 1 - np.einsum("ij,ij->i", z, z)
    if spare.min() < ALONE:
        return None
    residual = y - z @ scores
    if residual @ residual < 1e-16 * (y @ y):
        return None
    meat = z.T @ (z * (residual**2 / spare)[:, None])
    return _Fit(len(y), x.sum(axis=0), inverse, scores, meat)
