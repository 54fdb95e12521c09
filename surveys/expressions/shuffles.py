"""Chance in expressions: the reproducible shuffle of ``randomize()``, and ``uuid()``.

What chance there is comes from the seed of the participant: looking at a page again changes nothing.
Sources: ODK XForms specification, ``randomize`` (the inside-out shuffle of Fisher and Yates with the generator of Park
and Miller, 1988); RFC 4122, version 4.
"""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Iterator

from surveys.errors import ExpressionError
from surveys.expressions.values import Nodes

__all__ = ["number_of", "shuffled", "token", "unique"]

MODULUS, MULTIPLIER = 2_147_483_647, 16_807
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
LONGEST = 1_000


def shuffled(nodes: Nodes, seed: float) -> Nodes:
    """The nodes in the order that a whole-numbered seed gives. Raises ExpressionError for another seed.

    >>> "".join(shuffled(("A", "B", "C", "D", "E", "F"), 42))
    'AFCBDE'
    """
    if not math.isfinite(seed) or seed % 1:
        raise ExpressionError("the seed of randomize() must be a whole number", remedy="write a number such as 42")
    draws = _park_miller(int(seed))
    order: list[str] = []
    for i, node in enumerate(nodes):
        place = int(next(draws) * (i + 1))
        order.append(order[place] if place < i else node)
        order[place] = node
    return tuple(order)


def _park_miller(seed: int) -> Iterator[float]:
    """Numbers from 0 up to 1, the "minimal standard" of Park and Miller (1988)."""
    # The remainder keeps the sign of the seed, as in the implementations that set the order.
    state = abs(seed) % MODULUS * (1 if seed >= 0 else -1)
    if state <= 0:
        state += MODULUS - 1
    while True:
        state = state * MULTIPLIER % MODULUS
        yield (state - 1) / (MODULUS - 1)


def number_of(seed: str) -> int:
    """A whole number below the modulus from the seed of a participant, for a shuffle that names none."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) % MODULUS


def unique(seed: str) -> str:
    """A UUID of version 4 from a seed.

    >>> unique("person 12"), unique("person 12") == unique("person 13")
    ('725fff7d-a6a9-41e0-ab0f-cf53e9d43038', False)
    """
    return str(uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=4))


def token(seed: str, length: float) -> str:
    """A text of so many letters and digits from a seed. Raises ExpressionError for a length that cannot be."""
    if not 1 <= length <= LONGEST:
        raise ExpressionError(f"uuid() gives 1 to {LONGEST} characters", remedy="leave the number out for a UUID")
    blocks = range(int(length) * 8 // 32 + 1)
    number = int.from_bytes(b"".join(hashlib.sha256(f"{seed}\0{block}".encode()).digest() for block in blocks))
    found: list[str] = []
    for _ in range(int(length)):
        number, sign = divmod(number, len(SIGNS))
        found.append(SIGNS[sign])
    return "".join(found)
