"""The domains of the quantities of a power question, in one place and in the words of the caller."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

from analysis.power.errors import ImpossibleRequest

__all__ = [
    "at_least",
    "between",
    "choice",
    "different",
    "exactly_one_missing",
    "level",
    "loading",
    "positive",
    "probability",
    "sides_of",
    "whole",
]


def _finite(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ImpossibleRequest(name, f"must be a finite number, not {value!r}")


def positive(**values: float | None) -> None:
    """Refuse anything that is not a finite number above zero; None (to be solved) passes."""
    for name, value in values.items():
        if value is not None:
            _finite(name, value)
            if value <= 0:
                raise ImpossibleRequest(name, f"must be above zero, not {value:g}")


def probability(**values: float | None) -> None:
    """Refuse anything outside the open interval (0, 1)."""
    for name, value in values.items():
        if value is not None:
            _finite(name, value)
            if not 0 < value < 1:
                raise ImpossibleRequest(
                    name, f"must lie strictly between 0 and 1, not {value:g}", remedy=_as_share(value)
                )


def _as_share(value: float) -> str:
    return f"write {value / 100:g} for {value:g}%" if 2 <= value < 100 else ""


def loading(**values: float | None) -> None:
    """Refuse anything outside [0, 1): intraclass correlations, R-squared, shares lost."""
    for name, value in values.items():
        if value is not None:
            _finite(name, value)
            if not 0 <= value < 1:
                raise ImpossibleRequest(name, f"must lie in [0, 1), not {value:g}", remedy=_as_share(value))


def between(name: str, value: float | None, low: float, high: float) -> None:
    """Refuse a value outside the closed interval [low, high]."""
    if value is not None:
        _finite(name, value)
        if not low <= value <= high:
            raise ImpossibleRequest(name, f"must lie between {low:g} and {high:g}, not {value:g}")


def at_least(minimum: float, **values: float | None) -> None:
    """Refuse values below a minimum, such as two people an arm."""
    for name, value in values.items():
        if value is not None:
            _finite(name, value)
            if value < minimum:
                raise ImpossibleRequest(name, f"must be at least {minimum:g}, not {value:g}")


def whole(minimum: int, **values: float) -> None:
    """Refuse values that are not whole numbers of at least `minimum`."""
    for name, value in values.items():
        _finite(name, value)
        if value != int(value) or value < minimum:
            raise ImpossibleRequest(name, f"must be a whole number of at least {minimum}, not {value:g}")


def level(alpha: float | None, power: float | None, sides: int = 2) -> None:
    """Refuse a significance level or power outside (0, 1), and a power that does not exceed the level."""
    sides_of(sides)
    probability(alpha=alpha, power=power)
    if alpha is not None and power is not None and power <= alpha:
        raise ImpossibleRequest(
            "power",
            f"{power:g} does not exceed alpha {alpha:g}: a test that ignores the data already reaches that power",
            remedy="ask for a power above alpha, usually .8 or .9",
        )


def sides_of(sides: int) -> None:
    """Refuse a test that is neither one- nor two-sided."""
    if sides not in (1, 2):
        raise ImpossibleRequest("sides", f"must be 1 or 2, not {sides!r}")


def choice(name: str, value: str, allowed: Mapping[str, object] | tuple[str, ...]) -> None:
    """Refuse an option that does not exist, listing the ones that do."""
    if value not in allowed:
        raise ImpossibleRequest(name, f"'{value}' is not one of {', '.join(sorted(allowed))}")


def different(name: str, value: float | None, null: float) -> None:
    """Refuse an effect equal to its null value: no sample size detects nothing."""
    if value is not None:
        _finite(name, value)
        if value == null:
            raise ImpossibleRequest(
                name,
                f"equals its null value {null:g}; no sample detects an effect that is absent",
                remedy="give the smallest effect that would be worth finding",
            )


def exactly_one_missing(given: Mapping[str, float | None]) -> str:
    """The name of the one quantity left out."""
    missing = [name for name, value in given.items() if value is None]
    if len(missing) != 1:
        listed = ", ".join(given)
        found = f"{', '.join(missing)} were all left out" if missing else "all were given"
        raise ImpossibleRequest(
            missing[0] if missing else next(iter(given)), f"leave out exactly one of {listed}; {found}"
        )
    return missing[0]
