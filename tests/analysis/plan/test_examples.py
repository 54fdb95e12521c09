"""The two published experiments give their published numbers, from the files in the repository and nothing else."""

from __future__ import annotations

import json

import pytest

from analysis import PreAnalysisPlan, Results, read_data


@pytest.fixture(scope="module")
def nsw(examples):
    plan = PreAnalysisPlan.read(examples / "nsw/plan.yaml")
    return plan.run(read_data(examples / "nsw/nsw.csv", text=["id"]))


@pytest.fixture(scope="module")
def jobs(examples):
    plan = PreAnalysisPlan.read(examples / "jobs/plan.yaml")
    return plan.run(read_data(examples / "jobs/jobs.csv", text=["id"]))


def test_the_job_training_experiment_gives_the_difference_of_dehejia_and_wahba(nsw, reference):
    found = nsw.contrast("earnings_1978", "training", "control")
    assert found.main == found.unadjusted
    for name in ("value", "se", "df", "p", "low", "high"):
        assert getattr(found.unadjusted, name) == pytest.approx(reference["nsw"]["difference_in_means"][name], rel=1e-8)
    assert found.reading == "higher"


def test_the_job_training_experiment_adjusts_by_lin_with_eight_covariates(nsw, reference):
    found = nsw.contrast("earnings_1978", "training", "control").adjusted
    for name in ("value", "se", "df", "p", "low", "high"):
        assert getattr(found, name) == pytest.approx(reference["nsw"]["lin"][name], rel=1e-8)


def test_the_balance_of_the_job_training_experiment_is_the_published_one(nsw, reference):
    test = nsw.balance.tests[0]
    assert test.joint_f == pytest.approx(reference["nsw"]["joint_f"]["F"], rel=1e-8)
    assert test.f_p == pytest.approx(reference["nsw"]["joint_f"]["p"], rel=1e-8)
    for row in nsw.balance.rows:
        expected = reference["nsw"]["normalised_differences"][row.covariate]
        assert row.normalised_difference["training - control"] == pytest.approx(expected, rel=1e-8)
    assert nsw.balance.p_permutation == pytest.approx(test.p, abs=0.02)


def test_the_job_search_experiment_gives_the_effect_on_compliers(jobs, reference):
    found = jobs.contrast("depression", "workshop", "booklet")
    assert found.unadjusted.value == pytest.approx(reference["jobs"]["itt"]["value"], rel=1e-8)
    assert found.adjusted.value == pytest.approx(reference["jobs"]["lin"]["value"], rel=1e-8)
    assert found.adjusted.se == pytest.approx(reference["jobs"]["lin"]["se"], rel=1e-8)
    assert found.complier.effect.value == pytest.approx(reference["jobs"]["complier"]["value"], rel=1e-8)
    assert found.complier.effect.se == pytest.approx(reference["jobs"]["complier"]["se"], rel=1e-8)
    assert found.complier.take_up_treated == pytest.approx(0.62)


def test_an_interval_with_zero_in_it_reads_unclear_and_never_no_effect(jobs):
    readings = [contrast.reading for outcome in jobs.outcomes for contrast in outcome.contrasts]
    assert readings == ["unclear"] * 3
    assert "no effect" not in json.dumps(jobs.to_dict())


def test_results_survive_a_round_trip_through_json(nsw, jobs):
    for results in (nsw, jobs):
        assert Results.from_dict(json.loads(json.dumps(results.to_dict(), allow_nan=False))) == results


def test_the_same_plan_and_data_give_the_same_results(nsw, examples):
    plan = PreAnalysisPlan.read(examples / "nsw/plan.yaml")
    assert plan.run(read_data(examples / "nsw/nsw.csv", text=["id"])) == nsw
