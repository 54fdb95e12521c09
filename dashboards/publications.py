"""Whether several publications together give away what each of them keeps back.

A monthly page is harmless by itself and may still tell, subtracted from last month's, what happened to three people.
Every cell ever published is a set of people and what readers know about its size. People who are in exactly the same
cells form a part; over the parts two linear programmes give the range that a reader of everything can derive for any
set: each withheld cell, each part, and each difference between a cell and one that lies within it. The reader is taken
to know which combinations of cells occur at all, so that what is reported errs on the side of the participants.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from dashboards.disclosure import Rules
from dashboards.errors import DisclosureError

Array = NDArray[np.float64]
WITHIN = 1e-6
"""What a linear programme may be off."""


@dataclass(frozen=True, slots=True)
class PublishedCell:
    """A set of people, named for the person who checks, and the range in which readers know its size to lie.

    Exact counts have equal ends, rounded ones those of `Rules.rounding_range`, withheld ones 0 and infinity.
    """

    name: str
    members: frozenset[str]
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= len(self.members) <= self.high:
            raise DisclosureError(
                f"'{self.name}' has {len(self.members)} members, but {self.low:g} to {self.high:g} was published",
                remedy="Give the members that the published number counted.",
            )

    @property
    def withheld(self) -> bool:
        return math.isinf(self.high)


@dataclass(frozen=True, slots=True)
class Leak:
    """A group of `people` that a reader can pin down to the range `low` to `high`; `how` says from which cells."""

    how: str
    people: int
    low: float
    high: float


def exact(name: str, members: Iterable[str]) -> PublishedCell:
    """A count published as it is."""
    people = frozenset(members)
    return PublishedCell(name, people, len(people), len(people))


def rounded(name: str, members: Iterable[str], rules: Rules) -> PublishedCell:
    """A count published rounded to the base of the rules."""
    people = frozenset(members)
    return PublishedCell(name, people, *rules.rounding_range(rules.rounded(len(people))))


def withheld(name: str, members: Iterable[str]) -> PublishedCell:
    """A cell that readers know to exist, but not its size."""
    return PublishedCell(name, frozenset(members), 0, math.inf)


def leaks(cells: Sequence[PublishedCell], rules: Rules) -> tuple[Leak, ...]:
    """What a reader of all these cells can derive that the rules protect; empty when nothing.

    A withheld cell leaks when its range is narrower than `rules.width`. A group that was never published but is small
    (a part, or a difference between nested cells) leaks when its size is known better than that of any rounded count,
    or, where the rules round nothing, within a range narrower than `rules.width`.

    >>> march = exact("advice, trained, March", ("a", "b", "c", *map(str, range(20))))
    >>> april = exact("advice, trained, April", (*march.members, "d", "e"))
    >>> leaks([march, april], Rules())
    (Leak(how='advice, trained, April minus advice, trained, March', people=2, low=2.0, high=2.0),)
    >>> leaks([rounded("March", march.members, Rules()), rounded("April", april.members, Rules())], Rules())
    ()
    """
    if not cells:
        return ()
    parts = _Parts(cells)
    return tuple(
        Leak(target.how, target.people, low, high)
        for target, (low, high) in _ranges(_targets(cells, parts, rules), parts)
        if high - low < target.width - WITHIN
    )


def _ranges(targets: Sequence[_Target], parts: _Parts) -> Iterable[tuple[_Target, tuple[float, float]]]:
    """For each target its range, or a part of it that is wide enough already.

    The true sizes agree with everything published, and so does the answer to every linear programme: each is tried on
    all targets, so that most are cleared without a programme of their own. A target that is not cleared gets its exact
    range.
    """
    picks = np.zeros((len(targets), len(parts.sizes)))
    for place, target in enumerate(targets):
        picks[place, list(target.parts)] = 1
    low = picks @ np.array(parts.sizes, float)
    high = low.copy()
    widths = np.array([target.width for target in targets])
    before = len(targets) + 1
    while (narrow := high - low < widths - WITHIN).any() and narrow.sum() < before:
        before = narrow.sum()
        for sign in (-1, 1):
            # All that are narrow still, moved at once; under a low ceiling, so that many move a little.
            sizes = parts.extreme(picks[narrow].sum(axis=0), sign, above=float(widths.max()))[1]
            assert sizes is not None  # no sum of sizes under a ceiling is without an end
            low, high = np.minimum(low, picks @ sizes), np.maximum(high, picks @ sizes)
    for place, target in enumerate(targets):
        for sign in (-1, 1):
            if high[place] - low[place] >= widths[place] - WITHIN:
                break
            value, sizes = parts.extreme(picks[place], sign)
            if sizes is not None:
                low, high = np.minimum(low, picks @ sizes), np.maximum(high, picks @ sizes)
            (low if sign > 0 else high)[place] = value
        yield target, (float(low[place]), float(high[place]))


@dataclass(frozen=True, slots=True)
class _Target:
    how: str
    people: int
    parts: tuple[int, ...]
    width: float


class _Parts:
    """The finest groups that the cells distinguish, with what is known about sums of them."""

    def __init__(self, cells: Sequence[PublishedCell]) -> None:
        everyone: dict[str, list[int]] = {}
        for number, cell in enumerate(cells):
            for person in cell.members:
                everyone.setdefault(person, []).append(number)
        sizes = Counter(tuple(numbers) for numbers in everyone.values())
        self.signatures = list(sizes)
        self.sizes = [sizes[s] for s in self.signatures]
        self.of_cell = [tuple(i for i, s in enumerate(self.signatures) if c in s) for c in range(len(cells))]
        rows = [c for c, cell in enumerate(cells) if not cell.withheld]
        matrix = np.zeros((len(rows), len(self.signatures)))
        for r, c in enumerate(rows):
            matrix[r, list(self.of_cell[c])] = 1
        low, high = np.array([cells[c].low for c in rows]), np.array([cells[c].high for c in rows])
        self.known = csr_array(np.vstack([matrix, -matrix])), np.concatenate([high, -low])

    def extreme(self, cost: Array, sign: int, above: float | None = None) -> tuple[float, Array | None]:
        """The smallest (`sign` 1) or largest (-1) sum of `cost` over sizes that agree with everything published.

        With it the sizes that reach it; none where the sum has no upper end. With `above` no size is further than that
        above the true one.
        """
        ceiling = math.inf if above is None else np.array(self.sizes) + above
        matrix, limit = self.known
        known = {"A_ub": matrix, "b_ub": limit} if len(limit) else {}
        found = linprog(
            sign * cost,
            bounds=np.column_stack([np.zeros(len(cost)), np.broadcast_to(ceiling, len(cost))]),
            method="highs",
            **known,
        )
        if found.status in (3, 4) and sign < 0:
            return math.inf, None
        if found.status != 0:
            raise DisclosureError(f"the published cells contradict one another: {found.message}")
        return round(float(sign * found.fun), 6) + 0.0, found.x


def _targets(cells: Sequence[PublishedCell], parts: _Parts, rules: Rules) -> list[_Target]:
    """Everything that must not be derivable, each set of parts once; withheld cells come first, as the strictest."""
    apart = rules.rounding_base - 1 if rules.rounding_base > 1 else rules.width
    targets: dict[tuple[int, ...], _Target] = {}

    def add(how: str, members: tuple[int, ...], width: float) -> None:
        people = sum(parts.sizes[i] for i in members)
        if members and members not in targets:
            targets[members] = _Target(how, people, members, width)

    for number, cell in enumerate(cells):
        if cell.withheld:
            add(cell.name, parts.of_cell[number], rules.width)
    shown = {members for number, members in enumerate(parts.of_cell) if not cells[number].withheld}
    for a, b in combinations(range(len(cells)), 2):
        inner, outer = sorted((a, b), key=lambda c: len(cells[c].members))
        left = tuple(sorted(set(parts.of_cell[outer]) - set(parts.of_cell[inner])))
        nested = set(parts.of_cell[inner]) <= set(parts.of_cell[outer])
        if nested and left not in shown and _small(left, parts, rules):
            add(f"{cells[outer].name} minus {cells[inner].name}", left, apart)
    for part, signature in enumerate(parts.signatures):
        if (part,) not in shown and _small((part,), parts, rules):
            add("only in " + " and ".join(cells[c].name for c in signature), (part,), apart)
    return list(targets.values())


def _small(members: tuple[int, ...], parts: _Parts, rules: Rules) -> bool:
    people = sum(parts.sizes[i] for i in members)
    return 0 < people < rules.min_cell
