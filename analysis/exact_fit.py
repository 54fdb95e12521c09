"""Refusing a perfect fit: residuals that are rounding and nothing else carry no standard error.

An outcome that the other columns determine wholly leaves residuals of the size of floating-point rounding. The usual
formulas then give an effect of 1e-17 with a standard error of 1e-16, which looks like a result and is none.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import PerfectFit

Array = NDArray[Any]
RELATIVE = 1e-10
"""Residuals below this share of the outcome's spread are taken for rounding."""
ROUNDING = 16 * float(np.finfo(float).eps)
"""The same against the outcome's size, for an outcome whose own digits end there."""


def refuse_exact_fit(residuals: Array, y: Array, outcome: str, by: str, size: float | None = None) -> None:
    """Raise PerfectFit when the residuals, shape (n,), are rounding beside the outcome y, shape (n,).

    `by` says in words what determines the outcome; `size` is the root mean square of the outcome before anything was
    taken out of it (default: that of y).

    >>> refuse_exact_fit(np.array([1e-17, -1e-17]), np.array([1.0, 2.0]), "pay", "age")
    Traceback (most recent call last):
    analysis.errors.PerfectFit: 'pay' is determined wholly by age, so no standard error exists; leave out ...
    """
    if is_rounding(residuals, y, size):
        raise PerfectFit(
            f"'{outcome}' is determined wholly by {by}, so no standard error exists",
            remedy="leave out what determines the outcome, or look whether the right column was chosen",
        )


def is_rounding(residuals: Array, y: Array, size: float | None = None) -> bool:
    """Whether residuals, shape (n,), are no more than rounding beside the spread and the size of y, shape (n,)."""
    n = max(y.size, 1)
    square = float(y @ y) / n
    spread = math.sqrt(max(square - (float(y.sum()) / n) ** 2, 0.0))
    scale = max(math.sqrt(square), 0.0 if size is None else size)
    return math.sqrt(float(residuals @ residuals) / n) <= max(RELATIVE * spread, ROUNDING * scale)
