"""The plan put to the test: made-up pilots with the real design, analysed as registered, counted.

Closed forms rest on approximations (normal statistics, whole people, fixed shares). A simulation does not, so the two
are set side by side; each simulated share comes with its Monte Carlo error. With a pre-analysis plan its own estimator,
covariates, strata, contrasts and correction are carried out; without one a standard analysis stands in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

from analysis.multiplicity import adjust
from analysis.planning.made_up import Setting, setting
from analysis.planning.model import Model
from analysis.power.errors import ImpossibleRequest
from analysis.power.many_to_one import dunnett_critical
from analysis.power.sequential import group_sequential

if TYPE_CHECKING:
    from analysis.plan import PreAnalysisPlan
    from analysis.planning.plan import Plan
    from analysis.simulate import Performance, Simulated, World
    from randomization import Design

__all__ = ["Look", "SimulatedComparison", "Trials", "simulated"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SimulatedComparison:
    """One comparison over all trials: the power that was promised, and what the trials gave.

    `promised` is None for a comparison that the plan is not sized for. `power` is the share of trials that report the
    comparison in the true direction, or in any when `truth` is zero. `outside_family` says that the registered analysis
    keeps it outside the confirmatory family.
    """

    treated: str
    other: str
    truth: float
    promised: float | None
    power: Simulated
    bias: Simulated
    rmse: Simulated
    coverage: Simulated
    outside_family: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """A look at `share` of the people: a comparison is reported when its corrected p is at most `level`."""

    share: float
    level: float


@dataclass(frozen=True, slots=True)
class Trials:
    """Simulated trials of a plan. `false_alarm` is the share of trials without any effect that report at least one;
    it, `any_found` and `all_found` count the confirmatory family only.

    `analysis` says whether the registered one was carried out; `estimator`, `convention`, `covariates`, `strata` (with
    the number of their levels), `missing`, `correction`, `alpha` and `sides` which that is. `looks` are those taken,
    the last included; a comparison is estimated at the look that reports it, else at the last. `simplified` names
    what the simulated pilots leave out.
    """

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
    analysis: Literal["registered", "standard"] = "standard"
    convention: str = "Welch"
    covariates: tuple[str, ...] = ()
    r2: float = 0.0
    strata: Mapping[str, int] = field(default_factory=dict)
    stated: tuple[str, ...] = ()
    missing: str = "complete_cases"
    alpha: float = 0.05
    sides: int = 2
    looks: tuple[Look, ...] = ()
    batched: bool = True


def simulated(
    plan: Plan,
    *,
    seed: int,
    trials: int | None = 1000,
    outcome: str | None = None,
    design: Design | None = None,
    levels: Mapping[str, Mapping[str, float]] | None = None,
    contrasts: Sequence[tuple[str, str]] = (),
    correction: str = "",
    analysis: PreAnalysisPlan | None = None,
    jobs: int | None = 1,
    progress: Progress | None = None,
) -> Trials:
    """Trials of the plan at its planned size, with the effects assumed and as many without any.

    `analysis` is the registered one: its allocation is drawn, its estimator run on the covariates it adjusts for (which
    explain the r2 of the section), its contrasts corrected as it says. Without it `design` is the allocation that the
    pilot registered (none: arms of fixed sizes), and `contrasts` and `correction` may differ from the family that the
    plan is sized for. `levels` are the shares of the levels of strata. Interim looks of the section are taken. `trials`
    None: as many as take about a minute at most. `jobs` cores (-1: all; None: all where every trial is made into a
    table, else one); the answer is the same. Loss is at random. Without an analysis whole clusters are analysed
    with CR2, advisors in some arms as partially nested.

    `simplified` names what is left out: 'looks' (of whole clusters), 'r2', 'nested' (a plan with clusters and advisors
    at once, of which only the clusters are drawn), 'design' (an allocation that needs real people: complete
    randomisation stands in), 'outcomes', 'redraws', 'advisors' (see `analysis.simulation.registered.cut`), 'analysis'
    (the registered one cannot be fed, a standard one stands in). 'unclustered' says that the registered analysis does
    not allow for people who share an advisor or a cluster, so that it claims too much.
    Raises ImpossibleRequest for a design with other arms than the plan, OptionError for an unknown correction.

    >>> from analysis.planning import EXAMPLE, Plan
    >>> found = simulated(Plan.from_dict(EXAMPLE), seed=1, trials=200)
    >>> power = found.comparisons[0].power
    >>> bool(abs(power.value - 0.8) < 4 * power.error)
    True
    """
    model = plan.model(outcome)
    recruited = plan.n().recruited_by_arm
    looked = plan.section.looks is not None and plan.section.clusters is None
    made = setting(plan, model, recruited, design=design, levels=levels, analysis=analysis, looked=looked, seed=seed)
    pairs, outside = tuple(contrasts) or tuple(model.pairs()), ()
    if made.analysis is not None:
        pairs, correction = made.analysis.contrasts, made.analysis.analysis.correction.contrasts
        outside = made.analysis.analysis.secondary_contrasts
    family = _Family(plan, made, pairs, correction or plan.section.correction)
    pairs, inside = (*pairs, *outside), len(pairs)
    looks = family.looks(looked)
    count = made.affordable(len(looks)) if trials is None else trials
    runs = _Runs(made, pairs, looks, count, family.alpha, jobs, progress)
    estimates, blanks = runs.of(made.world, seed, 0), runs.of(made.null, seed + 1, len(looks))
    truths = np.array([round(made.world.truth(*pair), 12) for pair in pairs])
    found, rows = family.reported(estimates, truths, looks)
    alarms, _ = family.reported(blanks, 0 * truths, looks)
    left_out = (*made.left_out, *(["looks"] if plan.section.looks is not None and not looked else []))
    sized = np.flatnonzero(truths[:inside])
    return Trials(
        outcome=model.outcome.name,
        trials=count,
        seed=seed,
        recruited=dict(recruited),
        estimator=made.estimator,
        design="fixed" if made.design is None else made.design.method,
        correction=family.correction,
        comparisons=tuple(
            replace(one, outside_family=place >= inside)
            for place, one in enumerate(
                _comparisons(plan, model, recruited, pairs, made.world, rows, found, family.alpha)
            )
        ),
        false_alarm=_share(np.any(alarms[:, :inside], axis=1)),
        any_found=_share(np.any(found[:, sized], axis=1)),
        all_found=_share(np.all(found[:, sized], axis=1)),
        simplified=left_out,
        looks=looks if looked else (),
        batched=made.batched,
        **_registered(made, plan, levels or {}),
    )


def _registered(made: Setting, plan: Plan, levels: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader must know of the analysis and of the world it was run on."""
    world, analysis = made.world, made.analysis
    strata = {name: len(shares) for name, shares in world.columns.items()}
    common = {"convention": made.convention, "strata": strata, "stated": tuple(n for n in strata if n in levels)}
    if analysis is None:
        return common | {"alpha": plan.section.alpha, "sides": plan.section.sides}
    return common | {
        "analysis": "registered",
        "covariates": analysis.decision.adjust if analysis.decision.headline == "adjusted" else (),
        "r2": world.r2,
        "missing": analysis.outcomes[0].missing.handling,
        "alpha": analysis.analysis.alpha,
    }


