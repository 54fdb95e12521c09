"""Differential response, weights, and bounds for what attrition hides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.attrition import differential_response, logistic_chances, response_weights
from analysis.bounds import Bounds, lee_bounds, manski_bounds
from analysis.errors import DesignNotEstimable, NotConverged


@pytest.fixture(scope="module")
def nsw(examples) -> pd.DataFrame:
    return pd.read_csv(examples / "nsw/nsw.csv")


def test_lee_bounds_agree_with_both_conventions(nsw, reference):
    earned = nsw["re78"].to_numpy()
    log_earnings = np.where(earned > 0, np.log(np.where(earned > 0, earned, 1)), np.nan)
    found = lee_bounds(log_earnings, nsw["arm"].to_numpy() == "training")
    for name in ("low", "high", "quantile_low", "quantile_high", "trimmed_share"):
        assert getattr(found, name) == pytest.approx(reference["nsw"]["lee"][name], rel=1e-8)
    assert found.trimmed == "treated"


def test_manski_bounds_agree_with_the_reference(nsw, reference):
    employed = (nsw["re78"] > 0).astype(float).where(nsw["age"] < 35)
    found = manski_bounds(employed, nsw["arm"].to_numpy() == "training", lowest=0, highest=1)
    assert found.low == pytest.approx(reference["nsw"]["manski"]["low"], rel=1e-8)
    assert found.high == pytest.approx(reference["nsw"]["manski"]["high"], rel=1e-8)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), lost1=st.floats(0, 0.5), lost0=st.floats(0, 0.5))
def test_exchanging_the_arms_mirrors_the_lee_bounds(seed, lost1, lost0):
    rng = np.random.default_rng(seed)
    z = np.arange(80) % 2 == 0
    y = np.where(rng.random(80) < np.where(z, lost1, lost0), np.nan, rng.normal(size=80))
    one, other = lee_bounds(y, z), lee_bounds(y, ~z)
    assert one.low == pytest.approx(-other.high, abs=1e-12)
    assert one.se_low == pytest.approx(other.se_high, abs=1e-12)
    assert one.quantile_high == pytest.approx(-other.quantile_low, abs=1e-12)
    assert one.low <= one.high


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), lost=st.floats(0.05, 0.6))
def test_worst_case_bounds_hold_whatever_the_missing_outcomes_are(seed, lost):
    rng = np.random.default_rng(seed)
    z, truth = np.arange(60) % 2 == 0, rng.integers(0, 2, 60).astype(float)
    seen = np.where(rng.random(60) < lost, np.nan, truth)
    found = manski_bounds(seen, z, lowest=0, highest=1)
    effect = truth[z].mean() - truth[~z].mean()
    assert found.low - 1e-12 <= effect <= found.high + 1e-12
    assert found.high - found.low == pytest.approx(np.isnan(seen[z]).mean() + np.isnan(seen[~z]).mean())


def test_equal_response_leaves_nothing_to_trim():
    y = np.array([1.0, 2, 3, np.nan] * 2)
    found = lee_bounds(y, np.arange(8) < 4)
    assert (found.trimmed_share, found.low, found.high) == (0.0, 0.0, 0.0)


def test_covariates_tighten_the_bounds_when_they_predict_the_outcome():
    rng = np.random.default_rng(8)
    n = 4_000
    z, cell = np.arange(n) % 2 == 0, np.where(rng.random(n) < 0.5, "low", "high")
    y = rng.normal(np.where(cell == "high", 5.0, 0.0))
    y[rng.random(n) < np.where(z, 0.1, 0.3)] = np.nan
    wide, tight = lee_bounds(y, z), lee_bounds(y, z, cells=cell)
    assert tight.high - tight.low < 0.5 * (wide.high - wide.low)
    assert wide.low < tight.low < tight.high < wide.high


def test_the_imbens_manski_interval_lies_between_one_sided_and_two_sided():
    bounds = Bounds("lee", 0.0, 2.0, 0.1, 0.1, 100, "")
    interval = bounds.interval(0.95)
    assert -interval.low / 0.1 == pytest.approx(1.644854, abs=1e-4)
    point = Bounds("lee", 1.0, 1.0, 0.1, 0.1, 100, "").interval(0.95)
    assert (point.high - 1.0) / 0.1 == pytest.approx(1.959964, abs=1e-4)


@pytest.mark.heavy
def test_the_standard_error_of_lee_bounds_is_the_spread_over_repeated_samples():
    rng = np.random.default_rng(12)
    lows, errors = [], []
    for _ in range(1_500):
        z = rng.random(600) < 0.5
        y = np.where(rng.random(600) < np.where(z, 0.9, 0.7), rng.normal(size=600), np.nan)
        found = lee_bounds(y, z)
        lows.append(found.low)
        errors.append(found.se_low)
    assert np.mean(errors) == pytest.approx(np.std(lows), rel=0.06)


def test_bounds_name_what_is_missing():
    with pytest.raises(DesignNotEstimable, match="comparison arm has 1 respondents"):
        lee_bounds([1.0, 2, 3, np.nan], np.array([True, True, False, False]))
    with pytest.raises(DesignNotEstimable, match="in cell 'b'"):
        lee_bounds([1.0, 2, 3, 4, 5], np.array([True, True, False, False, True]), cells=list("aaaab"))
    with pytest.raises(DesignNotEstimable, match="outside the possible range"):
        manski_bounds([0.0, 3, 1, 1], np.array([True, True, False, False]), lowest=0, highest=1)


def test_response_weights_undo_response_that_depends_on_a_covariate():
    rng = np.random.default_rng(3)
    n = 20_000
    arm, x = rng.choice(["advice", "portal"], n), rng.normal(size=n)
    seen = rng.random(n) < 1 / (1 + np.exp(-(0.3 + 0.9 * x * np.where(arm == "advice", 1, -1))))
    weights = response_weights(arm, seen, x[:, None])
    for name in ("advice", "portal"):
        here = arm == name
        assert abs(x[here & seen].mean()) > 0.15
        assert np.average(x[here], weights=weights[here]) == pytest.approx(0.0, abs=0.03)
        assert weights[here].sum() == pytest.approx(here.sum(), rel=0.02)


def test_perfect_prediction_of_response_is_refused():
    x = np.arange(20.0)
    with pytest.raises(NotConverged, match="almost\\) perfectly"):
        logistic_chances(x[:, None], (x > 9).astype(float), what="response")


def test_differential_response_is_pearsons_test():
    arm = np.repeat(["a", "b", "c"], 100)
    seen = np.concatenate([np.arange(100) < k for k in (90, 80, 70)])
    found = differential_response(arm, seen, ("a", "b", "c"))
    assert found.statistic == pytest.approx(12.5)
    assert found.df == 2
    assert found.largest_gap == pytest.approx(0.2)
    assert differential_response(arm, np.ones(300, bool), ("a", "b", "c")).p is None
