"""Block urn: bounded imbalance for any number of arms and any ratio, with less to guess than permuted blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from randomization.design import Design, Ratio, read_arms, read_columns
from randomization.designs.urn import CountState, add_one
from randomization.errors import DesignError
from randomization.sequential import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockUrn(CountState):
    """See `block_urn`. The state counts the balls set aside, whole ratios having gone back."""

    method: ClassVar[str] = "block_urn"
    multiple: int = 2

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if isinstance(self.multiple, bool) or not isinstance(self.multiple, int) or self.multiple < 1:
            raise DesignError(
                f"the urn holds {self.multiple!r} ratios",
                path=("multiple",),
                remedy="give a whole number of at least 1",
            )

    def parameters(self) -> dict[str, Any]:
        return {"multiple": self.multiple}

    def moves(self, state: Any) -> tuple[Move, ...]:
        left = [self.multiple * weight - aside for weight, aside in zip(self.weights, state, strict=True)]
        total = sum(left)
        return tuple(Move(arm, Fraction(ball, total), self._aside(state, arm)) for arm, ball in enumerate(left))

    def _aside(self, state: tuple[int, ...], arm: int) -> tuple[int, ...]:
        after = add_one(state, arm)
        if all(count >= weight for count, weight in zip(after, self.weights, strict=True)):
            return tuple(count - weight for count, weight in zip(after, self.weights, strict=True))
        return after


def block_urn(ratio: Ratio, *, multiple: int = 2, strata: Sequence[str] = ()) -> BlockUrn:
    """An urn of `multiple` ratios; drawn balls are set aside and go back as soon as they make a whole ratio.

    Any number of arms, any ratio; no arm runs further ahead than a block of the same size allows, but far fewer arms
    are certain. It is the multi-arm generalisation of the big stick idea. Source: Zhao and Weng, Contemporary Clinical
    Trials 2011, 32:953-961.

    >>> d = block_urn(["portal", "advice", "voucher"], multiple=2)
    >>> d.predictability(30).max_imbalance, round(float(d.predictability(30).deterministic_share), 2)
    (Fraction(2, 1), 0.06)
    """
    return BlockUrn(arms=read_arms(ratio), strata=read_columns(strata), multiple=multiple)
