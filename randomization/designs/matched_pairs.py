"""Matched pairs: within each set of alike units, one (or the ratio's number) goes to each arm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import Design, Ratio, read_arms, read_columns
from randomization.designs.blocked import Blocked
from randomization.errors import DesignError, UnitsError
from randomization.units import Layout, grouped, sort_order

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPairs(Design):
    """See `matched_pairs`."""

    method: ClassVar[str] = "matched_pairs"
    pairs: str = ""

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if not read_columns(self.pairs, key="pairs"):
            raise DesignError("no column of pairs is named", path=("pairs",), remedy="name it")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.pairs,)

    def parameters(self) -> dict[str, Any]:
        return {"pairs": self.pairs}

    @property
    def within(self) -> Blocked:
        """The design within the sets."""
        return Blocked(arms=self.arms, misfits="error")

    def set_layout(self, layout: Layout) -> Layout:
        """The units grouped by set; `UnitsError` names a set of another size than the ratio's sum."""
        import numpy as np

        if "sets" not in layout.notes:
            group, labels = grouped([layout.columns[self.pairs]], layout.n)
            sizes = np.bincount(group, minlength=len(labels)).astype(np.int64)
            size = sum(self.weights)
            wrong = np.flatnonzero(sizes != size)
            if len(wrong):
                place = int(wrong[0])
                row = int(np.flatnonzero(group == place)[0])
                unit = row if layout.index is None else layout.index[row]
                raise UnitsError(
                    f"set {labels[place]!r} of column {self.pairs!r} has {int(sizes[place])} units, not {size} "
                    f"(unit {unit!r} is one of them)",
                    path=(self.pairs,),
                    remedy=f"make every set {size} units, or leave the set out",
                )
            inner = replace(layout, group=group, labels=labels, sizes=sizes, order=sort_order(group, len(labels)))
            layout.notes["sets"] = replace(inner, notes={})
        return layout.notes["sets"]

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        return self.within.codes(self.set_layout(layout), n, seed)

    def exact_probabilities(self, layout: Layout) -> np.ndarray:
        return self.within.exact_probabilities(self.set_layout(layout))

    def outcomes(self, layout: Layout, limit: int) -> Iterable[tuple[tuple[int, ...], Fraction]]:
        return self.within.outcomes(self.set_layout(layout), limit)

    def n_allocations(self, units: Any) -> int:
        return self.within.n_allocations_of(self.set_layout(self.layout(units)))


def matched_pairs(ratio: Ratio, pairs: str) -> MatchedPairs:
    """Each set of column `pairs` holds as many units as the ratio's sum; within it every arrangement is equally likely.

    Two equal arms give pairs, three give triplets, a ratio 1:2 sets of three: the multi-arm generalisation of
    Greevy et al., Biostatistics 2004, 5:263-275. Raises `UnitsError` naming a set of another size. Source: Imai, King
    and Nall, Stat Sci 2009, 24:29-53.

    >>> import pandas as pd
    >>> units = pd.DataFrame({"pair": [1, 1, 2, 2]})
    >>> matched_pairs(["portal", "advice"], "pair").n_allocations(units)
    4
    """
    return MatchedPairs(arms=read_arms(ratio), pairs=pairs)
