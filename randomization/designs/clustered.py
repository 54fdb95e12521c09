"""Clustered randomization: whole advisors, regions or employers go to an arm, also within strata."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import Design, Ratio, read_arms, read_columns
from randomization.designs.blocked import Blocked
from randomization.errors import DesignError, UnitsError
from randomization.units import Layout, sort_order

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustered(Design):
    """See `clustered`."""

    method: ClassVar[str] = "clustered"
    clusters: str = ""
    misfits: str = "balanced"

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        read_columns(self.clusters, key="clusters")
        if self.clusters in self.strata:
            raise DesignError(
                f"column {self.clusters!r} is both cluster and stratum", path=("clusters",), remedy="name another"
            )
        Blocked(arms=self.arms, misfits=self.misfits)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.strata, self.clusters)

    def parameters(self) -> dict[str, Any]:
        return {"clusters": self.clusters, "misfits": self.misfits}

    @property
    def among(self) -> Blocked:
        """The design that allocates the clusters."""
        return Blocked(arms=self.arms, misfits=self.misfits)

    def cluster_layout(self, layout: Layout) -> tuple[Layout, np.ndarray]:
        """The clusters as units, in the order in which they first occur, and the cluster of each unit.

        Raises `UnitsError` when a cluster lies in two strata, or there are fewer clusters than arms.
        """
        import numpy as np
        import pandas as pd

        if "clusters" not in layout.notes:
            which, names = pd.factorize(layout.columns[self.clusters])
            first = np.zeros(len(names), dtype=np.int32)
            first[which[::-1]] = layout.group[::-1]
            astray = np.flatnonzero(first[which] != layout.group)
            if len(astray):
                row = int(astray[0])
                unit = row if layout.index is None else layout.index[row]
                one, two = layout.labels[first[which[row]]], layout.labels[layout.group[row]]
                raise UnitsError(
                    f"cluster {names[which[row]]!r} of column {self.clusters!r} lies in two strata, "
                    f"{one!r} and {two!r} (unit {unit!r})",
                    path=(self.clusters,),
                    remedy=f"give the cluster one value of {', '.join(self.strata)}",
                )
            if len(names) < len(self.arms):
                raise UnitsError(
                    f"{len(names)} clusters of column {self.clusters!r} cannot fill {len(self.arms)} arms",
                    path=(self.clusters,),
                    remedy="add clusters or take fewer arms",
                )
            sizes = np.bincount(first, minlength=len(layout.labels)).astype(np.int64)
            inner = Layout(len(names), None, first, layout.labels, sizes, sort_order(first, len(layout.labels)))
            layout.notes["clusters"] = inner, which
        return layout.notes["clusters"]

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        inner, which = self.cluster_layout(layout)
        return self.among.codes(inner, n, seed).take(which, axis=1)

    def exact_probabilities(self, layout: Layout) -> np.ndarray:
        inner, which = self.cluster_layout(layout)
        return self.among.exact_probabilities(inner)[which]

    def outcomes(self, layout: Layout, limit: int) -> Iterable[tuple[tuple[int, ...], Fraction]]:
        inner, which = self.cluster_layout(layout)
        places = which.tolist()
        for codes, chance in self.among.outcomes(inner, limit):
            yield tuple(codes[place] for place in places), chance

    def n_allocations(self, units: Any) -> int:
        return self.among.n_allocations_of(self.cluster_layout(self.layout(units))[0])


def clustered(ratio: Ratio, clusters: str, *, strata: Sequence[str] = (), misfits: str = "balanced") -> Clustered:
    """Complete randomization of whole clusters, also within strata; any number of arms, any ratio.

    `clusters` names the column. Counts of clusters follow the ratio; misfits are handled as in `blocked`. Every unit
    has its cluster's arm. Raises `UnitsError` for a cluster in two strata (named) or fewer clusters than arms.
    Source: Donner and Klar, Design and Analysis of Cluster Randomization Trials in Health Research (2000), chapter 3.

    >>> import pandas as pd
    >>> units = pd.DataFrame({"advisor": ["a", "a", "b", "b", "c", "d"]})
    >>> arms = clustered(["portal", "advice"], "advisor").draw(units, seed=1)
    >>> arms.groupby(units["advisor"]).nunique().tolist()
    [1, 1, 1, 1]
    """
    return Clustered(arms=read_arms(ratio), clusters=clusters, strata=read_columns(strata), misfits=misfits)
