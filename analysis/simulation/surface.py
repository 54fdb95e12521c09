"""Power over many sizes and effects from one set of random numbers.

A constant effect moves every estimate by itself, and a smaller trial is the beginning of a larger one: prefix sums of
one stream give all sizes, and each effect only asks which trials have crossed. The cells share their noise, so a curve
through them is smooth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.simulation.normals import normals, stream

__all__ = ["simulated_surface"]


def simulated_surface(
    sizes: Sequence[int] | np.ndarray,
    effects: Sequence[float] | np.ndarray,
    *,
    sd: float = 1.0,
    alpha: float = 0.05,
    trials: int = 2000,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Power of the two-sided t test of two equal arms, shape (sizes, effects), and its Monte Carlo error.

    `sizes` are people an arm, `effects` in the units of `sd`. Student's t with equal variances, df = 2n - 2.

    >>> power, error = simulated_surface([64], [0.5], trials=4000, seed=1)
    >>> bool(abs(power[0, 0] - 0.8015) < 3 * error[0, 0])
    True
    """
    order = np.unique(np.asarray(sizes))
    if order[0] < 2:
        raise ImpossibleRequest("sizes", "an arm needs at least two people")
    checks.positive(sd=sd)
    checks.probability(alpha=alpha)
    largest = int(order[-1])
    block = max(1, (1 << 17) // (2 * largest))
    starts = np.concatenate([[0], order[:-1]])
    gaps, errors = [], []
    for number in range(-(-trials // block)):
        noise = normals(stream(seed, number), 2 * block * largest).reshape(2, block, largest)
        gap, error = _moments(noise.astype(np.float64), starts, order)
        gaps.append(gap)
        errors.append(error)
    gap, error = (sd * np.concatenate(parts)[:trials] for parts in (gaps, errors))
    reach = -special.stdtrit(2 * order - 2.0, alpha / 2) * error
    wanted = np.asarray(effects, float)
    power = np.empty((len(order), len(wanted)))
    for row in range(len(order)):
        above = np.sort(reach[:, row] - gap[:, row])
        below = np.sort(-reach[:, row] - gap[:, row])
        power[row] = np.searchsorted(above, wanted, side="left") + trials - np.searchsorted(below, wanted, side="right")
    power = (power / trials)[np.searchsorted(order, np.asarray(sizes))]
    return power, np.sqrt(np.maximum(power * (1 - power), 1 / trials) / trials)


def _moments(noise: np.ndarray, starts: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Difference of means and its standard error for every prefix, each of shape (trials, sizes)."""
    sums = np.cumsum(np.add.reduceat(noise, starts, axis=2), axis=2)
    squares = np.cumsum(np.add.reduceat(noise**2, starts, axis=2), axis=2)
    within = (squares - sums**2 / order).sum(axis=0)
    return (sums[0] - sums[1]) / order, np.sqrt(within / (2 * order - 2) * 2 / order)
