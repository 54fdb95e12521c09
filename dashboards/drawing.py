"""Builds the plotly JSON of all figures from a few parts: an axis with written-out ticks, rows, points, lines, bars.

Ticks and hover texts are written here, in the reader's language, so that the browser needs no locale file. Charts with
names down the side put each name above its mark (`Rows`): on a phone there is no room beside it. The vertical
coordinate of such a chart is in pixels, which keeps plotly's drawing and the static SVG alike.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dashboards import theme
from dashboards.errors import FigureError
from dashboards.format import Formatter

LABEL_WIDTH = 42
"""Characters of a row's name on one line; what fits on a phone of 360 pixels at 14 pixels a letter."""
PHONE = 300
"""Pixels between the axes on such a phone."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis: its range, its ticks as (position, text), its title."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    title: str = ""

    def to_plotly(self) -> dict[str, Any]:
        """The axis as plotly's layout wants it."""
        written: dict[str, Any] = {
            "range": [self.low, self.high],
            "tickmode": "array",
            "tickvals": [at for at, _ in self.ticks],
            "ticktext": [plain(label) for _, label in self.ticks],
            "showticklabels": bool(self.ticks),
            "showgrid": bool(self.ticks),
            "ticklabeloverflow": "allow",
            "tickangle": 0,
        }
        if self.title:
            written["title"] = {"text": plain(self.title), "standoff": 8}
        return written


def plain(label: str) -> str:
    """A text that plotly shows as it stands: its own small mark-up is made harmless."""
    return html.escape(label, quote=False)


def wrapped(label: str, width: int = LABEL_WIDTH) -> str:
    """A text over several lines, harmless, joined by plotly's line break."""
    return "<br>".join(plain(line) for line in textwrap.wrap(label, width) or [""])


def steps(low: float, high: float, count: int = 5) -> list[float]:
    """Round positions (1, 2 or 5 times a power of ten apart) covering low to high, about `count` of them.

    >>> steps(0, 23)
    [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        raise FigureError(f"an axis cannot run from {low} to {high}", remedy="Give a finite, rising range.")
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = 12 - math.floor(math.log10(step))
    return [round(i * step, decimals) for i in range(first, last + 1)]


def numeric_axis(values: Iterable[float], write: Callable[[float], str], *, title: str = "", count: int = 5) -> Axis:
    """An axis that covers all finite values with round ticks, so few that their labels fit beside one another."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        raise FigureError("there is no finite value to draw", remedy="Give at least one number.")
    low, high = _spread_out(min(finite), max(finite))
    ticks: tuple[tuple[float, str], ...] = ()
    while not ticks or (count > 0 and 9 * sum(len(label) + 1 for _, label in ticks) > PHONE):
        ticks = tuple((v, write(v)) for v in steps(low, high, count))
        count -= 1
    return Axis(ticks[0][0], ticks[-1][0], ticks, title)


def _spread_out(low: float, high: float) -> tuple[float, float]:
    """The ends themselves, or wider ones when they are too near one another to be told apart on paper.

    >>> _spread_out(-1e-17, 1e-16), _spread_out(5.0, 5.0), _spread_out(2.0, 3.0)
    ((-1.0, 1.0), (4.0, 6.0), (2.0, 3.0))
    """
    size = max(abs(low), abs(high))
    if high - low > max(1e-9 * size, 1e-12):
        return low, high
    if low == high == 0:
        return 0.0, 1.0
    reach = max(1.0, 1e-6 * size)
    middle = 0.0 if size < 1e-9 else (low + high) / 2
    return middle - reach, middle + reach


def log_axis(values: Iterable[float], write: Callable[[float], str], *, title: str = "") -> Axis:
    """An axis for ratios: positions are natural logarithms, ticks are written as the ratios themselves."""
    finite = [v for v in values if 0 < v < math.inf]
    if not finite:
        raise FigureError("there is no positive ratio to draw", remedy="Give at least one.")
    low, high = min(*finite, 1 / 1.25), max(*finite, 1.25)
    marks = [m * 10.0**e for e in range(-6, 7) for m in (1, 2, 5)] + [0.25, 0.75, 0.8, 1.25, 1.5, 4.0]
    inside = sorted({m for m in marks if low <= m <= high})
    thin = inside if len(inside) <= 6 else [m for m in inside if m in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)]
    ticks = tuple((math.log(m), write(m)) for m in (thin or inside))
    edge = 0.05 * math.log(high / low)
    return Axis(math.log(low) - edge, math.log(high) + edge, ticks, title)


def day_number(day: date) -> int:
    """A day's place on a date axis."""
    return day.toordinal()


def date_axis(first: date, last: date, form: Formatter, *, title: str = "", count: int = 3) -> Axis:
    """An axis of days; positions are day numbers."""
    if last <= first:
        last = first + timedelta(days=1)
    span = (last - first).days
    count = min(count, span)
    days = [first + timedelta(days=round(i * span / count)) for i in range(count + 1)]
    return Axis(day_number(first), day_number(last), tuple((day_number(d), form.day_month(d)) for d in days), title)


