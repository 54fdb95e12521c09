"""Contrasts outside the confirmatory family: shown beside it, corrected among themselves, and never paid for by it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from analysis import PreAnalysisPlan
from analysis.errors import PlanError
from analysis.simulate import World, simulate
from analysis.simulation.registered import cut

TRAINED = "training_started_12m"
SIZED = [["advice", "portal"], ["voucher", "portal"]]
OUTSIDE = [["voucher", "advice"]]


def planned(sections: dict[str, Any], **changes: Any) -> PreAnalysisPlan:
    sections = copy.deepcopy(sections)
    sections["analysis_plan"] |= {"contrasts": SIZED, "secondary_contrasts": OUTSIDE, **changes}
    return PreAnalysisPlan.from_dict(sections)


CORRECTIONS = [
    {"contrasts": "dunnett", "outcomes": "holm"},
    {"contrasts": "holm", "outcomes": "bh"},
    {"contrasts": "none", "outcomes": "bonferroni"},
    {"outcomes": "romano_wolf"},
    {"outcomes": "westfall_young"},
]


@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda made: made["outcomes"])
def test_the_confirmatory_contrasts_are_the_same_to_the_last_digit_without_the_others(correction, sections, people):
    sections["outcomes"][1]["family"] = "primary"
    with_others = planned(sections, correction=correction).run(people)
    alone = planned(sections, correction=correction, secondary_contrasts=[]).run(people)
    for outcome in alone.outcomes:
        for one in outcome.contrasts:
            assert with_others.contrast(outcome.name, one.treated, one.comparison) == one
        confirmatory = [s for s in with_others.outcome(outcome.name).subgroups if not s.outside_family]
        assert tuple(confirmatory) == outcome.subgroups
    assert [c.outside_family for c in with_others.outcome(TRAINED).contrasts] == [False, False, True]


def test_a_contrast_outside_pays_for_the_others_outside_only(sections, people):
    outside = [["voucher", "advice"], ["voucher", "portal"]]
    found = planned(sections, contrasts=[["advice", "portal"]], secondary_contrasts=outside).run(people)
    one, *others = found.outcome(TRAINED).contrasts
    assert one.p_corrected == one.p
    small, large = sorted(others, key=lambda contrast: contrast.p)
    assert small.p_corrected == pytest.approx(min(1, 2 * small.p))
    assert large.p_corrected == pytest.approx(max(min(1, 2 * small.p), large.p))
    assert all(c.correction == "contrasts: holm; outcomes: holm; outside the sized family" for c in others)


def test_the_outcomes_of_a_family_pay_for_one_another_outside_it_too(sections, people):
    sections["outcomes"][1]["family"] = "primary"
    found = planned(sections).run(people)
    first, second = (found.contrast(name, "voucher", "advice") for name in (TRAINED, "hours"))
    assert min(first.p_corrected, second.p_corrected) == pytest.approx(min(1, 2 * min(first.p, second.p)))


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"secondary_contrasts": [["portal", "advice"]]}, ("secondary_contrasts", 0), "is a confirmatory contrast"),
        ({"contrasts": [], "secondary_contrasts": [["voucher", "portal"]]}, ("secondary_contrasts", 0), "confirmatory"),
        ({"secondary_contrasts": [["voucher", "advise"]]}, ("secondary_contrasts", 0, 1), "no arm 'advise'"),
        ({"secondary_contrasts": [["advice", "advice"]]}, ("secondary_contrasts",), "with itself"),
        ({"secondary_contrasts": [*OUTSIDE, ["advice", "voucher"]]}, ("secondary_contrasts",), "registered twice"),
    ],
)
def test_a_pair_stands_in_one_list_once_and_names_arms(sections, changes, path, words):
    with pytest.raises(PlanError, match=words) as refused:
        planned(sections, **changes)
    assert refused.value.path == ("analysis_plan", *path)


def test_a_plan_without_them_keeps_its_fingerprint_and_one_with_them_comes_back(sections):
    assert "secondary_contrasts" not in planned(sections, secondary_contrasts=[]).to_dict()["analysis_plan"]
    plan = planned(sections)
    assert PreAnalysisPlan.from_dict(plan.to_dict()).lock() == plan.lock()
    assert plan.every_contrast == (*plan.contrasts, ("voucher", "advice"))


def cut_down(correction: str, arms: tuple[str, ...] = ("advice", "voucher"), outside: Any = OUTSIDE) -> PreAnalysisPlan:
    plan = PreAnalysisPlan.from_dict(
        {
            "allocation": {"method": "complete", "ratio": dict.fromkeys(("portal", *arms), 1)},
            "outcomes": [{"name": "y", "kind": "continuous", "source": {"column": "y"}}],
            "analysis_plan": {
                "control": "portal", "contrasts": SIZED, "secondary_contrasts": outside, "draws": 100,
                "correction": {"contrasts": correction},
            },
        }
    )  # fmt: skip
    return cut(plan, "y", "continuous").plan


def p_values(plan: PreAnalysisPlan, effects: dict[str, float], *, trials: int, n: int, general: bool) -> np.ndarray:
    """The corrected p of every contrast of each trial, (trials, contrasts)."""
    world = World(n=n, effects=effects, control="portal", kind="continuous")
    found = simulate(
        world, estimator=plan, design=plan.design, contrasts=plan.every_contrast, trials=trials, seed=11, jobs=1,
        general=general, progress=False,
    )  # fmt: skip
    return found.estimates[:, :, 2]


@pytest.mark.parametrize("correction", ["dunnett", "holm"])
def test_a_simulation_gives_the_same_numbers_by_arrays_and_by_tables(correction):
    plan, effects = cut_down(correction), {"advice": 0.3, "voucher": 0.5}
    fast, slow = (p_values(plan, effects, trials=5, n=90, general=general) for general in (False, True))
    assert fast == pytest.approx(slow, abs=1e-9)


def claims(plan: PreAnalysisPlan, **effects: float) -> np.ndarray:
    return p_values(plan, effects, trials=TRIALS, n=240, general=False) <= 0.05


TRIALS = 2000
MOST = 0.05 + 3 * np.sqrt(0.05 * 0.95 / TRIALS)


@pytest.mark.heavy
@pytest.mark.parametrize("correction", ["dunnett", "holm"])
def test_the_confirmatory_family_makes_five_false_claims_in_a_hundred_whatever_is_true_outside(correction):
    null = claims(cut_down(correction), advice=0.0, voucher=0.0)
    assert 0.03 < null[:, :2].any(axis=1).mean() <= MOST
    assert null[:, 2].mean() <= MOST
    four = cut_down(correction, ("advice", "voucher", "coach"), [["coach", "portal"]])
    differs = claims(four, advice=0.0, voucher=0.0, coach=1.5)
    assert 0.03 < differs[:, :2].any(axis=1).mean() <= MOST
    assert differs[:, 2].mean() > 0.99
    alike = claims(cut_down(correction), advice=1.5, voucher=1.5)
    assert alike[:, :2].all(axis=1).mean() > 0.99
    assert alike[:, 2].mean() <= MOST
