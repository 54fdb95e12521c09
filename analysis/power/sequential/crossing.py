"""Chances of crossing a boundary at each look, by recursive numerical integration.

The statistics of successive looks form a random walk in the B-value, so the density of having come this far is carried
from look to look on a grid (Armitage, McPherson & Rowe, 1969; Jennison & Turnbull, 2000, ch. 19).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["Crossing", "Walk", "crossing"]

_X, _W = np.polynomial.legendre.leggauss(96)
_REACH = 9.0


@dataclass(frozen=True, slots=True)
class Crossing:
    """Chance of stopping first at each look, above, below and within; what is left continues past the last look."""

    upper: tuple[float, ...]
    lower: tuple[float, ...]
    within: tuple[float, ...] = ()

    @property
    def any_upper(self) -> float:
        """Chance of ever crossing above."""
        return sum(self.upper)

    @property
    def any_lower(self) -> float:
        """Chance of ever crossing below."""
        return sum(self.lower)


@dataclass(frozen=True, slots=True)
class Walk:
    """The part of the walk that has not stopped yet: B-values on a grid, their weights times density, the time."""

    points: np.ndarray
    mass: np.ndarray
    time: float

    @classmethod
    def start(cls) -> Walk:
        """Everyone at zero at time zero."""
        return cls(np.zeros(1), np.ones(1), 0.0)

    def above(self, z: float, time: float, drift: float) -> float:
        """Chance of continuing to `time` and finding Z > z there."""
        spread = math.sqrt(time - self.time)
        gap = (z * math.sqrt(time) - self.points - drift * (time - self.time)) / spread
        return float(self.mass @ special.ndtr(-gap))

    def below(self, z: float, time: float, drift: float) -> float:
        """Chance of continuing to `time` and finding Z < z there."""
        spread = math.sqrt(time - self.time)
        gap = (z * math.sqrt(time) - self.points - drift * (time - self.time)) / spread
        return float(self.mass @ special.ndtr(gap))

    def within(self, inner: float, time: float, drift: float) -> float:
        """Chance of continuing to `time` and finding |Z| < inner there."""
        return self.below(inner, time, drift) - self.below(-inner, time, drift) if inner > 0 else 0.0

    def advance_around(self, inner: float, high: float, time: float, drift: float) -> Walk:
        """The walk that finds inner <= |Z| <= high at `time` and goes on."""
        if inner <= 0:
            return self.advance(-high, high, time, drift)
        one, other = self.advance(-high, -inner, time, drift), self.advance(inner, high, time, drift)
        return Walk(np.append(one.points, other.points), np.append(one.mass, other.mass), time)

    def advance(self, low: float, high: float, time: float, drift: float) -> Walk:
        """The walk that finds low <= Z <= high at `time` and goes on."""
        spread = math.sqrt(time - self.time)
        middle = self.points + drift * (time - self.time)
        bottom = max(low * math.sqrt(time), float(middle.min()) - _REACH * spread)
        top = min(high * math.sqrt(time), float(middle.max()) + _REACH * spread)
        if top <= bottom:
            return Walk(np.zeros(1), np.zeros(1), time)
        # Enough panels that one kernel never falls between the nodes when looks follow each other closely.
        panels = max(1, math.ceil((top - bottom) / (10 * spread)))
        edges = np.linspace(bottom, top, panels + 1)
        half = (edges[1:] - edges[:-1]) / 2
        points = (edges[:-1, None] + half[:, None] * (_X + 1)).ravel()
        weights = (half[:, None] * _W).ravel()
        kernel = np.exp(-0.5 * ((points[:, None] - middle) / spread) ** 2) / (spread * math.sqrt(2 * math.pi))
        return Walk(points, weights * (kernel @ self.mass), time)


def crossing(
    upper: Sequence[float],
    lower: Sequence[float],
    times: Sequence[float],
    drift: float = 0.0,
    inner: Sequence[float] = (),
) -> Crossing:
    """Chances of crossing at each look when the final statistic has mean `drift` (at time 1).

    `upper` and `lower` are bounds on the Z scale (infinite where there is none), `times` the information fractions.
    With `inner`, of a two-sided design with lower = -upper, the trial also stops where |Z| < inner.

    >>> found = crossing([2.178, 2.178], [-2.178, -2.178], [0.5, 1.0])
    >>> round(found.any_upper + found.any_lower, 4)
    0.05
    """
    walk = Walk.start()
    above, below, within = [], [], []
    for look, (high, low, time) in enumerate(zip(upper, lower, times, strict=True)):
        above.append(walk.above(high, time, drift) if math.isfinite(high) else 0.0)
        below.append(walk.below(low, time, drift) if math.isfinite(low) else 0.0)
        if inner:
            within.append(walk.within(inner[look], time, drift))
            walk = walk.advance_around(inner[look], high, time, drift)
        else:
            walk = walk.advance(low, high, time, drift)
    return Crossing(tuple(above), tuple(below), tuple(within))
