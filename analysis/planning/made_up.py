"""What a plan and a registered analysis make of a simulated pilot: its world, its allocation and its estimator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import randomization
from analysis.planning.model import FULL, Model
from analysis.power.errors import ImpossibleRequest
from randomization.errors import RandomizationError

if TYPE_CHECKING:
    from analysis.plan import PreAnalysisPlan
    from analysis.planning.plan import Plan
    from analysis.simulate import World
    from randomization import Design

__all__ = ["Setting", "setting"]

LEVELS = 4
"""Levels of a stratum whose shares nobody stated; they are taken to be equally common."""

STANDARD = 1000
"""Trials that are simulated unless they would take more than about a minute; then fewer, but at least a tenth."""

Levels = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Setting:
    """A simulated pilot before it is drawn. `analysis` is the registered one, cut down to what a world can feed, or
    None; `estimator` names it, `convention` its standard error; `left_out` what is simpler than it will be.
    """

    world: World
    design: Design | None
    analysis: PreAnalysisPlan | None
    estimator: str
    convention: str
    left_out: tuple[str, ...]

    @property
    def null(self) -> World:
        """The same world without any effect."""
        return replace(self.world, effects=dict.fromkeys(self.world.effects, 0.0))

    @property
    def batched(self) -> bool:
        """Whether arrays estimate a whole block at once, or every trial is a table."""
        from analysis.simulation.estimators import has_kernel

        return has_kernel(self.analysis or self.estimator, self.world)

    def affordable(self, looks: int) -> int:
        """Trials that take no longer than about a minute on one core; the same on every machine."""
        return min(max(self.within(50, looks) // 50 * 50, STANDARD // 10), STANDARD)

    def within(self, seconds: float, looks: int) -> int:
        """About how many trials, with the effect and as many without, one core of 2024 does in so many seconds."""
        each = 5e-4 + 5e-7 * self.world.n if self.batched else 0.05 + 1e-5 * self.world.n
        if self.batched and self.analysis is not None and self.analysis.analysis.correction.contrasts == "dunnett":
            each += 0.0015
        return int(seconds / (2 * looks * each))


def setting(
    plan: Plan,
    model: Model,
    recruited: Mapping[str, int],
    *,
    design: Design | None = None,
    levels: Levels | None = None,
    analysis: PreAnalysisPlan | None = None,
    looked: bool = False,
    seed: int = 0,
) -> Setting:
    """The pilot that a plan describes, with the `design` and the `analysis` that are registered, where they are.

    `looked` says that results are looked at in between, so that people of all arms must come mixed.
    """
    cut, left_out = _cut(plan, model, analysis)
    if analysis is not None and design is None:
        design = analysis.design
    world = _world(plan, model, recruited, design, levels or {}, cut)
    design, replaced = _design(plan, design, world, looked=looked, seed=seed)
    nested = any(arm.nested is not None for arm in plan.section.arms)
    r2 = model.outcome.r2 is not None and model.outcome.r2.value > 0
    left_out += [key for key, out in {
        "design": replaced, "r2": r2 and not world.r2, "nested": nested and bool(world.cluster_size),
        "unclustered": cut is not None and _ignores_groups(cut, world),
    }.items() if out]  # fmt: skip
    estimator, convention = _named(cut, world)
    return Setting(world, design, cut, estimator, convention, tuple(left_out))


def _cut(plan: Plan, model: Model, analysis: PreAnalysisPlan | None) -> tuple[PreAnalysisPlan | None, list[str]]:
    """The registered analysis as a world can feed it; "analysis" is left out when none can."""
    if analysis is None:
        return None, []
    from analysis.simulation.registered import cut

    clusters = plan.section.clusters is not None
    nested = not clusters and any(arm.nested is not None for arm in plan.section.arms)
    if analysis.decision.clusters_allocated and not clusters:
        return None, ["analysis"]
    try:
        found = cut(analysis, model.outcome.name, model.outcome.kind, advisors=nested)
    except ImpossibleRequest:
        return None, ["analysis"]
    return found.plan, list(found.left_out)


def _ignores_groups(analysis: PreAnalysisPlan, world: World) -> bool:
    """Whether people share an advisor or a cluster of which the registered analysis knows nothing."""
    if world.cluster_size:
        return analysis.decision.clusters is None
    return bool(world.nested) and analysis.analysis.advisors is None


def _named(analysis: PreAnalysisPlan | None, world: World) -> tuple[str, str]:
    """The estimator and its standard error by the names that readers' words are looked up by."""
    if analysis is None:
        if world.cluster_size:
            return "cluster_cr2", "CR2"
        return ("partially_nested", "CR2") if world.nested else ("difference_in_means", "Welch")
    decision = analysis.decision
    if decision.headline == "adjusted":
        return decision.estimator, decision.convention
    if decision.strata:
        return "blocked_means", decision.convention
    return "difference_in_means", "Welch" if decision.convention == "HC2" else decision.convention


