"""Misfits without bias: expected counts rounded at random so that every stratum and every arm total stays in bounds.

Cox's unbiased controlled rounding (L. H. Cox, J Am Stat Assoc 1987, 82:520-524). The table holds what is left of the
expected counts, in whole numbers of 1/`unit`; a slack row makes the column sums whole. While a cell is fractional, a
random cycle along rows and columns is found, and the largest step up or down along it is taken with the chances that
keep each cell's expectation. Each cell and each margin ends at its floor or ceiling. Cox leaves the choice of the cycle
free; here it is random, so that every legal table can occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from math import factorial, prod
from typing import TYPE_CHECKING, Any

from randomization.errors import TooManyAllocations
from randomization.streams import below

if TYPE_CHECKING:
    import numpy as np

    from randomization.streams import SeededStream

Table = tuple[tuple[int, ...], ...]
Cell = tuple[int, int]


def slack_row(rows: Sequence[Sequence[int]], unit: int) -> tuple[int, ...]:
    """What each column misses to a whole number.

    >>> slack_row([(2, 7, 1)], 10)
    (8, 3, 9)
    """
    return tuple(-sum(column) % unit for column in zip(*rows, strict=True))


def controlled_rounding(rows: Sequence[Sequence[int]], unit: int, words: Iterator[int]) -> Table:
    """One rounded table: for each cell 0 (floor) or 1 (ceiling); the slack row is dropped.

    `rows` are the fractional parts of the expected counts in 1/`unit`; each row sums to a multiple of `unit`.

    >>> table = controlled_rounding([(1, 1), (1, 1)], 2, iter(range(100)))
    >>> [sum(row) for row in table], [sum(column) for column in zip(*table)]
    ([1, 1], [1, 1])
    """
    table = [list(row) for row in (*rows, slack_row(rows, unit))]
    cells = [(r, c) for r, row in enumerate(table) for c, value in enumerate(row) if value % unit]
    pool = _Bag(cells)
    by_row = [_Bag([c for c, value in enumerate(row) if value % unit]) for row in table]
    by_column = [_Bag([r for r, row in enumerate(table) if row[c] % unit]) for c in range(len(table[0]))]
    while pool.items:
        cycle = _random_cycle(pool, by_row, by_column, words)
        up, down = _steps(table, cycle, unit)
        step = up if below(words, up + down) < down else -down
        for place, (r, c) in enumerate(cycle):
            table[r][c] += step if place % 2 == 0 else -step
            if table[r][c] % unit == 0:
                by_row[r].remove(c)
                by_column[c].remove(r)
                pool.remove((r, c))
    return tuple(tuple(value // unit for value in row) for row in table[:-1])


class _Bag:
    """Items from which any one is taken at random, and removed, at a cost that does not grow with their number."""

    __slots__ = ("items", "seat")

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.seat = {item: place for place, item in enumerate(items)}

    def remove(self, item: Any) -> None:
        last = self.items.pop()
        place = self.seat.pop(item)
        if last != item:
            self.items[place] = last
            self.seat[last] = place

    def any(self, words: Iterator[int]) -> Any:
        return self.items[below(words, len(self.items))]

    def other(self, item: Any, words: Iterator[int]) -> Any:
        pick = below(words, len(self.items) - 1)
        return self.items[pick + (pick >= self.seat[item])]


def _random_cycle(pool: _Bag, by_row: Sequence[_Bag], by_column: Sequence[_Bag], words: Iterator[int]) -> list[Cell]:
    """From a random fractional cell to another in its row, then to another in that column, until a line comes again."""
    r, c = pool.any(words)
    path, along_row = [(r, c)], True
    while True:
        if along_row:
            c = by_row[r].other(c, words)
        else:
            r = by_column[c].other(r, words)
        path.append((r, c))
        along_row = not along_row
        cycle = _closed(path, along_row)
        if cycle:
            return cycle


def _closed(path: Sequence[Cell], along_row: bool) -> list[Cell]:
    """The cycle that the last cell of the path closes, or nothing. The next move goes `along_row` or along a column."""
    line = path[-1][0] if along_row else path[-1][1]
    axis = 0 if along_row else 1
    for place in range(len(path) - 1):
        if path[place][axis] == line:
            # Two cells of one line lie side by side on the path; the second of them begins the cycle.
            start = place + 1 if path[place + 1][axis] == line else place
            return list(path[start:]) if (len(path) - start) % 2 == 0 else list(path[start + 1 :])
    return []


def _steps(table: Sequence[Sequence[int]], cycle: Sequence[Cell], unit: int) -> tuple[int, int]:
    rising = [table[r][c] % unit for r, c in cycle[::2]]
    falling = [table[r][c] % unit for r, c in cycle[1::2]]
    up = min(*(unit - value for value in rising), *falling)
    down = min(*rising, *(unit - value for value in falling))
    return up, down


def rounded_tables(rows: Sequence[Sequence[int]], unit: int, limit: int = 20_000) -> dict[Table, Fraction]:
    """Every table that `controlled_rounding` can give, with its exact chance.

    Raises `TooManyAllocations` when more than `limit` intermediate tables would be visited.

    >>> {t[0]: str(p) for t, p in sorted(rounded_tables([(8, 8, 4)], 10).items())}
    {(0, 1, 1): '1/5', (1, 0, 1): '1/5', (1, 1, 0): '3/5'}
    """
    return dict(_rounded_tables(tuple(tuple(row) for row in rows), unit, limit))


@lru_cache(maxsize=64)
def _rounded_tables(rows: Table, unit: int, limit: int) -> dict[Table, Fraction]:
    opening = (*rows, slack_row(rows, unit))
    done: dict[Table, Fraction] = {}
    # Tables by their number of fractional cells, most first: each step settles one at least, so every way into a table
    # is summed before it is left.
    waiting: dict[int, dict[Table, Fraction]] = {_open_cells(opening, unit): {opening: Fraction(1)}}
    visited = 0
    while waiting:
        for table, chance in waiting.pop(max(waiting)).items():
            cycles = _cycles(table, unit)
            if not cycles:
                key = tuple(tuple(value // unit for value in row) for row in table[:-1])
                done[key] = done.get(key, Fraction(0)) + chance
            visited += 1
            if visited > limit:
                raise TooManyAllocations("the misfits can be rounded in too many ways to list", remedy="use `draws`")
            for cycle, share in cycles.items():
                up, down = _steps(table, cycle, unit)
                for step, part in ((up, Fraction(down, up + down)), (-down, Fraction(up, up + down))):
                    following = _moved(table, cycle, step)
                    level = waiting.setdefault(_open_cells(following, unit), {})
                    level[following] = level.get(following, Fraction(0)) + chance * share * part
    return done


def _open_cells(table: Table, unit: int) -> int:
    return sum(value % unit > 0 for row in table for value in row)


def _moved(table: Table, cycle: Sequence[Cell], step: int) -> Table:
    lines = [list(row) for row in table]
    for place, (r, c) in enumerate(cycle):
        lines[r][c] += step if place % 2 == 0 else -step
    return tuple(tuple(row) for row in lines)


def _cycles(table: Table, unit: int) -> dict[tuple[Cell, ...], Fraction]:
    """Every cycle that a random walk can close in this table, with its chance."""
    by_row = [[c for c, value in enumerate(row) if value % unit] for row in table]
    by_column = [[r for r, row in enumerate(table) if row[c] % unit] for c in range(len(table[0]))]
    pool = [(r, c) for r, columns in enumerate(by_row) for c in columns]
    found: dict[tuple[Cell, ...], Fraction] = {}
    stack = [([cell], True, Fraction(1, len(pool))) for cell in pool]
    while stack:
        path, along_row, chance = stack.pop()
        r, c = path[-1]
        others = (
            [(r, other) for other in by_row[r] if other != c]
            if along_row
            else [(other, c) for other in by_column[c] if other != r]
        )
        for cell in others:
            longer = [*path, cell]
            cycle = _closed(longer, not along_row)
            if cycle:
                # The same cycle met elsewhere or the other way round takes the same steps.
                key = _named_cycle(cycle)
                found[key] = found.get(key, Fraction(0)) + chance / len(others)
            else:
                stack.append((longer, not along_row, chance / len(others)))
    return found


def _named_cycle(cycle: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cycle from its smallest cell on; which half rises first does not matter, for both steps are weighed."""
    turns = [tuple(cycle[k:]) + tuple(cycle[:k]) for k in range(len(cycle))]
    back = [turn[::-1] for turn in turns]
    return min(*turns, *back)


