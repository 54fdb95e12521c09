"""Trials that allocate clusters: means and proportions, with unequal cluster sizes and few clusters by t."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

from analysis.power import arms, checks, tails
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, Range, SizeRange
from analysis.power.standardised import central_t_power
from analysis.power.wording import asked

__all__ = ["cluster_means", "cluster_proportions", "design_effect"]

Reference = Literal["t", "central", "t_people", "z"]
Weights = Literal["size", "optimal"]
_SOURCE = "Donner & Klar (2000); Eldridge, Ashby & Kerry (2006); Rutterford, Copas & Eldridge (2015)"
_WEIGHTS = {
    "size": "clusters weighted by their size",
    "optimal": "clusters weighted for least variance (van Breukelen, Candel & Berger, 2007)",
}
_REFERENCES = {
    "t": "noncentral t, df = clusters - 2",
    "central": "central t multiplier t_a + t_b, df = clusters - 2",
    "t_people": "noncentral t, df = people - 2 (Campbell & Walters, 2014)",
    "z": "normal reference",
}


@asked
def design_effect(*, icc: float, cluster_size: float, cv: float = 0.0, weights: Weights = "size") -> float:
    """Variance inflation of a cluster trial; `cv` is the coefficient of variation of the cluster sizes.

    With unequal sizes the analysis may weight clusters by their "size" (1 + ((1 + cv²) m - 1) icc) or "optimal"
    (about (1 + (m - 1) icc) / (1 - cv² L (1 - L)), L = m icc / (1 + (m - 1) icc)).
    Source: Donner & Klar (2000); Eldridge, Ashby & Kerry (2006); van Breukelen, Candel & Berger (2007).

    >>> round(design_effect(icc=0.02, cluster_size=60, cv=0.6), 3)
    2.612
    """
    checks.loading(icc=icc)
    checks.at_least(1, cluster_size=cluster_size)
    checks.at_least(0, cv=cv)
    checks.choice("weights", weights, _WEIGHTS)
    return _inflation(icc, cluster_size, cv, weights)


def _inflation(icc: float, cluster_size: float, cv: float, weights: str) -> float:
    if weights == "size":
        return 1 + ((1 + cv**2) * cluster_size - 1) * icc
    equal = 1 + (cluster_size - 1) * icc
    share = cluster_size * icc / equal
    # The approximation is for a cv up to about 1; whatever the sizes, the best weights never do worse than the sizes.
    left = 1 - cv**2 * share * (1 - share)
    by_size = 1 + ((1 + cv**2) * cluster_size - 1) * icc
    return min(equal / left, by_size) if left > 0 else by_size


def _check(icc: float, cluster_size: float | None, cv: float, ratio: float, options: tuple[str, str]) -> None:
    checks.loading(icc=icc)
    checks.at_least(1, cluster_size=cluster_size)
    checks.at_least(0, cv=cv)
    checks.positive(ratio=ratio)
    checks.choice("test", options[0], _REFERENCES)
    checks.choice("weights", options[1], _WEIGHTS)


def _fewest(ratio: float) -> float:
    """Clusters in the first arm: with one cluster in an arm, its own luck cannot be told from the treatment."""
    return max(2.0, 2 / ratio)


@asked
def cluster_means(
    *,
    icc: float,
    cluster_size: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    cv: float = 0.0,
    clusters: float | None = None,
    ratio: float = 1.0,
    r2_cluster: float = 0.0,
    r2_individual: float = 0.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    weights: Weights = "size",
    both_tails: bool = True,
) -> Result:
    """Clusters (first arm), people a cluster, power, smallest difference or level of a cluster trial of means.

    Leave out exactly one of `clusters`, `cluster_size`, `delta`, `power` and `alpha`. `sd` is the total standard
    deviation, `cluster_size` the mean number of people a cluster, `cv` its coefficient of variation, `weights` how the
    analysis weights unequal clusters ("size" or "optimal"), `r2_cluster` and `r2_individual` the variance explained at
    either level. The second arm has `ratio` times the clusters. Raises ImpossibleRequest for an `icc` outside [0, 1),
    and NoSolution when too few clusters cannot be made up for by their size. Source: Donner & Klar (2000).

    >>> round(cluster_means(delta=1, sd=5**0.5, icc=0.1, cluster_size=10, power=0.8).clusters, 3)
    15.933
    >>> cluster_means(delta=1, sd=5**0.5, icc=0.1, clusters=12, power=0.8).rounded
    23
    """
    _check(icc, cluster_size, cv, ratio, (test, weights))
    checks.positive(sd=sd)
    checks.loading(r2_cluster=r2_cluster, r2_individual=r2_individual)
    checks.different("delta", delta, 0)
    left = icc * (1 - r2_cluster) + (1 - icc) * (1 - r2_individual)
    icc_left = icc * (1 - r2_cluster) / left

    def ask(kind: str, weighting: str) -> Question:
        def error(clusters: float, cluster_size: float, delta: float) -> tuple[float, float]:
            spread = sd**2 * left * _inflation(icc_left, cluster_size, cv, weighting) / (clusters * cluster_size)
            return abs(delta), math.sqrt(spread * (1 + 1 / ratio))

        return _question(
            Method(
                "means of clusters",
                f"{_REFERENCES[kind]}; {_WEIGHTS[weighting]}",
                "se² = sd² (icc (1 + cv²)(1 - R²_c) + (1 - icc)(1 - R²_i) / m) (1/k1 + 1/k2)",
                _SOURCE,
            ),
            {"clusters": clusters, "cluster_size": cluster_size, "delta": delta, "power": power, "alpha": alpha},
            error,
            ("delta", EffectRange(scale=0.1 * sd)),
            (kind, sides, both_tails, ratio),
            lambda size: _inflation(icc, size, cv, weighting),
            {"icc": icc, "cv": cv, "sd": sd, "ratio": ratio, "sides": sides},
        )

    checks.level(alpha, power, sides)
    checks.at_least(_fewest(ratio), clusters=clusters)
    return ask(test, weights).answer(rivals=_rivals(ask, test, weights, cv))


@asked
def cluster_proportions(
    *,
    p1: float,
    p2: float | None = None,
    icc: float,
    cluster_size: float | None = None,
    cv: float = 0.0,
    clusters: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    weights: Weights = "size",
    variance: Literal["unpooled", "pooled"] = "unpooled",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = True,
) -> Result:
    """Clusters (first arm), people a cluster, power, smallest second proportion or level of a cluster trial.

    The variance ("unpooled", or "pooled" at the mean proportion) is inflated by the design effect; "t" has
    clusters - 2 degrees of freedom. Source: Donner & Klar (2000) ch. 5; Eldridge, Ashby & Kerry (2006).

    >>> round(cluster_proportions(p1=0.3, p2=0.38, icc=0.02, cluster_size=60, cv=0.6, clusters=20).power, 4)
    0.7066
    """
    _check(icc, cluster_size, cv, ratio, (test, weights))
    checks.level(alpha, power, sides)
    checks.probability(p1=p1, p2=p2)
    checks.choice("variance", variance, ("unpooled", "pooled"))
    checks.choice("direction", direction, ("higher", "lower"))
    if p2 is not None:
        checks.different("p2", p2, p1)
    checks.at_least(_fewest(ratio), clusters=clusters)

    def ask(kind: str, weighting: str) -> Question:
        def error(clusters: float, cluster_size: float, p2: float) -> tuple[float, float]:
            mean = (p1 + ratio * p2) / (1 + ratio)
            first, second = (mean, mean) if variance == "pooled" else (p1, p2)
            spread = first * (1 - first) + second * (1 - second) / ratio
            inflation = _inflation(icc, cluster_size, cv, weighting)
            return abs(p2 - p1), math.sqrt(inflation * spread / (clusters * cluster_size))

        return _question(
            Method(
                "proportions of clusters",
                f"{_REFERENCES[kind]}; {variance} variance times the design effect, {_WEIGHTS[weighting]}",
                "se² = (1 + ((1 + cv²) m - 1) icc) (p1 q1 / (k1 m) + p2 q2 / (k2 m))",
                _SOURCE,
            ),
            {"clusters": clusters, "cluster_size": cluster_size, "p2": p2, "power": power, "alpha": alpha},
            error,
            ("p2", EffectRange(p1, 1.0 if direction == "higher" else 0.0, 0.01)),
            (kind, sides, both_tails, ratio),
            lambda size: _inflation(icc, size, cv, weighting),
            {"p1": p1, "icc": icc, "cv": cv, "ratio": ratio, "sides": sides},
        )

    return ask(test, weights).answer(rivals=_rivals(ask, test, weights, cv))


def _rivals(ask: Callable[[str, str], Question], test: str, weights: str, cv: float) -> list[Question]:
    others = [ask(kind, weights) for kind in _REFERENCES if kind != test]
    return others + ([ask(test, kind) for kind in _WEIGHTS if kind != weights] if cv else [])


def _freedom(kind: str, clusters: float, cluster_size: float) -> float:
    if kind == "z":
        return math.inf
    return clusters * (cluster_size if kind == "t_people" else 1.0) - 2


def _question(
    method: Method,
    given: Mapping[str, float | None],
    error: Callable[[float, float, float], tuple[float, float]],
    effect: tuple[str, Range],
    tail: tuple[str, int, bool, float],
    inflation: Callable[[float], float],
    notes: Mapping[str, object],
) -> Question:
    """`error(clusters, cluster_size, effect)` gives the absolute effect and its standard error."""
    kind, sides, both_tails, ratio = tail

    def power_of(clusters: float, cluster_size: float, alpha: float, **effects: float) -> float:
        gap, se = error(clusters, cluster_size, effects[effect[0]])
        if kind == "z":
            return tails.z_power(gap / se, alpha, sides, both_tails)
        df = _freedom(kind, clusters * (1 + ratio), cluster_size)
        if kind == "central":
            return central_t_power(gap / se, df, alpha, sides)
        return tails.t_power(gap / se, df, alpha, sides, both_tails)

    def details(clusters: float, cluster_size: float, **others: float) -> dict[str, float]:
        gap, se = error(clusters, cluster_size, others[effect[0]])
        counted = arms.totals(clusters, None, ratio)
        return {
            "clusters_total": counted["n_total"],
            "clusters2": counted["n2"],
            "n": clusters * cluster_size,
            "n_total": counted["n_total"] * cluster_size,
            "design_effect": inflation(cluster_size),
            "se": se,
            "df": _freedom(kind, counted["n_total"], cluster_size),
            "ncp": gap / se,
        }

    sizes = {"clusters": SizeRange(_fewest(ratio)), "cluster_size": SizeRange(1), effect[0]: effect[1]}
    return Question(method, given, power_of, sizes, details, notes)
