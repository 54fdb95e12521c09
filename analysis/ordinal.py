"""Ordinal outcomes: proportional odds, the trend test, and the chance that the treated fare better.

The chance of superiority, P(Y1 > Y0) + P(Y1 = Y0)/2, needs no scores and no model; proportional odds gives one number
for all cut-offs when that is what a reader knows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, ndtr, ndtri
from scipy.stats import rankdata

from analysis.differences import read_contrast
from analysis.errors import DataError, NotConverged, OptionError
from analysis.estimate import Array, Interval, Regression
from analysis.formulas import INTERCEPT, design, sides, variables
from analysis.frame import as_frame, codes, column, complete
from analysis.kernels.linear import least_squares


@dataclass(frozen=True, slots=True)
class RankSum:
    """The rank-sum test with ties: `probability` is P(Y1 > Y0) + P(Y1 = Y0)/2, `se` its standard error (DeLong).

    `u` counts pairs in which the treated are higher; `w` is that of the control arm, as R's wilcox.test prints it.
    """

    name: str
    probability: float
    se: float
    u: float
    w: float
    statistic: float
    p: float
    n: int
    dropped: int
    convention: str = "ties corrected, no continuity correction, normal reference"
    source: str = "Mann and Whitney (1947); DeLong, DeLong and Clarke-Pearson (1988)"

    def interval(self, level: float = 0.95) -> Interval:
        """The interval of the probability, on the logit scale so that it stays inside (0, 1)."""
        if not 0 < level < 1:
            raise OptionError(f"a confidence level lies between 0 and 1, not at {level}")
        p = self.probability
        if not 0 < p < 1 or self.se <= 0:
            raise DataError("the arms do not overlap, so no interval exists")
        half = float(ndtri((1 + level) / 2)) * self.se / (p * (1 - p))
        centre = math.log(p / (1 - p))
        return Interval(float(expit(centre - half)), float(expit(centre + half)))


def rank_sum(data: Any, outcome: str, arm: str | None = None, *, treated: Any = None, control: Any = None) -> RankSum:
    """Compare the ranks of two arms; works for any outcome that can be ordered by its numbers.

    >>> import pandas as pd
    >>> test = rank_sum(pd.DataFrame({"y": [1, 2, 3, 2, 3, 4], "arm": [0, 0, 0, 1, 1, 1]}), "y", "arm")
    >>> test.u, round(test.probability, 4)
    (7.0, 0.7778)
    """
    contrast = read_contrast(data, outcome, arm, treated=treated, control=control)
    one = contrast.z == 1
    n1, n0 = int(one.sum()), int((~one).sum())
    n = n1 + n0
    ranks = rankdata(contrast.y)
    u = float(ranks[one].sum()) - n1 * (n1 + 1) / 2
    ties = np.unique(contrast.y, return_counts=True)[1].astype(float)
    variance = n1 * n0 / 12 * (n + 1 - float((ties**3 - ties).sum()) / (n * (n - 1)))
    z = (u - n1 * n0 / 2) / math.sqrt(variance)
    above = (ranks[one] - rankdata(contrast.y[one])) / n0
    below = 1 - (ranks[~one] - rankdata(contrast.y[~one])) / n1
    spread = sum(float(part.var(ddof=1)) / part.size if part.size > 1 else 0.0 for part in (above, below))
    return RankSum(contrast.arms.name, u / (n1 * n0), math.sqrt(spread), u, n1 * n0 - u, z, float(2 * ndtr(-abs(z))), n,
                   contrast.dropped)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trend:
    """The linear-by-linear association test: a standardised statistic, positive when the treated are higher."""

    name: str
    statistic: float
    p: float
    n: int
    dropped: int
    convention: str = "permutation variance, normal reference"
    source: str = "Mantel (1963); Agresti (2002), section 3.4"


def trend_test(data: Any, outcome: str, arm: str | None = None, *, treated: Any = None, control: Any = None) -> Trend:
    """Test a linear trend of an ordinal outcome, scored by its own numbers, over two arms: Z = sqrt(n - 1) r.

    >>> import pandas as pd
    >>> round(trend_test(pd.DataFrame({"y": [1, 2, 3, 2, 3, 4], "arm": [0, 0, 0, 1, 1, 1]}), "y", "arm").statistic, 4)
    1.1677
    """
    contrast = read_contrast(data, outcome, arm, treated=treated, control=control)
    r = float(np.corrcoef(contrast.z, contrast.y)[0, 1])
    z = math.sqrt(contrast.n - 1) * r
    return Trend(contrast.arms.name, z, float(2 * ndtr(-abs(z))), contrast.n, contrast.dropped)


def ordinal_logit(formula: str, data: Any) -> Regression:
    """The proportional odds model, logit P(Y <= j) = cut_j - x'b: log odds ratios by maximum likelihood.

    The outcome's categories are ordered as its numbers or as its ordered categorical. `extras` holds the cut points and
    the log-likelihood. McCullagh (1980), JRSS B 42, 109-142. Raises NotConverged under separation, DataError for fewer
    than three categories.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1, 2, 3, 2, 3, 3, 1, 2], "arm": [0, 0, 0, 1, 1, 1, 0, 1]})
    >>> round(ordinal_logit("y ~ arm", data)["arm"].value, 3)
    1.913
    """
    left, right = sides(formula)
    frame = as_frame(data)
    used = [column(frame, name, "column") for name in {left, *variables(right, frame)}]
    keep = complete(frame, used)
    rows = frame.loc[keep]
    y, labels = codes(rows[left])
    if len(labels) < 3:
        raise DataError(f"'{left}' has {len(labels)} categories", remedy="use risk_difference for a binary outcome")
    columns, names = design(right, rows)
    named = tuple(name for name in names if name != INTERCEPT)
    X = np.column_stack([values for name, values in zip(names, columns, strict=True) if name != INTERCEPT])
    least_squares(np.column_stack([np.ones(y.size), X]), y.astype(float), (INTERCEPT, *named))
    cuts, beta, covariance, loglik = fit_cumulative(X, y, len(labels))
    k = len(named)
    return Regression(
        names=named, coefficients=beta, covariance=covariance[-k:, -k:], dfs=np.full(k, math.inf), n=y.size,
        outcome=left, estimand="log odds ratio of a higher category", convention="maximum likelihood, normal reference",
        source="McCullagh (1980)", dropped=int((~keep).sum()), extras={"cuts": tuple(cuts.tolist()), "loglik": loglik},
    )  # fmt: skip


def fit_cumulative(X: Array, y: Any, levels: int) -> tuple[Array, Array, Array, float]:
    """Cuts (levels - 1,), slopes (k,), the covariance of both, and the log-likelihood, by Newton's method."""
    centre = X.mean(axis=0)
    Z = X - centre
    share = np.cumsum(np.bincount(y, minlength=levels))[:-1] / y.size
    theta = np.concatenate([np.log(share / (1 - share)), np.zeros(X.shape[1])])
    value, score, information = _cumulative(Z, y, levels, theta)
    for _ in range(100):
        if np.linalg.cond(information) > 1e13:
            break
        step = np.linalg.solve(information, score)
        for _ in range(40):
            trial = theta + step
            if (np.diff(trial[: levels - 1]) > 0).all():
                found = _cumulative(Z, y, levels, trial)
                if found[0] >= value - 1e-12 * abs(value):
                    theta, (new, score, information) = trial, found
                    break
            step = step / 2
        else:
            break
        if abs(new - value) < 1e-13 * abs(value) and float(np.abs(step).max()) < 1e-8:
            shift = float(theta[levels - 1 :] @ centre)
            return theta[: levels - 1] + shift, theta[levels - 1 :], np.linalg.inv(information), new
        value = new
    raise NotConverged("the proportional odds model has no finite solution", remedy="join rare categories")


