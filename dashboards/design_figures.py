"""The figures of a design document: the chain of factors, power, what the answer hangs on, money, and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from analysis.planning.model import FULL
from analysis.power.errors import PowerError
from dashboards import drawing
from dashboards.design_terms import Terms
from dashboards.figure import Figure, Number, Table
from dashboards.format import NARROW
from dashboards.power_curve import Curve, power_curve

if TYPE_CHECKING:
    from analysis.planning import Allocation, Bar, Forecast, Grid, Size

CURVE_POINTS = 24
TABLE_ROWS = 8
MOST_SWING = 8
"""How many times the planned number the axis of a tornado covers: one hopeless end must not press the others flat."""


def chain(size: Size, terms: Terms) -> Figure:
    """From the textbook number to the number to recruit, one factor after the other; those that change nothing wait in
    the table."""
    form, say = terms.form, terms.say
    steps = [s for s in size.chain if s.name == "textbook" or (abs(s.factor - 1) > 1e-9 and s.name != "rounding")]
    labels = tuple(
        say("chain.first", what=say(f"chain.{s.name}"), n=form.integer(s.n))
        if s.name == "textbook"
        else say("chain.row", what=say(f"chain.{s.name}"), factor=form.decimal(s.factor, 2), n=form.integer(s.n))
        for s in steps
    )
    rows = drawing.Rows(labels)
    x = drawing.numeric_axis([0, *(s.n for s in steps)], form.integer, title=say("people_per_group"))
    bars = drawing.bars([s.n for s in steps], [rows.at(i) for i in range(len(steps))], labels)
    cells = tuple(
        (
            say(f"chain.{s.name}"),
            Number(form.decimal(s.factor, 3), s.factor),
            Number(form.decimal(s.n, 1), s.n),
            say(f"why.{s.name}"),
        )
        for s in size.chain
    )
    heads = tuple(say(f"chain.head_{key}") for key in ("step", "factor", "n", "why"))
    return Figure(
        id="chain",
        title=say("chain.title"),
        sentence=say("chain.sentence", first=form.integer(size.chain[0].n), last=form.integer(size.recruited)),
        plotly=drawing.plot([bars], x, rows.axis(), height=rows.height, annotations=rows.annotations()),
        table=Table(heads, cells, say("chain.caption")),
        note=say("chain.note"),
        alt=say("chain.alt", count=form.integer(len(steps))),
    )


def curves(size: Size, terms: Terms, *, source: str = "") -> Figure:
    """Power against people recruited a group, at the assumed effect and at both ends of its range."""
    plan = terms.plan
    name = f"outcomes.{size.outcome}.effect"
    effect = plan.model(size.outcome).outcome.effect
    found: dict[str, Any] = {}
    for value in sorted({*effect.range, effect.value}):
        if value != 0 and value * effect.value > 0:
            found[terms.value(name, value)] = plan.replace(name, value)
    top = max(2.2 * size.recruited, 20)
    exact = {size.recruited, *(n for p in found.values() if (n := _recruited(p)) is not None and n <= top)}
    people = sorted({max(3, round(top * (i + 1) / CURVE_POINTS)) for i in range(CURVE_POINTS)} | exact)
    lines = [Curve(label, tuple(people), tuple(_powers(p, people)), error=()) for label, p in found.items()]
    figure = power_curve(
        lines, language=terms.language, target=plan.section.power, planned=size.recruited, source=source
    )
    kept = {*people[:: max(1, len(people) // TABLE_ROWS)], *exact}
    rows = tuple(row for row, n in zip(figure.table.rows, people, strict=True) if n in kept)
    columns = (terms.say("recruits_per_group"), *figure.table.columns[1:])
    axis = {**figure.plotly["layout"]["xaxis"], "title": {"text": terms.say("recruits_per_group"), "standoff": 8}}
    plotly = {**figure.plotly, "layout": {**figure.plotly["layout"], "xaxis": axis}}
    return replace(figure, table=Table(columns, rows, figure.table.caption), plotly=plotly)


def _recruited(plan: Any) -> int | None:
    try:
        return plan.n().recruited
    except PowerError:
        return None


def _powers(plan: Any, people: Sequence[int]) -> list[float]:
    return [plan.power(n, recruited=True) for n in people]


def tornado(bars: Sequence[Bar], size: Size, terms: Terms) -> Figure:
    """People to recruit a group with each assumption at either end of its range."""
    form, say = terms.form, terms.say
    moving = [bar for bar in bars if bar.swing > 0]
    labels = tuple(
        say("tornado.row", what=terms.assumption(bar.name), low=_end(bar.name, bar.low, bar.recruited_low, terms),
            high=_end(bar.name, bar.high, bar.recruited_high, terms))
        for bar in moving
    )  # fmt: skip
    ends = [[n for n in (bar.recruited_low, bar.recruited_high) if n is not None] for bar in moving]
    most = MOST_SWING * size.recruited
    x = drawing.numeric_axis([0, size.recruited, *(min(n, most) for e in ends for n in e)], form.integer,
                             title=say("recruits_per_group"))  # fmt: skip
    rows = drawing.Rows(labels)
    low = [min([*e, size.recruited]) for e in ends]
    # An end without an answer, or far beyond the others, runs to the edge of the drawing; its label says so.
    high = [min(max([*e, size.recruited]), x.high) if len(e) == 2 else x.high for e in ends]
    traces = [drawing.bars([h - l for l, h in zip(low, high, strict=True)], [rows.at(i) for i in range(len(moving))],
                           labels, base=low)] if moving else []  # fmt: skip
    heads = (say("register.what"), *(say(f"tornado.{key}") for key in ("low", "n_low", "high", "n_high")))
    cells = tuple(
        (terms.assumption(b.name), terms.value(b.name, b.low), _cell(b.recruited_low, terms),
         terms.value(b.name, b.high), _cell(b.recruited_high, terms))
        for b in bars
    )  # fmt: skip
    shapes = [drawing.upright(size.recruited, 0, rows.height, dash="dash")]
    drawn = drawing.plot(traces, x, rows.axis(), height=rows.height, annotations=rows.annotations(), shapes=shapes)
    return Figure(
        id="tornado",
        title=say("tornado.title"),
        sentence=say("tornado.sentence", n=form.integer(size.recruited)) if moving else say("tornado.none"),
        plotly=drawn if moving else {},
        table=Table(heads, cells, say("tornado.caption")),
        note=say("tornado.note"),
        alt=say("tornado.alt", count=form.integer(len(moving))),
    )


def _end(name: str, value: float, count: int | None, terms: Terms) -> str:
    """One end of a range and the people at it, kept together on one line."""
    return f"{terms.value(name, value)} → {_people(count, terms)}".replace(" ", NARROW)


def _people(count: int | None, terms: Terms) -> str:
    return terms.say("none_suffices") if count is None else terms.form.integer(count)


def _cell(count: int | None, terms: Terms) -> Number:
    return Number(_people(count, terms), count)


def grid(found: Grid, terms: Terms) -> Figure:
    """People to recruit a group over the values of two assumptions; a table, since every cell is read."""
    say, form = terms.say, terms.form
    (down, downs), (across, acrosses) = found.axes
    heads = (terms.assumption(down), *(terms.value(across, v) for v in acrosses))
    rows = tuple(
        (terms.value(down, value), *(_cell(n, terms) for n in row))
        for value, row in zip(downs, found.recruited, strict=True)
    )
    known = [n for row in found.recruited for n in row if n is not None]
    sentence = say("grid.sentence", low=form.integer(min(known)), high=form.integer(max(known)))
    caption = say("grid.caption", down=terms.assumption(down), across=terms.assumption(across))
    return Figure("grid", say("grid.title"), sentence, {}, Table(heads, rows, caption), note=say("grid.note"))


def frontier(found: Sequence[tuple[float, Allocation]], outcome: str, terms: Terms) -> Figure:
    """Power for money: the best division over the groups at each budget, and that of the plan."""
    say, form, plan = terms.say, terms.form, terms.plan
    budgets = [budget for budget, _ in found]
    best = [allocation.power for _, allocation in found]
    equal = [allocation.equal_power or 0.0 for _, allocation in found]
    x = drawing.numeric_axis(budgets, form.money, title=say("frontier.axis"), count=4)
    y = drawing.Axis(0, 1, tuple((v, form.percent(v)) for v in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)))
    hover = [f"{form.money(b)}: {form.percent(p)}" for b, p in zip(budgets, best, strict=True)]
    also = [f"{form.money(b)}: {form.percent(p)}" for b, p in zip(budgets, equal, strict=True)]
    traces = [
        drawing.line(budgets, best, hover, series=0, name=say("frontier.best")),
        drawing.line(budgets, equal, also, series=1, name=say("frontier.planned")),
    ]
    arms = [arm.name for arm in plan.section.arms]
    heads = (say("frontier.budget"), *map(terms.name, arms), say("frontier.power"), say("frontier.power_planned"),
             say("frontier.mde"))  # fmt: skip
    effect = min((abs(c.effect) for c in _comparisons(plan, outcome)), default=0.0)
    rows = tuple(
        (
            Number(form.money(budget), budget),
            *(Number(form.integer(a.recruited[name]), a.recruited[name]) for name in arms),
            Number(form.percent(a.power, 1), a.power),
            Number(form.percent(a.equal_power or 0.0, 1), a.equal_power),
            say("none_suffices") if a.multiple is None else terms.difference(outcome, effect * a.multiple),
        )
        for budget, a in found
    )
    shapes = [drawing.level_line(plan.section.power, x.low, x.high)]
    note, budget = say("frontier.note"), plan.section.budget
    if budget is not None and x.low <= budget <= x.high:
        shapes.append(drawing.upright(budget, 1, 0, dash="dash"))
        note = f"{note} {say('frontier.upright', budget=form.money(budget))}"
    return Figure(
        id="frontier",
        title=say("frontier.title"),
        sentence=_frontier_sentence(found, terms),
        plotly=drawing.plot(traces, x, y, height=260, shapes=shapes),
        table=Table(heads, rows, say("frontier.caption")),
        note=note,
        alt=say("frontier.alt"),
    )


def _comparisons(plan: Any, outcome: str) -> list[Any]:

    model = plan.model(outcome)
    return [model.comparison(pair, model.sizes(1000), FULL, 1.0) for pair in model.pairs()]


def _frontier_sentence(found: Sequence[tuple[float, Allocation]], terms: Terms) -> str:
    form, target = terms.form, terms.plan.section.power
    reached = next((budget for budget, a in found if a.power >= target), None)
    if reached is None:
        return terms.say("frontier.not_reached", budget=form.money(found[-1][0]), power=form.percent(target))
    return terms.say("frontier.reached", budget=form.money(reached), power=form.percent(target))


def forecast(found: Forecast, terms: Terms) -> Figure:
    """People enrolled week by week, with the interval that holds nine times out of ten."""
    say, form = terms.say, terms.form
    weeks = [0, *(w for w, *_ in found.by_week)]
    series: Mapping[str, list[float]] = {
        "expected": [0, *(m for _, m, _, _ in found.by_week)],
        "low": [0, *(low for *_, low, _ in found.by_week)],
        "high": [0, *(high for *_, high in found.by_week)],
    }
    x = drawing.numeric_axis(weeks, form.integer, title=say("forecast.week"))
    y = drawing.numeric_axis([0, found.target, *series["high"]], form.integer, count=4)
    traces = [
        drawing.line(weeks, values, [say("forecast.hover", week=form.integer(w), n=form.integer(v))
                                     for w, v in zip(weeks, values, strict=True)],
                     series=i, name=say(f"forecast.{key}"))
        for i, (key, values) in enumerate(series.items())
    ]  # fmt: skip
    step = max(1, len(found.by_week) // TABLE_ROWS)
    kept = [row for row in found.by_week if row[0] % step == 0 or row[0] == found.weeks]
    rows = tuple(
        (Number(form.integer(w), w), Number(form.integer(m), m), Number(form.integer(low), low),
         Number(form.integer(high), high))
        for w, m, low, high in kept
    )  # fmt: skip
    heads = (say("forecast.week"), say("forecast.expected"), say("forecast.low"), say("forecast.high"))
    return Figure(
        id="forecast",
        title=say("forecast.title"),
        sentence=forecast_sentence(found, terms),
        plotly=drawing.plot(traces, x, y, height=260, shapes=[drawing.level_line(found.target, x.low, x.high)]),
        table=Table(heads, rows, say("forecast.caption")),
        note=say("forecast.note"),
        source="Anisimov & Fedorov (2007)",
        alt=say("forecast.alt"),
    )


def forecast_sentence(found: Forecast, terms: Terms) -> str:
    """Whether there will be enough people in time."""
    say, form = terms.say, terms.form
    said = say(
        "forecast.sentence", weeks=form.integer(found.weeks), expected=form.integer(found.expected),
        low=form.integer(found.low), high=form.integer(found.high), target=form.integer(found.target),
        chance=form.percent(found.chance),
    )  # fmt: skip
    if found.weeks_sure is None:
        return f"{said} {say('forecast.never_sure')}"
    return f"{said} {say('forecast.sure', weeks=form.integer(found.weeks_sure))}"
