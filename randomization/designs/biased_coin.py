"""Efron's biased coin: a fair coin while the arms are level, else a coin that favours the arm behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from randomization.design import Design, Number, Ratio, exact, read_arms, read_columns
from randomization.designs.big_stick import HALF, two_equal_arms
from randomization.errors import DesignError
from randomization.sequential import Move, Sequential


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasedCoin(Sequential):
    """See `biased_coin`. The state is arm 0's lead."""

    method: ClassVar[str] = "biased_coin"
    p: Fraction = Fraction(2, 3)

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        two_equal_arms(self, "for more arms use `urn` (Wei 1978), for other ratios `block_urn` (Zhao and Weng 2011)")
        if not HALF <= self.p <= 1:
            raise DesignError(f"the coin's p is {self.p}", path=("p",), remedy="choose it from 1/2 to 1")

    def parameters(self) -> dict[str, Any]:
        return {"p": str(self.p)}

    def start(self) -> int:
        return 0

    def moves(self, state: Any) -> tuple[Move, ...]:
        first = HALF if state == 0 else self.p if state < 0 else 1 - self.p
        return Move(0, first, state + 1), Move(1, 1 - first, state - 1)

    def write_state(self, state: Any) -> dict[str, Any]:
        return {"lead": {self.names[0]: state, self.names[1]: -state}}

    def read_state(self, form: Mapping[str, Any]) -> int:
        return form["lead"][self.names[0]]


def biased_coin(ratio: Ratio, *, p: Number = Fraction(2, 3), strata: Sequence[str] = ()) -> BiasedCoin:
    """The arm behind gets the next arrival with chance `p` (from 1/2 to 1); level arms get it by a fair coin.

    Two arms, 1:1; others raise `DesignNotDefined`: Wei's `urn` (J Am Stat Assoc 1978, 73:559-563) generalises the
    idea to more arms. Source: Efron, Biometrika 1971, 58:403-417.

    >>> biased_coin(["portal", "advice"], p=2/3).predictability(4).balance_probability
    Fraction(16, 27)
    """
    return BiasedCoin(arms=read_arms(ratio), strata=read_columns(strata), p=exact(p, path=("p",)))
