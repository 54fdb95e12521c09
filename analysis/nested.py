"""Partially nested designs: advisors cluster the advised arms only.

People in the portal arm have nobody in common; people of one advisor do. With advisors as a random sample of those who
might do the work, their differences are part of the uncertainty; with advisors fixed, conclusions are about these ones.
Lohr, Schochet and Sanders (2014), Partially Nested Randomized Controlled Trials in Education Research.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.differences import difference_in_means
from analysis.errors import DataError, OptionError, TooFewClusters, nearest
from analysis.estimate import Estimate
from analysis.frame import as_frame, codes, column, numbers, of_trial, two_arms
from analysis.regression import lm_robust


def partially_nested(
    data: Any,
    outcome: str,
    advisor: str,
    arm: str | None = None,
    *,
    advisors: Literal["random", "fixed"] = "random",
    treated: Any = None,
    control: Any = None,
) -> Estimate:
    """The difference in means when only some arms are clustered by advisor; a missing advisor means none.

    "random" gives each arm's mean its own CR2 variance, with every advisor a cluster and people without advisor
    clusters of one, and joins their degrees of freedom as Welch does, so that they fall towards the number of advisors
    when these carry the uncertainty. "fixed" ignores which advisor (HC2 with Welch df) and says so. `extras` holds the
    number of advisors and the intraclass correlation among the advised.

    Raises DataError when one advisor serves both arms, TooFewClusters with fewer than two advisors in an advised arm.

    >>> data = pd.DataFrame({"y": [1.0, 2, 3, 2, 3, 4, 6, 7], "arm": ["portal"] * 4 + ["talk"] * 4,
    ...                      "who": [None] * 4 + ["An", "An", "Bo", "Bo"]})
    >>> effect = partially_nested(data, "y", "who", "arm", control="portal")
    >>> round(effect.value, 6), round(effect.df, 2), effect.extras["advisors"]
    (3.0, 1.15, 2)
    """
    if advisors not in ("random", "fixed"):
        raise OptionError(
            f"advisors '{advisors}' does not exist", remedy=nearest(advisors, ["random", "fixed"], "word")
        )
    frame = as_frame(data).reset_index(drop=True)
    arm = of_trial(data, "arm", arm)
    if arm is None:
        raise OptionError("it is not said which column holds the arms", remedy="name it, for example arm='arm'")
    control = of_trial(data, "control", control)
    known = frame.loc[column(frame, arm, "arm").notna() & column(frame, outcome, "outcome").notna()]
    arms, mine = two_arms(known[arm], treated, control)
    rows = known.loc[mine].reset_index(drop=True)
    who = column(rows, advisor, "advisor")
    _check(who, arms.indicator)
    correlation = intraclass_correlation(numbers(rows[outcome], "outcome"), who)
    found, labels = codes(who)
    alone = found < 0
    groups = np.where(alone, len(labels) + np.cumsum(alone), found)
    effect = difference_in_means(rows, outcome, arm, treated=arms.treated, control=arms.control)
    words = effect.convention
    if advisors == "random":
        effect, words = _random(effect, numbers(rows[outcome], "outcome"), arms.indicator, groups)
    return Estimate.of(
        effect.name, effect.value, effect.se, df=effect.df, n=effect.n, estimand=effect.estimand,
        convention=f"partially nested, advisors {advisors}, {words}", source="Lohr, Schochet and Sanders (2014)",
        dropped=len(frame) - len(known), extras=dict(effect.extras) | {"advisors": len(labels), "icc": correlation},
    )  # fmt: skip


def _random(effect: Estimate, y: Any, indicator: Any, groups: Any) -> tuple[Estimate, str]:
    """Both arms' means with their own CR2 variances and degrees of freedom."""
    variance, below = 0.0, 0.0
    for side in (1, 0):
        own = indicator == side
        mean = lm_robust("y ~ 1", {"y": y[own], "who": groups[own]}, clusters="who")["Intercept"]
        variance += mean.se**2
        below += mean.se**4 / mean.df
    joined = replace(effect, se=math.sqrt(variance), df=variance**2 / below)
    return joined, "CR2 by arm, Welch df"


def _check(who: Any, indicator: Any) -> None:
    for side in (1, 0):
        served = who[indicator == side].dropna()
        if len(served) and served.nunique() < 2:
            raise TooFewClusters("an advised arm has one advisor only", remedy="use advisors='fixed' and say so")
    both = set(who[indicator == 1].dropna()) & set(who[indicator == 0].dropna())
    if both:
        raise DataError(f"advisor '{sorted(map(str, both))[0]}' serves both arms",
                        remedy="use clusters= with difference_in_means, or effects by advisor")  # fmt: skip
    if not who.notna().any():
        raise DataError("nobody has an advisor", remedy="look at the advisor column")


def intraclass_correlation(y: Any, who: pd.Series) -> float:
    """The share of variance between advisors among those who have one, by analysis of variance; may be below zero."""
    inside = who.notna().to_numpy()
    group, labels = codes(who[inside])
    values, G = y[inside], len(labels)
    n = np.bincount(group).astype(float)
    if values.size <= G or G < 2:
        raise TooFewClusters("advisors with one participant each leave no intraclass correlation")
    means = np.bincount(group, values) / n
    between = float((n * (means - values.mean()) ** 2).sum()) / (G - 1)
    within = float(((values - means[group]) ** 2).sum()) / (values.size - G)
    size = (values.size - float((n**2).sum()) / values.size) / (G - 1)
    total = between + (size - 1) * within
    return (between - within) / total if total > 0 else 0.0
