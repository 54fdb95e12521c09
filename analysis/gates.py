"""Which people gain most, without choosing them after the fact: BLP, GATES and CLAN by repeated sample splitting.

One half of the people teaches a learner whose effect is large; the other half, whom it never saw, tests what it
learned. The learner need not be right: the three summaries are about its proxy, and their errors hold whatever it is.
Because one split is a lottery, everything is the median over many. Chernozhukov, Demirer, Duflo and Fernández-Val
(2018, NBER working paper 24678; 2025, Econometrica 93).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.covariates import encode, independent
from analysis.differences import Contrast, read_contrast
from analysis.errors import DataError, DesignNotEstimable, NotInstalled, OptionError
from analysis.estimate import Estimate
from analysis.frame import as_frame, column, complete, numbers
from analysis.regression import lm_robust

Array = NDArray[Any]
SOURCE = "Chernozhukov, Demirer, Duflo and Fernández-Val (2018; 2025)"
FEWEST = 20
LEVEL = 0.90
"""Of the intervals, as in the paper: within a split they are made at 95%."""


@dataclass(frozen=True, slots=True)
class MedianEstimate:
    """The median over splits of one number: `low` and `high` hold at `level`, and `p` is twice the median p.

    Within a split the interval is made at the level (1 + level)/2, so that the medians hold at `level` in spite of the
    splitting.
    """

    name: str
    value: float
    low: float
    high: float
    p: float
    level: float
    splits: int
    convention: str
    source: str = SOURCE


@dataclass(frozen=True, slots=True)
class EffectGroups:
    """What a learner found out about who gains most.

    `average` is the average effect and `slope` the coefficient of the proxy in the best linear predictor of the effect
    (BLP): zero when the proxy says nothing, one when it is calibrated. `groups` (GATES) are average effects from the
    least to the most affected by the proxy, `spread` the last less the first. `profile` (CLAN) gives every covariate's
    mean among the most and the least affected and the difference.
    """

    average: MedianEstimate
    slope: MedianEstimate
    groups: tuple[MedianEstimate, ...]
    spread: MedianEstimate
    profile: dict[str, tuple[MedianEstimate, MedianEstimate, MedianEstimate]]
    n: int
    dropped: int


def effect_groups(
    data: Any,
    outcome: str,
    covariates: Sequence[str],
    arm: str | None = None,
    *,
    groups: int = 5,
    splits: int = 100,
    learner: Any = None,
    probability: Any = None,
    clusters: Any = None,
    seed: int = 1,
    treated: Any = None,
    control: Any = None,
) -> EffectGroups:
    """BLP, GATES and CLAN of the effect of two arms on `outcome`, by a learner from baseline `covariates`.

    `learner` has `fit(X, y)` and `predict(X)` and is copied for every use; the default is scikit-learn's random forest
    (the extra `heterogeneity`). `probability` is a column or number with everybody's chance of the treated arm, the
    share treated when absent. Clusters that were assigned whole are split whole, with CR2 errors; otherwise HC2.
    Labels become indicators and missing covariates get one, as in a plan.

    Raises NotInstalled without scikit-learn and learner, DesignNotEstimable when the learner finds no variation or the
    halves are too small, DataError, OptionError.

    >>> rng = np.random.default_rng(3)
    >>> data = pd.DataFrame({"x": rng.normal(size=600), "arm": np.arange(600) % 2})
    >>> data["y"] = data["arm"] * (1 + data["x"]) + rng.normal(size=600)
    >>> class Line:
    ...     def fit(self, X, y):
    ...         self.beta = np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), y, rcond=None)[0]
    ...     def predict(self, X):
    ...         return np.column_stack([np.ones(len(X)), X]) @ self.beta
    ...
    >>> found = effect_groups(data, "y", ["x"], "arm", splits=20, learner=Line())
    >>> found.slope.low > 0.5, found.groups[0].value < 0 < found.groups[4].low
    (True, True)
    """
    _check(groups, splits)
    frame = as_frame(data).reset_index(drop=True)
    chance = _chance(frame, probability)
    rows = frame if chance is None else frame.loc[complete(frame, [chance])]
    contrast, places = people_of(rows, outcome, arm, clusters, treated, control)
    table = encode(rows.iloc[places].reset_index(drop=True), covariates)
    if not table.names:
        raise DataError("no covariate varies, so nobody can be told from anybody", remedy="name others")
    p = np.full(contrast.n, contrast.z.mean()) if chance is None else numbers(chance, "probability")[rows.index[places]]
    if not ((p > 0) & (p < 1)).all():
        raise DataError("probabilities of assignment lie strictly between 0 and 1")
    made = _default_learner(seed) if learner is None else learner
    rng = np.random.default_rng(seed)
    found, flat = [], 0
    for _ in range(splits):
        one = _one_split(contrast, table.values, table.names, p, groups, made, rng)
        flat += one is None
        found += [] if one is None else [one]
    if flat > splits / 2:
        raise DesignNotEstimable(
            f"in {flat} of {splits} splits the learner gives everybody the same effect, so there are no groups",
            remedy="nothing in these covariates tells who gains more; use another learner or report the average",
        )
    words = f"medians over {len(found)} splits, {'CR2' if contrast.clusters is not None else 'HC2'}"
    return _medians(found, table.names, words, contrast, len(frame))


def _check(groups: int, splits: int) -> None:
    if groups < 2:
        raise OptionError(f"{groups} groups were asked for", remedy="use 2 or more, for example 5")
    if splits < 1:
        raise OptionError(f"{splits} splits were asked for", remedy="use 100")


def _default_learner(seed: int) -> Any:
    try:
        from sklearn.ensemble import RandomForestRegressor
    except ImportError as error:
        raise NotInstalled(
            "the default learner needs scikit-learn, which is not installed",
            remedy="install the extra: pip install 'adviespilot[heterogeneity]', or hand in a learner of your own",
        ) from error
    return RandomForestRegressor(n_estimators=200, min_samples_leaf=5, max_features=1 / 3, random_state=seed)


def _chance(frame: pd.DataFrame, probability: Any) -> pd.Series | None:
    if probability is None:
        return None
    if isinstance(probability, (int, float, np.number)):
        return pd.Series(float(probability), index=frame.index, name="probability")
    return column(frame, probability, "probability")


def people_of(
    rows: pd.DataFrame, outcome: str, arm: Any, clusters: Any, treated: Any, control: Any
) -> tuple[Contrast, Array]:
    """The comparison and the places of its people among the rows, which travel as weights."""
    order = np.arange(1.0, len(rows) + 1)
    contrast = read_contrast(rows, outcome, arm, clusters=clusters, weights=order, treated=treated, control=control)
    assert contrast.weights is not None
    return contrast, contrast.weights.astype(np.intp) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The estimates of one split; `profile` holds most, least and difference for every covariate."""

    average: Estimate
    slope: Estimate
    groups: tuple[Estimate, ...]
    spread: Estimate
    profile: tuple[tuple[Estimate, Estimate, Estimate] | None, ...]


