"""From assumptions to power: the effect and its standard error for every comparison, at given sizes of the arms.

A stage switches the complications on one by one (take-up, covariates, clusters, several arms, looks), so that the same
arithmetic gives the textbook number and the final one, and the chain of factors between them adds up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from scipy import special

from analysis.planning.clustering import FEWEST, Means, design_effect, freedom, joined, reach
from analysis.planning.section import Arm, Clusters, Outcome, SampleSize
from analysis.power import checks
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.many_to_one import Rejections, chances, joint_within, step_down_critical
from analysis.power.roots import root
from analysis.power.sequential import boundaries, crossing

__all__ = ["FULL", "STAGES", "Comparison", "Model", "Stage"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Which complications count."""

    take_up: bool = True
    r2: bool = True
    clusters: bool = True
    arms: bool = True
    looks: bool = True


FULL = Stage()
STAGES: tuple[tuple[str, Stage], ...] = (
    ("textbook", Stage(False, False, False, False, False)),
    ("take_up", Stage(True, False, False, False, False)),
    ("r2", Stage(True, True, False, False, False)),
    ("clusters", Stage(True, True, True, False, False)),
    ("arms", Stage(True, True, True, True, False)),
    ("looks", FULL),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison at given sizes: the effect, its standard errors, and the root share of the common arm in them.

    `means` are the parts of its variance with their degrees of freedom when people share advisors or sites, else none.
    """

    treated: str
    other: str
    effect: float
    se: float
    se_null: float
    loading: float
    loading_null: float
    means: Means = ()


@dataclass(frozen=True, slots=True)
class Model:
    """Power of one outcome of the section; `scale` multiplies every effect (1 is as assumed)."""

    section: SampleSize
    outcome: Outcome

    def pairs(self) -> list[tuple[str, str]]:
        """The comparisons of the family, treated first."""
        names = [arm.name for arm in self.section.arms]
        control = self.section.control
        if self.section.comparisons == "against_control":
            return [(name, control) for name in names if name != control]
        if self.section.comparisons == "all_pairs":
            ordered = [control, *(name for name in names if name != control)]
            return [(b, a) for i, a in enumerate(ordered) for b in ordered[i + 1 :]]
        return [(b, a) if a == control else (a, b) for a, b in self.section.comparisons]

    @property
    def grouped(self) -> bool:
        """Whether people share advisors or sites in every comparison, so that no variance is pooled."""
        arms = [(self._arm(a), self._arm(b)) for a, b in self.pairs()]
        return all(self.shared(a) is not None or self.shared(b) is not None for a, b in arms)

    @property
    def variance(self) -> str:
        """How the variance is taken: pooled where the section says so and some comparison has no advisors or sites."""
        return "unpooled" if self.grouped else self.section.variance

    def sizes(self, n: float) -> dict[str, float]:
        """People analysed in every arm when an arm of ratio 1 has `n`."""
        return {arm.name: n * arm.ratio for arm in self.section.arms}

    def level(self, name: str, stage: Stage, scale: float) -> float:
        """Expected proportion or mean of an arm."""
        base = self.outcome.control.value if self.outcome.control is not None else 0.0
        arm = self._arm(name)
        if name == self.section.control:
            return base
        effect = self.outcome.effect.value * arm.effect_multiple * scale
        if self.outcome.effect_on == "takers" and stage.take_up:
            effect *= self.take_up(arm) - self.take_up_control()
        return base + effect

    def comparison(self, pair: tuple[str, str], sizes: Mapping[str, float], stage: Stage, scale: float) -> Comparison:
        """Effect and standard errors of one comparison."""
        treated, other = (self._arm(name) for name in pair)
        first, second = (self.level(name, stage, scale) for name in pair)
        weights = [self.inflation(arm, stage) / sizes[arm.name] for arm in (treated, other)]
        if first == second:
            self._check_apart(pair)
        if self.outcome.kind == "continuous":
            assert self.outcome.sd is not None
            variances = [self.outcome.sd.value**2] * 2
            null = variances[0]
        else:
            self._check_proportions(first, second, pair)
            variances = [p * (1 - p) for p in (first, second)]
            share = sizes[treated.name] / (sizes[treated.name] + sizes[other.name])
            mean = share * first + (1 - share) * second
            null = mean * (1 - mean)
        own, common = variances[0] * weights[0], variances[1] * weights[1]
        se = math.sqrt(own + common)
        means = self._means(treated, other, sizes, (own, common)) if stage.clusters else ()
        # A variance estimated from clusters is never pooled over the arms.
        pooled = self.section.variance == "pooled" and self.outcome.kind == "binary" and not means
        loading_null = math.sqrt(weights[1] / sum(weights))
        se_null = math.sqrt(null * sum(weights)) if pooled else se
        loading = math.sqrt(common) / se
        return Comparison(pair[0], pair[1], first - second, se, se_null, loading, loading_null, means)

    def power(self, sizes: Mapping[str, float], *, stage: Stage = FULL, scale: float = 1.0) -> float:
        """Power at these sizes: of the weakest comparison, of any, or of all, as the section asks."""
        pairs = self.pairs() if stage.arms else self._weakest_pair(sizes, stage, scale)
        found = [self.comparison(pair, sizes, stage, scale) for pair in pairs]
        many_to_one = len({c.other for c in found}) == 1
        joint = self.section.power_of != "marginal" and stage.arms and len(found) > 1
        if joint and ((stage.looks and self.section.looks is not None) or not many_to_one):
            raise ImpossibleRequest(
                "power_of",
                f"'{self.section.power_of}' power is computed for comparisons with one control and without looks",
                remedy="use power_of: marginal, or simulate the plan",
            )
        if joint:
            together = self._chances(self._critical(found), found)
            return together.any_pair if self.section.power_of == "any" else together.all_pairs
        return min(self._marginal(found, sizes, stage, scale))

    def marginal(self, sizes: Mapping[str, float], *, scale: float = 1.0) -> dict[tuple[str, str], float]:
        """Power of every comparison by itself at these sizes, with the correction of the whole family."""
        found = [self.comparison(pair, sizes, FULL, scale) for pair in self.pairs()]
        return dict(zip(self.pairs(), self._marginal(found, sizes, FULL, scale), strict=True))

    def level_of_one(self) -> float:
        """The level that the correction of the family leaves to one comparison (of a step-down, its first step)."""
        found = [self.comparison(pair, self.sizes(1000.0), FULL, 1.0) for pair in self.pairs()]
        critical = self._critical(found)[0]
        return self.section.sides * float(special.ndtr(-critical))

    def _marginal(
        self, found: list[Comparison], sizes: Mapping[str, float], stage: Stage, scale: float
    ) -> Sequence[float]:
        critical = self._critical(found)
        if stage.looks and self.section.looks is not None:
            # A step-down correction under looks is sized by its first step, which every comparison must at least pass.
            return [self._looked(c, critical[0], sizes, stage, scale) for c in found]
        if len(set(critical)) > 1:
            return self._chances(critical, found).marginal
        return [float(special.ndtr(abs(c.effect) / c.se - self._reach(c, critical[0]))) for c in found]

    def solve_size(self, power: float, *, stage: Stage = FULL) -> float:
        """Unrounded people an arm of ratio 1 needs, checked by substitution."""
        self.check_power(power)

        def miss(n: float) -> float:
            return self.power(self.sizes(n), stage=stage) - power

        low = self.smallest(stage)
        if miss(low) >= 0:
            return low
        high = max(4 * low, 16.0)
        while miss(high) < 0:
            low, high = high, high * 2
            if high > 1e12:
                raise NoSolution("power", f"no number of people gives power {power:g} under these assumptions")
        n = root(miss, low, high, xtol=1e-9, rtol=1e-13)
        if abs(miss(n)) > 1e-6:
            raise NoSolution("n", f"the search ended at {n:g}, where the power is {miss(n) + power:.6f}")
        return n

    def size_of(self, pair: tuple[str, str], power: float) -> float | None:
        """People an arm of ratio 1 needs for this comparison alone, corrected as in its family, or None."""

        def miss(n: float) -> float:
            return self.marginal(self.sizes(n))[pair] - power

        low = self.smallest(FULL)
        high = low
        while miss(high) < 0:
            high *= 2
            if high > 1e12:
                return None
        return low if high == low else root(miss, high / 2, high, xtol=1e-9, rtol=1e-13)

    def scale_of(self, pair: tuple[str, str], sizes: Mapping[str, float], power: float) -> float | None:
        """Multiple of the assumed effects at which this comparison has the power; None when none does."""
        top = self.largest_scale()

        def miss(scale: float) -> float:
            return self.marginal(sizes, scale=scale)[pair] - power

        high = min(1.0, top)
        while miss(high) < 0:
            if high >= top:
                return None
            high = min(1.5 * high, top)
        return root(miss, 1e-9, high, xtol=1e-12)

    def solve_scale(self, sizes: Mapping[str, float], power: float) -> float:
        """Multiple of the assumed effects that has the power at these sizes."""
        self.check_power(power)

        def miss(scale: float) -> float:
            return self.power(sizes, scale=scale) - power

        self._check_groups(sizes)
        low, high = 1e-6, self.largest_scale()
        top = min(high, 1.0)
        while miss(top) < 0:
            if top >= high:
                raise NoSolution("effect", f"even the largest possible effect has power {miss(top) + power:.4f}")
            low, top = top, min(top * 1.5, high)
        if low == 1e-6:
            while miss(low) > 0:
                low /= 10
        return root(miss, low, top, xtol=1e-12)

    def check_power(self, power: float) -> None:
        """Raises for a power that no size gives: not above alpha, or certainty."""
        checks.positive(power=power)
        if not power > self.section.alpha:
            raise ImpossibleRequest(
                "power",
                f"{power:g} does not exceed alpha {self.section.alpha:g}: a test that ignores the data reaches that",
                remedy="ask for a power above alpha, usually 0.8 or 0.9",
            )
        if power >= 1:
            raise ImpossibleRequest(
                "power",
                f"must be below 1, not {power:g}: no number of people gives certainty",
                remedy=f"write {power / 100:g} for {power:g}%" if 2 <= power < 100 else "ask for 0.9 or 0.95",
            )

    def _check_groups(self, sizes: Mapping[str, float]) -> None:
        """Raises when an arm has fewer advisors or sites than any analysis needs."""
        for name, size in sizes.items():
            if size < self.fewest(name) * (1 - 1e-9) and self.shared(self._arm(name)) is not None:
                raise NoSolution(
                    "n",
                    f"{size:g} people in arm '{name}' are fewer than two advisors or clusters, which are "
                    f"{self.fewest(name):g} people: nothing can be told from one",
                    remedy="take more people, or smaller groups",
                )

    def _arm(self, name: str) -> Arm:
        return next(arm for arm in self.section.arms if arm.name == name)

    def take_up(self, arm: Arm) -> float:
        """Share of the arm that takes the offer up; 1 when nothing is stated."""
        own = arm.take_up if arm.take_up is not None else self.section.take_up
        return 1.0 if own is None else own.value

    def take_up_control(self) -> float:
        """Share of the control arm that finds the offer elsewhere; 0 when nothing is stated."""
        control = self._arm(self.section.control)
        own = control.take_up if control.take_up is not None else self.section.take_up_control
        return 0.0 if own is None else own.value

    def inflation(self, arm: Arm, stage: Stage) -> float:
        """Variance of an arm over that of independent people without covariates."""
        left = 1 - (self.outcome.r2.value if self.outcome.r2 is not None and stage.r2 else 0.0)
        return left * design_effect(self.shared(arm)) if stage.clusters else left

    def shared(self, arm: Arm) -> Clusters | None:
        """Whom the people of an arm share, advisors or sites, whichever costs more; None for independent people."""
        return max(self.section.clusters, arm.nested, key=design_effect)

    def _means(self, treated: Arm, other: Arm, sizes: Mapping[str, float], variances: tuple[float, float]) -> Means:
        """Parts of the variance with degrees of freedom: one for whole clusters (CR2), one an arm beside advisors."""
        arms = (treated, other)
        if all(self.shared(arm) is None for arm in arms):
            return ()
        each = [freedom(self.shared(arm), sizes[arm.name]) for arm in arms]
        if self.section.clusters is None:
            return tuple(zip(variances, each, strict=True))
        # CR2 takes the arms as equally variable when it counts degrees of freedom.
        working = [self.inflation(arm, FULL) / sizes[arm.name] for arm in arms]
        return ((sum(variances), joined(tuple(zip(working, each, strict=True)))),)

    def smallest(self, stage: Stage) -> float:
        """Smallest size of an arm of ratio 1 for which the test exists: two people, or two clusters, in every arm."""
        if not stage.clusters:
            return 2.0
        return max([2.0, *(self.fewest(arm.name) / arm.ratio for arm in self.section.arms if self.shared(arm))])

    def fewest(self, name: str) -> float:
        """Fewest people analysed in an arm for which the test exists."""
        shared = self.shared(self._arm(name))
        return 2.0 if shared is None else max(2.0, FEWEST * shared.size.value)

    def _check_proportions(self, first: float, second: float, pair: tuple[str, str]) -> None:
        for name, p in zip(pair, (first, second), strict=True):
            if not 0 < p < 1:
                raise ImpossibleRequest("effect", f"takes the proportion of arm '{name}' to {p:g}, not a probability")

    def _check_apart(self, pair: tuple[str, str]) -> None:
        """Raises when both arms are expected to come out the same, naming what makes them."""
        treated, other = (self._arm(name) for name in pair)
        said = f"arms '{pair[0]}' and '{pair[1]}' are expected to come out the same"
        if other.name != self.section.control:
            raise ImpossibleRequest(
                "comparisons",
                said,
                remedy="leave this comparison out, or give the arms unlike effect_multiple or take_up",
            )
        if treated.effect_multiple == 0:
            raise ImpossibleRequest(
                "effect_multiple", said, remedy=f"give arm '{treated.name}' an effect_multiple other than zero"
            )
        raise ImpossibleRequest("take_up", said, remedy="take_up must differ from take_up_control")

    def largest_scale(self) -> float:
        """Multiple of the effects at which a proportion would leave (0, 1)."""
        if self.outcome.kind == "continuous":
            return 1e6
        room = []
        for pair in self.pairs():
            for name in pair:
                base, step = self.level(name, FULL, 0.0), self.level(name, FULL, 1.0) - self.level(name, FULL, 0.0)
                if step:
                    room.append(((1 - base) if step > 0 else base) / abs(step))
        return min(room) * (1 - 1e-9)

    def _weakest_pair(self, sizes: Mapping[str, float], stage: Stage, scale: float) -> list[tuple[str, str]]:
        def ease(pair: tuple[str, str]) -> float:
            c = self.comparison(pair, sizes, stage, scale)
            return abs(c.effect) / c.se

        return [min(self.pairs(), key=ease)]

    def _correction(self, count: int, many_to_one: bool) -> str:
        chosen = self.section.correction
        if count == 1:
            return "none"
        if chosen == "dunnett" and not many_to_one:
            raise ImpossibleRequest(
                "correction",
                "Dunnett compares every arm with one control; these comparisons have several",
                remedy="use holm or bonferroni, or comparisons: against_control",
            )
        if chosen == "holm" and not many_to_one:
            # Holm's first step is Bonferroni: a lower bound that needs no joint distribution.
            return "bonferroni"
        return chosen

    def _critical(self, found: list[Comparison]) -> list[float]:
        """Critical values of the normal reference by rank."""
        correction = self._correction(len(found), len({c.other for c in found}) == 1)
        alpha, sides = self.section.alpha, self.section.sides
        if correction == "dunnett":
            value = _dunnett(tuple(round(c.loading_null, 9) for c in found), alpha, sides)
            return [value] * len(found)
        return step_down_critical(len(found), alpha, correction, sides=sides, df=math.inf, control_ratio=1.0)

    def _chances(self, critical: list[float], found: list[Comparison]) -> Rejections:
        return chances(
            [[self._reach(c, value) for value in critical] for c in found],
            [abs(c.effect) / c.se for c in found],
            [math.copysign(c.loading, c.effect) for c in found],
            sides=self.section.sides,
        )

    def _reach(self, c: Comparison, critical: float) -> float:
        """What the statistic of a comparison, in units of its own standard error, must exceed."""
        return reach(abs(c.effect) / c.se, critical * (c.se_null / c.se), c.means)

    def _looked(self, c: Comparison, critical: float, sizes: Mapping[str, float], stage: Stage, scale: float) -> float:
        """Power of one comparison with looks; at each of them t has the clusters that are in by then."""
        upper, times = _look_bounds(self.section, critical)
        drift, width = abs(c.effect) / c.se, c.se_null / c.se
        bounds = []
        for bound, time in zip(upper, times, strict=True):
            then = {name: size * time for name, size in sizes.items()}
            means = c.means and self.comparison((c.treated, c.other), then, stage, scale).means
            bounds.append(reach(drift * math.sqrt(time), bound * width, means))
        lower = [-max(bound, 0.0) if self.section.sides == 2 else -math.inf for bound in bounds]
        return crossing(bounds, lower, times, drift).any_upper


@lru_cache(maxsize=4096)
def _dunnett(loadings: tuple[float, ...], alpha: float, sides: int) -> float:
    return root(lambda c: joint_within(c, loadings, sides) - (1 - alpha), 0.0, 40.0, xtol=1e-10)


def _look_bounds(section: SampleSize, critical: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Bounds of the looks at the level that the correction leaves to one comparison."""
    assert section.looks is not None
    level = section.sides * float(special.ndtr(-critical))
    return _bounds(section.looks.at, section.looks.spending, section.looks.parameter, round(level, 12), section.sides)


@lru_cache(maxsize=256)
def _bounds(
    at: int | tuple[float, ...], spending: str, parameter: float | None, alpha: float, sides: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    found = boundaries(looks=at, spending=spending, alpha=alpha, sides=sides, parameter=parameter)
    return found.upper, found.times
