"""Anderson and Rubin's confidence set: valid however weakly assignment moved take-up.

A value of the effect is kept when the instruments do not explain what is left of the outcome after subtracting that
value times take-up. The set may be an interval, a ray, two rays, the whole line or empty, and which of these it is
must be said. Anderson and Rubin (1949); robust form as in Chernozhukov and Hansen (2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.linalg import eigvals
from scipy.special import fdtrc, fdtri

from analysis.errors import OptionError
from analysis.estimate import Array, Interval, JointTest
from analysis.formulas import INTERCEPT
from analysis.instrumental import check_one, prepared, read_stages
from analysis.kernels.linear import Fit, residuals_of
from analysis.regression import Working, covariance_of, described, se_convention, solve

Shape = Literal["interval", "ray", "two rays", "intervals", "line", "empty"]
SOURCE = "Anderson and Rubin (1949); Chernozhukov and Hansen (2008)"


@dataclass(frozen=True, slots=True)
class ConfidenceSet:
    """A confidence set that need not be an interval; `shape` says what it is and `intervals` hold its pieces."""

    shape: Shape
    intervals: tuple[Interval, ...]
    level: float
    name: str
    n: int
    convention: str
    source: str

    def __contains__(self, value: float) -> bool:
        return any(value in part for part in self.intervals)

    def _end(self, which: str) -> float:
        if not self.intervals:
            raise OptionError(
                "the confidence set is empty and has no ends", remedy="the model is rejected at this level"
            )
        return self.intervals[0].low if which == "low" else self.intervals[-1].high

    @property
    def low(self) -> float:
        """The lower end, minus infinity when the set has none."""
        return self._end("low")

    @property
    def high(self) -> float:
        """The upper end, infinity when the set has none."""
        return self._end("high")


@dataclass(frozen=True, slots=True, eq=False)
class Quadratic:
    """Reduced forms: g(b) = gy - b gd, shape (m,), with covariance Vyy - b(Vyd + Vyd') + b² Vdd, each (m, m)."""

    gy: Array
    gd: Array
    vyy: Array
    vyd: Array
    vdd: Array
    df1: int
    df2: float

    def statistic(self, value: float) -> float:
        """The robust F of the excluded instruments for y - value x d."""
        g = self.gy - value * self.gd
        v = self.vyy - value * (self.vyd + self.vyd.T) + value**2 * self.vdd
        return float(g @ np.linalg.solve(v, g)) / self.df1


def anderson_rubin_ci(
    formula: str,
    data: Any,
    *,
    level: float = 0.95,
    se_type: str | None = None,
    clusters: Any = None,
    fixed_effects: Any = None,
    weights: Any = None,
) -> ConfidenceSet:
    """The Anderson-Rubin set for the one endogenous regressor of "y ~ d + x | z + x".

    The test behind it uses the covariance that `lm_robust` would give the reduced form (HC2, or CR2 with clusters; any
    `se_type` may be named) and F(m, df) for m instruments, with df = n - k, G - 1, or Satterthwaite's for one
    instrument and CR2. The ends are exact roots, no grid.

    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> z = np.repeat([0, 1], 100)
    >>> d = (rng.random(200) < 0.2 + 0.5 * z).astype(int)
    >>> found = anderson_rubin_ci("y ~ d | z", {"y": rng.normal(size=200) + d, "d": d, "z": z})
    >>> found.shape, 1.0 in found
    ('interval', True)
    """
    if not 0 < level < 1:
        raise OptionError(f"a confidence level lies between 0 and 1, not at {level}")
    reduced, name, n, convention = _reduced(formula, data, se_type, clusters, fixed_effects, weights)
    bound = reduced.df1 * float(fdtri(reduced.df1, reduced.df2, level))
    pieces = solve_set(reduced, bound)
    words = f"Anderson-Rubin, {convention}, F({reduced.df1}, {reduced.df2:.4g})"
    return ConfidenceSet(shape_of(pieces), pieces, level, name, n, words, SOURCE)


def anderson_rubin_test(formula: str, data: Any, value: float = 0.0, **options: Any) -> JointTest:
    """The Anderson-Rubin test that the effect equals `value`; options as in `anderson_rubin_ci`."""
    given = [options.pop(key, None) for key in ("se_type", "clusters", "fixed_effects", "weights")]
    if options:
        raise OptionError(f"there is no option '{next(iter(options))}'")
    reduced, name, _, convention = _reduced(formula, data, *given)
    f = reduced.statistic(value)
    p = float(fdtrc(reduced.df1, reduced.df2, f))
    return JointTest((name,), f, reduced.df1, reduced.df2, p, f"Anderson-Rubin, {convention}", SOURCE)


def _reduced(
    formula: str, data: Any, se_type: Any, clusters: Any, fixed_effects: Any, weights: Any
) -> tuple[Quadratic, str, int, str]:
    stages = read_stages(formula, data, clusters=clusters, fixed_effects=fixed_effects, weights=weights)
    name = check_one(stages)
    convention = se_convention(se_type, stages.second.clusters is not None)
    work = solve(stages.instruments)
    X, _ = prepared(stages.second)
    names = [one for one in stages.second.names if not (stages.second.absorbed and one == INTERCEPT)]
    d = X[:, names.index(name)]
    places = [work.model.names.index(one) for one in stages.excluded]
    beta_d = work.fit.Q @ (work.fit.Q.T @ (work.rows.dense().T @ d))
    e_d = residuals_of(work.rows, d, beta_d)
    vyy, dfs = _covariance(work, convention, work.fit.residuals, places)
    vdd, _ = _covariance(work, convention, e_d, places)
    both, _ = _covariance(work, convention, work.fit.residuals + e_d, places)
    cross = (both - vyy - vdd) / 2
    m = len(places)
    G = stages.second.n_clusters
    df2 = float(dfs[places[0]]) if m == 1 or G is None else float(G - 1)
    reduced = Quadratic(work.fit.coefficients[places], beta_d[places], vyy, cross, vdd, m, df2)
    return reduced, name, stages.second.n, described(convention, stages.second)


def _covariance(work: Working, convention: str, residuals: Array, places: list[int]) -> tuple[Array, Array]:
    fit = Fit(work.fit.coefficients, residuals, work.fit.Q)
    covariance, dfs = covariance_of(replace(work, fit=fit), convention)
    return covariance[np.ix_(places, places)], dfs


def solve_set(reduced: Quadratic, bound: float) -> tuple[Interval, ...]:
    """All b with g(b)' V(b)^-1 g(b) <= bound, from the real roots of det(bound V(b) - g(b) g(b)')."""
    gy, gd = reduced.gy, reduced.gd
    A0 = bound * reduced.vyy - np.outer(gy, gy)
    A2 = bound * reduced.vdd - np.outer(gd, gd)
    A1 = -bound * (reduced.vyd + reduced.vyd.T) + np.outer(gy, gd) + np.outer(gd, gy)
    unit = math.sqrt(float(np.trace(reduced.vyy) / np.trace(reduced.vdd))) if np.trace(reduced.vdd) > 0 else 1.0
    A1, A2 = A1 * unit, A2 * unit**2
    m = len(gy)
    zero, eye = np.zeros((m, m)), np.eye(m)
    left, right = np.block([[zero, eye], [-A0, -A1]]), np.block([[eye, zero], [zero, A2]])
    values: Any = eigvals(left, right, homogeneous_eigvals=True)
    alpha, beta = values
    finite = np.abs(beta) > 1e-12 * np.abs(alpha).max()
    roots = alpha[finite] / beta[finite]
    real = np.sort(roots[np.abs(roots.imag) <= 1e-7 * (1 + np.abs(roots.real))].real) * unit
    inside = [reduced.statistic(point) * reduced.df1 <= bound for point in _between(real, unit)]
    edges = [-math.inf, *real.tolist(), math.inf]
    pieces: list[Interval] = []
    for low, high, kept in zip(edges[:-1], edges[1:], inside, strict=True):
        if kept and pieces and pieces[-1].high == low:
            pieces[-1] = Interval(pieces[-1].low, high)
        elif kept:
            pieces.append(Interval(low, high))
    return tuple(pieces)


def _between(roots: Array, unit: float) -> list[float]:
    """One point in every gap that the roots leave on the line."""
    if not roots.size:
        return [0.0]
    reach = max(unit, float(np.abs(roots).max()))
    middle = ((roots[:-1] + roots[1:]) / 2).tolist()
    return [float(roots[0] - reach), *middle, float(roots[-1] + reach)]


def shape_of(pieces: tuple[Interval, ...]) -> Shape:
    """What kind of set the pieces make."""
    if not pieces:
        return "empty"
    low, high = math.isinf(pieces[0].low), math.isinf(pieces[-1].high)
    if len(pieces) == 1:
        return "line" if low and high else "ray" if low or high else "interval"
    return "two rays" if low and high and len(pieces) == 2 else "intervals"
