"""The sample-ratio check: do the arms have the sizes that the design intends? If not, look for a fault first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.format import Formatter
from dashboards.texts import Language, text

if TYPE_CHECKING:
    from analysis.results import ArmCount, SampleRatio


def sample_ratio(
    arms: Sequence[ArmCount], check: SampleRatio, *, language: Language, labels: Mapping[str, str] | None = None,
    id: str = "sample-ratio",
) -> Figure:  # fmt: skip
    """Sizes of the arms beside the intended ones, with the verdict of the test in words."""
    if not arms:
        raise FigureError("there are no arms to compare", remedy="Give at least two.")
    form, words = Formatter(language), labels or {}
    rows = tuple(
        (
            words.get(a.arm, a.arm),
            Number(form.integer(a.n), a.n),
            Number(form.percent(a.share, 1), a.share),
            Number(form.percent(a.expected, 1), a.expected),
        )
        for a in arms
    )
    columns = tuple(text(key, language) for key in ("common.arm", "common.n", "srm.found", "srm.intended"))
    verdict = "srm.mismatch" if check.mismatch else "srm.fits"
    return Figure(
        id=id,
        title=text("srm.title", language),
        sentence=text(verdict, language, p=form.p_value(check.p)),
        plotly={},
        table=Table(columns, rows, text("srm.caption", language)),
        note=_how(check, form),
        source="Fabijan and others (2019)",
    )


def _how(check: SampleRatio, form: Formatter) -> str:
    threshold = form.p_value(check.threshold)
    if check.df is None:
        return text("srm.note_redraws", form.language, threshold=threshold)
    statistic, df = form.decimal(check.statistic, 2), form.integer(check.df)
    return text("srm.note", form.language, statistic=statistic, df=df, threshold=threshold)
