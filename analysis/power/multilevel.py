"""Two- and three-level cluster trials with covariates at each level, and clusters randomised within blocks."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import Method, SizeRange
from analysis.power.standardised import answer_t
from analysis.power.wording import asked

__all__ = ["blocked_clusters", "three_levels", "two_levels"]

Reference = Literal["t", "central", "z"]
_SOURCE = "Raudenbush (1997); Dong & Maynard (2013)"


@asked
def two_levels(
    *,
    icc: float,
    cluster_size: float,
    delta: float | None = None,
    sd: float = 1.0,
    clusters_total: float | None = None,
    share: float = 0.5,
    r2_individual: float = 0.0,
    r2_cluster: float = 0.0,
    covariates: int = 0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    both_tails: bool = True,
) -> Result:
    """Clusters in total, power, smallest effect or level when clusters are randomised, with covariates.

    `share` of the clusters is treated; `covariates` counts those at the cluster level, each costing a degree of
    freedom. Source: Dong & Maynard (2013), CRA2_2r.

    >>> explained = dict(r2_individual=0.3, r2_cluster=0.5, covariates=1)
    >>> answer = two_levels(icc=0.1, cluster_size=20, delta=0.25, power=0.8, **explained)
    >>> answer.rounded, round(answer.at_rounded["power"], 4)
    (43, 0.8)
    """
    return three_levels(
        icc3=icc,
        icc2=0.0,
        units=1,
        unit_size=cluster_size,
        delta=delta,
        sd=sd,
        clusters_total=clusters_total,
        share=share,
        r2=(r2_individual, 0.0, r2_cluster),
        covariates=covariates,
        power=power,
        alpha=alpha,
        sides=sides,
        both_tails=both_tails,
        test=test,
    )


@asked
def three_levels(
    *,
    icc3: float,
    icc2: float,
    units: float,
    unit_size: float,
    delta: float | None = None,
    sd: float = 1.0,
    clusters_total: float | None = None,
    share: float = 0.5,
    r2: tuple[float, float, float] = (0.0, 0.0, 0.0),
    covariates: int = 0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    both_tails: bool = True,
) -> Result:
    """Clusters in total, power, smallest effect or level when the top of three levels is randomised.

    Each cluster holds `units` units of `unit_size` people; `icc3` and `icc2` are the shares of variance at the
    cluster and the unit level; `r2` the variance explained at levels 1, 2 and 3; `covariates` those of level 3.
    Source: Dong & Maynard (2013), CRA3_3r.

    >>> inputs = dict(icc3=0.18, icc2=0.06, units=2, unit_size=10, r2=(0.55, 0.5, 0.45), covariates=1, share=0.4)
    >>> round(three_levels(clusters_total=83, power=0.8, test="central", **inputs).delta, 3)
    0.23
    """
    checks.positive(sd=sd)
    checks.loading(icc3=icc3, icc2=icc2, r2_level1=r2[0], r2_level2=r2[1], r2_level3=r2[2])
    if icc2 + icc3 >= 1:
        raise ImpossibleRequest("icc2", f"the shares of variance above the person sum to {icc2 + icc3:g}, not below 1")
    checks.at_least(1, units=units, unit_size=unit_size)
    checks.probability(share=share)
    checks.whole(0, covariates=covariates)
    one = (1 - icc2 - icc3) * (1 - r2[0]) / (unit_size * units)
    variance = icc3 * (1 - r2[2]) + icc2 * (1 - r2[1]) / units + one

    def standing(clusters_total: float) -> tuple[float, float]:
        return sd * math.sqrt(variance / (share * (1 - share) * clusters_total)), clusters_total - covariates - 2

    return answer_t(
        Method(
            "means of clusters, levels and covariates",
            "df = clusters - covariates - 2",
            "se² = sd² (icc3 (1 - R²_3) + icc2 (1 - R²_2)/J + (1 - icc2 - icc3)(1 - R²_1)/(n J)) / (P (1 - P) K)",
            _SOURCE,
        ),
        {"clusters_total": clusters_total, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(covariates + 3),
        standing,
        sides=sides,
        both_tails=both_tails,
        test=test,
        scale=sd,
        details=lambda clusters_total: {"n_total": clusters_total * units * unit_size},
        notes={"icc3": icc3, "icc2": icc2, "units": units, "unit_size": unit_size, "share": share, "sd": sd},
    )


@asked
def blocked_clusters(
    *,
    blocks: float | None = None,
    clusters: float,
    cluster_size: float,
    icc: float,
    icc_blocks: float = 0.0,
    effects: Literal["fixed", "random"] = "fixed",
    effect_variation: float = 0.0,
    delta: float | None = None,
    share: float = 0.5,
    r2_individual: float = 0.0,
    r2_cluster: float = 0.0,
    covariates: int = 0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    both_tails: bool = True,
) -> Result:
    """Blocks, power, smallest standardised effect or level when clusters are randomised within blocks.

    Each block holds `clusters` clusters. Block effects "fixed" (these blocks) or "random" (a sample of blocks, with
    `icc_blocks` and `effect_variation` as a multiple of it). Source: Dong & Maynard (2013), BCRA3_2f and BCRA3_2r.

    >>> blocked_clusters(blocks=5, clusters=10, cluster_size=20, icc=0.1, power=0.8).df
    40
    """
    checks.loading(icc=icc, icc_blocks=icc_blocks, r2_individual=r2_individual, r2_cluster=r2_cluster)
    checks.at_least(1, cluster_size=cluster_size)
    checks.at_least(3 if effects == "fixed" else 2, clusters=clusters)
    checks.probability(share=share)
    checks.choice("effects", effects, ("fixed", "random"))
    within = icc * (1 - r2_cluster) + (1 - icc - icc_blocks) * (1 - r2_individual) / cluster_size

    def standing(blocks: float) -> tuple[float, float]:
        variance = within / (share * (1 - share) * blocks * clusters)
        if effects == "random":
            return math.sqrt(variance + icc_blocks * effect_variation / blocks), blocks - covariates - 1
        return math.sqrt(variance), blocks * (clusters - 2) - covariates

    return answer_t(
        Method(
            "clusters within blocks",
            f"{effects} effects across blocks",
            "se² = icc3 omega / K + (icc (1 - R²_2) + (1 - icc)(1 - R²_1) / n) / (P (1 - P) J K)",
            _SOURCE,
        ),
        {"blocks": blocks, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(covariates + 2 if effects == "random" else (covariates + 1) / (clusters - 2)),
        standing,
        sides=sides,
        both_tails=both_tails,
        test=test,
        details=lambda blocks: {"clusters_total": blocks * clusters, "n_total": blocks * clusters * cluster_size},
        notes={"clusters": clusters, "cluster_size": cluster_size, "icc": icc, "icc_blocks": icc_blocks},
    )
