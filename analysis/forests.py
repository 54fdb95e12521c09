"""A causal forest of a randomised trial, by econml, with the two checks without which it says nothing.

Everybody's own effect is estimated from the people who fall into the same leaves. Whether these effects are more than
noise is asked by the calibration test, and the average over people must be the average effect of the trial.
Athey, Tibshirani and Wager (2019), Annals of Statistics 47; Chernozhukov et al. (2018) for the calibration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.covariates import encode
from analysis.errors import DataError, DesignNotEstimable, NotInstalled, OptionError
from analysis.estimate import Estimate
from analysis.frame import as_frame
from analysis.gates import people_of
from analysis.regression import lm_robust

Array = NDArray[Any]
SOURCE = "Athey, Tibshirani and Wager (2019); econml"
FEWEST = 100


@dataclass(frozen=True, slots=True, eq=False)
class CausalForest:
    """Effects of everybody and what they are worth.

    `effects` and `errors`, shape (n,), are out-of-bag effects and their standard errors in the order of `rows`, the
    places of the people in the table. `average` is the doubly robust average effect. `calibration` maps "mean" and
    "differences" to coefficients that are one when the forest is right; a forest whose "differences" is not clearly
    above zero found none. `importance` gives the share of splits, weighted by depth, that each covariate had.
    """

    effects: Array = field(repr=False)
    errors: Array = field(repr=False)
    rows: Array = field(repr=False)
    average: Estimate
    calibration: dict[str, Estimate]
    importance: dict[str, float]
    n: int
    dropped: int

    def told_apart(self, alpha: float = 0.05) -> bool:
        """Whether the differences between people are more than noise, one-sided at `alpha`."""
        test = self.calibration["differences"]
        return test.value > 0 and test.p / 2 <= alpha


def causal_forest(
    data: Any,
    outcome: str,
    covariates: Sequence[str],
    arm: str | None = None,
    *,
    trees: int = 2_000,
    probability: float | None = None,
    seed: int = 1,
    treated: Any = None,
    control: Any = None,
) -> CausalForest:
    """Grow a causal forest for two arms of a trial in which people were randomised one by one.

    The outcome is first centred by an out-of-bag random forest, assignment by `probability` (the share treated when
    absent). Labels become indicators and missing covariates get one, as in a plan. Needs econml (the extra
    `heterogeneity`); about a second per thousand people and thousand trees.

    Raises NotInstalled, OptionError, DataError, and DesignNotEstimable for fewer than 100 people.
    """
    if trees < 100:
        raise OptionError(f"{trees} trees are too few for errors", remedy="use 2,000")
    if probability is not None and not 0 < probability < 1:
        raise DataError("the probability of assignment lies strictly between 0 and 1")
    forest, regressor = _libraries()
    frame = as_frame(data).reset_index(drop=True)
    contrast, places = people_of(frame, outcome, arm, None, treated, control)
    if contrast.n < FEWEST:
        raise DesignNotEstimable(
            f"{contrast.n} people are too few for a forest; {FEWEST} are needed", remedy="use named subgroups"
        )
    table = encode(frame.iloc[places].reset_index(drop=True), covariates)
    if not table.names:
        raise DataError("no covariate varies, so nobody can be told from anybody", remedy="name others")
    p = float(contrast.z.mean()) if probability is None else probability
    centre = regressor(n_estimators=500, min_samples_leaf=5, max_features=1 / 3, oob_score=True, random_state=seed)
    expected = centre.fit(table.values, contrast.y).oob_prediction_
    lift = contrast.z - p
    grown = forest(n_estimators=4 * -(-trees // 4), min_samples_leaf=5, random_state=seed, n_jobs=1)
    grown.fit(table.values, lift[:, None], contrast.y - expected)
    effects = np.asarray(grown.oob_predict(table.values)).ravel()
    errors = np.sqrt(np.asarray(grown.predict_and_var(table.values)[1]).ravel())
    return CausalForest(
        effects, errors, places, _average(contrast, effects, expected, p), _calibration(contrast, effects, expected, p),
        dict(zip(table.names, np.asarray(grown.feature_importances_).ravel().tolist(), strict=True)), contrast.n,
        len(frame) - contrast.n,
    )  # fmt: skip


def _libraries() -> tuple[Any, Any]:
    try:
        from econml.grf import CausalForest as Grown
        from sklearn.ensemble import RandomForestRegressor
    except ImportError as error:
        raise NotInstalled(
            "a causal forest needs econml, which is not installed",
            remedy="install the extra: pip install 'adviespilot[heterogeneity]'",
        ) from error
    return Grown, RandomForestRegressor


def _average(contrast: Any, effects: Array, expected: Array, p: float) -> Estimate:
    """The mean of augmented inverse-probability scores (Robins, Rotnitzky and Zhao 1994)."""
    lift = contrast.z - p
    scores = effects + lift / (p * (1 - p)) * (contrast.y - expected - lift * effects)
    return Estimate.of(
        contrast.arms.name, float(scores.mean()), float(scores.std(ddof=1) / np.sqrt(scores.size)),
        df=scores.size - 1, n=scores.size, estimand="average effect of assignment on those in the two arms",
        convention="doubly robust scores of a causal forest", source=SOURCE,
    )  # fmt: skip


def _calibration(contrast: Any, effects: Array, expected: Array, p: float) -> dict[str, Estimate]:
    lift, mean = contrast.z - p, float(effects.mean())
    data = {"y": contrast.y - expected, "mean": lift * mean, "differences": lift * (effects - mean)}
    if np.ptp(effects) <= 1e-12 * (abs(mean) + 1e-300):
        raise DesignNotEstimable("the forest gives everybody the same effect", remedy="report the average effect")
    fit = lm_robust("y ~ 0 + mean + differences", data, se_type="HC3")
    return {name: fit[name] for name in ("mean", "differences")}