@dataclass(frozen=True, slots=True)
class _Runs:
    """All simulations of one answer: every look of the two worlds, one bar for the whole."""

    made: Setting
    pairs: tuple[tuple[str, str], ...]
    looks: tuple[Look, ...]
    trials: int
    alpha: float
    jobs: int | None
    progress: Progress | None

    def of(self, world: World, seed: int, before: int) -> list[np.ndarray]:
        """The estimates of every look, (trials, contrasts, fields), on the same draws; `before` runs went ahead."""
        from analysis.simulate import simulate

        jobs = (1 if self.made.batched else -1) if self.jobs is None else self.jobs
        return [
            simulate(
                replace(world, until=look.share), estimator=self.made.analysis or self.made.estimator,
                design=self.made.design, contrasts=self.pairs, trials=self.trials, seed=seed, alpha=self.alpha,
                jobs=jobs, progress=self._shown(before + place) or False,
            ).estimates
            for place, look in enumerate(self.looks)
        ]  # fmt: skip

    def _shown(self, before: int) -> Progress | None:
        if self.progress is None:
            return None
        show, total = self.progress, 2 * len(self.looks) * self.trials
        return lambda done, _total: show(before * self.trials + done, total)


def _comparisons(
    plan: Plan, model: Model, recruited: Mapping[str, int], pairs: Sequence[tuple[str, str]], world: World,
    rows: np.ndarray, found: np.ndarray, alpha: float,
) -> tuple[SimulatedComparison, ...]:  # fmt: skip
    from analysis.simulate import performance

    promised = _promised(plan, model, recruited)
    made = []
    for place, pair in enumerate(pairs):
        p: Performance = performance(rows[:, place], pair, world.truth(*pair), alpha)
        power = _share(found[:, place])
        made.append(SimulatedComparison(*pair, p.truth, promised.get(pair), power, p.bias, p.rmse, p.coverage))
    return tuple(made)


