"""A plan can register that a lottery with refills is analysed by every offer that was made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import randomization as rz
from analysis import PreAnalysisPlan, ever_offer
from analysis.errors import PlanError
from analysis.rscript import r_script

LOTTERY: dict[str, Any] = {"method": "lottery", "places": 60, "strata": ["desk"]}
RECORD = {"rank": "rank", "offered": "offered", "took": "took"}


def plan_for(allocation: dict[str, Any] = LOTTERY, outcome: dict[str, Any] | None = None, **settings: Any):
    outcome = {"name": "score", "kind": "continuous", "source": {"column": "score"}, **(outcome or {})}
    section = {"control": "waiting list", "waiting_list": RECORD, **settings}
    return PreAnalysisPlan.from_dict({"allocation": allocation, "outcomes": [outcome], "analysis_plan": section})


def applicants(effect: float = 1.0, seed: int = 1, n: int = 240) -> Any:
    """Two desks, a drawn order in each, offers down the order until the places of the desk are taken."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"desk": rng.choice(["noord", "zuid"], n), "taker": rng.random(n) < 0.6})
    data = data.join(rz.lottery(LOTTERY["places"], strata=LOTTERY["strata"]).rank(data, seed)[["rank", "arm"]])
    data["offered"] = False
    for _desk, people in data.sort_values("rank").groupby("desk"):
        order = people.index.to_numpy()
        places = int(np.count_nonzero(people["arm"] == "offer"))
        last = np.flatnonzero(people["taker"])[places - 1]
        data.loc[order[: last + 1], "offered"] = True
    data["took"] = data["offered"] & data["taker"]
    data["score"] = rng.normal(size=n) + data["taker"] + effect * data["took"]
    data.loc[rng.random(n) < 0.2, "score"] = np.nan
    return data


def test_the_plan_gives_the_effect_of_an_offer_and_of_a_place_taken():
    data = applicants()
    found = plan_for().run(data).outcomes[0].contrasts[0]
    alone = ever_offer(data, "score", rank="rank", offered="offered", took="took", strata="desk")
    assert found.main is not None
    assert (found.main.value, found.main.se) == (alone.offer.value, alone.offer.se)
    assert found.complier is not None
    assert found.complier.effect is not None
    assert found.complier.effect.value == alone.takers.value
    assert abs(alone.takers.value - 1.0) < 3 * alone.takers.se
    assert "waiting list" in found.main.method


def test_without_the_choice_a_plan_keeps_the_first_offer_and_its_fingerprint():
    plan = plan_for(waiting_list=None)
    assert "waiting_list" not in plan.to_dict()["analysis_plan"]
    assert "difference in means" in plan.decision.unadjusted
    assert plan.lock().sha256 != plan_for().lock().sha256


def test_a_locked_plan_is_read_again_with_its_choice():
    plan = plan_for()
    again = PreAnalysisPlan.from_dict(plan.to_dict())
    assert again.lock() == plan.lock()
    assert again.analysis.waiting_list == plan.analysis.waiting_list


def test_a_rehearsal_invents_the_record_and_reads_nothing_of_the_real_one():
    data = applicants()
    blind = plan_for().dry_run(data.drop(columns=["rank", "offered", "took", "arm"]), seed=3)
    assert not blind.outcomes[0].contrasts[0].refused
    assert blind.outcomes == plan_for().dry_run(data.assign(took=0), seed=3).outcomes


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"allocation": {"method": "complete", "ratio": {"waiting list": 1, "offer": 1}}}, "waiting_list"),
        ({"allocation": {**LOTTERY, "tickets": "tickets"}}, "waiting_list"),
        ({"covariates": ["age"]}, "covariates"),
        ({"inference": "permutation"}, "inference"),
        ({"subgroups": ["desk"]}, "subgroups"),
        ({"control": "offer"}, "control"),
        ({"outcome": {"missing": {"bounds": "manski", "range": [0, 9]}}}, "missing"),
        ({"outcome": {"kind": "binary", "summary": "risk_ratio"}}, "summary"),
    ],
)
def test_what_contradicts_the_weights_is_refused_at_its_place(change: dict[str, Any], place: str):
    with pytest.raises(PlanError) as refused:
        plan_for(**change)
    assert refused.value.path[-1] == place


def test_an_arm_that_the_record_contradicts_is_named_beside_the_result():
    data = applicants()
    one = np.arange(len(data)) == int(np.flatnonzero(~data["offered"])[0])
    broken = data.assign(arm=data["arm"].where(~one, "offer"))
    (contrast,) = plan_for().run(broken).outcomes[0].contrasts
    assert contrast.main is None
    assert contrast.reading == "unclear"
    assert "1 people drawn for a first offer have no offer in 'offered'" in contrast.refused


def test_the_script_in_r_says_that_it_has_no_such_analysis():
    with pytest.raises(PlanError, match="no analysis by every offer made"):
        r_script(plan_for(), "people.csv")
