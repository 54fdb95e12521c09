"""Time to an event: Kaplan-Meier curves, the log-rank test, Cox regression and restricted mean survival time.

The hazard ratio needs proportional hazards to mean anything simple; the difference in restricted means is in weeks and
needs nothing, so it is the summary to plan with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from analysis.errors import DataError, DesignNotEstimable, OptionError, TooFewClusters
from analysis.estimate import Array, Estimate, Regression
from analysis.formulas import INTERCEPT, design, variables
from analysis.frame import as_frame, codes, column, complete, numbers, of_trial, two_arms
from analysis.kernels import survival as kernel
from analysis.kernels.linear import least_squares


@dataclass(frozen=True, slots=True)
class LogRank:
    """The log-rank test: chi-square with df, and observed and expected events by arm."""

    statistic: float
    df: int
    p: float
    observed: dict[Any, float]
    expected: dict[Any, float]
    n: int
    dropped: int
    convention: str = "log-rank, hypergeometric variance"
    source: str = "Mantel (1966)"


def kaplan_meier(data: Any, time: str, event: str, arm: str | None = None) -> dict[Any, kernel.Curve]:
    """The Kaplan-Meier curve of every arm (of everybody, under "all", when no arm is named).

    >>> import pandas as pd
    >>> data = pd.DataFrame({"week": [1.0, 2, 2, 3], "found": [1, 1, 0, 1]})
    >>> kaplan_meier(data, "week", "found")["all"].at(2)
    0.5
    """
    t, d, group, labels, _, _ = _read(data, time, event, arm if arm is not None else of_trial(data, "arm", None))
    return {label: kernel.kaplan_meier(t[group == j], d[group == j]) for j, label in enumerate(labels)}


def log_rank(data: Any, time: str, event: str, arm: str | None = None, *, strata: Any = None) -> LogRank:
    """Test that the arms have the same hazards, within strata when these are named.

    Raises DesignNotEstimable when nobody had the event and DataError for times below zero or events other than 0 and 1.
    """
    arm = of_trial(data, "arm", arm)
    if arm is None:
        raise OptionError("it is not said which column holds the arms", remedy="name it, for example arm='arm'")
    t, d, group, labels, stratum, dropped = _read(data, time, event, arm, strata)
    if len(labels) < 2:
        raise DataError(f"everybody is in arm '{labels[0]}'", remedy="two arms are needed for a comparison")
    observed, expected, covariance = kernel.log_rank(t, d, group, stratum)
    if not observed.sum():
        raise DesignNotEstimable("nobody had the event, so nothing can be compared")
    df = len(labels) - 1
    gap = (observed - expected)[:df]
    statistic = float(gap @ np.linalg.solve(covariance[:df, :df], gap))
    return LogRank(
        statistic, df, float(chdtrc(df, statistic)), dict(zip(labels, observed.tolist(), strict=True)),
        dict(zip(labels, expected.tolist(), strict=True)), t.size, dropped,
    )  # fmt: skip


def rmst(
    data: Any,
    time: str,
    event: str,
    arm: str | None = None,
    *,
    horizon: float | None = None,
    treated: Any = None,
    control: Any = None,
) -> Estimate:
    """The difference in restricted mean survival time up to `horizon` (default: the shorter of the two follow-ups).

    An arm in which the last person followed had the event is known to the end. Units are those of `time`. `extras`
    holds both means with their standard errors. Royston and Parmar (2013). Raises OptionError when nobody of an arm is
    followed up to the horizon.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"week": [1.0, 2, 4, 4, 3, 4, 4, 4], "found": [1, 1, 0, 1, 1, 0, 0, 0],
    ...                      "arm": list("aaaabbbb")})
    >>> rmst(data, "week", "found", "arm", horizon=4).value
    1.0
    """
    arm = of_trial(data, "arm", arm)
    if arm is None:
        raise OptionError("it is not said which column holds the arms", remedy="name it, for example arm='arm'")
    frame = as_frame(data)
    keep = complete(frame, [column(frame, name, "column") for name in (time, event, arm)])
    arms, mine = two_arms(frame.loc[keep, arm], treated, of_trial(data, "control", control))
    rows = frame.loc[keep].loc[mine]
    t, d = _times(rows, time, event)
    last = [kernel.followed_up_to(t[arms.indicator == j], d[arms.indicator == j]) for j in (0, 1)]
    shorter = min(float(t[arms.indicator == j].max()) for j in (0, 1))
    end = shorter if horizon is None else float(horizon)
    if end <= 0 or end > min(last):
        raise OptionError(
            f"nobody of an arm is followed up to {end:g}", remedy=f"use a horizon of at most {min(last):g}"
        )
    means, variances = zip(
        *(
            kernel.restricted_mean(kernel.kaplan_meier(t[arms.indicator == j], d[arms.indicator == j]), end)
            for j in (0, 1)
        ),
        strict=True,
    )
    extras = {"rmst_treated": means[1], "rmst_control": means[0], "se_treated": math.sqrt(variances[1]),
              "se_control": math.sqrt(variances[0]), "horizon": end}  # fmt: skip
    return Estimate.of(
        arms.name, means[1] - means[0], math.sqrt(sum(variances)), df=math.inf, n=t.size,
        estimand=f"difference in mean time without the event up to {end:g}", convention="Greenwood, normal reference",
        source="Royston and Parmar (2013)", dropped=int((~keep).sum()), extras=extras,
    )  # fmt: skip


def cox(
    terms: str, data: Any, *, time: str, event: str, strata: Any = None, clusters: Any = None, robust: bool = False
) -> Regression:
    """Cox regression of the hazard on `terms` ("~ arm + age"): log hazard ratios, Efron's ties, normal reference.

    With `strata` (a column, or several) every stratum has a baseline hazard of its own. `robust` (or `clusters`) gives
    the sandwich of Lin and Wei (1989). `extras["loglik"]` is the log partial likelihood.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"week": [1.0, 2, 4, 5, 3, 4, 6, 7], "found": [1, 1, 0, 1, 1, 0, 1, 0],
    ...                      "arm": [0] * 4 + [1] * 4})
    >>> round(cox("arm", data, time="week", event="found")["arm"].value, 3)
    -1.539
    """
    frame = as_frame(data)
    right = terms.split("~")[-1].strip()
    groups = of_trial(data, "clusters", clusters)
    needed = [time, event, *variables(right, frame)]
    used = [column(frame, name, "column") for name in needed]
    cluster, stratum = (
        None if given is None else column(frame, given, role)
        for given, role in ((groups, "cluster"), (strata, "stratum"))
    )
    keep = complete(frame, [*used, *(one for one in (cluster, stratum) if one is not None)])
    rows = frame.loc[keep]
    t, d = _times(rows, time, event)
    columns, names = design(right, rows)
    pairs = [(name, values) for name, values in zip(names, columns, strict=True) if name != INTERCEPT]
    X = np.column_stack([values for _, values in pairs])
    named = tuple(name for name, _ in pairs)
    least_squares(np.column_stack([np.ones(t.size), X]), d, (INTERCEPT, *named))
    fit = kernel.cox(X, t, d, None if stratum is None else codes(stratum[keep])[0])
    covariance, words, G = fit.covariance, "inverse information", None
    if robust or cluster is not None:
        covariance, G = _sandwich(fit, None if cluster is None else codes(cluster[keep])[0])
        words = "robust (Lin and Wei)" if G is None else "robust by cluster (Lin and Wei)"
    return Regression(
        names=named, coefficients=fit.coefficients, covariance=covariance, dfs=np.full(len(named), math.inf), n=t.size,
        outcome=time, estimand="log hazard ratio", convention=f"Efron ties, {words}, normal reference",
        source="Cox (1972); Efron (1977)", dropped=int((~keep).sum()),
        extras={"loglik": fit.loglik, "events": int(d.sum())} | ({} if G is None else {"clusters": G}),
    )  # fmt: skip


def _sandwich(fit: kernel.CoxFit, groups: Any) -> tuple[Array, int | None]:
    scores, G = fit.residuals, None
    if groups is not None:
        G = int(groups.max()) + 1
        if G < 2:
            raise TooFewClusters("there is one cluster only")
        scores = np.zeros((G, fit.residuals.shape[1]))
        np.add.at(scores, groups, fit.residuals)
    return fit.covariance @ (scores.T @ scores) @ fit.covariance, G


def _read(
    data: Any, time: str, event: str, arm: str | None, strata: Any = None
) -> tuple[Array, Array, Any, list[Any], Any, int]:
    frame = as_frame(data)
    series = [column(frame, name, "column") for name in (time, event)]
    extra = [column(frame, one, role) for one, role in ((arm, "arm"), (strata, "stratum")) if one is not None]
    keep = complete(frame, [*series, *extra])
    rows = frame.loc[keep]
    t, d = _times(rows, time, event)
    group, labels = (np.zeros(t.size, dtype=np.intp), ["all"]) if arm is None else codes(extra[0][keep])
    stratum = None if strata is None else codes(extra[-1][keep])[0]
    return t, d, group, labels, stratum, int((~keep).sum())


def _times(rows: pd.DataFrame, time: str, event: str) -> tuple[Array, Array]:
    t, d = numbers(rows[time], "time"), numbers(rows[event], "event")
    if (t < 0).any():
        raise DataError(f"'{time}' holds times below zero")
    if not np.isin(d, (0.0, 1.0)).all():
        raise DataError(f"'{event}' takes values other than 0 and 1", remedy="code an event as 1 and censoring as 0")
    return t, d
