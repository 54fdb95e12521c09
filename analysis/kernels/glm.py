"""Generalised linear models by Newton's method: logit, Poisson and negative binomial, all with their scores.

Small on purpose: the estimators need coefficients, the model's covariance and the score of every row for sandwiches.
McCullagh and Nelder (1989); Venables and Ripley (2002) for the negative binomial.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, gammaln, polygamma

from analysis.errors import DataError, NotConverged
from analysis.kernels.linear import least_squares

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Glm:
    """Coefficients (k,), the inverse information (k, k), fitted means (n,) and the scores of the rows (n, k)."""

    coefficients: Array
    covariance: Array
    mu: Array
    scores: Array
    loglik: float
    theta: float = math.inf


def fit_glm(X: Array, y: Array, family: str, names: tuple[str, ...] = (), theta: float = math.inf) -> Glm:
    """Maximum likelihood for family "logit", "poisson" or "negative_binomial" (log link, given theta).

    Raises RankDeficient naming columns, NotConverged when a likelihood has no maximum (perfect separation), DataError
    for outcomes that the family cannot have.

    >>> fit = fit_glm(np.ones((4, 1)), np.array([0.0, 1.0, 1.0, 1.0]), "logit")
    >>> fit.coefficients.round(4)
    array([1.0986])
    """
    check_outcome(y, family)
    least_squares(X, y, names)
    beta = np.zeros(X.shape[1])
    start = float(y.mean())
    guess = math.log(start / (1 - start)) if family == "logit" else math.log(max(start, 1e-8))
    beta += least_squares(X, np.full(y.size, guess), names).coefficients
    value = -math.inf
    for _ in range(60):
        mu, weight, residual = moments(X @ beta, y, family, theta)
        information = (X * weight[:, None]).T @ X
        now = loglik(mu, y, family, theta)
        step = np.linalg.lstsq(information, X.T @ residual, rcond=None)[0]
        if (
            abs(now - value) <= 1e-13 * (abs(now) + 1)
            and float(np.abs(step * np.sqrt(np.diag(information))).max()) < 1e-9
        ):
            scale = np.sqrt(np.diag(information))
            if np.linalg.cond(information / np.outer(scale, scale)) > 1e13:
                break
            return Glm(beta, np.linalg.inv(information), mu, X * residual[:, None], now, theta)
        value = now
        beta = _stepped(X, y, family, theta, beta, step, now)
        if family == "logit" and float(np.abs(X @ beta).max()) > 35:
            break
    raise NotConverged(
        f"the {family.replace('_', ' ')} model has no finite solution",
        remedy="look for a group in which the outcome never varies, or use the linear risk difference",
    )


def _stepped(X: Array, y: Array, family: str, theta: float, beta: Array, step: Array, now: float) -> Array:
    for _ in range(30):
        trial = beta + step
        if loglik(moments(X @ trial, y, family, theta)[0], y, family, theta) >= now - 1e-12 * abs(now):
            return trial
        step = step / 2
    return beta


def fit_negative_binomial(X: Array, y: Array, names: tuple[str, ...] = ()) -> Glm:
    """Negative binomial with log link, theta by maximum likelihood (variance mu + mu²/theta), alternating.

    The covariance of the coefficients is that at the estimated theta, as in MASS::glm.nb.
    """
    fit = fit_glm(X, y, "poisson", names)
    theta = 1.0
    for _ in range(200):
        new = _theta(y, fit.mu, theta)
        fit = fit_glm(X, y, "negative_binomial", names, new)
        if abs(new - theta) <= 1e-10 * new:
            return fit
        theta = new
    raise NotConverged(
        "the negative binomial dispersion did not settle", remedy="use the Poisson model with robust errors"
    )


def _theta(y: Array, mu: Array, theta: float) -> float:
    for _ in range(200):
        score = float(
            (digamma(theta + y) - digamma(theta) + np.log(theta / (theta + mu)) + 1 - (y + theta) / (mu + theta)).sum()
        )
        info = float(
            (polygamma(1, theta) - polygamma(1, theta + y) - 1 / theta + 2 / (mu + theta)
             - (y + theta) / (mu + theta) ** 2).sum()
        )  # fmt: skip
        step = score / info if info > 0 else score
        new = max(theta / 3, min(3 * theta, theta + step))
        if new > 1e7:
            raise NotConverged("the counts vary no more than Poisson ones do", remedy="use family='poisson'")
        if abs(new - theta) <= 1e-12 * theta:
            return new
        theta = new
    return theta


def moments(eta: Array, y: Array, family: str, theta: float) -> tuple[Array, Array, Array]:
    """Mean, information weight and score residual of every row."""
    if family == "logit":
        mu = expit(eta)
        return mu, mu * (1 - mu), y - mu
    mu = np.exp(np.clip(eta, -700, 700))
    if math.isinf(theta):
        return mu, mu, y - mu
    shrink = theta / (theta + mu)
    return mu, mu * shrink, (y - mu) * shrink


def loglik(mu: Array, y: Array, family: str, theta: float) -> float:
    """The log-likelihood, constants included."""
    tiny = 1e-300
    if family == "logit":
        return float((y * np.log(mu + tiny) + (1 - y) * np.log1p(-np.minimum(mu, 1 - 1e-16))).sum())
    if math.isinf(theta):
        return float((y * np.log(mu + tiny) - mu - gammaln(y + 1)).sum())
    return float(
        (gammaln(theta + y) - gammaln(theta) - gammaln(y + 1) + theta * np.log(theta / (theta + mu))
         + y * np.log(mu / (theta + mu) + tiny)).sum()
    )  # fmt: skip


def check_outcome(y: Array, family: str) -> None:
    """Raise DataError when the outcome cannot come from the family."""
    if family == "logit" and not np.isin(y, (0.0, 1.0)).all():
        raise DataError("a binary outcome takes the values 0 and 1 only", remedy="write I(column == 'value') ~ …")
    if family != "logit" and ((y < 0).any() or (family == "negative_binomial" and (y % 1 != 0).any())):
        raise DataError("a count is a whole number, zero or more")
