"""Simulation: kernels equal the general path, power equals theory, and the seed alone decides the answer."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import randomization as rz
from analysis.errors import DesignNotEstimable
from analysis.plan import PreAnalysisPlan
from analysis.power import ImpossibleRequest, several_means, two_means, two_proportions
from analysis.simulate import World, simulate, simulated_surface
from analysis.simulation.estimators import ESTIMATORS, has_kernel

WORLDS = {
    "two arms": (World(n=50, effects={"advice": 0.3}), "difference_in_means"),
    "far from zero": (World(n=50, effects={"advice": 0.3}, mean=1e4, sd=3.0), "difference_in_means"),
    "three arms": (World(n=60, effects={"advice": 0.3, "voucher": 0.1}), "difference_in_means"),
    "binary": (World(n=80, effects={"advice": 0.1}, kind="binary", mean=0.3), "difference_in_means"),
    "take-up, loss and heterogeneity": (
        World(
            n=80, effects={"advice": 0.5}, effect_sd=0.4, take_up={"control": 0.1, "advice": 0.6},
            attrition={"control": 0.1, "advice": 0.3},
        ),
        "difference_in_means",
    ),
    "covariates redrawn": (World(n=40, effects={"advice": 0.3}, covariates=4, r2=0.4), "lm_robust"),
    "covariates fixed": (World(n=40, effects={"advice": 0.3}, covariates=2, r2=0.4, redrawn=False), "lm_robust"),
    "clusters": (World(n=120, effects={"advice": 0.3}, cluster_size=10, icc=0.1), "cluster_cr2"),
    "clusters, yes or no": (
        World(n=120, effects={"advice": 0.1}, kind="binary", mean=0.4, cluster_size=10, icc=0.1), "cluster_cr2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORLDS)
def test_a_batched_kernel_equals_the_general_path_in_every_trial(name):
    world, estimator = WORLDS[name]
    assert has_kernel(estimator, world)
    fast, slow = (
        simulate(world, estimator=estimator, trials=12, seed=5, jobs=1, general=general).estimates
        for general in (False, True)
    )
    assert np.allclose(fast, slow, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("world", "estimator", "design"),
    [
        (WORLDS["two arms"][0], "difference_in_means", rz.simple({"control": 1, "advice": 1})),
        (WORLDS["covariates redrawn"][0], "lm_robust", rz.complete({"control": 1, "advice": 1})),
        (WORLDS["covariates fixed"][0], "lm_robust", rz.complete({"control": 1, "advice": 1})),
    ],
    ids=["simple", "complete", "fixed covariates"],
)
def test_a_batched_kernel_equals_the_general_path_under_a_design(world, estimator, design):
    fast, slow = (
        simulate(world, estimator=estimator, design=design, trials=12, seed=5, jobs=1, general=general).estimates
        for general in (False, True)
    )
    assert np.allclose(fast, slow, rtol=1e-10, atol=1e-10)


TINY = {
    "few people": (World(n=6, effects={"advice": 0.1}), "difference_in_means", rz.simple({"control": 1, "advice": 1})),
    "rarely yes": (World(n=20, effects={"advice": 0.01}, kind="binary", mean=0.02), "difference_in_means", None),
    "nearly all lost": (
        World(n=20, effects={"advice": 0.1}, attrition={"control": 0.8, "advice": 0.9}), "difference_in_means", None,
    ),
    "few people, a covariate": (
        World(n=8, effects={"advice": 0.1}, covariates=1, r2=0.2), "lm_robust",
        rz.simple({"control": 1, "advice": 1}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TINY)
def test_a_batched_kernel_refuses_the_trials_that_the_general_path_refuses(name):
    world, estimator, design = TINY[name]
    fast, slow = (
        simulate(world, estimator=estimator, design=design, trials=60, seed=1, jobs=1, general=general)
        for general in (False, True)
    )
    assert fast.contrasts[0].refused > 0
    assert np.allclose(fast.estimates, slow.estimates, rtol=1e-10, atol=1e-10, equal_nan=True)


def within(found, exact):
    return abs(found.value - exact) < 3 * found.error


def test_simulated_power_of_two_means_is_the_exact_power():
    found = simulate(World(n=128, effects={"advice": 0.5}), trials=20_000, seed=3, jobs=1)[("advice", "control")]
    assert within(found.rejection, two_means(n=64, delta=0.5).power)
    assert within(found.coverage, 0.95)
    assert within(found.bias, 0.0)


def test_the_test_of_no_effect_keeps_its_level():
    found = simulate(World(n=100, effects={"advice": 0.0}), trials=20_000, seed=2, jobs=1)[("advice", "control")]
    assert within(found.rejection, 0.05)
    assert found.se_ratio == pytest.approx(1, abs=0.02)


def test_simulated_power_of_two_proportions_is_near_its_formula():
    world = World(n=800, effects={"advice": 0.1}, kind="binary", mean=0.3)
    found = simulate(world, trials=8000, seed=3, jobs=1)[("advice", "control")]
    exact = two_proportions(p1=0.3, p2=0.4, n=400, method="unpooled").power
    assert abs(found.rejection.value - exact) < 3 * found.rejection.error + 0.004


def test_clusters_keep_their_level_with_cr2():
    world = World(n=20 * 20, effects={"advice": 0.0}, cluster_size=20, icc=0.1)
    found = simulate(world, estimator="cluster_cr2", trials=10_000, seed=4, jobs=1)[("advice", "control")]
    assert within(found.rejection, 0.05)


def test_advisors_in_one_arm_widen_its_mean_by_their_design_effect():
    world = World(n=800, effects={"advice": 0.2}, sd=2.0, nested={"advice": (40, 0.1)})
    found = simulate(world, trials=6000, seed=12, jobs=1)[("advice", "control")]
    assert within(found.sd, 2 * math.sqrt(1 / 400 + (1 + 39 * 0.1) / 400))
    assert within(found.bias, 0.0)


def test_clusters_and_advisors_of_a_yes_or_no_outcome_have_the_stated_correlation():
    p, size, icc = 0.2, 20, 0.15
    clusters = World(n=800, effects={"advice": 0.0}, kind="binary", mean=p, cluster_size=size, icc=icc)
    both = simulate(clusters, estimator="cluster_cr2", trials=4000, seed=13, jobs=1)[("advice", "control")]
    assert within(both.sd, math.sqrt(2 * p * (1 - p) * (1 + (size - 1) * icc) / 400))
    advisors = World(n=800, effects={"advice": 0.0}, kind="binary", mean=p, nested={"advice": (size, icc)})
    one = simulate(advisors, trials=4000, seed=14, jobs=1)[("advice", "control")]
    assert within(one.sd, math.sqrt(p * (1 - p) * (2 + (size - 1) * icc) / 400))
    assert one.rejection.value > 0.1


def test_the_estimator_for_advisors_in_some_arms_is_honest_about_them():
    world = World(n=240, effects={"advice": 0.0, "voucher": 0.0}, nested={"advice": (10, 0.2), "voucher": (10, 0.2)})
    found = simulate(world, estimator="partially_nested", trials=150, seed=15, jobs=1)
    for row in found.contrasts:
        assert row.refused == 0
        assert row.se_ratio == pytest.approx(1, abs=0.2)
        assert within(row.rejection, 0.05)


def test_take_up_dilutes_the_true_effect_of_assignment():
    world = World(n=100, effects={"advice": 0.5}, take_up={"control": 0.1, "advice": 0.6})
    assert world.truth("advice", "control") == pytest.approx(0.25)
    found = simulate(world, trials=8000, seed=5, jobs=1)[("advice", "control")]
    assert within(found.bias, 0.0)


@settings(derandomize=True, deadline=None, max_examples=10)
@given(st.integers(2, 40), st.integers(0, 2**40))
def test_fewer_trials_are_the_first_of_more(trials, seed):
    world = World(n=30_000, effects={"advice": 0.1})
    many = simulate(world, trials=trials + 3, seed=seed, jobs=1).estimates
    assert np.array_equal(simulate(world, trials=trials, seed=seed, jobs=1).estimates, many[:trials])


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.heavy)])
def test_two_workers_give_the_answer_of_one(backend):
    world = World(n=2000, effects={"advice": 0.1})
    one = simulate(world, trials=300, seed=6, jobs=1).estimates
    assert np.array_equal(one, simulate(world, trials=300, seed=6, jobs=2, backend=backend).estimates)


def test_an_interrupted_simulation_resumes_to_the_same_answer(tmp_path):
    world = World(n=2000, effects={"advice": 0.1})

    class Interrupted(Exception):
        pass

    def stop(done, total):
        if done >= 100:
            raise Interrupted

    with pytest.raises(Interrupted):
        simulate(world, trials=400, seed=7, jobs=1, checkpoint=tmp_path, progress=stop)
    kept = len(list(tmp_path.rglob("*.npy")))
    seen = []
    resumed = simulate(
        world, trials=400, seed=7, jobs=1, checkpoint=tmp_path, progress=lambda done, total: seen.append(done)
    )
    assert kept > 0
    assert seen[0] >= 100
    assert np.array_equal(resumed.estimates, simulate(world, trials=400, seed=7, jobs=1).estimates)


def test_another_seed_never_reads_the_checkpoint_of_the_first(tmp_path):
    world = World(n=2000, effects={"advice": 0.1})
    first, second = (simulate(world, trials=100, seed=s, jobs=1, checkpoint=tmp_path).estimates for s in (1, 2))
    assert not np.array_equal(first, second)


def test_any_function_of_a_table_can_be_the_estimator():
    world = WORLDS["two arms"][0]
    named = simulate(world, trials=20, seed=8, jobs=1).estimates
    given_ = simulate(world, estimator=ESTIMATORS["difference_in_means"], trials=20, seed=8, jobs=1).estimates
    assert np.allclose(named, given_)


def test_a_registered_plan_is_simulated_with_its_own_design():
    sections = {
        "allocation": {
            "method": "permuted_blocks", "ratio": {"control": 1, "advice": 1}, "strata": ["region"], "multiples": [2],
        },
        "outcomes": [{
            "name": "score", "label": {"nl": "score", "en": "score"}, "kind": "continuous", "family": "primary",
            "direction": "higher_is_better", "summary": "mean_difference", "population": "all_randomised",
            "timepoint": "12 months", "source": {"column": "y"},
            "missing": {"handling": "complete_cases", "assumption": "none is lost", "bounds": "none"},
        }],
        "analysis_plan": {
            "control": "control", "contrasts": [["advice", "control"]], "estimator": "design_default",
            "covariates": [], "alpha": 0.05, "correction": {"contrasts": "none", "outcomes": "none"},
            "subgroups": [], "draws": 100, "seed": 1,
        },
    }  # fmt: skip
    plan = PreAnalysisPlan.from_dict(sections)
    world = World(
        n=80, effects={"advice": 0.8}, columns={"region": {"north": 0.5, "south": 0.5}},
        shifts={"region": {"north": 1.0}},
    )  # fmt: skip
    found = simulate(world, estimator=plan, design=plan.design, trials=20, seed=9, jobs=1)[("advice", "control")]
    assert found.refused == 0
    assert abs(found.bias.value) < 4 * found.bias.error
    assert found.rejection.value > 0.5


def test_a_trial_without_an_estimate_is_counted_and_never_averaged():
    def refuses(frame, treated, comparison):
        if frame["y"].iloc[0] < 0:
            raise DesignNotEstimable("made for this test")
        return ESTIMATORS["difference_in_means"](frame, treated, comparison)

    found = simulate(World(n=20, effects={"advice": 0.0}), estimator=refuses, trials=60, seed=1, jobs=1)
    row = found[("advice", "control")]
    assert 0 < row.refused < 60
    assert np.isfinite(row.bias.value)


def test_when_no_trial_gives_an_estimate_the_simulation_says_so():
    def refuses(frame, treated, comparison):
        raise DesignNotEstimable("made for this test")

    with pytest.raises(DesignNotEstimable, match="fewer than two trials"):
        simulate(World(n=20, effects={"advice": 0.0}), estimator=refuses, trials=5, seed=1, jobs=1)


def test_a_surface_of_common_random_numbers_agrees_with_exact_power_and_rises():
    power, error = simulated_surface([40, 80, 160], np.linspace(0.1, 0.6, 6), trials=6000, seed=1)
    for row, n in enumerate((40, 80, 160)):
        for column, delta in enumerate(np.linspace(0.1, 0.6, 6)):
            assert abs(power[row, column] - two_means(n=n, delta=delta).power) < 3.5 * error[row, column]
    assert (np.diff(power, axis=1) >= 0).all()


def test_all_pairs_power_of_dunnett_is_what_simulation_finds():
    world = World(n=400 * 3, effects={"advice": 0.2, "voucher": 0.2})
    rows = simulate(world, trials=10_000, seed=11, jobs=1).estimates
    z = np.abs(rows[:, :, 0] / np.sqrt(2 / 400))
    design = several_means(comparisons=2, delta=0.2, n=400, power_of="all")
    share = (z > design.critical).all(axis=1).mean()
    assert abs(share - design.power) < 3 * np.sqrt(share * (1 - share) / 10_000)


@pytest.mark.parametrize(
    ("keys", "parameter"),
    [
        ({"effects": {}}, "effects"),
        ({"effects": {"control": 1.0}}, "effects"),
        ({"icc": 1.0, "cluster_size": 2}, "icc"),
        ({"icc": 0.1}, "icc"),
        ({"cluster_size": 7}, "n"),
        ({"r2": 0.2}, "r2"),
        ({"take_up": {"advice": 0.5}}, "take_up"),
        ({"kind": "binary", "mean": 0.9}, "effects"),
        ({"nested": {"voucher": (20, 0.1)}}, "nested"),
        ({"nested": {"advice": (20, 1.0)}}, "nested"),
        ({"nested": {"advice": (20, 0.1)}, "cluster_size": 20}, "nested"),
        ({"sd": 0.0}, "sd"),
    ],
)
def test_an_impossible_world_is_refused_by_name(keys, parameter):
    with pytest.raises(ImpossibleRequest) as caught:
        World(**({"n": 100, "effects": {"advice": 0.5}} | keys))
    assert caught.value.parameter == parameter


def test_a_design_with_other_arms_is_refused():
    with pytest.raises(ImpossibleRequest, match="design"):
        simulate(World(n=20, effects={"advice": 0.1}), design=rz.complete({"a": 1, "b": 1}), seed=1, trials=2)


def test_without_a_dask_cluster_the_request_says_what_to_start():
    with pytest.raises(ImpossibleRequest, match="DASK_SCHEDULER_ADDRESS"):
        simulate(World(n=20, effects={"advice": 0.1}), seed=1, trials=4, backend="dask")


@pytest.fixture(scope="module")
def dask_cluster():
    """Two workers, each a process of its own."""
    import distributed

    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.mark.heavy
def test_a_dask_cluster_of_two_workers_gives_the_answer_of_one_core(dask_cluster):
    import distributed

    world = World(n=2000, effects={"advice": 0.1})
    with distributed.Client(dask_cluster) as client:
        assert len(client.scheduler_info()["workers"]) == 2
        spread = simulate(world, trials=300, seed=6, jobs=-1, backend="dask").estimates
    assert np.array_equal(spread, simulate(world, trials=300, seed=6, jobs=1).estimates)


@pytest.mark.heavy
def test_a_cluster_named_in_the_configuration_keeps_its_rounds_and_shows_them(dask_cluster, tmp_path):
    import dask

    world, shown = World(n=100_000, effects={"advice": 0.1}), []
    with dask.config.set({"scheduler-address": dask_cluster.scheduler_address}):
        spread = simulate(
            world, trials=150, seed=6, backend="dask", checkpoint=tmp_path,
            progress=lambda done, total: shown.append(done),
        )  # fmt: skip
    assert len(shown) > 2
    assert len(list(tmp_path.rglob("*.npy"))) == 150
    assert np.array_equal(spread.estimates[:20], simulate(world, trials=20, seed=6, jobs=1).estimates)
