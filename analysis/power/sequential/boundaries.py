"""Efficacy and futility bounds of a design with interim looks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy import special

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.roots import root
from analysis.power.sequential.crossing import Walk, crossing
from analysis.power.sequential.spending import SPENDING, named, spent
from analysis.power.wording import asked

__all__ = ["SHAPES", "Boundaries", "boundaries", "information_times", "shape_heights", "spending_bounds"]


def _pocock(count: int, _: Sequence[float], __: float) -> list[float]:
    return [1.0] * count


def _wang_tsiatis(count: int, times: Sequence[float], delta: float) -> list[float]:
    del count
    return [t ** (delta - 0.5) for t in times]


# name: (relative height of the bounds, source); the constant is then solved for.
SHAPES: dict[str, tuple[Callable[[int, Sequence[float], float], list[float]], str]] = {
    "pocock": (_pocock, "Pocock (1977)"),
    "obf": (lambda count, times, _: _wang_tsiatis(count, times, 0.0), "O'Brien & Fleming (1979)"),
    "wang_tsiatis": (_wang_tsiatis, "Wang & Tsiatis (1987)"),
}
_HAYBITTLE = "Haybittle (1971); Peto et al. (1976)"


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Bounds on the Z scale at each information fraction; `lower` is -inf where there is no futility stop.

    `inner` bounds a two-sided futility stop |Z| < inner (0 where there is none; empty without futility).

    `levels` are the nominal one-sided p-values, `spent` the cumulative error of the upper bound under the null,
    `constant` the C of a classical shape (None for spending functions).
    """

    times: tuple[float, ...]
    upper: tuple[float, ...]
    lower: tuple[float, ...]
    levels: tuple[float, ...]
    spent: tuple[float, ...]
    constant: float | None
    alpha: float
    sides: int
    spending: str
    source: str
    inner: tuple[float, ...] = ()


def information_times(looks: int | Sequence[float]) -> tuple[float, ...]:
    """Information fractions: equally spaced for a number of looks, or as listed (increasing, ending at 1).

    >>> information_times(4)
    (0.25, 0.5, 0.75, 1.0)
    """
    if isinstance(looks, int):
        checks.whole(1, looks=looks)
        return tuple((k + 1) / looks for k in range(looks))
    times = tuple(float(t) for t in looks)
    if not times or any(b <= a for a, b in zip((0.0, *times), times, strict=False)) or abs(times[-1] - 1) > 1e-9:
        raise ImpossibleRequest("looks", f"information fractions must rise from above 0 to 1, not {list(times)}")
    return times


@asked
def boundaries(
    *,
    looks: int | Sequence[float],
    spending: str = "lan_demets_obf",
    alpha: float = 0.05,
    sides: int = 2,
    parameter: float | None = None,
) -> Boundaries:
    """Efficacy bounds: a classical shape ("pocock", "obf", "wang_tsiatis", "haybittle_peto") or a spending function.

    `parameter` is Wang and Tsiatis' Delta, Haybittle and Peto's interim z (3), Hwang, Shih and DeCani's gamma (-4) or
    Kim and DeMets' rho (3). A two-sided design is symmetric and spends alpha / 2 on each side.

    >>> round(boundaries(looks=5, spending="obf").constant, 4)
    2.0401
    """
    times = information_times(looks)
    checks.probability(alpha=alpha)
    checks.sides_of(sides)
    spending = named(spending)
    checks.choice("spending", spending, (*SHAPES, "haybittle_peto", *SPENDING))
    constant = None
    if spending in SPENDING:
        upper = spending_bounds(times, alpha / sides, spending, parameter, symmetric=sides == 2)
        source = SPENDING[spending][1]
    else:
        upper, constant, source = _shaped_bounds(times, spending, alpha, sides, parameter)
    lower = tuple(-u if sides == 2 else -math.inf for u in upper)
    cumulative, total = [], 0.0
    for p in crossing(upper, lower, times).upper:
        total += p
        cumulative.append(total)
    levels = tuple(float(special.ndtr(-u)) for u in upper)
    return Boundaries(times, tuple(upper), lower, levels, tuple(cumulative), constant, alpha, sides, spending, source)


def shape_heights(spending: str, times: Sequence[float], parameter: float | None) -> list[float]:
    """Relative heights of the bounds of a classical shape; those of Haybittle and Peto are 1 at the last look."""
    if spending == "haybittle_peto":
        return [1.0] * len(times)
    return SHAPES[spending][0](len(times), times, 0.25 if parameter is None else parameter)


def _shaped_bounds(
    times: tuple[float, ...], spending: str, alpha: float, sides: int, parameter: float | None
) -> tuple[list[float], float, str]:
    """Upper bounds of a classical shape, its constant and its source."""
    count = len(times)

    def bounds(constant: float) -> list[float]:
        if spending == "haybittle_peto":
            return [3.0 if parameter is None else parameter] * (count - 1) + [constant]
        return [constant * h for h in shape_heights(spending, times, parameter)]

    def error(constant: float) -> float:
        upper = bounds(constant)
        found = crossing(upper, [-u if sides == 2 else -math.inf for u in upper], times)
        return found.any_upper + (found.any_lower if sides == 2 else 0.0)

    # The narrowest boundary that still spends everything lies between one look and Bonferroni over all looks.
    low, high = 0.1, -float(special.ndtri(alpha / (2 * sides * count))) + 1.0
    if error(high) > alpha:
        raise NoSolution("parameter", "the interim looks alone spend more than alpha; raise the interim bound")
    constant = root(lambda c: error(c) - alpha, low, high, xtol=1e-12)
    return bounds(constant), constant, _HAYBITTLE if spending == "haybittle_peto" else SHAPES[spending][1]


def spending_bounds(
    times: Sequence[float], alpha: float, spending: str, parameter: float | None, *, symmetric: bool
) -> list[float]:
    """Upper bounds that spend the one-sided `alpha` along `spending`."""
    walk, upper, used = Walk.start(), [], 0.0
    for time in times:
        share = spent(spending, alpha, time, parameter) - used
        used += share
        bound = _bound_for(walk, time, share)
        upper.append(bound)
        walk = walk.advance(-bound if symmetric else -math.inf, bound, time, 0.0)
    return upper


def _bound_for(walk: Walk, time: float, share: float) -> float:
    if walk.above(20.0, time, 0.0) > share or share < 1e-15:
        return 20.0
    return root(lambda z: walk.above(z, time, 0.0) - share, -20.0, 20.0, xtol=1e-13)
