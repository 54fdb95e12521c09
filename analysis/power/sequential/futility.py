"""Bounds below: when to stop because the trial will not find what it looks for.

One-sided designs stop below a bound; two-sided ones inside a wedge |Z| < bound. A bound comes from a list, from
spending the type II error, or from the shape of Pampallona and Tsiatis, which meets the upper bound at the last look.
With binding bounds the upper ones are lowered until the whole type I error is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.power.roots import root
from analysis.power.sequential.boundaries import SHAPES, Boundaries, shape_heights
from analysis.power.sequential.crossing import Walk
from analysis.power.sequential.spending import SPENDING, named, spent

__all__ = ["PAMPALLONA", "Futility", "bounds_of"]

PAMPALLONA = "pampallona_tsiatis"
_NONE = -20.0
Above = Callable[[int, Walk], float]
Below = Callable[[int, Walk], float]


@dataclass(frozen=True, slots=True)
class Futility:
    """How the lower bounds of a design arise, beside upper bounds that ignore them (`efficacy`).

    `kind` is a spending function of the type II error, "pampallona_tsiatis", or a list of bounds for the interim looks.
    """

    efficacy: Boundaries
    efficacy_parameter: float | None
    kind: str | tuple[float, ...]
    parameter: float | None
    binding: bool

    def __post_init__(self) -> None:
        shaped = self.efficacy.spending in SHAPES
        if isinstance(self.kind, str):
            checks.choice("futility", self.kind, (*SPENDING, PAMPALLONA))
            if self.kind == PAMPALLONA and not shaped:
                raise ImpossibleRequest(
                    "futility",
                    f"'{PAMPALLONA}' needs upper bounds of a classical shape, not '{self.efficacy.spending}'",
                    remedy="take spending='wang_tsiatis' (or 'obf', 'pocock') with it",
                )
        elif len(self.kind) != len(self.efficacy.times) - 1:
            raise ImpossibleRequest(
                "futility", f"list {len(self.efficacy.times) - 1} bounds, one for each interim look"
            )
        elif self.efficacy.sides == 2 and min(self.kind, default=0.0) < 0:
            raise ImpossibleRequest("futility", "a two-sided design stops inside |Z| < bound: list bounds of 0 or more")
        if self.binding and self.efficacy.spending == "haybittle_peto" and isinstance(self.kind, str):
            raise ImpossibleRequest(
                "binding",
                "binding futility needs upper bounds that can be lowered, not those of 'haybittle_peto'",
                remedy="take spending='lan_demets_obf' or 'wang_tsiatis', or list the futility bounds",
            )

    @property
    def spends(self) -> bool:
        """Whether the bounds depend on the planned power."""
        return isinstance(self.kind, str) and self.kind != PAMPALLONA

    def fit(self, drift: float, beta: float | None) -> tuple[Boundaries, float]:
        """Bounds when the final statistic has mean `drift`, and by how much they miss each other at the last look."""
        if not self.binding:
            return self._run(drift, beta, lambda look, _: self.efficacy.upper[look], self.efficacy.constant)
        if self.efficacy.spending in SPENDING:
            return self._run(drift, beta, self._spend_alpha, None)

        def run(constant: float) -> tuple[Boundaries, float]:
            return self._run(drift, beta, partial(self._shaped, constant), constant)

        def error(constant: float) -> float:
            return run(constant)[0].spent[-1] - self.efficacy.alpha / self.efficacy.sides

        most = self.efficacy.constant
        assert most is not None
        # With so strong a drift that the bounds below leave nothing to be lowered, the upper ones stay.
        return run(most if error(most) > -1e-13 else root(error, 0.2 * most, most, xtol=1e-12))

    def _shaped(self, constant: float, look: int, _: Walk) -> float:
        design = self.efficacy
        if design.spending == "haybittle_peto" and look < len(design.times) - 1:
            return design.upper[look]
        return constant * shape_heights(design.spending, design.times, self.efficacy_parameter)[look]

    def _spend_alpha(self, look: int, null: Walk) -> float:
        """Upper bound that spends what may be spent of the type I error by this look."""
        design, level = self.efficacy, self.efficacy.alpha / self.efficacy.sides
        before = spent(design.spending, level, design.times[look - 1], self.efficacy_parameter) if look else 0.0
        share = spent(design.spending, level, design.times[look], self.efficacy_parameter) - before
        time = design.times[look]
        if share < 1e-15:
            return 20.0
        if null.above(_NONE, time, 0.0) <= share:
            return _NONE
        return root(lambda z: null.above(z, time, 0.0) - share, _NONE, 20.0, xtol=1e-13)

    def _rule(self, drift: float, beta: float | None, last: Callable[[int], float]) -> Below:
        """Lower bound of a look from the walk under the alternative; `last` gives the upper bound of a look."""
        times = self.efficacy.times
        if isinstance(self.kind, tuple):
            listed = self.kind
            return lambda look, _: listed[look] if look < len(listed) else last(look)
        if self.kind == PAMPALLONA:
            power = 0.0 if self.parameter is None else self.parameter

            def shaped(look: int, _: Walk) -> float:
                heights = times[look] ** (power - 0.5)
                bound = drift * math.sqrt(times[look]) - (drift - last(len(times) - 1)) * heights
                return max(bound, 0.0) if self.efficacy.sides == 2 else bound

            return shaped
        if beta is None:
            raise ImpossibleRequest("futility", "spending type II error needs the planned power; give power")
        return _SpendBeta(self, drift, beta)

    def _run(self, drift: float, beta: float | None, above: Above, constant: float | None) -> tuple[Boundaries, float]:
        times, sides = self.efficacy.times, self.efficacy.sides
        null, alternative = Walk.start(), Walk.start()
        upper: list[float] = []
        below: list[float] = []
        used: list[float] = []
        final = len(times) - 1
        rule = self._rule(drift, beta, lambda look: upper[look] if look < len(upper) else above(look, null))
        for look, time in enumerate(times):
            high = above(look, null)
            upper.append(high)
            below.append(rule(look, alternative))
            used.append((used[-1] if used else 0.0) + null.above(high, time, 0.0))
            stop = min(below[-1], high)
            if look < final:
                null = _onward(null, stop, high, time, 0.0, sides)
                alternative = _onward(alternative, stop, high, time, drift, sides)
        ends = [min(low, high) for low, high in zip(below, upper, strict=True)]
        stops = (*ends[:-1], upper[-1])
        found = replace(self.efficacy, upper=tuple(upper), spent=tuple(used), constant=constant)
        if sides == 2:
            lower = tuple(-high for high in upper)
            return replace(found, lower=lower, inner=stops), upper[-1] - below[-1]
        return replace(found, lower=stops), upper[-1] - below[-1]


class _SpendBeta:
    """Bounds that spend the type II error look by look.

    In a two-sided design a look whose bound would not lie above zero has no wedge, and the error of later looks is
    raised to make up for it, as in SAS SEQDESIGN and rpact.
    """

    def __init__(self, design: Futility, drift: float, beta: float):
        self.design, self.drift, self.beta = design, drift, beta
        self.used = self.skipped = 0.0

    def __call__(self, look: int, walk: Walk) -> float:
        design, time = self.design, self.design.efficacy.times[look]
        assert isinstance(design.kind, str)
        total = spent(design.kind, self.beta, time, design.parameter)
        scaled = (total - self.skipped) * self.beta / (self.beta - self.skipped)
        share = scaled - self.used
        bound = _quantile_below(walk, time, self.drift, share)
        if design.efficacy.sides == 2:
            if bound <= 0 and look < len(design.efficacy.times) - 1:
                self.skipped, self.used = total, 0.0
                return 0.0
            bound = _quantile_within(walk, time, self.drift, share)
        self.used = scaled
        return bound


def _onward(walk: Walk, stop: float, high: float, time: float, drift: float, sides: int) -> Walk:
    return walk.advance(stop, high, time, drift) if sides == 1 else walk.advance_around(stop, high, time, drift)


def _quantile_below(walk: Walk, time: float, drift: float, share: float) -> float:
    if share < 1e-15:
        return _NONE
    ceiling = 20.0 + drift
    if walk.below(ceiling, time, drift) <= share:
        # So strong a drift leaves less than beta inside the bounds: the futility bound lies above everything.
        return ceiling
    return root(lambda z: walk.below(z, time, drift) - share, _NONE, ceiling, xtol=1e-13)


def _quantile_within(walk: Walk, time: float, drift: float, share: float) -> float:
    """Bound of a wedge that holds this share."""

    def miss(z: float) -> float:
        return walk.within(z, time, drift) - share

    ceiling = 20.0 + drift
    return ceiling if miss(ceiling) <= 0 else root(miss, 0.0, ceiling, xtol=1e-13)


def bounds_of(
    efficacy: Boundaries,
    efficacy_parameter: float | None,
    futility: str | Sequence[float] | None,
    options: tuple[float | None, bool],
) -> Futility | None:
    """The futility rule of a design, or None; `options` are its parameter and whether it binds."""
    if futility is None:
        return None
    kind = named(futility) if isinstance(futility, str) else tuple(float(bound) for bound in futility)
    return Futility(efficacy, efficacy_parameter, kind, *options)
