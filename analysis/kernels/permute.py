"""Sums over redrawn assignments: one bit per participant and draw, eight participants looked up at a time.

A draw matrix of bits is a sixty-fourth of the same matrix in floats. The sum of any variable over the treated of a draw
is then one table look-up per eight participants, with a table of the 256 sums that eight participants can give. All
outcomes, arms and subgroups read the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Bits = NDArray[np.uint8]
CHUNK = 1 << 20
FEW_DRAWS = 8
PAIR = 2
PATTERNS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(float).T


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """Where participants stand in the packed rows: every block starts at a new byte, so blocks can be summed apart.

    `place`, shape (8 x bytes,), gives the participant of each bit (-1 for padding); `block`, shape (bytes,), its block.
    """

    place: NDArray[np.intp]
    block: NDArray[np.intp]
    straight: bool

    @classmethod
    def of(cls, blocks: NDArray[np.intp]) -> Slots:
        """From block numbers 0..B-1, shape (n,).

        >>> Slots.of(np.array([0, 1, 0])).place.reshape(2, 8)[:, :3]
        array([[ 0,  2, -1],
               [ 1, -1, -1]])
        """
        sizes = np.bincount(blocks)
        width = -(-sizes // 8)
        starts = np.concatenate([[0], np.cumsum(width)[:-1]]) * 8
        order = np.argsort(blocks, kind="stable")
        within = np.arange(blocks.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        place = np.full(8 * int(width.sum()), -1, dtype=np.intp)
        place[starts[blocks[order]] + within] = order
        return cls(place, np.repeat(np.arange(sizes.size), width), sizes.size == 1)

    def pack(self, codes: Bits, arm: int, several: bool = True) -> Bits:
        """Who is in one arm, from arm codes of shape (draws, n), as bits of shape (bytes, draws).

        Without `several` the codes are 0 and 1 only and the arm is 1, so that the codes are the bits already.
        """
        draws, n = codes.shape
        out = np.empty((self.block.size, draws), dtype=np.uint8)
        step = max(1, CHUNK // max(n, 1))
        for start in range(0, draws, step):
            member = codes[start : start + step] == arm if several else codes[start : start + step]
            if not self.straight:
                member = np.take(member, np.maximum(self.place, 0), axis=1)
                member[:, self.place < 0] = False
            out[:, start : start + step] = np.packbits(member, axis=1).T
        return out

    def tables(self, values: Array) -> Array:
        """The sums that every byte can give, shape (bytes, 256, c), for variables of shape (n, c)."""
        c = values.shape[1]
        padded = np.zeros((c, self.place.size))
        real = self.place >= 0
        padded[:, real] = values[self.place[real]].T
        sums = padded.reshape(-1, 8) @ PATTERNS
        return np.ascontiguousarray(sums.reshape(c, -1, 256).transpose(1, 2, 0))


def sums_over_members(bits: Bits, tables: Array, block: NDArray[np.intp]) -> Array:
    """Sums of c variables over the members of each draw by block, shape (blocks, draws, c).

    >>> slots = Slots.of(np.zeros(3, dtype=int))
    >>> bits = slots.pack(np.array([[1, 0, 1], [0, 1, 0]], dtype=np.uint8), 1)
    >>> sums_over_members(bits, slots.tables(np.array([[1.0], [2.0], [4.0]])), slots.block)[0, :, 0]
    array([5., 2.])
    """
    draws, width = bits.shape[1], tables.shape[2]
    if draws < FEW_DRAWS:
        starts = np.flatnonzero(np.concatenate([[True], np.diff(block) > 0]))
        rows = np.arange(bits.shape[0])
        return np.stack([np.add.reduceat(tables[rows, one], starts) for one in bits.T], axis=1)
    parts = [_looked_up(bits, tables[..., start : start + PAIR], block) for start in range(0, width, PAIR)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _looked_up(bits: Bits, tables: Array, block: NDArray[np.intp]) -> Array:
    """One or two variables at a time: numpy copies rows of 8 and 16 bytes much faster than rows of 24."""
    tables = np.ascontiguousarray(tables)
    draws, width = bits.shape[1], tables.shape[2]
    out = np.zeros((int(block[-1]) + 1, draws, width))
    found = np.empty((draws, width))
    for row, table, b in zip(bits, tables, block, strict=True):
        table.take(row.astype(np.intp), 0, found, "clip")
        out[b] += found
    return out
