"""Cluster trials sized by the coefficient of variation between clusters, the way of Hayes and Moulton."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

from analysis.power import checks, tails
from analysis.power.errors import in_words_of
from analysis.power.result import Result, Values
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

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


@asked
def cluster_variation(
    *,
    outcome: Outcome,
    value1: float,
    value2: float | None = None,
    size: float,
    variation: float,
    cv: float = 0.0,
    sds: tuple[float, float] = (1.0, 1.0),
    clusters: float | None = None,
    matched: bool = False,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Test = "hayes",
    direction: Literal["higher", "lower"] = "lower",
    both_tails: bool = True,
) -> Result:
    """Clusters an arm (or pairs), power, second value or level from the variation between clusters.

    `value1` and `value2` are the rates, proportions or means of the arms; `size` the time at risk or people a cluster;
    `variation` the coefficient of variation of the true values between clusters (within pairs when `matched`); `cv`
    that of the cluster sizes, which count by their harmonic mean, about size / (1 + cv²); `sds` the standard deviations
    within clusters, for means only. "hayes" adds one cluster an arm to the normal formula (two when matched). A missing
    `value2` is sought below `value1`, or above with `direction="higher"`.
    Source: Hayes & Bennett (1999); Hayes & Moulton (2017) ch. 7.

    >>> args = dict(outcome="rate", value1=0.0148, value2=0.0104, size=424, variation=0.29, power=0.8)
    >>> cluster_variation(**args).rounded
    37
    """
    checks.choice("outcome", outcome, _WITHIN)
    checks.choice("test", test, _TESTS)
    checks.level(alpha, power, sides)
    checks.positive(value1=value1, value2=value2, size=size)
    checks.at_least(0, variation=variation, cv=cv)
    checks.choice("direction", direction, ("higher", "lower"))
    if outcome == "proportion":
        checks.probability(value1=value1, value2=value2)
    if value2 is not None:
        checks.different("value2", value2, value1)
    worth = size / (1 + cv**2)
    added = 2 if matched else 1

    def ask(kind: str) -> Question:
        smallest = float(added) + 1e-6 if kind == "hayes" else (1.0 if kind == "z" else 2.0)

        def power_of(clusters: float, value2: float, alpha: float) -> float:
            spread = _spread(outcome, (value1, value2), worth, variation, sds)
            counted = clusters - added if kind == "hayes" else clusters
            shift = abs(value2 - value1) / math.sqrt(spread / counted)
            if kind != "t":
                return tails.z_power(shift, alpha, sides, both_tails)
            return tails.t_power(shift, (clusters - 1) * (1 if matched else 2), alpha, sides, both_tails)

        return Question(
            Method(
                f"{outcome}s of clusters",
                _TESTS[kind],
                "c = 1 + (z_a + z_b)² (v1 + v2 + k² (value1² + value2²)) / (value1 - value2)²",
                "Hayes & Bennett (1999); Hayes & Moulton (2017) ch. 7",
            ),
            {"clusters": clusters, "value2": value2, "power": power, "alpha": alpha},
            power_of,
            {"clusters": SizeRange(smallest), "value2": _second(outcome, value1, direction)},
            lambda clusters, **_: {"clusters_total": 2 * clusters, "size_total": 2 * clusters * size},
            {"value1": value1, "size": size, "variation": variation, "cv": cv, "sides": sides},
        )

    return ask(test).answer(rivals=[ask(kind) for kind in _TESTS if kind != test])


def _spread(
    outcome: Outcome, values: tuple[float, float], size: float, variation: float, sds: tuple[float, float]
) -> float:
    """Variance of the difference of two cluster summaries, within and between clusters."""
    within = _WITHIN[outcome]
    return sum(within(v, size, sd) + (variation * v) ** 2 for v, sd in zip(values, sds, strict=True))


def _second(outcome: Outcome, value1: float, direction: str) -> EffectRange:
    highest = 1.0 if outcome == "proportion" else math.inf
    return EffectRange(value1, highest if direction == "higher" else 0.0, 0.02 * value1)


@asked
def cluster_rates(
    *,
    rate1: float,
    rate2: float | None = None,
    exposure: float,
    variation: float,
    cv: float = 0.0,
    clusters: float | None = None,
    matched: bool = False,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Test = "hayes",
    direction: Literal["higher", "lower"] = "lower",
    both_tails: bool = True,
) -> Result:
    """Clusters an arm, power, second rate or level of a cluster trial of event rates.

    `exposure` is the time at risk a cluster, `cv` its coefficient of variation between clusters, `variation` that of
    the true rates. Source: Hayes & Bennett (1999); Hayes & Moulton (2017) §7.3.

    >>> cluster_rates(rate1=0.01, rate2=0.005, exposure=1000, variation=0.25, power=0.8).rounded
    9
    """
    names = {"value1": "rate1", "value2": "rate2", "size": "exposure"}
    with in_words_of(names):
        answer = cluster_variation(
            outcome="rate",
            value1=rate1,
            value2=rate2,
            size=exposure,
            variation=variation,
            cv=cv,
            clusters=clusters,
            matched=matched,
            power=power,
            alpha=alpha,
            sides=sides,
            both_tails=both_tails,
            test=test,
            direction=direction,
        )
    inputs = Values({names.get(name, name): value for name, value in answer.inputs.items()})
    return replace(answer, solved=names.get(answer.solved, answer.solved), inputs=inputs)
