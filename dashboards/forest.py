"""The forest plot: effects with their intervals, one below the other, against the line of no effect."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dashboards import drawing
from dashboards.counts import count_note, shown
from dashboards.disclosure import Rules
from dashboards.effects import Effect, Pooled
from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.format import Formatter, Unit, writer
from dashboards.masking import Look
from dashboards.texts import Language, text


def forest(
    effects: Sequence[Effect], *, look: Look, language: Language,
    pooled: Sequence[Pooled] = (), rules: Rules | None = None, title: str = "", id: str = "effects",
) -> Figure:  # fmt: skip
    """Effects in one unit. Under a masked look `effects` is never read: the pooled outcomes stand in its place.

    With `rules` numbers of people are public, and effects of too few people or degrees of freedom are withheld.
    Raises `FigureError` for effects in different units or at different levels: these do not share an axis.

    >>> from datetime import date
    >>> effect = Effect("Advice against portal", 0.083, 0.041, 0.125, n=1200)
    >>> figure = forest([effect], look=Look.opened("final", date(2027, 3, 1)), language="en")
    >>> figure.table.rows[0][1].text
    '8.3'
    >>> forest([effect], look=Look.masked(), pooled=[Pooled("Started training", 0.23, 1800)], language="en").plotly
    {}
    """
    if not look.is_open:
        return _masked(pooled, rules, look=look, language=language, title=title, id=id)
    given = len(effects)
    effects = [e for e in effects if rules is None or not (rules.too_small(e.n) or e.df < rules.residual_df)]
    if not effects:
        why = "there are no effects to show" if not given else "every effect is of too few people to be shown"
        raise FigureError(why, remedy="Leave the figure out.")
    units, levels = {e.unit for e in effects}, {e.level for e in effects}
    if len(units) > 1 or len(levels) > 1:
        raise FigureError("effects in different units or at different levels share no axis", remedy="Draw one each.")
    unit, level, form = effects[0].unit, effects[0].level, Formatter(language)
    return Figure(
        id=id,
        title=title or text("forest.title", language),
        sentence=_sentence(effects, language),
        plotly=_drawing(effects, unit, form),
        table=_table(effects, unit, form, rules),
        note=" ".join([_note(effects, form, level), *_public_note(len(effects) < given, form, rules)]),
        source="; ".join(dict.fromkeys(e.source for e in effects if e.source)),
        alt=text("forest.alt", language, count=form.integer(len(effects))),
    )


def effect_axis_title(unit: Unit, language: Language) -> str:
    """What the horizontal axis of effects in this unit counts."""
    return text(f"effect.axis.{unit}", language)


def _drawing(effects: Sequence[Effect], unit: Unit, form: Formatter) -> dict:
    rows = drawing.Rows(tuple(e.label for e in effects))
    write = writer(unit, form, difference=True)
    place = math.log if unit == "ratio" else float
    ends = [v for e in effects for v in (e.low, e.high, e.value, e.null)]
    title = effect_axis_title(unit, form.language)
    if unit == "ratio":
        axis = drawing.log_axis(ends, write, title=title)
    else:
        axis = drawing.numeric_axis(ends, writer(unit, form, difference=True, digits=_digits(ends, unit)), title=title)
    hover = [f"{e.label}: {write(e.value)} ({form.between(e.low, e.high, write)})" for e in effects]
    trace = drawing.points(
        [place(e.value) for e in effects],
        [rows.at(i) for i in range(len(effects))],
        hover,
        low=[_inside(e.low, axis, unit) for e in effects],
        high=[_inside(e.high, axis, unit) for e in effects],
    )
    zero = drawing.upright(place(effects[0].null), 0, rows.height)
    return drawing.plot([trace], axis, rows.axis(), height=rows.height, annotations=rows.annotations(), shapes=[zero])


def _digits(ends: Sequence[float], unit: Unit) -> int | None:
    """Decimals of the ticks: whole points or euros unless the axis is narrow."""
    finite = [v for v in ends if math.isfinite(v)]
    span = max(finite) - min(finite)
    if unit == "share":
        return 0 if span > 0.05 else 1
    return 0 if unit == "money" and span > 5 else None


def _inside(end: float, axis: drawing.Axis, unit: Unit) -> float:
    """An interval's end on the axis; an open one reaches beyond the edge, so that it is drawn as leaving the chart."""
    if unit == "ratio":
        end = math.log(end) if end > 0 else -math.inf
    if math.isfinite(end):
        return end
    beyond = 0.05 * (axis.high - axis.low)
    return axis.low - beyond if end < 0 else axis.high + beyond


def _table(effects: Sequence[Effect], unit: Unit, form: Formatter, rules: Rules | None) -> Table:
    language = form.language
    write = writer(unit, form, difference=True)
    columns = (
        text("forest.contrast", language),
        effect_axis_title(unit, language),
        text("forest.low", language),
        text("forest.high", language),
        text("common.n", language),
        text("forest.reading", language),
    )
    rows = tuple(
        (
            e.label,
            Number(write(e.value), e.value),
            Number(write(e.low), _finite(e.low)),
            Number(write(e.high), _finite(e.high)),
            shown(e.n, form, rules),
            text(_reading(e), language),
        )
        for e in effects
    )
    return Table(columns, rows, text("forest.caption", language))


def _reading(effect: Effect) -> str:
    if not effect.clear:
        return "reading.unclear"
    return "reading.higher" if effect.value > effect.null else "reading.lower"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _sentence(effects: Sequence[Effect], language: Language) -> str:
    groups = {key: [e.label for e in effects if _reading(e) == key] for key in dict.fromkeys(map(_reading, effects))}
    return " ".join(text(f"forest.{key}", language, labels="; ".join(labels)) for key, labels in groups.items())


def _note(effects: Sequence[Effect], form: Formatter, level: float) -> str:
    language = form.language
    conventions = ", ".join(dict.fromkeys(e.convention for e in effects if e.convention))
    parts = [text("forest.note", language, level=form.level(level))]
    if conventions:
        parts.append(text("common.convention", language, convention=conventions))
    if any(math.isinf(e.low) or math.isinf(e.high) for e in effects):
        parts.append(text("forest.open_end", language))
    return " ".join(parts)


def _public_note(some_withheld: bool, form: Formatter, rules: Rules | None) -> list[str]:
    return [] if rules is None else [count_note(form, rules, [some_withheld])]


def _masked(
    pooled: Sequence[Pooled], rules: Rules | None, *, look: Look, language: Language, title: str, id: str
) -> Figure:
    form = Formatter(language)
    rows = tuple(
        (p.label, Number(writer(p.unit, form)(p.value), p.value), shown(p.n, form, rules))
        for p in pooled
        if rules is None or not p.too_few(rules)
    )
    columns = (text("common.outcome", language), text("common.everyone", language), text("common.n", language))
    return Figure(
        id=id,
        title=title or text("forest.title", language),
        sentence=look.notice(language),
        plotly={},
        table=Table(columns, rows, text("forest.pooled_caption", language)),
        note=" ".join(_public_note(len(rows) < len(pooled), form, rules)),
    )
