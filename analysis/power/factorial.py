"""Two-level factorial trials: every person informs every factor, but interactions are dear."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import checks
from analysis.power.result import Result
from analysis.power.solve import Method, SizeRange
from analysis.power.standardised import answer_t
from analysis.power.wording import asked

__all__ = ["factorial_means"]


@asked
def factorial_means(
    *,
    factors: int = 2,
    effect: Literal["main", "interaction"] = "main",
    delta: float | None = None,
    sd: float = 1.0,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Literal["t", "central", "z"] = "t",
    both_tails: bool = True,
) -> Result:
    """Size (per cell), power, smallest effect or level in a full 2^k factorial trial of means.

    A "main" effect averages over the other factors; an "interaction" of two is the difference between two simple
    effects. All cells have n people; df = 2^k (n - 1). Source: Montgomery (2017) ch. 6; Brookes et al. (2004).

    >>> factorial_means(delta=0.2, power=0.8).at_rounded["n_total"]
    788
    >>> round(factorial_means(delta=0.2, power=0.8, effect="interaction", test="z").n, 1)
    784.9
    """
    checks.whole(1 if effect == "main" else 2, factors=factors)
    checks.choice("effect", effect, ("main", "interaction"))
    checks.positive(sd=sd)
    cells = 2**factors
    spread = 4.0 if effect == "main" else 16.0

    return answer_t(
        Method(
            f"factorial, {effect} effect",
            "df = cells (n - 1)",
            "se² = 4 sd² / N for a main effect, 16 sd² / N for an interaction, N = 2^k n",
            "Montgomery (2017) ch. 6; Brookes et al. (2004)",
        ),
        {"n": n, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(2),
        lambda n: (sd * math.sqrt(spread / (cells * n)), cells * (n - 1)),
        sides=sides,
        both_tails=both_tails,
        test=test,
        scale=sd,
        details=lambda n: {"n_total": cells * n, "cells": cells},
        notes={"factors": factors, "sd": sd},
    )
