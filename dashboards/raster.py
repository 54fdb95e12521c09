"""Turns a static drawing into a PNG picture, for documents that cannot hold an SVG.

Only what `dashboards.svg` writes is understood: lines, polylines, rectangles, circles, polygons, the arrow heads and
text. Everything is drawn large and made small again, which smooths it.
"""

from __future__ import annotations

import io
import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from dashboards.errors import ReportError

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SCALE = 2.5
"""Pixels of the picture for each unit of the drawing: about 240 dots an inch at the width of a page."""
SMOOTH = 2
FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf", "Helvetica.ttc",
)  # fmt: skip
"""Fonts with all the signs that figures use, the first that is installed."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

Point = tuple[float, float]


def png(drawing: str) -> bytes:
    """The picture of an `<svg>` of `dashboards.svg.draw`. Raises `ReportError` when no font of `FONTS` is installed."""
    from PIL import Image, ImageDraw

    root = ElementTree.fromstring(drawing)  # noqa: S314 - written by this package
    zoom = SCALE * SMOOTH
    width, height = (float(root.attrib[key]) for key in ("width", "height"))
    large = Image.new("RGB", (round(width * zoom), round(height * zoom)), "white")
    pen = _Pen(ImageDraw.Draw(large), zoom, float(root.attrib["font-size"]), root.attrib["fill"])
    for element in root:
        pen.draw(element)
    small = large.resize((round(width * SCALE), round(height * SCALE)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(out, "PNG", optimize=True)
    return out.getvalue()


@cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    raise ReportError(
        "pictures for Word need a font that is not installed here", remedy="Install DejaVu Sans, or write a PDF."
    )


class _Pen:
    """Draws elements at a scale."""

    def __init__(self, canvas: ImageDraw, zoom: float, size: float, ink: str) -> None:
        self.canvas, self.zoom, self.size, self.ink = canvas, zoom, size, ink

    def draw(self, element: ElementTree.Element) -> None:
        kind = element.tag.rpartition("}")[2]
        shape = getattr(self, f"_{kind}", None)
        if shape is None:
            raise ReportError(f"a picture has no '{kind}' elements", remedy="Build the figure from dashboards.drawing.")
        shape(element)

    def _at(self, element: ElementTree.Element, *names: str) -> list[float]:
        return [float(element.get(name, 0)) * self.zoom for name in names]

    def _rect(self, element: ElementTree.Element) -> None:
        x, y, width, height = self._at(element, "x", "y", "width", "height")
        self.canvas.rectangle((x, y, x + width, y + height), fill=element.get("fill"))

    def _circle(self, element: ElementTree.Element) -> None:
        x, y, r = self._at(element, "cx", "cy", "r")
        self.canvas.ellipse((x - r, y - r, x + r, y + r), fill=element.get("fill"))

    def _polygon(self, element: ElementTree.Element) -> None:
        self.canvas.polygon(self._points(element.attrib["points"]), fill=element.get("fill"))

    def _line(self, element: ElementTree.Element) -> None:
        x1, y1, x2, y2 = self._at(element, "x1", "y1", "x2", "y2")
        self._stroke([(x1, y1), (x2, y2)], element)

    def _polyline(self, element: ElementTree.Element) -> None:
        self._stroke(self._points(element.attrib["points"]), element)

    def _path(self, element: ElementTree.Element) -> None:
        self._stroke(self._points(element.attrib["d"]), element)

    def _points(self, written: str) -> list[Point]:
        numbers = [float(n) * self.zoom for n in _NUMBER.findall(written)]
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def _stroke(self, points: list[Point], element: ElementTree.Element) -> None:
        colour = element.get("stroke", self.ink)
        width = max(1, round(float(element.get("stroke-width", 1)) * self.zoom))
        dashes = [float(n) * self.zoom for n in element.get("stroke-dasharray", "").split()]
        for piece in _dashed(points, dashes) if dashes else [points]:
            self.canvas.line(piece, fill=colour, width=width, joint="curve")

    def _text(self, element: ElementTree.Element) -> None:
        x, y = self._at(element, "x", "y")
        font = _font(round(self.size * self.zoom))
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[element.get("text-anchor", "start")]
        content = element.text or ""
        halo = round(float(element.get("stroke-width", 0)) * self.zoom / 2)
        if element.get("transform"):
            self._turned(x, y, content, font, element.get("fill", self.ink))
            return
        fill = element.get("stroke") or element.get("fill", self.ink)
        self.canvas.text((x, y), content, font=font, fill=fill, anchor=anchor, stroke_width=halo)

    def _turned(self, x: float, y: float, content: str, font: Any, fill: str) -> None:
        """Text that reads upwards, its middle at the point."""
        from PIL import Image, ImageDraw

        left, top, right, bottom = font.getbbox(content, anchor="ms")
        box = Image.new("L", (round(right - left) + 4, round(bottom - top) + 4))
        ImageDraw.Draw(box).text((2 - left, 2 - top), content, font=font, fill=255, anchor="ms")
        mask = box.rotate(90, expand=True)
        self.canvas.bitmap((round(x + top), round(y - mask.height / 2)), mask, fill=fill)


def _dashed(points: list[Point], dashes: list[float]) -> list[list[Point]]:
    """The pieces of a line that are drawn when dashes and gaps take turns along it."""
    pieces: list[list[Point]] = []
    place, left, drawn = 0, dashes[0], True
    current = [points[0]]
    for (x1, y1), (x2, y2) in pairwise(points):
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        done = 0.0
        while length - done > left:
            done += left
            turn = (x1 + (x2 - x1) * done / length, y1 + (y2 - y1) * done / length)
            if drawn:
                pieces.append([*current, turn])
            current, drawn, place = [turn], not drawn, (place + 1) % len(dashes)
            left = dashes[place]
        left -= length - done
        current.append((x2, y2))
    if drawn and len(current) > 1:
        pieces.append(current)
    return pieces
