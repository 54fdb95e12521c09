"""Writing a plan: what is refused, where, and what locking fixes."""

from __future__ import annotations

import copy
import json

import pytest

from analysis import PreAnalysisPlan
from analysis.defaults import RULES, decision_table, situations_table
from analysis.errors import AnalysisError, DesignNotEstimable, PlanError
from randomization.designs import METHODS


def changed(sections, path, value):
    sections = copy.deepcopy(sections)
    here = sections
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return sections


@pytest.mark.parametrize(
    ("path", "value", "expected", "words"),
    [
        (("analysis_plan", "controll"), "portal", ("analysis_plan", "controll"), "did you mean 'control'"),
        (("analysis_plan", "correction", "contrast"), "holm", ("analysis_plan", "correction", "contrast"), "contrasts"),
        (("analysis_plan", "alpha"), 1.5, ("analysis_plan", "alpha"), "less than 1"),
        (("analysis_plan", "control"), "portaal", ("analysis_plan", "control"), "did you mean 'portal'"),
        (("analysis_plan", "contrasts"), [["advise", "portal"]], ("analysis_plan", "contrasts", 0, 0), "'advice'"),
        (("analysis_plan", "contrasts"), [["advice", "advice"]], ("analysis_plan", "contrasts"), "with itself"),
        (("analysis_plan", "headline"), "adjusted", ("analysis_plan", "headline"), "name covariates"),
        (("outcomes", 0, "kind"), "binry", ("outcomes", 0, "kind"), "'binary'"),
        (("outcomes", 0, "summary"), "mean_difference", ("outcomes", 0), "risk_difference"),
        (("outcomes", 0, "source"), {"colum": "y"}, ("outcomes", 0, "source", "colum"), "did you mean 'column'"),
        (("outcomes", 0, "source"), {"column": "y", "derive": "y"}, ("outcomes", 0, "source"), "exactly one source"),
        (("outcomes", 1, "missing"), {"bounds": "manski"}, ("outcomes", 1), "missing.range"),
        (("outcomes", 1, "name"), "training_started_12m", ("outcomes",), "described twice"),
        (("outcomes", 0, "family"), "secondary", ("outcomes",), "no outcome is primary"),
        (("allocation", "ratios"), {"a": 1}, ("allocation", "ratios"), "did you mean 'ratio'"),
        (("analysis_plan", "columns"), {"pair": "duo"}, ("analysis_plan", "columns", "pair"), "makes no pairs"),
        (("looks",), [], ("looks",), "not known"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_obeyed_is_refused_with_its_place(sections, path, value, expected, words):
    if path[-1] == "headline":
        sections = changed(sections, ("analysis_plan", "covariates"), [])
    with pytest.raises(PlanError) as caught:
        PreAnalysisPlan.from_dict(changed(sections, path, value))
    assert caught.value.path == expected
    assert words in str(caught.value)


def test_a_missing_section_is_named(sections):
    del sections["analysis_plan"]
    with pytest.raises(PlanError, match="analysis_plan is missing"):
        PreAnalysisPlan.from_dict(sections)


def test_locking_gives_the_same_bytes_whatever_the_order_of_keys(sections):
    plan = PreAnalysisPlan.from_dict(sections)
    shuffled = {key: sections[key] for key in reversed(sections)}
    shuffled["analysis_plan"] = dict(reversed(sections["analysis_plan"].items()))
    assert PreAnalysisPlan.from_dict(shuffled).lock() == plan.lock()


def test_a_locked_plan_reads_back_as_itself(sections):
    locked = PreAnalysisPlan.from_dict(sections).lock()
    again = PreAnalysisPlan.from_dict(json.loads(locked.canonical_json))
    assert again.lock() == locked


def test_every_choice_changes_the_fingerprint(sections):
    plan = PreAnalysisPlan.from_dict(sections).lock().sha256
    for path, value in [
        (("analysis_plan", "seed"), 7),
        (("analysis_plan", "covariates"), []),
        (("outcomes", 0, "missing", "bounds"), "manski"),
        (("allocation", "multiples"), [2]),
    ]:
        assert PreAnalysisPlan.from_dict(changed(sections, path, value)).lock().sha256 != plan


def test_a_decision_that_the_software_no_longer_makes_is_refused(sections):
    locked = json.loads(PreAnalysisPlan.from_dict(sections).lock().canonical_json)
    locked["decision"]["convention"] = "HC9"
    with pytest.raises(PlanError, match="decides otherwise than the locked plan on: convention"):
        PreAnalysisPlan.from_dict(locked)


def test_running_another_plan_than_the_published_one_is_refused(sections, people):
    with pytest.raises(PlanError, match="not the published"):
        PreAnalysisPlan.from_dict(sections).run(people, expected_sha256="0" * 64)


def test_the_contrasts_are_every_arm_against_control_unless_registered(sections):
    plan = PreAnalysisPlan.from_dict(changed(sections, ("analysis_plan", "contrasts"), []))
    assert plan.contrasts == (("advice", "portal"), ("voucher", "portal"))


def test_the_decision_table_answers_for_every_design():
    assert set(RULES) == set(METHODS)
    for method, rule in RULES.items():
        assert rule.reason, method
        # an adaptive design has both: it is weighed where its chances are known and bounded, and refused elsewhere
        assert bool(rule.refusal) != bool(rule.unadjusted) or method == "adaptive", method


TWO = {"a": 1, "b": 1}
LOTTERY = {"method": "lottery", "places": 5}
COMPLETE = {"method": "complete", "ratio": TWO}
CLUSTERED = {"method": "clustered", "ratio": TWO, "clusters": "desk", "strata": ["r"]}


@pytest.mark.parametrize(
    ("allocation", "control", "expected"),
    [
        ({"method": "simple", "ratio": TWO}, "a", {"convention": "HC2", "strata": ()}),
        ({"method": "big_stick", "ratio": TWO, "limit": 4, "strata": ["r"]}, "a", {"strata": ("r",)}),
        ({"method": "minimization", "ratio": TWO, "factors": ["r", "s"]}, "a", {"adjust": ("r", "s")}),
        ({"method": "rerandomized", "base": COMPLETE, "covariates": ["x"]}, "a", {"headline": "adjusted"}),
        ({"method": "matched_pairs", "ratio": TWO, "pairs": "duo"}, "a", {"pairs": "duo"}),
        (CLUSTERED, "a", {"clusters": "desk", "convention": "CR2", "strata": ("r",)}),
        (LOTTERY | {"tickets": "t"}, "waiting list", {"weighs": True}),
        (LOTTERY | {"strata": ["r"]}, "waiting list", {"weighs": False, "strata": ("r",)}),
    ],
)
def test_the_design_decides_the_estimator(allocation, control, expected):
    outcome = {"name": "y", "kind": "continuous", "source": {"column": "y"}}
    plan = PreAnalysisPlan.from_dict(
        {"allocation": allocation, "outcomes": [outcome], "analysis_plan": {"control": control}}
    )
    for name, value in expected.items():
        assert getattr(plan.decision, name) == value


def test_the_published_decision_table_is_the_one_that_decides(examples):
    page = (examples.parent / "docs/methods/plan.md").read_text(encoding="utf-8")
    assert decision_table() in page
    assert situations_table() in page


@pytest.mark.parametrize(
    ("allocation", "control", "words"),
    [
        ({"method": "stepped_wedge", "clusters": "desk", "steps": 3}, "step 1", "no contrast of arms"),
        ({"method": "matched_pairs", "ratio": {"a": 1, "b": 2}, "pairs": "set"}, "a", "more than once"),
    ],
)
def test_a_design_without_a_trusted_estimator_is_refused_with_the_reason(allocation, control, words):
    outcome = {"name": "y", "kind": "continuous", "source": {"column": "y"}}
    with pytest.raises(DesignNotEstimable, match=words):
        PreAnalysisPlan.from_dict(
            {"allocation": allocation, "outcomes": [outcome], "analysis_plan": {"control": control}}
        )


def test_people_who_enrolled_after_different_outreach_are_not_compared():
    allocation = {
        "method": "two_stage", "first": {"method": "complete", "ratio": {"letter": 1, "sms": 1}},
        "second": {"portal": 1, "advice": 1}, "enrolled": "enrolled",
    }  # fmt: skip
    outcome = {"name": "y", "kind": "continuous", "source": {"column": "y"}}
    good = {"control": "sms > portal", "contrasts": [["sms > advice", "sms > portal"]]}
    assert PreAnalysisPlan.from_dict({"allocation": allocation, "outcomes": [outcome], "analysis_plan": good})
    bad = {"control": "sms > portal", "contrasts": [["letter > portal", "sms > portal"]]}
    with pytest.raises(PlanError, match="reached in different ways"):
        PreAnalysisPlan.from_dict({"allocation": allocation, "outcomes": [outcome], "analysis_plan": bad})


def test_few_planned_clusters_lock_inference_by_redrawing():
    sections = {
        "allocation": {"method": "clustered", "ratio": {"a": 1, "b": 1}, "clusters": "desk"},
        "outcomes": [{"name": "y", "kind": "continuous", "source": {"column": "y"}}],
        "analysis_plan": {"control": "a", "clusters_planned": 12},
    }
    assert PreAnalysisPlan.from_dict(sections).decision.inference == "permutation"
    many = changed(sections, ("analysis_plan", "clusters_planned"), 40)
    assert PreAnalysisPlan.from_dict(many).decision.inference == "t"


def test_a_file_that_holds_no_plan_is_refused(tmp_path):
    for text in ("", "- 1", "a: [", "allocation: 3\noutcomes: []\nanalysis_plan: {}"):
        file = tmp_path / "plan.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(AnalysisError):
            PreAnalysisPlan.read(file)
    with pytest.raises(PlanError, match="there is no plan"):
        PreAnalysisPlan.read(tmp_path / "absent.yaml")
