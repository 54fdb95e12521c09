"""Binary outcomes: risk difference, risk ratio, odds ratio, and logit margins by standardisation.

The risk difference is the summary a policymaker can read: of every hundred offered, so many more. A logit serves to
adjust it for covariates, after which everybody's two predicted risks are averaged (g-computation).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.counts import convention_of, covariance
from analysis.differences import Contrast, difference_in_means, read_contrast
from analysis.errors import DataError, DesignNotEstimable, OptionError, nearest
from analysis.estimate import Estimate
from analysis.formulas import read_model, sides, variables
from analysis.frame import as_frame, codes, column, complete, control_label, known_label, of_trial
from analysis.kernels.glm import fit_glm

Summary = Literal["difference", "ratio", "odds"]


def risk_difference(data: Any, outcome: str, arm: str | None = None, **structure: Any) -> Estimate:
    """The difference in the share with the outcome, with the variance of the design (see `difference_in_means`).

    >>> import pandas as pd
    >>> data = pd.DataFrame({"trained": [0, 1, 0, 0, 1, 1, 0, 1], "arm": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> risk_difference(data, "trained", "arm").value
    0.5
    """
    _binary(read_contrast(data, outcome, arm, treated=structure.get("treated"), control=structure.get("control")))
    return difference_in_means(data, outcome, arm, **structure)


def risk_ratio(
    data: Any, outcome: str, arm: str | None = None, *, treated: Any = None, control: Any = None
) -> Estimate:
    """The ratio of the two shares with Katz's standard error on the log scale: sqrt(1/a - 1/n1 + 1/c - 1/n0).

    Katz, Baptista, Azen and Pike (1978). Raises DesignNotEstimable when an arm has nobody with the outcome.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"trained": [0, 1, 0, 0, 1, 1, 0, 1], "arm": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> round(risk_ratio(data, "trained", "arm").value, 6)
    3.0
    """
    contrast = _binary(read_contrast(data, outcome, arm, treated=treated, control=control))
    a, n1, c, n0 = _table(contrast)
    se = math.sqrt(1 / a - 1 / n1 + 1 / c - 1 / n0)
    return _ratio(contrast, (a / n1) / (c / n0), se, "ratio of risks", "Katz log interval", "Katz et al. (1978)")


def odds_ratio(
    data: Any, outcome: str, arm: str | None = None, *, treated: Any = None, control: Any = None
) -> Estimate:
    """The ratio of the two odds with Woolf's standard error on the log scale.

    Woolf (1955). Raises DesignNotEstimable when a cell of the two-by-two table is empty.
    """
    contrast = _binary(read_contrast(data, outcome, arm, treated=treated, control=control))
    a, n1, c, n0 = _table(contrast)
    if a == n1 or c == n0:
        raise DesignNotEstimable(
            "everybody in an arm has the outcome, so the odds have no end", remedy="use risk_difference"
        )
    se = math.sqrt(1 / a + 1 / (n1 - a) + 1 / c + 1 / (n0 - c))
    value = (a / (n1 - a)) / (c / (n0 - c))
    return _ratio(contrast, value, se, "ratio of odds", "Woolf log interval", "Woolf (1955)")


def logit_margin(
    formula: str,
    data: Any,
    arm: str | None = None,
    *,
    summary: Summary = "difference",
    se_type: str | None = None,
    clusters: Any = None,
    treated: Any = None,
    control: Any = None,
) -> Estimate:
    """The average of everybody's two predicted risks, contrasted: a covariate-adjusted risk difference, ratio or odds.

    A logit is fitted to `formula`, then each row is predicted under either arm, whatever its own. Standard errors by
    the delta method for the covariates at hand, from "model", "HC0", "HC1" (default) or, with clusters, "CR0", "CR1"
    covariances. `extras` holds the two mean risks and the logit coefficient with its standard error.

    Raises NotConverged under perfect separation, OptionError, DataError.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"t": [0, 1, 0, 0, 1, 1, 0, 1], "arm": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> round(logit_margin("t ~ arm", data, "arm").value, 6)
    0.5
    """
    known = ("difference", "ratio", "odds")
    if summary not in known:
        raise OptionError(f"summary '{summary}' does not exist", remedy=nearest(summary, known, "summary"))
    frame = as_frame(data)
    arm = of_trial(data, "arm", arm) or sides(formula)[1].split("+")[0].strip()
    groups = of_trial(data, "clusters", clusters)
    used = [column(frame, name, "column") for name in variables(formula, frame)]
    extra = [column(frame, one, "cluster") for one in (groups,) if one is not None]
    keep = complete(frame, [*used, *extra, column(frame, arm, "arm")])
    rows = frame.loc[keep].reset_index(drop=True)
    labels = codes(rows[arm])[1]
    against = control_label(labels, of_trial(data, "control", control))
    others = [label for label in labels if label != against]
    if treated is None and len(others) != 1:
        raise OptionError(f"the data have {len(labels)} arms", remedy="name the one to compare with treated=")
    chosen = known_label(labels, others[0] if treated is None else treated)
    n = len(rows)
    stack = pd.concat([rows, *(rows.assign(**{str(arm): label}) for label in (chosen, against))], ignore_index=True)
    if isinstance(rows[arm].dtype, pd.CategoricalDtype):
        stack[arm] = stack[arm].astype(rows[arm].dtype)
    model = read_model(formula, rows, clusters=None if groups is None else np.asarray(extra[0])[keep])
    kind = convention_of(se_type, model, "logit")
    X = read_model(formula, stack).X.dense()
    fit = fit_glm(X[:n], model.y, "logit", model.names)
    vcov = covariance(fit, kind, model)
    risks, slopes = [], []
    for part in (X[n : 2 * n], X[2 * n :]):
        p = 1 / (1 + np.exp(-part @ fit.coefficients))
        risks.append(float(p.mean()))
        slopes.append((p * (1 - p)) @ part / n)
    value, gradient, scale = _contrast(risks, slopes, summary)
    place = [i for i in range(X.shape[1]) if (X[n : 2 * n, i] != X[2 * n :, i]).any()]
    extras: dict[str, Any] = {"risk_treated": risks[0], "risk_control": risks[1]}
    if len(place) == 1:
        extras |= {"logit": float(fit.coefficients[place[0]]), "logit_se": float(np.sqrt(vcov[place[0], place[0]]))}
    name = f"{chosen} - {against}" if isinstance(chosen, str) else str(arm)
    return Estimate.of(
        name, value, math.sqrt(float(gradient @ vcov @ gradient)), df=math.inf, n=n,
        estimand=f"{summary} of standardised risks", convention=f"{kind}, delta method, normal reference",
        source="g-computation, Snowden, Rose and Mortimer (2011)", dropped=int((~keep).sum()), scale=scale,
        extras=extras,
    )  # fmt: skip


def _contrast(risks: list[float], slopes: list[Any], summary: str) -> tuple[float, Any, Any]:
    (p1, p0), (g1, g0) = risks, slopes
    if summary == "difference":
        return p1 - p0, g1 - g0, "identity"
    if summary == "ratio":
        return p1 / p0, g1 / p1 - g0 / p0, "log"
    return p1 / (1 - p1) / (p0 / (1 - p0)), g1 / (p1 * (1 - p1)) - g0 / (p0 * (1 - p0)), "log"


def _binary(contrast: Contrast) -> Contrast:
    if not np.isin(contrast.y, (0.0, 1.0)).all():
        raise DataError(
            f"the outcome '{contrast.outcome}' takes values other than 0 and 1", remedy="code it as 0 and 1"
        )
    return contrast


def _table(contrast: Contrast) -> tuple[float, int, float, int]:
    one = contrast.z == 1
    a, c = float(contrast.y[one].sum()), float(contrast.y[~one].sum())
    if a == 0 or c == 0:
        raise DesignNotEstimable("nobody in an arm has the outcome, so no ratio exists", remedy="use risk_difference")
    return a, int(one.sum()), c, int((~one).sum())


def _ratio(contrast: Contrast, value: float, se: float, estimand: str, convention: str, source: str) -> Estimate:
    a, n1, c, n0 = _table(contrast)
    return Estimate.of(
        contrast.arms.name, value, se, df=math.inf, n=contrast.n, estimand=estimand, convention=convention,
        source=source, dropped=contrast.dropped, scale="log", extras={"risk_treated": a / n1, "risk_control": c / n0},
    )  # fmt: skip
