"""What the money buys: the best split between arms and between clusters and people; and the finite population."""

from __future__ import annotations

import math

from analysis.power import checks
from analysis.power.cluster import design_effect
from analysis.power.result import Result, Values
from analysis.power.wording import asked

__all__ = ["finite_population", "optimal_cluster_size", "optimal_share"]


@asked
def optimal_share(
    *, cost_control: float, cost_treated: float, sd_control: float = 1.0, sd_treated: float = 1.0
) -> Result:
    """Treated share of the sample with the smallest variance for a given budget.

    `relative_efficiency` in the details is that of an equal split. Source: Cochran (1977) §5.5; Nam (1973);
    Liu (2003).

    >>> answer = optimal_share(cost_control=1, cost_treated=5)
    >>> round(answer.value, 4), round(answer.relative_efficiency, 4)
    (0.309, 0.8727)
    """
    checks.positive(cost_control=cost_control, cost_treated=cost_treated, sd_control=sd_control, sd_treated=sd_treated)
    control, treated = sd_control / math.sqrt(cost_control), sd_treated / math.sqrt(cost_treated)
    share = treated / (control + treated)

    def variance_per_euro(p: float) -> float:
        cost = (1 - p) * cost_control + p * cost_treated
        return cost * (sd_control**2 / (1 - p) + sd_treated**2 / p)

    return Result(
        solved="share",
        value=share,
        rounded=round(share, 4),
        test="optimal allocation",
        convention="least variance for a budget",
        formula="n2 / n1 = (sd2 / sd1) sqrt(cost1 / cost2)",
        source="Cochran (1977) §5.5; Liu (2003)",
        inputs=Values({"share": share, "cost_control": cost_control, "cost_treated": cost_treated}),
        details=Values(
            {"ratio": share / (1 - share), "relative_efficiency": variance_per_euro(share) / variance_per_euro(0.5)}
        ),
    )


@asked
def optimal_cluster_size(
    *, cost_cluster: float, cost_person: float, icc: float, compared_with: float | None = None
) -> Result:
    """People a cluster with the smallest variance for a given budget.

    `variance_ratio` in the details is the variance per euro at `compared_with` people a cluster over that at the
    rounded optimum. Source: Cochran (1977) ch. 9; Raudenbush (1997).

    >>> answer = optimal_cluster_size(cost_cluster=300, cost_person=10, icc=0.05, compared_with=50)
    >>> round(answer.value, 3), round(answer.variance_ratio, 4)
    (23.875, 1.1411)
    """
    checks.positive(cost_cluster=cost_cluster, cost_person=cost_person)
    checks.probability(icc=icc)
    size = math.sqrt(cost_cluster / cost_person * (1 - icc) / icc)

    def variance_per_euro(m: float) -> float:
        return (cost_cluster / m + cost_person) * (1 + (m - 1) * icc)

    whole = max(round(size), 1)
    details = {"design_effect": design_effect(icc=icc, cluster_size=whole)}
    if compared_with is not None:
        checks.positive(compared_with=compared_with)
        details["variance_ratio"] = variance_per_euro(compared_with) / variance_per_euro(whole)
    return Result(
        solved="cluster_size",
        value=size,
        rounded=whole,
        test="optimal cluster size",
        convention="least variance for a budget",
        formula="m = sqrt(cost_cluster / cost_person (1 - icc) / icc)",
        source="Cochran (1977) ch. 9; Raudenbush (1997)",
        inputs=Values({"cluster_size": size, "cost_cluster": cost_cluster, "cost_person": cost_person, "icc": icc}),
        details=Values(details),
    )


@asked
def finite_population(*, n: float, population: float) -> Result:
    """Sample for the precision of a survey of a finite population, from the size for an infinite one.

    A treatment effect generalises beyond the people at hand, so its sample never shrinks in this way; the result
    carries that warning. Source: Cochran (1977) §4.2.

    >>> round(finite_population(n=3067, population=50_000).value, 2)
    2889.8
    """
    checks.positive(n=n, population=population)
    value = n / (1 + (n - 1) / population)
    return Result(
        solved="n",
        value=value,
        rounded=math.ceil(value - 1e-9),
        test="finite population",
        convention="survey precision only",
        formula="n / (1 + (n - 1) / N)",
        source="Cochran (1977) §4.2",
        inputs=Values({"n": value, "n_infinite": n, "population": population}),
        warnings=("for the precision of a survey only: a treatment effect takes no finite-population correction",),
    )
