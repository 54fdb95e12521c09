"""Shares of people by group, drawn as a dot with its interval: what response and take-up have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy.special import ndtri

from dashboards import drawing
from dashboards.counts import withheld
from dashboards.disclosure import Rules
from dashboards.errors import FigureError
from dashboards.figure import Number, Table
from dashboards.format import Formatter
from dashboards.texts import text


@dataclass(frozen=True, slots=True)
class Group:
    """How many of the `n` people of a group did something."""

    name: str
    count: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.n:
            raise FigureError(f"'{self.name}' counts {self.count} of {self.n} people", remedy="Check the counts.")

    @property
    def share(self) -> float:
        """Count divided by n; raises `FigureError` for an empty group."""
        if not self.n:
            raise FigureError(f"there is nobody in '{self.name}'", remedy="Leave the group out.")
        return self.count / self.n

    def published(self, rules: Rules | None) -> Group | None:
        """The group as readers see it: None when it or its complement is too small, rounded under rules."""
        if rules is None:
            return self if self.n else None
        if rules.too_small(self.count) or rules.too_small(self.n - self.count):
            return None
        return Group(self.name, rules.rounded(self.count), max(rules.rounded(self.count), rules.rounded(self.n)))


def wilson(count: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a share (Wilson, JASA 1927, 22:209-212).

    >>> [round(end, 4) for end in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    if n < 1 or not 0 <= count <= n:
        raise FigureError(f"{count} of {n} people has no share", remedy="Give a count within a group of at least one.")
    z, p = float(ndtri(0.5 + level / 2)), count / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def share_drawing(groups: Sequence[Group], form: Formatter, *, axis_title: str, level: float = 0.95) -> dict[str, Any]:
    """A dot and interval for each group, on an axis from 0 to 100%. Empty when there is no group to draw."""
    if not groups:
        return {}
    rows = drawing.Rows(tuple(g.name for g in groups))
    ends = [wilson(g.count, g.n, level) for g in groups]
    hover = [
        f"{g.name}: {form.percent(g.share, 1)} ({form.between(low, high, lambda v: form.percent(v, 1))})"
        for g, (low, high) in zip(groups, ends, strict=True)
    ]
    trace = drawing.points(
        [100 * g.share for g in groups],
        [rows.at(i) for i in range(len(groups))],
        hover,
        low=[100 * low for low, _ in ends],
        high=[100 * high for _, high in ends],
    )
    ticks = tuple((v, form.percent(v / 100)) for v in (0, 25, 50, 75, 100))
    axis = drawing.Axis(-2, 102, ticks, axis_title)
    return drawing.plot([trace], axis, rows.axis(), height=rows.height, annotations=rows.annotations())


def share_table(groups: Sequence[Group], form: Formatter, *, did: str, caption: str, rules: Rules | None) -> Table:
    """Counts and shares by group; `did` heads the column of those who did it. Groups too small are withheld."""
    language = form.language
    rows = []
    for group in groups:
        seen = group.published(rules)
        if seen is None:
            rows.append((group.name, *(withheld(form) for _ in range(4))))
            continue
        low, high = wilson(seen.count, seen.n)
        rows.append(
            (
                group.name,
                Number(form.integer(seen.n), seen.n),
                Number(form.integer(seen.count), seen.count),
                Number(form.percent(seen.share, 1), seen.share),
                Number(form.between(low, high, lambda v: form.percent(v, 1))),
            )
        )
    columns = (
        text("common.arm", language), text("common.n", language), did, text("common.share", language),
        text("common.interval_of", language, level=form.level(0.95)),
    )  # fmt: skip
    return Table(columns, tuple(rows), caption)
