"""A registered plan in a simulation: its batched estimates are those of the plan itself, trial by trial."""

import copy

import numpy as np
import pytest

from analysis.errors import UnknownColumn
from analysis.plan import PreAnalysisPlan
from analysis.power import ImpossibleRequest
from analysis.simulate import World, simulate
from analysis.simulation.estimators import has_kernel
from analysis.simulation.registered import cut

STRATA = {"region": {"north": 0.5, "south": 0.3, "west": 0.2}, "schooling": {"low": 0.6, "high": 0.4}}
BLOCKS = {"method": "permuted_blocks", "strata": ["region", "schooling"], "multiples": [1, 2]}
COMPLETE = {"method": "complete"}
THREE = [["advice", "portal"], ["voucher", "portal"], ["voucher", "advice"]]
LOST = {"portal": 0.4, "advice": 0.35, "voucher": 0.4}


def plan_of(allocation=BLOCKS, kind="binary", outcomes=1, missing=None, **keys):
    made = [{"name": f"trained{'' if i == 0 else i}", "kind": kind, "source": {"column": "t"},
             "missing": missing or {}} for i in range(outcomes)]  # fmt: skip
    ratio = {"portal": 1, "advice": 1, "voucher": 1}
    analysis = {"control": "portal", "contrasts": THREE, "draws": 200, **keys}
    return PreAnalysisPlan.from_dict({
        "allocation": {"ratio": ratio, **allocation}, "outcomes": made, "analysis_plan": analysis,
    })  # fmt: skip


def world_of(**keys):
    return World(**{
        "n": 240, "effects": {"advice": 0.1, "voucher": 0.15}, "control": "portal", "kind": "binary", "mean": 0.3,
        "columns": STRATA, **keys,
    })  # fmt: skip


