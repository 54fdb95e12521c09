"""Cycles: a value that depends on itself, through calculations, relevance, repeat counts and defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from surveys.checks.places import Cell, Place
from surveys.errors import Finding

__all__ = ["check"]

DEPENDING = ("relevant", "calculation", "repeat_count", "default")


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:
    """One finding for each cycle, at the first question of the form that is in it."""
    edges: dict[str, dict[str, Cell | None]] = {name: {} for name in place.instrument.places}
    for name, found in place.instrument.places.items():
        if found.parents:
            edges[name][found.parents[-1].name] = None
    for cell in cells:
        if cell.expression is not None and cell.column in DEPENDING:
            for name in cell.expression.references & edges.keys():
                edges[cell.item.name].setdefault(name, cell)
    seen: set[frozenset[str]] = set()
    for start in edges:
        cycle = _cycle(start, edges)
        if cycle and frozenset(cycle) not in seen:
            seen.add(frozenset(cycle))
            yield _finding(place, cycle, edges)


def _cycle(start: str, edges: Mapping[str, Mapping[str, Cell | None]]) -> list[str]:
    """The shortest way from a question back to itself, found breadth first; empty when there is none."""
    came: dict[str, str] = {}
    queue = [start]
    for name in queue:
        for following in edges[name]:
            if following == start:
                way = [name]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return way[::-1]
            if following not in came:
                came[following] = name
                queue.append(following)
    return []


def _finding(place: Place, cycle: list[str], edges: Mapping[str, Mapping[str, Cell | None]]) -> Finding:
    pairs = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    cell = next((found for a, b in pairs if (found := edges[a][b]) is not None), None)
    if len(cycle) == 1:
        message = f"'{cycle[0]}' depends on itself"
    else:
        message = "these depend on each other: " + ", ".join([*cycle, cycle[0]])
    if cell is not None:
        return cell.finding(message, "take one of them out of the expression")
    return place.finding(place.instrument.places[cycle[0]].item, "relevant", message)
