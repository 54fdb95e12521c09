"""`wild_cluster_bootstrap`: a test with few clusters that takes the clusters as they are.

With the null imposed the residuals that are flipped are those of the model without the effect; with at most about
twelve clusters all sign patterns are enumerated, and Webb's six-point weights give a finer distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from analysis.errors import DataError, DesignNotEstimable, OptionError, TooFewClusters, nearest
from analysis.estimate import Array, Interval
from analysis.formulas import read_model
from analysis.frame import of_trial
from analysis.kernels import wild
from analysis.kernels.clusters import Grouping
from analysis.kernels.linear import least_squares
from analysis.kernels.rows import take
from analysis.regression import Working, regress

Weights = Literal["rademacher", "webb"]
SOURCE = "Cameron, Gelbach and Miller (2008); Webb (2023); Roodman et al. (2019)"


@dataclass(frozen=True, slots=True, eq=False)
class WildTest:
    """A wild cluster bootstrap test of one coefficient; `interval` inverts it."""

    name: str
    value: float
    statistic: float
    p: float
    n: int
    clusters: int
    draws: int
    enumerated: bool
    convention: str
    source: str
    engine: Engine = field(repr=False)

    def p_at(self, value: float) -> float:
        """The p-value of the hypothesis that the coefficient equals `value`."""
        return self.engine.test(value)[1]

    def interval(self, level: float = 0.95) -> Interval:
        """The values that the test does not reject, by bisection outward from the estimate."""
        if not 0 < level < 1:
            raise OptionError(f"a confidence level lies between 0 and 1, not at {level}")
        alpha, unit = 1 - level, abs(self.value / self.statistic) if self.statistic else 1.0
        if self.p_at(self.value) <= alpha:
            raise DesignNotEstimable("too few clusters for an interval at this level", remedy="use Webb weights")
        return Interval(self._end(-1, alpha, unit), self._end(1, alpha, unit))

    def _end(self, side: int, alpha: float, unit: float) -> float:
        inside, step = self.value, unit
        for _ in range(40):
            outside = inside + side * step
            if self.p_at(outside) <= alpha:
                break
            inside, step = outside, 2 * step
        else:
            return side * math.inf
        while abs(outside - inside) > 1e-6 * unit:
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if self.p_at(middle) > alpha else (inside, middle)
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """The fit, its clusters and the weights; tests any value of the coefficient against the same weights."""

    work: Working
    place: int
    grouping: Grouping
    S: Array
    scores_y: Array
    scores_d: Array
    weights: Array
    impose: bool

    def test(self, value: float) -> tuple[float, float]:
        """The observed t (without small-sample factor) and its bootstrap p-value."""
        Q, beta = self.work.fit.Q, self.work.fit.coefficients
        own = wild.Scores(Q[self.place], self.S, self.scores_y)
        observed = self._observed(value)
        parts = own
        if self.impose:
            gap = beta[self.place] - value
            parts = replace(own, scores=self.scores_y + gap * self.scores_d)
        null = wild.t_statistics(parts, self.weights)
        slack = 1e-9 * max(1.0, abs(observed))
        return observed, float((np.abs(null) >= abs(observed) - slack).mean())

    def _observed(self, value: float) -> float:
        direction = self.work.fit.Q[self.place]
        variance = float(((self.scores_y @ direction) ** 2).sum())
        if variance <= 0:
            raise DesignNotEstimable("the coefficient has no variation between clusters")
        return float(self.work.fit.coefficients[self.place] - value) / math.sqrt(variance)


def wild_cluster_bootstrap(
    formula: str,
    data: Any,
    name: str,
    *,
    clusters: Any = None,
    null: float = 0.0,
    impose_null: bool = True,
    weights: Weights = "rademacher",
    draws: int = 9_999,
    seed: int = 1,
) -> WildTest:
    """Bootstrap the cluster-robust t of coefficient `name` in `formula`, two-sided and symmetric.

    `impose_null` flips the residuals of the fit under the null (the restricted bootstrap, WCR); without it those of
    the unrestricted fit (WCU). Rademacher weights are enumerated, all 2^G patterns, when that is no more than `draws`.
    p is the share of bootstrap statistics at least as large as the observed one. The observed t is reported with the
    CR1 factor. Raises TooFewClusters, UnknownCoefficient, OptionError and what `lm_robust` raises.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 2, 2, 3, 5, 4, 6, 8, 2, 1, 4, 7], "z": [0] * 6 + [1] * 4 + [0] * 2,
    ...                      "g": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]})
    >>> test = wild_cluster_bootstrap("y ~ z", data, "z", clusters="g")
    >>> test.enumerated, test.draws, test.p
    (True, 64, 0.75)
    """
    groups = of_trial(data, "clusters", clusters)
    if groups is None:
        raise OptionError("the wild cluster bootstrap needs clusters", remedy="name the column with clusters=")
    model = read_model(formula, data, clusters=groups)
    fit = regress(model, "CR1")
    work: Working = fit.working
    place = fit.position(name)
    assert model.clusters is not None
    grouping = Grouping.of(model.clusters)
    W, enumerated = _weights(grouping.sizes.size, weights, draws, seed)
    engine = Engine(work, place, grouping, *_sums(work, place, grouping), W, impose_null)
    _, p = engine.test(null)
    estimate = fit[name]
    label = f"{weights}, {'null imposed' if impose_null else 'unrestricted'}"
    return WildTest(
        estimate.name, estimate.value, (estimate.value - null) / estimate.se, p, fit.n, grouping.sizes.size, W.shape[1],
        enumerated, f"wild cluster bootstrap-t, CR1, {label}", SOURCE, engine,
    )  # fmt: skip


def _weights(G: int, kind: str, draws: int, seed: int) -> tuple[Array, bool]:
    if draws < 1:
        raise OptionError(f"{draws} draws were asked for", remedy="use 9,999")
    if G < 3:
        raise TooFewClusters(f"{G} clusters are too few for a bootstrap")
    if kind == "rademacher":
        return (wild.every_sign(G), True) if draws >= 2**G else (wild.rademacher(G, draws, seed), False)
    if kind == "webb":
        return wild.webb(G, draws, seed), False
    raise OptionError(f"weights '{kind}' do not exist", remedy=nearest(kind, ["rademacher", "webb"], "kind of weights"))


def _sums(work: Working, place: int, grouping: Grouping) -> tuple[Array, Array, Array]:
    """Per cluster S_g, Z_g'e_g, and Z_g'd_g with d the part of the regressor that the others do not explain.

    Imposing a value moves the residuals by the gap times that part, so one pass serves every null.
    """
    Q = work.fit.Q
    k = Q.shape[1]
    unique = _unique_part(work, place)
    S, e_sums, d_sums = [], [], []
    for count, size, chosen in grouping.batches(k):
        Z = (take(work.rows, chosen) @ Q).reshape(count, size, k)
        across = Z.transpose(0, 2, 1)
        S.append(across @ Z)
        e_sums.append((across @ work.fit.residuals[chosen].reshape(count, size, 1))[..., 0])
        d_sums.append((across @ unique[chosen].reshape(count, size, 1))[..., 0])
    return np.concatenate(S), np.concatenate(e_sums), np.concatenate(d_sums)


def _unique_part(work: Working, place: int) -> Array:
    X = work.rows.dense()
    others = np.delete(X, place, axis=1)
    if not others.shape[1]:
        return X[:, place]
    names = tuple(name for i, name in enumerate(work.model.names) if i != place)
    if not np.isfinite(X).all():
        raise DataError("the design holds values that are not finite")
    return least_squares(np.ascontiguousarray(others), X[:, place], names).residuals
