"""Outcomes measured more than once: means before and after, difference in differences, slopes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from analysis.power import arms, checks
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import Method, SizeRange
from analysis.power.standardised import answer_t
from analysis.power.wording import asked

__all__ = ["difference_in_differences", "repeated_measures", "slopes", "variance_factors"]

Estimator = Literal["ancova", "change", "post"]
Reference = Literal["t", "central", "z"]


@asked
def variance_factors(*, correlation: float, pre: int = 1, post: int = 1) -> dict[str, float]:
    """Variance of each estimator as a multiple of 2 sd² / n, with `pre` and `post` equally correlated measurements.

    Source: Frison & Pocock (1992); McKenzie (2012).

    >>> {name: round(factor, 4) for name, factor in variance_factors(correlation=0.3, pre=2, post=2).items()}
    {'post': 0.65, 'change': 0.7, 'ancova': 0.5115}
    """
    checks.whole(0, pre=pre)
    checks.whole(1, post=post)
    if correlation == 1:
        raise ImpossibleRequest("correlation", "must be below 1: measurements that always agree tell nothing new")
    checks.between("correlation", correlation, -1 / max(pre + post - 1, 1), 1)
    after = (1 + (post - 1) * correlation) / post
    factors = {"post": after}
    if pre:
        before = (1 + (pre - 1) * correlation) / pre
        factors["change"] = after + before - 2 * correlation
        factors["ancova"] = after - correlation**2 / before
    return factors


@asked
def repeated_measures(
    *,
    correlation: float,
    pre: int = 1,
    post: int = 1,
    estimator: Estimator = "ancova",
    delta: float | None = None,
    sd: float = 1.0,
    n: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    both_tails: bool = True,
) -> Result:
    """Size (first arm), power, smallest effect or level with several measurements before and after.

    `estimator`: "post" means after only (the time-averaged difference), "change" from before to after, "ancova" with
    the mean before as covariate. Source: Frison & Pocock (1992); McKenzie (2012); Diggle et al. (2002) §2.4.

    >>> round(repeated_measures(correlation=0.5, delta=0.25, power=0.8, test="z").n, 1)
    188.4
    """
    factors = variance_factors(correlation=correlation, pre=pre, post=post)
    if estimator not in factors:
        checks.choice("estimator", estimator, ("ancova", "change", "post"))
        raise ImpossibleRequest("pre", f"the estimator '{estimator}' needs at least one measurement before")
    checks.positive(sd=sd, ratio=ratio)
    factor, adjusted = factors[estimator], int(estimator == "ancova")

    def standing(n: float) -> tuple[float, float]:
        return sd * math.sqrt(factor * (1 + 1 / ratio) / n), n * (1 + ratio) - 2 - adjusted

    return answer_t(
        Method(
            f"repeated measures, {estimator}",
            "equal correlations (compound symmetry)",
            "se² = factor sd² (1/n1 + 1/n2); see variance_factors",
            "Frison & Pocock (1992); McKenzie (2012)",
        ),
        {"n": n, "delta": delta, "power": power, "alpha": alpha},
        arms.smallest(None, ratio),
        standing,
        sides=sides,
        both_tails=both_tails,
        test=test,
        scale=sd,
        details=lambda n: arms.totals(n, None, ratio) | {"variance_factor": factor},
        notes={"correlation": correlation, "pre": pre, "post": post, "sd": sd, "ratio": ratio},
    )


@asked
def difference_in_differences(
    *,
    correlation: float = 0.0,
    pre: int = 1,
    post: int = 1,
    delta: float | None = None,
    sd: float = 1.0,
    icc: float = 0.0,
    cluster_size: float = 1.0,
    cluster_autocorrelation: float = 0.0,
    estimator: Estimator = "change",
    n: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Size (first arm, each round), power, smallest effect or level of a trial with rounds before and after.

    `correlation` between two measurements of one person given the cluster (0: a new sample each round). With clusters,
    `icc` within a round and `cluster_autocorrelation` between rounds. `estimator`: "change" (difference of changes),
    "ancova" (the cluster's mean before as covariate, 1 - r² of the variance) or "post" (rounds after only).
    Source: McKenzie (2012); Teerenstra et al. (2012).

    >>> difference_in_differences(delta=0.2, power=0.8).rounded
    786
    >>> rounds = dict(delta=0.2, power=0.8, icc=0.05, cluster_size=20, cluster_autocorrelation=0.8)
    >>> [difference_in_differences(**rounds, estimator=e).rounded for e in ("post", "change", "ancova")]
    [785, 923, 657]
    """
    checks.whole(1, pre=pre)
    checks.loading(icc=icc)
    checks.positive(sd=sd, ratio=ratio, cluster_size=cluster_size)
    checks.between("cluster_autocorrelation", cluster_autocorrelation, 0, 1)
    checks.choice("estimator", estimator, ("ancova", "change", "post"))
    variance_factors(correlation=correlation, pre=pre, post=post)
    inflation = 1 - icc + cluster_size * icc
    # Means of clusters in two rounds correlate by the people and by the cluster that they share.
    between = ((1 - icc) * correlation + cluster_size * icc * cluster_autocorrelation) / inflation
    factor = inflation * variance_factors(correlation=min(between, math.nextafter(1, 0)), pre=pre, post=post)[estimator]
    adjusted = int(estimator == "ancova")

    def standing(n: float) -> tuple[float, float]:
        units = n * (1 + ratio) / (cluster_size if icc else 1)
        return sd * math.sqrt(factor * (1 + 1 / ratio) / n), units - 2 - adjusted

    return answer_t(
        Method(
            "difference in differences" if estimator == "change" else f"rounds before and after, {estimator}",
            "from before to after, df = units - 2" + (" - 1" if adjusted else ""),
            "se² = sd² (1 + (m - 1) icc) f(r) (1/n1 + 1/n2), r of the cluster's means; see variance_factors",
            "McKenzie (2012); Teerenstra et al. (2012)",
        ),
        {"n": n, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(max(2.0, (3 + adjusted) * (cluster_size if icc else 1) / (1 + ratio))),
        standing,
        sides=sides,
        both_tails=both_tails,
        scale=sd,
        details=lambda n: (
            arms.totals(n, None, ratio)
            | {"variance_factor": factor, "design_effect": inflation, "correlation_of_means": between}
        ),
        notes={"correlation": correlation, "pre": pre, "post": post, "icc": icc, "cluster_size": cluster_size},
    )


@asked
def slopes(
    *,
    times: Sequence[float],
    sd_residual: float,
    sd_slope: float = 0.0,
    delta: float | None = None,
    n: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    both_tails: bool = True,
) -> Result:
    """Size (first arm), power, smallest difference of mean slopes or level.

    `times` are the moments of measurement, `sd_residual` the scatter around a person's own line (with a compound
    symmetric correlation rho it is sd sqrt(1 - rho)), `sd_slope` that of true slopes across people.
    Source: Diggle et al. (2002) §2.4; Fitzmaurice, Laird & Ware (2011) ch. 20.

    >>> slopes(times=[0, 2, 5], sd_residual=(100 * 0.5) ** 0.5, delta=0.5, power=0.8, sides=1, test="z").rounded
    196
    """
    if len(times) < 2 or len(set(times)) < 2:
        raise ImpossibleRequest("times", "a slope needs at least two different moments of measurement")
    checks.positive(sd_residual=sd_residual, ratio=ratio)
    checks.at_least(0, sd_slope=sd_slope)
    centre = sum(times) / len(times)
    spread = sum((t - centre) ** 2 for t in times)
    variance = sd_residual**2 / spread + sd_slope**2

    def standing(n: float) -> tuple[float, float]:
        return math.sqrt(variance * (1 + 1 / ratio) / n), n * (1 + ratio) - 2

    return answer_t(
        Method(
            "difference of slopes",
            "least squares line per person",
            "se² = (sd_residual² / sum (t - mean t)² + sd_slope²) (1/n1 + 1/n2)",
            "Diggle et al. (2002) §2.4; Fitzmaurice, Laird & Ware (2011) ch. 20",
        ),
        {"n": n, "delta": delta, "power": power, "alpha": alpha},
        arms.smallest(None, ratio),
        standing,
        sides=sides,
        both_tails=both_tails,
        test=test,
        scale=math.sqrt(variance),
        details=lambda n: arms.totals(n, None, ratio) | {"slope_variance": variance},
        notes={"sd_residual": sd_residual, "sd_slope": sd_slope, "ratio": ratio},
    )
