"""The difference in means that the design implies: simple, blocked, matched pairs, clustered, blocked and clustered.

The mean difference is what randomization itself identifies; each design has its own variance (Gerber and Green 2012,
chapter 3; Imai, King and Nall 2009 for pairs of clusters), and a design that leaves none is refused with the reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.errors import DataError, DesignNotEstimable, OptionError, PerfectFit
from analysis.estimate import Array, Estimate
from analysis.exact_fit import is_rounding, refuse_exact_fit
from analysis.formulas import INTERCEPT, Model, positive, sides
from analysis.frame import Arms, Codes, as_frame, codes, column, complete, numbers, of_trial, two_arms, varied
from analysis.kernels.rows import Columns
from analysis.regression import regress

ESTIMAND = "average effect of assignment on those in the two arms"


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Outcome, assignment and structure of the rows that a two-arm comparison uses."""

    outcome: str
    arms: Arms
    y: Array
    z: Array
    blocks: Codes | None
    block_labels: tuple[Any, ...]
    clusters: Codes | None
    weights: Array | None
    dropped: int

    @property
    def n(self) -> int:
        return self.y.size


def difference_in_means(
    data: Any,
    outcome: str,
    arm: str | None = None,
    *,
    blocks: Any = None,
    clusters: Any = None,
    pairs: Any = None,
    weights: Any = None,
    treated: Any = None,
    control: Any = None,
) -> Estimate:
    """The difference in mean outcome between two arms, with the variance of the design that made them.

    `outcome` and `arm` are columns (or one formula "score ~ arm"); `blocks`, `clusters` and `pairs` are columns too. A
    `Trial` brings its own arm, control, strata and clusters. With more than two arms name `treated` and `control`;
    otherwise the control is the arm called control or placebo, else the first in order.

    Without structure: Neyman's variance with the degrees of freedom of Welch. Blocks: block differences weighted by
    size, df = n - 2B; blocks of exactly two are pairs. Pairs: the variance of the pair differences, df = B - 1.
    Clusters: CR2 with Satterthwaite df; within blocks the same per block, df = G - 2B; pairs of clusters: Imai, King
    and Nall (2009), df = B - 1. Rows with missing values are left out and counted; a pair that lost a member goes.

    Raises DesignNotEstimable naming the block that has too few in an arm, DataError, MissingValues, OptionError.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"score": [1.0, 3, 2, 6, 4, 5], "arm": ["control"] * 3 + ["advice"] * 3})
    >>> effect = difference_in_means(data, "score", "arm")
    >>> effect.name, effect.value, round(effect.se, 4), round(effect.df, 4)
    ('advice - control', 3.0, 0.8165, 4.0)
    """
    if pairs is not None and blocks is not None:
        raise OptionError("pairs are blocks of two", remedy="give either pairs= or blocks=")
    if pairs is None:
        blocks = of_trial(data, "strata", blocks)
    contrast = read_contrast(
        data, outcome, arm, blocks=pairs if pairs is not None else blocks, clusters=clusters, weights=weights,
        treated=treated, control=control,
    )  # fmt: skip
    if pairs is not None:
        contrast = whole_pairs(contrast)
    _check_cells(contrast)
    if contrast.blocks is None:
        return _plain(contrast) if contrast.clusters is None else _clustered(contrast)
    members = _members(contrast)
    if (members == 2).all():
        return _paired(contrast)
    if (members == 2).any():
        small = contrast.block_labels[int(np.argmax(members == 2))]
        raise DesignNotEstimable(
            f"block '{small}' has two members while other blocks have more, so it has no variance of its own",
            remedy="join small blocks, or analyse the pairs apart with pairs=",
        )
    return _blocked(contrast)


