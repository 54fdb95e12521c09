"""Multi-arm multi-stage designs: several arms against a common control, dropping arms at interim looks.

Given the control's path over the stages the arms are independent, and each arm is then a walk of its own; the chance
of every joint event is an average over control paths. With equal increments that is a Gauss-Hermite product rule.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from scipy import special

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.result import Result, Values
from analysis.power.roots import root

__all__ = ["mams"]

Shape = Literal["obf", "pocock", "triangular"]
_INNER_X, _INNER_W = np.polynomial.legendre.leggauss(24)


def _control_paths(stages: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal increments of the control, shape (paths, stages), and their weights."""
    count = {1: 80, 2: 44, 3: 15}[stages]
    x, w = np.polynomial.hermite_e.hermegauss(count)
    w = w / math.sqrt(2 * math.pi)
    nodes = np.array(list(itertools.product(x, repeat=stages)))
    weights = np.array([math.prod(pick) for pick in itertools.product(w, repeat=stages)])
    keep = weights > 1e-16
    return nodes[keep], weights[keep]


class _Trial:
    """Chances under a shift of one arm, for bounds on the Z scale at cumulative sizes r (arm) and r0 (control)."""

    def __init__(self, arms: int, r: np.ndarray, r0: np.ndarray):
        self.arms = arms
        self.r, self.r0 = r, r0
        self.steps = np.sqrt(np.diff(self.r, prepend=0.0))
        paths, self.weights = _control_paths(len(r))
        self.control = np.cumsum(paths * np.sqrt(np.diff(self.r0, prepend=0.0)), axis=1)
        self.scale = np.sqrt(1 / self.r + 1 / self.r0)

    def edges(self, bound: np.ndarray, drift: float) -> np.ndarray:
        """The arm's sum S_j (unit variance a person) at which Z_j reaches the bound, shape (paths, stages)."""
        return self.r * (bound * self.scale + self.control / self.r0 - drift)

    def outcomes(self, upper: np.ndarray, lower: np.ndarray, drift: float) -> tuple[np.ndarray, np.ndarray]:
        """For every control path: chance to cross above first at each stage, and to have stopped below by it."""
        high, low = self.edges(upper, drift), self.edges(lower, drift)
        paths, stages = high.shape
        up, down = np.zeros((paths, stages)), np.zeros((paths, stages))
        points, mass = np.zeros((paths, 1)), np.ones((paths, 1))
        for j in range(stages):
            step = self.steps[j]
            up[:, j] = np.sum(mass * special.ndtr((points - high[:, j : j + 1]) / step), axis=1)
            down[:, j] = np.sum(mass * special.ndtr((low[:, j : j + 1] - points) / step), axis=1)
            if j + 1 < stages:
                reach = 8.0 * math.sqrt(float(self.r[j]))
                bottom = np.clip(low[:, j], -reach, reach)[:, None]
                half = (np.clip(high[:, j], -reach, reach)[:, None] - bottom) / 2
                fresh = bottom + half * (_INNER_X + 1)
                kernel = np.exp(-0.5 * ((fresh[:, :, None] - points[:, None, :]) / step) ** 2)
                density = np.einsum("pij,pj->pi", kernel, mass) / (step * math.sqrt(2 * math.pi))
                points, mass = fresh, density * half * _INNER_W
        return up, np.cumsum(down, axis=1)

    def any_rejection(self, upper: np.ndarray, lower: np.ndarray) -> float:
        """Familywise error under the global null."""
        up, _ = self.outcomes(upper, lower, 0.0)
        return 1 - float(self.weights @ (1 - up.sum(axis=1)) ** self.arms)

    def best_wins(self, upper: np.ndarray, lower: np.ndarray, drift: float, other: float) -> float:
        """Chance that the first arm crosses at some stage with the largest statistic, the others shifted by `other`.

        The trial stops at the first crossing, so the others must not have crossed before, nor lie above it then.
        """
        total = np.zeros(len(self.weights))
        for stage in range(len(self.r)):
            total += self._wins_at(stage, upper, lower, drift, other)
        return float(self.weights @ total)

    def _wins_at(self, stage: int, upper: np.ndarray, lower: np.ndarray, drift: float, other: float) -> np.ndarray:
        """As above for one stage: integrates over where above its bound the first arm lands."""
        head, reach = self._density(stage, upper, lower, drift)
        start = self.edges(upper, 0.0)[:, stage]
        half = np.maximum(reach - start, 0.0) / 2
        values = start[:, None] + half[:, None] * (_INNER_X + 1)
        density = head(values - self.r[stage] * drift) * half[:, None] * _INNER_W
        below = np.empty_like(values)
        ahead, _ = self._density(stage, upper, lower, other, tail=True)
        for column in range(values.shape[1]):
            below[:, column] = ahead(values[:, column : column + 1] - self.r[stage] * other)[:, 0]
        return np.sum(density * below ** (self.arms - 1), axis=1)

    def _density(
        self, stage: int, upper: np.ndarray, lower: np.ndarray, drift: float, *, tail: bool = False
    ) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
        """Density of a continuing arm's centred sum at `stage`; or (tail) the chance of not exceeding a value there,
        arms dropped for futility included."""
        high, low = self.edges(upper, drift), self.edges(lower, drift)
        points, mass = np.zeros((len(high), 1)), np.ones((len(high), 1))
        dropped = np.zeros(len(high))
        for j in range(stage):
            step = self.steps[j]
            dropped += np.sum(mass * special.ndtr((low[:, j : j + 1] - points) / step), axis=1)
            reach = 8.0 * math.sqrt(float(self.r[j]))
            bottom = np.clip(low[:, j], -reach, reach)[:, None]
            half = (np.clip(high[:, j], -reach, reach)[:, None] - bottom) / 2
            fresh = bottom + half * (_INNER_X + 1)
            kernel = np.exp(-0.5 * ((fresh[:, :, None] - points[:, None, :]) / step) ** 2)
            mass = np.einsum("pij,pj->pi", kernel, mass) / (step * math.sqrt(2 * math.pi)) * half * _INNER_W
            points = fresh
        step = self.steps[stage]

        def density(x: np.ndarray) -> np.ndarray:
            z = (x[:, :, None] - points[:, None, :]) / step
            return np.sum(mass[:, None, :] * np.exp(-0.5 * z**2), axis=2) / (step * math.sqrt(2 * math.pi))

        def within(x: np.ndarray) -> np.ndarray:
            z = (x[:, :, None] - points[:, None, :]) / step
            return dropped[:, None] + np.sum(mass[:, None, :] * special.ndtr(z), axis=2)

        reach = 8.5 * math.sqrt(float(self.r[stage])) + self.r[stage] * drift
        return (within if tail else density), np.full(len(high), reach)