def _promised(plan: Plan, model: Model, recruited: Mapping[str, int]) -> dict[tuple[str, str], float]:
    lost = plan.section.attrition.get(model.outcome.measured_by)
    kept = 1 - (0.0 if lost is None else lost.value)
    return model.marginal({name: count * kept for name, count in recruited.items()})


@dataclass(frozen=True, slots=True)
class _Family:
    """The comparisons that share one error, and how their p-values are corrected."""

    plan: Plan
    made: Setting
    pairs: tuple[tuple[str, str], ...]
    correction: str

    @property
    def alpha(self) -> float:
        """The registered level, else that of the section."""
        return self.plan.section.alpha if self.made.analysis is None else self.made.analysis.analysis.alpha

    @property
    def sides(self) -> Literal[1, 2]:
        """Registered tests have two sides; a standard one has those of the section."""
        return self.plan.section.sides if self.made.analysis is None else 2

    def looks(self, looked: bool) -> tuple[Look, ...]:
        """When results are looked at and what p then counts.

        The looks spend what the correction leaves to one comparison. A registered correction makes p-values that may
        be held against alpha, so for those the level of a look is as many times as large as alpha is of that share:
        at the first step of Holm exactly the level of the share, at later steps on the safe side of it, because the
        part of an error that a look spends grows faster than the error. Source: Maurer and Bretz (2013).
        """
        section = self.plan.section
        if not looked or section.looks is None:
            return (Look(1.0, self.alpha),)
        stated, scale = section.looks, float(self.sides)
        if self.made.analysis is None:
            design = self.plan.interim(stated.at, stated.spending, parameter=stated.parameter)
        else:
            left = self._left_to_one()
            scale *= self.alpha / left
            design = group_sequential(
                looks=stated.at, spending=stated.spending, parameter=stated.parameter, power=section.power,
                alpha=left, sides=self.sides, n_fixed=100,
            )  # fmt: skip
        return tuple(Look(float(t), scale * float(p)) for t, p in zip(design.times, design.levels, strict=True))

    def _left_to_one(self) -> float:
        """The level that the registered correction leaves to one comparison; of Holm, at its first step."""
        if self.correction == "none":
            return self.alpha
        several = len({b for _, b in self.pairs}) > 1
        return self.alpha / len(self.pairs) if self.correction == "holm" or several else self._dunnett_level()

    def reported(
        self, runs: Sequence[np.ndarray], truths: np.ndarray, looks: Sequence[Look]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which comparisons each trial reports, (trials, comparisons), and the estimates it then reports.

        A finding against a true direction is none. The estimate is that of the look that reports, else of the last.
        """
        found, rows = np.zeros(runs[0].shape[:2], dtype=bool), runs[-1].copy()
        for estimates, look in zip(runs, looks, strict=True):
            new = self._significant(estimates, look, alone=len(looks) == 1) & ~found
            rows[new] = estimates[new]
            found |= new
        return found & ((np.sign(rows[:, :, 0]) == np.sign(truths)) | (truths == 0)), rows

    def _significant(self, estimates: np.ndarray, look: Look, *, alone: bool) -> np.ndarray:
        values, p = estimates[:, :, 0], np.nan_to_num(estimates[:, :, 2], nan=1.0)
        if self.made.analysis is not None:
            return p <= look.level  # corrected already, as registered
        if self.sides == 1:
            wanted = np.sign(self.plan.model().outcome.effect.value)
            p = np.where(values * wanted > 0, p / 2, 1 - p / 2)
        return (self._corrected(p) if alone else p) < look.level

    def _corrected(self, p: np.ndarray) -> np.ndarray:
        """p-values that may be held against alpha, comparison by comparison."""
        if p.shape[1] == 1 or self.correction == "none":
            return p
        if self.correction == "dunnett":
            return np.minimum(p * self.alpha / self._dunnett_level(), 1)
        return np.apply_along_axis(adjust, 1, p, self.correction)

    def _dunnett_level(self) -> float:
        """The single-step critical value as the level that one comparison may use."""
        section, (others, count) = self.plan.section, ({b for _, b in self.pairs}, len(self.pairs))
        if len(others) > 1:
            raise ImpossibleRequest("correction", "Dunnett compares every arm with one control", remedy="use holm")
        ratios = {arm.name: arm.ratio for arm in section.arms}
        mean = sum(ratios[a] for a, _ in self.pairs) / count
        critical = dunnett_critical(count, self.alpha, sides=self.sides, control_ratio=ratios[others.pop()] / mean)
        return self.sides * float(special.ndtr(-critical))


def _share(hits: Any) -> Simulated:
    from analysis.simulate import Simulated

    share, count = float(hits.mean()), len(hits)
    return Simulated(share, math.sqrt(max(share * (1 - share), 1 / count) / count))
