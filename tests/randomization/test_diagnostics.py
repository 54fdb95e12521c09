"""Checks of a draw see what is wrong and leave alone what is right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import randomization as rz

TWO = ["control", "advice"]
RNG = np.random.default_rng(1)
UNITS = pd.DataFrame(
    {"age": RNG.normal(40, 10, 60), "sex": RNG.choice(["f", "m"], 60), "region": np.repeat(["n", "z", "o"], 20)}
)
DESIGN = rz.blocked(TWO, strata=["region"])


def test_the_assignment_table_counts_every_unit_once() -> None:
    table = rz.assignment_table(DESIGN.draw(UNITS, seed=1), UNITS, ["region"])
    assert table.loc["n"].to_dict() == {"advice": 10, "control": 10, "total": 20}
    assert table.loc["total", "total"] == 60


def test_the_balance_table_gives_means_and_standardised_differences() -> None:
    drawn = DESIGN.draw(UNITS, seed=1)
    table = rz.balance_table(drawn, UNITS, ["age", "sex"], control="control")
    a, c = (UNITS["age"][(drawn == name).to_numpy()] for name in ("advice", "control"))
    wanted = (a.mean() - c.mean()) / np.sqrt((a.var() + c.var()) / 2)
    assert table.loc["age", "difference advice"] == pytest.approx(wanted, rel=1e-12)
    assert list(table.index) == ["age", "sex=f", "sex=m"]


def test_a_balance_table_never_invents_a_number() -> None:
    units = pd.DataFrame({"x": [1, 1, 2, 2]})
    with pytest.raises(rz.UnitsError, match="varies within neither"):
        rz.balance_table(pd.Series(["a", "a", "b", "b"]), units, ["x"])
    with pytest.raises(rz.UnitsError, match="one unit"):
        rz.balance_table(pd.Series(["a", "b", "b", "b"]), units, ["x"])


def test_the_omnibus_test_is_uniform_under_the_design() -> None:
    p = [
        rz.omnibus_test(DESIGN.draw(UNITS, seed=s), UNITS, ["age", "sex"], design=DESIGN, draws=199, seed=1000 + s).p
        for s in range(150)
    ]
    assert abs(np.mean(p) - 0.5) < 5 * np.sqrt(1 / 12 / 150)


def test_the_omnibus_test_sees_arms_that_differ() -> None:
    sorted_by_age = UNITS.sort_values("age")
    drawn = pd.Series(["control"] * 30 + ["advice"] * 30, index=sorted_by_age.index)
    assert rz.omnibus_test(drawn, sorted_by_age, ["age"]).p < 1e-6
    assert rz.omnibus_test(drawn, sorted_by_age, ["age"], design=rz.complete(TWO), draws=999).p == pytest.approx(0.001)


def test_two_arms_under_complete_randomization_agree_with_the_closed_form() -> None:
    drawn = rz.complete(TWO).draw(UNITS, seed=3)
    here = (drawn == "advice").to_numpy()
    gap = UNITS["age"][here].mean() - UNITS["age"][~here].mean()
    wanted = gap**2 / (UNITS["age"].var() * (1 / 30 + 1 / 30))
    found = rz.omnibus_test(drawn, UNITS, ["age"])
    assert found.statistic == pytest.approx(wanted, rel=1e-12)
    assert found.df == 1


def test_sample_ratio_under_blocking_sees_what_chi_square_does_not() -> None:
    design = rz.permuted_blocks(TWO, sizes=(4,), strata=["region"])
    honest = design.draw(UNITS, seed=2)
    assert rz.sample_ratio_test(honest, design, UNITS, draws=500).p > 0.1
    lost = honest.copy()
    lost[lost[lost == "advice"].index[:6]] = "control"
    assert rz.sample_ratio_test(lost.value_counts().to_dict(), rz.simple(TWO)).p > 0.1
    assert rz.sample_ratio_test(lost, design, UNITS, draws=500).p == pytest.approx(1 / 501)


def test_sample_ratio_of_counts_under_a_fixed_ratio() -> None:
    design = rz.complete({"control": 1, "advice": 2})
    assert rz.sample_ratio_test({"control": 20, "advice": 40}, design, draws=200).p == 1
    assert rz.sample_ratio_test({"control": 25, "advice": 35}, design, draws=200).p == pytest.approx(1 / 201)


def test_an_arm_that_the_design_does_not_have_is_named() -> None:
    with pytest.raises(rz.UnitsError, match="'voucher'"):
        rz.sample_ratio_test({"voucher": 3, "control": 3}, rz.simple(TWO))
    with pytest.raises(rz.UnitsError, match="unit 1 has arm 'x'"):
        rz.sample_ratio_test(pd.Series(["control", "x"]), rz.simple(TWO), 2)


def test_a_large_rerandomization_reports_its_simulated_chances_with_their_error() -> None:
    design = rz.rerandomized(rz.complete(TWO), ["age"], p_accept=0.2)
    chances = design.probabilities(UNITS, n=400, seed=1)
    assert not chances.attrs["exact"]
    assert 0 < chances.attrs["standard_error"] < 0.03
    outlier = UNITS.assign(age=[1e6, *UNITS["age"].iloc[1:]])
    unequal = rz.rerandomized(rz.complete({"control": 5, "advice": 1}), ["age"], p_accept=0.5)
    named = rz.never_treatable(unequal, outlier, draws=300)
    assert named[["unit", "arm"]].to_dict("records") == [{"unit": 0, "arm": "advice"}]
    assert 0 < named["upper"].iloc[0] < 0.02


def test_a_rule_that_accepts_nothing_says_so_instead_of_running_on() -> None:
    units = pd.DataFrame({"x": [0.0] * 59 + [1e6]})
    design = rz.rerandomized(rz.complete({"control": 5, "advice": 1}), ["x"], p_accept=0.1)
    with pytest.raises(rz.DesignError, match="larger p_accept"):
        design.draw(units, seed=1)


@pytest.mark.parametrize("misfits", ["balanced", "stratum", "global", "drop"])
def test_tallies_are_those_of_the_draws(misfits: str) -> None:
    units = pd.DataFrame({"s": list("aaabbbbcc")})
    design = rz.blocked({"x": 1, "y": 2}, strata=["s"], misfits=misfits)
    layout = design.layout(units)
    drawn = design.draws(units, 3_000, seed=1)
    counted = np.array([[(drawn[:, (units["s"] == s).to_numpy()] == k).sum(axis=1) for k in (0, 1)] for s in "abc"])
    tallied = design.tallies(layout, 3_000, seed=2)
    for s in range(3):
        for k in range(2):
            one, two = counted[s, k], tallied[:, s, k]
            assert set(one) == set(two)
            assert abs(one.mean() - two.mean()) < 5 * np.sqrt((one.var() + two.var()) / 3_000) + 1e-12


def test_a_million_units_are_tested_without_drawing_each_again() -> None:
    design = rz.complete(TWO)
    assert rz.sample_ratio_test({"control": 500_001, "advice": 500_000}, design, draws=2_000).p == 1
    assert rz.sample_ratio_test({"control": 500_400, "advice": 499_601}, design, draws=2_000).p == pytest.approx(
        1 / 2001
    )
