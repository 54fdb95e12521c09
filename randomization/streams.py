"""Where chance comes from: keyed words for live allocation, raw words of a named bit generator for batch draws.

Both feed our own algorithms (rejection sampling, Fisher-Yates), never a library's, which an upgrade may change;
golden vectors in the tests fix every bit. No list of future allocations exists: a keyed word is derived when needed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import TYPE_CHECKING, TypeVar

from randomization.errors import AllocationError, DesignError

if TYPE_CHECKING:
    import numpy as np

ALGORITHM = "hmac-sha256-words-1"
GENERATOR = "numpy SFC64 raw words, SeedSequence(seed)"
KEY_BYTES = 32
WORD = 1 << 64

T = TypeVar("T")


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104, RFC 4231): 32 bytes.

    >>> hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex()[:16]
    '5bdcc146bf60754e'
    """
    return hmac.new(key, data, hashlib.sha256).digest()


def length_prefixed(fields: Sequence[str | int]) -> bytes:
    """Each field as UTF-8 behind its length in four bytes, so that no two lists of fields spell the same bytes.

    >>> length_prefixed(["ab", 7])
    b'\\x00\\x00\\x00\\x02ab\\x00\\x00\\x00\\x017'
    """
    parts = [str(item).encode() for item in fields]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@dataclass(frozen=True, slots=True)
class KeyedStream:
    """Words of HMAC-SHA256(key, length-prefixed(fields, counter)); counter 0, 1, 2, …, four words each.

    `key` must hold 32 bytes or more, or `AllocationError` is raised.
    """

    key: bytes
    fields: tuple[str | int, ...]

    def __post_init__(self) -> None:
        if len(self.key) < KEY_BYTES:
            raise AllocationError(
                f"the key holds {len(self.key)} bytes", remedy=f"use a random key of {KEY_BYTES} bytes"
            )

    def words(self) -> Iterator[int]:
        """Words of 64 bits without end."""
        counter = 0
        while True:
            digest = hmac_sha256(self.key, length_prefixed((*self.fields, counter)))
            for start in range(0, 32, 8):
                yield int.from_bytes(digest[start : start + 8], "big")
            counter += 1


def below(words: Iterator[int], bound: int) -> int:
    """A whole number in 0 … bound-1, every one equally likely, by rejection.

    >>> below(iter([2**64 - 1, 5]), 3)
    2
    """
    if not bound > 0:
        raise DesignError(f"a whole number below {bound} does not exist", remedy="ask below at least 1")
    span, draws = WORD, 1
    while span < bound:
        span, draws = span * WORD, draws + 1
    limit = span - span % bound
    while True:
        value = 0
        for _ in range(draws):
            value = value * WORD + next(words)
        if value < limit:
            return value % bound


def shuffled(words: Iterator[int], items: Sequence[T]) -> list[T]:
    """The items in an order drawn uniformly from all orders (Fisher and Yates, from the end)."""
    result = list(items)
    for last in range(len(result) - 1, 0, -1):
        other = below(words, last + 1)
        result[last], result[other] = result[other], result[last]
    return result


def choose(words: Iterator[int], chances: Sequence[Fraction]) -> int:
    """A place in `chances`, drawn with exactly those chances (they sum to one); a certainty takes no word.

    >>> choose(iter([0]), [Fraction(0), Fraction(1)])
    1
    """
    bound = reduce(lcm, (chance.denominator for chance in chances), 1)
    parts = [int(chance * bound) for chance in chances]
    if sum(parts) != bound or min(parts) < 0:
        raise DesignError("the chances of the arms do not sum to one", remedy="report this design: it is a defect")
    if bound == 1:
        return parts.index(1)
    ticket = below(words, bound)
    for place, part in enumerate(parts):
        if ticket < part:
            return place
        ticket -= part
    raise AssertionError("unreachable: a ticket lies below the sum of the parts")


class SeededStream:
    """Raw 64-bit words of SFC64 for batch draws; the same seed gives the same words on every machine.

    `part` numbers independent streams of one seed.

    >>> SeededStream(7).below(6, 4).tolist()
    [1, 2, 3, 5]
    """

    __slots__ = ("_bits", "_taken", "part", "seed")

    def __init__(self, seed: int, part: int = 0) -> None:
        import numpy as np

        if isinstance(seed, bool) or not hasattr(seed, "__index__") or int(seed) < 0:
            raise DesignError(f"the seed is {seed!r}", path=("seed",), remedy="give a whole number of at least zero")
        self.seed = int(seed)
        self.part = part
        self._bits = np.random.SFC64(np.random.SeedSequence(self.seed, spawn_key=(part,)))
        self._taken = 0

    def words(self, count: int) -> np.ndarray:
        """`count` raw words, uint64."""
        self._taken += count
        return self._bits.random_raw(count)

    def __iter__(self) -> Iterator[int]:
        while True:
            yield from self.words(64).tolist()

    def spare(self, place: int) -> Iterator[int]:
        """Words that continue word number `place` of this stream, for a rejection or a tie.

        They hang on the place and not on what came before: a rejection then never shifts the words of later units,
        and a draw of the first units stays the beginning of a draw of all of them.
        """
        import numpy as np

        bits = np.random.SFC64(np.random.SeedSequence(self.seed, spawn_key=(self.part, place)))
        while True:
            yield int(bits.random_raw())

    def below(self, bound: int, shape: int | tuple[int, ...]) -> np.ndarray:
        """Whole numbers in 0 … bound-1 (bound at most 2**63), every one equally likely; uint64 of `shape`."""
        import numpy as np

        first = self._taken
        words = self.words(int(np.prod(shape)))
        excess = WORD % bound
        if excess:
            for place in np.flatnonzero(words > np.uint64(WORD - excess - 1)):
                words[place] = below(self.spare(first + int(place)), bound)
        return (words % np.uint64(bound)).reshape(shape)
