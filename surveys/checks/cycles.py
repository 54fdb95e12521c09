"""Cycles: a value that depends on itself, through calculations, relevance, repeat counts and defaults."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from surveys.checks.places import Cell, Place
from surveys.errors import Finding

__all__ = ["check"]

DEPENDING = ("relevant", "calculation", "repeat_count", "default")
MOST_CYCLES = 20


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:
    """A finding for each cycle, at its first question of the form; one link of it is then cut to look for the next."""
    edges: dict[str, dict[str, Cell | None]] = {name: {} for name in place.instrument.places}
    for name, found in place.instrument.places.items():
        if found.parents:
            edges[name][found.parents[-1].name] = None
    for cell in cells:
        if cell.expression is not None and cell.column in DEPENDING:
            for name in cell.expression.references & edges.keys():
                edges[cell.item.name].setdefault(name, cell)
    order = {name: i for i, name in enumerate(edges)}
    for _ in range(MOST_CYCLES):
        cycle = _cycle(edges, order)
        if not cycle:
            return
        links = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        cell = next((link for a, b in links if (link := edges[a][b]) is not None), None)
        yield _finding(place, cycle, cell)
        first, second = next(((a, b) for a, b in links if edges[a][b] is not None), links[0])
        del edges[first][second]


def _cycle(edges: dict[str, dict[str, Cell | None]], order: dict[str, int]) -> list[str]:
    """The questions of one cycle, each depending on the next, from the first of the form; empty when there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        names: list[str] = error.args[1][:0:-1]
        start = min(range(len(names)), key=lambda i: order[names[i]])
        return names[start:] + names[:start]
    return []


def _finding(place: Place, cycle: list[str], cell: Cell | None) -> Finding:
    if len(cycle) == 1:
        message = f"'{cycle[0]}' depends on itself"
    else:
        message = "these depend on each other: " + ", ".join([*cycle, cycle[0]])
    if cell is not None:
        return cell.finding(message, "take one of them out of the expression")
    return place.finding(place.instrument.places[cycle[0]].item, "relevant", message)