def count_tables(
    options: Sequence[Sequence[tuple[tuple[int, ...], int]]], allowed: Sequence[set[int]], limit: int = 500_000
) -> int:
    """Sum over legal tables of the product of their rows' ways.

    `options[s]` are the (counts, ways) a row may have; `allowed[k]` the totals column k may have. Exact, by dynamic
    programming over column totals; `TooManyAllocations` when more than `limit` steps are needed.
    """
    totals: dict[tuple[int, ...], int] = {(0,) * len(allowed): 1}
    steps = 0
    for row in options:
        following: dict[tuple[int, ...], int] = {}
        steps += len(totals) * len(row)
        if steps > limit:
            raise TooManyAllocations("the allocations are too many to count exactly", remedy="use fewer strata or arms")
        for total, ways in totals.items():
            for counts, more in row:
                key = tuple(a + b for a, b in zip(total, counts, strict=True))
                following[key] = following.get(key, 0) + ways * more
        totals = following
    return sum(
        ways
        for total, ways in totals.items()
        if all(value in column for value, column in zip(total, allowed, strict=True))
    )


def multinomial(counts: Sequence[int]) -> int:
    """Ways to lay out `counts` units.

    >>> multinomial((2, 2, 1))
    30
    """
    return factorial(sum(counts)) // prod(factorial(count) for count in counts)


