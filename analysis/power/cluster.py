"""Trials that allocate clusters: means and proportions, with unequal cluster sizes and few clusters by t."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import arms, checks, tails
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.standardised import answer_t

__all__ = ["cluster_means", "cluster_proportions", "design_effect"]

Reference = Literal["t", "central", "z"]
_SOURCE = "Donner & Klar (2000); Eldridge, Ashby & Kerry (2006); Rutterford, Copas & Eldridge (2015)"


def design_effect(*, icc: float, cluster_size: float, cv: float = 0.0) -> float:
    """Variance inflation of a cluster trial; `cv` is the coefficient of variation of the cluster sizes.

    Source: Donner & Klar (2000); Eldridge, Ashby & Kerry (2006).

    >>> round(design_effect(icc=0.02, cluster_size=60, cv=0.6), 3)
    2.612
    """
    checks.loading(icc=icc)
    checks.at_least(1, cluster_size=cluster_size)
    checks.at_least(0, cv=cv)
    return 1 + ((1 + cv**2) * cluster_size - 1) * icc


def cluster_means(
    *,
    icc: float,
    cluster_size: float,
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
    both_tails: bool = True,
) -> Result:
    """Clusters (first arm), power, smallest difference or level of a two-arm cluster trial of means.

    `sd` is the total standard deviation, `cluster_size` the mean number of people a cluster, `cv` its coefficient of
    variation, `r2_cluster` and `r2_individual` the variance explained at either level. The second arm has `ratio`
    times the clusters. Raises ImpossibleRequest for an `icc` outside [0, 1). Source: Donner & Klar (2000).

    >>> round(cluster_means(delta=1, sd=5**0.5, icc=0.1, cluster_size=10, power=0.8).clusters, 3)
    15.933
    """
    inflation = design_effect(icc=icc, cluster_size=cluster_size, cv=cv)
    checks.positive(sd=sd)
    checks.loading(r2_cluster=r2_cluster, r2_individual=r2_individual)
    between = icc * (1 - r2_cluster) * (1 + cv**2)
    variance = sd**2 * (between + (1 - icc) * (1 - r2_individual) / cluster_size)
    checks.positive(ratio=ratio)

    def standing(clusters: float) -> tuple[float, float]:
        return math.sqrt(variance / clusters * (1 + 1 / ratio)), clusters * (1 + ratio) - 2

    return answer_t(
        Method(
            "means of clusters",
            "df = clusters - 2",
            "se² = sd² (icc (1 + cv²)(1 - R²_c) + (1 - icc)(1 - R²_i) / m) (1/k1 + 1/k2)",
            _SOURCE,
        ),
        {"clusters": clusters, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(1.0 if test == "z" else max(1.0, 3 / (1 + ratio))),
        standing,
        sides=sides,
        test=test,
        both_tails=both_tails,
        scale=sd,
        details=lambda clusters: _counts(clusters, ratio, cluster_size) | {"design_effect": inflation},
        notes={"icc": icc, "cluster_size": cluster_size, "cv": cv, "sd": sd, "ratio": ratio},
    )


def _counts(clusters: float, ratio: float, cluster_size: float) -> dict[str, float]:
    total = arms.totals(clusters, None, ratio)["n_total"]
    return {"clusters_total": total, "n": clusters * cluster_size, "n_total": total * cluster_size}


def cluster_proportions(
    *,
    p1: float,
    p2: float | None = None,
    icc: float,
    cluster_size: float,
    cv: float = 0.0,
    clusters: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Literal["t", "z"] = "t",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = True,
) -> Result:
    """Clusters (first arm), power, smallest second proportion or level of a cluster trial of proportions.

    The variance is unpooled and inflated by the design effect; "t" has clusters - 2 degrees of freedom.
    Source: Donner & Klar (2000) ch. 5; Eldridge, Ashby & Kerry (2006).

    >>> round(cluster_proportions(p1=0.3, p2=0.38, icc=0.02, cluster_size=60, cv=0.6, clusters=20).power, 4)
    0.7066
    """
    checks.level(alpha, power, sides)
    checks.probability(p1=p1, p2=p2)
    checks.positive(ratio=ratio)
    checks.choice("test", test, ("t", "z"))
    inflation = design_effect(icc=icc, cluster_size=cluster_size, cv=cv)
    if p2 is not None:
        checks.different("p2", p2, p1)
    smallest = 1.0 if test == "z" else max(1.0, 3 / (1 + ratio))
    checks.at_least(smallest, clusters=clusters)

    def ask(kind: str) -> Question:
        def power_of(clusters: float, p2: float, alpha: float) -> float:
            variance = inflation / (clusters * cluster_size) * (p1 * (1 - p1) + p2 * (1 - p2) / ratio)
            shift = abs(p2 - p1) / math.sqrt(variance)
            if kind == "z":
                return tails.z_power(shift, alpha, sides, both_tails)
            return tails.t_power(shift, clusters * (1 + ratio) - 2, alpha, sides, both_tails)

        reference = "normal reference" if kind == "z" else "noncentral t, df = clusters - 2"
        return Question(
            Method(
                "proportions of clusters",
                f"{reference}, unpooled variance times the design effect",
                "se² = (1 + ((1 + cv²) m - 1) icc) (p1 q1 / (k1 m) + p2 q2 / (k2 m))",
                _SOURCE,
            ),
            {"clusters": clusters, "p2": p2, "power": power, "alpha": alpha},
            power_of,
            {"clusters": SizeRange(smallest), "p2": EffectRange(p1, 1.0 if direction == "higher" else 0.0, 0.01)},
            lambda clusters, **_: _counts(clusters, ratio, cluster_size) | {"design_effect": inflation},
            {"p1": p1, "icc": icc, "cluster_size": cluster_size, "cv": cv, "ratio": ratio, "sides": sides},
        )

    return ask(test).answer(rivals=[ask("z" if test == "t" else "t")])
