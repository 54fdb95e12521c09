"""A design matrix that is read in blocks of rows, so that a million rows need no second copy of themselves.

The columns of a data frame lie apart in memory. Copying a block of a few thousand rows into one small buffer keeps the
work inside the processor's cache and the memory at the size of the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BLOCK_BYTES = 1 << 20


class Rows(Protocol):
    """Anything with a shape (n, k) that yields its rows in order, block by block."""

    @property
    def shape(self) -> tuple[int, int]: ...

    def blocks(self) -> Iterator[tuple[slice, Array]]: ...

    def dense(self) -> Array: ...


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """An array of shape (n, k) as Rows."""

    array: Array

    @property
    def shape(self) -> tuple[int, int]:
        n, k = self.array.shape
        return n, k

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        n, k = self.array.shape
        for part in slices(n, k):
            yield part, self.array[part]

    def dense(self) -> Array:
        return self.array


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Columns that lie apart, each of shape (n,) or a single number that stands for a constant column.

    >>> rows = Columns((1.0, np.array([2.0, 3.0])), 2)
    >>> rows.dense()
    array([[1., 2.],
           [1., 3.]])
    """

    columns: Sequence[NDArray | float]
    n: int
    scale: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.n, len(self.columns)

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        k = len(self.columns)
        parts = list(slices(self.n, k))
        buffer = np.empty((k, max((part.stop - part.start for part in parts), default=0)))
        for part in parts:
            block = buffer[:, : part.stop - part.start]
            for row, column in zip(block, self.columns, strict=True):
                row[:] = column[part] if isinstance(column, np.ndarray) else column
            if self.scale is not None:
                block *= self.scale[part]
            yield part, block.T

    def dense(self) -> Array:
        out = np.empty(self.shape)
        for part, block in self.blocks():
            out[part] = block
        return out

    def scaled(self, scale: Array) -> Columns:
        """The same columns with every row multiplied by a number of its own, shape (n,)."""
        return Columns(self.columns, self.n, scale if self.scale is None else self.scale * scale)


def as_rows(X: Array | Rows) -> Rows:
    """An array of shape (n, k), or rows already, as Rows."""
    return Dense(np.asarray(X, dtype=float)) if isinstance(X, np.ndarray) else X


def slices(n: int, k: int) -> Iterator[slice]:
    """Consecutive slices of 0..n such that k columns of one slice stay in the cache."""
    step = max(256, BLOCK_BYTES // (8 * max(k, 1)))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def take(rows: Rows, chosen: NDArray[np.intp]) -> Array:
    """Some rows as an array; a run of consecutive rows is a view where that is possible."""
    first, last = int(chosen[0]), int(chosen[-1])
    run = last - first + 1 == chosen.size and (chosen.size < 3 or bool((np.diff(chosen) == 1).all()))
    pick: slice | NDArray[np.intp] = slice(first, last + 1) if run else chosen
    if isinstance(rows, Columns):
        out = np.empty((len(rows.columns), chosen.size))
        for row, one in zip(out, rows.columns, strict=True):
            row[:] = one[pick] if isinstance(one, np.ndarray) else one
        if rows.scale is not None:
            out *= rows.scale[pick]
        return out.T
    return (rows.array if isinstance(rows, Dense) else rows.dense())[pick]
