"""What differs from the plan, found by the software and not left to anyone's memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.attrition import differential_response
from analysis.contrasts import Context, Table
from analysis.measured import Measured
from analysis.results import ContrastResult, Deviation, ResponseResult, SampleRatio, TakeUpArm

PLANNED_TOLERANCE = 0.10
FEWEST_CLUSTERS = 10


def of_data(context: Context, ratio: SampleRatio) -> list[Deviation]:
    """Deviations in the allocation and the covariates, before any outcome is looked at."""
    return [
        *_warnings(context),
        *_sizes(context, ratio),
        *_imbalanced_blocks(context),
        *_clusters(context),
        *_covariates(context),
    ]


def of_response(measured: Measured, response: ResponseResult, context: Context) -> list[Deviation]:
    """Deviations in who answered one outcome."""
    name, rules = measured.outcome.name, context.plan.attrition
    found = []
    if response.p is not None and (response.p < rules.alpha and response.largest_gap > 0):
        severity = "serious" if response.largest_gap > rules.threshold else "warning"
        found.append(
            Deviation(
                code="differential_attrition", severity=severity, where=name,
                sentence=f"response to '{name}' differs between arms by up to {response.largest_gap:.1%} "
                f"(p = {response.p:.3f})",
            )
        )  # fmt: skip
    if measured.times is not None:
        found += _censoring(measured, context)
    missing = measured.outcome.missing
    if (
        not measured.complete
        and missing.handling in ("complete_cases", "inverse_probability")
        and not missing.justified
    ):
        found.append(
            Deviation(
                code="not_intention_to_treat", severity="serious", where=name,
                sentence=f"{int((~measured.observed).sum())} outcomes of '{name}' are missing and the plan locks no "
                "assumption with bounds, so the result may not be called intention to treat",
            )
        )  # fmt: skip
    return found


def _censoring(measured: Measured, context: Context) -> list[Deviation]:
    """People lost from sight at another pace in one arm than in another."""
    assert measured.times is not None
    name, early = measured.outcome.name, measured.times.censored_early(measured.observed)
    arm = context.trial.data[context.trial.arm].to_numpy()[measured.observed]
    lost = differential_response(arm, early[measured.observed], context.trial.arms)
    found = []
    if lost.p is not None and lost.p < context.plan.attrition.alpha:
        serious = lost.largest_gap > context.plan.attrition.threshold
        found.append(
            Deviation(
                code="differential_censoring", severity="serious" if serious else "warning", where=name,
                sentence=f"the share lost from sight before the end of '{name}' differs between arms by up to "
                f"{lost.largest_gap:.1%} (p = {lost.p:.3f}), so being lost may have to do with the event",
            )
        )  # fmt: skip
    return found


def of_contrast(measured: Measured, result: ContrastResult, table: Table | None, context: Context) -> list[Deviation]:
    """Deviations in how one contrast was estimated."""
    where = f"{measured.outcome.name}: {result.treated} - {result.comparison}"
    found = []
    if result.refused:
        found.append(Deviation(code="not_estimated", severity="serious", where=where, sentence=result.refused))
    if table is None:
        return found
    if table.uninformative and context.decision.estimator != "difference_in_means":
        found.append(
            Deviation(
                code="covariate_left_out", severity="note", where=where,
                sentence=f"fewer than two people of an arm differ from the others in {', '.join(table.uninformative)}, "
                "so the adjusted result does without",
            )
        )  # fmt: skip
    if table.pooled:
        found.append(
            Deviation(
                code="sparse_strata_pooled", severity="note", where=where,
                sentence=f"{len(table.pooled)} strata were too thin and were put together by the rule of the plan: "
                f"{', '.join(table.pooled[:6])}{' …' if len(table.pooled) > 6 else ''}",
            )
        )  # fmt: skip
    if table.broken_pairs:
        found.append(
            Deviation(
                code="broken_pairs", severity="note", where=where,
                sentence=f"{table.broken_pairs} people were left out with the other member of their pair, "
                "as the plan says",
            )
        )  # fmt: skip
    if (
        context.decision.headline == "adjusted"
        and result.headline == "unadjusted"
        and not (result.refused or measured.outcome.effective_summary == "log_rank")
    ):
        found.append(
            Deviation(
                code="nothing_to_adjust_for", severity="warning", where=where,
                sentence="no covariate of the plan varies among these people, so the unadjusted result is the main one",
            )
        )  # fmt: skip
    return found


def of_take_up(rows: Iterable[TakeUpArm], context: Context) -> list[Deviation]:
    """Take-up where the plan says that there is nothing to take up, which is contamination."""
    take_up = context.plan.take_up
    if take_up is None or take_up.component is None:
        return []
    return [
        Deviation(
            code="contamination", severity="warning", where=row.arm,
            sentence=f"{row.taken} of {row.known} people in arm '{row.arm}' took up '{take_up.component}', "
            "which is no part of that arm",
        )
        for row in rows
        if row.taken and take_up.component not in context.plan.components.get(row.arm, (take_up.component,))
    ]  # fmt: skip


def _warnings(context: Context) -> list[Deviation]:
    return [
        Deviation(code="plan_warning", severity="warning", sentence=text, where="analysis_plan")
        for text in context.decision.warnings
    ]


def _sizes(context: Context, ratio: SampleRatio) -> list[Deviation]:
    found = []
    if ratio.mismatch:
        found.append(
            Deviation(
                code="sample_ratio_mismatch", severity="serious", where="allocation",
                sentence=f"the sizes of the arms do not fit the design (p = {ratio.p:.2g}): "
                "rows were lost, added or moved",
            )
        )  # fmt: skip
    planned = context.plan.participants_planned
    if planned is not None and abs(context.trial.n / planned - 1) > PLANNED_TOLERANCE:
        found.append(
            Deviation(
                code="sample_size", severity="warning", where="sample_size",
                sentence=f"{context.trial.n} people were allocated where the plan counts on {planned}",
            )
        )  # fmt: skip
    return found


def _imbalanced_blocks(context: Context) -> list[Deviation]:
    """Arm sizes within a stratum that no sequence of permuted blocks can give."""
    trial, design = context.trial, context.trial.design
    sizes = getattr(design, "sizes", None)
    if design is None or sizes is None or context.decision.design != "permuted_blocks":
        return []
    shares = dict(zip(design.names, (float(share) for share in design.shares), strict=True))
    counts = Counter(zip(trial.stratum(), trial.data[trial.arm], strict=True))
    totals = Counter(trial.stratum())
    found = []
    for stratum, total in sorted(totals.items()):
        for arm, share in shares.items():
            here = counts[stratum, arm]
            gap = abs(here - share * total)
            if gap > max(sizes) * share * (1 - share) + 1e-9:
                found.append(
                    Deviation(
                        code="impossible_imbalance", severity="serious", where=f"stratum {stratum}",
                        sentence=f"stratum '{stratum}' has {here} of {total} people in arm "
                        f"'{arm}', which blocks of {max(sizes)} cannot give",
                    )
                )  # fmt: skip
                break
    return found


def _clusters(context: Context) -> list[Deviation]:
    if context.clusters is None or context.decision.clusters is None:
        return []
    n = len(set(context.clusters))
    found = []
    planned = context.plan.clusters_planned
    if planned is not None and n != planned:
        found.append(
            Deviation(
                code="clusters", severity="warning", where="sample_size",
                sentence=f"{n} clusters were allocated where the plan counts on {planned}",
            )
        )  # fmt: skip
    if n < FEWEST_CLUSTERS and context.decision.inference == "t":
        found.append(
            Deviation(
                code="few_clusters", severity="warning", where="clusters",
                sentence=f"there are only {n} clusters; degrees of freedom are few and no redrawing was planned",
            )
        )  # fmt: skip
    return found


def _covariates(context: Context) -> list[Deviation]:
    covariates: Any = context.covariates
    missing: Mapping[str, int] = covariates.missing
    found = [
        Deviation(
            code="constant_covariate", severity="warning", where=name,
            sentence=f"covariate '{name}' has one value only and was left out",
        )
        for name in covariates.constant
    ]  # fmt: skip
    found += [
        Deviation(
            code="covariate_missing", severity="note", where=name,
            sentence=f"covariate '{name}' is missing for {count} people; an indicator stands for that",
        )
        for name, count in missing.items()
        if count
    ]  # fmt: skip
    return found
