"""Interviewer effects and equal effort agree with other programs, find what was planted, and refuse what cannot be."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

from analysis import equal_means, variance_share
from analysis.errors import ConstantOutcome, DataError, DesignNotEstimable


def test_the_f_test_is_that_of_scipy_and_equal_groups_give_the_textbook_share():
    rng = np.random.default_rng(1)
    groups = np.repeat(["a", "b", "c", "d"], [20, 20, 20, 20])
    values = rng.normal(size=80) + np.repeat([0.0, 1.0, 0.5, -1.0], 20)
    found = variance_share(values, groups)
    peer = stats.f_oneway(*(values[groups == name] for name in "abcd"))
    assert (found.statistic, found.p) == pytest.approx((peer.statistic, peer.pvalue))
    between = 20 * np.var([values[groups == name].mean() for name in "abcd"], ddof=1)
    within = np.mean([values[groups == name].var(ddof=1) for name in "abcd"])
    assert found.share == pytest.approx((between - within) / (between + 19 * within))


def test_the_share_is_unbiased_with_unequal_loads_and_its_test_keeps_its_level():
    rng, shares, false = np.random.default_rng(2), [], 0
    groups = np.repeat(np.arange(12), rng.integers(10, 60, 12))
    for _ in range(400):
        noise = rng.normal(size=len(groups))
        false += variance_share(noise, groups).p < 0.05
        shares.append(variance_share(rng.normal(0, 0.5, 12)[groups] + noise, groups).share)
    assert np.mean(shares) == pytest.approx(0.2, abs=0.02)
    assert 0.025 <= false / 400 <= 0.08


def test_groups_that_agree_within_and_differ_between_have_the_whole_variance():
    found = variance_share([1, 1, 2, 2], ["a", "a", "b", "b"])
    assert (found.share, found.statistic, found.p) == (1.0, float("inf"), 0.0)


def test_equal_means_with_yes_and_no_is_the_test_of_mantel_and_haenszel():
    rng = np.random.default_rng(3)
    strata, arm = rng.integers(0, 4, 300), rng.choice(["a", "b"], 300)
    yes = rng.random(300) < 0.3 + 0.1 * (arm == "b")
    tables = [
        [[(yes & (arm == name) & (strata == s)).sum() for name in "ab"],
         [(~yes & (arm == name) & (strata == s)).sum() for name in "ab"]] for s in range(4)
    ]  # fmt: skip
    peer = StratifiedTable([np.array(table) for table in tables]).test_null_odds(correction=False)
    found = equal_means(yes, arm, strata)
    assert (found.statistic, found.p, found.df) == pytest.approx((peer.statistic, peer.pvalue, 1))


def test_equal_means_uses_the_exact_moments_of_dealing_the_values_out_anew():
    values, arm = np.array([0.0, 1.0, 4.0, 2.0, 2.0]), np.array(["a", "a", "b", "b", "c"])
    sums = np.array([[np.take(values, p)[arm == name].sum() for name in "abc"] for p in permutations(range(5))])
    gap = np.array([values[arm == name].sum() for name in "abc"]) - sums.mean(axis=0)
    expected = gap @ np.linalg.pinv(np.cov(sums.T, bias=True)) @ gap
    found = equal_means(values, arm)
    assert (found.statistic, found.df) == (pytest.approx(expected), 2)


def test_unequal_effort_is_found_and_equal_effort_in_unequal_strata_is_not():
    rng = np.random.default_rng(4)
    strata = np.repeat([0, 1], 400)
    arm = np.where(rng.random(800) < np.where(strata == 0, 0.8, 0.2), "a", "b")
    calls = rng.poisson(np.where(strata == 0, 1.0, 4.0))
    assert equal_means(calls, arm, strata).p > 0.05
    assert equal_means(calls, arm).p < 0.001, "without strata the mix of strata passes for a difference"
    assert equal_means(calls + (arm == "b"), arm, strata).p < 1e-6


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: variance_share([1, 2], ["a", "a"]), DesignNotEstimable),
        (lambda: variance_share([1, 2], ["a", "b"]), DesignNotEstimable),
        (lambda: variance_share([1, 1, 1, 1], ["a", "a", "b", "b"]), ConstantOutcome),
        (lambda: variance_share([1, np.nan, 2], ["a", "a", "b"]), DataError),
        (lambda: equal_means([1, 2], ["a", "a"]), DesignNotEstimable),
        (lambda: equal_means([1, 1, 1, 1], ["a", "a", "b", "b"]), ConstantOutcome),
        (lambda: equal_means([1, 2, 3], ["a", "b"]), DataError),
    ],
)
def test_what_cannot_be_computed_says_why(call, error):
    with pytest.raises(error, match=r"\w+ .*; \w+"):
        call()