def _one_split(
    contrast: Contrast, X: Array, names: Sequence[str], p: Array, groups: int, learner: Any, rng: Any
) -> Split | None:
    teach = _half(contrast, rng)
    _enough(contrast, teach, groups)
    base, proxy = _learned(contrast, X, teach, learner)
    main = ~teach
    if np.ptp(proxy[main]) <= 1e-9 * (np.abs(proxy[main]).max() + 1e-300):
        return None
    y, d, chance, b, s = contrast.y[main], contrast.z[main], p[main], base[main], proxy[main]
    place = _ranked(s, groups, rng)
    data: dict[str, Any] = {"y": y, "b": b, "s": s, "w": 1 / (chance * (1 - chance)), "d": d - chance}
    data["ds"] = data["d"] * (s - np.average(s))
    cluster = None
    if contrast.clusters is not None:
        data["g"], cluster = contrast.clusters[main], "g"
    kept = independent(np.column_stack([np.ones(s.size), s - s.mean(), b - b.mean()]))
    terms = [name for place_of, name in ((1, "s"), (2, "b")) if place_of in kept]
    linear = lm_robust(f"y ~ d + ds + {' + '.join(terms)}", data, weights="w", clusters=cluster)
    shown = [f"d{k}" for k in range(groups)]
    data |= {name: data["d"] * (place == k) for k, name in enumerate(shown)}
    fit = lm_robust(f"y ~ {' + '.join([*shown, *terms])}", data, weights="w", clusters=cluster)
    data["all"] = data["d"] * np.isin(place, [0, groups - 1])
    apart = ["all", shown[-1], *shown[1:-1]]
    spread = lm_robust(f"y ~ {' + '.join([*apart, *terms])}", data, weights="w", clusters=cluster)[shown[-1]]
    profile = tuple(_profile(X[main][:, j], place, groups, data.get("g")) for j in range(len(names)))
    return Split(linear["d"], linear["ds"], tuple(fit[name] for name in shown), spread, profile)


