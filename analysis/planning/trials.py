"""The plan put to the test: made-up pilots with the real design, analysed as registered, counted.

Closed forms rest on approximations (normal statistics, whole people, fixed shares). A simulation does not, so the two
are set side by side; each simulated share comes with its Monte Carlo error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

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
    """One comparison over all trials: the power that was promised, and what the trials gave."""

    treated: str
    other: str
    truth: float
    promised: float
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
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Trials:
    """Trials of the plan at its planned size.

    `design` is the allocation that the pilot registered (without one the arms have fixed sizes) and `levels` the shares
    of the levels of its strata. Loss is at random. `simplified` names what the simulated world leaves out: 'looks',
    'r2', 'nested' or 'kind' (a clustered yes-or-no outcome, drawn as a continuous one of the same spread).
    Raises ImpossibleRequest for a design with other arms than the plan.

    >>> from analysis.planning import EXAMPLE, Plan
    >>> found = simulated(Plan.from_dict(EXAMPLE), seed=1, trials=200)
    >>> power = found.comparisons[0].power
    >>> bool(abs(power.value - 0.8) < 4 * power.error)
    True
    """
    from analysis.simulate import simulate

    model = plan.model(outcome)
    recruited = plan.n().recruited_by_arm
    world, simplified = _world(plan, model, recruited, design, levels)
    estimator = "cluster_cr2" if world.cluster_size else "difference_in_means"
    pairs = tuple(model.pairs())
    runs = [
        simulate(w, estimator=estimator, design=design, contrasts=pairs, trials=trials, seed=s,
                 alpha=plan.section.alpha, jobs=jobs, progress=progress or False)
        for w, s in ((world, seed), (_null(world), seed + 1))
    ]  # fmt: skip
    found = _rejected(plan, runs[0].estimates, wanted=np.array([world.truth(*pair) for pair in pairs]))
    alarms = _rejected(plan, runs[1].estimates, wanted=None)
    promised = _promised(plan, model, recruited)
    rows = tuple(
        SimulatedComparison(p.treated, p.comparison, p.truth, promised[pair], _share(found[:, place]), p.bias, p.rmse,
                            p.coverage)
        for place, (p, pair) in enumerate(zip(runs[0].contrasts, pairs, strict=True))
    )  # fmt: skip
    return Trials(
        model.outcome.name, trials, seed, dict(recruited), estimator, design.method if design is not None else "fixed",
        rows, _share(np.any(alarms, axis=1)), _share(np.any(found, axis=1)), _share(np.all(found, axis=1)), simplified,
    )  # fmt: skip


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
    continuous = outcome.kind == "continuous" or size > 0
    control = section.control
    base = model.level(control, FULL, 1.0)
    effects = {name: model.level(name, FULL, 1.0) - base for name in recruited if name != control}
    people = sum(recruited.values())
    if design is None and len(set(recruited.values())) > 1:
        raise ImpossibleRequest("design", "groups of unequal size are simulated with the registered allocation")
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
        kind="continuous" if continuous else "binary",
        mean=base,
        sd=outcome.sd.value if outcome.sd is not None else math.sqrt(base * (1 - base)) if continuous else 1.0,
        cluster_size=size,
        icc=clusters.icc.value if clusters is not None else 0.0,
        attrition={} if size or not share else dict.fromkeys((control, *effects), share),
        columns=_columns(design, levels or {}),
    )
    left_out = {
        "looks": section.looks is not None,
        "r2": outcome.r2 is not None and outcome.r2.value > 0,
        "nested": any(arm.nested is not None for arm in section.arms),
        "kind": continuous and outcome.kind == "binary",
    }
    return world, tuple(key for key, out in left_out.items() if out)


def _columns(design: Design | None, levels: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    if design is None:
        return {}
    alike = {f"level {i + 1}": 1 / LEVELS for i in range(LEVELS)}
    return {name: dict(levels.get(name, alike)) for name in design.columns}


def _null(world: World) -> World:
    from dataclasses import replace

    return replace(world, effects=dict.fromkeys(world.effects, 0.0))


def _rejected(plan: Plan, estimates: np.ndarray, wanted: np.ndarray | None) -> np.ndarray:
    """Which comparisons each trial reports, (trials, comparisons), after the correction of the family.

    With `wanted`, true effects, only findings in their direction count.
    """
    section = plan.section
    values, p = estimates[:, :, 0], np.nan_to_num(estimates[:, :, 2], nan=1.0)
    if section.sides == 1:
        signs = np.sign([plan.model().outcome.effect.value] * p.shape[1])
        p = np.where(values * signs > 0, p / 2, 1 - p / 2)
    found = _corrected(plan, p) < section.alpha
    return found if wanted is None else found & (np.sign(values) == np.sign(wanted))


def _corrected(plan: Plan, p: np.ndarray) -> np.ndarray:
    """p-values that may be held against alpha, comparison by comparison."""
    count, section = p.shape[1], plan.section
    if count == 1 or section.correction == "none":
        return p
    if section.correction == "bonferroni":
        return np.minimum(p * count, 1)
    if section.correction == "dunnett":
        # The single-step critical value as the level that one comparison may use.
        ratios = {arm.name: arm.ratio for arm in section.arms}
        other = plan.model().pairs()[0][1]
        mean = sum(ratios[a] for a, _ in plan.model().pairs()) / count
        critical = dunnett_critical(count, section.alpha, sides=section.sides, control_ratio=ratios[other] / mean)
        level = section.sides * float(special.ndtr(-critical))
        return np.minimum(p * section.alpha / level, 1)
    order = np.argsort(p, axis=1)
    stepped = np.take_along_axis(p, order, axis=1) * np.arange(count, 0, -1)
    held = np.minimum(np.maximum.accumulate(stepped, axis=1), 1)
    out = np.empty_like(p)
    np.put_along_axis(out, order, held, axis=1)
    return out


def _share(hits: Any) -> Simulated:
    from analysis.simulate import Simulated

    share, count = float(hits.mean()), len(hits)
    return Simulated(share, math.sqrt(max(share * (1 - share), 1 / count) / count))
