"""Will we have enough people in time? Enrolment as a Poisson process whose rate is itself uncertain."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from analysis.planning.section import Assumption
from analysis.power.errors import ImpossibleRequest

__all__ = ["Forecast", "forecast"]

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Forecast:
    """Enrolment by the deadline: expected, a 90% interval, the chance of reaching the target, weeks to be 90% sure."""

    target: int
    weeks: int
    expected: float
    low: int
    high: int
    chance: float
    weeks_expected: float
    weeks_sure: int | None
    by_week: tuple[tuple[int, float, int, int], ...]


def forecast(per_week: Assumption, weeks: int, target: int) -> Forecast:
    """Forecast from a weekly rate whose range is read as a 95% interval of a gamma distribution.

    Counts are then negative binomial. Source: Anisimov & Fedorov (2007).

    >>> rate = Assumption(value=100, range=(80, 120), source="illustration")
    >>> round(forecast(rate, weeks=52, target=5000).chance, 2)
    0.64
    """
    if target < 1:
        raise ImpossibleRequest("target", f"must be at least one person, not {target}")
    if weeks < 1:
        raise ImpossibleRequest("weeks", f"must be at least one week, not {weeks}")
    sd = max((per_week.range[1] - per_week.range[0]) / (2 * _Z), 1e-6 * per_week.value)
    shape = (per_week.value / sd) ** 2

    def counts(week: int):
        mean = per_week.value * week
        return stats.nbinom(shape, shape / (shape + mean))

    def reached(week: int) -> float:
        return float(counts(week).sf(target - 1))

    rows = tuple(
        (w, per_week.value * w, int(counts(w).ppf(0.05)), int(counts(w).ppf(0.95))) for w in range(1, weeks + 1)
    )
    last = counts(weeks)
    return Forecast(
        target,
        weeks,
        per_week.value * weeks,
        int(last.ppf(0.05)),
        int(last.ppf(0.95)),
        reached(weeks),
        target / per_week.value,
        _first_week(reached, target / per_week.value),
        rows,
    )


def _first_week(reached, expected: float) -> int | None:
    low, high = 1, max(2, round(expected * 20))
    if reached(high) < 0.9:
        return None
    while low < high:
        middle = (low + high) // 2
        if reached(middle) >= 0.9:
            high = middle
        else:
            low = middle + 1
    return low
