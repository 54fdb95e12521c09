"""How much the answer hangs on each assumption."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.planning.model import FULL
from analysis.power.errors import ImpossibleRequest, PowerError, SectionError

if TYPE_CHECKING:
    from analysis.planning.plan import Plan

__all__ = ["Assurance", "Bar", "Grid", "assurance", "sensitivity", "tornado"]


@dataclass(frozen=True, slots=True)
class Grid:
    """People to recruit an arm over the values of one or two assumptions; None where no number suffices."""

    axes: tuple[tuple[str, tuple[float, ...]], ...]
    recruited: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """Recruits an arm with one assumption at its low and its high end; None where no number suffices."""

    name: str
    low: float
    high: float
    recruited_low: int | None
    recruited_high: int | None

    @property
    def swing(self) -> float:
        """Distance between both ends; infinite when one of them has no answer."""
        if self.recruited_low is None or self.recruited_high is None:
            return math.inf
        return abs(self.recruited_high - self.recruited_low)


@dataclass(frozen=True, slots=True)
class Assurance:
    """Chance of a significant result over the prior; `power` is that at the assumed effect."""

    assurance: float
    power: float
    prior_mean: float
    prior_sd: float
    n: float


def _size_at(plan: Plan, changes: Mapping[str, float]) -> int | None:
    """People to recruit an arm with some assumptions at other values; None where no number suffices."""
    as_planned = {item.name: item.value for item in plan.assumptions()}
    try:
        for name, value in changes.items():
            if name.endswith(".effect") and value * as_planned[name] <= 0:
                # Between here and the plan lies an effect of zero: what is sought is not the opposite of what is meant.
                return None
            plan = plan.replace(name, value)
        return plan.n().recruited
    except SectionError:
        raise
    except PowerError:
        # An end of a range may be hopeless (an effect beyond 100%, take-up equal to control): that is an answer too.
        return None


def sensitivity(plan: Plan, over: Mapping[str, Sequence[float]] | Sequence[str]) -> Grid:
    """Size over a grid of one or two assumptions."""
    known = {item.name: item for item in plan.assumptions()}
    for name in over:
        if name not in known:
            raise ImpossibleRequest("over", f"there is no assumption '{name}' (known: {', '.join(known)})")
    if isinstance(over, Mapping):
        axes = [(name, tuple(float(v) for v in values)) for name, values in over.items()]
    else:
        axes = [(n, tuple(float(v) for v in np.linspace(known[n].low, known[n].high, 5))) for n in over]
    if not 1 <= len(axes) <= 2:
        raise ImpossibleRequest("over", f"name one or two assumptions, not {len(axes)}")
    first, second = axes[0], axes[1] if len(axes) == 2 else (None, (math.nan,))
    rows = tuple(
        tuple(_size_at(plan, {first[0]: a} if second[0] is None else {first[0]: a, second[0]: b}) for b in second[1])
        for a in first[1]
    )
    return Grid(tuple(axes), rows)


def tornado(plan: Plan) -> list[Bar]:
    """Each assumption at either end of its range, the others as assumed; the widest first."""
    bars = []
    for item in plan.assumptions():
        ends = [_size_at(plan, {item.name: value}) for value in (item.low, item.high)]
        bars.append(Bar(item.name, item.low, item.high, *ends))
    return sorted(bars, key=lambda bar: -bar.swing)


def assurance(plan: Plan, prior: tuple[float, float] | None, n: float | None, outcome: str | None) -> Assurance:
    """Power averaged over a normal prior of the effect; effects in the wrong direction count as no success."""
    model = plan.model(outcome)
    effect = model.outcome.effect
    mean, sd = prior if prior is not None else (effect.value, (effect.range[1] - effect.range[0]) / (2 * 1.959964))
    if sd <= 0:
        raise ImpossibleRequest("prior", "needs a standard deviation above zero; give a range or a prior")
    size = plan.n(outcome=outcome).n if n is None else n
    sizes = model.sizes(size)
    x, w = np.polynomial.legendre.leggauss(48)
    effects = mean + 6 * sd * x
    density = w * np.exp(-0.5 * ((effects - mean) / sd) ** 2)
    density /= density.sum()
    total, ceiling = 0.0, model.largest_scale()
    for weight, value in zip(density, effects, strict=True):
        scale = float(value) / effect.value
        if scale > 0:
            total += weight * model.power(sizes, stage=FULL, scale=min(scale, ceiling))
    return Assurance(float(total), model.power(sizes), mean, sd, size)
