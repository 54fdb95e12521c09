"""How far invited people came: invited, opened, screened, eligible, consented, allocated, by outreach arm.

Reaching people is half of what a pilot learns, and it happens before anybody is allocated: no look masks it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dashboards import drawing
from dashboards.counts import count_note, withheld
from dashboards.disclosure import Rules
from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.format import Formatter
from dashboards.suppression import Sums, protect, with_margins
from dashboards.texts import Language, text

Stage = Literal["invited", "opened", "screened", "eligible", "consented", "allocated"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True, slots=True)
class ReachArm:
    """How many people of one outreach arm came at least as far as each stage; a stage left out is not shown."""

    name: str
    reached: Mapping[Stage, int]

    def __post_init__(self) -> None:
        unknown = set(self.reached) - set(STAGES)
        if unknown:
            raise FigureError(f"'{self.name}' has unknown stages {sorted(unknown)}", remedy=f"Use {', '.join(STAGES)}.")
        for stage in ("invited", "allocated"):
            if stage not in self.reached:
                raise FigureError(f"'{self.name}' does not say how many were {stage}", remedy="Give that count too.")
        counts = [self.reached[s] for s in STAGES if s in self.reached]
        if any(later > earlier for earlier, later in itertools.pairwise(counts)) or counts[-1] < 0:
            raise FigureError(
                f"'{self.name}' has more people at a later stage than before it: {counts}",
                remedy="Count everybody who came at least as far as a stage.",
            )


def reach(arms: Sequence[ReachArm], *, language: Language, rules: Rules | None = None, id: str = "reach") -> Figure:
    """The reach funnel. With `rules` counts are public: rounded, and withheld where few people are meant.

    Raises `FigureError` when the arms do not report the same stages.

    >>> letter = ReachArm("Letter", {"invited": 2000, "opened": 600, "allocated": 200})
    >>> figure = reach([letter], language="en")
    >>> figure.sentence
    'Of 2,000 people invited, 200 (10%) joined and were allocated to a group.'
    """
    if not arms:
        raise FigureError("there is no outreach arm to show", remedy="Give at least one.")
    stages: tuple[Stage, ...] = tuple(s for s in STAGES if s in arms[0].reached)
    if any(tuple(s for s in STAGES if s in arm.reached) != stages for arm in arms):
        raise FigureError("outreach arms report different stages", remedy="Count the same stages for all of them.")
    counts = np.array([[arm.reached[s] for arm in arms] for s in stages], dtype=np.int64)
    funnel = _Funnel(stages, tuple(arms), counts, withheld_counts(counts, rules), Formatter(language), rules)
    return Figure(
        id=id,
        title=text("reach.title", language),
        sentence=funnel.sentence(),
        plotly=funnel.drawing(),
        table=funnel.table(),
        note=count_note(funnel.form, rules, funnel.hidden.ravel().tolist()),
        alt=text("reach.alt", language),
    )


def withheld_counts(counts: NDArray[np.int64], rules: Rules | None) -> NDArray[np.bool_]:
    """Which counts (stages, arms) may not be seen: shape (stages, arms + 1), the last column being the total over arms.

    >>> withheld_counts(np.array([[200, 300], [40, 3]]), Rules()).astype(int).tolist()
    [[0, 0, 0], [1, 1, 0]]
    """
    stages, arms = counts.shape
    if rules is None:
        return np.zeros((stages, arms + 1), dtype=bool)
    left = counts - np.vstack([counts[1:], np.zeros((1, arms), dtype=counts.dtype)])
    further = np.triu(np.ones((stages, stages)))
    matrix = np.asarray(np.kron(further, with_margins((arms,))), dtype=np.float64)
    return protect(Sums(matrix, left.ravel().astype(np.float64)), rules).reshape(stages, arms + 1)


@dataclass(frozen=True, slots=True)
class _Funnel:
    """Counts (stages, arms) with what may be seen of them, said in three ways."""

    stages: tuple[Stage, ...]
    arms: tuple[ReachArm, ...]
    counts: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    form: Formatter
    rules: Rules | None

    def shown(self, stage: int, arm: int) -> int | None:
        """The count as published (the arm after the last is the total); None when withheld."""
        if self.hidden[stage, arm]:
            return None
        row = self.counts[stage]
        count = int(row.sum()) if arm == len(self.arms) else int(row[arm])
        return count if self.rules is None else self.rules.rounded(count)

    def share(self, stage: int, arm: int) -> float | None:
        """The published share of those invited, never above one in spite of rounding; None when not derivable."""
        count, invited = self.shown(stage, arm), self.shown(0, arm)
        return min(1.0, count / invited) if count is not None and invited else None

    def percent(self, share: float) -> str:
        return self.form.percent(share, 1 if 0 < share < 0.1 else 0)

    def label(self, stage: int) -> str:
        return text(f"reach.{self.stages[stage]}", self.form.language)

    def drawing(self) -> dict[str, Any]:
        """A bar for each stage and arm whose share may be seen."""
        rows = drawing.Rows(tuple(self.label(i) for i in range(len(self.stages))), marks=len(self.arms))
        traces = []
        for j, arm in enumerate(self.arms):
            shares = [(i, share) for i in range(len(self.stages)) if (share := self.share(i, j)) is not None]
            hover = [f"{arm.name}: {self.label(i)}, {self.percent(share)}" for i, share in shares]
            at = [rows.at(i, j) for i, _ in shares]
            traces.append(drawing.bars([100 * share for _, share in shares], at, hover, series=j, name=arm.name))
        ticks = tuple((v, self.form.percent(v / 100)) for v in (0, 25, 50, 75, 100))
        axis = drawing.Axis(0, 104, ticks, text("reach.axis", self.form.language))
        return drawing.plot(traces, axis, rows.axis(), height=rows.height, annotations=rows.annotations())

    def table(self) -> Table:
        """Counts and shares by stage, for each arm and, where there are more, for all together."""
        language = self.form.language
        names = [arm.name for arm in self.arms]
        if len(names) > 1:
            names.append(text("common.total", language))
        columns = [text("reach.stage", language)]
        for name in names:
            columns += [name, text("reach.share_of", language, group=name)]
        rows = []
        for i in range(len(self.stages)):
            cells: list[str | Number] = [self.label(i)]
            for j in range(len(names)):
                cells += [self._count_cell(i, j), self._share_cell(i, j)]
            rows.append(tuple(cells))
        return Table(tuple(columns), tuple(rows), text("reach.caption", language))

    def _count_cell(self, stage: int, arm: int) -> Number:
        count = self.shown(stage, arm)
        return withheld(self.form) if count is None else Number(self.form.integer(count), count)

    def _share_cell(self, stage: int, arm: int) -> Number:
        share = self.share(stage, arm)
        if share is not None:
            return Number(self.percent(share), share)
        return withheld(self.form) if self.hidden[stage, arm] else Number(text("common.none", self.form.language))

    def sentence(self) -> str:
        """How many of those invited joined, and by which way of inviting most and fewest."""
        language, every, last = self.form.language, len(self.arms), len(self.stages) - 1
        invited, joined, share = self.shown(0, every), self.shown(last, every), self.share(last, every)
        if invited is None or joined is None or share is None:
            return text("reach.sentence_small", language)
        said = text(
            "reach.sentence", language, invited=self.form.integer(invited), count=self.form.integer(joined),
            share=self.percent(share),
        )  # fmt: skip
        rates = {arm.name: rate for j, arm in enumerate(self.arms) if (rate := self.share(last, j)) is not None}
        if len(set(rates.values())) < 2:
            return said
        best, worst = max(rates, key=rates.__getitem__), min(rates, key=rates.__getitem__)
        most, least = self.form.percent(rates[best], 1), self.form.percent(rates[worst], 1)
        return f"{said} {text('reach.range', language, best=best, most=most, worst=worst, least=least)}"