def _cumulative(Z: Array, y: Any, levels: int, theta: Array) -> tuple[float, Array, Array]:
    """Log-likelihood, score and observed information for the cuts and slopes together."""
    n, k = Z.shape
    J = levels - 1
    eta = Z @ theta[J:]
    upper = np.where(y < J, theta[np.minimum(y, J - 1)] - eta, np.inf)
    lower = np.where(y > 0, theta[np.maximum(y - 1, 0)] - eta, -np.inf)
    Fu, Fl = expit(upper), expit(lower)
    p = np.maximum(Fu - Fl, 1e-300)
    fu, fl = Fu * (1 - Fu), Fl * (1 - Fl)
    Du, Dl = np.zeros((n, J + k)), np.zeros((n, J + k))
    rows = np.arange(n)
    Du[rows[y < J], y[y < J]] = 1.0
    Dl[rows[y > 0], y[y > 0] - 1] = 1.0
    Du[:, J:] = Dl[:, J:] = -Z
    slope = (fu[:, None] * Du - fl[:, None] * Dl) / p[:, None]
    curve_u, curve_l = fu * (1 - 2 * Fu) / p, fl * (1 - 2 * Fl) / p
    hessian = (Du * curve_u[:, None]).T @ Du - (Dl * curve_l[:, None]).T @ Dl - slope.T @ slope
    return float(np.log(p).sum()), slope.sum(axis=0), -hessian
