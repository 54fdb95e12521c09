"""The R script makes the same numbers again in another language, for every structure that a plan can have."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import randomization as rz
from analysis import PreAnalysisPlan, read_data
from analysis.errors import PlanError
from analysis.rscript import r_script

GOLDEN = Path(__file__).resolve().parents[2] / "reference/plan/nsw.R"
TWO = {"a": 1, "b": 1}


def test_the_script_of_the_job_training_plan_is_the_one_that_was_reviewed(examples):
    plan = PreAnalysisPlan.read(examples / "nsw/plan.yaml")
    assert r_script(plan, "nsw.csv") == GOLDEN.read_text(encoding="utf-8")


def test_weights_that_only_the_design_knows_are_refused():
    sections = {
        "allocation": {"method": "lottery", "places": 5, "tickets": "t"},
        "outcomes": [{"name": "y", "kind": "continuous", "source": {"column": "y"}}],
        "analysis_plan": {"control": "waiting list"},
    }
    with pytest.raises(PlanError, match="cannot be written in R"):
        r_script(PreAnalysisPlan.from_dict(sections), "people.csv")


def test_names_with_quotes_do_not_break_out_of_the_script():
    sections = {
        "allocation": {"method": "complete", "ratio": TWO},
        "outcomes": [{"name": "y", "kind": "continuous", "source": {"column": 'y") ; system("true'}}],
        "analysis_plan": {"control": "a"},
    }
    assert 'column = "y\\") ; system(\\"true"' in r_script(PreAnalysisPlan.from_dict(sections), "people.csv")


def people(seed, **columns):
    rng = np.random.default_rng(seed)
    n = 240
    data = pd.DataFrame(
        {
            "region": rng.choice(["noord", "Zuid", "west"], n, p=[0.55, 0.4, 0.05]),
            "desk": np.arange(n) // 10,
            "duo": np.arange(n) // 2,
            "age": rng.normal(40, 10, n).round(1),
            "level": rng.choice(["vmbo", "mbo", "hbo"], n),
        }
    )
    data.loc[rng.random(n) < 0.1, "age"] = np.nan
    data.loc[rng.random(n) < 0.05, "level"] = None
    data["desk_region"] = np.where(data["desk"] % 3 == 0, "noord", "zuid")
    return data.assign(**columns)


def answered(data, seed):
    rng = np.random.default_rng(seed)
    treated = data["arm"] == "b"
    score = 5 + treated + 0.05 * data["age"].fillna(40) + rng.normal(size=len(data))
    trained = (rng.random(len(data)) < 0.3 + 0.2 * treated).astype(float)
    for values in (score, trained):
        values[rng.random(len(data)) < 0.1 + 0.1 * treated] = np.nan
    return data.assign(score=score, trained=trained)


CASES = {
    "strata, three arms": (
        {"method": "permuted_blocks", "ratio": {"a": 1, "b": 1, "c": 1}, "strata": ["region"]},
        {"contrasts": [["b", "a"], ["c", "b"]]}, {}, {},
    ),
    "a contrast outside the family": (
        {"method": "complete", "ratio": {"a": 1, "b": 1, "c": 1}}, {"secondary_contrasts": [["c", "a"]]}, {}, {},
    ),
    "weights for response": ({"method": "complete", "ratio": TWO}, {}, {"handling": "inverse_probability"}, {}),
    "worst case in strata": (
        {"method": "blocked", "ratio": TWO, "strata": ["region", "level"]}, {"covariates": ["age"]},
        {"handling": "worst_case", "range": [0, 12]}, {"level": "mbo"},
    ),
    "missing is zero": (
        {"method": "simple", "ratio": {"a": 1, "b": 2}}, {"estimator": "ancova"}, {"handling": "zero"}, {},
    ),
    "clusters": ({"method": "clustered", "ratio": TWO, "clusters": "desk"}, {"covariates": ["age"]}, {}, {}),
    "clusters in strata": (
        {"method": "clustered", "ratio": TWO, "clusters": "desk", "strata": ["desk_region"]},
        {"covariates": []}, {}, {},
    ),
    "pairs": ({"method": "matched_pairs", "ratio": TWO, "pairs": "duo"}, {"covariates": ["age"]}, {}, {}),
    "broken pairs": (
        {"method": "matched_pairs", "ratio": TWO, "pairs": "duo"}, {"broken_pairs": "unpaired", "covariates": ["age"]},
        {}, {},
    ),
    "known probabilities": (
        {"method": "simple", "ratio": TWO}, {"columns": {"probability": "chance"}}, {}, {"chance": 0.4},
    ),
    "take-up in strata": (
        {"method": "blocked", "ratio": TWO, "strata": ["region"]},
        {"take_up": {"column": "came", "definition": "came once", "component": "talk"},
         "components": {"a": [], "b": ["talk"]}}, {}, {"came": 1},
    ),
    "take-up of clusters": (
        {"method": "clustered", "ratio": TWO, "clusters": "desk"},
        {"take_up": {"column": "came", "definition": "came once", "component": "talk"},
         "components": {"a": [], "b": ["talk"]}}, {}, {"came": 1},
    ),
    "random advisors": (
        {"method": "complete", "ratio": TWO}, {"advisors": {"column": "who", "arms": ["b"], "treat_as": "random"}},
        {}, {"who": "w"},
    ),
}  # fmt: skip


def drawn(case, seed):
    allocation, _, _, extra = CASES[case]
    data = people(seed, **{name: value for name, value in extra.items() if name == "level"})
    data["arm"] = rz.from_dict(allocation).draw(data, seed).astype(object)
    rng = np.random.default_rng(seed)
    if "chance" in extra:
        data["chance"] = rng.uniform(0.3, 0.7, len(data)).round(3)
    if "came" in extra:
        data["came"] = ((data["arm"] == "b") & (rng.random(len(data)) < 0.7)).astype(float)
        data.loc[rng.random(len(data)) < 0.05, "came"] = np.nan
    if "who" in extra:
        data["who"] = np.where(data["arm"] == "b", [f"w{k}" for k in rng.integers(0, 9, len(data))], None)
    return answered(data, seed)


@pytest.mark.parametrize("case", CASES)
def test_two_programs_in_two_languages_agree(case, tmp_path):
    allocation, settings, missing, _ = CASES[case]
    outcomes = [
        {"name": "score", "kind": "continuous", "source": {"column": "score"}, "missing": missing},
        {"name": "trained", "kind": "binary", "source": {"column": "trained"}, "missing": missing},
    ]
    analysis_plan = {"control": "a", "covariates": ["age", "level"], "contrasts": [["b", "a"]], "draws": 100}
    plan = PreAnalysisPlan.from_dict(
        {"allocation": allocation, "outcomes": outcomes, "analysis_plan": analysis_plan | settings}
    )
    file = tmp_path / "people.csv"
    drawn(case, seed=3).to_csv(file, index=False)
    results = plan.run(read_data(file))
    effects = [e for o in results.outcomes for c in o.contrasts for e in (c.unadjusted, c.adjusted) if e is not None]
    assert len(effects) >= 2
    script = r_script(plan, str(file), results=results)
    assert f"{effects[0].value!r}, {effects[0].se!r}" in script
    if shutil.which("Rscript"):
        (tmp_path / "primary.R").write_text(script, encoding="utf-8")
        done = subprocess.run(
            ["Rscript", "--vanilla", str(tmp_path / "primary.R")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
        assert "# both programs agree" in done.stdout


def test_the_script_stops_when_a_number_differs(examples, tmp_path):
    plan = PreAnalysisPlan.read(examples / "nsw/plan.yaml")
    file = examples / "nsw/nsw.csv"
    results = plan.run(read_data(file, text=["id"]))
    script = r_script(plan, str(file), results=results).replace("1794.34", "1794.35", 1)
    assert "1794.35" in script
    if shutil.which("Rscript"):
        (tmp_path / "wrong.R").write_text(script, encoding="utf-8")
        done = subprocess.run(
            ["Rscript", "--vanilla", str(tmp_path / "wrong.R")], capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert "do not agree" in done.stderr


TIMES = {
    "restricted means": ({"method": "complete", "ratio": TWO}, "rmst_difference", {}),
    "restricted means in strata": ({"method": "blocked", "ratio": TWO, "strata": ["region"]}, "rmst_difference", {}),
    "hazards of clusters": ({"method": "clustered", "ratio": TWO, "clusters": "desk"}, "hazard_ratio", {}),
    "hazards of pairs": ({"method": "matched_pairs", "ratio": TWO, "pairs": "duo"}, "hazard_ratio", {}),
    "log-rank in strata": ({"method": "blocked", "ratio": TWO, "strata": ["region"]}, "log_rank", {}),
}


@pytest.mark.parametrize("case", TIMES)
def test_times_to_an_event_are_made_again_too(case, tmp_path):
    allocation, summary, settings = TIMES[case]
    data = people(5)
    data["arm"] = rz.from_dict(allocation).draw(data, 5).astype(object)
    rng = np.random.default_rng(6)
    data["weeks"] = np.minimum(rng.exponential(10, len(data)).round(1), rng.uniform(8, 30, len(data)).round(1))
    data["found"] = (rng.random(len(data)) < 0.8).astype(int)
    outcome = {
        "name": "work",
        "kind": "time_to_event",
        "summary": summary,
        "source": {"column": "weeks"},
        "event": "found",
    }
    if summary == "rmst_difference":
        outcome["horizon"] = 8.5
    plan = PreAnalysisPlan.from_dict(
        {
            "allocation": allocation, "outcomes": [outcome],
            "analysis_plan": {"control": "a", "covariates": ["age"], "draws": 100} | settings,
        }
    )  # fmt: skip
    file = tmp_path / "people.csv"
    data.to_csv(file, index=False)
    script = r_script(plan, str(file), results=plan.run(read_data(file)))
    assert f'summary = "{summary}"' in script
    if shutil.which("Rscript"):
        (tmp_path / "primary.R").write_text(script, encoding="utf-8")
        done = subprocess.run(
            ["Rscript", "--vanilla", str(tmp_path / "primary.R")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
        assert "# both programs agree" in done.stdout
