"""Randomization inference: the real design redrawn, with a studentized statistic and an interval by inversion.

The test is exact for the sharp hypothesis of no effect on anybody; studentizing keeps it valid in large samples for the
hypothesis of no average effect as well (Chung and Romano 2013; Wu and Ding 2021).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy.stats import rankdata

from analysis.errors import DesignNotEstimable, OptionError, nearest
from analysis.estimate import Array, Interval
from analysis.frame import as_frame, column, control_label, numbers, of_trial, varied
from analysis.kernels.permute import Bits, Slots, sums_over_members
from analysis.redraws import Redraws, redraw

Statistic = Literal["studentized", "difference", "ranks"]
Alternative = Literal["two-sided", "greater", "less"]
STATISTICS = ("studentized", "difference", "ranks")
ALTERNATIVES = ("two-sided", "greater", "less")
SOURCE = "Fisher (1935); Chung and Romano (2013); Wu and Ding (2021)"
CACHE_CELLS = 40_000_000
TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """Everything that gives the statistic of the observed assignment and of every redraw, at any shift.

    Under a constant effect tau the outcomes y - tau x treated would have been seen whatever the assignment. The sums
    that the statistic needs are polynomials in tau, so one pass over the bits serves every tau.
    """

    slots: Slots
    members: tuple[Bits, Bits]
    observed: tuple[Bits, Bits]
    tables: Array
    weight: Array
    statistic: str
    paired: bool
    clustered: bool
    y: Array
    assigned: Array
    cache: list[tuple[Array, Array]] = field(default_factory=list)

    def at(self, tau: float = 0.0) -> tuple[float, Array]:
        """The observed statistic and those of the redraws (NaN where a redraw leaves no estimate)."""
        if self.statistic == "ranks" and tau:
            shifted = self.y - tau * self.assigned
            return _machine(self, shifted).at()
        found = np.concatenate([self._evaluate(one, zero, tau) for one, zero in self._moments()])
        seen = [sums_over_members(bits, self.tables, self.slots.block) for bits in self.observed]
        value = float(self._evaluate(seen[0], seen[1], tau)[0])
        if not math.isfinite(value):
            raise DesignNotEstimable(
                "the observed assignment leaves an arm of a block with fewer than two units",
                remedy="use statistic='difference', or join small blocks",
            )
        return value, found

    def _moments(self) -> Iterator[tuple[Array, Array]]:
        if self.cache:
            yield from self.cache
            return
        draws, B, c = self.members[0].shape[1], int(self.slots.block[-1]) + 1, self.tables.shape[2]
        keep = draws * B * c * 2 <= CACHE_CELLS
        step = max(1, CACHE_CELLS // (8 * B * c))
        for start in range(0, draws, step):
            part = slice(start, start + step)
            pair = [
                sums_over_members(np.ascontiguousarray(b[:, part]), self.tables, self.slots.block) for b in self.members
            ]
            if keep:
                self.cache.append((pair[0], pair[1]))
            yield pair[0], pair[1]

    def _evaluate(self, one: Array, zero: Array, tau: float) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            mean1, var1 = self._arm(one, tau)
            mean0, var0 = self._arm(zero, tau)
            weight = self.weight[:, None] / self.weight.sum()
            gaps = weight * (mean1 - mean0)
            value = gaps.sum(axis=0)
            if self.statistic != "studentized":
                return value
            if self.paired:
                B = self.weight.size
                variance = B / (B - 1) * ((gaps - value / B) ** 2).sum(axis=0)
            else:
                variance = (weight**2 * (var1 + var0)).sum(axis=0)
            return np.where(variance > 0, value / np.sqrt(variance), np.sign(value) * np.inf * (value != 0))

    def _arm(self, sums: Array, tau: float) -> tuple[Array, Array]:
        """Mean and variance of the mean per block and draw."""
        m, y, yy, z, zy = (sums[..., i] for i in range(5))
        n, yn, nn, zn = (sums[..., i] for i in range(5, 9)) if self.clustered else (m, y, m, z)
        zz = sums[..., 9] if self.clustered else z
        total = y - tau * z
        square, cross = yy - 2 * tau * zy + tau**2 * zz, yn - tau * zn
        mean = total / n
        spread = np.maximum(square - 2 * mean * cross + mean**2 * nn, 0.0)
        spread = np.where(spread <= 1e-12 * np.abs(square), 0.0, spread)
        return mean, m / (m - 1) * spread / n**2


@dataclass(frozen=True, slots=True, eq=False)
class PermutationTest:
    """A test by redrawn assignments: `p`, the effect it is about, and the set of effects that it does not reject."""

    name: str
    value: float
    statistic: float
    p: float
    n: int
    draws: int
    exact: bool
    estimand: str
    convention: str
    source: str
    alternative: str
    null: Array = field(repr=False)
    machine: Machine = field(repr=False)
    chance: Array | None = field(repr=False)
    dropped: int = 0
    not_estimable: int = 0

    def p_at(self, effect: float) -> float:
        """The p-value of the hypothesis that assignment changed everybody's outcome by `effect`."""
        value, null = self.machine.at(effect)
        return p_value(value, null, self.alternative, self.chance)

    def interval(self, level: float = 0.95) -> Interval:
        """All constant effects that the test does not reject, by bisection outward from the estimate.

        With few allocations an end may not exist: it is then infinite.
        """
        if not 0 < level < 1:
            raise OptionError(f"a confidence level lies between 0 and 1, not at {level}")
        unit = float(np.ptp(self.machine.y)) / math.sqrt(self.machine.y.size) + 1e-300
        ends = [self._end(side, 1 - level, unit) for side in (-1, 1)]
        if self.alternative == "greater":
            ends[1] = math.inf
        if self.alternative == "less":
            ends[0] = -math.inf
        return Interval(ends[0], ends[1])

    def _end(self, side: int, alpha: float, unit: float) -> float:
        inside, step = self.value, unit
        for _ in range(60):
            outside = inside + side * step
            if self.p_at(outside) <= alpha:
                break
            inside, step = outside, 2 * step
        else:
            return side * math.inf
        while abs(outside - inside) > 1e-7 * (unit + abs(inside)):
            middle = (inside + outside) / 2
            if self.p_at(middle) > alpha:
                inside = middle
            else:
                outside = middle
        return inside


