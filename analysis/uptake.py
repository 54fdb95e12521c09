"""Take-up by arm, and the effect on those who take the offer up because it was made.

Dividing an effect by the difference in take-up is right only when take-up is the one way in which the offer can work.
So the complier effect is refused unless the plan declares the components of both arms and they differ in exactly the
component that the take-up column measures.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.contrasts import Table, stratum_columns
from analysis.errors import DataError, DesignNotEstimable
from analysis.estimate import Estimate
from analysis.instrumental import iv_robust
from analysis.plan_schema import AnalysisPlan
from analysis.results import TakeUpArm
from analysis.trial import Trial, column_of, numeric


def taken_up(trial: Trial, plan: AnalysisPlan) -> np.ndarray | None:
    """Take-up of every participant as 0, 1 or NaN, shape (n,); None when the plan defines none."""
    if plan.take_up is None:
        return None
    values = column_of(trial.data, plan.take_up.column)
    if pd.api.types.is_bool_dtype(values):
        values = values.astype(float)
    taken = numeric(pd.DataFrame({plan.take_up.column: values}), plan.take_up.column).to_numpy()
    wrong = ~np.isnan(taken) & ~np.isin(taken, (0.0, 1.0))
    if wrong.any():
        raise DataError(
            f"row {trial.data.index[wrong][0]}: {taken[wrong][0]:g} in take-up column '{plan.take_up.column}' "
            "is not 0 or 1",
            path=("analysis_plan", "take_up", "column"),
        )
    return taken


def by_arm(trial: Trial, taken: np.ndarray) -> tuple[TakeUpArm, ...]:
    """Take-up in each arm among those for whom it is known."""
    arm = trial.data[trial.arm].to_numpy()
    rows = []
    for name in trial.arms:
        here = taken[arm == name]
        known = here[~np.isnan(here)]
        share = float(known.mean()) if len(known) else None
        rows.append(TakeUpArm(arm=name, n=len(here), known=len(known), taken=int(known.sum()), share=share))
    return tuple(rows)


def refusal(plan: AnalysisPlan, treated: str, comparison: str) -> str:
    """Why there is no complier effect for this contrast, or an empty text when there may be one.

    >>> plan = AnalysisPlan(control="c", take_up={"column": "came", "definition": "came once"})
    >>> refusal(plan, "t", "c")[:48]
    'the plan does not say of what the arms consist, '
    """
    take_up = plan.take_up
    if take_up is None:
        return "the plan defines no take-up"
    if treated not in plan.components or comparison not in plan.components or take_up.component is None:
        return (
            "the plan does not say of what the arms consist, so take-up may not be the only thing in which they "
            "differ; declare analysis_plan.components and take_up.component"
        )
    differ = set(plan.components[treated]) ^ set(plan.components[comparison])
    if differ == {take_up.component}:
        return ""
    if len(differ) > 1:
        return f"the arms differ in more than one thing: {', '.join(sorted(differ))}"
    return f"the arms do not differ in '{take_up.component}', which is what the take-up column measures"


def complier_effect(table: Table, taken: np.ndarray, *, with_covariates: bool) -> Estimate:
    """Two-stage least squares of the outcome on take-up, with the offer as instrument.

    `taken`, one value for each row of the table, is 0, 1 or NaN. Raises `DesignNotEstimable` when take-up is the same
    in both arms. Angrist, Imbens and Rubin (1996), JASA 91; the standard error follows the convention of the plan.
    """
    data = table.data.assign(d=taken)
    data = data.loc[data["d"].notna()].reset_index(drop=True)
    shares = data.groupby("t")["d"].mean()
    if len(shares) < 2 or shares.iloc[0] == shares.iloc[1]:
        raise DesignNotEstimable("take-up is the same in both arms, so nobody is known to comply")
    exogenous = list(table.covariates) if with_covariates else []
    if table.strata:
        dummies = stratum_columns(data)
        data = pd.concat([data, dummies], axis=1)
        exogenous += list(dummies.columns)
    more = "".join(f" + {name}" for name in exogenous)
    fit = iv_robust(
        f"y ~ d{more} | t{more}",
        data,
        se_type=table.convention,
        clusters="c" if table.clusters else None,
        weights="w" if table.weights else None,
    )
    return fit["d"]
