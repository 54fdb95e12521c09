"""Recruitment against the plan, and when the target will be reached at the present pace.

The forecast treats arrivals as a Poisson process whose rate is that of the last weeks: with k arrivals in w days and
Jeffreys' prior the rate is gamma(k + 1/2, w), so that the days until r more people satisfy T / (T + w) ~ beta(r,
k + 1/2). Its interval therefore carries both the unknown rate and the chance of the arrivals themselves.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from scipy.special import betaincinv

from dashboards import drawing
from dashboards.counts import count_note, withheld
from dashboards.disclosure import Rules
from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.format import Formatter
from dashboards.texts import Language, text

WINDOW = 28
"""Days over which the present pace is measured: whole weeks, so that weekends weigh alike."""
HORIZON = 3 * 365
"""Days beyond which a forecast says no more than "not within three years"."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the protocol plans: so many people between two days, evenly spread."""

    people: int
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.people < 1 or self.end <= self.start:
            raise FigureError("a recruitment plan needs people and a rising period", remedy="Check the protocol.")

    def by(self, day: date) -> float:
        """How many people the plan expects by the end of a day.

        >>> Target(100, date(2026, 1, 1), date(2026, 1, 11)).by(date(2026, 1, 6))
        50.0
        """
        passed = (day - self.start).days / (self.end - self.start).days
        return self.people * min(1.0, max(0.0, passed))


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the target is reached: the middle day and the days of an 80% interval; None is later than the horizon."""

    middle: date | None
    early: date | None
    late: date | None


def forecast(arrivals: Mapping[date, int], target: Target, today: date, *, window: int = WINDOW) -> Forecast:
    """When the target will be reached at the pace of the last `window` days (fewer when the pilot is younger).

    >>> steady = {date(2026, 1, 1) + timedelta(days=i): 5 for i in range(60)}
    >>> forecast(steady, Target(600, date(2026, 1, 1), date(2026, 5, 1)), date(2026, 3, 1)).middle
    datetime.date(2026, 4, 30)
    """
    done = sum(n for day, n in arrivals.items() if day <= today)
    left = target.people - done
    if left <= 0:
        days = sorted(day for day in arrivals if day <= today)
        totals = accumulate(arrivals[day] for day in days)
        reached = next(day for day, total in zip(days, totals, strict=True) if total >= target.people)
        return Forecast(reached, reached, reached)
    first = min((d for d, n in arrivals.items() if n), default=today)
    span = max(1, min(window, (today - min(first, target.start)).days + 1))
    recent = sum(n for day, n in arrivals.items() if today - timedelta(days=span) < day <= today)

    def reached_by(quantile: float) -> date | None:
        x = float(betaincinv(left, recent + 0.5, quantile))
        wait = math.inf if x >= 1 else span * x / (1 - x)
        return today + timedelta(days=math.ceil(wait)) if wait <= HORIZON else None

    return Forecast(reached_by(0.5), reached_by(0.1), reached_by(0.9))


def recruitment(
    arrivals: Mapping[date, int], target: Target, *, today: date, language: Language, rules: Rules | None = None,
    id: str = "recruitment",
) -> Figure:  # fmt: skip
    """People allocated so far against the plan. `arrivals` counts allocations per day, days without may be left out.

    Raises `FigureError` for negative counts or allocations after today.
    """
    if any(n < 0 for n in arrivals.values()):
        raise FigureError("a day has fewer than no people", remedy="Count allocations per day.")
    if any(day > today for day, n in arrivals.items() if n):
        raise FigureError("people are counted on a day after today", remedy="Check the clock that was handed in.")
    form = Formatter(language)
    start = min([target.start, *(d for d, n in arrivals.items() if n)])
    line = _Line(_cumulative(arrivals, start, today), target, forecast(arrivals, target, today), today, form, rules)
    return Figure(
        id=id,
        title=text("recruitment.title", language),
        sentence=line.sentence(),
        plotly=line.drawing(),
        table=line.table(),
        note=f"{text('recruitment.note', language)} {count_note(form, rules, [line.hides_some()])}",
        alt=text("recruitment.alt", language),
    )


def marks(start: date, today: date) -> list[date]:
    """The days of which the figure tells how many people there were: the start, every week after it, and today.

    >>> [day.day for day in marks(date(2026, 1, 1), date(2026, 1, 10))]
    [1, 8, 10]
    """
    days = [start + timedelta(days=7 * i) for i in range(max(0, (today - start).days) // 7 + 1)]
    return [*days, today] if today > days[-1] else days


def _cumulative(arrivals: Mapping[date, int], start: date, today: date) -> dict[date, int]:
    """People so far on each marked day."""
    days = sorted(d for d, n in arrivals.items() if n)
    totals = list(accumulate(arrivals[d] for d in days))
    return {mark: totals[i - 1] if (i := bisect_right(days, mark)) else 0 for mark in marks(start, today)}


@dataclass(frozen=True, slots=True)
class _Line:
    """People so far by day, with plan and forecast, said in three ways."""

    so_far: dict[date, int]
    target: Target
    expected: Forecast
    today: date
    form: Formatter
    rules: Rules | None

    def shown(self, day: date) -> int | None:
        count = self.so_far[day]
        if self.rules is None:
            return count
        return None if count and self.rules.too_small(count) else self.rules.rounded(count)

    def hides_some(self) -> bool:
        return any(self.shown(day) is None for day in self.so_far)

    def drawing(self) -> dict[str, Any]:
        form, language = self.form, self.form.language
        points = [(d, c) for d in self.so_far if (c := self.shown(d)) is not None]
        ends = [self.target.end, self.today, *(d for d in (self.expected.middle,) if d)]
        last = max(ends)
        x = drawing.date_axis(min(min(self.so_far), self.target.start), last, form)
        y = drawing.numeric_axis([0, self.target.people, *(c for _, c in points)], form.integer, count=4)
        plan_days = [self.target.start, self.target.end]
        plan = drawing.line(
            [drawing.day_number(d) for d in plan_days], [0, self.target.people],
            [self._hover(d, round(self.target.by(d))) for d in plan_days],
            series=4, name=text("recruitment.plan", language), dash="dash",
        )  # fmt: skip
        actual = drawing.line(
            [drawing.day_number(d) for d, _ in points], [c for _, c in points], [self._hover(d, c) for d, c in points],
            name=text("recruitment.actual", language),
        )  # fmt: skip
        traces = [plan, actual]
        now, middle = self.shown(self.today), self.expected.middle
        if now is not None and middle is not None and middle > self.today:
            ahead = [(self.today, now), (middle, self.target.people)]
            traces.append(
                drawing.line(
                    [drawing.day_number(d) for d, _ in ahead], [c for _, c in ahead],
                    [self._hover(d, c) for d, c in ahead], name=text("recruitment.forecast", language), dash="dot",
                )
            )  # fmt: skip
        return drawing.plot(traces, x, y, height=260)

    def _hover(self, day: date, count: int) -> str:
        return f"{self.form.date(day)}: {self.form.integer(count)}"

    def table(self) -> Table:
        language, form = self.form.language, self.form
        rows = []
        for day in self.so_far:
            count = self.shown(day)
            planned = round(self.target.by(day))
            cell = withheld(form) if count is None else Number(form.integer(count), count)
            rows.append((form.date(day), cell, Number(form.integer(planned), planned)))
        columns = tuple(text(f"recruitment.{key}", language) for key in ("day", "actual", "plan"))
        return Table(columns, tuple(rows), text("recruitment.caption", language))

    def sentence(self) -> str:
        language, form = self.form.language, self.form
        now = self.shown(self.today)
        if now is None:
            return text("recruitment.sentence_small", language, target=form.integer(self.target.people))
        planned = round(self.target.by(self.today))
        said = text(
            "recruitment.sentence", language, count=form.integer(now), target=form.integer(self.target.people),
            planned=form.integer(planned),
        )  # fmt: skip
        return f"{said} {self._outlook(now)}"

    def _outlook(self, now: int) -> str:
        language, form, ahead = self.form.language, self.form, self.expected
        if now >= self.target.people or (ahead.middle is not None and ahead.middle <= self.today):
            return text("recruitment.reached", language)
        if ahead.middle is None:
            return text("recruitment.not_soon", language)
        if ahead.early is None or ahead.late is None:
            return text("recruitment.open_ended", language, day=form.date(ahead.middle))
        return text(
            "recruitment.outlook", language, day=form.date(ahead.middle), early=form.date(ahead.early),
            late=form.date(ahead.late),
        )  # fmt: skip
