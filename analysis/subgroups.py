"""Effects by subgroup, and the test that matters: whether they differ.

An effect that is clear in one group and unclear in another is no evidence of a difference. So every set of subgroups
comes with one interaction test, and several sets are corrected together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.differences import Contrast, read_contrast
from analysis.errors import DataError, DesignNotEstimable, OptionError
from analysis.estimate import Array, Estimate, JointTest, Regression
from analysis.formulas import INTERCEPT, Model, design
from analysis.frame import as_frame, column
from analysis.joint import joint_test
from analysis.kernels.rows import Columns
from analysis.multiplicity import adjust
from analysis.regression import regress


@dataclass(frozen=True, slots=True)
class Subgroups:
    """The effect in every level of one column, the test that they are equal, and its p after correction."""

    by: str
    effects: dict[Any, Estimate]
    interaction: JointTest
    p_adjusted: float


def subgroup_effects(
    data: Any,
    outcome: str,
    by: str | Sequence[str],
    arm: str | None = None,
    *,
    covariates: str | None = None,
    clusters: Any = None,
    se_type: str | None = None,
    correction: str = "holm",
    treated: Any = None,
    control: Any = None,
) -> dict[str, Subgroups]:
    """Effects by pre-specified subgroups, with interaction tests adjusted over the columns named in `by`.

    One regression per column: a mean and an effect for every level (HC2, or CR2 with clusters), plus `covariates`
    ("~ age + C(site)", centred) when given. The interaction test is F, or HTZ with clusters. Rows without a level are
    left out and counted. Raises DesignNotEstimable naming a level without both arms.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 2, 4, 5, 1, 3, 2, 3], "z": [0, 0, 1, 1] * 2, "sex": ["f"] * 4 + ["m"] * 4})
    >>> found = subgroup_effects(data, "y", "sex", "z")["sex"]
    >>> {level: round(effect.value, 3) for level, effect in found.effects.items()}
    {'f': 3.0, 'm': 0.5}
    """
    names = [by] if isinstance(by, str) else list(by)
    if not names:
        raise OptionError("no subgroup was named", remedy="name a column with by=")
    found = {}
    for name in names:
        frame = as_frame(data)
        known = column(frame, name, "subgroup").notna()
        table = frame.loc[known]
        source = table if not hasattr(data, "data") or frame is data else replace(data, data=table)
        contrast = read_contrast(source, outcome, arm, blocks=name, clusters=clusters, treated=treated, control=control)
        extra = _covariates(source, outcome, arm, name, clusters, covariates, treated, control, contrast)
        fit, test = _one(contrast, name, extra, se_type)
        left_out = contrast.dropped + int((~known).sum())
        effects = {
            label: replace(fit[f"effect in {label}"], name=f"{contrast.arms.name} in {name} {label}", dropped=left_out)
            for label in contrast.block_labels
        }
        found[name] = (effects, test)
    adjusted = adjust({name: test.p for name, (_, test) in found.items()}, correction)
    return {name: Subgroups(name, effects, test, adjusted[name]) for name, (effects, test) in found.items()}


def _covariates(
    source: Any, outcome: str, arm: Any, by: str, clusters: Any, covariates: str | None, treated: Any, control: Any,
    contrast: Contrast,
) -> tuple[list[Array], list[str]]:  # fmt: skip
    """Centred covariates on the rows of the comparison; they may have no gaps."""
    if covariates is None:
        return [], []
    frame = as_frame(source)
    numbered = frame.assign(_row=np.arange(len(frame)))
    rows = read_contrast(
        replace(source, data=numbered) if hasattr(source, "data") and not hasattr(source, "iloc") else numbered,
        outcome, arm, blocks=by, clusters=clusters, weights=np.arange(1.0, len(frame) + 1), treated=treated,
        control=control,
    )  # fmt: skip
    assert rows.weights is not None
    chosen = frame.iloc[rows.weights.astype(int) - 1]
    columns, names = design(covariates.split("~")[-1].strip(), chosen)
    if any(values.size != contrast.n for values in columns):
        raise DataError("a covariate has missing values", remedy="fill them with fill_covariates first")
    pairs = [(v - v.mean(), name) for v, name in zip(columns, names, strict=True) if name != INTERCEPT]
    return [v for v, _ in pairs], [name for _, name in pairs]


def _one(
    contrast: Contrast, by: str, extra: tuple[list[Array], list[str]], se_type: str | None
) -> tuple[Regression, JointTest]:
    assert contrast.blocks is not None
    levels = len(contrast.block_labels)
    if levels < 2:
        raise DesignNotEstimable(f"'{by}' has one level only, so there is nothing to compare")
    for level, label in enumerate(contrast.block_labels):
        own = contrast.z[contrast.blocks == level]
        if own.sum() < 2 or (1 - own).sum() < 2:
            raise DesignNotEstimable(f"'{by}' {label} has fewer than two participants in an arm", remedy="join levels")
    inside = [(contrast.blocks == level).astype(float) for level in range(levels)]
    effects = [contrast.z * one for one in inside]
    columns, names = extra
    shown = tuple(f"effect in {label}" for label in contrast.block_labels)
    means = tuple(f"mean in {label}" for label in contrast.block_labels)
    model = Model(
        contrast.outcome, contrast.y, Columns([*inside, *effects, *columns], contrast.n), (*means, *shown, *names),
        np.ones(contrast.n, dtype=bool), None, contrast.clusters,
    )  # fmt: skip
    fit = regress(model, se_type, "average effect of assignment within the subgroup")
    gaps = [contrast.z, *effects[1:]]
    differing = tuple(f"difference in {label}" for label in contrast.block_labels[1:])
    against = replace(
        model, X=Columns([*inside, *gaps, *columns], contrast.n), names=(*means, "effect", *differing, *names)
    )
    return fit, joint_test(regress(against, se_type), list(differing))
