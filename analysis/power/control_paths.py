"""The arithmetic of arms that share a control over several stages: an average over the control's paths.

Along one path of the control the arms are independent walks with moving bounds, so each is carried from stage to stage
on a grid of its own; nothing grows with the number of arms.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["MOST_STAGES", "Trial", "Walks", "control_increments"]

_INNER_X, _INNER_W = np.polynomial.legendre.leggauss(20)
_ROOT_2PI = math.sqrt(2 * math.pi)
_CHUNK = 1024
# Points and generator of a Korobov (1960) lattice by number of stages, the best of many by the criterion P2. With these
# and with lattices of other sizes the familywise error agrees to 1e-5.
_LATTICES = {4: (2039, 392), 5: (8191, 3618), 6: (16381, 3258), 7: (32749, 2940)}
_QUICK = (2039, 392)
MOST_STAGES = max(_LATTICES)


def control_increments(stages: int, *, quick: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal increments of the control, shape (paths, stages), and their weights.

    Gauss-Hermite products up to three stages. Beyond that a lattice, made periodic by Sidi's (1993) transformation
    u - sin(2 pi u) / (2 pi), under which its error falls fast for smooth functions; `quick` takes fewer points, enough
    for four digits of a power.
    """
    if stages <= 3:
        x, w = np.polynomial.hermite_e.hermegauss({1: 80, 2: 36, 3: 12}[stages])
        nodes = np.array(list(itertools.product(x, repeat=stages)))
        weights = np.array([math.prod(pick) for pick in itertools.product(w / _ROOT_2PI, repeat=stages)])
        keep = weights > (1e-9 if stages == 3 else 1e-14)
        return nodes[keep], weights[keep] / weights[keep].sum()
    points, generator = _QUICK if quick else _LATTICES[stages]
    steps = np.array([pow(generator, j, points) for j in range(stages)])
    uniform = (np.outer(np.arange(points), steps) % points + 0.5) / points
    weights = np.prod(1 - np.cos(2 * math.pi * uniform), axis=1) / points
    moved = uniform - np.sin(2 * math.pi * uniform) / (2 * math.pi)
    return special.ndtri(np.clip(moved, 1e-15, 1 - 1e-15)), weights


@dataclass(frozen=True, slots=True)
class Walks:
    """One arm along every control path: its centred sum on a grid, the mass there, and what was dropped below."""

    points: np.ndarray
    mass: np.ndarray
    dropped: np.ndarray

    @classmethod
    def start(cls, paths: int) -> Walks:
        """Everyone at zero."""
        return cls(np.zeros((paths, 1)), np.ones((paths, 1)), np.zeros(paths))

    def above(self, edge: np.ndarray, step: float) -> np.ndarray:
        """Chance, a path, of continuing and then lying above its edge."""
        return np.sum(self.mass * special.ndtr((self.points - edge[:, None]) / step), axis=1)

    def density(self, values: np.ndarray, step: float) -> np.ndarray:
        """Density of the next sum at values of shape (paths, columns)."""
        z = (values[:, :, None] - self.points[:, None, :]) / step
        return np.einsum("pij,pj->pi", np.exp(-0.5 * z * z), self.mass) / (step * _ROOT_2PI)

    def below(self, values: np.ndarray, step: float) -> np.ndarray:
        """Chance of having been dropped, or of continuing and then lying below these values."""
        z = (values[:, :, None] - self.points[:, None, :]) / step
        return self.dropped[:, None] + np.einsum("pij,pj->pi", special.ndtr(z), self.mass)

    def advance(self, low: np.ndarray, high: np.ndarray, step: float, reach: float) -> Walks:
        """The walks that lie between the edges after the next step."""
        fallen = np.sum(self.mass * special.ndtr((low[:, None] - self.points) / step), axis=1)
        bottom = np.clip(low, -reach, reach)[:, None]
        half = (np.clip(high, -reach, reach)[:, None] - bottom) / 2
        points = bottom + half * (_INNER_X + 1)
        return Walks(points, self.density(points, step) * half * _INNER_W, self.dropped + fallen)


class Trial:
    """Chances under a shift of one arm, for bounds on the Z scale at cumulative sizes r (arm) and r0 (control)."""

    def __init__(self, arms: int, r: np.ndarray, r0: np.ndarray, *, quick: bool = False):
        self.arms, self.r, self.r0 = arms, r, r0
        self.steps = np.sqrt(np.diff(r, prepend=0.0))
        paths, self.weights = control_increments(len(r), quick=quick)
        self.control = np.cumsum(paths * np.sqrt(np.diff(r0, prepend=0.0)), axis=1)
        self.scale = np.sqrt(1 / r + 1 / r0)

    def edges(self, bound: np.ndarray, drift: float, part: slice) -> np.ndarray:
        """The arm's centred sum at which Z_j reaches the bound, shape (paths, stages)."""
        return self.r * (bound * self.scale + self.control[part] / self.r0 - drift)

    def any_rejection(self, upper: np.ndarray, lower: np.ndarray) -> float:
        """Familywise error under the global null."""
        return 1 - sum(self._nobody(upper, lower, part) for part in self._parts())

    def _parts(self) -> list[slice]:
        return [slice(at, at + _CHUNK) for at in range(0, len(self.weights), _CHUNK)]

    def _reach(self, stage: int) -> float:
        return 8.0 * math.sqrt(float(self.r[stage]))

    def _nobody(self, upper: np.ndarray, lower: np.ndarray, part: slice) -> float:
        high, low = self.edges(upper, 0.0, part), self.edges(lower, 0.0, part)
        walks, crossed = Walks.start(len(high)), np.zeros(len(high))
        for j, step in enumerate(self.steps):
            crossed += walks.above(high[:, j], step)
            if j + 1 < len(self.r):
                walks = walks.advance(low[:, j], high[:, j], step, self._reach(j))
        return float(self.weights[part] @ (1 - crossed) ** self.arms)

    def best_wins(self, upper: np.ndarray, lower: np.ndarray, drift: float, other: float) -> float:
        """Chance that the first arm crosses at some stage with the largest statistic, the others shifted by `other`.

        The trial stops at the first crossing, so the others must not have crossed before, nor lie above it then.
        """
        return sum(self._wins(upper, lower, drift, other, part) for part in self._parts())

    def _wins(self, upper: np.ndarray, lower: np.ndarray, drift: float, other: float, part: slice) -> float:
        border = self.edges(upper, 0.0, part)
        ours = self.edges(lower, drift, part), self.edges(upper, drift, part)
        theirs = self.edges(lower, other, part), self.edges(upper, other, part)
        best = rival = Walks.start(len(border))
        total = np.zeros(len(border))
        for j, step in enumerate(self.steps):
            r, reach = float(self.r[j]), self._reach(j)
            half = np.maximum(reach + r * drift - border[:, j], 0.0) / 2
            values = border[:, j, None] + half[:, None] * (_INNER_X + 1)
            landing = best.density(values - r * drift, step) * half[:, None] * _INNER_W
            total += np.sum(landing * rival.below(values - r * other, step) ** (self.arms - 1), axis=1)
            if j + 1 < len(self.r):
                best = best.advance(ours[0][:, j], ours[1][:, j], step, reach)
                rival = rival.advance(theirs[0][:, j], theirs[1][:, j], step, reach)
        return float(self.weights[part] @ total)
