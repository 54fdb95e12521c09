"""The sizes of two arms from what a caller gives: equal, in a ratio, or the second one fixed."""

from __future__ import annotations

from analysis.power import checks
from analysis.power.solve import round_up

__all__ = ["check_arms", "sizes", "totals"]


def sizes(n: float, n2: float | None, ratio: float) -> tuple[float, float]:
    """(first arm, second arm): the second is `n2` when given, else `ratio` times the first."""
    return (n, n * ratio) if n2 is None else (n, n2)


def check_arms(n: float | None, n2: float | None, ratio: float, minimum: float = 2) -> None:
    """Refuse arms smaller than `minimum` and ratios of zero or less."""
    checks.positive(ratio=ratio)
    checks.at_least(minimum, n=n, n2=n2)


def totals(n: float, n2: float | None, ratio: float) -> dict[str, float]:
    """n1, n2 and n_total; when n is whole (a rounded answer) the second arm is rounded up as well.

    >>> totals(10, None, 1.25)
    {'n1': 10, 'n2': 13, 'n_total': 23}
    """
    first, second = sizes(n, n2, ratio)
    if first == int(first):
        second = round_up(second)
    return {"n1": first, "n2": second, "n_total": first + second}
