"""Who the compliers are and how they fared: shares of take-up types, and complier means of outcomes and covariates.

Nobody can be recognised as a complier, yet averages over compliers are identified by the same assumptions as their
effect. Abadie (2003), Journal of Econometrics 113, 231-263; Imbens and Rubin (1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.differences import difference_in_means
from analysis.errors import DataError, DesignNotEstimable
from analysis.estimate import Estimate
from analysis.frame import as_frame, column, numbers, of_trial, two_arms
from analysis.instrumental import iv_robust

SOURCE = "Abadie (2003), Journal of Econometrics 113, 231-263"


def take_up_types(data: Any, take_up: str, arm: str | None = None, *, clusters: Any = None) -> dict[str, Estimate]:
    """Shares of compliers, always-takers and never-takers under monotonicity.

    Compliers are the difference in take-up between the arms; always-takers the take-up among controls; never-takers
    the lack of it among the treated. A share that is exactly 0 or 1 has no sampling variation and is left out of the
    mapping. Raises DesignNotEstimable when assignment does not raise take-up.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"d": [0, 0, 0, 1, 1, 1, 1, 0], "z": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> {name: share.value for name, share in take_up_types(data, "d", "z").items()}
    {'compliers': 0.5, 'always-takers': 0.25, 'never-takers': 0.25}
    """
    effect = difference_in_means(data, take_up, arm, clusters=clusters)
    if effect.value <= 0:
        raise DesignNotEstimable(
            f"take-up is {-effect.value:.3g} lower among the treated, so no share of compliers exists",
            remedy="look whether the arms or the take-up are coded the wrong way round",
        )
    shares = {"compliers": effect}
    sides = (
        ("always-takers", effect.extras["mean_control"], effect.extras["n_control"]),
        ("never-takers", 1 - effect.extras["mean_treated"], effect.extras["n_treated"]),
    )
    for name, share, n in sides:
        if 0 < share < 1 and n > 1:
            se = float(np.sqrt(share * (1 - share) / (n - 1)))
            shares[name] = Estimate.of(
                name, share, se, df=n - 1, n=n, estimand=f"share of {name}", convention="sample variance of a share",
                source=SOURCE, dropped=effect.dropped,
            )  # fmt: skip
    return shares


def complier_means(
    data: Any, variables: str | Sequence[str], take_up: str, arm: str | None = None, *, clusters: Any = None
) -> dict[str, Estimate]:
    """Mean of each baseline variable among compliers, by 2SLS of variable x take-up on take-up.

    >>> import pandas as pd
    >>> data = pd.DataFrame({"age": [30.0, 40, 50, 60, 30, 40, 50, 65], "d": [0, 0, 0, 0, 1, 1, 0, 1],
    ...                      "z": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> round(complier_means(data, "age", "d", "z")["age"].value, 3)
    45.0
    """
    frame, instrument, d = _prepared(data, take_up, arm)
    out = {}
    for name in [variables] if isinstance(variables, str) else list(variables):
        x = numbers(column(frame, name, "variable"), "variable")
        table = {"product": x * d, "take_up": d, "assigned": instrument}
        out[name] = _mean(frame, table, name, f"mean of {name} among compliers", clusters, data)
    return out


def complier_outcomes(
    data: Any, outcome: str, take_up: str, arm: str | None = None, *, clusters: Any = None
) -> dict[str, Estimate]:
    """Mean outcome of compliers with take-up ("taken") and without ("not taken"); their difference is the LATE."""
    frame, instrument, d = _prepared(data, take_up, arm)
    y = numbers(column(frame, outcome, "outcome"), "outcome")
    out = {}
    for name, side in (("taken", d), ("not taken", 1 - d)):
        table = {"product": y * side, "take_up": side, "assigned": instrument}
        out[name] = _mean(frame, table, name, f"mean of {outcome} among compliers, {name}", clusters, data)
    return out


def _prepared(data: Any, take_up: str, arm: str | None) -> tuple[Any, Any, Any]:
    frame = as_frame(data)
    name = of_trial(data, "arm", arm)
    series = column(frame, name, "arm")
    arms, keep = two_arms(series[series.notna()], control=of_trial(data, "control", None))
    instrument = np.full(len(frame), np.nan)
    inside = np.flatnonzero(series.notna().to_numpy())[keep]
    instrument[inside] = arms.indicator
    d = numbers(column(frame, take_up, "take-up"), "take-up")
    if not np.isin(d[~np.isnan(d)], (0.0, 1.0)).all():
        raise DataError(f"take-up '{take_up}' takes values other than 0 and 1", remedy="define who counts as a taker")
    return frame, instrument, d


def _mean(frame: Any, table: dict[str, Any], name: str, estimand: str, clusters: Any, data: Any) -> Estimate:
    groups = of_trial(data, "clusters", clusters)
    if groups is not None:
        table["cluster"] = column(frame, groups, "cluster").to_numpy()
    found = iv_robust("product ~ take_up | assigned", table, clusters=None if groups is None else "cluster")["take_up"]
    return Estimate.of(
        name, found.value, found.se, df=found.df, n=found.n, estimand=estimand, convention=found.convention,
        source=SOURCE, dropped=found.dropped, extras=found.extras,
    )  # fmt: skip
