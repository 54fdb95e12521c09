"""CR2 with weights: the working model stays homoskedastic while the fit is weighted.

Weights for unequal assignment probabilities say how often a row should count, not how precise it is. So the correction
of Pustejovsky and Tipton (2018) is taken with an identity working model and a weighted hat matrix, which is oblique:
(I - H)_g (I - H)_g' = I - H_gg - H_gg' + X_g (M X'W²X M) X_g' with H = X M X'W and M = (X'WX)^-1. It differs from the
identity inside the span of [X_g, W_g X_g], hence 2k x 2k algebra per cluster.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.clusters import Grouping
from analysis.kernels.rows import Rows, take

Array = NDArray[Any]
NOTHING = 1e-12


def weighted_cr2(X: Rows, residuals: Array, weights: Array, Q: Array, grouping: Grouping) -> tuple[Array, Array]:
    """Covariance (k, k) and Satterthwaite df (k,) of a weighted fit.

    `X` (n, k) and `residuals` (n,) are unweighted; `Q` makes the root-weighted rows orthonormal, M = QQ'.
    """
    k = Q.shape[1]
    M = np.eye(k)
    omega = omega_of(X, weights, Q, grouping)
    K = np.block([[-omega, M], [M, np.zeros((k, k))]])
    meat = np.zeros((k, k))
    pieces: list[tuple[Array, Array, Array]] = []
    for count, size, chosen in grouping.batches(2 * k):
        Z = (take(X, chosen) @ Q).reshape(count, size, k)
        U = np.concatenate([Z, Z * weights[chosen].reshape(count, size, 1)], axis=2)
        scores, piece = batch(U, residuals[chosen].reshape(count, size, 1), K)
        meat += scores.T @ scores
        pieces.append(piece)
    a, b, own = (np.concatenate(part) for part in zip(*pieces, strict=True))
    return Q @ meat @ Q.T, satterthwaite(a @ Q.T, b @ Q.T, across(own, Q), omega)


def omega_of(X: Rows, weights: Array, Q: Array, grouping: Grouping) -> Array:
    """Q'X'W²XQ, shape (k, k)."""
    total = np.zeros_like(Q)
    for _, _, chosen in grouping.batches(2 * Q.shape[1]):
        Z = take(X, chosen) @ Q * weights[chosen][:, None]
        total += Z.T @ Z
    return total


def batch(U: Array, e: Array, K: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    """Adjusted scores Z'WAe (g, k), and with u = AWZ the sums Z'u, Z'Wu and u'u, each (g, k, k)."""
    k = U.shape[2] // 2
    gram = U.transpose(0, 2, 1) @ U
    sizes, vectors = np.linalg.eigh(gram)
    real = sizes > NOTHING * sizes[:, -1:]
    root = np.sqrt(np.where(real, sizes, 1.0))
    up = np.where(real, root, 0.0)[:, :, None] * vectors.transpose(0, 2, 1)
    inner, turn = np.linalg.eigh(up @ K @ up.transpose(0, 2, 1))
    room = 1.0 - inner
    change = np.where(room > 1e-10, np.maximum(room, 1e-10) ** -0.5, 0.0) - 1.0
    F = (turn * change[:, None, :]) @ turn.transpose(0, 2, 1)
    down = vectors * np.where(real, 1 / root, 0.0)[:, None, :]
    low = down @ F @ down.transpose(0, 2, 1)
    Ue = (U.transpose(0, 2, 1) @ e)[..., 0]
    right = gram[:, :, k:] + gram @ low @ gram[:, :, k:]
    scores = Ue[:, k:] + np.einsum("gij,gj->gi", gram[:, k:] @ low, Ue)
    twice = gram[:, k:, k:] + 2 * gram[:, k:] @ low @ gram[:, :, k:] + gram[:, k:] @ low @ gram @ low @ gram[:, :, k:]
    return scores, (right[:, :k], right[:, k:], twice)


def across(own: Array, Q: Array) -> Array:
    """c'u'uc for every coefficient c, shape (g, k)."""
    return np.einsum("ci,gij,cj->gc", Q, own, Q)


def satterthwaite(a: Array, b: Array, own: Array, omega: Array) -> Array:
    """(tr P)² / ||P||² with P_gh = [g = h] u'u - a_g'b_h - b_g'a_h + a_g' omega a_h, per coefficient."""
    k = omega.shape[0]
    K = np.block([[omega, -np.eye(k)], [-np.eye(k), np.zeros((k, k))]])
    out = np.empty(own.shape[1])
    for c in range(own.shape[1]):
        U = np.hstack([a[:, :, c], b[:, :, c]])
        low = np.einsum("gi,ij,gj->g", U, K, U)
        diagonal = own[:, c] + low
        inner = K @ (U.T @ U)
        out[c] = diagonal.sum() ** 2 / ((diagonal**2).sum() - (low**2).sum() + np.trace(inner @ inner))
    return out
