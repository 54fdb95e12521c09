"""Models on a log or logit scale with honest standard errors: rates, odds and their ratios.

Poisson pseudo-maximum likelihood estimates ratios of means for any outcome that is not negative, whatever its
variance, as long as the standard errors are robust (Gourieroux, Monfort and Trognon 1984).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from analysis.errors import OptionError, TooFewClusters, nearest
from analysis.estimate import Array, Estimate, Regression
from analysis.exact_fit import refuse_exact_fit
from analysis.formulas import Model, read_model
from analysis.frame import of_trial
from analysis.kernels.glm import Glm, fit_glm, fit_negative_binomial

Family = Literal["logit", "poisson", "negative_binomial"]
FAMILIES = ("logit", "poisson", "negative_binomial")
SE_TYPES = ("model", "HC0", "HC1", "CR0", "CR1")
SOURCE = "McCullagh and Nelder (1989); White (1982)"


def glm_robust(
    formula: str, data: Any, *, family: Family = "poisson", se_type: str | None = None, clusters: Any = None
) -> Regression:
    """A logit, Poisson or negative binomial regression; coefficients on the link scale, normal reference.

    `se_type` is "model" (inverse information), "HC0", "HC1" (times n/(n - k)), and with clusters "CR0" or "CR1" (times
    G/(G - 1) x (n - 1)/(n - k)); the default is HC1, or CR1 with clusters, and "model" for the negative binomial. The
    dispersion of the negative binomial is in `extras["theta"]`.

    Raises NotConverged when the likelihood has no maximum, RankDeficient, TooFewClusters, OptionError, DataError.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [2, 4, 3, 8, 6, 10], "z": [0, 0, 0, 1, 1, 1]})
    >>> fit = glm_robust("y ~ z", data, se_type="model")
    >>> round(fit["z"].value, 4), round(fit["z"].se, 4)
    (0.9808, 0.3909)
    """
    if family not in FAMILIES:
        raise OptionError(f"family '{family}' does not exist", remedy=nearest(family, FAMILIES, "family"))
    model = read_model(formula, data, clusters=of_trial(data, "clusters", clusters))
    kind = convention_of(se_type, model, family)
    X = model.X.dense()
    negative = family == "negative_binomial"
    fit = fit_negative_binomial(X, model.y, model.names) if negative else fit_glm(X, model.y, family, model.names)
    if kind != "model":
        refuse_exact_fit(model.y - fit.mu, model.y, model.outcome, "the columns of the formula")
    extras: dict[str, Any] = {"loglik": fit.loglik}
    if negative:
        extras["theta"] = fit.theta
    if model.clusters is not None:
        extras["clusters"] = model.n_clusters
    return Regression(
        names=model.names, coefficients=fit.coefficients, covariance=covariance(fit, kind, model),
        dfs=np.full(len(model.names), math.inf), n=model.n, outcome=model.outcome,
        estimand=f"coefficient of a {family.replace('_', ' ')} regression",
        convention=f"{kind}, normal reference", source=SOURCE, dropped=model.dropped, extras=extras,
    )  # fmt: skip


def rate_ratio(
    formula: str,
    data: Any,
    name: str,
    *,
    family: Family = "poisson",
    se_type: str | None = None,
    clusters: Any = None,
) -> Estimate:
    """exp(coefficient) of `name`: the ratio of means (or the odds ratio for "logit"); se and interval on the log scale.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [2, 4, 3, 8, 6, 10], "z": [0, 0, 0, 1, 1, 1]})
    >>> round(rate_ratio("y ~ z", data, "z").value, 4)      # 8 against 3
    2.6667
    """
    fit = glm_robust(formula, data, family=family, se_type=se_type, clusters=clusters)
    found = fit[name]
    what = "ratio of odds" if family == "logit" else "ratio of mean counts"
    return Estimate.of(
        found.name, math.exp(found.value), found.se, df=math.inf, n=found.n, estimand=what, convention=found.convention,
        source=found.source, dropped=found.dropped, scale="log", extras=dict(found.extras) | {"log_ratio": found.value},
    )  # fmt: skip


def convention_of(se_type: str | None, model: Model, family: str) -> str:
    """The canonical name of a standard error of these models."""
    clustered = model.clusters is not None
    if se_type is None:
        return "CR1" if clustered else "model" if family == "negative_binomial" else "HC1"
    kind = next((known for known in SE_TYPES if known.lower() == se_type.lower()), None)
    kind = "CR1" if se_type.lower() == "stata" and clustered else kind
    if kind is None:
        raise OptionError(f"se_type '{se_type}' does not exist", remedy=nearest(se_type, SE_TYPES, "se_type"))
    if kind.startswith("CR") != clustered:
        raise OptionError(f"se_type '{se_type}' {'ignores the' if clustered else 'needs'} clusters",
                          remedy="use 'CR1'" if clustered else "name the column with clusters=")  # fmt: skip
    return kind


def covariance(fit: Glm, kind: str, model: Model) -> Array:
    """The sandwich A^-1 B A^-1 with rows or clusters as its units, or the inverse information."""
    if kind == "model":
        return fit.covariance
    scores, n, k = fit.scores, *fit.scores.shape
    factor = n / (n - k) if kind == "HC1" else 1.0
    if kind.startswith("CR"):
        assert model.clusters is not None
        G = int(model.clusters.max()) + 1
        if max(k, 2) > G:
            raise TooFewClusters(f"{G} clusters cannot support {k} coefficients", remedy="use fewer covariates")
        sums = np.zeros((G, k))
        np.add.at(sums, model.clusters, scores)
        scores = sums
        factor = G / (G - 1) * (n - 1) / (n - k) if kind == "CR1" else 1.0
    return factor * fit.covariance @ (scores.T @ scores) @ fit.covariance
