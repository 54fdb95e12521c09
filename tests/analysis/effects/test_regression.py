"""Robust regressions agree with the definitions written out in full, whatever the shape of the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import adjust, difference_in_means, joint_test, lm_lin, lm_robust
from analysis.kernels.linear import least_squares
from analysis.kernels.sandwich import leverages


def trial(n: int = 120, G: int = 15, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    school = rng.integers(0, G, n)
    return pd.DataFrame(
        {
            "treat": (school % 3 == 0).astype(int), "x": rng.normal(size=n) + school / 5,
            "age": rng.integers(18, 66, n), "school": school, "site": rng.choice(list("abcd"), n),
            "w": rng.uniform(0.5, 3, n),
            "y": rng.normal(size=n) + rng.normal(size=G)[school] + (school % 3 == 0),
        }
    )  # fmt: skip


def cr2_in_full(X: np.ndarray, y: np.ndarray, groups: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """CR2 and Satterthwaite df with n x n matrices: identity working model, weights W (Pustejovsky and Tipton 2018)."""
    n, k = X.shape
    W = np.diag(w)
    M = np.linalg.inv(X.T @ W @ X)
    beta = M @ X.T @ W @ y
    e = y - X @ beta
    R = np.eye(n) - X @ M @ X.T @ W
    V, columns = np.zeros((k, k)), []
    for g in np.unique(groups):
        own = groups == g
        B = R[own] @ R[own].T
        values, vectors = np.linalg.eigh(B)
        A = (vectors * np.where(values > 1e-10, np.maximum(values, 1e-10) ** -0.5, 0)) @ vectors.T
        score = M @ X[own].T @ W[np.ix_(own, own)] @ A
        V += np.outer(score @ e[own], score @ e[own])
        columns.append(R[own].T @ score.T)
    dfs = []
    for c in range(k):
        p = np.column_stack([column[:, c] for column in columns])
        P = p.T @ p
        dfs.append(np.trace(P) ** 2 / (P**2).sum())
    return V, np.array(dfs)


def dense(formula: str, data: pd.DataFrame) -> np.ndarray:
    fit = lm_robust(formula, data)
    return fit.working.model.X.dense()


@pytest.mark.parametrize("formula", ["y ~ treat", "y ~ treat + x + age", "y ~ treat * x + C(site)"])
def test_cr2_equals_its_definition_with_full_matrices(formula: str) -> None:
    data = trial()
    fit = lm_robust(formula, data, clusters="school")
    V, dfs = cr2_in_full(dense(formula, data), data["y"].to_numpy(), data["school"].to_numpy(), np.ones(len(data)))
    np.testing.assert_allclose(fit.covariance, V, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fit.dfs, dfs, rtol=1e-8)


@pytest.mark.parametrize("formula", ["y ~ treat", "y ~ treat + x + C(site)"])
def test_weighted_cr2_equals_its_definition_with_full_matrices(formula: str) -> None:
    data = trial(seed=4)
    fit = lm_robust(formula, data, clusters="school", weights="w")
    V, dfs = cr2_in_full(dense(formula, data), data["y"].to_numpy(), data["school"].to_numpy(), data["w"].to_numpy())
    np.testing.assert_allclose(fit.covariance, V, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fit.dfs, dfs, rtol=1e-8)


def test_equal_weights_change_nothing() -> None:
    data = trial().assign(w=2.5)
    plain, weighted = (lm_robust("y ~ treat + x", data, clusters="school", weights=w) for w in (None, "w"))
    np.testing.assert_allclose(plain.covariance, weighted.covariance, rtol=1e-10)
    np.testing.assert_allclose(plain.dfs, weighted.dfs, rtol=1e-9)


def test_a_cluster_that_decides_a_coefficient_alone_is_dropped_as_a_pseudo_inverse_would() -> None:
    data = trial().assign(alone=lambda d: (d["school"] == 2).astype(int))
    fit = lm_robust("y ~ treat + alone", data, clusters="school")
    V, _ = cr2_in_full(
        dense("y ~ treat + alone", data), data["y"].to_numpy(), data["school"].to_numpy(), np.ones(len(data))
    )
    assert fit.covariance[1, 1] == pytest.approx(V[1, 1], rel=1e-8)


def test_clusters_of_one_give_hc2() -> None:
    data = trial().assign(alone=range(120))
    each, robust = lm_robust("y ~ treat + x", data, clusters="alone"), lm_robust("y ~ treat + x", data)
    np.testing.assert_allclose(each.covariance, robust.covariance, rtol=1e-10)


@pytest.mark.parametrize("se_type", ["classical", "HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("weights", [None, "w"])
def test_absorbed_effects_equal_dummies(se_type: str, weights: str | None) -> None:
    data = trial()
    absorbed = lm_robust("y ~ treat + x", data, fixed_effects="site", se_type=se_type, weights=weights)
    dummies = lm_robust("y ~ treat + x + C(site)", data, se_type=se_type, weights=weights)
    for name in ("treat", "x"):
        assert absorbed[name].value == pytest.approx(dummies[name].value, rel=1e-9)
        assert absorbed[name].se == pytest.approx(dummies[name].se, rel=1e-9)
        assert absorbed[name].df == dummies[name].df


@pytest.mark.parametrize("se_type", ["CR0", "stata", "CR2", "CR3"])
def test_absorbed_effects_equal_dummies_with_clusters(se_type: str) -> None:
    data = trial()
    absorbed = lm_robust("y ~ treat + x", data, fixed_effects="site", se_type=se_type, clusters="school")["x"]
    dummies = lm_robust("y ~ treat + x + C(site)", data, se_type=se_type, clusters="school")["x"]
    assert (absorbed.value, absorbed.se) == pytest.approx((dummies.value, dummies.se), rel=1e-8)
    assert absorbed.df == pytest.approx(dummies.df, rel=1e-7)


def test_two_sets_of_effects_equal_dummies() -> None:
    data = trial()
    absorbed = lm_robust("y ~ x", data, fixed_effects="~ site + school", se_type="HC2")["x"]
    dummies = lm_robust("y ~ x + C(site) + C(school)", data, se_type="HC2")["x"]
    assert (absorbed.value, absorbed.se) == pytest.approx((dummies.value, dummies.se), rel=1e-8)
    assert absorbed.df == dummies.df


@pytest.mark.parametrize("se_type", ["HC0", "HC1", "HC2", "HC3"])
def test_weighted_robust_errors_agree_with_statsmodels(se_type: str) -> None:
    data = trial()
    ours = lm_robust("y ~ treat + x + age", data, weights="w", se_type=se_type)
    X = sm.add_constant(data[["treat", "x", "age"]])
    theirs = sm.WLS(data["y"], X, weights=data["w"]).fit(cov_type=se_type)
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(ours.standard_errors, theirs.bse, rtol=1e-8)


def test_cr3_is_the_jackknife_over_clusters() -> None:
    data = trial()
    ours = lm_robust("y ~ treat + x", data, clusters="school", se_type="CR3")["treat"]
    whole = lm_robust("y ~ treat + x", data)["treat"].value
    left_out = [lm_robust("y ~ treat + x", data[data["school"] != g])["treat"].value for g in range(15)]
    assert ours.se == pytest.approx(float(np.sqrt(((np.array(left_out) - whole) ** 2).sum())), rel=1e-8)


def test_nearly_collinear_columns_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    X = np.column_stack([np.ones(400), x + 1000, x + 1e-4 * rng.normal(size=400)])
    beta = np.array([1.0, 2.0, -3.0])
    np.testing.assert_allclose(least_squares(X, X @ beta).coefficients, beta, rtol=1e-5)


def test_leverages_sum_to_the_number_of_coefficients() -> None:
    X = np.random.default_rng(0).normal(size=(70_000, 5))
    assert leverages(X, least_squares(X, X[:, 0] ** 2)).sum() == pytest.approx(5)


@given(st.integers(6, 60), st.integers(1, 4), st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_moving_and_scaling_the_outcome_moves_and_scales_the_effect_only(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = {f"x{i}": rng.normal(size=n + 2 * k) for i in range(k)} | {"y": rng.normal(size=n + 2 * k)}
    formula = "y ~ " + " + ".join(f"x{i}" for i in range(k))
    before = lm_robust(formula, data)
    after = lm_robust(formula, data | {"y": 3 * data["y"] + 100})
    np.testing.assert_allclose(after.coefficients[1:], 3 * before.coefficients[1:], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(after.standard_errors, 3 * before.standard_errors, rtol=1e-7)


@given(st.integers(4, 40), st.integers(4, 40), st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_difference_in_means_is_the_regression_on_the_arm(n1: int, n0: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"y": rng.normal(size=n1 + n0), "arm": ["advice"] * n1 + ["control"] * n0})
    effect = difference_in_means(data, "y", "arm")
    data["z"] = (data["arm"] == "advice").astype(int)
    fit = lm_robust("y ~ z", data)["z"]
    assert effect.value == pytest.approx(fit.value, rel=1e-9, abs=1e-12)
    assert effect.se == pytest.approx(fit.se, rel=1e-9)


@given(st.lists(st.integers(0, 5), min_size=30, max_size=60), st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_the_order_of_the_rows_does_not_matter(groups: list[int], shuffler: object) -> None:
    rng = np.random.default_rng(len(groups))
    data = pd.DataFrame({"g": groups + list(range(6)), "x": rng.normal(size=len(groups) + 6)})
    data["y"] = rng.normal(size=len(data)) + data["x"]
    order = list(range(len(data)))
    shuffler.shuffle(order)
    one = lm_robust("y ~ x", data, clusters="g")["x"]
    other = lm_robust("y ~ x", data.iloc[order], clusters="g")["x"]
    assert (one.value, one.se, one.df) == pytest.approx((other.value, other.se, other.df), rel=1e-9)


def test_lin_with_three_arms_equals_separate_regressions() -> None:
    data = trial(300).assign(arm=lambda d: np.random.default_rng(9).choice(["none", "talk", "voucher"], 300))
    fit = lm_lin("y ~ arm", "~ x + age", data, control="none")
    centred = data[["x", "age"]] - data[["x", "age"]].mean()
    means = {}
    for arm in ("none", "talk", "voucher"):
        own = data["arm"] == arm
        X = np.column_stack([np.ones(own.sum()), centred[own]])
        means[arm] = np.linalg.lstsq(X, data.loc[own, "y"], rcond=None)[0][0]
    assert fit["arm[T.talk]"].value == pytest.approx(means["talk"] - means["none"])
    assert fit["arm[T.voucher]"].value == pytest.approx(means["voucher"] - means["none"])


def test_lin_with_strata_equals_the_blocked_difference_in_means() -> None:
    data = trial(200).assign(z=lambda d: np.random.default_rng(2).integers(0, 2, 200))
    blocked = difference_in_means(data, "y", "z", blocks="site")
    fit = lm_lin("y ~ z", "~ C(site)", data)["z"]
    assert (fit.value, fit.df) == pytest.approx((blocked.value, blocked.df))
    assert fit.se == pytest.approx(blocked.se, rel=0.05)


def test_pairs_of_clusters_use_the_variance_of_imai_king_and_nall() -> None:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"pair": np.repeat(np.arange(6), 8), "village": np.repeat(np.arange(12), 4)})
    data = data.drop(index=[0, 9, 10]).assign(z=lambda d: d["village"] % 2)
    data["y"] = rng.normal(size=len(data)) + data["z"]
    effect = difference_in_means(data, "y", "z", blocks="pair", clusters="village")
    parts = data.groupby("pair").apply(
        lambda d: pd.Series({"gap": d.y[d.z == 1].mean() - d.y[d.z == 0].mean(), "n": len(d)}), include_groups=False
    )
    n, m = parts["n"].sum(), len(parts)
    value = (parts["gap"] * parts["n"]).sum() / n
    variance = m / ((m - 1) * n**2) * ((parts["n"] * parts["gap"] - n * value / m) ** 2).sum()
    assert (effect.value, effect.se, effect.df) == pytest.approx((value, variance**0.5, m - 1))


def test_the_hotelling_test_of_one_coefficient_is_the_squared_t_test() -> None:
    fit = lm_robust("y ~ treat + x", trial(), clusters="school")
    test, single = joint_test(fit, ["treat"], test="HTZ"), fit["treat"]
    assert (test.statistic, test.df2, test.p) == pytest.approx((single.statistic**2, single.df, single.p))


def test_the_hotelling_degrees_of_freedom_equal_their_definition_with_full_matrices() -> None:
    data = trial()
    fit = lm_robust("y ~ treat + x + age", data, clusters="school")
    X, groups = dense("y ~ treat + x + age", data), data["school"].to_numpy()
    M = np.linalg.inv(X.T @ X)
    R = np.eye(len(X)) - X @ M @ X.T
    parts = []
    for g in np.unique(groups):
        own = groups == g
        values, vectors = np.linalg.eigh(R[np.ix_(own, own)])
        A = (vectors * np.where(values > 1e-10, np.maximum(values, 1e-10) ** -0.5, 0)) @ vectors.T
        parts.append((M @ X[own].T @ A @ R[own])[[1, 2]])
    P = np.einsum("gsn,htn->stgh", np.array(parts), np.array(parts))
    values, vectors = np.linalg.eigh(np.einsum("stgg->st", P))
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    B = np.einsum("as,stgh,tb->abgh", whiten, P, whiten)
    total = sum((B[s, t] * B[t, s]).sum() + (B[s, s] * B[t, t]).sum() for s in range(2) for t in range(2))
    assert joint_test(fit, ["treat", "x"]).df2 == pytest.approx(2 * 3 / total - 1, rel=1e-8)


def test_adjusted_p_values_never_fall_below_the_raw_ones() -> None:
    p = np.random.default_rng(1).uniform(size=12)
    for method in ("bonferroni", "sidak", "holm", "hochberg", "hommel", "bh", "by"):
        assert (adjust(p, method) >= p - 1e-15).all(), method