def randomization_inference(
    data: Any,
    outcome: str,
    design: Any = None,
    *,
    arm: str | None = None,
    statistic: Statistic = "studentized",
    draws: int = 10_000,
    seed: int = 1,
    treated: Any = None,
    control: Any = None,
    alternative: Alternative = "two-sided",
    within: Any = None,
) -> PermutationTest:
    """Test no effect of assignment by redrawing it from `design` (a `randomization.Design`, or `Redraws` made before).

    `statistic` is "studentized" (difference in means over the standard error that fits the design: by strata, by pairs,
    by clusters), "difference" or "ranks" (difference in mean ranks). p counts the observed assignment among the draws,
    (1 + b) / (1 + draws) (Phipson and Smyth 2010); with all allocations listed it is exact. With several arms the
    hypothesis is that no arm matters, judged by the two that are named. `within` (a column of truth values, or an
    array) restricts the comparison to a subgroup while the draws stay those of the whole design. Rows without an
    outcome are left out of the sums, not of the draws.

    Raises OptionError, DataError, MissingValues, and DesignNotEstimable when an arm has fewer than two units.

    >>> import pandas as pd
    >>> import randomization as rz
    >>> data = pd.DataFrame({"arm": ["a"] * 4 + ["b"] * 4, "y": [1.0, 2, 3, 4, 5, 6, 7, 9]})
    >>> test = randomization_inference(data, "y", rz.complete(["a", "b"]), statistic="difference")
    >>> test.exact, round(test.p, 6), test.value       # 2 of 70 allocations are as extreme
    (True, 0.028571, 4.25)
    """
    check(statistic, alternative)
    draw = design if isinstance(design, Redraws) else redraw(data, design, arm=arm, draws=draws, seed=seed)
    name, machine, dropped = prepare(data, outcome, draw, statistic, treated, control, within)
    value, null = machine.at()
    good = np.isfinite(null) | np.isinf(null)
    lost = int((~good).sum())
    chance = draw.chance
    if lost:
        null, chance = null[good], None if chance is None else chance[good] / chance[good].sum()
        machine = _without(machine, good)
    ways = "all allocations" if draw.exact else f"{draw.n:,} redraws, seed {draw.seed}"
    effect = float(_difference(machine))
    return PermutationTest(
        name, effect, value, p_value(value, null, alternative, chance), machine.y.size, int(null.size), draw.exact,
        "no effect of assignment on anybody", f"{statistic}, {ways}", SOURCE, alternative, null, machine, chance,
        dropped, lost,
    )  # fmt: skip


def check(statistic: str, alternative: str) -> None:
    """Raise OptionError for words that do not exist."""
    if statistic not in STATISTICS:
        raise OptionError(f"statistic '{statistic}' does not exist", remedy=nearest(statistic, STATISTICS, "statistic"))
    if alternative not in ALTERNATIVES:
        raise OptionError(
            f"alternative '{alternative}' does not exist", remedy=nearest(alternative, ALTERNATIVES, "word")
        )


