"""What a budget buys: the power of the cheapest allocation at rising budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboards import drawing
from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.format import Formatter
from dashboards.texts import Language, text


@dataclass(frozen=True, slots=True)
class Bought:
    """One budget in euros: the power it buys, and the people to recruit by arm (readers' names)."""

    budget: float
    power: float
    people: Mapping[str, int]


def frontier(
    points: Sequence[Bought], *, language: Language, target: float = 0.8, budget: float | None = None,
    id: str = "frontier",
) -> Figure:  # fmt: skip
    """Power against budget, with the power aimed at and, if it is known, the budget that there is.

    >>> points = [Bought(1e6, 0.4, {"portal": 900}), Bought(2e6, 0.82, {"portal": 1800})]
    >>> frontier(points, language="en").sentence
    '80% power costs about €2,000,000 or less.'
    """
    if len(points) < 2 or any(b.budget <= a.budget for a, b in pairwise(points)):
        raise FigureError("a frontier needs two or more rising budgets", remedy="Sort them.")
    form = Formatter(language)
    enough = next((point for point in points if point.power >= target), None)
    x = drawing.numeric_axis([p.budget for p in points], form.money, title=text("frontier.axis", language), count=4)
    y = drawing.Axis(0, 1, tuple((v, form.percent(v)) for v in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)))
    hover = [f"{form.money(p.budget)}: {form.percent(p.power, 1)}" for p in points]
    shapes = [drawing.level_line(target, x.low, x.high)]
    if budget is not None and x.low <= budget <= x.high:
        shapes.append(drawing.upright(budget, 1, 0, dash="dash"))
    key = "frontier.sentence" if enough else "frontier.not_reached"
    most = (enough or points[-1]).budget
    return Figure(
        id=id,
        title=text("frontier.title", language),
        sentence=text(key, language, power=form.percent(target), budget=form.money(most)),
        plotly=drawing.plot([drawing.line([p.budget for p in points], [p.power for p in points], hover)], x, y,
                            height=280, shapes=shapes),
        table=_table(points, form),
        note=text("frontier.note", language, budget=form.money(budget)) if budget is not None else "",
        alt=text("frontier.alt", language),
    )  # fmt: skip


def _table(points: Sequence[Bought], form: Formatter) -> Table:
    arms = tuple(dict.fromkeys(name for point in points for name in point.people))
    columns = (text("frontier.axis", form.language), text("power.power", form.language), *arms)
    rows = tuple(
        (
            Number(form.money(p.budget), p.budget),
            Number(form.percent(p.power, 1), p.power),
            *(Number(form.integer(p.people.get(arm, 0)), p.people.get(arm, 0)) for arm in arms),
        )
        for p in points
    )
    return Table(columns, rows, text("frontier.caption", form.language))