def read_contrast(
    data: Any,
    outcome: str,
    arm: str | None,
    *,
    blocks: Any = None,
    clusters: Any = None,
    weights: Any = None,
    treated: Any = None,
    control: Any = None,
) -> Contrast:
    """The rows of one comparison of two arms, from a table or a trial."""
    frame = as_frame(data)
    if arm is None and isinstance(outcome, str) and "~" in outcome:
        outcome, arm = sides(outcome)
    arm = of_trial(data, "arm", arm)
    if arm is None:
        raise OptionError("it is not said which column holds the arms", remedy="name it, for example arm='arm'")
    clusters = of_trial(data, "clusters", clusters)
    control = of_trial(data, "control", control)
    y, z = column(frame, outcome, "outcome"), column(frame, arm, "arm")
    roles = {"block": blocks, "cluster": clusters, "weight": weights}
    extra = [None if which is None else column(frame, which, role) for role, which in roles.items()]
    arms, mine = two_arms(z[z.notna()], treated, control)
    in_arms = np.zeros(len(frame), dtype=bool)
    in_arms[z.notna().to_numpy()] = mine
    keep = complete(frame, [y, z, *(one for one in extra if one is not None)])
    weight = None if extra[2] is None else numbers(extra[2], "weight")
    if weight is not None:
        keep &= positive(weight, keep, str(getattr(weights, "name", weights)))
    use = keep & in_arms
    label = codes(z)[0]
    treated_code = label[np.flatnonzero(in_arms)[np.argmax(arms.indicator)]]
    block, names = (None, ()) if extra[0] is None else _coded(extra[0][use])
    cluster = None if extra[1] is None else _coded(extra[1][use])[0]
    values = numbers(y, "outcome")[use]
    return Contrast(
        str(outcome), arms, varied(values, str(outcome)), (label[use] == treated_code).astype(float), block, names,
        cluster, None if weight is None else weight[use], int((in_arms & ~keep).sum()),
    )  # fmt: skip


def _coded(series: Any) -> tuple[Codes, tuple[Any, ...]]:
    found, names = codes(series)
    return found, tuple(names)


def whole_pairs(contrast: Contrast) -> Contrast:
    """The pairs that kept both members; raises DataError for a pair of more than two."""
    members = _members(contrast)
    if (members > 2).any():
        label = contrast.block_labels[int(np.argmax(members > 2))]
        raise DataError(f"pair '{label}' has {int(members.max())} members", remedy="use blocks= for larger blocks")
    assert contrast.blocks is not None
    keep = members[contrast.blocks] == 2
    if not keep.any():
        raise DesignNotEstimable("no pair kept both its members")
    kept, names = np.unique(contrast.blocks[keep], return_inverse=True)
    pick = {"y": contrast.y, "z": contrast.z, "clusters": contrast.clusters, "weights": contrast.weights}
    chosen = {key: None if values is None else values[keep] for key, values in pick.items()}
    if chosen["clusters"] is not None:
        chosen["clusters"] = np.unique(chosen["clusters"], return_inverse=True)[1]
    return Contrast(
        contrast.outcome, contrast.arms, chosen["y"], chosen["z"], names.astype(np.intp),  # pyright: ignore[reportArgumentType]
        tuple(contrast.block_labels[i] for i in kept), chosen["clusters"], chosen["weights"],
        contrast.dropped + int((~keep).sum()),
    )  # fmt: skip


def _members(contrast: Contrast) -> Codes:
    """Units of randomization (participants, or clusters) per block."""
    assert contrast.blocks is not None
    if contrast.clusters is None:
        return np.bincount(contrast.blocks)
    first = np.unique(contrast.clusters, return_index=True)[1]
    return np.bincount(contrast.blocks[first])


def _check_cells(contrast: Contrast) -> None:
    """Every block has both arms; every cluster lies in one arm and one block."""
    names = {1: contrast.arms.treated, 0: contrast.arms.control}
    if contrast.clusters is not None:
        _constant(contrast.z, contrast.clusters, "arm")
        if contrast.blocks is not None:
            _constant(contrast.blocks, contrast.clusters, "block")
    block = np.zeros(contrast.n, dtype=np.intp) if contrast.blocks is None else contrast.blocks
    for value, name in names.items():
        empty = np.bincount(block, contrast.z == value, minlength=int(block.max()) + 1) == 0
        if empty.any():
            where = f"block '{contrast.block_labels[int(np.argmax(empty))]}'" if contrast.block_labels else "the data"
            raise DesignNotEstimable(
                f"{where} has nobody with an outcome in arm '{name}'",
                remedy="join it with a similar block, or leave it out",
            )


