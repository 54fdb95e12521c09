"""Draws a figure's plotly JSON as a static SVG: for pages without script, for reports on paper, for offline files.

One drawing has one definition, so this reads the very JSON that plotly draws; only what `dashboards.drawing` builds is
understood (scatter, bar, linear axes with written-out ticks, annotations, lines). Colours are presentation attributes,
which a content security policy without inline style allows; the figure's words are in its sentence and `alt`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards import theme
from dashboards.errors import FigureError

SIZE = 14
_ARM = ((-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4))
OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "triangle-up": ((0, -1.2), (1.2, 1), (-1.2, 1)),
    "cross": _ARM + tuple((-x, -y) for x, y in _ARM),
    "x": tuple(((x - y) * 0.75, (x + y) * 0.75) for x, y in _ARM + tuple((-x, -y) for x, y in _ARM)),
}
"""Corners of the markers in units of half their size; a circle needs none."""
DASH_ARRAYS = {
    "solid": "",
    "dash": "8 5",
    "dot": "2 4",
    "dashdot": "8 4 2 4",
    "longdash": "14 5",
    "longdashdot": "14 4 2 4",
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the plotting area lies, and how values become pixels."""

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.x_range
        return round(self.left + (value - low) / (high - low) * self.width, 2)

    def y(self, value: float) -> float:
        bottom, top = self.y_range
        return round(self.top + (value - top) / (bottom - top) * self.height, 2)


def draw(plotly: Mapping[str, Any], *, width: int = 680, label: str = "") -> str:
    """The drawing as an `<svg>` element `width` units wide, its height as the layout says.

    With `label` it is an image of that name; without, it is hidden from screen readers (the page names it elsewhere).
    Raises `FigureError` for anything outside the subset, rather than leaving it out.
    """
    layout = plotly["layout"]
    margin, height = layout["margin"], layout["height"]
    left = _left_margin(layout)
    frame = _Frame(
        left, margin["t"], width - left - margin["r"], height - margin["t"] - margin["b"],
        tuple(layout["xaxis"]["range"]), tuple(layout["yaxis"]["range"]),
    )  # fmt: skip
    parts = [*_axes(frame, layout, height), *(_shape(frame, shape) for shape in layout["shapes"])]
    for trace in plotly["data"]:
        kind = trace["type"]
        if kind not in DRAWERS:
            raise FigureError(f"a static drawing has no '{kind}' traces", remedy="Build it from scatter and bar.")
        parts += DRAWERS[kind](frame, trace)
    parts += [_annotation(frame, note) for note in layout["annotations"]]
    if layout["showlegend"]:
        parts += _legend(plotly["data"])
    name = f'role="img" aria-label="{html.escape(label)}"' if label else 'aria-hidden="true" focusable="false"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'{name} font-family="{html.escape(theme.FONT)}" font-size="{SIZE}" fill="{theme.TOKENS["--ink"]}">'
        f'<rect width="{width}" height="{height}" fill="{theme.TOKENS["--ground"]}"/>{"".join(parts)}</svg>'
    )


def _left_margin(layout: Mapping[str, Any]) -> float:
    axis = layout["yaxis"]
    longest = max((len(html.unescape(t)) for t in axis["ticktext"]), default=0) if axis["showticklabels"] else 0
    title = 22 if "title" in axis else 0
    return max(float(layout["margin"]["l"]), longest * SIZE * 0.6 + 12) + title


def _text(x: float, y: float, content: str, anchor: str = "start", extra: str = "") -> str:
    written = html.escape(html.unescape(content), quote=False)
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{extra}>{written}</text>'


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dash: str = "solid") -> str:
    array = f' stroke-dasharray="{DASH_ARRAYS[dash]}"' if DASH_ARRAYS[dash] else ""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{width}"{array}/>'


def _axes(frame: _Frame, layout: Mapping[str, Any], height: int) -> list[str]:
    x, y = layout["xaxis"], layout["yaxis"]
    bottom, right = frame.top + frame.height, frame.left + frame.width
    rule, soft = theme.TOKENS["--rule"], f' fill="{theme.TOKENS["--ink-soft"]}"'
    parts = []
    for at, label in zip(x["tickvals"], x["ticktext"], strict=True):
        px, half = frame.x(at), len(html.unescape(label)) * SIZE * 0.3
        inside = round(min(max(px, half + 2), right + layout["margin"]["r"] - half - 2), 2)
        parts += [_stroke(px, frame.top, px, bottom, rule), _text(inside, bottom + 20, label, "middle", soft)]
    if y["showticklabels"]:
        for at, label in zip(y["tickvals"], y["ticktext"], strict=True):
            py = frame.y(at)
            parts.append(_stroke(frame.left, py, right, py, rule))
            parts.append(_text(frame.left - 8, py + 5, label, "end", soft))
    if "title" in x:
        parts.append(_text(frame.left + frame.width / 2, height - 10, x["title"]["text"], "middle", soft))
    if "title" in y:
        middle = frame.top + frame.height / 2
        turned = f'{soft} transform="rotate(-90 16 {middle})"'
        parts.append(_text(16, middle, y["title"]["text"], "middle", turned))
    return parts


def _shape(frame: _Frame, shape: Mapping[str, Any]) -> str:
    if shape["type"] != "line":
        raise FigureError(f"a static drawing has no '{shape['type']}' shapes", remedy="Use drawing.upright.")
    ends = frame.x(shape["x0"]), frame.y(shape["y0"]), frame.x(shape["x1"]), frame.y(shape["y1"])
    style = shape["line"]
    return _stroke(*ends, style["color"], style["width"], style["dash"])


