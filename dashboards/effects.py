"""An effect as a figure needs it: a name for readers, a value with its interval, and whether it is clear."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dashboards.errors import FigureError
from dashboards.format import Unit

if TYPE_CHECKING:
    from analysis.results import ContrastResult
    from dashboards.disclosure import Rules


class Ends(Protocol):
    """An interval: two ends."""

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...


class Estimated(Protocol):
    """What `analysis.Estimate` offers; anything that offers the same can be drawn."""

    @property
    def value(self) -> float: ...

    @property
    def n(self) -> int: ...

    @property
    def df(self) -> float: ...

    @property
    def convention(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def null(self) -> float: ...

    def interval(self, level: float = 0.95) -> Ends: ...


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect to show: treated against comparison, in the unit of the outcome (shares run from -1 to 1).

    `null` is the value that means no effect: 0, or 1 for a ratio. `clear` is False when the interval includes it, or
    when the analysis says so for another reason (a correction for several contrasts); it never becomes "no effect".
    An open end of the interval is infinite, and so is `df` where the reference distribution is the normal.

    >>> Effect("Advice against portal", 0.083, 0.041, 0.125, n=1200).clear
    True
    >>> Effect("Voucher against advice", 0.02, -0.02, 0.06, n=1200).clear
    False
    """

    label: str
    value: float
    low: float
    high: float
    n: int
    level: float = 0.95
    unit: Unit = "share"
    null: float = 0.0
    convention: str = ""
    source: str = ""
    judged_clear: bool = True
    df: float = math.inf

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise FigureError(f"the effect '{self.label}' has no value", remedy="Leave it out and say why.")
        if not self.low <= self.value <= self.high:
            raise FigureError(
                f"the effect '{self.label}' ({self.value:g}) lies outside its interval {self.low:g} to {self.high:g}",
                remedy="Check which interval belongs to it.",
            )
        if not 0 < self.level < 1:
            raise FigureError(f"{self.level} is no confidence level", remedy="Give a number between 0 and 1.")
        if self.unit == "ratio" and (self.value <= 0 or self.low < 0):
            raise FigureError(
                f"the ratio '{self.label}' is not positive", remedy="Give it on its own scale, not in logs."
            )

    @property
    def clear(self) -> bool:
        """Whether readers may be told a direction."""
        return self.judged_clear and not self.low <= self.null <= self.high

    @classmethod
    def of(cls, estimate: Estimated, label: str, *, unit: Unit = "share", level: float = 0.95) -> Effect:
        """From an `analysis.Estimate`."""
        ends = estimate.interval(level)
        return cls(
            label, estimate.value, ends.low, ends.high, estimate.n, level, unit, estimate.null,
            estimate.convention, estimate.source, df=estimate.df,
        )  # fmt: skip

    @classmethod
    def of_contrast(cls, contrast: ContrastResult, label: str, *, unit: Unit = "share") -> Effect:
        """From one contrast of `analysis.results`; raises `FigureError` with the reason when it was refused."""
        main = contrast.main
        if main is None:
            raise FigureError(f"'{label}' was not estimated", remedy=contrast.refused)
        return cls(
            label, main.value, main.low, main.high, main.n, main.level, unit, main.null,
            main.convention, main.source, contrast.reading != "unclear", math.inf if main.df is None else main.df,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pooled:
    """An outcome over all arms together: what may be shown before a look. `value` is a share or a mean of n people."""

    label: str
    value: float
    n: int
    unit: Unit = "share"

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise FigureError(f"'{self.label}' has no value", remedy="Leave it out.")
        if self.n < 0:
            raise FigureError(f"'{self.label}' counts {self.n} people", remedy="Give zero or more.")

    def too_few(self, rules: Rules) -> bool:
        """Whether too few people stand behind it: all of them for a mean, those with or without it for a share."""
        return few_behind(self.value, self.n, self.unit, rules)


def few_behind(value: float, n: int, unit: Unit, rules: Rules) -> bool:
    """Whether a share of n people (or its ratio to another), or their mean, is of too few to be published.

    >>> from dashboards.disclosure import Rules
    >>> few_behind(0.02, 400, "share", Rules()), few_behind(0.2, 400, "share", Rules())
    (True, False)
    """
    if unit in ("money", "number"):
        return rules.too_small(n)
    with_it = round(value * n)
    return rules.too_small(with_it) or rules.too_small(n - with_it)
