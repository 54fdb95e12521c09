"""Exact power of the t test over a whole grid of sizes and effects at once, for curves and maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from analysis.power import checks

__all__ = ["power_surface"]


def power_surface(
    sizes: Sequence[float] | np.ndarray,
    effects: Sequence[float] | np.ndarray,
    *,
    sd: float = 1.0,
    alpha: float = 0.05,
    sides: int = 2,
) -> np.ndarray:
    """Power of Student's test of two equal arms, shape (sizes, effects): exact by the noncentral t.

    `sizes` are people an arm, `effects` in the units of `sd`. Source: Cohen (1988) ch. 2.

    >>> power_surface([64, 100], [0.5]).round(4)
    array([[0.8015],
           [0.9404]])
    """
    n = np.asarray(sizes, float)[:, None]
    checks.at_least(2, sizes=float(n.min()))
    checks.positive(sd=sd)
    checks.level(alpha, None, sides)
    df = 2 * n - 2
    ncp = np.abs(np.asarray(effects, float))[None, :] / sd * np.sqrt(n / 2)
    critical = -special.stdtrit(df, alpha / sides)
    power = 1 - special.nctdtr(df, ncp, critical)
    if sides == 2:
        # Beyond this noncentrality the wrong tail is below 1e-10 and not worth a second evaluation.
        near = ncp < 4.5
        both = np.broadcast_arrays(df, ncp, critical)
        power[near] += np.nan_to_num(special.nctdtr(both[0][near], both[1][near], -both[2][near]))
    return power
