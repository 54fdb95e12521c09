"""An R script that makes the primary estimates again from the data file, without this software.

A number that two programs in two languages agree on is easier to believe. The script holds the choices of the locked
plan at its top and needs nothing but R itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.errors import PlanError
from analysis.measured import possible_range
from analysis.plan_schema import Outcome
from analysis.rscript_functions import FUNCTIONS
from analysis.uptake import refusal

if TYPE_CHECKING:
    from analysis.plan import PreAnalysisPlan
    from analysis.results import Effect, Results

TOLERANCE = 1e-6


def r_script(
    plan: PreAnalysisPlan, data_file: str, *, results: Results | None = None, alpha: float | None = None
) -> str:
    """The text of an R script that prints every primary estimate, its standard error and its interval as a CSV table,
    those on compliers included.

    `alpha` is the level of an interim look, as for `PreAnalysisPlan.run`; without it that of the results, else of the
    plan. `data_file` is the name of the CSV file; another may be given on the command line. With `results` the script
    also compares and ends with an error when a number differs by more than one millionth. Left out of it are ratios
    of risks, and standard errors under weights with clusters. Cox regressions need R's own package survival.

    Raises `PlanError` for a plan whose weights come from the design itself, or that analyses a waiting list: the
    script knows neither.

    >>> from analysis.plan import PreAnalysisPlan
    >>> plan = PreAnalysisPlan.from_dict({
    ...     "allocation": {"method": "complete", "ratio": {"a": 1, "b": 1}},
    ...     "outcomes": [{"name": "y", "kind": "continuous", "source": {"column": "y"}}],
    ...     "analysis_plan": {"control": "a"},
    ... })
    >>> script = r_script(plan, "people.csv")
    >>> plan.lock().sha256 in script, 'file <- if (length(arguments)) arguments[[1]] else "people.csv"' in script
    (True, True)
    """
    if plan.decision.weighs and plan.decision.probability is None:
        raise PlanError(
            "the weights of this design cannot be written in R",
            remedy="put each person's probability in a column and name it under analysis_plan.columns.probability",
            path=("allocation",),
        )
    if plan.analysis.waiting_list is not None:
        raise PlanError(
            "the script in R has no analysis by every offer made from a waiting list",
            remedy="run the plan here, or register the analysis by the first offer",
            path=("analysis_plan", "waiting_list"),
        )
    at = alpha if alpha is not None else results.read_at if results is not None else plan.analysis.alpha
    parts = [
        f"# The primary estimates of the plan with fingerprint {plan.lock().sha256},",
        f"# made again in R. Run it with the file of the data behind its name: Rscript primary.R {data_file}",
        *_level(at, plan.analysis.alpha),
        "",
        FUNCTIONS,
        "",
        "# ---- the choices of the locked plan " + "-" * 82,
        _plan(plan, at),
        "",
        "arguments <- commandArgs(trailingOnly = TRUE)",
        f"file <- if (length(arguments)) arguments[[1]] else {_text(data_file)}",
        "found <- reproduce(read_people(file), plan)",
        "write.csv(found, row.names = FALSE, quote = TRUE)",
    ]
    if results is not None and _primary(plan):
        parts += ["", *_comparison(plan, results)]
    return "\n".join(parts) + "\n"


def _level(at: float, alpha: float) -> list[str]:
    """What the reader of an interim look must know of its intervals."""
    if at == alpha:
        return []
    return [
        f"# Intervals have the level of this look: alpha {at!r}, what its spending leaves of {alpha!r} over all looks."
    ]


def _plan(plan: PreAnalysisPlan, alpha: float) -> str:
    decision, analysis = plan.decision, plan.analysis
    response = analysis.attrition.covariates
    if response is None:
        response = tuple(dict.fromkeys((*decision.adjust, *decision.strata)))
    nested = analysis.advisors if analysis.advisors and analysis.advisors.treat_as == "random" else None
    fields = {
        "alpha": repr(alpha),
        "arm": _text(analysis.columns.arm),
        "estimator": _text(decision.estimator),
        "adjust": _texts(decision.adjust),
        "response_covariates": _texts(response),
        "strata": _texts(decision.strata),
        "sparse_minimum": str(analysis.sparse_strata.minimum),
        "clusters": _text(decision.clusters),
        "whole_groups": "TRUE" if decision.clusters_allocated else "FALSE",
        "pairs": _text(decision.pairs),
        "drop_broken_pairs": "TRUE" if analysis.broken_pairs == "drop_pair" else "FALSE",
        "probability": _text(decision.probability),
        "advisors": _text(nested.column if nested and decision.clusters is None else None),
        "advised": _texts(nested.arms if nested else ()),
        "contrasts": _pairs(plan.contrasts),
        # Outside the family that the plan is sized for, and shown with that word.
        "secondary_contrasts": _pairs(analysis.secondary_contrasts) if analysis.secondary_contrasts else "NULL",
        "take_up": _text(analysis.take_up.column if analysis.take_up and _with_compliers(plan) else None),
        "compliers": _texts(_with_compliers(plan)) if _with_compliers(plan) else "NULL",
        "headline": _text(decision.headline) if _with_compliers(plan) else "NULL",
        "outcomes": f"list({', '.join(_outcome(outcome) for outcome in _primary(plan))})",
    }
    lines = ",\n".join(f"  {name} = {value}" for name, value in fields.items() if value != "NULL")
    return f"plan <- list(\n{lines}\n)"


def _with_compliers(plan: PreAnalysisPlan) -> list[str]:
    """The contrasts that have an effect on compliers, 'treated - comparison'."""
    return [f"{a} - {b}" for a, b in plan.every_contrast if not refusal(plan.analysis, a, b)]


def _compliers_of(plan: PreAnalysisPlan, outcome: Outcome) -> list[str]:
    """The same for one outcome; a time to an event has none in the script."""
    return [] if outcome.kind == "time_to_event" else _with_compliers(plan)


def _primary(plan: PreAnalysisPlan) -> list[Outcome]:
    """The primary outcomes; ratios of shares are not made again."""
    return [o for o in plan.outcomes if o.family == "primary" and o.effective_summary != "risk_ratio"]


def _outcome(outcome: Outcome) -> str:
    fields = {
        "name": _text(outcome.name),
        "column": _text(outcome.column),
        "kind": _text(outcome.kind),
        "summary": _text(outcome.effective_summary),
        "handling": _text(outcome.missing.handling),
    }
    if outcome.event is not None:
        fields["event"] = _text(outcome.event)
    if outcome.horizon is not None:
        fields["horizon"] = repr(outcome.horizon)
    if outcome.missing.handling == "worst_case":
        low, high = possible_range(outcome)
        bad, good = (high, low) if outcome.direction == "lower_is_better" else (low, high)
        fields |= {"bad": repr(bad), "good": repr(good)}
    return f"list({', '.join(f'{name} = {value}' for name, value in fields.items())})"


def _comparison(plan: PreAnalysisPlan, results: Results) -> list[str]:
    values: list[str] = []
    for outcome in _primary(plan):
        for contrast in results.outcome(outcome.name).contrasts:
            effects = [contrast.unadjusted, contrast.adjusted]
            if f"{contrast.treated} - {contrast.comparison}" in _compliers_of(plan, outcome):
                effects.append(contrast.complier.effect if contrast.complier else None)
            values += [_numbers(effect) for effect in effects]
    return [
        "# ---- against the results of the other program " + "-" * 72,
        f"other <- matrix(c({', '.join(values)}), ncol = 4, byrow = TRUE)",
        'apart <- abs(as.matrix(found[, c("estimate", "se", "low", "high")]) - other) / abs(other)',
        f'if (any(apart > {TOLERANCE:g}, na.rm = TRUE)) stop("the two programs do not agree")',
        'cat(sprintf("# both programs agree to %.1e on %d numbers\\n", max(0, apart, na.rm = TRUE), '
        "sum(!is.na(apart))))",
    ]


def _numbers(effect: Effect | None) -> str:
    """Estimate, standard error and interval, as R reads them."""
    if effect is None:
        return "NA, NA, NA, NA"
    return f"{effect.value!r}, {effect.se!r}, {effect.low!r}, {effect.high!r}"


def _text(value: str | None) -> str:
    if value is None:
        return "NULL"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _pairs(contrasts: Sequence[tuple[str, str]]) -> str:
    return f"list({', '.join(_texts(pair) for pair in contrasts)})"


def _texts(values: Sequence[str]) -> str:
    return f"c({', '.join(_text(value) for value in values)})" if values else "character(0)"
