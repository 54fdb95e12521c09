"""Balance at baseline: reference values, invariances, and the size of the omnibus tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.balance import hansen_bowers, joint_f, normalised_difference, permutation_p
from analysis.errors import DesignNotEstimable
from analysis.sample_ratio import sample_ratio

NAMES = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]


@pytest.fixture(scope="module")
def nsw(examples):
    data = pd.read_csv(examples / "nsw/nsw.csv")
    return data[NAMES].to_numpy(float), data["arm"].to_numpy() == "training"


def test_the_joint_f_agrees_with_two_programs(nsw, reference):
    expected = reference["nsw"]["joint_f"]
    plain, robust = joint_f(nsw[0], NAMES, nsw[1]), joint_f(nsw[0], NAMES, nsw[1], robust=True)
    assert (plain.statistic, plain.p) == pytest.approx((expected["F"], expected["p"]), rel=1e-8)
    assert (plain.df1, plain.df2) == (8, 436)
    assert (robust.statistic, robust.p) == pytest.approx((expected["F_HC1"], expected["p_HC1"]), rel=1e-8)


def test_without_strata_the_omnibus_chi_square_is_a_multiple_of_r_squared(nsw):
    f, d = joint_f(nsw[0], NAMES, nsw[1]), hansen_bowers(nsw[0], NAMES, nsw[1])
    r_squared = f.statistic * f.df1 / (f.statistic * f.df1 + f.df2)
    assert d.statistic == pytest.approx((len(nsw[1]) - 1) * r_squared, rel=1e-10)


def test_tests_of_balance_do_not_depend_on_units_or_repeated_columns(nsw):
    X, z = nsw
    scaled = np.column_stack([X * np.array([1, 12, 1, 1, 1, 1, 1e-3, 1e3]), X[:, 0] * 2 + 1])
    for test in (joint_f, hansen_bowers):
        one, other = test(X, NAMES, z), test(scaled, [*NAMES, "again"], z)
        assert other.statistic == pytest.approx(one.statistic, rel=1e-8)
        assert other.df1 == one.df1


def test_differences_between_strata_do_not_count_as_imbalance():
    rng = np.random.default_rng(2)
    strata = np.repeat(["few treated", "many treated"], 200)
    z = np.concatenate([np.arange(200) < 20, np.arange(200) < 180])
    X = rng.normal(size=(400, 2)) + 5 * (strata == "many treated")[:, None]
    assert hansen_bowers(X, ["a", "b"], z).p < 1e-6
    assert hansen_bowers(X, ["a", "b"], z, strata=strata).p > 0.01


def test_the_omnibus_test_keeps_its_size_under_clusters_and_strata():
    rng = np.random.default_rng(7)
    rejected = 0
    clusters, strata = np.repeat(np.arange(40), 5), np.repeat(np.arange(4), 50)
    for _ in range(400):
        X = rng.normal(size=(40, 2))[clusters] + 0.5 * rng.normal(size=(200, 2))
        arm = np.concatenate([rng.permutation([1] * 5 + [0] * 5) for _ in range(4)]) == 1
        rejected += hansen_bowers(X, ["a", "b"], arm[clusters], strata=strata, clusters=clusters).p < 0.05
    assert 0.02 < rejected / 400 < 0.085


def test_the_permutation_p_is_uniform_when_the_design_is_followed():
    rng = np.random.default_rng(11)
    X = rng.normal(size=(30, 3))
    codes = np.arange(30) % 3

    def shuffled(m):
        return np.array([rng.permutation(codes) for _ in range(m)])

    p = [permutation_p(X, rng.permutation(codes), shuffled, n_draws=99) for _ in range(100)]
    assert 0.4 < np.mean(p) < 0.6
    assert permutation_p(X + 3 * (codes == 1)[:, None], codes, shuffled, n_draws=99) == 0.01


def test_normalised_differences_of_constant_columns():
    z = np.array([True, True, False, False])
    assert normalised_difference(np.ones((4, 1)), z).tolist() == [0.0]
    with pytest.raises(DesignNotEstimable, match="constant within both arms"):
        normalised_difference(z[:, None].astype(float), z)


def test_the_sample_ratio_test_is_pearsons():
    found = sample_ratio({"a": 60, "b": 40, "c": 50}, {"a": 0.4, "b": 0.2, "c": 0.4})
    assert found.statistic == pytest.approx(0 + 100 / 30 + 100 / 60)
    assert not found.mismatch
    assert sample_ratio({"a": 600, "b": 400}, {"a": 0.5, "b": 0.5}).mismatch
