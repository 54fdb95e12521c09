"""Big stick: a fair coin until one arm is ahead by the limit, then the other arm. Least to guess for its balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from randomization.design import Design, Ratio, read_arms, read_columns
from randomization.errors import DesignError, DesignNotDefined
from randomization.sequential import Move, Sequential

HALF = Fraction(1, 2)


def two_equal_arms(design: Design, instead: str) -> None:
    """Raise `DesignNotDefined` unless the design has two arms in the ratio 1:1; `instead` names what to use."""
    if len(design.arms) != 2 or not design.equal:
        ratio = ":".join(str(weight) for weight in design.weights)
        raise DesignNotDefined(
            f"{design.method} is defined for two arms in the ratio 1:1, not for {ratio}",
            path=("ratio",),
            remedy=instead,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BigStick(Sequential):
    """See `big_stick`. The state is arm 0's lead."""

    method: ClassVar[str] = "big_stick"
    limit: int = 3

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        two_equal_arms(self, "for more arms or other ratios use `block_urn` (Zhao and Weng 2011)")
        if isinstance(self.limit, bool) or not isinstance(self.limit, int) or self.limit < 1:
            raise DesignError(
                f"the limit is {self.limit!r}", path=("limit",), remedy="give a whole number of at least 1"
            )

    def parameters(self) -> dict[str, Any]:
        return {"limit": self.limit}

    def start(self) -> int:
        return 0

    def moves(self, state: Any) -> tuple[Move, ...]:
        first = HALF if abs(state) < self.limit else Fraction(int(state < 0))
        return Move(0, first, state + 1), Move(1, 1 - first, state - 1)

    def write_state(self, state: Any) -> dict[str, Any]:
        return {"lead": {self.names[0]: state, self.names[1]: -state}}

    def read_state(self, form: Any) -> int:
        return form["lead"][self.names[0]]


def big_stick(ratio: Ratio, *, limit: int = 3, strata: Sequence[str] = ()) -> BigStick:
    """A fair coin while the arms differ by less than `limit`; at the limit the smaller arm for certain.

    Two arms, 1:1; others raise `DesignNotDefined`, whose multi-arm generalisation is `block_urn` (Zhao and Weng,
    Contemporary Clinical Trials 2011, 32:953-961). Source: Soares and Wu, Communications in Statistics 1983,
    12:2017-2034.

    >>> round(float(big_stick(["portal", "advice"], limit=4).predictability(100).correct_guesses), 3)
    55.875
    """
    return BigStick(arms=read_arms(ratio), strata=read_columns(strata), limit=limit)
