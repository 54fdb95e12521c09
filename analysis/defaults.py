"""The published decision table: one estimator for every design, or a refusal with its reason.

The design decides how the effect is estimated, because the design is the only source of the randomness on which the
standard error rests. The table is the single place where that choice is made; `docs/methods/plan.md` prints it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from analysis.errors import DesignNotEstimable, PlanError
from analysis.plan_schema import AnalysisPlan
from analysis.structure import Structure, check_structure, structure_of

if TYPE_CHECKING:
    from randomization import Design

EVERY_OFFER = "ever offered against never offered, the last taker counted out (waiting list)"
FEW_CLUSTERS = 20
"""Below this number of planned clusters, permutation inference is locked instead of a t reference."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a kind of design asks of its analysis. `refusal` is filled when no estimator is trusted for it."""

    unadjusted: str
    adjusted: str
    reason: str
    source: str
    refusal: str = ""


_LIN = "Lin: arm interacted with centred covariates"
_DIM = "difference in means"

RULES: dict[str, Rule] = {
    "simple": Rule(
        _DIM, _LIN, "every allocation is independent; conditional on the arm sizes it is complete randomisation",
        "Freedman (2008); Lin (2013)",
    ),
    "complete": Rule(
        _DIM, _LIN, "the arm sizes are fixed and every subset of that size is equally likely",
        "Neyman (1923); Lin (2013)",
    ),
    "blocked": Rule(
        f"{_DIM} within strata, weighted by their size", f"{_LIN} and strata",
        "randomness exists within strata only, so comparisons are made within strata",
        "Imbens and Rubin (2015, ch. 9); Lin (2013)",
    ),
    "permuted_blocks": Rule(
        f"{_DIM} within strata, weighted by their size", f"{_LIN} and strata",
        "the strata are analysed; the small blocks in them never, because drop-out leaves blocks without an arm",
        "Bugni, Canay and Shaikh (2019); Lin (2013)",
    ),
    "biased_coin": Rule(
        _DIM, _LIN, "bounded imbalance: the standard error of complete randomisation is valid or conservative",
        "Efron (1971); Bugni, Canay and Shaikh (2018)",
    ),
    "big_stick": Rule(
        _DIM, _LIN, "bounded imbalance: the standard error of complete randomisation is valid or conservative",
        "Soares and Wu (1983); Bugni, Canay and Shaikh (2018)",
    ),
    "urn": Rule(
        _DIM, _LIN, "an urn tends to equal arms; the standard error of complete randomisation is valid or conservative",
        "Wei and Lachin (1988)",
    ),
    "block_urn": Rule(
        _DIM, _LIN, "bounded imbalance: the standard error of complete randomisation is valid or conservative",
        "Zhao and Weng (2011)",
    ),
    "maximal_procedure": Rule(
        _DIM, _LIN, "bounded imbalance: the standard error of complete randomisation is valid or conservative",
        "Berger, Ivanova and Knoll (2003)",
    ),
    "minimization": Rule(
        _DIM, f"{_LIN} and the minimisation factors",
        "the factors are balanced by design, so they are always adjusted for; without them the error is overstated",
        "Scott et al. (2002); Ye, Shao and Yi (2022)",
    ),
    "rerandomized": Rule(
        _DIM, f"{_LIN} and the covariates of the acceptance rule",
        "after adjustment for the covariates of the rule the usual standard error is asymptotically right",
        "Li, Ding and Rubin (2018); Li and Ding (2020)",
    ),
    "matched_pairs": Rule(
        "mean of the differences within pairs", "within-pair differences regressed on those of the covariates",
        "the pair is the stratum; a pair that lost a member is handled by the rule that the plan locks",
        "Imai (2008); Fogarty (2018)",
    ),
    "clustered": Rule(
        "difference in means with CR2 and Satterthwaite degrees of freedom", f"{_LIN}, CR2 and Satterthwaite",
        f"whole clusters were allocated; with fewer than {FEW_CLUSTERS} planned clusters the test redraws the design",
        "Bell and McCaffrey (2002); Pustejovsky and Tipton (2018)",
    ),
    "factorial": Rule(
        _DIM, _LIN, "every cell is an arm; registered contrasts compare cells", "Dasgupta, Pillai and Rubin (2015)"
    ),
    "lottery": Rule(
        _DIM, _LIN, "people are analysed by the offer made first; refills from the waiting list never change the arm",
        "de Chaisemartin and Behaghel (2020)",
    ),
    "two_stage": Rule(
        _DIM, _LIN, "those who enrol are compared within one arm of outreach, where the second stage is complete",
        "Borm et al. (2005); Hudgens and Halloran (2008)",
    ),
    "stepped_wedge": Rule(
        "", "", "every cluster is treated in the end, so the effect is mixed with calendar time",
        "Hussey and Hughes (2007); Hughes et al. (2020)",
        refusal="a stepped wedge has no contrast of arms: regress the outcome on exposure with cluster and period "
        "effects (analysis.lm_robust with fixed_effects and clusters) outside the plan",
    ),
    "adaptive": Rule(
        f"{_DIM}, weighted by one over the chance", f"{_LIN}, weighted by one over the chance",
        "allocation depends on earlier outcomes, so plain arm means are biased; weighting by the chance that each "
        "person had mends that, and a floor under the chances keeps the weights bounded",
        "Bowden and Trippa (2017); Hadad et al. (2021)",
        refusal="a response-adaptive design has biased arm means: give it a floor above 0 and name the column of the "
        "chances under analysis_plan.columns.probability, or analyse every wave by itself outside the plan with "
        "analysis.randomization_inference and the design of that wave, whose chances are fixed",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Situation:
    """What the data or the plan can bring on top of a design, and what then happens by a rule locked before."""

    when: str
    then: str
    rule: str
    source: str


SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "a stratum in which an arm has fewer than the minimum of people (or clusters) with a known outcome",
        "thin strata become one; when that one is thin too it takes in the smallest of the others",
        "sparse_strata", "Imbens and Rubin (2015, ch. 9)",
    ),
    Situation(
        "a pair that lost a member", "the other member is left out as well; `unpaired` forgets the pairs",
        "broken_pairs", "Imai, King and Nall (2009)",
    ),
    Situation(
        "fewer than 20 planned clusters",
        "the p-value and the interval come from redrawing the design, beside the same estimate", "clusters_planned",
        "Fisher (1935); Wu and Ding (2021)",
    ),
    Situation(
        "whole clusters allocated within strata",
        "difference within strata with CR2 in each; Lin's regression with stratum indicators and CR2", "",
        "Gerber and Green (2012); Pustejovsky and Tipton (2018)",
    ),
    Situation(
        "a sequential design that runs within strata, or a lottery drawn by stratum",
        "compared within the strata, as under `permuted_blocks`", "", "Bugni, Canay and Shaikh (2019)",
    ),
    Situation(
        "a lottery with tickets, or a column with the probability of the arm received",
        "people weigh the inverse of that probability", "columns.probability", "Horvitz and Thompson (1952)",
    ),
    Situation(
        "a lottery with refills, whose plan names the record of the offers",
        "everybody ever offered a place against everybody never offered one, list by list, the last taker counted out; "
        "no covariates, redrawing or bounds", "waiting_list", "de Chaisemartin and Behaghel (2020)",
    ),
    Situation(
        "rerandomised clusters or strata", "the structure of the inner design, and the covariates of the rule as well",
        "", "Li, Ding and Rubin (2018)",
    ),
    Situation(
        "advisors in the advised arms only",
        "`random`: people of one advisor are a cluster, all others clusters of one; `fixed`: as the design says",
        "advisors", "Lohr, Schochet and Sanders (2014)",
    ),
    Situation(
        "a time to an event",
        "restricted mean: the estimator above on pseudo-values; ratio of hazards: Cox or log-rank, strata and pairs "
        "kept apart, refused under weights and under redrawing (and log-rank under clusters)", "outcomes.summary",
        "Andersen, Hansen and Klein (2004); Cox (1972); Mantel (1966)",
    ),
)  # fmt: skip


