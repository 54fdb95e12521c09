"""What an interim result says about the end: conditional and predictive power."""

from __future__ import annotations

import math
from typing import Literal

from scipy import special

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.power.wording import asked

__all__ = ["conditional_power", "predictive_power"]


@asked
def conditional_power(
    *,
    z: float,
    information: float,
    critical: float = 1.959963984540054,
    drift: float | Literal["trend", "null"] = "trend",
) -> float:
    """Chance that the final statistic exceeds `critical`, given `z` at a share `information` of the data.

    `drift` is the mean of the final statistic: "trend" takes the interim estimate, "null" zero, or give the planned
    value (z_a + z_b for a design with that power). Source: Lan & Wittes (1988), B-values.

    >>> round(conditional_power(z=1, information=0.5, critical=1.96), 6)
    0.220099
    """
    checks.probability(information=information)
    if isinstance(drift, str):
        if drift not in ("trend", "null"):
            raise ImpossibleRequest("drift", f"must be 'trend', 'null' or a number, not '{drift}'")
        drift = z / math.sqrt(information) if drift == "trend" else 0.0
    left = 1 - information
    gap = critical - z * math.sqrt(information) - drift * left
    return float(special.ndtr(-gap / math.sqrt(left)))


@asked
def predictive_power(*, z: float, information: float, critical: float = 1.959963984540054) -> float:
    """Conditional power averaged over the posterior of the drift under a flat prior.

    Source: Spiegelhalter, Freedman & Blackburn (1986); Jennison & Turnbull (2000) §10.3.

    >>> round(predictive_power(z=1, information=0.5, critical=1.96), 4)
    0.2926
    """
    checks.probability(information=information)
    gap = z / math.sqrt(information) - critical
    return float(special.ndtr(gap / math.sqrt((1 - information) / information)))