def _upper_shape(shape: str, r: np.ndarray) -> np.ndarray:
    if shape == "pocock":
        return np.ones(len(r))
    times = r / r[-1]
    return 1 / np.sqrt(times) if shape == "obf" else (1 + times) / np.sqrt(times)


def mams(
    *,
    arms: int,
    stages: int,
    effect: float | None = None,
    uninteresting: float = 0.0,
    superiority: float | None = None,
    uninteresting_superiority: float = 0.5,
    sd: float = 1.0,
    power: float = 0.9,
    alpha: float = 0.05,
    shape: Shape = "obf",
    futility: float | None = None,
    sizes: Sequence[float] | None = None,
    control_sizes: Sequence[float] | None = None,
) -> Result:
    """People in the control arm at the first stage, and the bounds, of a multi-arm multi-stage trial.

    `arms` treated arms; `alpha` is the one-sided familywise error. The worthwhile effect is `effect` in units of `sd`,
    or `superiority`, the chance that a treated person does better than a control; the others have the uninteresting
    one. Power is the chance to select the good arm in that least favourable configuration. `futility` is a common
    lower bound (None: no dropping); `sizes` and `control_sizes` are cumulative ratios by stage.
    Source: Magirr, Jaki & Whitehead (2012); Jaki, Pallmann & Magirr (2019).

    >>> answer = mams(arms=3, stages=2, superiority=0.65, uninteresting_superiority=0.55, futility=0)
    >>> answer.rounded, [round(u, 2) for u in answer.upper]
    (41, [2.93, 2.07])
    """
    checks.whole(1, arms=arms, stages=stages)
    checks.level(alpha, power, 1)
    checks.positive(sd=sd)
    checks.choice("shape", shape, ("obf", "pocock", "triangular"))
    if stages > 3:
        raise ImpossibleRequest("stages", f"at most 3 are computed exactly, not {stages}", remedy="simulate the design")
    good, other = _effects(effect, uninteresting, superiority, uninteresting_superiority, sd)
    r = np.arange(1.0, stages + 1) if sizes is None else np.asarray(sizes, float)
    r0 = r if control_sizes is None else np.asarray(control_sizes, float)
    if len(r) != stages or len(r0) != stages or (np.diff(r) <= 0).any() or (np.diff(r0) <= 0).any():
        raise ImpossibleRequest("sizes", f"give {stages} rising cumulative sizes for arms and control")
    trial = _Trial(arms, r, r0)

    def bounds(constant: float) -> tuple[np.ndarray, np.ndarray]:
        upper = constant * _upper_shape(shape, r)
        lower = np.full(stages, -np.inf if futility is None else float(futility))
        lower[-1] = upper[-1]
        return upper, np.minimum(lower, upper)

    constant = root(lambda c: trial.any_rejection(*bounds(c)) - alpha, 0.05, 8.0, xtol=1e-10)
    upper, lower = bounds(constant)

    def selects(n: float) -> float:
        # The trial works with unit variances, so an effect d is a drift d sqrt(n) a person of the first stage.
        return trial.best_wins(upper, lower, good * math.sqrt(n), other * math.sqrt(n))

    n = _smallest(selects, power)
    whole = math.ceil(n - 1e-7)
    return Result(
        solved="n",
        value=n,
        rounded=whole,
        test="multi-arm multi-stage",
        convention=f"{shape} bounds, selection power in the least favourable configuration",
        formula="familywise error and selection power by integration over the control's path",
        source="Magirr, Jaki & Whitehead (2012)",
        inputs=Values({"n": n, "power": power, "alpha": alpha, "effect": good * sd, "uninteresting": other * sd}),
        details=Values(
            {
                "upper": tuple(map(float, upper)),
                "lower": tuple(map(float, lower)),
                "n_total": n * (arms * float(r[-1]) + float(r0[-1])) / float(r0[0]),
            }
        ),
        at_rounded=Values({"power": selects(whole)}),
    )


def _smallest(selects: Callable[[float], float], power: float) -> float:
    """People in the first stage of the control arm at which the selection power reaches `power`."""
    high = 2.0
    while selects(high) < power:
        high *= 2
        if high > 1e9:
            raise NoSolution("power", f"{power:g} is not reached: the uninteresting arms are too often selected")
    return root(lambda x: selects(x) - power, high / 2, high, xtol=1e-8) if high > 2 else high


def _effects(
    effect: float | None, uninteresting: float, superiority: float | None, other: float, sd: float
) -> tuple[float, float]:
    """Standardised effects; a chance of doing better p is an effect sqrt(2) Phi^-1(p)."""
    if superiority is not None:
        checks.probability(superiority=superiority, uninteresting_superiority=other)
        pair = math.sqrt(2) * float(special.ndtri(superiority)), math.sqrt(2) * float(special.ndtri(other))
    elif effect is not None:
        pair = effect / sd, uninteresting / sd
    else:
        raise ImpossibleRequest("effect", "give `effect`, or `superiority`")
    if pair[0] <= max(pair[1], 0.0):
        raise ImpossibleRequest("effect", "the worthwhile effect must exceed zero and the uninteresting one")
    return pair
