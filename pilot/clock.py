"""Time comes through the door: a clock is a function that says now, in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


def shifted(by: Callable[[], timedelta]) -> Clock:
    """A clock that runs ahead of the system by what `by` says at each call; the demo moves time with it."""
    return lambda: system() + by()
