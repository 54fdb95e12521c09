"""Horvitz and Thompson's estimator: each outcome weighs the inverse of its own chance of assignment.

It is unbiased whatever the probabilities are, and its variance bound follows from the design alone: Young's inequality
stands in for the pairs of potential outcomes that nobody can see together (Aronow and Middleton 2013, Journal of
Causal Inference 1, 135-154).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from analysis.differences import Contrast, read_contrast
from analysis.errors import DataError, DesignNotEstimable, OptionError, nearest
from analysis.estimate import Array, Estimate
from analysis.frame import as_frame, column, numbers

Assignment = Literal["simple", "complete"]
SOURCE = "Horvitz and Thompson (1952); Aronow and Middleton (2013)"


def horvitz_thompson(
    data: Any,
    outcome: str,
    arm: str | None = None,
    *,
    probabilities: Any = None,
    assignment: Assignment | None = None,
    blocks: Any = None,
    clusters: Any = None,
    treated: Any = None,
    control: Any = None,
) -> Estimate:
    """The difference of inverse-probability totals, divided by n, with a conservative variance and a normal reference.

    `probabilities` is a column, or one number, with everybody's chance of the treated arm; when it is absent the share
    of the design's units that was treated (per block) is used. `assignment` "simple" means independent draws,
    "complete" a fixed number of treated units; blocks are always complete within. Clusters are assigned whole.

    Raises DataError for probabilities outside (0, 1) or differing within a cluster, DesignNotEstimable, OptionError.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 3, 2, 6, 4, 5], "z": [0, 0, 0, 1, 1, 1]})
    >>> effect = horvitz_thompson(data, "y", "z", probabilities=0.5)
    >>> effect.value, round(effect.se, 4)
    (3.0, 3.1798)
    """
    kind = assignment or ("complete" if blocks is not None else "simple")
    if kind not in ("simple", "complete"):
        raise OptionError(f"assignment '{kind}' does not exist", remedy=nearest(kind, ["simple", "complete"], "word"))
    if blocks is not None and kind == "simple":
        raise OptionError("blocks are assigned completely within", remedy="leave out assignment=")
    frame = as_frame(data)
    given = None
    if probabilities is not None:
        if isinstance(probabilities, (int, float, np.number)):
            given = np.full(len(frame), float(probabilities))
        else:
            given = numbers(column(frame, probabilities, "probability"), "probability")
        if not ((given > 0) & (given < 1)).all():
            raise DataError("probabilities of assignment lie strictly between 0 and 1")
    contrast = read_contrast(
        data, outcome, arm, blocks=blocks, clusters=clusters, weights=given, treated=treated, control=control
    )
    y, z, p, block = _units(contrast, given is not None)
    total, variance = 0.0, 0.0
    for b in range(int(block.max()) + 1):
        rows = block == b
        value, spread = _block(y[rows], z[rows], p[rows], kind)
        total, variance = total + value, variance + spread
    n = contrast.n
    convention = f"{kind} assignment, Young's inequality, normal reference"
    return Estimate.of(
        contrast.arms.name, total / n, math.sqrt(max(variance, 0.0)) / n, df=math.inf, n=n,
        estimand="average effect of assignment on those in the experiment", convention=convention, source=SOURCE,
        dropped=contrast.dropped, extras={"units": int(y.size), "blocks": int(block.max()) + 1},
    )  # fmt: skip


def _units(contrast: Contrast, given: bool) -> tuple[Array, Array, Array, Any]:
    """Totals, assignment, probability and block of the units that were assigned: participants or whole clusters."""
    blocks = np.zeros(contrast.n, dtype=np.intp) if contrast.blocks is None else contrast.blocks
    p = contrast.weights
    y, z = contrast.y, contrast.z
    if contrast.clusters is not None:
        G = int(contrast.clusters.max()) + 1
        first = np.unique(contrast.clusters, return_index=True)[1]
        for values, what in ((z, "arm"), (p, "probability"), (blocks, "block")):
            if values is not None and not (values == values[first][contrast.clusters]).all():
                raise DataError(
                    f"some clusters have members that differ in {what}", remedy="clusters are assigned whole"
                )
        y = np.bincount(contrast.clusters, y, minlength=G)
        z, blocks = z[first], blocks[first]
        p = None if p is None else p[first]
    if p is None or not given:
        p = (np.bincount(blocks, z) / np.bincount(blocks))[blocks]
        if not ((p > 0) & (p < 1)).all():
            raise DesignNotEstimable("a block has one arm only", remedy="join it with a similar block")
    return y, z, p, blocks


def _block(y: Array, z: Array, p: Array, kind: str) -> tuple[float, float]:
    """The weighted total difference of one block and its variance."""
    one, zero = y[z == 1] / p[z == 1], y[z == 0] / (1 - p[z == 0])
    value = float(one.sum() - zero.sum())
    variance = float(one @ one + zero @ zero)
    if kind == "complete":
        variance += _covariances(one, zero, p, y.size)
    return value, variance


def _covariances(one: Array, zero: Array, p: Array, n: int) -> float:
    """What a fixed number of treated adds: pairs of units are no longer independent."""
    m = float(p[0]) * n
    if np.ptp(p) > 1e-9 or abs(m - round(m)) > 1e-6:
        raise DataError(
            "complete assignment needs one probability per block that gives a whole number of treated units",
            remedy="use assignment='simple'",
        )
    m, share = round(m), round(m) / n
    both = m * (m - 1) / (n * (n - 1))
    none = (n - m) * (n - m - 1) / (n * (n - 1))
    mixed = m * (n - m) / (n * (n - 1))
    out = -2 * (mixed - share * (1 - share)) / mixed * float(one.sum() * zero.sum())
    if both > 0:
        out += (both - share**2) / both * float(one.sum() ** 2 - one @ one)
    if none > 0:
        out += (none - (1 - share) ** 2) / none * float(zero.sum() ** 2 - zero @ zero)
    return out