def pivotal(parts: np.ndarray, unit: int, stream: SeededStream) -> np.ndarray:
    """`controlled_rounding` of single rows or of two arms, for many problems at once.

    `parts` (problems, places): chances in 1/`unit`, each problem's sum a multiple of `unit`. Gives 0/1 of the same
    shape with those chances and exactly that sum: two random fractional places settle one of them, until none is left.
    """
    import numpy as np

    if len(parts) * 16 < parts.shape[1]:
        words = iter(stream)
        return np.array([_pivotal_alone(row, unit, words) for row in parts.tolist()], dtype=np.int64)
    value = parts.astype(np.int64)
    problems, places = value.shape
    seats = np.tile(np.arange(places), (problems, 1))
    fractional = (value % unit) != 0
    order = np.argsort(~fractional, axis=1, kind="stable")
    seats = np.take_along_axis(seats, order, axis=1)
    active = fractional.sum(axis=1)
    while True:
        rows = np.flatnonzero(active > 1)
        if not len(rows):
            return value // unit
        count = active[rows]
        first = below_each(stream, count)
        second = below_each(stream, count - 1)
        second += second >= first
        one, two = seats[rows, first], seats[rows, second]
        a, b = value[rows, one], value[rows, two]
        up = np.minimum(unit - a, b)
        down = np.minimum(a, unit - b)
        step = np.where(below_each(stream, up + down) < down, up, -down)
        value[rows, one] = a + step
        value[rows, two] = b - step
        for place in (np.maximum(first, second), np.minimum(first, second)):
            settled = value[rows, seats[rows, place]] % unit == 0
            hit = rows[settled]
            active[hit] -= 1
            seats[hit, place[settled]] = seats[hit, active[hit]]


def _pivotal_alone(value: list[int], unit: int, words: Iterator[int]) -> list[int]:
    """One problem of `pivotal`; faster than arrays when there are many places and few problems."""
    seats = [place for place, part in enumerate(value) if part % unit]
    while len(seats) > 1:
        first, second = below(words, len(seats)), below(words, len(seats) - 1)
        second += second >= first
        one, two = seats[first], seats[second]
        up = min(unit - value[one], value[two])
        down = min(value[one], unit - value[two])
        step = up if below(words, up + down) < down else -down
        value[one] += step
        value[two] -= step
        for place in (max(first, second), min(first, second)):
            if value[seats[place]] % unit == 0:
                last = seats.pop()
                if place < len(seats):
                    seats[place] = last
    return [part // unit for part in value]


def below_each(stream: SeededStream, bounds: np.ndarray) -> np.ndarray:
    """A whole number below each bound, every one equally likely (by rejection); int64."""
    import numpy as np

    bound = bounds.astype(np.uint64)
    words = stream.words(len(bound))
    excess = (np.uint64(0) - bound) % bound
    limit = np.uint64(0) - excess
    rejected = np.flatnonzero((excess > 0) & (words >= limit))
    while len(rejected):
        words[rejected] = stream.words(len(rejected))
        rejected = rejected[words[rejected] >= limit[rejected]]
    return (words % bound).astype(np.int64)
