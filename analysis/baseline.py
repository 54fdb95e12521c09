"""The balance of a trial's covariates over its arms, as it stands in the results."""

from __future__ import annotations

import numpy as np

from analysis.balance import hansen_bowers, joint_f, normalised_difference, permutation_p, table
from analysis.contrasts import Context
from analysis.covariates import MOST_LEVELS, Covariates, encode
from analysis.errors import DesignNotEstimable
from analysis.results import BalanceResult, BalanceRow, BalanceTest
from analysis.trial import column_of

DRAWS = 999
"""Redrawn allocations for the permutation test of balance: a p-value of .05 is then good to about .007."""


def balance_result(context: Context) -> BalanceResult | None:
    """The balance table over the plan's covariates and strata, or None when the plan names neither."""
    trial = context.trial
    strata = [name for name in context.decision.strata if column_of(trial.data, name).nunique() <= MOST_LEVELS]
    columns = tuple(dict.fromkeys((*context.decision.adjust, *context.plan.covariates, *strata)))
    shown = encode(trial.data, columns, all_levels=True)
    if not shown.names:
        return None
    arm = trial.data[trial.arm].to_numpy()
    if any((arm == name).sum() < 2 for name in trial.arms):
        return None
    differences = {
        f"{treated} - {comparison}": _difference(shown, arm, treated, comparison)
        for treated, comparison in context.plan.every_contrast
    }
    rows = tuple(
        BalanceRow(
            covariate=row.name,
            missing=shown.missing[shown.origin[place]],
            means=dict(zip(trial.arms, row.means, strict=True)),
            sds=dict(zip(trial.arms, row.sds, strict=True)),
            normalised_difference={name: found[place] for name, found in differences.items() if place in found},
        )
        for place, row in enumerate(table(shown.values, shown.names, arm, trial.arms))
    )
    tests = [_test(context, arm, treated, comparison) for treated, comparison in context.plan.every_contrast]
    p, draws = _permutation(context, arm)
    return BalanceResult(
        rows=rows, tests=tuple(test for test in tests if test is not None), p_permutation=p, draws=draws
    )


def _difference(shown: Covariates, arm: np.ndarray, treated: str, comparison: str) -> dict[int, float]:
    """The normalised difference of every column that has one, by its place."""
    use = (arm == treated) | (arm == comparison)
    found = {}
    for place in range(len(shown.names)):
        try:
            found[place] = float(normalised_difference(shown.values[use][:, [place]], arm[use] == treated)[0])
        except DesignNotEstimable:  # constant in both arms and not the same: there is no spread to divide by
            continue
    return found


def _test(context: Context, arm: np.ndarray, treated: str, comparison: str) -> BalanceTest | None:
    use = (arm == treated) | (arm == comparison)
    chosen = context.covariates.of(use)
    x, names = chosen.values, chosen.names
    if not names:
        return None
    strata = context.trial.stratum().to_numpy()[use] if context.decision.strata else None
    clusters = context.clusters[use] if context.decision.clusters and context.clusters is not None else None
    is_treated = arm[use] == treated
    try:
        omnibus = hansen_bowers(x, names, is_treated, strata=strata, clusters=clusters)
    except DesignNotEstimable:
        return None
    try:
        f = joint_f(x, names, is_treated) if clusters is None else None
    except DesignNotEstimable:
        f = None
    return BalanceTest(
        contrast=f"{treated} - {comparison}",
        chi_square=omnibus.statistic,
        df=int(omnibus.df1),
        p=omnibus.p,
        joint_f=f.statistic if f else None,
        f_df1=int(f.df1) if f else None,
        f_df2=int(f.df2) if f else None,
        f_p=f.p if f else None,
    )


def _permutation(context: Context, arm: np.ndarray) -> tuple[float | None, int]:
    design, x = context.trial.design, context.covariates.values
    if design is None or x.shape[1] == 0 or context.decision.design not in REDRAWN:
        return None, 0
    draws = min(DRAWS, context.plan.draws)
    codes = np.array([design.names.index(name) for name in arm])
    strata = context.trial.stratum().to_numpy() if context.decision.strata else None
    try:
        p = permutation_p(
            x,
            codes,
            lambda m: design.draws(context.trial.data, m, context.plan.seed),
            n_draws=draws,
            strata=strata,
        )
    except DesignNotEstimable:
        return None, 0
    return p, draws


REDRAWN = ("simple", "complete", "blocked", "permuted_blocks", "clustered", "matched_pairs", "big_stick", "biased_coin")
"""Designs that can be redrawn for the people of a trial from their own columns alone, quickly enough to do always."""