@dataclass(frozen=True, slots=True)
class Rows:
    """Names down the side, each above its marks. Positions are pixels from the top.

    >>> rows = Rows(("Portal", "Advice"), marks=2)
    >>> rows.at(0), rows.at(0, 1), rows.at(1)
    (31, 49, 93)
    """

    labels: tuple[str, ...]
    marks: int = 1

    LINE = 19
    MARK = 18
    GAP = 7

    def lines(self, row: int) -> int:
        """How many lines the row's name takes."""
        return max(1, len(textwrap.wrap(self.labels[row], LABEL_WIDTH)))

    def at(self, row: int, mark: int = 0) -> int:
        """Pixels from the top to the middle of a mark."""
        above = sum(self.lines(r) * self.LINE + self.marks * self.MARK + self.GAP for r in range(row))
        return above + self.lines(row) * self.LINE + self.MARK // 2 + 3 + mark * self.MARK

    @property
    def height(self) -> int:
        """Pixels the rows take."""
        return self.at(len(self.labels) - 1, self.marks - 1) + self.MARK // 2 + self.GAP if self.labels else self.GAP

    def axis(self) -> Axis:
        """The vertical axis: downwards, without ticks."""
        return Axis(self.height, 0)

    def annotations(self) -> list[dict[str, Any]]:
        """The names, each at the left edge above its marks."""
        return [
            {
                "text": wrapped(label),
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "align": "left",
                "yref": "y",
                "y": self.at(row) - self.MARK // 2 - 1,
                "yanchor": "bottom",
                "showarrow": False,
                "borderpad": 0,
                "bgcolor": theme.TOKENS["--ground"],
            }
            for row, label in enumerate(self.labels)
        ]


def points(
    x: Sequence[float], y: Sequence[float], hover: Sequence[str], *, series: int = 0, name: str = "",
    low: Sequence[float] | None = None, high: Sequence[float] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Marks, with an interval from `low` to `high` around each when these are given."""
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "x": list(x),
        "y": list(y),
        "marker": {"color": theme.colour(series), "size": 10, "symbol": theme.SYMBOLS[series % len(theme.SYMBOLS)]},
        **_named(name, hover),
    }
    if low is not None and high is not None:
        trace["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": [h - v for h, v in zip(high, x, strict=True)],
            "arrayminus": [v - l for l, v in zip(low, x, strict=True)],
            "color": theme.colour(series),
            "thickness": 2,
            "width": 4,
        }
    return trace


def line(
    x: Sequence[float], y: Sequence[float], hover: Sequence[str], *, series: int = 0, name: str = "", dash: str = ""
) -> dict[str, Any]:
    """A line through points."""
    style = {"color": theme.colour(series), "width": 2.5, "dash": dash or theme.DASHES[series % len(theme.DASHES)]}
    return {"type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "line": style, **_named(name, hover)}


def bars(
    x: Sequence[float], y: Sequence[float], hover: Sequence[str], *, series: int = 0, name: str = "", width: float = 13,
    base: Sequence[float] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Horizontal bars of length x, from zero or from `base`, their middles at y."""
    return {
        **({} if base is None else {"base": list(base)}),
        "type": "bar",
        "orientation": "h",
        "x": list(x),
        "y": list(y),
        "width": width,
        "marker": {"color": theme.colour(series)},
        **_named(name, hover),
    }


def upright(at: float, top: float, bottom: float, *, dash: str = "dot") -> dict[str, Any]:
    """A vertical reference line."""
    style = {"color": theme.TOKENS["--reference"], "width": 1.5, "dash": dash}
    return {"type": "line", "xref": "x", "yref": "y", "x0": at, "x1": at, "y0": bottom, "y1": top, "line": style}


def level_line(at: float, left: float, right: float, *, dash: str = "dot") -> dict[str, Any]:
    """A horizontal reference line."""
    style = {"color": theme.TOKENS["--reference"], "width": 1.5, "dash": dash}
    return {"type": "line", "xref": "x", "yref": "y", "x0": left, "x1": right, "y0": at, "y1": at, "line": style}


def plot(
    data: Sequence[dict[str, Any]], x: Axis, y: Axis, *, height: int,
    annotations: Sequence[dict[str, Any]] = (), shapes: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The whole drawing. `height` is that of the area between the axes, in pixels; a legend stands above it."""
    named = [trace for trace in data if trace.get("name")]
    top, bottom = (12 + 24 * len(named) if len(named) > 1 else 12), 56 if x.title else 34
    legend = {"showlegend": len(named) > 1}
    layout = {
        "template": theme.template(),
        "meta": {"tokens": theme.token_of()},
        "height": height + top + bottom,
        "margin": {"l": 20 if not y.ticks else 48, "r": 24, "t": top, "b": bottom},
        "xaxis": x.to_plotly(),
        "yaxis": y.to_plotly(),
        "annotations": list(annotations),
        "shapes": list(shapes),
        "barmode": "overlay",
        "hovermode": "closest",
        "dragmode": False,
        **legend,
    }
    config = {"displayModeBar": False, "responsive": True, "scrollZoom": False, "doubleClick": False}
    return {"data": list(data), "layout": layout, "config": config}


def _named(name: str, hover: Sequence[str]) -> dict[str, Any]:
    return {
        "name": plain(name),
        "showlegend": bool(name),
        "hovertext": [wrapped(h) for h in hover],
        "hoverinfo": "text",
    }
