"""The wild cluster bootstrap without a single refit.

Residuals are flipped by cluster with weights W (G x B). The bootstrapped coefficient and its cluster-robust variance
are then a linear and a quadratic form in W whose coefficients need one pass: O(GkB) in all.

Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427; Roodman, Nielsen, MacKinnon and Webb
(2019), Stata Journal 19, 4-60.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
CHUNK_CELLS = 1 << 19


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What the bootstrap needs of a fit for one coefficient (or combination) c.

    `direction`, shape (K,), is Q'c; `Z`, shape (G, K, K), the clusters' Z_g'Z_g; `scores`, shape (G, K), their Z_g'u_g
    with the residuals u that are flipped.
    """

    direction: Array
    Z: Array
    scores: Array


def t_statistics(parts: Scores, weights: Array) -> Array:
    """|factor-free| t statistics, shape (B,), of the coefficient for cluster weights of shape (G, B).

    The numerator is a'w with a_g = direction'(Z_g'u_g). The meat of cluster g is the square of direction'(Z_g'u_g w_g -
    S_g sum_h Z_h'u_h w_h), hence the variance is sum of squares of a_g w_g - b_g'P with P = scores' w.
    """
    a = parts.scores @ parts.direction
    b = parts.Z @ parts.direction
    const, cross, gram = a**2, a[:, None] * b, b.T @ b
    out = np.empty(weights.shape[1])
    step = max(1, CHUNK_CELLS // weights.shape[0])
    for start in range(0, weights.shape[1], step):
        W = weights[:, start : start + step]
        P = parts.scores.T @ W
        numerator = parts.direction @ P
        mixed = np.einsum("kb,kb->b", cross.T @ W, P)
        variance = const @ (W * W) - 2 * mixed + np.einsum("kb,kb->b", P, gram @ P)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = numerator / np.sqrt(np.maximum(variance, 0.0))
        out[start : start + step] = np.where(numerator == 0, 0.0, t)
    return out


def rademacher(G: int, draws: int, seed: int) -> Array:
    """Weights of -1 and 1 with equal chance, shape (G, draws), from raw random bits."""
    words = np.random.PCG64(seed).random_raw(-(-G * draws // 64))
    bits = np.unpackbits(words.view(np.uint8))[: G * draws].reshape(G, draws)
    return np.array([-1.0, 1.0])[bits]


def webb(G: int, draws: int, seed: int) -> Array:
    """Weights of Webb's six points with equal chance, shape (G, draws)."""
    return WEBB[np.random.Generator(np.random.PCG64(seed)).integers(0, 6, size=(G, draws))]


def every_sign(G: int) -> Array:
    """All 2^G sign patterns, shape (G, 2^G); the first is all ones."""
    patterns = (np.arange(2**G)[None, :] >> np.arange(G)[:, None]) & 1
    return 1.0 - 2.0 * patterns
