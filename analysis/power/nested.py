"""Partially nested trials: only the advised arms have advisors, so only their outcomes are clustered."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.standardised import answer_t
from analysis.power.tails import t_power, z_power
from analysis.power.wording import asked

__all__ = ["partially_nested", "partially_nested_proportions"]

_SOURCE = "Roberts & Roberts (2005); Moerbeek & Wong (2008); Baldwin et al. (2011)"


@asked
def partially_nested(
    *,
    icc: float,
    cluster_size: float,
    delta: float | None = None,
    sd: float = 1.0,
    sd_control: float | None = None,
    cv: float = 0.0,
    n: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: str = "t",
    both_tails: bool = True,
) -> Result:
    """Size of the clustered arm, power, smallest difference or level when only that arm is clustered.

    `cluster_size` people share an advisor, `icc` is their correlation, `cv` the variation of caseloads; the control
    arm has `ratio` times as many people. Degrees of freedom by Satterthwaite from advisors and controls.
    Source: Roberts & Roberts (2005); Moerbeek & Wong (2008).

    >>> partially_nested(icc=0.05, cluster_size=10, delta=0.3, power=0.8).rounded
    222
    """
    checks.loading(icc=icc)
    checks.at_least(1, cluster_size=cluster_size)
    checks.at_least(0, cv=cv)
    control = sd if sd_control is None else sd_control
    checks.positive(sd=sd, sd_control=control, ratio=ratio)
    inflation = 1 + ((1 + cv**2) * cluster_size - 1) * icc

    def standing(n: float) -> tuple[float, float]:
        treated, other = sd**2 * inflation / n, control**2 / (n * ratio)
        df = (treated + other) ** 2 / (treated**2 / (n / cluster_size - 1) + other**2 / (n * ratio - 1))
        return math.sqrt(treated + other), df

    return answer_t(
        Method(
            "partially nested means",
            "Satterthwaite df from clusters and controls",
            "se² = sd² (1 + (m - 1) icc) / n + sd_control² / (r n)",
            _SOURCE,
        ),
        {"n": n, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(max(2.0 * cluster_size, 2.0, 2.0 / ratio)),
        standing,
        sides=sides,
        both_tails=both_tails,
        test=test,
        scale=sd,
        details=lambda n: {
            "clusters": n / cluster_size,
            "n_control": n * ratio,
            "n_total": n * (1 + ratio),
            "design_effect": inflation,
        },
        notes={"icc": icc, "cluster_size": cluster_size, "cv": cv, "sd": sd, "ratio": ratio},
    )


@asked
def partially_nested_proportions(
    *,
    p1: float,
    p2: float | None = None,
    icc: float,
    cluster_size: float,
    cv: float = 0.0,
    n: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Literal["t", "z"] = "t",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = True,
) -> Result:
    """Size of the clustered arm, power, smallest `p2` or level of a proportion against an unclustered control, `p1`.

    `p2` is the proportion in the clustered arm; other arguments as in `partially_nested`.
    Source: Roberts & Roberts (2005), binomial variances.

    >>> partially_nested_proportions(p1=0.15, p2=0.183, icc=0.02, cluster_size=40, power=0.8).rounded
    2873
    """
    checks.probability(p1=p1, p2=p2)
    checks.level(alpha, power, sides)
    checks.loading(icc=icc)
    checks.at_least(1, cluster_size=cluster_size)
    checks.at_least(0, cv=cv)
    if p2 is not None:
        checks.different("p2", p2, p1)
    checks.positive(ratio=ratio)
    checks.choice("test", test, ("t", "z"))
    checks.choice("direction", direction, ("higher", "lower"))
    inflation = 1 + ((1 + cv**2) * cluster_size - 1) * icc
    smallest = max(2 * cluster_size, 2 / ratio)
    if n is not None and n < smallest:
        raise ImpossibleRequest("n", f"{n:g} people are fewer than two clusters of {cluster_size:g}")

    def ask(kind: str) -> Question:
        def power_of(n: float, p2: float, alpha: float) -> float:
            treated, other = p2 * (1 - p2) * inflation / n, p1 * (1 - p1) / (n * ratio)
            drift = (p2 - p1) / math.sqrt(treated + other)
            if kind == "z":
                return z_power(drift, alpha, sides, both_tails)
            df = (treated + other) ** 2 / (treated**2 / (n / cluster_size - 1) + other**2 / (n * ratio - 1))
            return t_power(drift, df, alpha, sides, both_tails)

        reference = "normal reference" if kind == "z" else "Satterthwaite df from clusters and controls"
        return Question(
            Method(
                "partially nested proportions",
                f"unpooled variance, {reference}",
                "se² = p2 q2 (1 + (m - 1) icc) / n + p1 q1 / (r n)",
                _SOURCE,
            ),
            {"n": n, "p2": p2, "power": power, "alpha": alpha},
            power_of,
            {"n": SizeRange(smallest), "p2": EffectRange(p1, 1.0 if direction == "higher" else 0.0, 0.01)},
            lambda n, **_: {
                "clusters": n / cluster_size,
                "n_control": n * ratio,
                "n_total": n * (1 + ratio),
                "design_effect": inflation,
            },
            {"p1": p1, "icc": icc, "cluster_size": cluster_size, "ratio": ratio, "sides": sides},
        )

    return ask(test).answer(rivals=[ask("z" if test == "t" else "t")])