_WORDS = ("unadjusted", "adjusted", "reason", "source", "warnings")


@dataclass(frozen=True, slots=True)
class Decision:
    """The estimator that follows from the design and the plan; it is locked with the plan.

    `strata`, `clusters`, `pairs` and `probability` name columns of the data; `clusters_allocated` says that whole
    clusters got an arm. `adjust` are the covariates of the adjusted result, those of the design first. `convention`
    is the standard error, `inference` the reference.
    """

    design: str
    estimator: Literal["difference_in_means", "lin", "ancova"]
    unadjusted: str
    adjusted: str
    headline: Literal["unadjusted", "adjusted"]
    strata: tuple[str, ...]
    clusters: str | None
    clusters_allocated: bool
    pairs: str | None
    probability: str | None
    weighs: bool
    adjust: tuple[str, ...]
    convention: str
    inference: Literal["t", "permutation"]
    reason: str
    source: str
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A plain mapping with the words that explain the decision, as it stands in the results."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def locked(self) -> dict[str, Any]:
        """The part that decides a number: it is locked with the plan, while the explaining words may improve."""
        return {key: value for key, value in self.to_dict().items() if key not in _WORDS}


def decide(design: Design, plan: AnalysisPlan) -> Decision:
    """The estimator for a design and a plan.

    Raises `DesignNotEstimable` when the table refuses the design, and `PlanError` when the plan contradicts it.

    >>> import randomization as rz
    >>> plan = AnalysisPlan(control="portal", covariates=("age",))
    >>> decide(rz.complete({"portal": 1, "advice": 1}), plan).convention
    'HC2'
    """
    rule = rule_for(design.method)
    if rule.refusal and not _chances_are_kept(design, plan):
        raise DesignNotEstimable(rule.refusal, path=("allocation", "method"))
    structure = structure_of(design, plan)
    check_structure(structure)
    adjust = tuple(n for n in dict.fromkeys((*structure.covariates, *plan.covariates)) if n not in structure.strata)
    if plan.estimator == "difference_in_means":
        adjust = ()
    _check_adjustment(adjust, structure.strata, plan)
    nested = plan.advisors is not None and plan.advisors.treat_as == "random"
    return Decision(
        design=design.method,
        estimator="lin" if plan.estimator == "design_default" else plan.estimator,
        unadjusted=rule.unadjusted if plan.waiting_list is None else EVERY_OFFER,
        adjusted=rule.adjusted if adjust else "",
        headline=plan.headline or ("adjusted" if adjust else "unadjusted"),
        strata=structure.strata,
        clusters=structure.clusters,
        clusters_allocated=structure.clusters_allocated,
        pairs=structure.pairs,
        probability=plan.columns.probability,
        weighs=structure.weighs or plan.columns.probability is not None,
        adjust=adjust,
        convention="CR2" if structure.clusters or nested else "HC2",
        inference=_inference(structure.clusters, plan),
        reason=rule.reason,
        source=rule.source,
        warnings=_warnings(design, structure, plan),
    )


