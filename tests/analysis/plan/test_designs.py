"""One suite that every design passes: its plan runs, rehearses, finds the effect that was put in, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import analysis
import randomization as rz
from analysis import PreAnalysisPlan
from analysis.defaults import RULES

TWO = {"a": 1, "b": 1}
SEQUENTIAL = {"ratio": TWO, "strata": ["region"]}
CASES = {
    "simple": ({"ratio": {"a": 1, "b": 2}}, "a", "b"),
    "complete": ({"ratio": {"a": 1, "b": 2}}, "a", "b"),
    "blocked": ({"ratio": TWO, "strata": ["region", "level"]}, "a", "b"),
    "permuted_blocks": ({**SEQUENTIAL, "multiples": [1, 2]}, "a", "b"),
    "biased_coin": (SEQUENTIAL, "a", "b"),
    "big_stick": ({**SEQUENTIAL, "limit": 3}, "a", "b"),
    "urn": ({"ratio": TWO}, "a", "b"),
    "block_urn": (SEQUENTIAL, "a", "b"),
    "maximal_procedure": ({"ratio": TWO, "mti": 2, "strata": ["region"]}, "a", "b"),
    "minimization": ({"ratio": TWO, "factors": ["region", "level"]}, "a", "b"),
    "rerandomized": ({"base": {"method": "complete", "ratio": TWO}, "covariates": ["age"]}, "a", "b"),
    "matched_pairs": ({"ratio": TWO, "pairs": "duo"}, "a", "b"),
    "clustered": ({"ratio": TWO, "clusters": "desk"}, "a", "b"),
    "factorial": ({"factors": {"x": ["n", "y"], "z": ["n", "y"]}, "strata": ["region"]}, "x=n, z=n", "x=y, z=n"),
    "lottery": ({"places": 90, "tickets": "tickets"}, "waiting list", "offer"),
    "two_stage": (
        {"first": {"method": "complete", "ratio": {"sms": 1, "letter": 1}}, "second": TWO, "enrolled": "enrolled"},
        "sms > a", "sms > b",
    ),
}  # fmt: skip


def units(seed, n=240):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "region": rng.choice(["noord", "zuid"], n),
            "level": rng.choice(["mbo1", "mbo2"], n),
            "age": rng.normal(40, 10, n),
            "duo": np.arange(n) // 2,
            "desk": np.arange(n) // 6,
            "tickets": rng.integers(1, 4, n),
            "enrolled": rng.random(n) < 0.8,
        }
    )


def plan_for(method, **settings):
    allocation, control, treated = CASES[method]
    return PreAnalysisPlan.from_dict(
        {
            "allocation": {"method": method, **allocation},
            "outcomes": [{"name": "score", "kind": "continuous", "source": {"column": "score"}}],
            "analysis_plan": {
                "control": control, "contrasts": [[treated, control]], "covariates": ["age"], "draws": 100, **settings,
            },
        }
    )  # fmt: skip


def trial(method, effect, seed):
    allocation, _, treated = CASES[method]
    data = units(seed)
    data["arm"] = rz.from_dict({"method": method, **allocation}).draw(data, seed).astype(object)
    rng = np.random.default_rng(seed + 1_000)
    noise = rng.normal(size=len(data)) + 0.5 * rng.normal(size=200)[data["desk"]] + rng.normal(size=200)[data["duo"]]
    return data.assign(
        score=0.08 * data["age"] + (data["region"] == "zuid") + effect * (data["arm"] == treated) + noise
    )


def test_every_design_with_an_estimator_is_in_this_suite():
    assert set(CASES) == {method for method, rule in RULES.items() if not rule.refusal}


@pytest.mark.parametrize("method", CASES)
def test_the_plan_finds_the_effect_that_was_put_in(method):
    results = plan_for(method).run(trial(method, effect=4.0, seed=21))
    contrast = results.outcomes[0].contrasts[0]
    assert not contrast.refused
    for effect in (contrast.unadjusted, contrast.adjusted):
        assert abs(effect.value - 4.0) < 4.5 * effect.se
        assert effect.se < 0.8
    assert contrast.reading == "higher"
    serious = {d.code for d in results.deviations if d.severity == "serious"}
    assert serious <= {"not_intention_to_treat"}


@pytest.mark.parametrize("method", CASES)
def test_the_plan_rehearses_without_an_arm_column(method):
    data = trial(method, effect=4.0, seed=22)
    plan = plan_for(method)
    dry = plan.dry_run(data.drop(columns="arm"), seed=5)
    assert dry.mode == "dry_run"
    assert dry == plan.dry_run(data, seed=5)
    effect = dry.outcomes[0].contrasts[0].unadjusted
    assert abs(effect.value) < 4.5 * effect.se


def test_few_clusters_are_tested_by_redrawing_the_clusters():
    plan = plan_for("clustered", clusters_planned=12, draws=500)
    data = trial("clustered", effect=0.0, seed=3).iloc[:72]
    data["arm"] = plan.design.draw(data, 4).astype(object).to_numpy()
    found = plan.run(data).outcomes[0].contrasts[0]
    assert found.p == found.p_permutation
    assert found.permutation_interval[0] < found.adjusted.value < found.permutation_interval[1]
    assert (1 / found.p_permutation) <= 924 + 1e-9  # all ways to choose 6 of 12 clusters


STRATIFIED = {"method": "permuted_blocks", "ratio": TWO}
CLUSTERED = {"method": "clustered", "ratio": TWO, "clusters": "desk"}
LOTTERY = {"method": "lottery", "places": 90}
RERANDOMIZED = {"method": "rerandomized", "covariates": ["age"]}
SITUATIONS = {
    "sparse strata": (STRATIFIED | {"strata": ["cell"]}, "a", "b", {}, "blocked"),
    "pairs after loss": ({"method": "matched_pairs", "ratio": TWO, "pairs": "duo"}, "a", "b", {}, "matched pairs"),
    "unpaired after loss": (
        {"method": "matched_pairs", "ratio": TWO, "pairs": "duo"}, "a", "b", {"broken_pairs": "unpaired"}, "Welch",
    ),
    "clusters in strata": (CLUSTERED | {"strata": ["part"]}, "a", "b", {}, "blocked CR2"),
    "few clusters": (CLUSTERED, "a", "b", {"clusters_planned": 14}, "CR2"),
    "lottery": (LOTTERY, "waiting list", "offer", {}, "Welch"),
    "lottery in strata": (LOTTERY | {"strata": ["region"]}, "waiting list", "offer", {}, "blocked"),
    "weighted lottery": (
        LOTTERY | {"strata": ["region"], "places": {"noord": 50, "zuid": 40}, "tickets": "tickets"}, "waiting list",
        "offer", {}, "weighted",
    ),
    "rerandomised clusters": (RERANDOMIZED | {"base": CLUSTERED}, "a", "b", {}, "CR2"),
    "rerandomised strata": (
        RERANDOMIZED | {"base": {"method": "blocked", "ratio": TWO, "strata": ["region"]}}, "a", "b", {}, "blocked",
    ),
    "two stages in strata": (
        {"method": "two_stage", "first": {"method": "complete", "ratio": {"sms": 1, "letter": 1}}, "second": TWO,
         "enrolled": "enrolled", "within": ["region"]}, "sms > a", "sms > b", {}, "blocked",
    ),
    "adaptive wave": (
        {"method": "adaptive", "ratio": TWO, "floor": 0.2, "evidence": {"a": [3, 7], "b": [6, 4]}}, "a", "b",
        {"columns": {"probability": "chance"}}, "weighted",
    ),
    "known probabilities": (
        {"method": "simple", "ratio": TWO}, "a", "b", {"columns": {"probability": "chance"}}, "weighted",
    ),
}  # fmt: skip


def situation(name, effect, seed, n=240):
    allocation, control, treated, settings, _ = SITUATIONS[name]
    n = 84 if name == "few clusters" else n
    data = units(seed, n)
    data["part"] = np.where(data["desk"] % 3 == 0, "noord", "zuid")
    data["cell"] = data["region"] + " " + (data["age"] // 2).astype(int).astype(str)
    data["arm"] = rz.from_dict(allocation).draw(data, seed).astype(object)
    rng = np.random.default_rng(seed + 2_000)
    noise = rng.normal(size=n) + 0.4 * rng.normal(size=n)[data["desk"]] + 0.6 * rng.normal(size=n)[data["duo"]]
    data["score"] = 0.08 * data["age"] + (data["region"] == "zuid") + effect * (data["arm"] == treated) + noise
    chances = {"a": 0.5, "b": 0.5}
    if name == "adaptive wave":
        chances = rz.from_dict(allocation).probabilities(1).iloc[0].to_dict()
    data["chance"] = data["arm"].map(chances)
    if "loss" in name:
        data.loc[rng.random(n) < 0.1, "score"] = np.nan
    outcome = {"name": "score", "kind": "continuous", "source": {"column": "score"}}
    analysis_plan = {"control": control, "contrasts": [[treated, control]], "covariates": ["age"], "draws": 200}
    plan = PreAnalysisPlan.from_dict(
        {"allocation": allocation, "outcomes": [outcome], "analysis_plan": analysis_plan | settings}
    )
    return plan, data


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_situation_of_the_decision_table_is_estimated_on_data_of_that_very_design(name):
    plan, data = situation(name, effect=4.0, seed=31)
    results = plan.run(data)
    contrast = results.outcomes[0].contrasts[0]
    assert not contrast.refused
    assert SITUATIONS[name][4] in contrast.unadjusted.convention
    for effect in (contrast.unadjusted, contrast.adjusted):
        assert abs(effect.value - 4.0) < 4.5 * effect.se
        assert effect.se < 0.9
    codes = {deviation.code for deviation in results.deviations}
    assert ("sparse_strata_pooled" in codes) == (name == "sparse strata")
    assert ("broken_pairs" in codes) == (name == "pairs after loss")
    assert (contrast.p_permutation is not None) == (name == "few clusters")


def test_the_remedies_of_the_refused_designs_work_on_their_own_data():
    wave = rz.adaptive(["a", "b"], evidence={"a": (3, 7), "b": (6, 4)}, floor=0.2)
    data = units(3, 80)
    data["arm"] = wave.draw(data, 4).astype(object)
    data["score"] = 3.0 * (data["arm"] == "b") + np.random.default_rng(5).normal(size=80)
    test = analysis.randomization_inference(data, "score", wave, draws=400, control="a")
    assert test.p < 0.01
    assert 3.0 in test.interval()
    wedge = rz.stepped_wedge("desk", steps=4)
    rows = units(6, 480).assign(desk=np.arange(480) // 20)
    started = wedge.draw(rows, 7).astype(str).str.extract(r"(\d+)")[0].astype(int).to_numpy()
    long = pd.concat([rows.assign(period=t, exposed=(started <= t).astype(int)) for t in range(5)], ignore_index=True)
    rng = np.random.default_rng(8)
    long["score"] = (
        2.0 * long["exposed"] + 0.3 * long["period"] + rng.normal(size=24)[long["desk"]] + rng.normal(size=len(long))
    )
    found = analysis.lm_robust("score ~ exposed", long, fixed_effects=["desk", "period"], clusters="desk")["exposed"]
    assert abs(found.value - 2.0) < 4 * found.se
    assert found.se < 0.2


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["sparse strata", "pairs after loss", "few clusters", "weighted lottery"])
def test_the_interval_of_a_situation_holds_the_effect_as_often_as_it_says(name):
    held = 0
    for seed in range(80):
        plan, data = situation(name, 1.0, seed)
        found = plan.run(data).outcomes[0].contrasts[0]
        low, high = found.permutation_interval or (found.main.low, found.main.high)
        held += low <= 1.0 <= high
    assert held / 80 > 0.87


@pytest.mark.heavy
@pytest.mark.parametrize("method", ["complete", "permuted_blocks", "minimization", "matched_pairs", "clustered"])
def test_the_main_result_rejects_a_true_null_at_its_stated_rate(method):
    plan = plan_for(method)
    rejected = sum(plan.run(trial(method, 0.0, seed)).outcomes[0].contrasts[0].p < 0.05 for seed in range(300))
    assert 0.015 < rejected / 300 < 0.09
