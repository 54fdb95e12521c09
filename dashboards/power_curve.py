"""Power against sample size: what the pilot can find, and with how many people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards import drawing
from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.format import Formatter
from dashboards.texts import Language, text


@dataclass(frozen=True, slots=True)
class Curve:
    """Power at rising numbers of people per arm, for one assumed effect. `error` is the Monte Carlo error, if any."""

    label: str
    people: tuple[int, ...]
    power: tuple[float, ...]
    error: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.people), len(self.power), len(self.error or self.power)}
        if len(lengths) > 1 or len(self.people) < 2:
            raise FigureError(f"'{self.label}' needs as many powers as sizes, two or more", remedy="Check the curve.")
        if any(later <= earlier for earlier, later in zip(self.people, self.people[1:], strict=False)):
            raise FigureError(f"the sizes of '{self.label}' do not rise", remedy="Sort them.")
        if not all(0 <= p <= 1 for p in self.power):
            raise FigureError(f"a power of '{self.label}' lies outside 0 and 1", remedy="Give it as a share.")

    def needed(self, power: float) -> int | None:
        """The smallest size shown that reaches the power; None when none does.

        >>> Curve("4 points", (100, 200, 300), (0.5, 0.81, 0.9)).needed(0.8)
        200
        """
        return next((n for n, p in zip(self.people, self.power, strict=True) if p >= power), None)


def power_curve(
    curves: Sequence[Curve], *, language: Language, target: float = 0.8, planned: int | None = None,
    source: str = "", id: str = "power",
) -> Figure:  # fmt: skip
    """Power curves, one a line, with the power aimed at and the planned number of people per arm.

    >>> curve = Curve("4 points", (100, 200, 300), (0.5, 0.81, 0.9))
    >>> power_curve([curve], language="en").sentence
    'To find an effect with 80% power: 4 points: 200 people in each group.'
    """
    if not curves or not 0 < target < 1:
        raise FigureError("a power figure needs a curve and a target between 0 and 1", remedy="Give both.")
    form = Formatter(language)
    x = drawing.numeric_axis(
        [n for c in curves for n in c.people] + ([planned] if planned else []), form.integer,
        title=text("power.axis", language),
    )  # fmt: skip
    y = drawing.Axis(0, 1, tuple((v, form.percent(v)) for v in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)))
    traces = [
        drawing.line(
            c.people, c.power,
            [f"{c.label}: {form.integer(n)}, {form.percent(p, 1)}" for n, p in zip(c.people, c.power, strict=True)],
            series=i, name=c.label,
        )
        for i, c in enumerate(curves)
    ]  # fmt: skip
    shapes = [drawing.level_line(target, x.low, x.high)]
    if planned:
        shapes.append(drawing.upright(planned, 1, 0, dash="dash"))
    needs = []
    for c in curves:
        n = c.needed(target)
        key = "power.needed" if n else "power.not_reached"
        most = form.integer(n or c.people[-1])
        needs.append(text(key, language, label=c.label, n=most))
    return Figure(
        id=id,
        title=text("power.title", language),
        sentence=text("power.sentence", language, power=form.percent(target), needs="; ".join(needs)),
        plotly=drawing.plot(traces, x, y, height=280, shapes=shapes),
        table=_table(curves, form),
        note=text("power.note", language, planned=form.integer(planned)) if planned else "",
        source=source,
        alt=text("power.alt", language, count=form.integer(len(curves))),
    )


def _table(curves: Sequence[Curve], form: Formatter) -> Table:
    language = form.language
    columns = (text("power.axis", language), *(c.label for c in curves))
    rows = tuple(
        (Number(form.integer(n), n), *(_power_cell(c, n, form) for c in curves))
        for n in sorted({n for c in curves for n in c.people})
    )
    return Table(columns, rows, text("power.caption", language))


def _power_cell(curve: Curve, people: int, form: Formatter) -> Number:
    """Power at one size, with twice its Monte Carlo error where it was simulated."""
    if people not in curve.people:
        return Number(text("common.none", form.language))
    at = curve.people.index(people)
    error = f" (± {form.percent(2 * curve.error[at], 1)})" if curve.error else ""
    return Number(form.percent(curve.power[at], 1) + error, curve.power[at])
