"""Root finding in one place: bracketed, typed, and with an error that says what had no sign change."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special
from scipy.optimize import brentq

from analysis.power.errors import NoSolution

__all__ = ["probit_root", "root"]


def root(
    function: Callable[[float], float], low: float, high: float, *, xtol: float = 1e-12, rtol: float = 1e-14
) -> float:
    """The zero of a continuous function between two points where its signs differ. Source: Brent (1973).

    Raises NoSolution when the signs agree.

    >>> round(root(lambda x: x * x - 2, 0, 2), 6)
    1.414214
    """
    at_low, at_high = function(low), function(high)
    if at_low * at_high > 0:
        raise NoSolution("search", f"there is no answer between {low:g} and {high:g}")
    return float(brentq(function, low, high, xtol=xtol, rtol=np.float64(rtol), maxiter=300))  # type: ignore[arg-type]


def probit_root(
    chance: Callable[[float], float],
    target: float,
    starts: tuple[float, float],
    within: tuple[float, float],
    *,
    xtol: float = 1e-9,
) -> float:
    """Where a costly chance equals `target`: secant steps on the probit scale, on which most chances are nearly lines.

    Falls back on bisection `within` its bracket, and raises NoSolution, when the steps leave it or do not settle.

    >>> round(probit_root(lambda x: float(special.ndtr(2 * x - 3)), 0.8, (1.0, 2.0), (0.0, 9.0)), 6)
    1.920811
    """
    aim, (old, new) = float(special.ndtri(target)), starts
    before = float(special.ndtri(chance(old))) - aim
    for _ in range(20):
        miss = float(special.ndtri(chance(new))) - aim
        if miss == 0:
            return new
        step = miss * (new - old) / (miss - before) if math.isfinite(miss) and miss != before else math.inf
        old, before, new = new, miss, new - step
        if not within[0] <= new <= within[1]:
            break
        if abs(step) <= xtol * max(1.0, abs(new)):
            return new
    return root(lambda x: chance(x) - target, *within, xtol=xtol)