def p_value(value: float, null: Array, alternative: str = "two-sided", chance: Array | None = None) -> float:
    """The share of the null that is at least as extreme, ties included; the observed one counts when draws are random.

    >>> p_value(2.0, np.array([-2.0, 0.0, 1.0, 3.0]))
    0.6
    """
    slack = TIE * max(1.0, abs(value))
    if alternative == "two-sided":
        extreme = np.abs(null) >= abs(value) - slack
    else:
        extreme = null >= value - slack if alternative == "greater" else null <= value + slack
    if chance is not None:
        return min(1.0, float(chance[extreme].sum()))
    return (1 + int(extreme.sum())) / (1 + null.size)


def prepare(
    data: Any, outcome: str, draw: Redraws, statistic: str, treated: Any, control: Any, within: Any
) -> tuple[str, Machine, int]:
    """The machine of one comparison and how many rows it leaves out for missing outcomes."""
    frame = as_frame(data).reset_index(drop=True)
    y = numbers(column(frame, outcome, "outcome"), "outcome")
    against = control_label(draw.arms, of_trial(data, "control", control))
    others = [arm for arm in draw.arms if arm != against]
    if treated is None and len(others) > 1:
        raise OptionError(
            f"the design has {len(draw.arms)} arms", remedy=f"name one, for example treated='{others[0]}'"
        )
    one, zero = draw.code(others[0] if treated is None else treated), draw.code(against)
    inside = np.ones(y.size, dtype=bool)
    if within is not None:
        inside = np.asarray(column(frame, within, "subgroup").fillna(False), dtype=bool)
    row_arm = draw.observed[draw.unit]
    compared = inside & ((row_arm == one) | (row_arm == zero))
    use = inside & ~np.isnan(y)
    varied(y[compared & use], outcome)
    name = f"{draw.arms[one]} - {draw.arms[zero]}"
    machine = _build(draw, np.where(use, y, 0.0), use, one, zero, statistic)
    return name, machine, int((compared & ~use).sum())


def _build(draw: Redraws, y: Array, use: Array, one: int, zero: int, statistic: str) -> Machine:
    units = draw.observed.size
    size = np.bincount(draw.unit, use, minlength=units)
    if statistic == "ranks":
        y = np.where(use, 0.0, 0.0) if not use.any() else _ranks(y, use)
    total = np.bincount(draw.unit, y * use, minlength=units)
    clustered = draw.unit.size != units
    assigned = (draw.observed == one).astype(float) * size
    slots = Slots.of(draw.strata)
    tables = slots.tables(_variables(size, total, assigned, clustered))
    two = (one, zero)
    members = tuple(slots.pack(draw.codes, arm) for arm in two)
    observed = tuple(slots.pack(draw.observed[None, :], arm) for arm in two)
    seen = (draw.observed == one) | (draw.observed == zero)
    weight = np.bincount(draw.strata, size * seen, minlength=int(draw.strata.max()) + 1)
    count = np.bincount(draw.strata, (size > 0) & seen, minlength=weight.size)
    paired = weight.size > 1 and bool((count[weight > 0] == 2).all())
    if paired and not (count == 2).all():
        paired = False
    return Machine(slots, (members[0], members[1]), (observed[0], observed[1]), tables, weight, statistic, paired,
                   clustered, total, assigned)  # fmt: skip


def _ranks(y: Array, use: Array) -> Array:
    out = np.zeros_like(y)
    out[use] = rankdata(y[use])
    return out


def _variables(size: Array, total: Array, assigned: Array, clustered: bool) -> Array:
    """Per unit: present, T, T², A, TA, and for clusters N, TN, N², AN, A²."""
    present = (size > 0).astype(float)
    parts = [present, total, total**2, assigned, total * assigned]
    if clustered:
        parts += [size, total * size, size**2, assigned * size, assigned**2]
    return np.column_stack(parts)


def _machine(base: Machine, y: Array) -> Machine:
    """The same assignments with other outcomes, ranked anew."""
    size = base.slots.tables  # the tables are rebuilt below; sizes are one per participant for ranks
    del size
    present = base.assigned >= 0
    ranked = _ranks(y, present)
    variables = _variables(np.ones_like(ranked), ranked, base.assigned, False)
    return Machine(base.slots, base.members, base.observed, base.slots.tables(variables), base.weight, base.statistic,
                   base.paired, False, y, base.assigned)  # fmt: skip


def _without(machine: Machine, good: Array) -> Machine:
    members = tuple(np.ascontiguousarray(bits[:, good]) for bits in machine.members)
    return Machine(machine.slots, (members[0], members[1]), machine.observed, machine.tables, machine.weight,
                   machine.statistic, machine.paired, machine.clustered, machine.y, machine.assigned)  # fmt: skip


def _difference(machine: Machine) -> float:
    seen = [sums_over_members(bits, machine.tables, machine.slots.block)[:, 0, :] for bits in machine.observed]
    n = 5 if machine.clustered else 0
    means = [part[:, 1] / part[:, n] for part in seen]
    return float(machine.weight @ (means[0] - means[1]) / machine.weight.sum())
