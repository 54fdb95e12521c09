"""Simulate a trial many times: with the design that will allocate and the plan that will be run.

Reports bias, root mean squared error, power (or type-I error), coverage and the calibration of standard errors, each
with its Monte Carlo error. The same seed gives the same answer however the work is cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis.errors import DesignNotEstimable
from analysis.plan import PreAnalysisPlan
from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.simulation.estimators import ESTIMATORS, Contrast, Estimator
from analysis.simulation.run import Job, Progress, bar, run
from analysis.simulation.surface import simulated_surface
from analysis.simulation.world import World
from randomization import Design

__all__ = ["Performance", "Simulated", "Simulation", "World", "performance", "simulate", "simulated_surface"]


@dataclass(frozen=True, slots=True)
class Simulated:
    """A share or mean over trials and its Monte Carlo standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Performance:
    """How the estimator of one contrast does. `rejection` is power, or type-I error when `truth` is zero.

    `se_ratio` is the mean standard error over the standard deviation of the estimates (1 is honest). `refused` counts
    the trials in which no estimate existed; they enter nothing else.
    Source of the Monte Carlo errors: Morris, White & Crowther (2019).
    """

    treated: str
    comparison: str
    truth: float
    trials: int
    refused: int
    bias: Simulated
    rmse: Simulated
    sd: Simulated
    se_ratio: float
    rejection: Simulated
    coverage: Simulated


@dataclass(frozen=True, slots=True)
class Simulation:
    """The performance of every contrast, and the estimates behind it: array (trials, contrasts, fields)."""

    contrasts: tuple[Performance, ...]
    seed: int
    alpha: float
    estimates: np.ndarray = field(repr=False, compare=False)

    def __getitem__(self, contrast: Contrast) -> Performance:
        for found in self.contrasts:
            if (found.treated, found.comparison) == contrast:
                return found
        raise KeyError(contrast)


def simulate(
    world: World,
    *,
    estimator: str | Estimator | PreAnalysisPlan = "difference_in_means",
    design: Design | None = None,
    contrasts: Sequence[Contrast] | None = None,
    trials: int = 2000,
    seed: int,
    alpha: float = 0.05,
    jobs: int = -1,
    backend: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | Progress = False,
    general: bool = False,
) -> Simulation:
    """Simulate `trials` trials of a world.

    `estimator` is "difference_in_means", "lm_robust" (HC2 with the world's covariates), "cluster_cr2",
    "partially_nested" (advisors in some arms only), a function of (table, treated, comparison) that returns an
    Estimate, or a whole pre-analysis plan. `design` is that of `randomization`; without one the
    arms have equal fixed sizes. `contrasts` are (treated, comparison) pairs, by
    default every arm against control. `jobs` cores (-1: all), `backend="dask"` for a cluster; `checkpoint` a folder
    to resume from; `general=True` takes the slow path even where a kernel exists.
    Raises ImpossibleRequest for a design with other arms, DesignNotEstimable when no trial gives an estimate.

    >>> found = simulate(World(n=128, effects={"advice": 0.5}), trials=4000, seed=1, jobs=1)
    >>> power = found[("advice", "control")].rejection
    >>> bool(abs(power.value - 0.8015) < 3 * power.error)
    True
    """
    checks.whole(1, trials=trials)
    checks.probability(alpha=alpha)
    if isinstance(estimator, str):
        checks.choice("estimator", estimator, ESTIMATORS)
    if design is not None and set(design.names) != set(world.arms):
        raise ImpossibleRequest(
            "design", f"allocates {', '.join(design.names)}, while the world has {', '.join(world.arms)}"
        )
    pairs = tuple((arm, world.control) for arm in world.effects) if contrasts is None else tuple(contrasts)
    job = Job(world, design, estimator, pairs, seed, alpha, general, world.units(seed))
    show = bar if progress is True else progress or None
    estimates = run(job, trials, jobs=jobs, backend=backend, checkpoint=checkpoint, progress=show)
    found = tuple(performance(estimates[:, place], pair, world.truth(*pair), alpha) for place, pair in enumerate(pairs))
    return Simulation(found, seed, alpha, estimates)


def performance(rows: np.ndarray, pair: Contrast, truth: float, alpha: float) -> Performance:
    """What the estimates of one contrast, (trials, fields), amount to; raises DesignNotEstimable for fewer than two."""
    known = rows[~np.isnan(rows[:, 0])]
    count = len(known)
    if count < 2:
        raise DesignNotEstimable(f"fewer than two trials gave an estimate of '{pair[0]}' against '{pair[1]}'")
    value, se, p, covered = known.T
    miss = value - truth
    sd = float(value.std(ddof=1))
    mse = float(np.mean(miss**2))
    rmse = math.sqrt(mse)
    spread = float(np.std(miss**2, ddof=1)) / math.sqrt(count)
    return Performance(
        pair[0],
        pair[1],
        truth,
        len(rows),
        len(rows) - count,
        Simulated(float(miss.mean()), sd / math.sqrt(count)),
        Simulated(rmse, spread / (2 * rmse) if rmse else 0.0),
        Simulated(sd, sd / math.sqrt(2 * (count - 1))),
        float(np.sqrt(np.mean(se**2))) / sd if sd else math.inf,
        _share(p < alpha),
        _share(covered > 0),
    )


def _share(hits: np.ndarray) -> Simulated:
    """A share with its binomial error, which never claims certainty when all trials agree."""
    share, count = float(hits.mean()), len(hits)
    return Simulated(share, math.sqrt(max(share * (1 - share), 1 / count) / count))
