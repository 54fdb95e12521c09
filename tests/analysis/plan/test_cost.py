"""Cost per effect: Fieller against its definition, coverage, and refusals where a ratio does not exist."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cost import bootstrap_interval, cost_effectiveness, crowding_out, deadweight, fieller
from analysis.errors import DataError, DesignNotEstimable

Z = 1.959963984540054


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    numerator=st.floats(-5, 5), denominator=st.floats(-3, 3), s1=st.floats(0.1, 2), s2=st.floats(0.1, 2),
    rho=st.floats(-0.9, 0.9), ratio=st.floats(-20, 20),
)  # fmt: skip
def test_fiellers_set_is_exactly_the_ratios_that_are_not_rejected(numerator, denominator, s1, s2, rho, ratio):
    covariance = rho * s1 * s2
    found = fieller(numerator, denominator, se_numerator=s1, se_denominator=s2, covariance=covariance)
    gap = numerator - ratio * denominator
    variance = s1**2 + ratio**2 * s2**2 - 2 * ratio * covariance
    margin = gap**2 - Z**2 * variance
    if abs(margin) > 1e-6 * max(1.0, gap**2):
        assert (ratio in found) == (margin < 0)
    assert found.bounded == (abs(denominator) > Z * s2)


def test_no_ratio_is_given_when_the_effect_may_be_zero():
    rng = np.random.default_rng(1)
    z = np.arange(200) % 2 == 0
    found = cost_effectiveness(rng.normal(100, 10, 200) + 50 * z, rng.random(200) < 0.4, z)
    assert found.ratio is None
    assert "includes zero" in found.why_no_ratio
    assert not found.fieller.bounded


def test_fieller_and_bootstrap_cover_the_true_cost_per_extra_person_trained():
    rng = np.random.default_rng(5)
    z, covered, booted = np.arange(600) % 2 == 0, 0, 0
    for seed in range(150):
        trained = rng.random(600) < 0.3 + 0.25 * z
        cost = rng.gamma(2, 100, 600) + 400 * z * trained
        truth = 400 * 0.55 / 0.25
        covered += truth in cost_effectiveness(cost, trained, z).fieller
        booted += truth in bootstrap_interval(cost, trained, z, draws=400, seed=seed)
    assert 0.9 <= covered / 150 <= 0.99
    assert 0.9 <= booted / 150 <= 0.99


def test_acceptability_runs_from_the_chance_of_saving_to_the_chance_of_an_effect():
    rng = np.random.default_rng(2)
    z = np.arange(400) % 2 == 0
    found = cost_effectiveness(rng.normal(100, 20, 400) + 30 * z, rng.normal(size=400) + 0.3 * z, z)
    curve = found.acceptability([0, 50, 100, 1e9])
    assert curve[0] < 1e-6
    assert (np.diff(curve) >= 0).all()
    from scipy.special import ndtr

    assert curve[-1] == pytest.approx(float(ndtr(found.extra_effect / found.se_effect)), abs=1e-4)
    assert found.acceptability([found.ratio])[0] == pytest.approx(0.5)


def test_the_bootstrap_refuses_a_ratio_on_two_branches():
    rng = np.random.default_rng(4)
    z = np.arange(100) % 2 == 0
    with pytest.raises(DesignNotEstimable, match="changes sign"):
        bootstrap_interval(rng.normal(size=100) + z, rng.normal(size=100), z, seed=1)


def test_deadweight_comes_from_the_control_arm_and_self_report_stays_apart():
    y = np.array([1] * 60 + [0] * 40 + [1] * 36 + [0] * 64)
    told = np.array([1.0] * 30 + [0.0] * 30 + [np.nan] * 140)
    found = deadweight(y, np.arange(200) < 100, would_have_anyway=told)
    assert found.share == pytest.approx(0.6)
    assert found.self_reported == pytest.approx(0.5)
    assert found.interval.low < 0.6 < found.interval.high
    assert "descriptive" in found.note


def test_an_offer_that_replaces_other_money_is_crowding_out():
    rng = np.random.default_rng(6)
    z = np.arange(4_000) % 2 == 0
    paid = np.where(z, 500.0, 0.0)
    other = rng.gamma(4, 100, 4_000) - 0.4 * paid
    rate, se = crowding_out(paid, paid + other, z)
    assert rate == pytest.approx(0.4, abs=3 * se)
    with pytest.raises(DesignNotEstimable, match="not paid more"):
        crowding_out(1 - paid, other, z)


def test_costs_of_respondents_only_are_refused():
    with pytest.raises(DataError, match="is missing"):
        cost_effectiveness([1, 2, np.nan, 4], [0, 1, 0, 1], [True, True, False, False])
