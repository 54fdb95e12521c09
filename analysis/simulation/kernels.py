"""Estimates of many trials at once: arrays in, arrays out, each trial equal to its estimate by the general path.

A batch of T trials gives values, standard errors and degrees of freedom of shape (T,).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimates", "cluster_cr2", "difference_in_means", "regression_hc2"]

Array = NDArray[np.floating]


class Estimates(NamedTuple):
    """Value, standard error and degrees of freedom of every trial."""

    value: np.ndarray
    se: np.ndarray
    df: np.ndarray


def difference_in_means(
    y: Array, codes: np.ndarray, treated: int, control: int, seen: np.ndarray | None = None
) -> Estimates:
    """Difference in means with Neyman's variance and Welch's degrees of freedom.

    `y` is (T, n); `codes` the arms, (n,) when every trial has the same or (T, n); `seen` marks observed outcomes.
    Source: Neyman (1923); Welch (1951).
    """
    counts, means, variances = [], [], []
    for code in (treated, control):
        count, mean, variance = _moments(y, codes == code, seen)
        counts.append(count)
        means.append(mean)
        variances.append(variance / count)
    se2 = variances[0] + variances[1]
    df = se2**2 / sum(v**2 / (c - 1) for v, c in zip(variances, counts, strict=True))
    return Estimates(means[0] - means[1], np.sqrt(se2), df)


def _moments(y: Array, member: np.ndarray, seen: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count, mean and variance (n - 1) of the members of every trial."""
    if member.ndim == 1 and seen is None:
        where = np.flatnonzero(member)
        contiguous = where[-1] - where[0] + 1 == len(where)
        part = y[:, where[0] : where[-1] + 1] if contiguous else y[:, where]
        count = np.full(len(y), float(len(where)))
        # A first guess of the mean keeps the sum of squares exact in double precision for any location of the outcome.
        guess = float(part[0].mean(dtype=np.float64))
        total, square = _sums(part, guess)
        return count, guess + total / count, (square - total**2 / count) / (count - 1)
    member = np.broadcast_to(member, y.shape) if seen is None else member & seen
    count = member.sum(axis=1).astype(np.float64)
    guess = float(y.mean(dtype=np.float64))
    shifted = np.where(member, y.astype(np.float64) - guess, 0.0)
    total = shifted.sum(axis=1)
    square = np.einsum("ij,ij->i", shifted, shifted)
    return count, guess + total / count, (square - total**2 / count) / (count - 1)


def _sums(part: Array, guess: float) -> tuple[np.ndarray, np.ndarray]:
    """Sum and sum of squares of each row around `guess`, in double precision, a cacheful of rows at a time."""
    total, square = np.empty(len(part)), np.empty(len(part))
    rows = max(1, (1 << 15) // part.shape[1])
    ones = np.ones(part.shape[1])
    for start in range(0, len(part), rows):
        piece = part[start : start + rows].astype(np.float64)
        if guess:
            piece -= guess
        total[start : start + rows] = piece @ ones
        square[start : start + rows] = np.einsum("ij,ij->i", piece, piece)
    return total, square


def regression_hc2(y: Array, x: Array, member: np.ndarray) -> Estimates:
    """Coefficient of `member` (the treated, 0/1) in a regression on an intercept and covariates, with HC2.

    `y` is (T, n); `x` (p, n) when the covariates are fixed, (T, p, n) when redrawn; `member` (n,) or (T, n).
    df = n - k. Fixed covariates and arms are factorised once. Source: MacKinnon & White (1985).
    """
    if x.ndim == 2 and member.ndim == 1:
        return _fixed_hc2(y, x, member)
    trials, n = y.shape
    p = x.shape[-2]
    value, se = np.empty(trials), np.empty(trials)
    rows = max(1, (1 << 15) // (n * (p + 2)))
    design = np.ones((min(rows, trials), p + 2, n))
    for start in range(0, trials, rows):
        stop = min(start + rows, trials)
        part = design[: stop - start]
        part[:, 1] = member if member.ndim == 1 else member[start:stop]
        part[:, 2:] = x if x.ndim == 2 else x[start:stop]
        value[start:stop], se[start:stop] = _hc2(part, y[start:stop].astype(np.float64))
    return Estimates(value, se, np.full(trials, float(n - p - 2)))


def _hc2(design: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficient 1 and its HC2 standard error, from designs (T, k, n), through Cholesky factors of X'X."""
    lower = np.linalg.cholesky(design @ design.transpose(0, 2, 1))
    inverse = np.linalg.inv(lower)
    z = inverse @ design
    scores = z @ y[:, :, None]
    residual = y - (scores.transpose(0, 2, 1) @ z)[:, 0]
    row = inverse[:, :, 1]
    weight = (row[:, None, :] @ z)[:, 0]
    value = np.einsum("tk,tk->t", row, scores[:, :, 0])
    np.square(z, out=z)
    share = residual * weight
    np.square(share, out=share)
    share /= 1 - z.sum(axis=1)
    return value, np.sqrt(share.sum(axis=1))


def _fixed_hc2(y: Array, x: Array, member: np.ndarray) -> Estimates:
    trials, n = y.shape
    design = np.column_stack([np.ones(n), member, x.T]).astype(np.float64)
    q, r = np.linalg.qr(design)
    row = np.linalg.inv(r)[1]
    weight = q @ row
    share = weight**2 / (1 - np.einsum("ij,ij->i", q, q))
    value, se = np.empty(trials), np.empty(trials)
    rows = max(1, (1 << 16) // n)
    for start in range(0, trials, rows):
        piece = y[start : start + rows].astype(np.float64)
        value[start : start + rows] = piece @ weight
        residual = piece - (piece @ q) @ q.T
        np.square(residual, out=residual)
        se[start : start + rows] = np.sqrt(residual @ share)
    return Estimates(value, se, np.full(trials, float(n - design.shape[1])))


def cluster_cr2(totals: np.ndarray, sizes: np.ndarray, codes: np.ndarray, treated: int, control: int) -> Estimates:
    """Difference of means of two arms of clusters with CR2 and Satterthwaite's degrees of freedom, in closed form.

    `totals` are the outcome sums of the clusters, (T, G); `sizes` (G,) their people; `codes` their arms, (G,) or
    (T, G). With only an intercept and the arm every leverage block is a multiple of ones, so the adjustment is
    (1 - m_g / N_arm)^(-1/2). Source: Bell & McCaffrey (2002); Pustejovsky & Tipton (2018).
    """
    value = variance = trace = own = shared = 0.0
    for sign, code in ((1.0, treated), (-1.0, control)):
        member = np.atleast_2d(codes == code)
        people = (member * sizes).sum(axis=1, keepdims=True).astype(np.float64)
        mean = (totals * member).sum(axis=1, keepdims=True) / people
        lever = np.where(member, sizes / people, 0.0)
        score = np.where(member, totals - sizes * mean, 0.0)
        value = value + sign * mean[:, 0]
        variance = variance + (score**2 / (1 - lever)).sum(axis=1) / people[:, 0] ** 2
        inner = lever**2 / (1 - lever) / people
        trace = trace + (lever / people).sum(axis=1)
        own = own + ((lever / people) ** 2 - inner**2).sum(axis=1)
        shared = shared + inner.sum(axis=1) ** 2
    df = np.broadcast_to(np.asarray(trace**2 / (own + shared)), np.shape(value))
    return Estimates(np.asarray(value), np.sqrt(variance), df)
