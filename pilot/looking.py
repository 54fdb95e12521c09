"""At which level a look is read: what the registered spending of `sample_size.looks` leaves to it.

Without that section every look is read at the level of the plan. With it, each look spends by the information that is
really there: people whose first primary outcome is known, as a share of those the pilot is sized for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from analysis.execution import trial_of
from analysis.measured import measure
from analysis.monitoring import level_of_look
from analysis.power import group_sequential
from analysis.power.sequential import SPENDING

if TYPE_CHECKING:
    import pandas as pd

    from pilot.protocol import Protocol

MOST = 0.95
"""Information at an interim look counts for no more, so that the last look keeps something to spend."""
LEAST_NEW = 1e-4


def spends(protocol: Protocol) -> bool:
    """Whether the looks of this protocol are read at levels of their own."""
    return protocol.sample_size.section.looks is not None and len(protocol.looks) > 1


def known(protocol: Protocol, data: pd.DataFrame) -> int:
    """How many people of these data have a known first primary outcome."""
    outcomes = protocol.plan.outcomes
    outcome = next((one for one in outcomes if one.family == "primary"), outcomes[0])
    return int(measure(trial_of(protocol.plan, data), outcome).observed.sum())


def level(protocol: Protocol, counts: Sequence[int], *, final: bool) -> float:
    """The level of the look at which the last of `counts` people were known, after the looks at the earlier ones.

    Spending functions go by the information that is there. Classical shapes (Pocock, O'Brien-Fleming) have bounds for
    looks as they were planned: the k-th look takes the k-th bound, and the final look the last one.
    """
    section = protocol.sample_size.section.looks
    assert section is not None
    alpha, tests = protocol.plan.analysis.alpha, _tests(protocol)
    if section.spending not in SPENDING:
        return _planned(protocol, len(counts) - 1, final=final, tests=tests)
    return level_of_look(
        list(_information(protocol, counts, final=final)),
        alpha=alpha,
        spending=section.spending,
        parameter=section.parameter,
        tests=tests,
    )


def remarks(protocol: Protocol) -> Iterator[str]:
    """What `pilot protocol check` says when looks, sample size and analysis differ; no error, since it may be meant."""
    section, plan = protocol.sample_size.section, protocol.plan.analysis
    if len(protocol.looks) > 1 and section.looks is None:
        yield (
            f"looks: {len(protocol.looks)} looks, each read at the full alpha of {plan.alpha:g}, so that false claims "
            "are more frequent; write sample_size.looks with a spending function, and looks are read at its levels"
        )
    if section.looks is not None and _planned_looks(section.looks.at) != len(protocol.looks):
        yield (
            f"sample_size.looks: {_planned_looks(section.looks.at)} looks are planned and {len(protocol.looks)} "
            "registered under 'looks'; give as many in both places"
        )
    pairs = protocol.sample_size.model().pairs()
    if {frozenset(pair) for pair in pairs} != {frozenset(pair) for pair in plan.contrasts} or (
        len(plan.contrasts) > 1 and section.correction != plan.correction.contrasts
    ):
        yield (
            f"sample_size: sized for {len(pairs)} comparisons ({section.correction}), while the analysis registers "
            f"{len(plan.contrasts)} ({plan.correction.contrasts}); `pilot design-document` shows the power of both"
        )


def _tests(protocol: Protocol) -> int:
    """How many p-values a correction of the plan counts at once, at most."""
    plan, families = protocol.plan.analysis, [outcome.family for outcome in protocol.plan.outcomes]
    contrasts = 1 if plan.correction.contrasts == "none" else len(plan.contrasts)
    together = [families.count(one) for one in set(families) if plan.correction.for_family(one) != "none"]
    return contrasts * max(together, default=1)


def _information(protocol: Protocol, counts: Sequence[int], *, final: bool) -> Iterator[float]:
    planned, before = sum(protocol.sample_size.n().analysed_by_arm.values()), 0.0
    for place, count in enumerate(counts):
        last = final and place == len(counts) - 1
        before = 1.0 if last else max(min(count / planned, MOST), before + LEAST_NEW)
        yield before


def _planned(protocol: Protocol, place: int, *, final: bool, tests: int) -> float:
    section, alpha = protocol.sample_size.section.looks, protocol.plan.analysis.alpha
    assert section is not None
    found = []
    for j in range(1, tests + 1):
        design = group_sequential(
            looks=section.at, spending=section.spending, parameter=section.parameter, power=0.8, alpha=alpha / j
        )
        found.append(j * 2 * design.levels[-1 if final else min(place, len(design.levels) - 2)])
    return min(found)


def _planned_looks(at: int | Sequence[float]) -> int:
    return at if isinstance(at, int) else len(at)
