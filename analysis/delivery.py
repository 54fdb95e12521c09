"""What was delivered to whom: fidelity, contamination, and outcomes by advisor. All of it is descriptive.

People whose advisor is known were not allocated to that advisor by chance unless the design did so; a comparison of
advisors is therefore a description of caseloads, and is called so in its own result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.trial import Trial, as_text, column_of, numeric


@dataclass(frozen=True, slots=True)
class Delivered:
    """One part of the offer in one arm: how many got at least the minimum, of those for whom it is known."""

    arm: str
    part: str
    n: int
    known: int
    reached: int
    share: float | None
    median: float | None
    belongs: bool

    @property
    def contamination(self) -> bool:
        """Whether people got a part that does not belong to their arm."""
        return not self.belongs and self.reached > 0


def fidelity(
    trial: Trial, minimum: Mapping[str, float], components: Mapping[str, Sequence[str]]
) -> tuple[Delivered, ...]:
    """For every arm and every measured part: who reached the minimum that the protocol promises.

    `minimum` maps a column of the data (minutes, sessions, a yes/no) to what counts as delivered; `components` maps an
    arm to the columns whose part belongs to it. Raises `UnknownColumn` and `DataError` for values that are no numbers.

    >>> data = pd.DataFrame({"arm": ["advice", "advice", "portal"], "minutes": [250, 60, 30]})
    >>> rows = fidelity(Trial(data), {"minutes": 240}, {"advice": ["minutes"]})
    >>> [(row.arm, row.reached, row.belongs) for row in rows]
    [('advice', 1, True), ('portal', 0, False)]
    """
    arm = trial.data[trial.arm].to_numpy()
    rows = []
    for column, least in minimum.items():
        values = numeric(trial.data, column).to_numpy()
        for name in trial.arms:
            here = values[arm == name]
            known = here[~np.isnan(here)]
            reached = int((known >= least).sum())
            rows.append(
                Delivered(
                    arm=name, part=column, n=len(here), known=len(known), reached=reached,
                    share=reached / len(known) if len(known) else None,
                    median=float(np.median(known)) if len(known) else None,
                    belongs=column in components.get(name, ()),
                )
            )  # fmt: skip
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class AdvisorRow:
    """The people of one advisor: how many, their mean outcome, and that mean pulled towards the average of all."""

    advisor: str
    n: int
    mean: float
    shrunk: float


@dataclass(frozen=True, slots=True)
class ByAdvisor:
    """Outcomes by advisor, and the share of variation between advisors (0 when they differ less than by chance)."""

    rows: tuple[AdvisorRow, ...]
    icc: float
    average: float
    descriptive: bool
    note: str


def by_advisor(trial: Trial, outcome: str, advisor: str, *, advisors_randomised: bool = False) -> ByAdvisor:
    """Mean outcome of each advisor's people, shrunk by the reliability of their number.

    People without an advisor or an outcome are left out. The intraclass correlation is the one-way analysis of
    variance estimate for unequal groups. Raises `DataError` with fewer than two advisors, or none with two people.
    Donner and Koval (1980), Biometrics 36.

    >>> data = pd.DataFrame({"arm": ["a"] * 6 + ["b"], "who": list("xxxyyy") + [None], "y": [1.0, 2, 3, 5, 6, 7, 1]})
    >>> found = by_advisor(Trial(data), "y", "who")
    >>> round(found.icc, 4), [round(row.shrunk, 3) for row in found.rows], found.descriptive
    (0.8846, [2.083, 5.917], True)
    """
    values = numeric(trial.data, outcome).to_numpy()
    who = column_of(trial.data, advisor)
    keep = who.notna().to_numpy() & ~np.isnan(values)
    names, y = as_text(pd.Series(who.to_numpy()[keep])).to_numpy(), values[keep]
    groups: dict[Any, np.ndarray] = {name: y[names == name] for name in sorted(set(names))}
    sizes = np.array([len(group) for group in groups.values()])
    if len(groups) < 2 or sizes.max() < 2:
        raise DataError("outcomes by advisor need two advisors, one of whom has two people with an outcome")
    means = np.array([group.mean() for group in groups.values()])
    average = float(sizes @ means / sizes.sum())
    between = float(sizes @ (means - average) ** 2 / (len(groups) - 1))
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups.values()) / (sizes.sum() - len(groups))
    typical = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(groups) - 1)
    icc = 0.0
    if not math.isclose(between, 0.0) and between > within:
        icc = (between - within) / (between + (typical - 1) * within)
    reliability = sizes * icc / (1 + (sizes - 1) * icc)
    rows = tuple(
        AdvisorRow(str(name), int(size), float(mean), float(average + weight * (mean - average)))
        for name, size, mean, weight in zip(groups, sizes, means, reliability, strict=True)
    )
    note = "advisors were randomised" if advisors_randomised else "descriptive: people were not randomised to advisors"
    return ByAdvisor(rows, float(icc), average, not advisors_randomised, note)
