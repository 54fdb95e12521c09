"""Areas and distances on earth of points written as "latitude longitude altitude accuracy", parted by semicolons.

The earth counts as a sphere with the radius of the equator and altitude does not count, as the ODK XForms specification
says of ``area`` and ``distance``.
"""

from __future__ import annotations

import math
from itertools import pairwise

from surveys.expressions.values import Value, string

__all__ = ["area", "distance"]

RADIUS = 6_378_100.0
"""Metres, at the equator; the value that the clients of the specification use."""


def distance(value: Value) -> float:
    """Metres along the points, in whole centimetres; not-a-number when one of them is no place on earth.

    >>> distance("52 5;52 6")
    68534.18
    """
    points = _points(value)
    if points is None:
        return math.nan
    return round(sum(_apart(a, b) for a, b in pairwise(points)), 2)


def area(value: Value) -> float:
    """Square metres within the points, to two decimals; not-a-number when one of them is no place on earth.

    >>> area("0 0;0 1;1 1;1 0;0 0") > area("60 0;60 1;61 1;61 0;60 0")
    True
    """
    points = _points(value)
    if points is None:
        return math.nan
    turned = zip(points, points[1:] + points[:1], strict=True)
    total = sum((b[1] - a[1]) * (2 + math.sin(a[0]) + math.sin(b[0])) for a, b in turned)
    return round(abs(total) * RADIUS**2 / 2, 2) if len(points) > 2 else 0.0


def _apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The great circle by the haversine, which keeps its digits for points close together."""
    half = math.sin((b[0] - a[0]) / 2) ** 2 + math.cos(a[0]) * math.cos(b[0]) * math.sin((b[1] - a[1]) / 2) ** 2
    return 2 * RADIUS * math.asin(min(1.0, math.sqrt(half)))


def _points(value: Value) -> list[tuple[float, float]] | None:
    texts = list(value) if isinstance(value, tuple) and len(value) > 1 else string(value).split(";")
    found: list[tuple[float, float]] = []
    for text in (text for text in texts if text.strip()):
        try:
            latitude, longitude = (float(part) for part in text.split()[:2])
        except ValueError:
            return None
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            return None
        found.append((math.radians(latitude), math.radians(longitude)))
    return found or None
