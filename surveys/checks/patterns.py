"""Patterns for ``regex``: valid, and answered in a time that one answer cannot stretch.

A part that repeats without end, in a part that repeats without end, with nothing fixed between two rounds, can be cut
up in more ways than there are seconds: thirty letters are then enough to keep a computer busy for a day.
"""

from __future__ import annotations

import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

__all__ = ["endless", "fault"]

MANY = 20
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)


def fault(pattern: str) -> tuple[str, str] | None:
    """What is wrong with a pattern and what to do about it; None when nothing is.

    >>> fault("[0-9]{4}"), fault("[0-9")[1], fault("^(a+)+$")[1]
    (None, 'test the pattern first', 'take one of the two signs + or * away')
    """
    try:
        re.compile(pattern, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        return f"the pattern '{pattern}' is not valid: {error}", "test the pattern first"
    if endless(pattern):
        return (
            f"the pattern '{pattern}' repeats a part that repeats itself: an answer could keep it busy without end",
            "take one of the two signs + or * away",
        )
    return None


def endless(pattern: str) -> bool:
    r"""Whether a repeated part holds a repeated part and nothing else that must be there.

    >>> [endless(p) for p in ("(a+)+", r"(\w+\s?)*", r"(,\d+)*", "[a-z]+@[a-z]+", "(ab)+")]
    [True, True, False, False, False]
    """
    return any(_nested(item) for item in _walk(parser.parse(pattern, re.ASCII)))


def _walk(items: Any) -> Any:
    for item in items:
        yield item
        for part in _parts(item):
            yield from _walk(part)


def _parts(item: tuple[Any, Any]) -> list[Any]:
    """The sequences within one element of a pattern."""
    operation, argument = item
    if operation in REPEATS or operation is sre.POSSESSIVE_REPEAT:
        return [argument[2]]
    if operation is sre.SUBPATTERN:
        return [argument[3]]
    if operation is sre.BRANCH:
        return list(argument[1])
    if operation in (sre.ASSERT, sre.ASSERT_NOT):
        return [argument[1]]
    return []


def _nested(item: tuple[Any, Any]) -> bool:
    operation, argument = item
    return operation in REPEATS and argument[1] >= MANY and _loose(argument[2])


def _loose(items: Any) -> bool:
    """Whether a sequence is one part that repeats without end, with at most optional parts beside it."""
    elements = [item for item in items if item[0] is not sre.AT]
    endless_ones = [item for item in elements if _repeats(item)]
    return bool(endless_ones) and all(item is endless_ones[0] or _optional(item) for item in elements)


def _repeats(item: tuple[Any, Any]) -> bool:
    operation, argument = item
    if operation in REPEATS:
        return argument[1] >= MANY
    return any(_loose(part) for part in _parts(item)) if operation in (sre.SUBPATTERN, sre.BRANCH) else False


def _optional(item: tuple[Any, Any]) -> bool:
    operation, argument = item
    return operation in REPEATS and argument[0] == 0
