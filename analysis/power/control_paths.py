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
_LATTICES = {4: (2039, 392), 5: (8191, 3618), 6: (16381, 3258)}
_QUICK = (2039, 392)
# The last increment of the control is integrated by itself, at 16 points for every path that leads to it.
_LAST_X, _LAST_W = np.polynomial.hermite_e.hermegauss(16)
_LAST_W = _LAST_W / _ROOT_2PI
MOST_STAGES = max(_LATTICES) + 1


def control_increments(stages: int, *, quick: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal increments of the control, shape (paths, stages), and their weights.

    Gauss-Hermite products up to three stages. Beyond that a lattice, made periodic by Sidi's (1993) transformation
    u - sin(2 pi u) / (2 pi), under which its error falls fast for smooth functions; `quick` takes fewer points, enough
    for four digits of a power.
    """
    if stages == 0:
        return np.zeros((1, 0)), np.ones(1)
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
        z = self._apart(values, step * math.sqrt(2))
        np.square(z, out=z)
        np.negative(z, out=z)
        np.exp(z, out=z)
        return np.matmul(z, self.mass[:, :, None])[:, :, 0] / (step * _ROOT_2PI)

    def below(self, values: np.ndarray, step: float) -> np.ndarray:
        """Chance of having been dropped, or of continuing and then lying below these values."""
        z = self._apart(values, step)
        special.ndtr(z, out=z)
        return self.dropped[:, None] + np.matmul(z, self.mass[:, :, None])[:, :, 0]

    def _apart(self, values: np.ndarray, unit: float) -> np.ndarray:
        """Distances from the points to these values in units, shape (paths, values, points)."""
        return values[:, :, None] / unit - self.points[:, None, :] / unit

    def advance(self, low: np.ndarray, high: np.ndarray, step: float, reach: float) -> Walks:
        """The walks that lie between the edges after the next step."""
        fallen = np.sum(self.mass * special.ndtr((low[:, None] - self.points) / step), axis=1)
        bottom = np.clip(low, -reach, reach)[:, None]
        half = (np.clip(high, -reach, reach)[:, None] - bottom) / 2
        points = bottom + half * (_INNER_X + 1)
        return Walks(points, self.density(points, step) * half * _INNER_W, self.dropped + fallen)


class Trial:
    """Chances under a shift of one arm, for bounds on the Z scale at cumulative sizes r (arm) and r0 (control)."""

    def __init__(self, arms: int, r: np.ndarray, r0: np.ndarray):
        self.arms, self.r, self.r0 = arms, r, r0
        self.steps = np.sqrt(np.diff(r, prepend=0.0))
        self.control_steps = np.sqrt(np.diff(r0, prepend=0.0))
        self.scale = np.sqrt(1 / r + 1 / r0)
        stem, self.stem_weights = control_increments(len(r) - 1)
        self.stem = np.cumsum(stem * self.control_steps[:-1], axis=1)
        paths, self.weights = control_increments(len(r), quick=True)
        self.control = np.cumsum(paths * self.control_steps, axis=1)

    def edges(self, bound: np.ndarray, drift: float, control: np.ndarray) -> np.ndarray:
        """The arm's centred sum at which Z_j reaches the bound, shape (paths, stages) as that of `control`."""
        stages = control.shape[1]
        r, r0 = self.r[:stages], self.r0[:stages]
        return r * (bound[:stages] * self.scale[:stages] + control / r0 - drift)

    def any_rejection(self, upper: np.ndarray, lower: np.ndarray) -> float:
        """Familywise error under the global null."""
        return 1 - sum(self._nobody(upper, lower, part) for part in _parts(len(self.stem)))

    def _reach(self, stage: int) -> float:
        return 8.0 * math.sqrt(float(self.r[stage]))

    def _nobody(self, upper: np.ndarray, lower: np.ndarray, part: slice) -> float:
        stem = self.stem[part]
        high, low = self.edges(upper, 0.0, stem), self.edges(lower, 0.0, stem)
        walks, crossed = Walks.start(len(stem)), np.zeros(len(stem))
        for j in range(stem.shape[1]):
            crossed += walks.above(high[:, j], self.steps[j])
            walks = walks.advance(low[:, j], high[:, j], self.steps[j], self._reach(j))
        before = stem[:, -1:] if stem.shape[1] else np.zeros((len(stem), 1))
        last = before + self.control_steps[-1] * _LAST_X
        edge = float(self.r[-1]) * (upper[-1] * self.scale[-1] + last / float(self.r0[-1]))
        beyond = special.ndtr((walks.points[:, None, :] - edge[:, :, None]) / self.steps[-1])
        crossed = crossed[:, None] + np.einsum("pxi,pi->px", beyond, walks.mass)
        return float(self.stem_weights[part] @ ((1 - crossed) ** self.arms @ _LAST_W))

    def best_wins(self, upper: np.ndarray, lower: np.ndarray, drift: float, other: float) -> float:
        """Chance that the first arm crosses at some stage with the largest statistic, the others shifted by `other`.

        The trial stops at the first crossing, so the others must not have crossed before, nor lie above it then.
        """
        return sum(self._wins(upper, lower, drift, other, part) for part in _parts(len(self.control)))

    def _wins(self, upper: np.ndarray, lower: np.ndarray, drift: float, other: float, part: slice) -> float:
        control = self.control[part]
        border = self.edges(upper, 0.0, control)
        ours = self.edges(lower, drift, control), self.edges(upper, drift, control)
        theirs = self.edges(lower, other, control), self.edges(upper, other, control)
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


def _parts(paths: int) -> list[slice]:
    return [slice(at, at + _CHUNK) for at in range(0, paths, _CHUNK)]
