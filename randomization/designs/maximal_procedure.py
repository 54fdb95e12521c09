"""Maximal procedure: all sequences that never leave the tolerated imbalance and end in balance, equally likely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

from randomization.design import Design, Ratio, read_arms, read_columns
from randomization.designs.big_stick import two_equal_arms
from randomization.errors import DesignError, DesignNotDefined
from randomization.sequential import Move, Sequential


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximalProcedure(Sequential):
    """See `maximal_procedure`. The state is (arrivals so far in this sequence, arm 0's lead)."""

    method: ClassVar[str] = "maximal_procedure"
    mti: int = 2
    length: int | None = None

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        two_equal_arms(self, "for more arms or other ratios use `block_urn` (Zhao and Weng 2011)")
        if isinstance(self.mti, bool) or not isinstance(self.mti, int) or self.mti < 1:
            raise DesignError(
                f"the tolerated imbalance is {self.mti!r}", path=("mti",), remedy="give a whole number, at least 1"
            )
        length = self.length
        if length is not None and (isinstance(length, bool) or not isinstance(length, int) or length < 1):
            raise DesignError(
                f"the length is {length!r}", path=("length",), remedy="give the number of people a stratum is to have"
            )

    def parameters(self) -> dict[str, Any]:
        return {"mti": self.mti} | ({} if self.length is None else {"length": self.length})

    def for_stratum(self, size: int) -> MaximalProcedure:
        return self if self.length is not None else replace(self, length=size)

    def start(self) -> tuple[int, int]:
        return 0, 0

    def moves(self, state: Any) -> tuple[Move, ...]:
        """In proportion to the number of legal ways to go on; a full sequence is followed by a new one."""
        if self.length is None:
            raise DesignNotDefined(
                "the maximal procedure needs to know how long its sequence is",
                path=("length",),
                remedy="give `length`, the number of people planned for a stratum",
            )
        ways = ways_on(self.length, self.mti)
        done, lead = state
        if done == self.length:
            done, lead = 0, 0
        chance = Fraction(ways[done + 1].get(lead + 1, 0), ways[done][lead])
        return Move(0, chance, (done + 1, lead + 1)), Move(1, 1 - chance, (done + 1, lead - 1))

    def write_state(self, state: Any) -> dict[str, Any]:
        done, lead = state
        return {"done": done, "lead": {self.names[0]: lead, self.names[1]: -lead}}

    def read_state(self, form: Mapping[str, Any]) -> tuple[int, int]:
        return form["done"], form["lead"][self.names[0]]


@lru_cache(maxsize=64)
def ways_on(length: int, mti: int) -> tuple[dict[int, int], ...]:
    """For each number of arrivals and lead: legal ways to the end of the sequence.

    >>> ways_on(4, 1)[0]
    {0: 4}
    """
    table = [{lead: 1 for lead in (-1, 0, 1) if abs(lead) <= mti and (lead - length) % 2 == 0}]
    for done in range(length - 1, -1, -1):
        after = table[-1]
        leads = [lead for lead in range(-mti, mti + 1) if (lead - done) % 2 == 0 and abs(lead) <= done]
        ways = {lead: after.get(lead + 1, 0) + after.get(lead - 1, 0) for lead in leads}
        table.append({lead: count for lead, count in ways.items() if count})
    return tuple(reversed(table))


def maximal_procedure(
    ratio: Ratio, *, mti: int = 2, length: int | None = None, strata: Sequence[str] = ()
) -> MaximalProcedure:
    """Every sequence whose imbalance stays within `mti` and that ends balanced (within one when odd) is equally likely.

    `length` is the number of people planned for a stratum; a batch draw takes the stratum's own size when it is left
    out, a live draw needs it. Two arms, 1:1; others raise `DesignNotDefined`: Salama, Ivanova and Qaqish (Stat Med
    2008, 27:4421-4430) treat unequal ratios, `block_urn` serves more arms. Source: Berger, Ivanova and Knoll, Stat Med
    2003, 22:3017-3028.

    >>> maximal_procedure(["portal", "advice"], mti=2).n_allocations(4)
    6
    """
    return MaximalProcedure(arms=read_arms(ratio), strata=read_columns(strata), mti=mti, length=length)
