"""Fixed effects taken out of a regression instead of being estimated.

One set of effects is one pass of group means; several are alternating projections until nothing moves. The leverage of
what was absorbed has to be known as well, or HC2, HC3 and CR2 would be too small.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.errors import NotConverged

Array = NDArray[Any]
Codes = NDArray[np.intp]


def absorb(columns: Array, effects: tuple[Codes, ...], weights: Array | None = None, tolerance: float = 1e-12) -> Array:
    """Columns, shape (n, k), less their projection on the effects, in the metric of the weights.

    >>> absorb(np.array([[1.0], [3.0], [5.0]]), (np.array([0, 0, 1]),))[:, 0]
    array([-1.,  1.,  0.])
    """
    out = np.array(columns, dtype=float)
    size = np.abs(out).max(axis=0) + 1e-300
    for _ in range(10_000):
        moved = 0.0
        for codes in effects:
            means = group_means(out, codes, weights)
            out -= means[codes]
            moved = max(moved, float((np.abs(means).max(axis=0) / size).max()))
        if len(effects) == 1 or moved < tolerance:
            return out
    raise NotConverged("the fixed effects could not be absorbed", remedy="put the smaller set in the formula as C(…)")


def group_means(columns: Array, codes: Codes, weights: Array | None = None) -> Array:
    """Means by group, shape (groups, k)."""
    total = np.bincount(codes, weights)
    return np.stack([np.bincount(codes, x if weights is None else weights * x) / total for x in columns.T], axis=1)


def rank(effects: tuple[Codes, ...]) -> int:
    """How many degrees of freedom the effects take, the constant included.

    Two sets of effects lose one for every part of the graph that connects them; further sets lose one each.
    """
    sizes = [int(codes.max()) + 1 for codes in effects]
    if len(effects) == 1:
        return sizes[0]
    first, second = effects[:2]
    links = coo_array(
        (np.ones(first.size), (first, second + sizes[0])), shape=(sizes[0] + sizes[1], sizes[0] + sizes[1])
    )
    parts = connected_components(links, directed=False)[0]
    return sizes[0] + sizes[1] - parts + sum(size - 1 for size in sizes[2:])


def basis(effects: tuple[Codes, ...], weights: Array | None = None) -> Array:
    """An orthonormal basis, shape (n, rank), of the dummies (times the root of the weights)."""
    n = effects[0].size
    root = np.ones(n) if weights is None else np.sqrt(weights)
    blocks = []
    for codes in effects:
        dummies = np.zeros((n, int(codes.max()) + 1))
        dummies[np.arange(n), codes] = root
        blocks.append(dummies / np.linalg.norm(dummies, axis=0))
    if len(blocks) == 1:
        return blocks[0]
    parts: Any = qr(np.hstack(blocks), mode="economic", pivoting=True)
    Q, triangle, _ = parts
    size = np.abs(np.diag(triangle))
    return Q[:, size > 1e-9 * size[0]]


def leverage(effects: tuple[Codes, ...], weights: Array | None = None) -> Array:
    """The diagonal of the projection on the effects, shape (n,)."""
    if len(effects) == 1:
        weight = np.ones(effects[0].size) if weights is None else weights
        return weight / np.bincount(effects[0], weight)[effects[0]]
    Z = basis(effects, weights)
    return np.einsum("ij,ij->i", Z, Z)
