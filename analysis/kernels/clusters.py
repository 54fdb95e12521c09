"""Cluster-robust covariances with k x k algebra per cluster, and the degrees of freedom that belong to them.

Bell and McCaffrey (2002) correct the residuals of cluster g by (I - H_gg)^(-1/2). That matrix differs from the identity
only inside the span of the cluster's own rows of Z = XQ, so everything follows from S_g = Z_g'Z_g and t_g = Z_g'e_g: no
matrix of the size of a cluster is ever formed. Pustejovsky and Tipton (2018), Journal of Business & Economic
Statistics 36, 672-683.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import TooFewClusters
from analysis.kernels.linear import Fit
from analysis.kernels.rows import Rows, as_rows, take

Array = NDArray[Any]
Codes = NDArray[np.intp]
POWERS = {"CR0": 0.0, "CR1": 0.0, "CR2": -0.5, "CR3": -1.0}
EIGENVALUE_ONE = 1e-10
CHUNK_BYTES = 1 << 25


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Rows in the order of their clusters, clusters of one size together, so that a batch is one array."""

    order: Codes
    sizes: Codes
    labels: Codes

    @classmethod
    def of(cls, codes: Codes) -> Grouping:
        """From cluster numbers 0..G-1, shape (n,)."""
        sizes = np.bincount(codes)
        by_size = np.argsort(sizes, kind="stable")
        place = np.empty_like(by_size)
        place[by_size] = np.arange(sizes.size)
        return cls(np.argsort(place[codes], kind="stable"), sizes[by_size], by_size)

    def batches(self, k: int) -> Iterator[tuple[int, int, Codes]]:
        """(number of clusters, their size, their rows) such that (clusters, k, k) stays within bounds."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)])
        edges = np.flatnonzero(np.diff(self.sizes)) + 1
        for first, last in zip([0, *edges], [*edges, self.sizes.size], strict=True):
            size = int(self.sizes[first])
            step = max(1, CHUNK_BYTES // (8 * k * max(k, size)))
            for begin in range(first, last, step):
                end = min(begin + step, last)
                yield int(end - begin), size, self.order[starts[begin] : starts[end]]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Per cluster of one batch: S = Z'Z (g, K, K), t = Z'e (g, K) and B = (I - S)^power inside the span.

    `lost`, shape (g, K, K), holds the directions that a cluster alone determines as columns, None when there are none.
    """

    S: Array
    t: Array
    B: Array
    lost: Array | None


def cluster_parts(
    X: Array | Rows, fit: Fit, grouping: Grouping, power: float, absorbed: Array | None = None
) -> Iterator[Parts]:
    """S, t and B batch by batch; `absorbed` is an orthonormal basis (n, a) of effects that were taken out."""
    rows = as_rows(X)
    K = fit.Q.shape[1] + (0 if absorbed is None else absorbed.shape[1])
    for count, size, chosen in grouping.batches(K):
        Z = take(rows, chosen) @ fit.Q
        if absorbed is not None:
            Z = np.hstack([Z, absorbed[chosen]])
        Z = Z.reshape(count, size, K)
        across = Z.transpose(0, 2, 1)
        S = across @ Z
        t = (across @ fit.residuals[chosen].reshape(count, size, 1))[..., 0]
        B, lost = adjustment(S, power)
        yield Parts(S, t, B, lost)


def adjustment(S: Array, power: float) -> tuple[Array, Array | None]:
    """(I - S)^power by eigenvalues, shape (g, K, K), without those of S at one (a pseudo-inverse); and what is lost."""
    values, vectors = np.linalg.eigh(S)
    room = 1.0 - values
    inside = room > EIGENVALUE_ONE
    lost = None if inside.all() else np.where(inside, 0.0, 1.0)[:, None, :] * vectors
    if power == 0:
        return np.broadcast_to(np.eye(S.shape[-1]), S.shape), lost
    factor = np.where(inside, np.maximum(room, EIGENVALUE_ONE) ** power, 0.0)
    return (vectors * factor[:, None, :]) @ vectors.transpose(0, 2, 1), lost


def along(lost: Array, Q: Array) -> NDArray[np.bool_]:
    """Which coefficients, shape (k,), lie along the directions that some cluster alone determines."""
    scale = np.sqrt(np.einsum("ij,ij->i", Q, Q))
    reach = np.abs(np.einsum("gik,ci->gck", lost[:, : Q.shape[1]], Q)).max(axis=(0, 2))
    return reach > 1e-6 * scale


def cluster_robust(
    X: Array | Rows, fit: Fit, grouping: Grouping, kind: str, absorbed: Array | None = None
) -> tuple[Array, Array, list[int]]:
    """The covariance (k, k), the degrees of freedom (k,), Satterthwaite's for CR2 and CR3, and unsupported places.

    Unsupported is a coefficient that one cluster alone determines: its residual there is nothing, whatever the truth.

    CR0 and CR1 come without the small-sample factor of CR1, which the caller knows; their df are G - 1. Raises
    TooFewClusters with a single cluster.
    """
    G, k = grouping.sizes.size, fit.Q.shape[1]
    if G < 2:
        raise TooFewClusters("there is one cluster only, so nothing is known about variation between clusters")
    power = POWERS[kind]
    meat, trace, den = np.zeros((k, k)), np.zeros(k), np.zeros(k)
    cross: Array | None = None
    lone = np.zeros(k, dtype=bool)
    for parts in cluster_parts(X, fit, grouping, power, absorbed):
        if parts.lost is not None:
            lone |= along(parts.lost, fit.Q)
        scores = (parts.t[:, None, :] @ parts.B)[:, 0, :k]
        meat += scores.T @ scores
        if not power:
            continue
        W = parts.B[:, :, :k] @ fit.Q.T
        q = parts.S @ W
        own = np.einsum("gij,gij->gj", q, q)
        d = np.einsum("gij,gij->gj", W, q) - own
        trace += d.sum(axis=0)
        den += (d**2 - own**2).sum(axis=0)
        product = q.transpose(2, 1, 0) @ q.transpose(2, 0, 1)
        cross = product if cross is None else cross + product
    covariance = fit.Q @ meat @ fit.Q.T
    if cross is None:
        return covariance, np.full(k, float(G - 1)), np.flatnonzero(lone).tolist()
    den += (cross**2).sum(axis=(1, 2))
    return covariance, trace**2 / den, np.flatnonzero(lone).tolist()
