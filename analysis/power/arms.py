"""The sizes of two arms from what a caller gives: equal, in a ratio, or the second one fixed."""

from __future__ import annotations

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.power.solve import SizeRange, round_up

__all__ = ["check_arms", "sizes", "smallest", "totals"]


def sizes(n: float, n2: float | None, ratio: float) -> tuple[float, float]:
    """(first arm, second arm): the second is `n2` when given, else `ratio` times the first."""
    return (n, n * ratio) if n2 is None else (n, n2)


def check_arms(n: float | None, n2: float | None, ratio: float, minimum: float = 2) -> None:
    """Refuse arms smaller than `minimum` and ratios of zero or less."""
    checks.positive(ratio=ratio)
    checks.at_least(minimum, n=n, n2=n2)
    if n is not None and n2 is None and n * ratio < minimum * (1 - 1e-9):
        raise ImpossibleRequest(
            "ratio", f"leaves {n * ratio:g} people in the second arm; at least {minimum:g} are needed"
        )


def smallest(n2: float | None, ratio: float, minimum: float = 2) -> SizeRange:
    """The range of the first arm's size in which both arms hold at least `minimum` people.

    >>> smallest(None, 0.1).minimum, smallest(50, 0.1).minimum
    (20.0, 2)
    """
    return SizeRange(minimum if n2 is not None else max(minimum, minimum / ratio))


def totals(n: float, n2: float | None, ratio: float) -> dict[str, float]:
    """n1, n2 and n_total; when n is whole (a rounded answer) the second arm is rounded up as well.

    >>> totals(10, None, 1.25)
    {'n1': 10, 'n2': 13, 'n_total': 23}
    """
    first, second = sizes(n, n2, ratio)
    if first == int(first):
        second = round_up(second)
    return {"n1": first, "n2": second, "n_total": first + second}
