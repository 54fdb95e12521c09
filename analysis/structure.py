"""What a design says about the people in it: strata, clusters, pairs, and covariates that it balanced.

The randomness of an experiment lives in these; an analysis that leaves one of them out contradicts the design.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import DesignNotEstimable, PlanError
from analysis.plan_schema import AnalysisPlan

if TYPE_CHECKING:
    from randomization import Design

BETWEEN = " > "


@dataclass(frozen=True, slots=True)
class Structure:
    """Names of columns: `strata`, `clusters`, `pairs`, and the `covariates` on which the design itself acted.

    `clusters_allocated` says whether the design allocated the clusters whole; `weighs` whether it gave people unequal
    chances within a stratum.
    """

    method: str
    strata: tuple[str, ...]
    clusters: str | None
    clusters_allocated: bool
    pairs: str | None
    covariates: tuple[str, ...]
    weighs: bool


def structure_of(design: Design, plan: AnalysisPlan) -> Structure:
    """The structure of a design, read through the designs it is built from, with the columns that the plan names.

    >>> import randomization as rz
    >>> base = rz.clustered(["a", "b"], "desk", strata=["region"])
    >>> found = structure_of(rz.rerandomized(base, ["size"]), AnalysisPlan(control="a"))
    >>> found.strata, found.clusters, found.covariates
    (('region',), 'desk', ('size',))
    """
    inner: Any = getattr(design, "base", design)
    strata, clusters = tuple(design.strata), getattr(inner, "clusters", None)
    covariates: tuple[str, ...] = ()
    if design.method == "rerandomized":
        strata = tuple(inner.strata)
        covariates = tuple(getattr(design, "covariates", ()))
    if design.method == "minimization":
        covariates = tuple(design.to_dict()["factors"])
    if design.method == "two_stage":
        strata, clusters = _of_stages(design, plan)
    return Structure(
        method=design.method,
        strata=strata,
        clusters=plan.columns.cluster or clusters,
        clusters_allocated=clusters is not None,
        pairs=plan.columns.pair or getattr(inner, "pairs", None),
        covariates=covariates,
        weighs=getattr(design, "tickets", None) is not None,
    )


def check_structure(structure: Structure) -> None:
    """Raise `PlanError` when the plan names a structure that the allocation does not have."""
    if structure.pairs is None or structure.method in ("matched_pairs", "rerandomized"):
        return
    raise PlanError(
        f"the allocation is '{structure.method}', which makes no pairs",
        remedy="leave out analysis_plan.columns.pair",
        path=("analysis_plan", "columns", "pair"),
    )


def check_contrasts(design: Design, plan: AnalysisPlan) -> None:
    """Raise when the design makes a registered contrast meaningless, naming the contrast.

    People who enrol after different outreach are different people; sets that hold an arm twice are no pairs.
    """
    if design.method == "two_stage" and getattr(design, "enrolled", None) is not None:
        for place, (treated, comparison) in enumerate(plan.every_contrast):
            if treated.split(BETWEEN)[0] != comparison.split(BETWEEN)[0]:
                beyond = place - len(plan.contrasts)
                raise PlanError(
                    f"'{treated}' and '{comparison}' were reached in different ways, so those who enrolled differ",
                    remedy="compare arms of the second stage within one arm of the first",
                    path=("analysis_plan", *(("contrasts", place) if beyond < 0 else ("secondary_contrasts", beyond))),
                )
    if design.method == "matched_pairs" and not design.equal:
        raise DesignNotEstimable(
            "sets in which an arm stands more than once have no estimator in the decision table",
            remedy="match sets with each arm once, or analyse them outside the plan",
            path=("allocation", "ratio"),
        )


def _of_stages(design: Any, plan: AnalysisPlan) -> tuple[tuple[str, ...], str | None]:
    """Within one arm of the first stage the second decides; across them the first stage's clusters do."""
    across = any(a.split(BETWEEN)[0] != b.split(BETWEEN)[0] for a, b in plan.every_contrast)
    clusters = getattr(design.first, "clusters", None)
    if across:
        return tuple(design.first.strata), clusters
    return tuple(dict.fromkeys((*design.first.strata, *design.within))), None
