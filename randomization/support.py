"""Every allocation a design can give, with its exact chance: for small cases, to test by and to test with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from randomization.errors import TooManyAllocations

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy as np

    from randomization.design import Design
    from randomization.sequential import Sequential, Traits
    from randomization.units import Layout


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """Distinct allocations (uint8 arm codes, shape (allocations, units)) and their exact chances.

    >>> import randomization as rz
    >>> s = rz.complete(["a", "b"]).support(2)
    >>> s.allocations.tolist(), s.probabilities
    ([[0, 1], [1, 0]], (Fraction(1, 2), Fraction(1, 2)))
    """

    allocations: np.ndarray
    probabilities: tuple[Fraction, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.probabilities)

    def __iter__(self) -> Iterator[tuple[tuple[str | None, ...], Fraction]]:
        """(arm names, chance) pairs."""
        for codes, chance in zip(self.allocations.tolist(), self.probabilities, strict=True):
            yield tuple(self.names[code] if code < len(self.names) else None for code in codes), chance


def collect(design: Design, layout: Layout, limit: int) -> Support:
    """Sum the design's `outcomes` by allocation, in lexicographic order of the codes."""
    import numpy as np

    found: dict[tuple[int, ...], Fraction] = {}
    for codes, chance in design.outcomes(layout, limit):
        found[codes] = found.get(codes, Fraction(0)) + chance
        if len(found) > limit:
            raise TooManyAllocations(f"there are more than {limit} allocations", remedy="use `draws`")
    ordered = sorted(found)
    return Support(
        np.array(ordered, dtype=np.uint8).reshape(len(ordered), layout.n),
        tuple(found[codes] for codes in ordered),
        design.names,
    )


def sequential_outcomes(design: Sequential, layout: Layout, limit: int) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    """Allocations of a sequential design: paths of its machine, strata independent of one another."""
    if count_sequential(design, layout) > limit:
        raise TooManyAllocations(f"there are more than {limit} allocations", remedy="use `draws`")
    traits = design.traits_of(layout)
    groups = layout.in_groups()
    parts = [_paths(design, [None if traits is None else traits[row] for row in rows]) for rows in groups]
    for combination in product(*(part.items() for part in parts)):
        codes = [0] * layout.n
        chance = Fraction(1)
        for rows, (path, share) in zip(groups, combination, strict=True):
            chance *= share
            for row, code in zip(rows.tolist(), path, strict=True):
                codes[row] = code
        yield tuple(codes), chance


def _paths(design: Sequential, traits: Sequence[Traits | None]) -> dict[tuple[int, ...], Fraction]:
    design = design.for_stratum(len(traits))
    at: dict[tuple[tuple[int, ...], Hashable], Fraction] = {((), design.start()): Fraction(1)}
    for read in traits:
        following: dict[tuple[tuple[int, ...], Hashable], Fraction] = {}
        for (path, state), chance in at.items():
            for move in design.moves_for(state, read):
                if move.chance:
                    key = ((*path, move.arm), move.after)
                    following[key] = following.get(key, Fraction(0)) + chance * move.chance
        at = following
    result: dict[tuple[int, ...], Fraction] = {}
    for (path, _), chance in at.items():
        result[path] = result.get(path, Fraction(0)) + chance
    return result


def count_sequential(design: Sequential, layout: Layout, limit: int = 300_000) -> int:
    """Number of distinct arm sequences: paths are told apart by the set of states they may have reached."""
    traits = design.traits_of(layout)
    total = 1
    for rows in layout.in_groups():
        machine = design.for_stratum(len(rows))
        sets: dict[frozenset[Hashable], int] = {frozenset([machine.start()]): 1}
        steps = 0
        for row in rows.tolist():
            read = None if traits is None else traits[row]
            following: dict[frozenset[Hashable], int] = {}
            for states, ways in sets.items():
                by_arm: dict[int, set[Hashable]] = {}
                for state in states:
                    for move in machine.moves_for(state, read):
                        if move.chance:
                            by_arm.setdefault(move.arm, set()).add(move.after)
                steps += len(states)
                for reached in by_arm.values():
                    key = frozenset(reached)
                    following[key] = following.get(key, 0) + ways
            if steps > limit:
                raise TooManyAllocations("the allocations are too many to count exactly", remedy="take fewer units")
            sets = following
        total *= sum(sets.values())
    return total
