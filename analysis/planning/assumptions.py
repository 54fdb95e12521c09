"""The register of assumptions: every number of a section that might be wrong, under one dotted name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from analysis.planning.section import Assumption, SampleSize, read
from analysis.power.errors import ImpossibleRequest

__all__ = ["Named", "named", "replaced"]


@dataclass(frozen=True, slots=True)
class Named:
    """An assumption and where it stands, such as 'outcomes.training.effect'."""

    name: str
    value: float
    low: float
    high: float
    source: str


def named(section: SampleSize) -> tuple[Named, ...]:
    """All assumptions of the section, in the order of the section."""
    return tuple(
        Named(name, found.value, found.range[0], found.range[1], found.source) for name, found in _walk(section, "")
    )


def _walk(thing: Any, prefix: str) -> Iterator[tuple[str, Assumption]]:
    if isinstance(thing, Assumption):
        yield prefix, thing
    elif isinstance(thing, BaseModel):
        for key in type(thing).model_fields:
            yield from _walk(getattr(thing, key), f"{prefix}.{key}" if prefix else key)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from _walk(value, f"{prefix}.{key}")
    elif isinstance(thing, tuple):
        for item in thing:
            if isinstance(item, BaseModel):
                yield from _walk(item, f"{prefix}.{item.name}")  # type: ignore[attr-defined]


def replaced(section: SampleSize, name: str, value: float) -> SampleSize:
    """The section with the assumption `name` at `value`; raises when there is none of that name."""
    known = dict(_walk(section, ""))
    if name not in known:
        raise ImpossibleRequest("assumption", f"there is no assumption '{name}' (known: {', '.join(known)})")
    plain = section.model_dump()
    place: Any = plain
    for part in name.split("."):
        place = (
            next(item for item in place if item["name"] == part) if isinstance(place, (list, tuple)) else place[part]
        )
    low, high = place["range"]
    place["value"], place["range"] = value, (min(low, value), max(high, value))
    return read(plain)