def _constant(values: Any, clusters: Codes, what: str) -> None:
    high = np.full(int(clusters.max()) + 1, -np.inf)
    low = np.full_like(high, np.inf)
    np.maximum.at(high, clusters, values)
    np.minimum.at(low, clusters, values)
    if (high != low).any():
        raise DataError(
            f"{int((high != low).sum())} clusters have members in more than one {what}",
            remedy=f"clusters are assigned whole; look at the {what} column",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Moments by arm and block, each of shape (2, blocks), control first: size, mean and variance of the mean."""

    size: Array
    mean: Array
    variance: Array
    count: Array


def cells(contrast: Contrast) -> Cells:
    """Sizes, means and HC2 variances of the means in one pass; raises DesignNotEstimable for a cell of one."""
    B = 1 if contrast.blocks is None else int(contrast.blocks.max()) + 1
    place = (contrast.z * B).astype(np.intp) + (0 if contrast.blocks is None else contrast.blocks)
    weight = np.ones(contrast.n) if contrast.weights is None else contrast.weights / contrast.weights.mean()
    count = np.bincount(place, minlength=2 * B).astype(float)
    size = np.bincount(place, weight, minlength=2 * B)
    mean = np.bincount(place, weight * contrast.y, minlength=2 * B) / size
    if (count < 2).any():
        alone = int(np.argmax(count < 2))
        name = contrast.arms.treated if alone >= B else contrast.arms.control
        where = f"block '{contrast.block_labels[alone % B]}'" if contrast.block_labels else "the data"
        raise DesignNotEstimable(
            f"{where} has one participant in '{name}'; at least two are needed",
            remedy="join it with a similar block, or use pairs= if members were matched",
        )
    e = contrast.y - mean[place]
    refuse_exact_fit(e, contrast.y, contrast.outcome, _what(contrast))
    variance = np.bincount(place, (weight * e) ** 2 / (1 - weight / size[place]), minlength=2 * B) / size**2
    return Cells(*(part.reshape(2, B) for part in (size, mean, variance, count)))


def _what(contrast: Contrast) -> str:
    return f"'{contrast.arms.column}'" + ("" if contrast.blocks is None else " and the blocks")


def _plain(contrast: Contrast) -> Estimate:
    cell = cells(contrast)
    value = float(cell.mean[1, 0] - cell.mean[0, 0])
    variance = float(cell.variance.sum())
    if contrast.weights is not None:
        return _result(
            contrast, value, math.sqrt(variance), contrast.n - 2, "HC2, weighted", "MacKinnon and White (1985)"
        )
    below = float((cell.variance**2 / (cell.count - 1)).sum())
    df = variance**2 / below if below > 0 else math.inf
    return _result(
        contrast, value, math.sqrt(variance), df, "unequal variances, Welch df", "Neyman (1923); Welch (1947)"
    )


def _blocked(contrast: Contrast) -> Estimate:
    if contrast.clusters is not None:
        return _blocked_clustered(contrast)
    cell = cells(contrast)
    share = cell.size.sum(axis=0) / cell.size.sum()
    value = float(share @ (cell.mean[1] - cell.mean[0]))
    variance = float(share**2 @ cell.variance.sum(axis=0))
    df = contrast.n - 2 * share.size
    source = "Gerber and Green (2012), eq. 3.10"
    return _result(contrast, value, math.sqrt(variance), df, "blocked, df = n - 2B", source, blocks=share.size)


def _paired(contrast: Contrast) -> Estimate:
    if contrast.weights is not None:
        raise OptionError("weights do not go with matched pairs", remedy="leave out weights=")
    assert contrast.blocks is not None
    B = int(contrast.blocks.max()) + 1
    if B < 2:
        raise DesignNotEstimable("there is one pair only; at least two are needed")
    place = (contrast.z * B).astype(np.intp) + contrast.blocks
    size = np.bincount(place, minlength=2 * B).reshape(2, B)
    mean = (np.bincount(place, contrast.y, minlength=2 * B) / size.ravel()).reshape(2, B)
    gaps, n_b, n = mean[1] - mean[0], size.sum(axis=0), contrast.n
    if is_rounding(gaps - gaps.mean(), contrast.y):
        raise PerfectFit(
            f"'{contrast.outcome}' differs by the same amount in every pair, so no standard error exists",
            remedy="look whether the right column was chosen",
        )
    value = float(n_b @ gaps / n)
    variance = B / ((B - 1) * n**2) * float(((n_b * gaps - n * value / B) ** 2).sum())
    clustered = contrast.clusters is not None
    source = "Imai, King and Nall (2009), eq. 6" if clustered else "Gerber and Green (2012), eq. 3.16"
    words = "pairs of clusters, df = B - 1" if clustered else "matched pairs, df = B - 1"
    extras = {"blocks": B, "clusters": 2 * B} if clustered else {"blocks": B}
    return _result(contrast, value, math.sqrt(variance), B - 1, words, source, **extras)


def _two_columns(contrast: Contrast, rows: Any = slice(None)) -> Model:
    assert contrast.clusters is not None
    y = contrast.y[rows]
    clusters = np.unique(contrast.clusters[rows], return_inverse=True)[1].astype(np.intp)
    weights = None if contrast.weights is None else contrast.weights[rows]
    return Model(contrast.outcome, y, Columns([1.0, contrast.z[rows]], y.size), (INTERCEPT, "treated"),
                 np.ones(y.size, dtype=bool), weights, clusters)  # fmt: skip


def _clustered(contrast: Contrast) -> Estimate:
    _two_clusters_an_arm(contrast, np.arange(contrast.n), None)
    fit = regress(_two_columns(contrast), "CR2")["treated"]
    return _result(contrast, fit.value, fit.se, fit.df, fit.convention, fit.source, clusters=fit.extras["clusters"])


def _blocked_clustered(contrast: Contrast) -> Estimate:
    assert contrast.blocks is not None
    assert contrast.clusters is not None
    B, value, variance = int(contrast.blocks.max()) + 1, 0.0, 0.0
    total = contrast.n if contrast.weights is None else float(contrast.weights.sum())
    for block in range(B):
        rows = np.flatnonzero(contrast.blocks == block)
        _two_clusters_an_arm(contrast, rows, block)
        fit = regress(_two_columns(contrast, rows), "CR2")["treated"]
        size = rows.size if contrast.weights is None else float(contrast.weights[rows].sum())
        value += fit.value * size / total
        variance += (fit.se * size / total) ** 2
    G = int(contrast.clusters.max()) + 1
    return _result(contrast, value, math.sqrt(variance), G - 2 * B, "blocked CR2, df = G - 2B",
                   "Gerber and Green (2012); Bell and McCaffrey (2002)", blocks=B, clusters=G)  # fmt: skip


def _two_clusters_an_arm(contrast: Contrast, rows: Codes, block: int | None) -> None:
    assert contrast.clusters is not None
    where = "the data have" if block is None else f"block '{contrast.block_labels[block]}' has"
    for value, name in ((1, contrast.arms.treated), (0, contrast.arms.control)):
        if np.unique(contrast.clusters[rows][contrast.z[rows] == value]).size < 2:
            raise DesignNotEstimable(
                f"{where} one cluster in '{name}'; at least two are needed",
                remedy="use permutation inference" if block is None else "join it with a similar block",
            )


def _result(
    contrast: Contrast, value: float, se: float, df: float, convention: str, source: str, **extras: Any
) -> Estimate:
    one = contrast.z == 1
    weight = np.ones(contrast.n) if contrast.weights is None else contrast.weights
    known = {
        "mean_treated": float(np.average(contrast.y[one], weights=weight[one])),
        "mean_control": float(np.average(contrast.y[~one], weights=weight[~one])),
        "n_treated": int(one.sum()), "n_control": int((~one).sum()),
    }  # fmt: skip
    if df <= 0:
        raise DesignNotEstimable(f"{contrast.n} rows in this many blocks leave no degrees of freedom")
    return Estimate.of(
        contrast.arms.name, value, se, df=df, n=contrast.n, estimand=ESTIMAND, convention=convention, source=source,
        dropped=contrast.dropped, extras=known | extras,
    )  # fmt: skip
