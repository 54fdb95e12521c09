"""Whether people who arrive one by one can be drawn by the design of a protocol; if not, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.plan import PreAnalysisPlan
from analysis.plan_schema import Outcome
from pilot.protocol_sections import LookSection
from randomization import Design
from randomization.sequential import Sequential

Lack = tuple[tuple[str | int, ...], str]
"""Where, and what is wrong with the remedy."""

LISTED = {
    "two_stage": "the first stage is drawn in the section outreach; name the design of the second stage here, and "
    "write 'outreach_arm' under strata to draw within each outreach arm",
    "complete": "use permuted_blocks or block_urn, or draw a list with `pilot randomize`",
    "blocked": "use permuted_blocks or block_urn with the same strata, or draw a list with `pilot randomize`",
    "factorial": "use permuted_blocks with an arm for each combination, or draw a list with `pilot randomize`",
    "matched_pairs": "use minimization on what makes people alike, or draw a list with `pilot randomize`",
    "rerandomized": "use minimization on the same covariates, or draw a list with `pilot randomize`",
    "clustered": "draw the clusters with `pilot randomize` before anybody is invited",
    "stepped_wedge": "draw the moments of the clusters with `pilot randomize` before the first of them",
    "lottery": "draw the applicants with `pilot randomize` when the list is closed",
}
"""What to do instead, for designs that need everybody at once."""


def primary_outcome(plan: PreAnalysisPlan) -> Outcome:
    """The first primary outcome of a plan; the first of all when none is primary."""
    return next((outcome for outcome in plan.outcomes if outcome.family == "primary"), plan.outcomes[0])


def meets_people_one_by_one(design: Design) -> Iterator[Lack]:
    """Why people who arrive cannot be drawn by this design at all, with the remedy."""
    if not isinstance(design, Sequential):
        remedy = LISTED.get(design.method, "draw the list with `pilot randomize`, or choose a design for arrivals")
        yield (
            ("allocation", "method"),
            f"'{design.method}' draws a complete list at once, and people arrive one by one; {remedy}",
        )


def drawable(
    design: Sequential, known: set[str], plan: PreAnalysisPlan, looks: tuple[LookSection, ...]
) -> Iterator[Lack]:
    """What is missing for this design in the rest of the protocol, each lack with its remedy."""
    for name in design.columns:
        if name not in known:
            key = "strata" if name in design.strata else "factors"
            yield (("allocation", key), f"'{name}' is no covariate; define it under population.covariates")
    if getattr(design, "length", 0) is None:
        yield (
            ("allocation", "length"),
            "the maximal procedure looks ahead; write `length`, the number of people planned for a stratum",
        )
    if design.learns:
        kind, name = primary_outcome(plan).kind, primary_outcome(plan).name
        if kind != "binary":
            yield (
                ("allocation", "method"),
                f"an adaptive draw follows an outcome that is yes or no; the primary outcome '{name}' is {kind}",
            )
        if all(look.final for look in looks):
            yield (
                ("allocation", "method"),
                "an adaptive draw learns at looks only, and every look is final; add a look without `final`",
            )
