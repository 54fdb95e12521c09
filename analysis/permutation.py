"""Randomization inference: the real design redrawn, with a studentized statistic and an interval by inversion.

The test is exact for the sharp hypothesis of no effect on anybody; studentizing keeps it valid in large samples for the
hypothesis of no average effect as well (Chung and Romano 2013; Wu and Ding 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from analysis.errors import DesignNotEstimable, OptionError, nearest
from analysis.estimate import Array, Interval
from analysis.frame import as_frame, column, control_label, numbers, of_trial, varied
from analysis.kernels.redrawn import Machine, machine
from analysis.redraws import Redraws, redraw

Statistic = Literal["studentized", "difference", "ranks"]
Alternative = Literal["two-sided", "greater", "less"]
STATISTICS = ("studentized", "difference", "ranks")
ALTERNATIVES = ("two-sided", "greater", "less")
SOURCE = "Fisher (1935); Chung and Romano (2013); Wu and Ding (2021)"
TIE = 1e-9


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
        unit = float(np.ptp(self.machine.total)) / math.sqrt(self.machine.total.size) + 1e-300
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
    name, engine, n, dropped = prepare(data, outcome, draw, statistic, treated, control, within)
    value, null = observed_and_null(engine)
    good = ~np.isnan(null)
    lost = int((~good).sum())
    chance = draw.chance
    if lost:
        null, chance = null[good], None if chance is None else chance[good] / chance[good].sum()
        kept = [np.ascontiguousarray(bits[:, good]) for bits in engine.members]
        engine = replace(engine, members=tuple(kept), cache={})
    ways = "all allocations" if draw.exact else f"{draw.n:,} redraws, seed {draw.seed}"
    return PermutationTest(
        name, engine.difference(), value, p_value(value, null, alternative, chance), n, int(null.size), draw.exact,
        "no effect of assignment on anybody", f"{statistic}, {ways}", SOURCE, alternative, null, engine, chance,
        dropped, lost,
    )  # fmt: skip


def observed_and_null(engine: Machine) -> tuple[float, Array]:
    """The statistic of the experiment and of the redraws; raises DesignNotEstimable when the former does not exist."""
    value, null = engine.at()
    if math.isnan(value):
        raise DesignNotEstimable(
            "the observed assignment leaves an arm of a block with too few units for this statistic",
            remedy="use statistic='difference', or join small blocks",
        )
    return value, null


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
) -> tuple[str, Machine, int, int]:
    """The machine of one comparison, how many rows it uses, and how many it leaves out for missing outcomes."""
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
    engine = _build(draw, np.where(use, y, 0.0), use, one, zero, statistic)
    return name, engine, int((compared & use).sum()), int((compared & ~use).sum())


def _build(draw: Redraws, y: Array, use: Array, one: int, zero: int, statistic: str) -> Machine:
    units = draw.observed.size
    size = np.bincount(draw.unit, use, minlength=units)
    seen = (draw.observed == one) | (draw.observed == zero)
    blocks = int(draw.strata.max()) + 1
    count = np.bincount(draw.strata, (size > 0) & seen, minlength=blocks)
    paired = blocks > 1 and int(np.bincount(draw.strata).max()) == 2
    alone = (count < 2)[draw.strata]
    size = np.where(alone, 0.0, size)
    total = np.where(alone, 0.0, np.bincount(draw.unit, y * use, minlength=units))
    weight = np.bincount(draw.strata, size * seen, minlength=blocks)
    if not weight.any():
        raise DesignNotEstimable("no block has two units with an outcome in the two arms")
    slots = draw.slots
    members = tuple(draw.members(arm) for arm in ((one,) if draw.complementary else (one, zero)))
    observed = (slots.pack(draw.observed[None, :], one), slots.pack(draw.observed[None, :], zero))
    assigned = (draw.observed == one) * size
    clustered = draw.unit.size != units
    return machine(slots, members, observed, (size, total, assigned), weight, statistic, paired, clustered)
