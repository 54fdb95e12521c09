"""Lin's regression: covariate adjustment that cannot make the difference in means worse.

Covariates are centred and interacted with every arm, so the coefficient of an arm stays the average effect for
everybody. Lin (2013), Annals of Applied Statistics 7, 295-318.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.errors import FormulaError, OptionError
from analysis.estimate import Array, Regression
from analysis.formulas import INTERCEPT, Model, design, read_model, sides
from analysis.frame import as_frame, codes, column, control_label, is_number, of_trial
from analysis.kernels.rows import Columns
from analysis.regression import regress

ESTIMAND = "average effect of assignment, adjusted for centred covariates interacted with the arms"


def lm_lin(
    formula: str,
    covariates: str,
    data: Any,
    *,
    se_type: str | None = None,
    clusters: Any = None,
    weights: Any = None,
    control: Any = None,
) -> Regression:
    """The regression of Lin (2013): `formula` is "outcome ~ arm", `covariates` one-sided, such as "~ age + C(site)".

    With several arms each arm has its own coefficient against the control and its own interactions. Covariates are
    centred at their (weighted) mean over all rows in use; their columns are named "age_c", the interactions
    "arm:age_c". Standard errors as in `lm_robust` (HC2, or CR2 with clusters). Strata go in as "~ C(block)".

    Raises FormulaError, RankDeficient when a covariate is constant within an arm, TooFewClusters, MissingValues.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"y": [1.0, 3, 2, 6, 4, 5, 4, 7], "arm": list("aaaabbbb"), "x": [1.0, 2, 0, 3, 1, 2, 0, 3]})
    >>> fit = lm_lin("y ~ arm", "~ x", data)
    >>> list(fit), round(fit["arm"].value, 4)
    (['Intercept', 'arm[T.b]', 'x_c', 'arm[T.b]:x_c'], 2.0)
    """
    outcome, arm = sides(formula)
    frame = as_frame(data)
    if arm not in frame.columns and ("+" in arm or "*" in arm):
        raise FormulaError(f"'{formula}' holds more than the arms", remedy="move the covariates to the second formula")
    right = covariates.split("~", 1)[-1].strip()
    if not right or right in ("0", "1"):
        raise FormulaError(f"'{covariates}' names no covariate", remedy="use difference_in_means without covariates")
    clusters = of_trial(data, "clusters", clusters)
    model = read_model(f"{outcome} ~ {right}", frame, clusters=clusters, weights=weights, also=(arm,))
    arms, names = arm_columns(frame.loc[model.keep], arm, of_trial(data, "control", control))
    full = interacted(model, arms, names, right, frame)
    return regress(full, se_type, ESTIMAND)


def arm_columns(rows: Any, arm: str, control: Any) -> tuple[list[Array], list[str]]:
    """Indicators of every arm but the control, and their names."""
    series = column(rows, arm, "arm")
    found, labels = codes(series)
    if len(labels) < 2:
        raise OptionError(f"everybody is in arm '{labels[0]}'", remedy="two arms are needed for a comparison")
    if len(labels) > max(20, len(rows) // 10):
        raise OptionError(f"'{arm}' takes {len(labels)} values, which is no set of arms")
    against = control_label(labels, control)
    plain = is_number(series) and len(labels) == 2 and set(labels) <= {0, 1} and against == 0
    others = [label for label in labels if label != against]
    names = [arm if plain else f"{arm}[T.{label}]" for label in others]
    return [(found == labels.index(label)).astype(float) for label in others], names


def interacted(model: Model, arms: list[Array], names: list[str], right: str, frame: Any) -> Model:
    """The model with arms, centred covariates and all their interactions."""
    pairs = [(name, values) for name, values in zip(model.names, model.X.columns, strict=True) if name != INTERCEPT]
    if INTERCEPT not in model.names:
        columns, found = design(right.replace("- 1", "").replace("-1", "").replace("0 +", ""), frame.loc[model.keep])
        pairs = [(name, values) for name, values in zip(found, columns, strict=True) if name != INTERCEPT]
    weights = model.weights
    centred = []
    for _, values in pairs:
        numbers = np.asarray(values, dtype=float)
        centred.append(numbers - np.average(numbers, weights=weights))
    labels = [f"({name})_c" if ":" in name or "(" in name else f"{name}_c" for name, _ in pairs]
    columns: list[Any] = [1.0, *arms, *centred]
    titles = [INTERCEPT, *names, *labels]
    for values, label in zip(centred, labels, strict=True):
        for indicator, name in zip(arms, names, strict=True):
            columns.append(indicator * values)
            titles.append(f"{name}:{label}")
    return Model(model.outcome, model.y, Columns(columns, model.n), tuple(titles), model.keep, weights, model.clusters)
