"""The flow of participants as CONSORT 2025 asks for it, in HTML that reads aloud in order and reflows on a phone.

Boxes are list items with headings, arms stand side by side where there is room; nothing is positioned by hand, so that
long reasons and large letters fit. The table behind it gives the same numbers, a column an arm.
(Hopewell and others, CONSORT 2025 statement, PLoS Medicine 2025, 22(4):e1004587, item 22 and the flow diagram.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dashboards.counts import withheld
from dashboards.disclosure import Rules
from dashboards.errors import FigureError
from dashboards.figure import Cell, Figure, Number, Table
from dashboards.format import Formatter
from dashboards.masking import Look
from dashboards.render import environment
from dashboards.texts import Language, text


@dataclass(frozen=True, slots=True)
class Wave:
    """One follow-up in one arm: who answered among those asked, and why the others did not."""

    name: str
    answered: int
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """One arm: allocated, received what it offers, follow-ups, analysed. Reasons are sentences for readers."""

    name: str
    allocated: int
    received: int
    not_received: Mapping[str, int] = field(default_factory=dict)
    waves: tuple[Wave, ...] = ()
    analysed: int | None = None
    not_analysed: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {"received": self.received, "analysed": self.analysed or 0, **{w.name: w.answered for w in self.waves}}
        for what, count in counts.items():
            if not 0 <= count <= self.allocated:
                raise FigureError(f"'{self.name}': {what} is {count} of {self.allocated} allocated", remedy="Check it.")
        if self.not_received and self.received + sum(self.not_received.values()) != self.allocated:
            raise FigureError(
                f"'{self.name}': received and reasons for not receiving do not add up to {self.allocated}",
                remedy="Give a reason for everybody, if need be 'not known'.",
            )


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Before allocation: assessed for eligibility, and why people were not allocated."""

    assessed: int
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def allocated(self) -> int:
        """Assessed minus excluded; raises `FigureError` when more were excluded than assessed."""
        left = self.assessed - sum(self.excluded.values())
        if left < 0:
            raise FigureError(f"more people were excluded than the {self.assessed} assessed", remedy="Check it.")
        return left


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the diagram: what, how many, and the reasons of those who left there."""

    title: str
    count: Number
    reasons: tuple[tuple[str, Number], ...] = ()


def flow(
    enrolment: Enrolment, arms: Sequence[ArmFlow], *, look: Look, language: Language, rules: Rules | None = None,
    id: str = "flow",
) -> Figure:  # fmt: skip
    """The flow diagram. Under a masked look follow-up and analysis are counted over all arms together.

    Raises `FigureError` when the arms do not add up to those allocated, or report different waves.

    >>> arms = [ArmFlow("Portal", 400, 400), ArmFlow("Advice", 400, 310)]
    >>> flow(Enrolment(1000, {"not eligible": 200}), arms, look=Look.masked(), language="en").sentence
    '1,000 people were assessed, 800 of them were allocated to 2 groups.'
    """
    _check(enrolment, arms)
    form = Formatter(language)
    diagram = _Diagram(enrolment, tuple(arms), look.is_open, form, rules)
    top, columns, bottom = diagram.top(), diagram.columns(), diagram.together()
    notes = [] if look.is_open else [look.notice(language)]
    if rules is not None:
        notes.append(text("disclosure.rounded", language, base=form.integer(rules.rounding_base)))
        notes.append(text("disclosure.some_withheld", language, least=form.integer(rules.min_cell)))
    return Figure(
        id=id,
        title=text("flow.title", language),
        sentence=text(
            "flow.sentence", language, assessed=diagram.count(enrolment.assessed).text,
            allocated=diagram.count(enrolment.allocated).text, arms=form.integer(len(arms)),
        ),
        plotly={},
        table=_table(top, columns, bottom, form),
        note=" ".join(notes),
        source="CONSORT 2025",
        alt=text("flow.alt", language),
        markup=_drawn(top, columns, bottom, language),
    )  # fmt: skip


def _check(enrolment: Enrolment, arms: Sequence[ArmFlow]) -> None:
    if not arms:
        raise FigureError("a flow diagram needs arms", remedy="Give at least two.")
    total = sum(a.allocated for a in arms)
    if total != enrolment.allocated:
        raise FigureError(
            f"{enrolment.allocated} people were allocated, but the arms hold {total}", remedy="Check the counts."
        )
    if len({tuple(w.name for w in a.waves) for a in arms}) > 1:
        raise FigureError("arms report different follow-ups", remedy="Give the same waves for each.")
    if len({a.analysed is None for a in arms}) > 1:
        raise FigureError("only some arms say how many were analysed", remedy="Give it for all or none.")


@dataclass(frozen=True, slots=True)
class _Diagram:
    enrolment: Enrolment
    arms: tuple[ArmFlow, ...]
    open: bool
    form: Formatter
    rules: Rules | None

    def count(self, value: int) -> Number:
        if self.rules is not None and self.rules.too_small(value):
            return withheld(self.form)
        seen = value if self.rules is None else self.rules.rounded(value)
        return Number(self.form.integer(seen), seen)

    def box(self, key: str, value: int, reasons: Mapping[str, int] | None = None, **places: str) -> Box:
        kept = tuple((why, self.count(n)) for why, n in (reasons or {}).items() if n)
        return Box(text(f"flow.{key}", self.form.language, **places), self.count(value), kept)

    def top(self) -> list[Box]:
        out = self.enrolment.excluded
        boxes = [self.box("assessed", self.enrolment.assessed)]
        if out:
            boxes.append(self.box("excluded", sum(out.values()), out))
        return [*boxes, self.box("allocated", self.enrolment.allocated)]

    def columns(self) -> list[tuple[str, list[Box]]]:
        return [(arm.name, self._arm(arm)) for arm in self.arms]

    def _arm(self, arm: ArmFlow) -> list[Box]:
        boxes = [self.box("arm", arm.allocated), self.box("received", arm.received, arm.not_received)]
        return boxes + self._after((arm,)) if self.open else boxes

    def together(self) -> list[Box]:
        """Follow-up and analysis over all arms, when these may not be seen apart."""
        return [] if self.open else self._after(self.arms)

    def _after(self, arms: tuple[ArmFlow, ...]) -> list[Box]:
        boxes = []
        for i, wave in enumerate(arms[0].waves):
            answered = sum(a.waves[i].answered for a in arms)
            boxes.append(self.box("wave", answered, _summed(a.waves[i].lost for a in arms), wave=wave.name))
        if arms[0].analysed is not None:
            analysed = sum(a.analysed or 0 for a in arms)
            boxes.append(self.box("analysed", analysed, _summed(a.not_analysed for a in arms)))
        return boxes


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for reasons in counts:
        for why, n in reasons.items():
            total[why] = total.get(why, 0) + n
    return total


def _drawn(top: list[Box], columns: list[tuple[str, list[Box]]], bottom: list[Box], language: Language) -> str:
    """The diagram as nested lists; arms side by side where the screen is wide enough."""
    template = environment().get_template("flow.html")
    return template.render(top=top, columns=columns, bottom=bottom, language=language)


def _table(top: list[Box], columns: list[tuple[str, list[Box]]], bottom: list[Box], form: Formatter) -> Table:
    language = form.language
    absent = Number(text("common.none", language))
    rows: list[tuple[Cell, ...]] = []

    def shared(boxes: list[Box]) -> None:
        for box in boxes:
            rows.append((box.title, box.count, *(absent for _ in columns)))
            rows.extend((f"– {why}", n, *(absent for _ in columns)) for why, n in box.reasons)

    shared(top)
    for i in range(len(columns[0][1])):
        boxes = [boxes[i] for _, boxes in columns]
        rows.append((boxes[0].title, absent, *(b.count for b in boxes)))
        reasons = dict.fromkeys(why for b in boxes for why, _ in b.reasons)
        rows.extend((f"– {why}", absent, *(dict(b.reasons).get(why, absent) for b in boxes)) for why in reasons)
    shared(bottom)
    heads = (text("flow.step", language), text("common.everyone", language), *(name for name, _ in columns))
    return Table(heads, tuple(rows), text("flow.caption", language))
