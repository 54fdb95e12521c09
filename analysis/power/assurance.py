"""Assurance: the chance of a significant result when the effect itself is uncertain. And why post-hoc power is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

import numpy as np
from scipy import special

from analysis.power import arms, checks, tails
from analysis.power.errors import PostHocRefused
from analysis.power.result import Result, Values
from analysis.power.solve import Method, Question
from analysis.power.wording import asked

__all__ = ["assurance_means", "assurance_of", "observed_power"]


@asked
def assurance_means(
    *,
    prior_mean: float,
    prior_sd: float,
    sd: float = 1.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    assurance: float | None = None,
    alpha: float = 0.025,
) -> Result:
    """Assurance of a one-sided test of two means, or the size (first arm) that reaches it, under a normal prior.

    `alpha` is one-sided. Assurance cannot exceed the prior chance of a positive effect; asking more raises.
    Source: O'Hagan, Stevens & Campbell (2005).

    >>> answer = assurance_means(prior_mean=0.2, prior_sd=0.1, n=400)
    >>> round(answer.assurance, 6), round(answer.power_at_mean, 6)
    (0.691958, 0.80743)
    """
    checks.probability(alpha=alpha, assurance=assurance)
    checks.positive(sd=sd, prior_sd=prior_sd)
    arms.check_arms(n, n2, ratio)

    def error(n: float) -> float:
        first, second = arms.sizes(n, n2, ratio)
        return sd * math.sqrt(1 / first + 1 / second)

    def chance(n: float, alpha: float) -> float:
        se = error(n)
        return float(special.ndtr((prior_mean - tails.z_critical(alpha, 1) * se) / math.hypot(se, prior_sd)))

    def details(n: float, alpha: float) -> dict[str, float]:
        at_mean = special.ndtr(prior_mean / error(n) - tails.z_critical(alpha, 1))
        return {"power_at_mean": float(at_mean), "ceiling": float(special.ndtr(prior_mean / prior_sd))}

    answer = Question(
        Method(
            "assurance, two means",
            "normal prior, one-sided normal test",
            "Phi((mean - z_a se) / sqrt(se² + prior_sd²))",
            "O'Hagan, Stevens & Campbell (2005)",
        ),
        {"n": n, "power": assurance, "alpha": alpha},
        chance,
        {"n": arms.smallest(n2, ratio)},
        details,
        {"prior_mean": prior_mean, "prior_sd": prior_sd, "sd": sd, "ratio": ratio},
    ).answer()
    return _called_assurance(answer)


def _called_assurance(answer: Result) -> Result:
    """The same answer with the probability under its own name: assurance is not power."""
    inputs = {("assurance" if key == "power" else key): value for key, value in answer.inputs.items()}
    solved = "assurance" if answer.solved == "power" else answer.solved
    reached = {("assurance" if key == "power" else key): value for key, value in answer.at_rounded.items()}
    return replace(answer, solved=solved, inputs=Values(inputs), at_rounded=Values(reached))


def assurance_of(
    power: Callable[[float], float], *, mean: float, sd: float, nodes: int = 64, bounds: Sequence[float] | None = None
) -> float:
    """Average of any power function over a normal prior of the effect, cut to `bounds` if given.

    Raises whatever `power` raises. Source: O'Hagan, Stevens & Campbell (2005), by Gauss-Legendre quadrature.

    >>> from analysis.power import two_means
    >>> one_sided = lambda d: two_means(delta=d, n=400, alpha=0.025, sides=1, test="z").power if d > 0 else 0.0
    >>> round(assurance_of(one_sided, mean=0.2, sd=0.1), 2)
    0.69
    """
    checks.positive(sd=sd)
    x, w = np.polynomial.legendre.leggauss(nodes)
    low, high = bounds if bounds is not None else (mean - 8 * sd, mean + 8 * sd)
    low, high = max(low, mean - 8 * sd), min(high, mean + 8 * sd)
    effects = low + (high - low) * (x + 1) / 2
    density = w * np.exp(-0.5 * ((effects - mean) / sd) ** 2)
    return float(sum(weight * power(float(e)) for weight, e in zip(density / density.sum(), effects, strict=True)))


def observed_power(**_: object) -> NoReturn:
    """Refuses: power computed from the effect that a study observed.

    Such a number is a one-to-one function of the p-value and adds nothing to it; the confidence interval says what the
    study could and could not rule out. Source: Hoenig & Heisey (2001).

    >>> observed_power(effect=0.1, n=200)
    Traceback (most recent call last):
    analysis.power.errors.PostHocRefused: power from an observed effect only restates its p-value...
    """
    raise PostHocRefused(
        "power from an observed effect only restates its p-value (Hoenig & Heisey, 2001)",
        remedy="report the confidence interval, or the power for the effect that was planned for",
        path=("effect",),
    )
