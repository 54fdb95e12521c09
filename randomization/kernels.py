"""Arrays of allocations from raw words: random bits, then exact repair of the count; tables of patterns for small sets.

A kernel knows counts and words only. Each gives every arrangement of its counts the same chance: flipping uniformly
chosen surplus units keeps units exchangeable, and an exchangeable draw of fixed size is uniform.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from randomization.rounding import multinomial

if TYPE_CHECKING:
    import numpy as np

    from randomization.streams import SeededStream

CHUNK = 1 << 20
MOST_PATTERNS = 4096
LONGEST_PATTERN = 32
BIT_TOLERANCE = 1 / 64


def subsets(rows: int, size: int, chosen: np.ndarray, stream: SeededStream) -> np.ndarray:
    """0/1 of shape (rows, size), uint8: in row r a uniformly drawn subset of `chosen[r]` units holds 1."""
    import numpy as np

    result = np.empty((rows, size), dtype=np.uint8)
    step = max(1, CHUNK // max(size, 1))
    scratch = np.empty(min(step, rows) * size, dtype=np.int32)
    for start in range(0, rows, step):
        part = result[start : start + step]
        counts = _random_bits(part, float(chosen[start : start + step].mean()) / size, stream)
        _repair(part, chosen[start : start + step].astype(np.int64) - counts, counts, stream, scratch)
    return result


def _random_bits(part: np.ndarray, chance: float, stream: SeededStream) -> np.ndarray:
    """Fill `part` with bits of about the chance; give the number of ones in each row."""
    import numpy as np

    rows, size = part.shape
    if abs(chance - 0.5) < BIT_TOLERANCE:
        width = -(-size // 64)
        words = stream.words(rows * width).reshape(rows, width)
        if size % 64:
            words[:, -1] &= np.uint64((1 << (size % 64)) - 1)
        packed = words.view(np.uint8).reshape(rows, width * 8)
        part[:] = np.unpackbits(packed, axis=1, count=size, bitorder="little")
        return np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    octets = stream.words(-(-rows * size // 8)).view(np.uint8)[: rows * size].reshape(rows, size)
    np.less(octets, np.uint8(min(255, round(chance * 256))), out=part.view(np.bool_))
    return np.count_nonzero(part, axis=1).astype(np.int64)


def _repair(
    part: np.ndarray, missing: np.ndarray, counts: np.ndarray, stream: SeededStream, scratch: np.ndarray
) -> None:
    """Flip uniformly chosen units until row r holds `missing[r]` more ones (fewer when negative)."""
    import numpy as np

    size = part.shape[1]
    flat = part.reshape(-1)
    surplus = (missing < 0).astype(np.uint8)
    left = np.abs(missing)
    pool = np.where(missing < 0, counts, size - counts)
    while True:
        rows = np.flatnonzero(left)
        if not len(rows):
            return
        # Four standard errors more than needed: a second round is rare, and costs more than the spare tries.
        wanted = left[rows]
        tries = ((wanted + 4 * np.sqrt(wanted) + 4) * (size / pool[rows])).astype(np.int64) + 1
        row = np.repeat(rows, tries)
        key = row * size + small_below(stream, size, len(row))
        hit = np.flatnonzero(flat[key] == surplus[row])
        key, row = key[hit], row[hit]
        # The first of equal places counts: written last, it is what remains in the scratch pad.
        ticket = np.arange(len(key), dtype=np.int32)
        scratch[key[::-1]] = ticket[::-1]
        fresh = scratch[key] == ticket
        key, row = key[fresh], row[fresh]
        begins = np.searchsorted(row, rows)
        rank = np.arange(len(row)) - np.repeat(begins, np.append(begins[1:], len(row)) - begins)
        kept = rank < left[row]
        flat[key[kept]] ^= 1
        done = np.bincount(row[kept], minlength=len(left))
        left = left - done
        pool = pool - done


def small_below(stream: SeededStream, bound: int, count: int) -> np.ndarray:
    """`count` whole numbers below `bound`, every one equally likely, from halves of words; int64."""
    import numpy as np

    if bound > 1 << 31:
        return stream.below(bound, count).astype(np.int64)
    halves = stream.words(-(-count // 2)).view(np.uint32)[:count]
    limit = (1 << 32) - (1 << 32) % bound
    if limit < 1 << 32:
        rejected = np.flatnonzero(halves >= np.uint32(limit))
        while len(rejected):
            halves[rejected] = stream.words(len(rejected)) & np.uint64(0xFFFFFFFF)
            rejected = rejected[halves[rejected] >= np.uint32(limit)]
    return (halves % np.uint32(bound)).astype(np.int64)


def byte_below(stream: SeededStream, bound: int, count: int) -> np.ndarray:
    """`count` whole numbers below `bound` (at most 256), from single bytes; uint8."""
    import numpy as np

    octets = stream.words(-(-count // 8)).view(np.uint8)[:count]
    limit = 256 - 256 % bound
    if limit < 256:
        rejected = np.flatnonzero(octets >= limit)
        while len(rejected):
            fresh = stream.words(-(-len(rejected) // 8)).view(np.uint8)[: len(rejected)]
            octets[rejected] = fresh
            rejected = rejected[fresh >= limit]
    return octets % np.uint8(bound) if limit > bound else octets


@lru_cache(maxsize=256)
def patterns(counts: tuple[int, ...]) -> np.ndarray:
    """Every arrangement of the counts: uint8 codes, shape (arrangements, units).

    >>> patterns((1, 1)).tolist()
    [[1, 0], [0, 1]]
    """
    import numpy as np

    size = sum(counts)
    layouts = [np.full(size, 255, dtype=np.uint8)]
    for code in range(len(counts) - 1, -1, -1):
        following = []
        for layout in layouts:
            free = np.flatnonzero(layout == 255)
            for places in combinations(free, counts[code]):
                filled = layout.copy()
                filled[list(places)] = code
                following.append(filled)
        layouts = following
    table = np.array(layouts, dtype=np.uint8)
    table.flags.writeable = False
    return table


def small(counts: tuple[int, ...]) -> bool:
    """Whether a set is drawn from a table of patterns."""
    return sum(counts) <= LONGEST_PATTERN and multinomial(counts) <= MOST_PATTERNS


def from_patterns(rows: int, counts: tuple[int, ...], stream: SeededStream) -> np.ndarray:
    """Codes of shape (rows, units): each row an arrangement of the counts, drawn from the table."""
    import numpy as np

    table = patterns(counts)
    number, size = table.shape
    # One take of whole patterns as opaque items is several times faster than a take along an axis.
    items = np.ascontiguousarray(table).view(f"V{size}").reshape(-1)
    result = np.empty(rows, dtype=items.dtype)
    step = CHUNK // 16
    for start in range(0, rows, step):
        part = result[start : start + step]
        draw = byte_below if number <= 256 else small_below
        items.take(draw(stream, number, len(part)).astype(np.intp), out=part, mode="clip")
    return result.view(np.uint8).reshape(rows, size)


def arrange(counts: np.ndarray, stream: SeededStream) -> np.ndarray:
    """Codes of shape (rows, units): row r an arrangement of `counts[r]` (rows, arms), all equally likely.

    Every row has the same number of units.
    """
    import numpy as np

    kinds, which = distinct_rows(counts)
    if len(kinds) == 1:
        return arrange_alike(len(counts), tuple(kinds[0].tolist()), stream)
    result = np.empty((len(counts), int(counts[0].sum())), dtype=np.uint8)
    for place, kind in enumerate(kinds):
        rows = np.flatnonzero(which == place)
        result[rows] = arrange_alike(len(rows), tuple(kind.tolist()), stream)
    return result


def seated(drawn: np.ndarray, seats: np.ndarray, codes: int) -> np.ndarray:
    """`drawn[:, seats]`, uint8 of the same shape, for codes below `codes`.

    Fetching from places all over memory is what costs, so eight draws of two codes are fetched at once as one byte.

    >>> import numpy as np
    >>> seated(np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8), np.array([2, 0, 1]), 3).tolist()
    [[2, 0, 1], [0, 2, 1]]
    """
    import numpy as np

    rows, width = drawn.shape
    result = np.empty_like(drawn)
    whole = rows - rows % 8 if codes == 2 else 0
    step = max(1, CHUNK // (8 * max(width, 1)))
    packed, moved, scratch = (np.empty((min(step, whole // 8), width), dtype=np.uint8) for _ in range(3))
    for start in range(0, whole, 8 * step):
        lines = min(step, (whole - start) // 8)
        before = drawn[start : start + 8 * lines].reshape(8, lines, width)
        after = result[start : start + 8 * lines].reshape(8, lines, width)
        byte, part = packed[:lines], scratch[:lines]
        byte[:] = before[0]
        for place in range(1, 8):
            byte |= np.multiply(before[place], np.uint8(1 << place), out=part)
        for line in range(lines):
            byte[line].take(seats, out=moved[line], mode="clip")
        for place in range(8):
            np.bitwise_and(moved[:lines], np.uint8(1 << place), out=part)
            np.not_equal(part, 0, out=after[place].view(np.bool_))
    for row in range(whole, rows):
        drawn[row].take(seats, out=result[row], mode="clip")
    return result


def distinct_rows(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows and which of them each row is."""
    import numpy as np

    if bool((counts == counts[0]).all()):
        return counts[:1], np.zeros(len(counts), dtype=np.int64)
    kinds, which = np.unique(counts, axis=0, return_inverse=True)
    return kinds, which.reshape(-1)


def arrange_alike(rows: int, counts: tuple[int, ...], stream: SeededStream) -> np.ndarray:
    """`arrange` when all rows have the same counts."""
    import numpy as np

    size, arms = sum(counts), len(counts)
    if small(counts):
        return from_patterns(rows, counts, stream)
    if arms == 2:
        return subsets(rows, size, np.full(rows, counts[1]), stream)
    # Split the arms in two halves, then each half again among the units it got.
    middle = arms // 2
    halves = counts[:middle], counts[middle:]
    split = subsets(rows, size, np.full(rows, sum(halves[1])), stream)
    result = np.empty((rows, size), dtype=np.uint8)
    for side, part in enumerate(halves):
        if sum(part):
            inner = arrange_alike(rows, part, stream) if len(part) > 1 else np.zeros((rows, sum(part)), dtype=np.uint8)
            result[split == side] = (inner + np.uint8(side * middle)).reshape(-1)
    return result