def _half(contrast: Contrast, rng: Any) -> NDArray[np.bool_]:
    """Half of the units (people or whole clusters) of each arm."""
    unit = np.arange(contrast.n) if contrast.clusters is None else contrast.clusters
    first = np.unique(unit, return_index=True)[1]
    arm = contrast.z[first]
    teach = np.zeros(first.size, dtype=bool)
    for side in (0.0, 1.0):
        members = rng.permutation(np.flatnonzero(arm == side))
        teach[members[: members.size // 2]] = True
    return teach[unit]


def _enough(contrast: Contrast, teach: NDArray[np.bool_], groups: int) -> None:
    least = min(int(((contrast.z == side) & half).sum()) for side in (0.0, 1.0) for half in (teach, ~teach))
    if least < max(FEWEST, 2 * groups):
        raise DesignNotEstimable(
            f"half of an arm is {least} people, too few to learn from or to test on",
            remedy="use subgroups that were named beforehand (analysis.subgroup_effects)",
        )


def _learned(contrast: Contrast, X: Array, teach: NDArray[np.bool_], learner: Any) -> tuple[Array, Array]:
    """The outcome that the learner expects without treatment and the effect that it expects, for everybody."""
    expected = []
    for side in (0.0, 1.0):
        rows = teach & (contrast.z == side)
        model = copy.deepcopy(learner)
        model.fit(X[rows], contrast.y[rows])
        expected.append(np.asarray(model.predict(X), dtype=float))
    return expected[0], expected[1] - expected[0]


def _ranked(proxy: Array, groups: int, rng: Any) -> Array:
    """The group of everybody, 0 for the smallest proxy; people with the same proxy are parted by lot."""
    order = np.lexsort((rng.random(proxy.size), proxy))
    place = np.empty(proxy.size, dtype=np.intp)
    place[order] = np.arange(proxy.size) * groups // proxy.size
    return place


def _profile(x: Array, place: Array, groups: int, clusters: Array | None) -> tuple[Estimate, Estimate, Estimate] | None:
    """Mean among the most and the least affected and their difference; None where the covariate does not vary."""
    most, least = place == groups - 1, place == 0
    if np.ptp(x[most]) == 0 or np.ptp(x[least]) == 0:
        return None
    use = most | least
    data: dict[str, Any] = {"x": x[use], "most": most[use] * 1.0, "least": least[use] * 1.0}
    cluster = None
    if clusters is not None:
        data["g"], cluster = clusters[use], "g"
    apart = lm_robust("x ~ 0 + most + least", data, clusters=cluster)
    return apart["most"], apart["least"], lm_robust("x ~ most", data, clusters=cluster)["most"]


def _medians(found: Sequence[Split], names: Sequence[str], words: str, contrast: Contrast, n: int) -> EffectGroups:
    def middle(name: str, estimates: Sequence[Estimate]) -> MedianEstimate:
        ends = [estimate.interval((1 + LEVEL) / 2) for estimate in estimates]
        return MedianEstimate(
            name, float(np.median([estimate.value for estimate in estimates])),
            float(np.median([end.low for end in ends])), float(np.median([end.high for end in ends])),
            min(1.0, 2 * float(np.median([estimate.p for estimate in estimates]))), LEVEL, len(estimates), words,
        )  # fmt: skip

    profile = {}
    for j, name in enumerate(names):
        known = [parts for parts in (one.profile[j] for one in found) if parts is not None]
        if len(known) > len(found) / 2:
            sides = ("most affected", "least affected", "difference")
            most, least, gap = (middle(f"{name}, {side}", [x[i] for x in known]) for i, side in enumerate(sides))
            profile[name] = (most, least, gap)
    number = len(found[0].groups)
    return EffectGroups(
        average=middle("average effect", [one.average for one in found]),
        slope=middle("slope of the proxy", [one.slope for one in found]),
        groups=tuple(middle(f"group {k + 1} of {number}", [one.groups[k] for one in found]) for k in range(number)),
        spread=middle("most less least affected", [one.spread for one in found]),
        profile=profile, n=contrast.n, dropped=n - contrast.n,
    )  # fmt: skip
