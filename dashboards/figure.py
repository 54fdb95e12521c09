"""What every figure hands over: a drawing, the table behind it, a plain sentence, and words for who cannot see it.

The contract with the page's script. A figure's drawing is JSON of plotly's own kind, in a data block:

    <div class="drawing" data-figure="reach"> …static SVG… </div>
    <script type="application/json" id="reach-data">{"data": […], "layout": {…}, "config": {…}}</script>

One script of the page finds every `[data-figure]`, reads `#<id>-data`, may replace each colour by the CSS variable
that `layout.meta.tokens` names for it (`{"#0062a3": "--series-1", …}`), empties the `div` and calls
`Plotly.newPlot(div, data, layout, config)`. Only `scatter` and `bar` traces and linear axes with written-out ticks
occur, so the partial bundle `basic` suffices and no locale file is needed. Without script the static SVG stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboards.errors import FigureError

IDENTIFIER = re.compile(r"^[a-z][a-z0-9-]*$")


@dataclass(frozen=True, slots=True)
class Number:
    """A table cell that is a number: how it is written, and its value for spreadsheets (None when withheld)."""

    text: str
    value: float | None = None

    def __str__(self) -> str:
        return self.text


Cell = str | Number


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers behind a figure. The first column names the row.

    >>> Table(("Arm", "People"), (("Portal", Number("1,200", 1200)),), "People by arm").rows[0][1].value
    1200
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str

    def __post_init__(self) -> None:
        if not self.columns:
            raise FigureError(f"the table '{self.caption}' has no columns", remedy="Name at least one.")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise FigureError(
                    f"row {number + 1} of '{self.caption}' has {len(row)} cells for {len(self.columns)} columns",
                    remedy="Give every row one cell a column.",
                )

    @property
    def numeric(self) -> tuple[bool, ...]:
        """For each column, whether it holds numbers and is set flush right."""
        return tuple(any(isinstance(row[i], Number) for row in self.rows) for i in range(len(self.columns)))


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, ready for any page or report.

    Attributes:
        id: unique on a page; also the anchor.
        title: what it is about, without a verdict.
        sentence: what it shows, in one or a few plain sentences.
        plotly: `{"data", "layout", "config"}`, JSON-able; empty when the figure is `markup` or only a table.
        table: the numbers behind it.
        note: conventions a reader needs (interval level, rounding, masking).
        source: where the numbers come from.
        alt: what somebody who cannot see the drawing needs to know about its form; the sentence carries the content.
        markup: own accessible HTML or SVG, for figures that no chart library draws (the flow diagram).
    """

    id: str
    title: str
    sentence: str
    plotly: Mapping[str, Any]
    table: Table
    note: str = ""
    source: str = ""
    alt: str = ""
    markup: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not IDENTIFIER.match(self.id):
            raise FigureError(f"'{self.id}' cannot be an anchor", remedy="Use small letters, digits and hyphens.")
        if not (self.title and self.sentence):
            raise FigureError(f"the figure '{self.id}' lacks a title or a sentence", remedy="Give both.")
        if self.plotly and set(self.plotly) != {"data", "layout", "config"}:
            raise FigureError(f"the drawing of '{self.id}' is not {{data, layout, config}}", remedy="Use drawing.plot.")
        if (self.plotly or self.markup) and not self.alt:
            raise FigureError(f"the figure '{self.id}' has no text for who cannot see it", remedy="Give `alt`.")

    def data_block(self) -> str:
        """The drawing as JSON that may stand inside a `<script type="application/json">` element.

        No `<`, `>` or `&` is left, so no label can end the element or open another.
        """
        written = json.dumps(self.plotly, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        for sign in "<>&\u2028\u2029":
            written = written.replace(sign, f"\\u{ord(sign):04x}")
        return written