def _annotation(frame: _Frame, note: Mapping[str, Any]) -> str:
    lines = note["text"].split("<br>")
    x = frame.left if note["xref"] == "paper" else frame.x(note["x"])
    y = frame.y(note["y"]) - 4 - (len(lines) - 1) * (SIZE + 4)
    anchor = {"left": "start", "right": "end", "center": "middle"}[note["xanchor"]]
    halo = f' stroke="{theme.TOKENS["--ground"]}" stroke-width="5" stroke-linejoin="round"'
    written = [(x, y + i * (SIZE + 4), line, anchor) for i, line in enumerate(lines)]
    behind = "".join(_text(*place, halo) for place in written)  # twice, for not every renderer knows paint-order
    return behind + "".join(_text(*place) for place in written)


def _scatter(frame: _Frame, trace: Mapping[str, Any]) -> list[str]:
    x, y = [frame.x(v) for v in trace["x"]], [frame.y(v) for v in trace["y"]]
    titles = [_title(t) for t in trace["hovertext"]]
    if trace["mode"] == "lines":
        style = trace["line"]
        array = DASH_ARRAYS[style["dash"]]
        dash = f' stroke-dasharray="{array}"' if array else ""
        route = " ".join(f"{a},{b}" for a, b in zip(x, y, strict=True))
        return [
            f'<polyline points="{route}" fill="none" stroke="{style["color"]}" stroke-width="{style["width"]}"{dash}/>'
        ]
    marker, parts = trace["marker"], []
    if "error_x" in trace:
        parts += _intervals(frame, trace, y)
    for px, py, title in zip(x, y, titles, strict=True):
        parts.append(_mark(px, py, marker["symbol"], marker["color"], marker["size"] / 2, title))
    return parts


def _intervals(frame: _Frame, trace: Mapping[str, Any], y: list[float]) -> list[str]:
    """Interval lines; an end beyond the axis becomes an arrow head at the edge."""
    error, parts = trace["error_x"], []
    low_edge, high_edge = frame.x_range
    for value, up, down, py in zip(trace["x"], error["array"], error["arrayminus"], y, strict=True):
        low, high = max(value - down, low_edge), min(value + up, high_edge)
        parts.append(_stroke(frame.x(low), py, frame.x(high), py, error["color"], error["thickness"]))
        for end, inside in ((low, value - down >= low_edge), (high, value + up <= high_edge)):
            px, cap = frame.x(end), error["width"] + 1
            if inside:
                parts.append(_stroke(px, py - cap, px, py + cap, error["color"], error["thickness"]))
            else:
                back = px + (7 if end == low else -7)
                head = f"M{back} {py - 5}L{px} {py}L{back} {py + 5}"
                parts.append(f'<path d="{head}" fill="none" stroke="{error["color"]}" stroke-width="2"/>')
    return parts


def _bar(frame: _Frame, trace: Mapping[str, Any]) -> list[str]:
    if trace.get("orientation") != "h":
        raise FigureError("a static drawing has horizontal bars only", remedy="Use drawing.bars.")
    starts = trace.get("base") or [max(0.0, frame.x_range[0])] * len(trace["x"])
    shift, parts = (0.0 if "base" not in trace else 1.0), []
    thickness = abs(frame.y(trace["width"]) - frame.y(0))
    for start, value, at, hover in zip(starts, trace["x"], trace["y"], trace["hovertext"], strict=True):
        zero, end, middle = frame.x(start), frame.x(value + shift * start), frame.y(at)
        parts.append(
            f'<rect x="{min(zero, end)}" y="{round(middle - thickness / 2, 2)}" width="{round(abs(end - zero), 2)}" '
            f'height="{round(thickness, 2)}" fill="{trace["marker"]["color"]}">{_title(hover)}</rect>'
        )
    return parts


def _mark(x: float, y: float, symbol: str, colour: str, r: float, title: str = "") -> str:
    if symbol == "circle":
        return f'<circle cx="{x}" cy="{y}" r="{r}" fill="{colour}">{title}</circle>'
    corners = " ".join(f"{round(x + r * dx, 2)},{round(y + r * dy, 2)}" for dx, dy in OUTLINES[symbol])
    return f'<polygon points="{corners}" fill="{colour}">{title}</polygon>'


def _legend(data: list[Mapping[str, Any]]) -> list[str]:
    parts = []
    for index, trace in enumerate(t for t in data if t["showlegend"]):
        y = 16 + 24 * index
        if trace["type"] == "bar":
            parts.append(f'<rect x="8" y="{y - 7}" width="22" height="13" fill="{trace["marker"]["color"]}"/>')
        elif trace["mode"] == "lines":
            parts.append(_stroke(8, y, 34, y, trace["line"]["color"], trace["line"]["width"], trace["line"]["dash"]))
        else:
            parts.append(_mark(20, y, trace["marker"]["symbol"], trace["marker"]["color"], 5))
        parts.append(_text(40, y + 5, trace["name"]))
    return parts


def _title(hover: str) -> str:
    return f"<title>{html.escape(html.unescape(hover.replace('<br>', ' ')), quote=False)}</title>" if hover else ""


DRAWERS = {"scatter": _scatter, "bar": _bar}
