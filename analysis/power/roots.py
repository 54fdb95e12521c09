"""Root finding in one place: bracketed, typed, and with an error that says what had no sign change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from analysis.power.errors import NoSolution

__all__ = ["root"]


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
