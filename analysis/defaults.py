"""The published decision table: one estimator for every design, or a refusal with its reason.

The design decides how the effect is estimated, because the design is the only source of the randomness on which the
standard error rests. The table is the single place where that choice is made; `docs/methods/plan.md` prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from analysis.errors import DesignNotEstimable, PlanError
from analysis.plan_schema import AnalysisPlan

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
    adjusts_for: str = ""
    weighs: bool = False


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
    "maximal_procedure": Rule(
        _DIM, _LIN, "bounded imbalance: the standard error of complete randomisation is valid or conservative",
        "Berger, Ivanova and Knoll (2003)",
    ),
    "minimization": Rule(
        _DIM, f"{_LIN} and the minimisation factors",
        "the factors are balanced by design, so they are always adjusted for; without them the error is overstated",
        "Scott et al. (2002); Ye, Shao and Yi (2022)", adjusts_for="factors",
    ),
    "rerandomized": Rule(
        _DIM, f"{_LIN} and the covariates of the acceptance rule",
        "after adjustment for the covariates of the rule the usual standard error is asymptotically right",
        "Li, Ding and Rubin (2018); Li and Ding (2020)", adjusts_for="covariates",
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
        "de Chaisemartin and Behaghel (2020)", weighs=True,
    ),
    "two_stage": Rule(
        _DIM, _LIN, "the second stage is analysed among those who entered it, where it is a complete randomisation",
        "Hudgens and Halloran (2008)",
    ),
    "stepped_wedge": Rule(
        "", "", "every cluster is treated in the end, so the effect is mixed with calendar time",
        "Hussey and Hughes (2007); Hughes et al. (2020)",
        refusal="a stepped wedge has no contrast of arms: regress the outcome on exposure with cluster and period "
        "effects (analysis.lm_robust with fixed_effects and clusters) outside the plan",
    ),
    "adaptive": Rule(
        "", "", "allocation depends on earlier outcomes, so arm means are biased and not normal",
        "Hadad et al. (2021)",
        refusal="a response-adaptive design has no default estimator: its sample means are biased, so analyse it with "
        "analysis.randomization_inference, which redraws the adaptive rule",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """The estimator that follows from the design and the plan; it is locked with the plan.

    `strata`, `clusters`, `pairs` and `probability` name columns of the data. `adjust` are the covariates of the
    adjusted result, those of the design first. `convention` is the standard error, `inference` the reference.
    """

    design: str
    estimator: Literal["difference_in_means", "lin", "ancova"]
    unadjusted: str
    adjusted: str
    headline: Literal["unadjusted", "adjusted"]
    strata: tuple[str, ...]
    clusters: str | None
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
        """A plain mapping, as it stands in the locked plan."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def decide(design: Mapping[str, Any], strata: tuple[str, ...], plan: AnalysisPlan) -> Decision:
    """The estimator for a design, given as the mapping under `allocation`, and a plan.

    Raises `DesignNotEstimable` when the table refuses the design, and `PlanError` when the plan contradicts it.

    >>> plan = AnalysisPlan(control="portal", covariates=("age",))
    >>> decide({"method": "complete", "ratio": {"portal": 1, "advice": 1}}, (), plan).convention
    'HC2'
    """
    method = str(design.get("method", ""))
    rule = rule_for(method)
    if rule.refusal:
        raise DesignNotEstimable(rule.refusal, path=("allocation", "method"))
    clusters = plan.columns.cluster or _column(design, "cluster", "clusters")
    pairs = plan.columns.pair or _column(design, "pair", "pairs")
    _refuse_contradictions(method, clusters, pairs, plan)
    own = tuple(str(name) for name in design.get(rule.adjusts_for, ()) or ()) if rule.adjusts_for else ()
    adjust = tuple(dict.fromkeys(name for name in (*own, *plan.covariates) if name not in strata))
    if plan.estimator == "difference_in_means":
        adjust = ()
    elif plan.estimator != "design_default" and not (adjust or strata):
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
    nested = plan.advisors is not None and plan.advisors.treat_as == "random"
    return Decision(
        design=method,
        estimator="lin" if plan.estimator == "design_default" else plan.estimator,
        unadjusted=rule.unadjusted,
        adjusted=rule.adjusted if adjust else "",
        headline=plan.headline or ("adjusted" if adjust else "unadjusted"),
        strata=strata,
        clusters=clusters,
        pairs=pairs if method == "matched_pairs" else None,
        probability=plan.columns.probability,
        weighs=rule.weighs or plan.columns.probability is not None,
        adjust=adjust,
        convention="CR2" if clusters or nested else "HC2",
        inference=_inference(clusters, plan),
        reason=rule.reason,
        source=rule.source,
        warnings=_warnings(method, clusters, plan),
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


def _inference(clusters: str | None, plan: AnalysisPlan) -> Literal["t", "permutation"]:
    if plan.inference == "permutation":
        return "permutation"
    few = clusters is not None and plan.clusters_planned is not None and plan.clusters_planned < FEW_CLUSTERS
    return "permutation" if few and plan.inference == "design_default" else "t"


def _refuse_contradictions(method: str, clusters: str | None, pairs: str | None, plan: AnalysisPlan) -> None:
    if method == "clustered" and clusters is None:
        raise PlanError(
            "clusters were allocated, and the plan would analyse people as if they were allocated one by one",
            remedy="name the column of the clusters under analysis_plan.columns.cluster",
            path=("analysis_plan", "columns", "cluster"),
        )
    if method == "matched_pairs" and pairs is None:
        raise PlanError(
            "pairs were allocated, and the plan does not say which column holds the pair",
            remedy="name it under analysis_plan.columns.pair",
            path=("analysis_plan", "columns", "pair"),
        )
    if method != "matched_pairs" and plan.columns.pair is not None:
        raise PlanError(
            f"the allocation is '{method}', which makes no pairs",
            remedy="leave out analysis_plan.columns.pair",
            path=("analysis_plan", "columns", "pair"),
        )


def _warnings(method: str, clusters: str | None, plan: AnalysisPlan) -> tuple[str, ...]:
    found = []
    if clusters is not None and method not in ("clustered", "two_stage"):
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


def _column(design: Mapping[str, Any], *keys: str) -> str | None:
    for key in keys:
        value = design.get(key)
        if isinstance(value, str):
            return value
    return None
