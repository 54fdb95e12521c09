"""Missing outcomes drawn several times: the estimate is right where complete cases are not, and says what it lacks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis import errors
from analysis.imputation import joined_df


def people(seed: int, n: int = 300, effect: float = 1.0) -> pd.DataFrame:
    """Who does poorly at baseline answers less often, in the treated arm above all."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"arm": rng.permutation(np.arange(n) % 2), "before": rng.normal(size=n)})
    data["region"] = rng.choice(["n", "z"], n)
    data["after"] = effect * data["arm"] + data["before"] + 0.5 * rng.normal(size=n)
    lost = rng.random(n) < 1 / (1 + np.exp(1.5 + data["before"] * (1 + data["arm"])))
    return data.assign(after=data["after"].where(~lost))


def by_imputation(data: pd.DataFrame, seed: int = 1) -> analysis.Estimate:
    tables = analysis.impute(data, ["after"], "arm", predictors=["before", "region"], times=10, seed=seed)
    return analysis.imputed(tables, lambda table: analysis.difference_in_means(table, "after", "arm"))


def test_rubins_rules_are_those_of_the_book():
    effects = [
        analysis.Estimate.of("a", value, se, df=48, n=50, estimand="", convention="", source="")
        for value, se in ((1.0, 0.5), (1.4, 0.6), (0.9, 0.4))
    ]
    tables = [pd.DataFrame({"place": [i]}) for i in range(3)]
    found = analysis.imputed(tables, lambda table: effects[int(table["place"].iloc[0])])
    within, between = (0.25 + 0.36 + 0.16) / 3, 0.07
    total = within + 4 / 3 * between
    share = 4 / 3 * between / total
    seen, old = 49 / 51 * 48 * (1 - share), 2 / share**2
    assert found.value == pytest.approx(1.1)
    assert found.se == pytest.approx(total**0.5)
    assert found.df == pytest.approx(1 / (1 / seen + 1 / old))
    assert found.extras["missing_share"] == pytest.approx(share)


def test_degrees_of_freedom_never_exceed_those_of_the_complete_data():
    assert joined_df(0.0, 20, 100.0) == pytest.approx(101 / 103 * 100)
    assert joined_df(0.4, 5, 30.0) < min(30, 4 / 0.16)
    assert joined_df(0.4, 5, float("inf")) == pytest.approx(25)


def test_imputation_is_right_where_complete_cases_are_not():
    data = people(3, n=3_000)
    complete, found = analysis.difference_in_means(data, "after", "arm"), by_imputation(data)
    assert abs(found.value - 1) < 3 * found.se
    assert abs(complete.value - 1) > 3 * complete.se
    assert found.n == 3_000
    assert found.extras["missing_share"] > 0.005


def test_what_is_drawn_was_seen_in_the_same_arm_and_the_rest_is_left_alone():
    data = people(4).assign(trained=lambda d: (d["after"] > 0).astype(float).where(d["after"].notna()))
    tables = analysis.impute(data, ["after", "trained"], "arm", predictors=["before"], times=3, rounds=3)
    for table in tables:
        assert table["trained"].isin([0, 1]).all()
        for arm in (0, 1):
            seen = set(data.loc[data["arm"] == arm, "after"].dropna())
            assert set(table.loc[table["arm"] == arm, "after"]) <= seen
        known = data["after"].notna()
        assert (table.loc[known, "after"] == data.loc[known, "after"]).all()
    gaps = data["after"].isna()
    assert not tables[0].loc[gaps, "after"].equals(tables[1].loc[gaps, "after"])
    again = analysis.impute(data, ["after", "trained"], "arm", predictors=["before"], times=3, rounds=3)
    assert all(one.equals(two) for one, two in zip(tables, again, strict=True))


def test_what_cannot_be_imputed_is_refused():
    data = people(5)
    with pytest.raises(errors.DataError, match="predictor 'after' has gaps"):
        analysis.impute(data, ["after"], "arm", predictors=["after"])
    with pytest.raises(errors.DataError, match="holds text"):
        analysis.impute(data, ["region"], "arm")
    few = data["after"].where((data["arm"] == 0) | (np.arange(300) < 12))
    with pytest.raises(errors.DataError, match="too few to draw from"):
        analysis.impute(data.assign(after=few), ["after"], "arm")
    with pytest.raises(errors.OptionError, match="cannot be joined"):
        analysis.imputed([data], lambda table: analysis.difference_in_means(table, "before", "arm"))


@pytest.mark.heavy
def test_the_interval_over_imputations_holds_the_effect_as_often_as_it_says():
    held = 0
    for seed in range(200):
        low, high = by_imputation(people(seed), seed=seed).interval()
        held += low <= 1 <= high
    assert 0.90 <= held / 200 <= 0.99
