"""Balance at baseline: whether chance left the arms alike, as normalised differences and not as p-values.

A normalised difference is the difference in means divided by the root of the mean of the two variances (Imbens and
Rubin, Causal Inference, 2015, section 14.2); beyond a tenth is worth a look, beyond a quarter regression adjustment
alone becomes unreliable. Baseline values are no outcomes, so no look masks them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboards import drawing
from dashboards.errors import FigureError
from dashboards.figure import Cell, Figure, Number, Table
from dashboards.format import Formatter
from dashboards.texts import Language, text

if TYPE_CHECKING:
    from analysis.results import BalanceResult, BalanceRow

NOTICEABLE, LARGE = 0.1, 0.25


def balance(
    result: BalanceResult, *, language: Language, labels: Mapping[str, str] | None = None, id: str = "balance"
) -> Figure:
    """Normalised differences of every covariate, a mark for each contrast, with means by arm in the table.

    `labels` gives readers' words for covariates, arms and contrasts ('treated - comparison'); without, names stand.
    """
    if not result.rows:
        raise FigureError("no covariate was measured at baseline", remedy="Name covariates in the plan.")
    form, words = Formatter(language), labels or {}
    return Figure(
        id=id,
        title=text("balance.title", language),
        sentence=_sentence(result, form, words),
        plotly=_drawing(result.rows, form, words),
        table=_table(result.rows, form, words),
        note=" ".join([text("balance.note", language), *_tests(result, form, words)]),
        source="Imbens and Rubin (2015)" + ("; Hansen and Bowers (2008)" if result.tests else ""),
        alt=text("balance.alt", language, count=form.integer(len(result.rows))),
    )


def _worst(row: BalanceRow) -> float:
    return max((abs(d) for d in row.normalised_difference.values()), default=0.0)


def _drawing(rows: Sequence[BalanceRow], form: Formatter, words: Mapping[str, str]) -> dict[str, Any]:
    contrasts = list(dict.fromkeys(c for row in rows for c in row.normalised_difference))
    scale = drawing.Rows(tuple(words.get(row.covariate, row.covariate) for row in rows))
    values = [d for row in rows for d in row.normalised_difference.values()]
    reach = max(0.3, *(abs(v) for v in values))
    title = text("balance.axis", form.language)
    axis = drawing.numeric_axis([-reach, reach], lambda v: form.decimal(v, 1), title=title)
    traces = []
    for j, contrast in enumerate(contrasts):
        found = [row.normalised_difference.get(contrast) for row in rows]
        marked = [(i, d) for i, d in enumerate(found) if d is not None]
        name = words.get(contrast, contrast)
        hover = [f"{scale.labels[i]}, {name}: {form.decimal(d, 2)}" for i, d in marked]
        at = [scale.at(i) for i, _ in marked]
        traces.append(drawing.points([d for _, d in marked], at, hover, series=j, name=name))
    lines = [drawing.upright(0, 0, scale.height, dash="solid")]
    lines += [drawing.upright(at, 0, scale.height) for at in (-NOTICEABLE, NOTICEABLE)]
    return drawing.plot(traces, axis, scale.axis(), height=scale.height, annotations=scale.annotations(), shapes=lines)


def _table(rows: Sequence[BalanceRow], form: Formatter, words: Mapping[str, str]) -> Table:
    language = form.language
    arms = list(dict.fromkeys(a for row in rows for a in row.means))
    contrasts = list(dict.fromkeys(c for row in rows for c in row.normalised_difference))
    columns = [text("balance.covariate", language), text("balance.missing", language)]
    columns += [text("balance.mean_of", language, arm=words.get(a, a)) for a in arms]
    columns += [words.get(c, c) for c in contrasts]
    absent = Number(text("common.none", language))
    written = []
    for row in rows:
        cells: list[Cell] = [words.get(row.covariate, row.covariate), Number(form.integer(row.missing), row.missing)]
        for arm in arms:
            mean, sd = row.means.get(arm), row.sds.get(arm)
            spread = f" ({form.significant(sd)})" if sd is not None else ""
            cells.append(absent if mean is None else Number(form.significant(mean) + spread, mean))
        for contrast in contrasts:
            d = row.normalised_difference.get(contrast)
            cells.append(absent if d is None else Number(form.decimal(d, 2), d))
        written.append(tuple(cells))
    return Table(tuple(columns), tuple(written), text("balance.caption", language))


def _tests(result: BalanceResult, form: Formatter, words: Mapping[str, str]) -> list[str]:
    return [
        text(
            "balance.omnibus", form.language, contrast=words.get(t.contrast, t.contrast),
            chi=form.decimal(t.chi_square, 2), df=form.integer(t.df), p=form.p_value(t.p),
        )
        for t in result.tests
    ]  # fmt: skip


def _sentence(result: BalanceResult, form: Formatter, words: Mapping[str, str]) -> str:
    language = form.language
    beyond = [row for row in result.rows if _worst(row) > NOTICEABLE]
    if not beyond:
        return text("balance.alike", language, count=form.integer(len(result.rows)), limit=form.decimal(NOTICEABLE, 1))
    names = ", ".join(words.get(row.covariate, row.covariate) for row in sorted(beyond, key=_worst, reverse=True)[:4])
    return text(
        "balance.differs", language, beyond=form.integer(len(beyond)), count=form.integer(len(result.rows)),
        limit=form.decimal(NOTICEABLE, 1), names=names,
    )  # fmt: skip