NUMBERS = {"covariates": 2, "names": ("age", "work"), "r2": 0.2}
CASES = {
    "as the shipped protocol": (plan_of(covariates=["age", "work"]), world_of(attrition=LOST, **NUMBERS)),
    "strata alone": (plan_of(), world_of(attrition=LOST)),
    "neither": (plan_of(COMPLETE), world_of()),
    "fixed covariates": (
        plan_of(COMPLETE, "continuous", covariates=["age", "work"], correction={"contrasts": "none"}),
        world_of(kind="continuous", redrawn=False, **NUMBERS),
    ),
    "a label as covariate": (plan_of(COMPLETE, covariates=["region"]), world_of()),
    "adjusted, yet the plain result leads": (
        plan_of(covariates=["age", "work"], headline="unadjusted"),
        world_of(**NUMBERS),
    ),
    "minimised": (
        plan_of({"method": "minimization", "factors": ["region", "schooling"]}, covariates=["age"]),
        world_of(covariates=1, names=("age",)),
    ),
    "dunnett": (
        plan_of(contrasts=THREE[:2], correction={"contrasts": "dunnett"}, covariates=["age", "work"]),
        world_of(**NUMBERS),
    ),
    "false discovery rate": (plan_of(correction={"outcomes": "bh"}), world_of()),
    "half of the people at a look": (
        plan_of(COMPLETE, "continuous", covariates=["age", "work"]),
        world_of(kind="continuous", until=0.5, attrition=LOST, **NUMBERS),
    ),
    "advisors and r2": (
        plan_of(covariates=["age", "work"], kind="continuous"),
        world_of(kind="continuous", nested={"advice": (10, 0.05)}, **NUMBERS),
    ),
    "strata too thin for some trials": (plan_of(covariates=["age", "work"]), world_of(n=60, **NUMBERS)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_plan_gives_the_same_numbers_by_arrays_and_by_tables(name):
    plan, world = CASES[name]
    plan = cut(plan, "trained", world.kind).plan
    assert has_kernel(plan, world)
    fast, slow = (
        simulate(world, estimator=plan, design=plan.design, contrasts=plan.contrasts, trials=5, seed=3, jobs=1,
                 general=general).estimates
        for general in (False, True)
    )  # fmt: skip
    assert np.isfinite(slow).any()
    assert np.allclose(fast, slow, rtol=1e-10, atol=1e-10, equal_nan=True)


def test_covariates_narrow_the_spread_of_a_share_by_what_they_explain():
    plan = cut(plan_of(COMPLETE, covariates=["age", "work"]), "trained", "binary").plan
    sizes = {
        r2: simulate(world_of(n=600, covariates=2, names=("age", "work"), r2=r2), estimator=plan, design=plan.design,
                     contrasts=plan.contrasts, trials=1500, seed=8, jobs=1).contrasts[0]
        for r2 in (0.0, 0.3)
    }  # fmt: skip
    plain, tied = sizes[0.0].sd, sizes[0.3].sd
    assert abs(tied.value / plain.value - 0.7**0.5) < 4 * (tied.error / tied.value + plain.error / plain.value)
    for row in sizes.values():
        assert abs(row.bias.value) < 4 * row.bias.error


def test_a_look_leaves_every_draw_as_it_is():
    design = plan_of(COMPLETE).design
    whole, half = (world_of(until=share).batch(world_of().units(1), design, 1, 0, 3) for share in (1.0, 0.5))
    assert np.array_equal(whole.outcome, half.outcome)
    assert half.seen is not None
    assert half.seen.sum(axis=1).tolist() == [120, 120, 120]


def test_a_look_asks_for_a_design_that_mixes_the_arms():
    with pytest.raises(ImpossibleRequest, match="until"):
        simulate(world_of(until=0.5), trials=3, seed=1, jobs=1)


def test_strata_that_shift_the_outcome_bias_nothing_without_a_design():
    world = world_of(kind="continuous", shifts={"region": {"north": 2.0}})
    (advice, _) = simulate(world, trials=2000, seed=6, jobs=1).contrasts
    assert abs(advice.bias.value) < 3.5 * advice.bias.error
    clusters = world_of(kind="continuous", shifts={"region": {"north": 2.0}}, cluster_size=4)
    (advice, _) = simulate(clusters, estimator="cluster_cr2", trials=2000, seed=6, jobs=1).contrasts
    assert abs(advice.bias.value) < 3.5 * advice.bias.error


@pytest.mark.parametrize("name", ["as the shipped protocol", "neither"])
def test_a_plan_gives_the_same_numbers_however_the_work_is_cut(name, tmp_path):
    plan, world = CASES[name]
    plan = cut(plan, "trained", world.kind).plan

    def run(trials=150, **keys):
        return simulate(world, estimator=plan, design=plan.design, contrasts=plan.contrasts, trials=trials, seed=9,
                        **{"jobs": 1, **keys}).estimates  # fmt: skip

    whole = run()
    assert np.array_equal(whole, run(jobs=2, backend="threading"))
    assert np.array_equal(whole[:100], run(100, checkpoint=tmp_path))
    assert np.array_equal(whole, run(checkpoint=tmp_path))
    assert np.array_equal(whole, run(checkpoint=tmp_path))


def test_strata_of_people_who_share_a_cluster_are_those_of_the_cluster():
    units = world_of(cluster_size=10, cluster_name="site").units(4)
    assert (units.groupby("site")[["region", "schooling"]].nunique() == 1).all(axis=None)


def test_whole_clusters_go_through_their_registered_design_and_analysis():
    allocation = {"method": "clustered", "clusters": "site", "strata": ["schooling"]}
    plan = cut(plan_of(allocation, "continuous", clusters_planned=60), "trained", "continuous").plan
    world = world_of(n=360, kind="continuous", cluster_size=6, icc=0.1, cluster_name="site",
                     columns={"schooling": STRATA["schooling"]})  # fmt: skip
    assert not has_kernel(plan, world)
    found = simulate(world, estimator=plan, design=plan.design, contrasts=plan.contrasts, trials=15, seed=2, jobs=1)
    assert found.contrasts[0].refused == 0
    assert found.contrasts[0].se_ratio == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize(("keys", "left_out"), [
    ({}, ()),
    ({"outcomes": 2}, ("outcomes",)),
    ({"inference": "permutation"}, ("redraws",)),
    ({"correction": {"outcomes": "romano_wolf"}, "outcomes": 2}, ("outcomes", "redraws")),
    ({"advisors": {"column": "coach", "arms": ["advice"], "treat_as": "random"}}, ("advisors",)),
])  # fmt: skip
def test_what_is_cut_off_a_plan_is_named(keys, left_out):
    assert cut(plan_of(**keys), "trained", "binary").left_out == left_out


@pytest.mark.parametrize(("plan", "words"), [
    (lambda: plan_of(), "does not register 'work'"),
    (lambda: _ratio(plan_of()), "no risk ratio"),
    (lambda: plan_of(columns={"probability": "chance"}), "chances that differ"),
])  # fmt: skip
def test_an_analysis_that_no_world_can_feed_is_refused_with_the_reason(plan, words):
    with pytest.raises(ImpossibleRequest, match=words):
        cut(plan(), "work" if "work" in words else "trained", "binary")


def _ratio(plan):
    sections = copy.deepcopy(plan.to_dict())
    sections["outcomes"][0]["summary"] = "risk_ratio"
    return PreAnalysisPlan.from_dict(sections)


def test_a_covariate_that_the_world_does_not_have_is_named_at_once():
    plan = cut(plan_of(covariates=["age"]), "trained", "binary").plan
    with pytest.raises(UnknownColumn, match="age"):
        simulate(world_of(), estimator=plan, design=plan.design, contrasts=plan.contrasts, trials=3, seed=1, jobs=1)


def test_a_contrast_that_the_plan_does_not_have_is_refused():
    plan = cut(plan_of(contrasts=THREE[:1]), "trained", "binary").plan
    with pytest.raises(ImpossibleRequest, match="does not compare 'voucher'"):
        simulate(world_of(), estimator=plan, design=plan.design, trials=3, seed=1, jobs=1)


@pytest.mark.parametrize(("keys", "parameter"), [
    ({"covariates": 2, "names": ("age",)}, "names"),
    ({"until": 1.2}, "until"),
    ({"covariates": 1, "r2": 0.9}, "r2"),
])  # fmt: skip
def test_a_world_that_cannot_be_is_refused_by_name(keys, parameter):
    with pytest.raises(ImpossibleRequest, match=parameter):
        world_of(**keys)
