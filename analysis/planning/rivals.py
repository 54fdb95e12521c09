"""One question, several conventions: the same assumptions sized as other books and programs would size them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.planning.section import SampleSize
from analysis.power.errors import ImpossibleRequest, NoSolution

if TYPE_CHECKING:
    from analysis.planning.plan import Plan

__all__ = ["Convention", "conventions"]


@dataclass(frozen=True, slots=True)
class Convention:
    """People analysed (unrounded) and recruited an arm under one convention; None where no number suffices.

    `key` is 'planned', 'correction', 'variance', 'power_of' or 'sides', and `value` what that is set to.
    """

    key: str
    value: str
    n: float | None
    recruited: int | None


def conventions(plan: Plan) -> tuple[Convention, ...]:
    """The plan first, then the plan with one convention changed at a time; what cannot be computed is left out."""
    section = plan.section
    found = [_sized(plan, "planned", section.correction)]
    for key, value in _others(plan):
        changed = type(plan)(section.model_copy(update={key: value}))
        # Some pairs of conventions have no closed form (any difference under looks, Dunnett with several controls).
        with suppress(ImpossibleRequest):
            found.append(_sized(changed, key, str(value)))
    return tuple(found)


def _others(plan: Plan) -> list[tuple[str, Any]]:
    section: SampleSize = plan.section
    several = len(plan.model().pairs()) > 1
    options: list[tuple[str, tuple[Any, ...]]] = []
    if several:
        options += [("correction", ("none", "dunnett", "holm", "bonferroni"))]
    if plan.primary.kind == "binary" and not plan.model().grouped:
        options += [("variance", ("pooled", "unpooled"))]
    if several:
        options += [("power_of", ("marginal", "any", "all"))]
    options += [("sides", (2, 1))]
    return [(key, value) for key, values in options for value in values if value != getattr(section, key)]


def _sized(plan: Plan, key: str, value: str) -> Convention:
    try:
        size = plan.n()
    except NoSolution:
        return Convention(key, value, None, None)
    return Convention(key, value, size.n, size.recruited)
