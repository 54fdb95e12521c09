"""How much the number of people hangs on each assumption: one bar an assumption, from its low to its high end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards import drawing
from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.format import Formatter
from dashboards.texts import Language, text


@dataclass(frozen=True, slots=True)
class Swing:
    """One assumption: how readers call it, its low and high value as written, and the people an arm needed at either.

    `at_low` and `at_high` are None where no number of people suffices.
    """

    label: str
    low: str
    high: str
    at_low: int | None
    at_high: int | None

    @property
    def width(self) -> float:
        """Distance between both ends; infinite when one of them has no answer."""
        if self.at_low is None or self.at_high is None:
            return math.inf
        return abs(self.at_high - self.at_low)


def tornado(swings: Sequence[Swing], *, planned: int, language: Language, id: str = "tornado") -> Figure:
    """The assumptions, the widest first; `planned` is the number of people an arm as assumed.

    >>> swings = [Swing("Effect", "3", "9", 9_700, 1_100), Swing("Loss", "1%", "3%", 2_400, 2_450)]
    >>> tornado(swings, planned=2_425, language="en").sentence
    'The number of people hangs most on: Effect. From 3 to 9 it runs from 9,700 to 1,100 in each group.'
    """
    if not swings:
        raise FigureError("a tornado needs an assumption", remedy="Give at least one with a range.")
    form, ordered = Formatter(language), sorted(swings, key=lambda s: -s.width)
    rows = drawing.Rows(tuple(f"{s.label} ({s.low} – {s.high})" for s in ordered))
    ends = [n for s in ordered for n in (s.at_low, s.at_high) if n is not None]
    x = drawing.numeric_axis([*_drawn(ends, planned), planned], form.integer, title=text("tornado.axis", language))
    traces = [_bar(rows.at(place), swing, x, form) for place, swing in enumerate(ordered)]
    first = ordered[0]
    return Figure(
        id=id,
        title=text("tornado.title", language),
        sentence=text(
            "tornado.sentence", language, label=first.label, low=first.low, high=first.high,
            at_low=_people(first.at_low, form), at_high=_people(first.at_high, form),
        ),
        plotly=drawing.plot(
            traces, x, rows.axis(), height=rows.height, annotations=rows.annotations(),
            shapes=[drawing.upright(planned, 0, rows.height)],
        ),
        table=_table(ordered, form),
        note=text("tornado.note", language, planned=form.integer(planned)),
        alt=text("tornado.alt", language, count=form.integer(len(ordered))),
    )  # fmt: skip


def _drawn(ends: Sequence[int], planned: int) -> list[int]:
    """The ends that the axis covers: one hopeless end must not press all other bars together."""
    return [min(n, 8 * planned) for n in ends]


def _bar(y: int, swing: Swing, x: drawing.Axis, form: Formatter) -> dict:
    """A thick line; an end without an answer, or beyond the axis, runs to its edge."""
    places = [x.high if n is None else min(n, x.high) for n in (swing.at_low, swing.at_high)]
    hover = [
        f"{swing.label}: {value} → {_people(people, form)}"
        for value, people in ((swing.low, swing.at_low), (swing.high, swing.at_high))
    ]
    trace = drawing.line(places, [y, y], hover, dash="solid")
    trace["line"]["width"] = 12
    return trace


def _people(people: int | None, form: Formatter) -> str:
    return text("tornado.none", form.language) if people is None else form.integer(people)


def _cell(people: int | None, form: Formatter) -> Number:
    return Number(_people(people, form), people)


def _table(swings: Sequence[Swing], form: Formatter) -> Table:
    heads = ("assumption", "low", "at_low", "high", "at_high")
    rows = tuple((s.label, s.low, _cell(s.at_low, form), s.high, _cell(s.at_high, form)) for s in swings)
    columns = tuple(text(f"tornado.column.{name}", form.language) for name in heads)
    return Table(columns, rows, text("tornado.caption", form.language))
