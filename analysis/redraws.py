"""One draw matrix for a whole analysis: the assignments that the design could have made instead.

Every outcome, arm and subgroup is judged against the same redraws, so that p-values and the step-down procedures that
combine them agree with one another. The draws come from the design itself (blocks, clusters, acceptance rules and
replayed minimisation included), or are all of its allocations when these are few.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import DataError, DesignNotEstimable, MissingValues, OptionError, nearest
from analysis.estimate import Array
from analysis.frame import as_frame, codes, column, of_trial
from analysis.kernels.permute import Bits, Slots

Codes8 = NDArray[np.uint8]
FEW_UNITS = 40
MOST_ALLOCATIONS = 50_000
MOST_BYTES = 4 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Redraws:
    """Arm codes of every redraw, shape (draws, units), and of the experiment itself, shape (units,).

    A unit is what the design assigns: a participant, or a whole cluster; `unit`, shape (n,), says whose row is whose.
    `chance`, shape (draws,), holds the probabilities of the allocations when all of them are listed, else None.
    """

    arms: tuple[str, ...]
    codes: Codes8
    observed: Codes8
    unit: NDArray[np.intp]
    strata: NDArray[np.intp]
    chance: Array | None
    seed: int
    fingerprint: str
    cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def slots(self) -> Slots:
        """Where the units stand in the packed rows, made once."""
        if "slots" not in self.cache:
            self.cache["slots"] = Slots.of(self.strata)
        return self.cache["slots"]

    def members(self, arm: int) -> Bits:
        """Who is in an arm in every redraw, as bits of shape (bytes, draws), packed once for all that ask."""
        if arm not in self.cache:
            self.cache[arm] = self.slots.pack(self.codes, arm, several=not (arm == 1 and self.complementary))
        return self.cache[arm]

    @property
    def complementary(self) -> bool:
        """Whether every redraw puts everybody in one of two arms."""
        if "complementary" not in self.cache:
            self.cache["complementary"] = len(self.arms) == 2 and int(self.codes.max()) < 2
        return self.cache["complementary"]

    @property
    def exact(self) -> bool:
        """Whether these are all allocations of the design."""
        return self.chance is not None

    @property
    def n(self) -> int:
        """The number of redraws."""
        return self.codes.shape[0]

    def code(self, arm: Any) -> int:
        """The number of an arm; raises OptionError naming the nearest one."""
        if str(arm) not in self.arms:
            raise OptionError(f"the design has no arm '{arm}'", remedy=nearest(arm, self.arms, "arm"))
        return self.arms.index(str(arm))


def redraw(
    data: Any,
    design: Any = None,
    *,
    arm: str | None = None,
    draws: int = 10_000,
    seed: int = 1,
    clusters: Any = None,
) -> Redraws:
    """Redraw the assignment of a table `draws` times from its `randomization` design.

    `data` holds one row per participant with the `arm` column and the columns that the design names; a `Trial` brings
    its own design. When the design assigns clusters their column is read from the design, or named with `clusters`.
    All allocations are listed instead of drawn when they number at most max(draws, 50,000).

    Raises DataError for arms that the design does not know, MissingValues for rows without an arm, DesignNotEstimable
    when the observed assignment could not have come from the design, OptionError.
    """
    frame = as_frame(data).reset_index(drop=True)
    design = of_trial(data, "design", design)
    if design is None:
        raise OptionError("permutation inference needs the design that made the assignment", remedy="give design=")
    if draws < 1:
        raise OptionError(f"{draws} draws were asked for", remedy="use 10,000")
    arm = of_trial(data, "arm", arm) or "arm"
    names = tuple(str(getattr(one, "name", one)) for one in design.arms)
    observed = _observed(column(frame, arm, "arm"), names, str(arm))
    grouping = clusters if clusters is not None else getattr(design, "clusters", None)
    grouping = of_trial(data, "clusters", None) if grouping is None else grouping
    unit = np.arange(len(frame)) if grouping is None else codes(_whole(frame, grouping))[0]
    first = np.unique(unit, return_index=True)[1]
    if not (observed == observed[first][unit]).all():
        raise DataError("some clusters have members in more than one arm", remedy="clusters are assigned whole")
    drawn, chance = _drawn(design, frame, first, draws, seed, len(names))
    if chance is not None:
        same = (drawn == observed[first]).all(axis=1)
        if not same.any():
            raise DesignNotEstimable("the observed assignment could not have come from this design",
                                     remedy="look at the ratio, strata and clusters of the design")  # fmt: skip
    strata = _strata(frame, design).astype(np.intp)
    return Redraws(names, drawn, observed[first], unit, strata[first], chance, seed, design.fingerprint)


def _observed(series: pd.Series, names: tuple[str, ...], arm: str) -> Codes8:
    if series.isna().any():
        raise MissingValues(f"{int(series.isna().sum())} rows have no arm in column '{arm}'",
                            remedy="permutation inference needs everybody who was assigned")  # fmt: skip
    found, labels = codes(series)
    places = {}
    for label in labels:
        written = str(int(label)) if isinstance(label, (bool, float)) and float(label).is_integer() else str(label)
        choice = next((name for name in (str(label), written) if name in names), None)
        if choice is None:
            raise DataError(f"arm '{label}' is not an arm of the design", remedy=nearest(label, names, "arm"))
        places[label] = names.index(choice)
    return np.array([places[label] for label in labels], dtype=np.uint8)[found]


def _whole(frame: pd.DataFrame, grouping: Any) -> pd.Series:
    series = column(frame, grouping, "cluster")
    if series.isna().any():
        raise MissingValues(f"{int(series.isna().sum())} rows have no cluster in '{series.name}'")
    return series


def _strata(frame: pd.DataFrame, design: Any) -> NDArray[np.intp]:
    names: list[str] = list(getattr(design, "strata", ()) or ())
    pairs = getattr(design, "pairs", None)
    if isinstance(pairs, str):
        names.append(pairs)
    if not names:
        return np.zeros(len(frame), dtype=np.intp)
    return codes(column(frame, names, "stratum"))[0]


def _drawn(
    design: Any, frame: pd.DataFrame, first: NDArray[np.intp], draws: int, seed: int, arms: int
) -> tuple[Codes8, Array | None]:
    if arms**first.size <= MOST_ALLOCATIONS or first.size <= FEW_UNITS:
        listed = _listed(design, frame, max(draws, MOST_ALLOCATIONS))
        if listed is not None:
            return listed[0][:, first], listed[1]
    if draws * len(frame) > MOST_BYTES:
        raise OptionError(
            f"{draws:,} draws of {len(frame):,} rows need {draws * len(frame) / 2**30:.0f} GB", remedy="use fewer draws"
        )
    drawn = np.asarray(design.draws(frame, draws, seed), dtype=np.uint8)
    return (drawn if first.size == len(frame) else drawn[:, first]), None


def _listed(design: Any, frame: pd.DataFrame, most: int) -> tuple[Codes8, Array] | None:
    """Every allocation and its probability, or None when there are too many or the design cannot list them."""
    from randomization.errors import RandomizationError

    try:
        if design.n_allocations(frame) > most:
            return None
        support = design.support(frame)
    except RandomizationError:
        return None
    chance = np.array([float(p) for p in support.probabilities])
    return np.asarray(support.allocations, dtype=np.uint8), chance / chance.sum()
