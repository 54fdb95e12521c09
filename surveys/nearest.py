"""The name that somebody probably meant, for the remedy of a message."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean", "nearest"]

MOST_NAMES = 500


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name most like the word; None when none is like it, or there are too many to compare with.

    >>> nearest("agee", ["name", "age"]), nearest("x", ["name"])
    ('age', None)
    """
    names = list(known)
    if len(names) > MOST_NAMES or len(word) > 80:
        return None
    return next(iter(get_close_matches(word, names, n=1, cutoff=cutoff)), None)


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """The remedy: the nearest name as a question, else the other advice.

    >>> did_you_mean("agee", ["age"], "check the name"), did_you_mean("x", ["age"], "check the name")
    ("did you mean 'age'?", 'check the name')
    """
    near = nearest(word, known)
    return f"did you mean '{near}'?" if near else otherwise
