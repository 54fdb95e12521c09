"""Instrumental variables and confidence sets against an independent library, a grid, and populations made by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS

import analysis
from analysis.anderson_rubin import Quadratic, shape_of, solve_set


def offered(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    z, kind = rng.integers(0, 2, n), rng.choice(["complier", "never", "always"], n, p=[0.5, 0.3, 0.2])
    d = np.where(kind == "complier", z, (kind == "always").astype(int))
    x = rng.normal(size=n) + (kind == "complier")
    return pd.DataFrame(
        {"z": z, "d": d, "x": x, "kind": kind, "z2": rng.normal(size=n), "g": np.arange(n) % 25,
         "y": 2.0 * d * (kind == "complier") + x + rng.normal(size=n)}
    )  # fmt: skip


@pytest.mark.parametrize(("se_type", "theirs"), [("classical", "unadjusted"), ("HC1", "robust")])
def test_two_stage_least_squares_agrees_with_linearmodels(se_type: str, theirs: str) -> None:
    data = offered().assign(one=1.0)
    ours = analysis.iv_robust("y ~ d + x | z + z2 + x", data, se_type=se_type)
    fit = IV2SLS(data["y"], data[["one", "x"]], data["d"], data[["z", "z2"]]).fit(cov_type=theirs, debiased=True)
    assert ours["d"].value == pytest.approx(fit.params["d"])
    assert ours["d"].se == pytest.approx(fit.std_errors["d"])


def test_clustered_two_stage_errors_agree_with_linearmodels() -> None:
    data = offered().assign(one=1.0)
    ours = analysis.iv_robust("y ~ d + x | z + x", data, clusters="g", se_type="CR0")["d"]
    fit = IV2SLS(data["y"], data[["one", "x"]], data["d"], data[["z"]]).fit(cov_type="clustered", clusters=data["g"])
    assert ours.se == pytest.approx(fit.std_errors["d"])
    assert ours.df == 24


def test_without_covariates_the_late_is_the_ratio_of_two_differences() -> None:
    data = offered()
    late = analysis.iv_robust("y ~ d | z", data)["d"].value
    up, down = (analysis.difference_in_means(data, name, "z").value for name in ("y", "d"))
    assert late == pytest.approx(up / down)
    means = analysis.complier_outcomes(data, "y", "d", "z")
    assert means["taken"].value - means["not taken"].value == pytest.approx(late)


def test_complier_shares_and_means_find_the_compliers_of_a_known_population() -> None:
    data = offered(40_000)
    types = analysis.take_up_types(data, "d", "z")
    assert sum(share.value for share in types.values()) == pytest.approx(1)
    for name, true in (("compliers", 0.5), ("always-takers", 0.2), ("never-takers", 0.3)):
        assert types[name].value == pytest.approx(true, abs=4 * types[name].se)
    found = analysis.complier_means(data, "x", "d", "z")["x"]
    assert found.value == pytest.approx(data["x"][data["kind"] == "complier"].mean(), abs=4 * found.se)


@pytest.mark.parametrize("formula", ["y ~ d | z", "y ~ d + x | z + z2 + x", "y ~ d + x | z2 + x"])
@pytest.mark.parametrize("clusters", [None, "g"])
def test_the_anderson_rubin_set_is_what_its_test_does_not_reject(formula: str, clusters: str | None) -> None:
    data = offered(200, seed=3)
    found = analysis.anderson_rubin_ci(formula, data, clusters=clusters, level=0.9)
    for value in np.concatenate([np.linspace(-6, 6, 61), [-1e3, 1e3]]):
        test = analysis.anderson_rubin_test(formula, data, float(value), clusters=clusters)
        if abs(test.p - 0.1) > 1e-6:
            assert (value in found) == (test.p > 0.1), value


@pytest.mark.parametrize(
    ("gy", "gd", "vdd", "shape"),
    [(1.0, 5.0, 1.0, "interval"), (5.0, 0.5, 1.0, "two rays"), (0.5, 0.5, 1.0, "line")],
)
def test_the_shape_of_the_set_is_said(gy: float, gd: float, vdd: float, shape: str) -> None:
    one = np.ones((1, 1))
    reduced = Quadratic(np.array([gy]), np.array([gd]), one, 0 * one, vdd * one, 1, 100.0)
    assert shape_of(solve_set(reduced, 3.84)) == shape


def test_an_empty_set_has_no_ends() -> None:
    eye = np.eye(2)
    reduced = Quadratic(np.array([9.0, -9.0]), np.array([9.0, 9.0]), eye, 0 * eye, eye, 2, math.inf)
    assert shape_of(solve_set(reduced, 5.99)) == "empty"


def test_advisors_widen_the_interval_of_the_advised_arm_only() -> None:
    rng = np.random.default_rng(1)
    who = np.repeat([f"advisor {i}" for i in range(10)], 20)
    advised = pd.DataFrame(
        {"arm": "advice", "who": who, "y": rng.normal(size=200) + np.repeat(rng.normal(size=10), 20)}
    )
    portal = pd.DataFrame({"arm": "portal", "who": None, "y": rng.normal(size=200)})
    data = pd.concat([advised, portal], ignore_index=True)
    random, fixed = (
        analysis.partially_nested(data, "y", "who", "arm", advisors=kind, control="portal")
        for kind in ("random", "fixed")
    )
    assert random.value == pytest.approx(fixed.value)
    assert random.se > 1.5 * fixed.se
    assert random.df < 12
    assert fixed.extras["icc"] == pytest.approx(0.5, abs=0.3)
    means = advised.groupby("who")["y"].mean()
    expected = math.sqrt(means.var(ddof=1) / 10 + portal["y"].var(ddof=1) / 200)
    assert random.se == pytest.approx(expected, rel=1e-9)


def test_subgroups_come_with_one_interaction_test() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"z": rng.integers(0, 2, 300), "sex": rng.choice(["f", "m"], 300)})
    data["region"] = rng.choice(list("nesw"), 300)
    data["y"] = rng.normal(size=300) + data["z"] * (data["sex"] == "f")
    found = analysis.subgroup_effects(data, "y", ["sex", "region"], "z")
    for level, effect in found["sex"].effects.items():
        own = analysis.difference_in_means(data[data["sex"] == level], "y", "z")
        assert (effect.value, effect.se) == pytest.approx((own.value, own.se))
    gap = analysis.lm_robust("y ~ z * sex", data)["z:sex[T.m]"]
    assert found["sex"].interaction.p == pytest.approx(gap.p)
    assert found["region"].interaction.df1 == 3
    assert found["sex"].p_adjusted == pytest.approx(min(1, 2 * found["sex"].interaction.p))


@pytest.mark.heavy
def test_cr2_with_few_clusters_keeps_its_size_and_cr1_does_not() -> None:
    """Twelve clusters of 8 to 32, four treated, intraclass correlation .15: 3,000 trials under the null."""
    rng = np.random.default_rng(20261122)
    trials, icc = 3_000, 0.15
    sizes = np.array([8, 32, 20, 12, 28, 20, 16, 24, 20, 10, 30, 20])
    cluster = np.repeat(np.arange(12), sizes)
    table = {"z": (cluster < 4).astype(float), "g": cluster}
    rejected = {"CR2": 0, "CR1, normal": 0}
    for _ in range(trials):
        shared, own = rng.normal(scale=math.sqrt(icc), size=12), rng.normal(scale=math.sqrt(1 - icc), size=cluster.size)
        data = pd.DataFrame(table | {"y": shared[cluster] + own})
        rejected["CR2"] += analysis.lm_robust("y ~ z", data, clusters="g")["z"].p < 0.05
        crude = analysis.lm_robust("y ~ z", data, clusters="g", se_type="stata")["z"]
        rejected["CR1, normal"] += abs(crude.statistic) > 1.959964
    assert 0.04 < rejected["CR2"] / trials < 0.07
    assert rejected["CR1, normal"] / trials > 0.13
