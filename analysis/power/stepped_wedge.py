"""Stepped-wedge trials: every cluster crosses from control to treatment at its own step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.standardised import answer_t
from analysis.power.wording import asked

__all__ = ["stepped_wedge", "stepped_wedge_design", "stepped_wedge_proportions", "stepped_wedge_variance"]

_SOURCE = "Hussey & Hughes (2007); Hooper et al. (2016); Girling & Hemming (2016)"


def stepped_wedge_design(
    clusters_per_step: Sequence[int] | int, steps: int | None = None, *, baseline: int = 1, after: int = 1
) -> np.ndarray:
    """Treatment indicators, shape (clusters, periods): `baseline` periods in control, one step a period, and `after`
    periods with everyone treated (1 is the standard design).

    >>> stepped_wedge_design(1, 2)
    array([[0., 1., 1.],
           [0., 0., 1.]])
    """
    counts = [clusters_per_step] * (steps or 0) if isinstance(clusters_per_step, int) else list(clusters_per_step)
    if len(counts) < 1 or min(counts) < 1:
        raise ImpossibleRequest("clusters_per_step", "every step needs at least one cluster")
    periods = baseline + len(counts) - 1 + after
    rows = [[float(t >= baseline + step) for t in range(periods)] for step in range(len(counts))]
    return np.repeat(np.array(rows), counts, axis=0)


def stepped_wedge_variance(
    design: np.ndarray,
    *,
    cluster_size: float | Sequence[float] | np.ndarray,
    sd2_residual: float,
    sd2_cluster: float,
    sd2_cluster_period: float = 0.0,
    sd2_person: float = 0.0,
    sd2_treatment: float = 0.0,
    treatment_correlation: float = 0.0,
    decay: float = 1.0,
) -> float:
    """Variance of the treatment effect with fixed period effects, by generalised least squares on cluster means.

    `design` has shape (clusters, periods) with the treatment indicators, NaN where a cluster is not observed;
    `cluster_size` people a cluster and period: one number, one a cluster, or one a cell. The variances are of the
    residual, the cluster, the cluster by period, the person (a cohort) and the effect of treatment between clusters,
    which correlates `treatment_correlation` with the level of the cluster. That level may change: two periods that lie
    k apart share decay**k of its variance. Source: Hussey & Hughes (2007); Hooper et al. (2016); Voldal et al. (2020);
    Kasza et al. (2019).

    >>> design = stepped_wedge_design(3, 4)
    >>> round(stepped_wedge_variance(design, cluster_size=20, sd2_residual=0.95, sd2_cluster=0.05), 8)
    0.00954008
    """
    clusters, periods = design.shape
    people = np.asarray(cluster_size, float)
    sizes = np.broadcast_to(people[:, None] if people.ndim == 1 else people, design.shape)
    cross = treatment_correlation * math.sqrt(sd2_cluster * sd2_treatment)
    information = np.zeros((periods + 1, periods + 1))
    covariance: dict[bytes, np.ndarray] = {}
    for row, size in zip(design, sizes, strict=True):
        key = row.tobytes() + size.tobytes()
        if key not in covariance:
            seen = np.isfinite(row) & (size > 0)
            x = np.column_stack([np.eye(periods), np.nan_to_num(row)])[seen]
            treated, m = row[seen], size[seen]
            apart = np.abs(np.subtract.outer(np.flatnonzero(seen), np.flatnonzero(seen)))
            v = np.diag(sd2_cluster_period + sd2_residual / m) + sd2_cluster * decay**apart + sd2_person / m.mean()
            v += sd2_treatment * np.outer(treated, treated) + cross * np.add.outer(treated, treated)
            covariance[key] = x.T @ np.linalg.solve(v, x)
        information += covariance[key]
    if np.linalg.matrix_rank(information) <= periods:
        raise ImpossibleRequest("design", f"with {clusters} clusters the treatment is confounded with the periods")
    return float(np.linalg.inv(information)[-1, -1])


def _variance_of_one(
    layout: np.ndarray,
    cluster_size: float,
    total: float,
    correlations: tuple[float, float, float],
    sd_treatment: float,
    decay: str,
) -> float:
    """Variance with one cluster a step, from (icc, cluster autocorrelation, person autocorrelation)."""
    icc, cluster, person = correlations
    lasting = cluster if decay == "constant" else 1.0
    return stepped_wedge_variance(
        layout,
        cluster_size=cluster_size,
        sd2_residual=total * (1 - icc) * (1 - person),
        sd2_cluster=total * icc * lasting,
        sd2_cluster_period=total * icc * (1 - lasting),
        sd2_person=total * (1 - icc) * person,
        sd2_treatment=sd_treatment**2,
        decay=1.0 if decay == "constant" else cluster,
    )


@asked
def stepped_wedge(
    *,
    cluster_size: float,
    icc: float,
    steps: int,
    clusters_per_step: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    cluster_autocorrelation: float = 1.0,
    person_autocorrelation: float = 0.0,
    decay: Literal["constant", "exponential"] = "constant",
    sd_treatment: float = 0.0,
    baseline: int = 1,
    after: int = 1,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Clusters a step, power, smallest effect or level of a stepped-wedge trial with a continuous outcome.

    `cluster_size` is people a cluster and period; `icc` the correlation of two people in one cluster and period, and
    `cluster_autocorrelation` its persistence from one period to another (1 is Hussey and Hughes), the same between any
    two periods, or with `decay="exponential"` once more for every period between them;
    `person_autocorrelation` that of one person measured repeatedly (0: new people each period, a cross-section).
    `sd` is the total standard deviation, `sd_treatment` that of the effect between clusters; `after` counts periods
    with everyone treated. Source: Hussey & Hughes (2007); Hooper et al. (2016); Kasza et al. (2019).

    >>> answer = stepped_wedge(cluster_size=20, icc=0.05, steps=4, clusters_per_step=3, delta=0.2)
    >>> round(answer.power, 6), round(answer.design_effect, 6)
    (0.534964, 0.572405)
    """
    checks.positive(sd=sd, cluster_size=cluster_size)
    checks.loading(icc=icc)
    checks.between("cluster_autocorrelation", cluster_autocorrelation, 0, 1)
    checks.between("person_autocorrelation", person_autocorrelation, 0, 1)
    checks.choice("decay", decay, ("constant", "exponential"))
    checks.whole(2, steps=steps)
    checks.whole(1, baseline=baseline, after=after)
    total = sd**2
    layout = stepped_wedge_design(1, steps, baseline=baseline, after=after)
    correlations = (icc, cluster_autocorrelation, person_autocorrelation)
    unit = _variance_of_one(layout, cluster_size, total, correlations, sd_treatment, decay)

    def details(clusters_per_step: float) -> dict[str, float]:
        clusters = clusters_per_step * steps
        people = clusters * cluster_size * (baseline + steps - 1 + after)
        variance = unit / clusters_per_step
        return {
            "clusters_total": clusters,
            "n_total": people if not person_autocorrelation else clusters * cluster_size,
            "observations": people,
            "variance": variance,
            "design_effect": variance * clusters * cluster_size / (4 * total),
        }

    return answer_t(
        Method(
            "stepped wedge",
            "variances known, fixed periods, random clusters"
            + (", correlation decays by period" if decay == "exponential" else ""),
            "variance of the treatment coefficient by generalised least squares on cluster-period means",
            _SOURCE,
        ),
        {"clusters_per_step": clusters_per_step, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(1),
        lambda clusters_per_step: (math.sqrt(unit / clusters_per_step), clusters_per_step * steps - 1),
        sides=sides,
        test="z",
        both_tails=both_tails,
        scale=sd,
        details=details,
        notes={"cluster_size": cluster_size, "icc": icc, "steps": steps, "sd": sd},
    )


@asked
def stepped_wedge_proportions(
    *,
    p1: float,
    p2: float | None = None,
    sd_cluster: float,
    cluster_size: float | Sequence[float],
    clusters_per_step: Sequence[int] | float | None = None,
    steps: int | None = None,
    sd_treatment: float = 0.0,
    sd_cluster_period: float = 0.0,
    treatment_correlation: float = 0.0,
    baseline: int = 1,
    after: int = 1,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    direction: Literal["higher", "lower"] = "lower",
    both_tails: bool = True,
) -> Result:
    """Clusters a step, power, second proportion or level of a stepped-wedge trial, linear model for cluster means.

    `sd_cluster` is the standard deviation of the proportions between clusters, `cluster_size` people a cluster and
    period (one number, or one a cluster when `clusters_per_step` is a list); the variance within is p (1 - p) at the
    mean of both proportions. `clusters_per_step` may list unequal steps when their number is not the question. A
    missing `p2` is sought below `p1`, or above with `direction="higher"`. Source: Hussey & Hughes (2007) §4.

    >>> round(stepped_wedge_proportions(p1=0.05, p2=0.035, sd_cluster=0.01, cluster_size=120,
    ...                                 clusters_per_step=6, steps=4, after=4).power, 4)
    0.8171
    """
    checks.level(alpha, power, sides)
    checks.probability(p1=p1, p2=p2)
    checks.at_least(0, sd_cluster=sd_cluster, sd_treatment=sd_treatment, sd_cluster_period=sd_cluster_period)
    checks.between("treatment_correlation", treatment_correlation, -1, 1)
    checks.choice("direction", direction, ("higher", "lower"))
    if p2 is not None:
        checks.different("p2", p2, p1)
    listed = isinstance(clusters_per_step, Sequence)
    counts = list(clusters_per_step) if isinstance(clusters_per_step, Sequence) else [1] * (steps or 0)
    if len(counts) < 2:
        raise ImpossibleRequest("steps", "give the number of steps, at least 2")
    layout = stepped_wedge_design(counts, baseline=baseline, after=after)
    size = 1.0 if listed else clusters_per_step
    assert not isinstance(size, Sequence)

    def variance(clusters_per_step: float, p2: float) -> float:
        mean = (p1 + p2) / 2
        unit = stepped_wedge_variance(
            layout,
            cluster_size=cluster_size,
            sd2_residual=mean * (1 - mean),
            sd2_cluster=sd_cluster**2,
            sd2_cluster_period=sd_cluster_period**2,
            sd2_treatment=sd_treatment**2,
            treatment_correlation=treatment_correlation,
        )
        return unit / clusters_per_step

    def power_of(clusters_per_step: float, p2: float, alpha: float) -> float:
        return tails.z_power((p2 - p1) / math.sqrt(variance(clusters_per_step, p2)), alpha, sides, both_tails)

    return Question(
        Method(
            "stepped wedge, proportions",
            "normal reference; variances known, fixed periods, random clusters, linear model",
            "variance of the treatment coefficient by generalised least squares on cluster-period means",
            "Hussey & Hughes (2007)",
        ),
        {"clusters_per_step": size, "p2": p2, "power": power, "alpha": alpha},
        power_of,
        {"clusters_per_step": SizeRange(1), "p2": EffectRange(p1, 1.0 if direction == "higher" else 0.0, 0.01)},
        lambda clusters_per_step, p2, **_: {
            "variance": variance(clusters_per_step, p2),
            "clusters_total": clusters_per_step * len(layout),
        },
        {"p1": p1, "sd_cluster": sd_cluster, "cluster_size": cluster_size, "steps": len(counts), "sides": sides},
    ).answer()
