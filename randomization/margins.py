"""Minimisation of many draws at once: margins as arrays of whole numbers, the same arms as one draw at a time.

A permutation test redraws a minimised trial thousands of times; a step of the general machine a person and draw would
take minutes. Spreads are compared as whole numbers (counts brought over the ratio's common multiple), so ties stay so.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import TYPE_CHECKING, Protocol

from randomization.sequential import CutPoints, words_of

if TYPE_CHECKING:
    import numpy as np

    from randomization.units import Layout


class Minimised(Protocol):
    """What a minimising design says of itself: its arms, the factors it balances, and how it draws among the best."""

    @property
    def arms(self) -> Sequence[object]: ...
    @property
    def weights(self) -> Sequence[int]: ...
    @property
    def factors(self) -> Sequence[str]: ...
    @property
    def factor_weights(self) -> Sequence[Fraction]: ...
    @property
    def imbalance(self) -> str: ...
    def chances_of_best(self, best: Sequence[int]) -> Sequence[Fraction]: ...


def minimised_codes(design: Minimised, layout: Layout, n: int, seed: int) -> np.ndarray:
    """Arm codes of `n` draws, uint8 of shape (n, units); units in the order of their rows."""
    import numpy as np

    streams, words = words_of(layout.n, n, seed)
    arms = len(design.arms)
    common = reduce(lcm, design.weights, 1)
    step = np.array([common // weight for weight in design.weights], dtype=np.int64)
    scale = reduce(lcm, (weight.denominator for weight in design.factor_weights), 1)
    weights = [int(weight * scale) for weight in design.factor_weights]
    levels = [_levels(layout, name) for name in design.factors]
    margins = [np.zeros((int(level.max()) + 1, n, arms), dtype=np.int64) for level in levels]
    bits = np.int64(1) << np.arange(arms)
    tables: dict[int, CutPoints] = {}
    result = np.empty((n, layout.n), dtype=np.uint8)
    for row in range(layout.n):
        here = [margin[level[row]] for margin, level in zip(margins, levels, strict=True)]
        scores = np.zeros((n, arms), dtype=np.int64)
        for weight, count in zip(weights, here, strict=True):
            for arm in range(arms):
                scores[:, arm] += weight * _spread(design.imbalance, count * step, arm, step, common)
        best = scores == scores.min(axis=1, keepdims=True)
        mask = best @ bits
        drawn = result[:, row]
        for number in np.unique(mask).tolist():
            if number not in tables:
                chosen = [arm for arm in range(arms) if number >> arm & 1]
                tables[number] = CutPoints.of(list(enumerate(design.chances_of_best(chosen))))
            which = np.flatnonzero(mask == number)
            drawn[which] = tables[number].arms[tables[number].choose(words[row, which], which, streams, row)]
        for count in here:
            count[np.arange(n), drawn] += 1
    return result


def _levels(layout: Layout, name: str) -> np.ndarray:
    import pandas as pd

    return pd.factorize(layout.columns[name].astype(str))[0]


def _spread(measure: str, counts: np.ndarray, arm: int, step: np.ndarray, common: int) -> np.ndarray:
    """Imbalance of one margin if the person went to `arm`, on a whole-number scale that keeps order and ties."""
    import numpy as np

    values = counts.copy()
    values[:, arm] += step[arm]
    if measure == "range":
        return values.max(axis=1) - values.min(axis=1)
    arms = values.shape[1]
    squares = arms * (values**2).sum(axis=1) - values.sum(axis=1) ** 2
    if measure == "variance":
        return squares
    deviation = np.sqrt(squares / (arms * (arms - 1) * common**2))
    return np.rint(deviation * 10**12).astype(np.int64)
