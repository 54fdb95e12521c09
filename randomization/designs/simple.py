"""Simple randomization: every unit by itself, as with a die. No balance is promised, and no arm can be guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from randomization.design import Ratio, read_arms, read_columns
from randomization.sequential import Move, Sequential


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple(Sequential):
    """See `simple`."""

    method: ClassVar[str] = "simple"

    @property
    def keeps_ratio(self) -> bool:
        return True

    def moves(self, state: Any) -> tuple[Move, ...]:
        """The ratio, whatever came before."""
        return tuple(Move(code, share, state) for code, share in enumerate(self.shares))


def simple(ratio: Ratio, *, strata: Sequence[str] = ()) -> Simple:
    """Independent allocation of each unit with the chances of the ratio; any number of arms.

    Strata change nothing but the label under which a live draw is filed. Source: Rosenberger and Lachin,
    Randomization in Clinical Trials (2nd edition, 2016), section 3.2.

    >>> simple({"portal": 1, "advice": 3}).shares
    (Fraction(1, 4), Fraction(3, 4))
    """
    return Simple(arms=read_arms(ratio), strata=read_columns(strata))
