"""Cluster trials sized by the coefficient of variation between clusters, the way of Hayes and Moulton."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import checks, tails
from analysis.power.result import Result
from analysis.power.solve import Method, Question, SizeRange

__all__ = ["cluster_rates", "cluster_variation"]

Outcome = Literal["rate", "proportion", "mean"]
Test = Literal["hayes", "t", "z"]

_WITHIN = {
    "rate": lambda value, size, _sd: value / size,
    "proportion": lambda value, size, _sd: value * (1 - value) / size,
    "mean": lambda _value, size, sd: sd**2 / size,
}
_TESTS = {
    "hayes": "normal reference, one cluster an arm added (two when matched)",
    "t": "noncentral t, df = clusters - 2 (pairs - 1 when matched)",
    "z": "normal reference",
}


def cluster_variation(
    *,
    outcome: Outcome,
    value1: float,
    value2: float,
    size: float,
    variation: float,
    sds: tuple[float, float] = (1.0, 1.0),
    clusters: float | None = None,
    matched: bool = False,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Test = "hayes",
) -> Result:
    """Clusters an arm (or pairs), power or level from the variation between clusters.

    `value1` and `value2` are the rates, proportions or means of the arms; `size` the time at risk or people a cluster;
    `variation` the coefficient of variation of the true values between clusters (within pairs when `matched`); `sds`
    the standard deviations within clusters, for means only. "hayes" adds one cluster an arm to the normal formula
    (two when matched). Source: Hayes & Bennett (1999); Hayes & Moulton (2017) ch. 7.

    >>> args = dict(outcome="rate", value1=0.0148, value2=0.0104, size=424, variation=0.29, power=0.8)
    >>> cluster_variation(**args).rounded
    37
    """
    checks.choice("outcome", outcome, _WITHIN)
    checks.choice("test", test, _TESTS)
    checks.level(alpha, power, sides)
    checks.positive(value1=value1, value2=value2, size=size)
    checks.at_least(0, variation=variation)
    checks.different("value2", value2, value1)
    within = _WITHIN[outcome]
    spread = sum(within(v, size, sd) + (variation * v) ** 2 for v, sd in zip((value1, value2), sds, strict=True))
    added = 2 if matched else 1

    def ask(kind: str) -> Question:
        smallest = float(added) + 1e-6 if kind == "hayes" else (1.0 if kind == "z" else 2.0)

        def power_of(clusters: float, alpha: float) -> float:
            counted = clusters - added if kind == "hayes" else clusters
            shift = abs(value2 - value1) / math.sqrt(spread / counted)
            if kind != "t":
                return tails.z_power(shift, alpha, sides)
            return tails.t_power(shift, (clusters - 1) * (1 if matched else 2), alpha, sides)

        return Question(
            Method(
                f"{outcome}s of clusters",
                _TESTS[kind],
                "c = 1 + (z_a + z_b)² (v1 + v2 + k² (value1² + value2²)) / (value1 - value2)²",
                "Hayes & Bennett (1999); Hayes & Moulton (2017) ch. 7",
            ),
            {"clusters": clusters, "power": power, "alpha": alpha},
            power_of,
            {"clusters": SizeRange(smallest)},
            lambda clusters, **_: {"clusters_total": 2 * clusters, "size_total": 2 * clusters * size},
            {"value1": value1, "value2": value2, "size": size, "variation": variation, "sides": sides},
        )

    return ask(test).answer(rivals=[ask(kind) for kind in _TESTS if kind != test])


def cluster_rates(
    *,
    rate1: float,
    rate2: float,
    exposure: float,
    variation: float,
    clusters: float | None = None,
    matched: bool = False,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Test = "hayes",
) -> Result:
    """Clusters an arm, power or level of a cluster trial of event rates; `exposure` is the time at risk a cluster.

    Source: Hayes & Bennett (1999); Hayes & Moulton (2017) §7.3.

    >>> cluster_rates(rate1=0.01, rate2=0.005, exposure=1000, variation=0.25, power=0.8).rounded
    9
    """
    return cluster_variation(
        outcome="rate",
        value1=rate1,
        value2=rate2,
        size=exposure,
        variation=variation,
        clusters=clusters,
        matched=matched,
        power=power,
        alpha=alpha,
        sides=sides,
        test=test,
    )
