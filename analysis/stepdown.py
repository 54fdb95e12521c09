"""Step-down corrections that use how the tests move together: Romano-Wolf and Westfall-Young over one draw matrix.

Both compare each statistic with the maximum over the hypotheses that are still standing, redraw by redraw. Romano and
Wolf take the studentized statistics themselves, Westfall and Young their p-values, so that hypotheses with differently
shaped statistics weigh the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from analysis.errors import DataError, OptionError
from analysis.permutation import Alternative, Statistic, check, observed_and_null, p_value, prepare
from analysis.redraws import Redraws, redraw

Array = NDArray[Any]
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One comparison of a family: an outcome, two arms and, if wanted, a subgroup (a column of truth values)."""

    outcome: str
    treated: Any = None
    control: Any = None
    within: Any = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """What one hypothesis of a family gives: its effect, its own p and the two corrected ones."""

    name: str
    value: float
    statistic: float
    p: float
    romano_wolf: float
    westfall_young: float
    n: int
    dropped: int


def permutation_family(
    data: Any,
    hypotheses: Sequence[Hypothesis | str],
    design: Any = None,
    *,
    arm: str | None = None,
    statistic: Statistic = "studentized",
    draws: int = 10_000,
    seed: int = 1,
    alternative: Alternative = "two-sided",
) -> tuple[FamilyResult, ...]:
    """Test a family of outcomes, arms and subgroups against one set of redraws, corrected by both step-down methods.

    A hypothesis may be written as the name of its outcome. `design` is a `randomization.Design` or `Redraws`.

    >>> import pandas as pd
    >>> import randomization as rz
    >>> data = pd.DataFrame({"arm": list("aaaabbbb"), "y": [1.0, 2, 3, 4, 5, 6, 7, 9], "x": [1.0, 4, 2, 3, 2, 5, 1, 3]})
    >>> [round(one.romano_wolf, 3) for one in permutation_family(data, ["y", "x"], rz.complete(["a", "b"]))]
    [0.057, 1.0]
    """
    check(statistic, alternative)
    if not hypotheses:
        raise OptionError("the family holds no hypothesis", remedy="name at least one outcome")
    draw = design if isinstance(design, Redraws) else redraw(data, design, arm=arm, draws=draws, seed=seed)
    family = [Hypothesis(one) if isinstance(one, str) else one for one in hypotheses]
    found, values, nulls = [], [], []
    for one in family:
        name, engine, n, dropped = prepare(data, one.outcome, draw, statistic, one.treated, one.control, one.within)
        value, null = observed_and_null(engine)
        found.append((one.name or f"{one.outcome}: {name}", engine.difference(), n, dropped))
        values.append(value)
        nulls.append(null)
    observed, null = np.array(values), np.stack(nulls)
    good = ~np.isnan(null).any(axis=0)
    null = null[:, good]
    chance = None if draw.chance is None else draw.chance[good] / draw.chance[good].sum()
    rw = romano_wolf(observed, null, alternative=alternative, chance=chance)
    wy = westfall_young(observed, null, alternative=alternative, chance=chance)
    return tuple(
        FamilyResult(name, effect, values[i], p_value(values[i], null[i], alternative, chance), float(rw[i]),
                     float(wy[i]), n, dropped)
        for i, (name, effect, n, dropped) in enumerate(found)
    )  # fmt: skip


def romano_wolf(observed: Array, null: Array, *, alternative: str = "two-sided", chance: Array | None = None) -> Array:
    """Adjusted p-values, shape (m,), from statistics (m,) and their null (m, draws): step-down maximum.

    Romano and Wolf (2005), Econometrica 73, 1237-1282; p-values as in Romano and Wolf (2016).

    >>> romano_wolf(np.array([3.0, 1.0]), np.array([[0.5, 1.0, -2.0], [1.5, -0.2, 0.3]]))
    array([0.25, 0.5 ])
    """
    seen, drawn = _oriented(observed, null, alternative)
    return _step_down(seen, drawn, chance)


def westfall_young(
    observed: Array, null: Array, *, alternative: str = "two-sided", chance: Array | None = None
) -> Array:
    """Adjusted p-values, shape (m,), by the step-down minimum of p-values over the same draws.

    The p-value of a statistic is its share among the draws of its own hypothesis. Westfall and Young (1993),
    Resampling-based multiple testing, algorithm 2.8.
    """
    seen, drawn = _oriented(observed, null, alternative)
    slack = TIE * np.maximum(1.0, np.abs(seen))[:, None]
    extra = 0.0 if chance is not None else 1.0
    size = drawn.shape[1] + extra
    if chance is None:
        own = (extra + (drawn >= seen[:, None] - slack).sum(axis=1)) / size
        p_null = np.stack([rankdata(-np.round(row, 9), method="max") for row in drawn]) / size
        p_null += (seen[:, None] >= drawn - slack) / size
    else:
        own = ((drawn >= seen[:, None] - slack) * chance).sum(axis=1)
        p_null = np.stack([_weighted_ranks(row, chance) for row in drawn])
    return _step_down(-own, -p_null, chance)


def _weighted_ranks(row: Array, chance: Array) -> Array:
    levels, place = np.unique(-np.round(row, 9), return_inverse=True)
    return np.cumsum(np.bincount(place, chance, minlength=levels.size))[place]


def _oriented(observed: Array, null: Array, alternative: str) -> tuple[Array, Array]:
    seen, drawn = np.asarray(observed, dtype=float), np.asarray(null, dtype=float)
    if drawn.ndim != 2 or drawn.shape[0] != seen.size or np.isnan(drawn).any() or np.isnan(seen).any():
        raise DataError("statistics of shape (m,) need a null of shape (m, draws) without missing values")
    if alternative == "two-sided":
        return np.abs(seen), np.abs(drawn)
    return (seen, drawn) if alternative == "greater" else (-seen, -drawn)


def _step_down(seen: Array, drawn: Array, chance: Array | None) -> Array:
    """From the most extreme hypothesis down: the maximum over those that still stand."""
    order = np.argsort(-seen, kind="stable")
    standing = np.maximum.accumulate(drawn[order[::-1]], axis=0)[::-1]
    slack = TIE * np.maximum(1.0, np.abs(seen[order]))[:, None]
    beyond = standing >= seen[order][:, None] - slack
    raw = (
        (1 + beyond.sum(axis=1)) / (1 + drawn.shape[1])
        if chance is None
        else np.minimum(1.0, (beyond * chance).sum(axis=1))
    )
    out = np.empty_like(seen)
    out[order] = np.maximum.accumulate(raw)
    return out
