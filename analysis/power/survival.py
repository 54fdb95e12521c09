"""Time to an event (to a job, to the start of training): the log-rank test under exponential times."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange

__all__ = ["event_probability", "logrank", "logrank_events"]

EventsMethod = Literal["schoenfeld", "freedman"]

_EVENTS = {
    "schoenfeld": (
        "d = (z_a + z_b)² (1 + r)² / (r log(HR)²)",
        "Schoenfeld (1981)",
        lambda events, hr, r: abs(math.log(hr)) * math.sqrt(events * r) / (1 + r),
    ),
    "freedman": (
        "d = (z_a + z_b)² (1 + r HR)² / (r (1 - HR)²)",
        "Freedman (1982)",
        lambda events, hr, r: abs(1 - hr) * math.sqrt(events * r) / (1 + r * hr),
    ),
}


def logrank_events(
    *,
    hazard_ratio: float | None = None,
    events: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: EventsMethod = "schoenfeld",
) -> Result:
    """Events in total, power, smallest hazard ratio (above 1; its inverse is the one below) or level of the log-rank.

    `ratio` is treated over control. Source: Schoenfeld (1981); Freedman (1982).

    >>> round(logrank_events(hazard_ratio=0.75, power=0.8, alpha=0.025, sides=1).events, 2)
    379.35
    """
    checks.level(alpha, power, sides)
    checks.positive(hazard_ratio=hazard_ratio, ratio=ratio, events=events)
    checks.different("hazard_ratio", hazard_ratio, 1)
    checks.choice("method", method, _EVENTS)

    def ask(kind: str) -> Question:
        formula, source, shift = _EVENTS[kind]
        return Question(
            Method("log-rank, events", f"normal reference, {kind.capitalize()}", formula, source),
            {"events": events, "hazard_ratio": hazard_ratio, "power": power, "alpha": alpha},
            lambda events, hazard_ratio, alpha: tails.z_power(shift(events, hazard_ratio, ratio), alpha, sides, False),
            {"events": SizeRange(1), "hazard_ratio": EffectRange(1.0, scale=0.05)},
            None,
            {"ratio": ratio, "sides": sides},
        )

    return ask(method).answer(rivals=[ask(kind) for kind in _EVENTS if kind != method])


def event_probability(*, hazard: float, accrual: float, followup: float, dropout: float = 0.0) -> float:
    """Chance that a participant is seen to have the event, with uniform accrual and exponential times.

    `accrual` and `followup` (after the last entry) in one unit of time; `hazard` and `dropout` are hazards a unit.
    Source: Lachin & Foulkes (1986).

    >>> round(event_probability(hazard=0.05, accrual=12, followup=12), 4)
    0.5873
    """
    checks.positive(hazard=hazard)
    checks.at_least(0, accrual=accrual, followup=followup, dropout=dropout)
    if accrual + followup <= 0:
        raise ImpossibleRequest("followup", "without accrual or follow-up nobody can be seen to have the event")
    total = hazard + dropout
    if accrual == 0:
        surviving = math.exp(-total * followup)
    else:
        surviving = math.exp(-total * followup) * -math.expm1(-total * accrual) / (total * accrual)
    return hazard / total * (1 - surviving)


def logrank(
    *,
    hazard: float,
    hazard_ratio: float | None = None,
    accrual: float,
    followup: float,
    dropout: float = 0.0,
    n_total: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: Literal["schoenfeld", "freedman", "lachin_foulkes"] = "schoenfeld",
    direction: Literal["higher", "lower"] = "lower",
) -> Result:
    """Participants in total, power, smallest hazard ratio or level of a log-rank test.

    `hazard` is that of the control arm, `dropout` the hazard of loss, per unit of the time in which `accrual` and
    `followup` are expressed; a proportion s lost by time t is a hazard of -log(1 - s) / t. A median m is a hazard
    log(2) / m. "lachin_foulkes" compares hazard rates. Source: Schoenfeld (1981); Lachin & Foulkes (1986).

    >>> loss = -math.log(0.95) / 12
    >>> answer = logrank(hazard=0.05, hazard_ratio=0.75, accrual=12, followup=12, dropout=loss, power=0.8)
    >>> round(answer.n_total, 1), round(answer.events, 1)
    (730.7, 379.4)
    """
    checks.level(alpha, power, sides)
    checks.positive(hazard=hazard, hazard_ratio=hazard_ratio, ratio=ratio, n_total=n_total)
    checks.different("hazard_ratio", hazard_ratio, 1)
    checks.choice("method", method, (*_EVENTS, "lachin_foulkes"))

    def seen(rate: float) -> float:
        return event_probability(hazard=rate, accrual=accrual, followup=followup, dropout=dropout)

    def chance(hazard_ratio: float) -> float:
        return (seen(hazard) + ratio * seen(hazard * hazard_ratio)) / (1 + ratio)

    def ask(kind: str) -> Question:
        def power_of(n_total: float, hazard_ratio: float, alpha: float) -> float:
            if kind == "lachin_foulkes":
                return _lachin_foulkes(n_total, hazard, hazard_ratio, ratio, seen, tails.z_critical(alpha, sides))
            shift = _EVENTS[kind][2](n_total * chance(hazard_ratio), hazard_ratio, ratio)
            return tails.z_power(shift, alpha, sides, False)

        def details(n_total: float, hazard_ratio: float, **_: float) -> dict[str, float]:
            p = chance(hazard_ratio)
            return {"events": n_total * p, "event_probability": p, "n1": n_total / (1 + ratio)}

        formula, source = _EVENTS[kind][:2] if kind in _EVENTS else ("compares hazard rates", "Lachin & Foulkes (1986)")
        return Question(
            Method("log-rank", f"{kind}, exponential times, uniform accrual", f"{formula}; N = d / P(event)", source),
            {"n_total": n_total, "hazard_ratio": hazard_ratio, "power": power, "alpha": alpha},
            power_of,
            {
                "n_total": SizeRange(2),
                "hazard_ratio": EffectRange(1.0, math.inf if direction == "higher" else 0.0, 0.05),
            },
            details,
            {"hazard": hazard, "accrual": accrual, "followup": followup, "dropout": dropout, "ratio": ratio},
        )

    others = [kind for kind in (*_EVENTS, "lachin_foulkes") if kind != method]
    return ask(method).answer(rivals=[ask(kind) for kind in others])


def _lachin_foulkes(n_total: float, hazard: float, hr: float, ratio: float, seen, critical: float) -> float:
    share = ratio / (1 + ratio)
    other = hazard * hr
    mean = (1 - share) * hazard + share * other

    def variance(rate: float) -> float:
        return rate**2 / seen(rate)

    null = math.sqrt(variance(mean) * (1 / (1 - share) + 1 / share))
    alternative = math.sqrt(variance(hazard) / (1 - share) + variance(other) / share)
    return float(tails.special.ndtr((math.sqrt(n_total) * abs(hazard - other) - critical * null) / alternative))
