"""The rules of disclosure control that a protocol locks: what a publication may show about few people.

The defaults are those of Statistics Netherlands for output from microdata. `dashboards.suppression` applies them to
tables, `dashboards.publications` to several publications together. `docs/methods/disclosure.md` gives the reasoning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dashboards.errors import DisclosureError

Share = Annotated[float, Field(gt=0, le=1)]


class Dominance(BaseModel):
    """A sum of money or hours is withheld when its largest one or two contributors make up too much of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    largest: Share = 0.5
    two_largest: Share = 0.9

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.two_largest < self.largest:
            raise ValueError("two_largest: the limit for two contributors cannot be below the limit for one")
        return self


class Rules(BaseModel):
    """The section `disclosure:` of a protocol.

    Attributes:
        min_cell: the fewest people a published cell may hold.
        zeros: whether an empty cell counts as too small ("withhold") or may be seen ("show").
        rounding_base: public counts are rounded to its nearest multiple; 1 publishes exact counts.
        interval_width: how wide, in people, the range must at least be that a reader can derive for a withheld count.
            None means `min_cell`: then nobody can tell from it that a cell is small.
        magnitude_width: the same for withheld sums, as a share of the sum.
        dominance: limits for sums.
        group_disclosure: where a variable is sensitive, no category may hold a larger share of a group than this.
        residual_df: the fewest residual degrees of freedom of a published model.

    >>> Rules().min_cell, Rules(min_cell=15).width
    (10, 15)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_cell: Annotated[int, Field(ge=2)] = 10
    zeros: Literal["withhold", "show"] = "withhold"
    rounding_base: Annotated[int, Field(ge=1)] = 5
    interval_width: Annotated[int, Field(ge=1)] | None = None
    magnitude_width: Share = 0.1
    dominance: Dominance = Dominance()
    group_disclosure: Share = 0.9
    residual_df: Annotated[int, Field(ge=1)] = 10

    @model_validator(mode="after")
    def _rounding_keeps_small_cells_hidden(self) -> Self:
        if self.rounding_base > self.min_cell:
            raise ValueError("rounding_base: a base above min_cell would round cells that may be shown to nothing")
        return self

    @property
    def width(self) -> int:
        """The least width of the range that may be derivable for a withheld count, in people."""
        return self.interval_width or self.min_cell

    def too_small(self, count: int) -> bool:
        """Whether a count of people may not be seen.

        >>> Rules().too_small(9), Rules().too_small(10), Rules(zeros="show").too_small(0)
        (True, False, False)
        """
        if count < 0:
            raise DisclosureError(f"a cell holds {count} people", remedy="Counts start at zero.")
        return count < self.min_cell and not (count == 0 and self.zeros == "show")

    def rounded(self, count: int) -> int:
        """A count as it is published: the nearest multiple of the base, halves upwards.

        >>> Rules().rounded(1197), Rules().rounded(1198)
        (1195, 1200)
        """
        base = self.rounding_base
        return base * math.floor(count / base + 0.5)

    def rounding_range(self, shown: int) -> tuple[int, int]:
        """The smallest and largest count that would be published as `shown`.

        >>> Rules().rounding_range(1200)
        (1198, 1202)
        """
        base = self.rounding_base
        return max(0, shown - base // 2), shown + (base - 1) // 2

    def dominated(self, contributions: Sequence[float]) -> bool:
        """Whether one or two contributors make up too much of a sum of non-negative contributions.

        >>> Rules().dominated([60, 20, 20]), Rules().dominated([30, 30, 20, 20])
        (True, False)
        """
        return self.dominance_shortfall(contributions) > 0

    def dominance_shortfall(self, contributions: Sequence[float]) -> float:
        """How much larger the sum would have to look before nobody dominates it; 0 or less when nobody does.

        The upper protection level of the (n, k) rule: sum of the n largest divided by k, minus the sum
        (Hundepool and others, Statistical Disclosure Control, 2012, section 4.2.2).

        >>> Rules().dominance_shortfall([60, 20, 20])
        20.0
        """
        ordered = sorted((float(c) for c in contributions), reverse=True)
        if ordered and ordered[-1] < 0:
            raise DisclosureError("a contribution to a sum is negative", remedy="Publish gains and losses apart.")
        total = math.fsum(ordered)
        one, two = math.fsum(ordered[:1]) / self.dominance.largest, math.fsum(ordered[:2]) / self.dominance.two_largest
        return max(one, two) - total

    def reveals_group(self, counts: Sequence[int]) -> int | None:
        """Which category of a sensitive variable nearly the whole group falls into, or None.

        >>> Rules().reveals_group([95, 5]), Rules().reveals_group([60, 40])
        (0, None)
        """
        total = sum(counts)
        if not total:
            return None
        largest = max(range(len(counts)), key=counts.__getitem__)
        return largest if counts[largest] > self.group_disclosure * total else None

    def check_model(self, name: str, residual_df: float) -> None:
        """Raises `DisclosureError` when a model has too few residual degrees of freedom to be published.

        >>> Rules().check_model("effect on earnings", 443)
        """
        if residual_df < self.residual_df:
            raise DisclosureError(
                f"'{name}' has {residual_df:g} residual degrees of freedom; a published model has at least "
                f"{self.residual_df}",
                remedy="Leave it out, or pool strata.",
            )
