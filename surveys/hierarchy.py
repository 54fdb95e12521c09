"""How much of a scale's total is one thing that all its parts share: McDonald's omega hierarchical.

A scale with subscales (career adaptability has four) has a total whose reliability mixes what is general with what
belongs to a part. Factors are found on the correlations by minres and rotated obliquely (quartimin); a second-order
factor of their correlations is carried down to the items (Schmid and Leiman, 1957).

Sources: McDonald (1999), Test Theory; Zinbarg, Revelle, Yovel and Li (2005), Psychometrika 70, 123-133; for the
rotation Jennrich (2002), Psychometrika 67, 7-19.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surveys.errors import ScoringError
from surveys.reliability import complete_answers

__all__ = ["Hierarchy", "omega_hierarchical"]

Array = NDArray[np.float64]
LEAST = 0.005
"""A uniqueness is never found below this, as is usual."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """``hierarchical`` is the share of the total's variance that the general factor gives, ``total`` that of all
    factors together; ``general`` holds the loading of each item on the general factor."""

    hierarchical: float
    total: float
    general: tuple[float, ...]
    factors: int


def omega_hierarchical(answers: ArrayLike, factors: int = 3) -> Hierarchy:
    """Omega hierarchical and total of standardised items, answers of shape (people, items).

    People with a missing answer (not-a-number) are left out. ``factors`` is the number of parts; at least three, for
    two do not tell a general factor from their correlation. Raises ScoringError as ``reliability`` does, for fewer
    than three items a factor, and where no general factor describes the parts.

    >>> rng = np.random.default_rng(1)
    >>> parts = np.repeat(rng.normal(size=(500, 1)) + rng.normal(size=(500, 3)), 3, axis=1)
    >>> found = omega_hierarchical(parts + rng.normal(size=(500, 9)))
    >>> found.hierarchical < found.total
    True
    """
    matrix = complete_answers(answers)
    k = matrix.shape[1]
    if factors < 3:
        raise ScoringError("omega hierarchical needs at least three parts: two do not tell a general factor apart")
    if k < 3 * factors:
        raise ScoringError(f"{factors} parts need at least {3 * factors} items; there are {k}")
    correlation = np.atleast_2d(np.corrcoef(matrix, rowvar=False))
    loadings, between = _quartimin(_minres(correlation, factors))
    upper = _minres(between, 1)[:, 0]
    upper = upper * (1.0 if upper.sum() >= 0 else -1.0)
    if (upper < 0).any() or (upper**2 > 1 - LEAST).any():
        raise ScoringError("no general factor describes the parts: they do not all correlate positively")
    general = loadings @ upper
    against = np.flatnonzero(general < 0)
    if len(against):
        raise ScoringError(f"item {int(against[0]) + 1} goes against the general factor: turn it round first")
    whole = float(correlation.sum())
    unique = 1 - np.einsum("ij,jk,ik->i", loadings, between, loadings)
    return Hierarchy(
        float(general.sum() ** 2 / whole), float(1 - unique.sum() / whole), tuple(map(float, general)), factors
    )


def _minres(correlation: Array, factors: int) -> Array:
    """Loadings of shape (items, factors) that leave the least squares of correlations unexplained."""
    from scipy.optimize import minimize

    def misfit(unique: Array) -> tuple[float, Array]:
        values, vectors = np.linalg.eigh(correlation - np.diag(unique))
        left, sides = values[:-factors], vectors[:, :-factors]
        return float((left**2).sum() / 2), -(sides**2) @ left

    inverse = np.linalg.pinv(correlation, hermitian=True)
    start = np.clip(1 / np.diag(inverse), LEAST, 1.0)
    found = minimize(misfit, start, jac=True, method="L-BFGS-B", bounds=[(LEAST, 1.0)] * len(start),
                     options={"ftol": 1e-16, "gtol": 1e-10, "maxiter": 5000})  # fmt: skip
    values, vectors = np.linalg.eigh(correlation - np.diag(found.x))
    loadings = vectors[:, -factors:] * np.sqrt(np.maximum(values[-factors:], 0.0))
    return loadings[:, ::-1] * np.where(loadings[:, ::-1].sum(axis=0) < 0, -1.0, 1.0)


def _quartimin(loadings: Array) -> tuple[Array, Array]:
    """Oblique rotation: pattern loadings and the correlations of the factors. Jennrich (2002), gradient projection."""
    factors = loadings.shape[1]
    turn, step = np.eye(factors), 1.0
    pattern, value, slope = _criterion(loadings, turn)
    for _ in range(5000):
        projected = slope - turn * (turn * slope).sum(axis=0)
        size = float(np.linalg.norm(projected))
        if size < 1e-7:
            break
        step *= 2
        for _ in range(20):
            moved = turn - step * projected
            moved = moved / np.linalg.norm(moved, axis=0)
            tried = _criterion(loadings, moved)
            if value - tried[1] > 0.5 * size**2 * step:
                break
            step /= 2
        else:
            break  # no step lowers the criterion any more: this is as precise as the machine is
        turn, (pattern, value, slope) = moved, tried
    sign = np.where(pattern.sum(axis=0) < 0, -1.0, 1.0)
    return pattern * sign, (turn.T @ turn) * np.outer(sign, sign)


def _criterion(loadings: Array, turn: Array) -> tuple[Array, float, Array]:
    """The pattern, quartimin's criterion (squared loadings on two factors at once) and its gradient in ``turn``."""
    back = np.linalg.inv(turn)
    pattern = loadings @ back.T
    squared = pattern**2
    others = squared.sum(axis=1, keepdims=True) - squared
    slope = -(pattern.T @ (pattern * others) @ back).T
    return pattern, float((squared * others).sum() / 4), slope
