"""Complete randomization: the arms' counts are fixed, and every arrangement of them is equally likely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from randomization.design import Ratio, read_arms
from randomization.designs.blocked import Blocked


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Blocked):
    """See `complete`."""

    method: ClassVar[str] = "complete"

    def parameters(self) -> dict[str, Any]:
        return {}


def complete(ratio: Ratio) -> Complete:
    """Counts in the ratio, all arrangements equally likely; any number of arms, any ratio.

    When the ratio does not divide the units, each arm's count is the floor or ceiling of its expectation and every
    unit's chance stays exact. Raises `UnitsError` for more arms than units. Source: Rosenberger and Lachin (2016),
    section 3.3; Cox, J Am Stat Assoc 1987, 82:520-524, for the rounding.

    >>> d = complete(["a", "b", "c"])
    >>> d.n_allocations(5), set(d.support(5).probabilities)
    (90, {Fraction(1, 90)})
    """
    return Complete(arms=read_arms(ratio))