def _chances_are_kept(design: Design, plan: AnalysisPlan) -> bool:
    """Whether an adaptive design can be weighed: the chances are in the data and none of them comes near nought."""
    return plan.columns.probability is not None and getattr(design, "floor", 0) > 0


def _check_adjustment(adjust: tuple[str, ...], strata: tuple[str, ...], plan: AnalysisPlan) -> None:
    if plan.estimator not in ("design_default", "difference_in_means") and not (adjust or strata):
        raise PlanError(
            f"estimator '{plan.estimator}' adjusts for covariates, and the plan names none",
            remedy="name covariates or write estimator: design_default",
            path=("analysis_plan", "estimator"),
        )
    if plan.headline == "adjusted" and not adjust:
        raise PlanError(
            "there is no adjusted result without covariates",
            remedy="name covariates",
            path=("analysis_plan", "headline"),
        )


def rule_for(method: str) -> Rule:
    """The row of the table for a method; raises `DesignNotEstimable` for one that is not in it."""
    if method not in RULES:
        raise DesignNotEstimable(
            f"the decision table has no estimator for allocation method '{method}'",
            remedy=f"it knows {', '.join(sorted(RULES))}",
            path=("allocation", "method"),
        )
    return RULES[method]


def decision_table() -> str:
    """The table as it stands in the documentation, in Markdown.

    >>> print(decision_table().splitlines()[2][:60])
    | `simple` | difference in means | Lin: arm interacted with
    """
    rows = ["| allocation | without covariates | with covariates | because | source |", "|---|---|---|---|---|"]
    for method, rule in RULES.items():
        cells = (f"`{method}`", rule.unadjusted or "refused", rule.adjusted or rule.refusal, rule.reason, rule.source)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def situations_table() -> str:
    """What can come on top of a design, as it stands in the documentation, in Markdown.

    >>> situations_table().splitlines()[4][:27]
    '| fewer than 20 planned clu'
    """
    rows = ["| when | then | rule of the plan | source |", "|---|---|---|---|"]
    for one in SITUATIONS:
        rule = f"`{one.rule}`" if one.rule else "by the design"
        rows.append(f"| {one.when} | {one.then} | {rule} | {one.source} |")
    return "\n".join(rows)


def _inference(clusters: str | None, plan: AnalysisPlan) -> Literal["t", "permutation"]:
    if plan.inference == "permutation":
        return "permutation"
    few = clusters is not None and plan.clusters_planned is not None and plan.clusters_planned < FEW_CLUSTERS
    return "permutation" if few and plan.inference == "design_default" else "t"


def _warnings(design: Design, structure: Structure, plan: AnalysisPlan) -> tuple[str, ...]:
    found, clusters = [], structure.clusters
    if design.method == "adaptive":
        found.append(
            "chances followed the outcomes: intervals rest on weights by one over the chance and on numbers large "
            "enough; check the main result with analysis.randomization_inference"
        )
    if clusters is not None and not structure.clusters_allocated:
        found.append(
            f"people were allocated one by one, yet standard errors are clustered by '{clusters}'; "
            "they are wider than the design needs unless people were also sampled by cluster"
        )
    if clusters is not None and plan.clusters_planned is None:
        found.append(
            "the plan does not say how many clusters are planned, so CR2 with Satterthwaite is used however few come"
        )
    if plan.inference == "t" and clusters and (plan.clusters_planned or FEW_CLUSTERS) < FEW_CLUSTERS:
        found.append(f"a t reference was chosen for fewer than {FEW_CLUSTERS} clusters")
    return tuple(found)