def _design(
    plan: Plan, registered: Design | None, world: World, *, looked: bool, seed: int
) -> tuple[Design | None, bool]:
    """The allocation to draw from, and whether it stands in for one that cannot be drawn for made-up people."""
    ratios = {arm.name: arm.ratio for arm in plan.section.arms}
    if world.cluster_size:
        whole = registered is not None and bool(world.cluster_name)
        return registered if whole else None, False
    if registered is not None:
        if getattr(getattr(registered, "base", registered), "clusters", None):
            return randomization.complete(ratios), True  # whole clusters, of which the section knows nothing
        try:
            registered.draws(world.units(seed), 1, seed)
        except RandomizationError:
            return randomization.complete(ratios), True
        return registered, False
    mixed = looked or len(set(ratios.values())) > 1
    return randomization.complete(ratios) if mixed else None, False


def _world(
    plan: Plan, model: Model, recruited: Mapping[str, int], design: Design | None, levels: Levels,
    analysis: PreAnalysisPlan | None,
) -> World:  # fmt: skip
    from analysis.simulate import World

    section, outcome = plan.section, model.outcome
    clusters = section.clusters
    size = round(clusters.size.value) if clusters is not None else 0
    advised = {arm.name: arm.nested for arm in section.arms if arm.nested is not None}
    control = section.control
    base = model.level(control, FULL, 1.0)
    effects = {name: model.level(name, FULL, 1.0) - base for name in recruited if name != control}
    lost = section.attrition.get(outcome.measured_by)
    share = 0.0 if lost is None else lost.value
    columns = _columns(design, analysis, levels)
    world = World(
        n=_people(recruited, size, share),
        effects=effects,
        control=control,
        kind="continuous" if outcome.kind == "continuous" else "binary",
        mean=base,
        sd=_spread(model, recruited),
        cluster_size=size,
        icc=clusters.icc.value if clusters is not None else 0.0,
        nested={} if size else {name: (max(round(n.size.value), 1), n.icc.value) for name, n in advised.items()},
        attrition={} if size or not share else dict.fromkeys((control, *effects), share),
        columns=columns,
        cluster_name=analysis.decision.clusters or "" if analysis is not None and size else "",
    )
    return _with_covariates(world, model, design, analysis)


def _people(recruited: Mapping[str, int], size: int, share: float) -> int:
    people = sum(recruited.values())
    unit = size * len(recruited) if size else len(recruited)
    if size:
        # Whole clusters, and only people who are analysed: loss at random changes sizes and nothing else.
        people = round(people * (1 - share))
    return math.ceil(people / unit) * unit


def _with_covariates(world: World, model: Model, design: Design | None, analysis: PreAnalysisPlan | None) -> World:
    """The world with the numbers that the registered analysis adjusts for, explaining what the section states."""
    if analysis is None:
        return world
    names = tuple(name for name in analysis.decision.adjust if name not in world.columns)
    if not names:
        return world
    balanced = set(names) & set(() if design is None else design.columns)
    tied = replace(world, covariates=len(names), names=names, redrawn=not balanced)
    r2 = 0.0 if model.outcome.r2 is None else model.outcome.r2.value
    try:
        return replace(tied, r2=r2)
    except ImpossibleRequest:
        return tied  # more than covariates can explain of a share; the caller sees that r2 is left out


def _spread(model: Model, recruited: Mapping[str, int]) -> float:
    """Standard deviation within arms; of a share, that of the average arm."""
    if model.outcome.sd is not None:
        return model.outcome.sd.value
    shares = [model.level(name, FULL, 1.0) for name in recruited]
    return math.sqrt(sum(p * (1 - p) for p in shares) / len(shares))


def _columns(design: Design | None, analysis: PreAnalysisPlan | None, levels: Levels) -> dict[str, dict[str, float]]:
    """Strata and factors of the allocation with the shares of their levels; numbers it balances are no strata."""
    names = list(() if design is None else design.columns)
    numbers: set[str] = set(getattr(design, "covariates", ()))
    if analysis is not None:
        names += [*analysis.decision.strata]
        numbers.add(analysis.decision.clusters or "")
    alike = {f"level {i + 1}": 1 / LEVELS for i in range(LEVELS)}
    return {name: dict(levels.get(name, alike)) for name in dict.fromkeys(names) if name not in numbers}
