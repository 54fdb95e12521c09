"""Corrections for testing several hypotheses, from p-values alone or from one draw matrix.

Holm, Hochberg, Hommel and Bonferroni hold the chance of any false rejection; Benjamini-Hochberg and Benjamini-Yekutieli
the expected share of false ones; Anderson's sharpened q-values use the two-stage procedure over all levels at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import gammaln, ndtr, roots_hermite

from analysis.errors import DataError, OptionError, nearest

Array = NDArray[Any]
Method = Literal["bonferroni", "sidak", "holm", "hochberg", "hommel", "bh", "by"]


@overload
def adjust(p: Mapping[str, float], method: str = ...) -> dict[str, float]: ...
@overload
def adjust(p: Sequence[float] | Array, method: str = ...) -> Array: ...
def adjust(p: Any, method: str = "holm") -> Any:
    """Adjusted p-values in the order given (or by the names given), as R's p.adjust defines them.

    `method` is "bonferroni", "sidak", "holm", "hochberg", "hommel", "bh" (Benjamini and Hochberg 1995) or "by"
    (Benjamini and Yekutieli 2001). Raises DataError for values outside [0, 1] and OptionError.

    >>> adjust([0.01, 0.04, 0.03], "holm")
    array([0.03, 0.06, 0.06])
    >>> adjust({"work": 0.01, "health": 0.04}, "bh")
    {'work': 0.02, 'health': 0.04}
    """
    if isinstance(p, Mapping):
        return dict(zip(p, adjust(list(p.values()), method).tolist(), strict=True))
    name = method.lower()
    if name not in METHODS:
        raise OptionError(f"correction '{method}' does not exist", remedy=nearest(method, METHODS, "correction"))
    values = checked(p)
    return METHODS[name](values) if values.size else values


def checked(p: Any) -> Array:
    """p-values as an array; raises DataError when one is missing or outside [0, 1]."""
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise DataError("p-values lie between 0 and 1", remedy="leave out hypotheses that could not be tested")
    return values


def sharpened_q(p: Sequence[float] | Array, *, grid: float | None = None) -> Array:
    """Anderson's sharpened q-values: the smallest q at which the two-stage procedure rejects each hypothesis.

    Benjamini, Krieger and Yekutieli (2006) reject at q' = q/(1 + q), count the rejections and reject again at
    q' m/(m - rejections). Without `grid` the smallest q is found to 1e-10; `grid=0.001` rounds up to the steps of
    Anderson's own code. Anderson (2008), Journal of the American Statistical Association 103, 1481-1495.

    >>> sharpened_q([0.001, 0.2, 0.9], grid=0.001)
    array([0.004, 0.25 , 0.429])
    """
    values = checked(p)
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    rejected_at = _on_grid(ranked, grid) if grid else np.array([_smallest(ranked, i) for i in range(ranked.size)])
    rejected_at = np.maximum.accumulate(rejected_at)
    out = np.empty_like(values)
    out[order] = rejected_at
    return out


def two_stage_rejections(ranked: Array, q: float) -> int:
    """How many of the sorted p-values the two-stage procedure rejects at level q."""
    m, first = ranked.size, q / (1 + q)
    rejected = _step_up(ranked, first)
    if rejected in (0, m):
        return rejected
    return _step_up(ranked, first * m / (m - rejected))


def dunnett(statistics: Sequence[float] | Array, sizes: Sequence[int], df: float) -> Array:
    """Two-sided single-step Dunnett p-values of t statistics of several arms against one control.

    `sizes` gives the number in the control first, then in each arm; `df` may be infinite. Exact by one- and
    two-dimensional quadrature of the factor form of the correlations. Dunnett (1955), JASA 50, 1096-1121.

    >>> dunnett([2.5, 1.0], [20, 20, 20], 57).round(4)
    array([0.0287, 0.5062])
    """
    t = np.abs(np.asarray(statistics, dtype=float))
    if not np.isfinite(t).all() or not df > 0:
        raise DataError("Dunnett's test needs finite statistics and degrees of freedom above zero")
    if len(sizes) != t.size + 1 or min(sizes) < 1:
        raise DataError("give the size of the control, then of every arm")
    loads = np.sqrt(np.asarray(sizes[1:], dtype=float) / (np.asarray(sizes[1:], dtype=float) + sizes[0]))
    return np.array([min(1.0, _any_beyond(float(one), loads, df)) for one in t])


def _any_beyond(bound: float, loads: Array, df: float) -> float:
    """P(max |T_i| > bound) for T_i = (sqrt(1 - l²) Z_i + l Z_0) / S; tails are summed, so tiny ones keep digits."""
    nodes, weights = roots_hermite(80)
    factor = nodes * math.sqrt(2)
    own = np.sqrt(1 - loads**2)

    def given(s: float) -> float:
        beyond = ndtr((-bound * s - loads * factor[:, None]) / own) + ndtr((loads * factor[:, None] - bound * s) / own)
        with np.errstate(divide="ignore"):
            union = -np.expm1(np.log1p(-np.minimum(beyond, 1.0)).sum(axis=1))
        return float(weights @ union) / math.sqrt(math.pi)

    if math.isinf(df):
        return given(1.0)
    constant = math.log(2) + df / 2 * math.log(df / 2) - float(gammaln(df / 2))

    def density(s: float) -> float:
        return math.exp(constant + (df - 1) * math.log(s) - df * s * s / 2) * given(s) if s > 0 else 0.0

    spread = 8 / math.sqrt(2 * df)
    low, top = max(0.0, 1 - spread), 1 + spread + 2 / df
    edges = [*np.linspace(1e-9, low, 5)[:-1], *np.linspace(max(low, 1e-9), top, 7)]
    parts = [quad(density, a, b, epsabs=1e-300, epsrel=1e-9, limit=100)[0] for a, b in pairwise(edges) if b > a]
    return float(sum(parts))


def _bonferroni(p: Array) -> Array:
    return np.minimum(1.0, p * p.size)


def _sidak(p: Array) -> Array:
    with np.errstate(divide="ignore"):
        return -np.expm1(p.size * np.log1p(-p))


def _stepped(p: Array, factors: Array, up: bool) -> Array:
    """Sorted p-values times their factors, made monotone from the top (step-up) or the bottom (step-down)."""
    order = np.argsort(p, kind="stable")
    raw = p[order] * factors
    steps = np.minimum.accumulate(raw[::-1])[::-1] if up else np.maximum.accumulate(raw)
    out = np.empty_like(p)
    out[order] = np.minimum(1.0, steps)
    return out


def _holm(p: Array) -> Array:
    return _stepped(p, np.arange(p.size, 0, -1.0), up=False)


def _hochberg(p: Array) -> Array:
    return _stepped(p, np.arange(p.size, 0, -1.0), up=True)


def _bh(p: Array) -> Array:
    return _stepped(p, p.size / np.arange(1.0, p.size + 1), up=True)


def _by(p: Array) -> Array:
    return _stepped(p, p.size * (1 / np.arange(1, p.size + 1)).sum() / np.arange(1.0, p.size + 1), up=True)


def _hommel(p: Array) -> Array:
    """Hommel (1988), by the algorithm of Wright (1992)."""
    m = p.size
    order = np.argsort(p, kind="stable")
    ranked = p[order]
    places = np.arange(1, m + 1)
    q = pa = np.full(m, float((m * ranked / places).min()))
    for j in range(m - 1, 1, -1):
        low, high = np.arange(m - j + 1), np.arange(m - j + 1, m)
        q1 = float((j * ranked[high] / np.arange(2, j + 1)).min())
        q = q.copy()
        q[low] = np.minimum(j * ranked[low], q1)
        q[high] = q[m - j]
        pa = np.maximum(pa, q)
    out = np.empty_like(p)
    out[order] = np.maximum(pa, ranked)
    return out


def _step_up(ranked: Array, level: float) -> int:
    passed = np.flatnonzero(ranked <= level * np.arange(1, ranked.size + 1) / ranked.size * (1 + 1e-12))
    return int(passed[-1]) + 1 if passed.size else 0


def _smallest(ranked: Array, place: int) -> float:
    low, high = 0.0, 1.0
    if two_stage_rejections(ranked, high) <= place:
        return 1.0
    while high - low > 1e-11:
        middle = (low + high) / 2
        if two_stage_rejections(ranked, middle) > place:
            high = middle
        else:
            low = middle
    return high


def _on_grid(ranked: Array, grid: float) -> Array:
    out = np.ones(ranked.size)
    for step in range(round(1 / grid), 0, -1):
        q = step * grid
        out[: two_stage_rejections(ranked, q)] = q
    return out


METHODS = {
    "bonferroni": _bonferroni, "sidak": _sidak, "holm": _holm, "hochberg": _hochberg, "hommel": _hommel, "bh": _bh,
    "fdr": _bh, "by": _by,
}  # fmt: skip
