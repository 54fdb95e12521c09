"""Multi-arm multi-stage designs: several arms against a common control, dropping arms at interim looks.

Given the control's path over the stages the arms are independent, and each arm is then a walk of its own; the chance
of every joint event is an average over control paths: a product rule for one or two stages, a lattice rule beyond.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from scipy import special

from analysis.power import checks
from analysis.power.control_paths import MOST_STAGES, Trial
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.result import Result, Values
from analysis.power.roots import probit_root
from analysis.power.wording import asked

__all__ = ["mams"]

Shape = Literal["obf", "pocock", "triangular"]
_SHAPES = ("obf", "pocock", "triangular")


def _upper_shape(shape: str, times: np.ndarray) -> np.ndarray:
    if shape == "pocock":
        return np.ones(len(times))
    return 1 / np.sqrt(times) if shape == "obf" else (1 + times) / np.sqrt(times)


def _lower_shape(shape: str, times: np.ndarray) -> np.ndarray:
    if shape == "triangular":
        return (3 * times - 1) / np.sqrt(times)
    return -_upper_shape(shape, times)


@asked
def mams(
    *,
    arms: int,
    stages: int,
    effect: float | None = None,
    uninteresting: float = 0.0,
    superiority: float | None = None,
    uninteresting_superiority: float = 0.5,
    sd: float = 1.0,
    n: float | None = None,
    power: float | None = None,
    alpha: float = 0.05,
    shape: Shape = "obf",
    futility: float | Sequence[float] | Shape | None = None,
    sizes: Sequence[float] | None = None,
    control_sizes: Sequence[float] | None = None,
) -> Result:
    """People in the control arm at the first stage or power, and the bounds, of a multi-arm multi-stage trial.

    `arms` treated arms; `alpha` is the one-sided familywise error. Give `n` or `power` (0.9 when both are left out).
    The worthwhile effect is `effect` in units of `sd`, or `superiority`, the chance that a treated person does better
    than a control; the other arms have the uninteresting one. Power is the chance to select the good arm in that least
    favourable configuration. `shape` is that of the upper bounds; `futility` that of the lower ones, a common lower
    bound, or a list of them, one an interim look (None: no dropping). `sizes` and `control_sizes` are cumulative
    ratios by stage. Accurate to about four digits of the bounds.
    Source: Magirr, Jaki & Whitehead (2012); Jaki, Pallmann & Magirr (2019); Whitehead & Stratton (1983), triangular.

    >>> answer = mams(arms=3, stages=2, superiority=0.65, uninteresting_superiority=0.55, futility=0)
    >>> answer.rounded, [round(u, 2) for u in answer.upper]
    (41, [2.93, 2.07])
    """
    checks.whole(1, arms=arms, stages=stages)
    checks.between("stages", stages, 1, MOST_STAGES)
    power = 0.9 if power is None and n is None else power
    checks.level(alpha, power, 1)
    checks.positive(sd=sd, n=n)
    checks.exactly_one_missing({"n": n, "power": power})
    checks.choice("shape", shape, _SHAPES)
    good, other = _effects(effect, uninteresting, superiority, uninteresting_superiority, sd)
    r, r0 = _cumulative(stages, sizes, control_sizes)
    trial = Trial(arms, r, r0)
    bounds = _bounds(shape, futility, r)
    constant = probit_root(lambda c: trial.any_rejection(*bounds(c)), alpha, (1.9, 2.1), (0.3, 6.0))
    upper, lower = bounds(constant)

    def selects(size: float) -> float:
        # The trial works with unit variances, so an effect d is a drift d sqrt(n) a person of the first stage.
        return trial.best_wins(upper, lower, good * math.sqrt(size), other * math.sqrt(size))

    if n is None:
        assert power is not None
        size = _smallest(selects, power, _first_guess(arms, alpha, power, good, (float(r[-1]), float(r0[-1]))))
        solved, value, rounded = "n", size, math.ceil(size - 1e-4)
    else:
        size, solved, value = n, "power", selects(n)
        rounded = math.floor(value * 1e4) / 1e4
    reached = {"power": selects(rounded)} if solved == "n" else {"power": value}
    inputs = {"n": size, "power": power if n is None else value, "alpha": alpha}
    return Result(
        solved=solved,
        value=value,
        rounded=rounded,
        test="multi-arm multi-stage",
        convention=f"{shape} bounds, selection power in the least favourable configuration",
        formula="familywise error and selection power by integration over the control's path",
        source="Magirr, Jaki & Whitehead (2012)",
        inputs=Values({**inputs, "effect": good * sd, "uninteresting": other * sd}),
        details=Values(
            {
                "upper": tuple(map(float, upper)),
                "lower": tuple(map(float, lower)),
                "constant": constant,
                "n_total": size * (arms * float(r[-1]) + float(r0[-1])) / float(r0[0]),
            }
        ),
        at_rounded=Values({**reached, "n_total": _whole_total(rounded if solved == "n" else size, arms, r, r0)}),
    )


def _whole_total(size: float, arms: int, r: np.ndarray, r0: np.ndarray) -> float:
    """People in all arms when no arm stops, each arm rounded up."""
    unit = size / float(r0[0])
    return float(arms * math.ceil(unit * float(r[-1]) - 1e-7) + math.ceil(unit * float(r0[-1]) - 1e-7))


def _cumulative(
    stages: int, sizes: Sequence[float] | None, control_sizes: Sequence[float] | None
) -> tuple[np.ndarray, np.ndarray]:
    r = np.arange(1.0, stages + 1) if sizes is None else np.asarray(sizes, float)
    r0 = r if control_sizes is None else np.asarray(control_sizes, float)
    for name, array in (("sizes", r), ("control_sizes", r0)):
        if len(array) != stages or (np.diff(array, prepend=0.0) <= 0).any():
            raise ImpossibleRequest(name, f"give {stages} rising cumulative sizes, such as 1, 2, 3")
    return r, r0


def _bounds(
    shape: str, futility: float | Sequence[float] | str | None, r: np.ndarray
) -> Callable[[float], tuple[np.ndarray, np.ndarray]]:
    times = r / r[-1]
    stages = len(r)
    fixed: np.ndarray | None = None
    if isinstance(futility, str):
        checks.choice("futility", futility, _SHAPES)
    elif isinstance(futility, Sequence):
        if len(futility) != stages - 1:
            raise ImpossibleRequest("futility", f"list {stages - 1} lower bounds, one for each interim look")
        fixed = np.array([*futility, -np.inf])
    else:
        fixed = np.full(stages, -np.inf if futility is None else float(futility))

    def bounds(constant: float) -> tuple[np.ndarray, np.ndarray]:
        upper = constant * _upper_shape(shape, times)
        lower = fixed.copy() if fixed is not None else constant * _lower_shape(str(futility), times)
        lower[-1] = upper[-1]
        return upper, np.minimum(lower, upper)

    return bounds


def _first_guess(arms: int, alpha: float, power: float, good: float, last: tuple[float, float]) -> float:
    """Size of a design of one stage by Bonferroni, spread over the stages."""
    reach = float(-special.ndtri(alpha / arms) + special.ndtri(power))
    return max((reach / good) ** 2 * (1 / last[0] + 1 / last[1]), 0.01)


def _smallest(selects: Callable[[float], float], power: float, guess: float) -> float:
    """People in the first stage of the control arm at which the selection power reaches `power`."""
    high = guess
    for _ in itertools.repeat(None, 40):
        if selects(high) >= power:
            break
        high *= 1.5
    else:
        raise NoSolution("power", f"{power:g} is not reached: the uninteresting arms are too often selected")
    # In the root of the size the probit of the power is nearly a straight line.
    top = math.sqrt(high)
    return probit_root(lambda x: selects(x * x), power, (top, 0.95 * top), (1e-4 * top, top)) ** 2


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
