"""Time to an event (to a job, to the start of training): the log-rank test under exponential times."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from analysis.power import checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["cox_regression", "event_probability", "logrank", "logrank_events"]

EventsMethod = Literal["schoenfeld", "freedman"]

_EVENTS = {
    "schoenfeld": (
        "d = (z_a + z_b)² (1 + r)² / (r log(HR)²)",
        "Schoenfeld (1981)",
        lambda events, hr, null, r: abs(math.log(hr / null)) * math.sqrt(events * r) / (1 + r),
    ),
    "freedman": (
        "d = (z_a + z_b)² (1 + r HR)² / (r (1 - HR)²)",
        "Freedman (1982)",
        lambda events, hr, null, r: abs(null - hr) * math.sqrt(events * r) / (null + r * hr),
    ),
}


@asked
def logrank_events(
    *,
    hazard_ratio: float | None = None,
    events: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: EventsMethod = "schoenfeld",
    null: float = 1.0,
    direction: Literal["higher", "lower"] = "higher",
) -> Result:
    """Events in total, power, smallest hazard ratio or level of the log-rank test.

    `ratio` is treated over control. A hazard ratio is sought above `null`, or below it with `direction="lower"`.
    `null` is the hazard ratio of the null hypothesis: a margin such as 1.3 with `sides=1` asks for non-inferiority
    (Schoenfeld's formula only). Only rejections in the wanted direction count.
    Source: Schoenfeld (1981); Freedman (1982).

    >>> round(logrank_events(hazard_ratio=0.75, power=0.8, alpha=0.025, sides=1).events, 2)
    379.35
    """
    checks.level(alpha, power, sides)
    checks.positive(hazard_ratio=hazard_ratio, ratio=ratio, events=events, null=null)
    checks.different("hazard_ratio", hazard_ratio, null)
    checks.choice("method", method, _EVENTS if null == 1 else ("schoenfeld",))
    checks.choice("direction", direction, ("higher", "lower"))

    def ask(kind: str) -> Question:
        formula, source, shift = _EVENTS[kind]
        return Question(
            Method("log-rank, events", f"normal reference, {kind.capitalize()}", formula, source),
            {"events": events, "hazard_ratio": hazard_ratio, "power": power, "alpha": alpha},
            lambda events, hazard_ratio, alpha: tails.z_power(
                shift(events, hazard_ratio, null, ratio), alpha, sides, False
            ),
            {"events": SizeRange(1), "hazard_ratio": _hazard_ratios(null, direction)},
            None,
            {"ratio": ratio, "null": null, "sides": sides},
        )

    return ask(method).answer(rivals=[ask(kind) for kind in _EVENTS if kind != method and null == 1])


def _hazard_ratios(null: float, direction: str) -> EffectRange:
    return EffectRange(null, math.inf if direction == "higher" else 0.0, 0.05 * null)


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


@asked
def cox_regression(
    *,
    hazard_ratio: float | None = None,
    sd_x: float = 0.5,
    r2: float = 0.0,
    event_share: float = 1.0,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    direction: Literal["higher", "lower"] = "higher",
) -> Result:
    """Size, power, smallest hazard ratio or level of the test of one predictor in Cox regression.

    `hazard_ratio` is for one unit of a predictor with standard deviation `sd_x` (0.5: two arms of equal size), of which
    the others explain `r2`; `event_share` is the share of people seen to have the event. Only rejections in the wanted
    direction count. Source: Hsieh & Lavori (2000); Schoenfeld (1983).

    >>> round(cox_regression(hazard_ratio=2.7183, sd_x=0.3126, event_share=0.738, r2=0.1837, power=0.8, sides=1).n, 2)
    105.02
    """
    checks.level(alpha, power, sides)
    checks.positive(hazard_ratio=hazard_ratio, sd_x=sd_x, n=n)
    checks.different("hazard_ratio", hazard_ratio, 1)
    checks.loading(r2=r2)
    checks.between("event_share", event_share, 1e-9, 1)
    checks.choice("direction", direction, ("higher", "lower"))

    def power_of(n: float, hazard_ratio: float, alpha: float) -> float:
        shift = math.log(hazard_ratio) * sd_x * math.sqrt(n * event_share * (1 - r2))
        return tails.z_power(shift, alpha, sides, False)

    return Question(
        Method(
            "Cox regression",
            "normal reference, variance of the null",
            "n = (z_a + z_b)² / (log(HR)² sd_x² (1 - R²) P(event))",
            "Hsieh & Lavori (2000); Schoenfeld (1983)",
        ),
        {"n": n, "hazard_ratio": hazard_ratio, "power": power, "alpha": alpha},
        power_of,
        {"n": SizeRange(2), "hazard_ratio": _hazard_ratios(1.0, direction)},
        lambda n, **_: {"events": n * event_share},
        {"sd_x": sd_x, "r2": r2, "event_share": event_share, "sides": sides},
    ).answer()


@asked
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
    method: Literal["schoenfeld", "freedman", "lachin_foulkes", "lachin_foulkes_ratio", "hazards"] = "schoenfeld",
    direction: Literal["higher", "lower"] = "lower",
    null: float = 1.0,
) -> Result:
    """Participants in total, power, smallest hazard ratio or level of a log-rank test.

    `hazard` is that of the control arm, `dropout` the hazard of loss, per unit of the time in which `accrual` and
    `followup` are expressed; a proportion s lost by time t is a hazard of -log(1 - s) / t. A median m is a hazard
    log(2) / m. `null` is the hazard ratio of the null hypothesis (a margin, with `sides=1`, for non-inferiority;
    Schoenfeld's formula only). "lachin_foulkes" compares hazard rates, pooled under the null, "lachin_foulkes_ratio"
    their logarithms; "hazards" compares the rates with the variance of the alternative throughout.
    Source: Schoenfeld (1981); Lachin & Foulkes (1986); Chow, Shao & Wang (2008) §7.2 for "hazards".

    >>> loss = -math.log(0.95) / 12
    >>> answer = logrank(hazard=0.05, hazard_ratio=0.75, accrual=12, followup=12, dropout=loss, power=0.8)
    >>> round(answer.n_total, 1), round(answer.events, 1)
    (730.7, 379.4)
    """
    checks.level(alpha, power, sides)
    checks.positive(hazard=hazard, hazard_ratio=hazard_ratio, ratio=ratio, n_total=n_total, null=null)
    checks.different("hazard_ratio", hazard_ratio, null)
    checks.choice("method", method, (*_EVENTS, *_RATES) if null == 1 else ("schoenfeld",))
    checks.choice("direction", direction, ("higher", "lower"))

    def seen(rate: float) -> float:
        return event_probability(hazard=rate, accrual=accrual, followup=followup, dropout=dropout)

    def chance(hazard_ratio: float) -> float:
        return (seen(hazard) + ratio * seen(hazard * hazard_ratio)) / (1 + ratio)

    def ask(kind: str) -> Question:
        def power_of(n_total: float, hazard_ratio: float, alpha: float) -> float:
            if kind in _RATES:
                critical = tails.z_critical(alpha, sides)
                return _compare_rates(n_total, (hazard, hazard_ratio), ratio, seen, critical, kind)
            shift = _EVENTS[kind][2](n_total * chance(hazard_ratio), hazard_ratio, null, ratio)
            return tails.z_power(shift, alpha, sides, False)

        def details(n_total: float, hazard_ratio: float, **_: float) -> dict[str, float]:
            p = chance(hazard_ratio)
            first = n_total / (1 + ratio)
            return {"events": n_total * p, "event_probability": p, "n1": first, "n2": n_total - first}

        formula, source = _EVENTS[kind][:2] if kind in _EVENTS else _RATES[kind]
        return Question(
            Method("log-rank", f"{kind}, exponential times, uniform accrual", f"{formula}; N = d / P(event)", source),
            {"n_total": n_total, "hazard_ratio": hazard_ratio, "power": power, "alpha": alpha},
            power_of,
            {
                "n_total": SizeRange(2),
                "hazard_ratio": _hazard_ratios(null, direction),
            },
            details,
            {
                "hazard": hazard,
                "accrual": accrual,
                "followup": followup,
                "dropout": dropout,
                "ratio": ratio,
                "null": null,
                "sides": sides,
            },
        )

    others = [kind for kind in (*_EVENTS, *_RATES) if kind != method] if null == 1 else []
    return ask(method).answer(rivals=[ask(kind) for kind in others])


_RATES = {
    "lachin_foulkes": (
        "N = (z_a sqrt(v(mean)(1/Q1 + 1/Q2)) + z_b sqrt(v1/Q1 + v2/Q2))² / (h1 - h2)², v = h² / P(event)",
        "Lachin & Foulkes (1986)",
    ),
    "lachin_foulkes_ratio": (
        "N = (z_a sqrt((1/Q1 + 1/Q2)/p(mean)) + z_b sqrt(1/(Q1 p1) + 1/(Q2 p2)))² / log(h2/h1)², p = P(event)",
        "Lachin & Foulkes (1986) §2.5; R gsDesign nSurvival",
    ),
    "hazards": ("N = (z_a + z_b)² (v1/Q1 + v2/Q2) / (h1 - h2)², v = h² / P(event)", "Chow, Shao & Wang (2008) §7.2.1"),
}


def _compare_rates(
    n_total: float,
    hazards: tuple[float, float],
    ratio: float,
    seen: Callable[[float], float],
    critical: float,
    kind: str,
) -> float:
    share = ratio / (1 + ratio)
    hazard, other = hazards[0], hazards[0] * hazards[1]
    mean = (1 - share) * hazard + share * other
    logs = kind == "lachin_foulkes_ratio"

    def variance(rate: float) -> float:
        return (1.0 if logs else rate**2) / seen(rate)

    alternative = math.sqrt(variance(hazard) / (1 - share) + variance(other) / share)
    pooled = math.sqrt(variance(mean) * (1 / (1 - share) + 1 / share))
    gap = abs(math.log(hazards[1])) if logs else abs(hazard - other)
    null = alternative if kind == "hazards" else pooled
    return float(tails.special.ndtr((math.sqrt(n_total) * gap - critical * null) / alternative))
