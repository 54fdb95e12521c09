"""Effects within groups of people, with the one test that matters: whether they differ between the groups.

A clear effect in one group and an unclear one in another is no evidence that the groups differ, so the sentence speaks
of that test only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.disclosure import Rules
from dashboards.effects import Effect
from dashboards.errors import FigureError
from dashboards.figure import Figure, Table
from dashboards.forest import forest
from dashboards.format import Formatter
from dashboards.masking import Look
from dashboards.texts import Language, text


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One subgroup column of one contrast: an effect for each level, labelled by the level.

    `p` tests whether the effects are all equal, corrected for the number of subgroup columns of the plan; None when
    the test could not be made. `not_estimated` says for which levels there is no effect, and why.
    """

    name: str
    effects: tuple[Effect, ...]
    p: float | None
    not_estimated: tuple[str, ...] = ()


def subgroups(
    groups: Sequence[Subgroup], *, look: Look, language: Language, contrast: str, alpha: float = 0.05,
    rules: Rules | None = None, id: str = "subgroups",
) -> Figure:  # fmt: skip
    """A forest plot by subgroup. Masked looks show nothing but the notice; levels of too few people are withheld.

    Raises `FigureError` when there is no subgroup, or no effect in any.
    """
    title = text("subgroups.title", language, contrast=contrast)
    if not look.is_open:
        table = Table((text("subgroups.group", language),), (), text("subgroups.caption", language))
        return Figure(id=id, title=title, sentence=look.notice(language), plotly={}, table=table)
    if not groups:
        raise FigureError("the plan names no subgroups", remedy="Leave the figure out.")
    form = Formatter(language)
    kept = [e for g in groups for e in _labelled(g) if rules is None or not rules.too_small(e.n)]
    if not kept:
        raise FigureError("no subgroup is large enough to be shown", remedy="Leave the figure out.")
    base = forest(kept, look=look, language=language, title=title, id=id)
    missing = [reason for g in groups for reason in g.not_estimated]
    if rules is not None and len(kept) < sum(len(g.effects) for g in groups):
        missing.append(text("disclosure.some_withheld", language, least=form.integer(rules.min_cell)))
    return Figure(
        id=id,
        title=title,
        sentence=" ".join(_verdict(g, alpha, form) for g in groups),
        plotly=base.plotly,
        table=base.table,
        note=" ".join([base.note, text("subgroups.note", language), *missing]),
        source=base.source,
        alt=base.alt,
    )


def _labelled(group: Subgroup) -> list[Effect]:
    return [
        Effect(f"{group.name}: {e.label}", e.value, e.low, e.high, e.n, e.level, e.unit, e.null, e.convention,
               e.source, e.judged_clear, e.df)
        for e in group.effects
    ]  # fmt: skip


def _verdict(group: Subgroup, alpha: float, form: Formatter) -> str:
    if group.p is None:
        return text("subgroups.untested", form.language, name=group.name)
    key = "subgroups.differs" if group.p <= alpha else "subgroups.unclear"
    return text(key, form.language, name=group.name, p=form.p_value(group.p))
