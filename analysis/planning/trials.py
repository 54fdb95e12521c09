"""The plan put to the test: made-up pilots with the real design, analysed as registered, counted.

Closed forms rest on approximations (normal statistics, whole people, fixed shares). A simulation does not, so the two
are set side by side; each simulated share comes with its Monte Carlo error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

import randomization
from analysis.multiplicity import adjust
from analysis.planning.model import FULL, Model
from analysis.power.errors import ImpossibleRequest
from analysis.power.many_to_one import dunnett_critical

if TYPE_CHECKING:
    from analysis.planning.plan import Plan
    from analysis.simulate import Simulated, World
    from randomization import Design

__all__ = ["SimulatedComparison", "Trials", "simulated"]

LEVELS = 4
"""Levels of a stratum whose shares nobody stated; they are taken to be equally common."""


@dataclass(frozen=True, slots=True)
class SimulatedComparison:
    """One comparison over all trials: the power that was promised, and what the trials gave.

    `promised` is None for a comparison that the plan is not sized for. `power` is the share of trials that report the
    comparison in the true direction, or in any when `truth` is zero.
    """

    treated: str
    other: str
    truth: float
    promised: float | None
    power: Simulated
    bias: Simulated
    rmse: Simulated
    coverage: Simulated


@dataclass(frozen=True, slots=True)
class Trials:
    """Simulated trials of a plan. `false_alarm` is the share of trials without any effect that report at least one."""

    outcome: str
    trials: int
    seed: int
    recruited: Mapping[str, int]
    estimator: str
    design: str
    correction: str
    comparisons: tuple[SimulatedComparison, ...]
    false_alarm: Simulated
    any_found: Simulated
    all_found: Simulated
    simplified: tuple[str, ...]


def simulated(
    plan: Plan,
    *,
    seed: int,
    trials: int = 1000,
    outcome: str | None = None,
    design: Design | None = None,
    levels: Mapping[str, Mapping[str, float]] | None = None,
    contrasts: Sequence[tuple[str, str]] = (),
    correction: str = "",
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Trials:
    """Trials of the plan at its planned size.

    `design` is the allocation that the pilot registered (without one the arms have fixed sizes) and `levels` the shares
    of the levels of its strata; `contrasts` and `correction` those of the registered analysis, where they differ from
    the family that the plan is sized for. Loss is at random. Whole clusters are analysed with CR2, advisors in some
    arms as partially nested. `simplified` names what the simulated world leaves out: 'looks', 'r2', or 'nested' (a
    plan with clusters and advisors at once, of which only the clusters are drawn).
    Raises ImpossibleRequest for a design with other arms than the plan, OptionError for an unknown correction.

    >>> from analysis.planning import EXAMPLE, Plan
    >>> found = simulated(Plan.from_dict(EXAMPLE), seed=1, trials=200)
    >>> power = found.comparisons[0].power
    >>> bool(abs(power.value - 0.8) < 4 * power.error)
    True
    """
    from analysis.simulate import simulate

    model = plan.model(outcome)
    recruited = plan.n().recruited_by_arm
    design = _design(plan, design)
    world, simplified = _world(plan, model, recruited, design, levels)
    estimator = "cluster_cr2" if world.cluster_size else "partially_nested" if world.nested else "difference_in_means"
    pairs = tuple(contrasts) or tuple(model.pairs())
    family = _Family(plan, pairs, correction or plan.section.correction)
    runs = [
        simulate(w, estimator=estimator, design=design, contrasts=pairs, trials=trials, seed=s,
                 alpha=plan.section.alpha, jobs=jobs, progress=progress or False)
        for w, s in ((world, seed), (_null(world), seed + 1))
    ]  # fmt: skip
    truths = np.array([round(world.truth(*pair), 12) for pair in pairs])
    found, alarms = family.reported(runs[0].estimates, truths), family.reported(runs[1].estimates, 0 * truths)
    promised, sized = _promised(plan, model, recruited), truths != 0
    rows = tuple(
        SimulatedComparison(*pair, p.truth, promised.get(pair), _share(hits), p.bias, p.rmse, p.coverage)
        for p, pair, hits in zip(runs[0].contrasts, pairs, found.T, strict=True)
    )
    return Trials(
        outcome=model.outcome.name,
        trials=trials,
        seed=seed,
        recruited=dict(recruited),
        estimator=estimator,
        design="fixed" if design is None else design.method,
        correction=family.correction,
        comparisons=rows,
        false_alarm=_share(np.any(alarms, axis=1)),
        any_found=_share(np.any(found[:, sized], axis=1)),
        all_found=_share(np.all(found[:, sized], axis=1)),
        simplified=simplified,
    )


def _design(plan: Plan, registered: Design | None) -> Design | None:
    """The allocation to draw from: whole clusters of one size need none, unequal arms need one."""
    if plan.section.clusters is not None:
        return None
    ratios = {arm.name: arm.ratio for arm in plan.section.arms}
    if registered is None and len(set(ratios.values())) > 1:
        return randomization.complete(ratios)
    return registered


def _promised(plan: Plan, model: Model, recruited: Mapping[str, int]) -> dict[tuple[str, str], float]:
    lost = plan.section.attrition.get(model.outcome.measured_by)
    kept = 1 - (0.0 if lost is None else lost.value)
    return model.marginal({name: count * kept for name, count in recruited.items()})


def _world(
    plan: Plan,
    model: Model,
    recruited: Mapping[str, int],
    design: Design | None,
    levels: Mapping[str, Mapping[str, float]] | None,
) -> tuple[World, tuple[str, ...]]:
    from analysis.simulate import World

    section, outcome = plan.section, model.outcome
    clusters = section.clusters
    size = round(clusters.size.value) if clusters is not None else 0
    advised = {arm.name: arm.nested for arm in section.arms if arm.nested is not None}
    control = section.control
    base = model.level(control, FULL, 1.0)
    effects = {name: model.level(name, FULL, 1.0) - base for name in recruited if name != control}
    people = sum(recruited.values())
    unit = size * len(recruited) if size else len(recruited)
    lost = section.attrition.get(outcome.measured_by)
    share = 0.0 if lost is None else lost.value
    if size:
        # Whole clusters, and only people who are analysed: loss at random changes sizes and nothing else.
        people = round(people * (1 - share))
    people = math.ceil(people / unit) * unit
    world = World(
        n=people,
        effects=effects,
        control=control,
        kind="continuous" if outcome.kind == "continuous" else "binary",
        mean=base,
        sd=_spread(model, recruited),
        cluster_size=size,
        icc=clusters.icc.value if clusters is not None else 0.0,
        nested={} if size else {name: (max(round(n.size.value), 1), n.icc.value) for name, n in advised.items()},
        attrition={} if size or not share else dict.fromkeys((control, *effects), share),
        columns=_columns(design, levels or {}),
    )
    left_out = {
        "looks": section.looks is not None,
        "r2": outcome.r2 is not None and outcome.r2.value > 0,
        "nested": bool(advised and size),
    }
    return world, tuple(key for key, out in left_out.items() if out)


def _spread(model: Model, recruited: Mapping[str, int]) -> float:
    """Standard deviation within arms; of a share, that of the average arm."""
    if model.outcome.sd is not None:
        return model.outcome.sd.value
    shares = [model.level(name, FULL, 1.0) for name in recruited]
    return math.sqrt(sum(p * (1 - p) for p in shares) / len(shares))


def _columns(design: Design | None, levels: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    if design is None:
        return {}
    alike = {f"level {i + 1}": 1 / LEVELS for i in range(LEVELS)}
    return {name: dict(levels.get(name, alike)) for name in design.columns}


def _null(world: World) -> World:
    from dataclasses import replace

    return replace(world, effects=dict.fromkeys(world.effects, 0.0))


@dataclass(frozen=True, slots=True)
class _Family:
    """The comparisons that share one error, and how their p-values are corrected."""

    plan: Plan
    pairs: tuple[tuple[str, str], ...]
    correction: str

    def reported(self, estimates: np.ndarray, truths: np.ndarray) -> np.ndarray:
        """Which comparisons each trial reports, (trials, comparisons): a finding against a true direction is none."""
        section = self.plan.section
        values, p = estimates[:, :, 0], np.nan_to_num(estimates[:, :, 2], nan=1.0)
        if section.sides == 1:
            wanted = np.sign(self.plan.model().outcome.effect.value)
            p = np.where(values * wanted > 0, p / 2, 1 - p / 2)
        found = self._corrected(p) < section.alpha
        return found & ((np.sign(values) == np.sign(truths)) | (truths == 0))

    def _corrected(self, p: np.ndarray) -> np.ndarray:
        """p-values that may be held against alpha, comparison by comparison."""
        if p.shape[1] == 1 or self.correction == "none":
            return p
        if self.correction == "dunnett":
            return np.minimum(p * self.plan.section.alpha / self._dunnett_level(), 1)
        return np.apply_along_axis(adjust, 1, p, self.correction)

    def _dunnett_level(self) -> float:
        """The single-step critical value as the level that one comparison may use."""
        section, (others, count) = self.plan.section, ({b for _, b in self.pairs}, len(self.pairs))
        if len(others) > 1:
            raise ImpossibleRequest("correction", "Dunnett compares every arm with one control", remedy="use holm")
        ratios = {arm.name: arm.ratio for arm in section.arms}
        mean = sum(ratios[a] for a, _ in self.pairs) / count
        critical = dunnett_critical(
            count, section.alpha, sides=section.sides, control_ratio=ratios[others.pop()] / mean
        )
        return section.sides * float(special.ndtr(-critical))


def _share(hits: Any) -> Simulated:
    from analysis.simulate import Simulated

    share, count = float(hits.mean()), len(hits)
    return Simulated(share, math.sqrt(max(share * (1 - share), 1 / count) / count))
