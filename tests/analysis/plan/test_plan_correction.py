"""Corrections for many comparisons keep the familywise error, and agree with tables and with one another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from analysis.errors import OptionError
from analysis.multiplicity import dunnett
from analysis.plan_correction import maximum_t, over_family, within_outcome

STAR = [("a", "c"), ("b", "c")]
ALL = [*STAR, ("a", "b")]


def test_the_maximum_t_agrees_with_dunnetts_table(reference):
    for row in reference["dunnett"]["critical"]:
        arms = [f"arm {k}" for k in range(row["comparisons"])]
        contrasts = [(arm, "control") for arm in arms]
        variances = dict.fromkeys([*arms, "control"], 1.0)
        p = maximum_t(np.full(len(arms), row["t"]), contrasts, variances, row["df"] or np.inf)
        assert p == pytest.approx(0.05, abs=7e-4)


def test_the_maximum_t_agrees_with_the_correction_for_one_shared_control():
    t, sizes, df = np.array([2.4, 1.1, 0.3]), [80, 40, 40, 60], 216
    contrasts = [(str(k), "control") for k in range(3)]
    variances = {"control": 1 / 80, "0": 1 / 40, "1": 1 / 40, "2": 1 / 60}
    assert maximum_t(t, contrasts, variances, df) == pytest.approx(dunnett(t, sizes, df), abs=1e-6)


def test_all_pairs_of_three_equal_arms_give_tukeys_critical_value():
    # the studentised range of three means is 3.3145 at 5% with infinite df; the critical t is that over root two
    p = maximum_t(np.array([3.3145 / np.sqrt(2)] * 3), ALL, dict.fromkeys("abc", 1.0), np.inf)
    assert p == pytest.approx(0.05, abs=1.5e-3)


@pytest.mark.parametrize("spread", [{"a": 0.0, "b": 1.0, "c": 1.0}, {"a": 1.0, "b": 1.0, "c": 0.0}])
def test_an_arm_in_which_everybody_has_the_same_outcome_is_corrected_for_like_any_other(spread):
    t = np.array([1.3, 2.4])
    found = maximum_t(t, STAR, spread, np.inf)
    rng = np.random.default_rng(4)
    z = rng.standard_normal((400_000, 3)) * np.sqrt([spread[arm] for arm in "abc"])
    largest = np.maximum(*(
        abs(z[:, k] - z[:, 2]) / np.sqrt(spread["abc"[k]] + spread["c"]) for k in (0, 1)
    ))  # fmt: skip
    assert found == pytest.approx([(largest >= value).mean() for value in t], abs=4e-3)
    assert maximum_t(np.zeros(2), STAR, spread, np.inf).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("ratio", [0.0, 1e-6, 5e-4, 3e-3, 0.02, 0.1, 0.13, 0.4, 2.0])
def test_an_arm_that_hardly_spreads_is_corrected_as_exactly_as_any_other(ratio):
    def joint(t):
        far, own = t * np.sqrt([1 + ratio, 2.0]), np.sqrt([max(ratio, 1e-30), 1.0])
        edge = far[0] + np.array([-8, -2, 0, 2, 8]) * own[0]
        inside = lambda x: stats.norm.pdf(x) * np.prod(special.ndtr((x + far) / own) - special.ndtr((x - far) / own))  # noqa: E731
        points = np.sort(edge[(edge > 0) & (edge < 9)])
        return 1 - 2 * integrate.quad(inside, 0, 9, points=points, limit=500, epsabs=1e-12)[0]

    t = np.array([0.4, 1.3, 2.2, 2.4, 3.6])
    pairs = [maximum_t(np.array([value, value]), STAR, {"a": ratio, "b": 1.0, "c": 1.0}, np.inf)[0] for value in t]
    assert pairs == pytest.approx([joint(value) for value in t], abs=1e-7)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(p=st.lists(st.floats(1e-6, 1), min_size=3, max_size=3))
def test_a_corrected_p_is_never_smaller_and_never_more_than_bonferronis(p):
    z = np.array([abs(np.sqrt(2) * _inverse(v)) for v in p])
    for method in ("dunnett", "holm", "none"):
        found = within_outcome(
            p, method, statistics=z, contrasts=ALL, arm_variances=dict.fromkeys("abc", 1.0), df=np.inf
        )
        assert (found >= np.array(p) - 1e-12).all()
        assert (found <= np.minimum(1, 3 * np.array(p)) + 1e-12).all()


def _inverse(p):
    from scipy.special import erfcinv

    return float(erfcinv(p))


def test_over_a_family_the_smallest_p_pays_for_all_outcomes_and_the_last_for_one():
    p = {("one", STAR[0]): 0.001, ("one", STAR[1]): 0.02, ("two", STAR[0]): 0.015, ("two", STAR[1]): 0.6}
    found = over_family(p, "holm")
    assert found[("one", STAR[0])] == pytest.approx(0.002)
    assert found[("two", STAR[0])] == pytest.approx(0.03)
    assert found[("one", STAR[1])] == pytest.approx(0.04)
    assert found[("two", STAR[1])] == pytest.approx(0.6)
    assert over_family(p, "bonferroni")[("two", STAR[0])] == pytest.approx(0.03)
    assert over_family(p, "none") == p


@pytest.mark.heavy
def test_the_two_step_correction_keeps_the_familywise_error():
    rng = np.random.default_rng(3)
    wrong, draws = 0, 1_500
    for _ in range(draws):
        arms = rng.normal(size=(4, 3)) + np.array([[0, 0, 0]] * 2 + [[6, 0, 0]] * 2)  # arm a works on two outcomes
        p = {}
        for k in range(4):
            z = np.array([arms[k, 0] - arms[k, 2], arms[k, 1] - arms[k, 2]]) / np.sqrt(2)
            raw = 2 * (1 - _normal(np.abs(z)))
            corrected = within_outcome(
                raw, "dunnett", statistics=z, contrasts=STAR, arm_variances=dict.fromkeys("abc", 1.0), df=np.inf
            )
            p |= {(str(k), STAR[i]): corrected[i] for i in range(2)}
        found = over_family(p, "holm")
        true = [key for key in found if not (key[0] in "23" and key[1] == STAR[0])]
        wrong += any(found[key] <= 0.05 for key in true)
    assert wrong / draws < 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)


def _normal(z):
    from scipy.special import ndtr

    return ndtr(z)


def test_unknown_corrections_are_refused():
    with pytest.raises(OptionError, match="dunnett, holm or none"):
        within_outcome([0.1, 0.2], "tukey")
    with pytest.raises(OptionError, match="bonferroni"):
        over_family({("one", STAR[0]): 0.1}, "tukey")
