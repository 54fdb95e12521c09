"""Known values: every case of the reference file, and further published ones, against the public functions."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import randomization as rz
from randomization.live import Context, next_draw
from randomization.streams import hmac_sha256

HERE = Path(__file__).parents[1] / "reference" / "randomization"
KNOWN = {case["id"]: case for case in json.loads((HERE / "cases.json").read_text())["cases"]}
PUBLISHED = {case["id"]: case for case in json.loads((HERE / "published.json").read_text())["cases"]}
TWO = ["portal", "advice"]


def expected(name: str) -> Any:
    return (KNOWN | PUBLISHED)[name]["expected"]


def test_every_reference_case_is_tested() -> None:
    text = Path(__file__).read_text()
    assert [name for name in KNOWN | PUBLISHED if text.count(f'"{name}"') == 0] == []


def test_five_units_in_three_arms_have_ninety_allocations() -> None:
    facts, design = expected("A2_three_arms_N5"), rz.complete(["a", "b", "c"])
    support = design.support(5)
    assert design.n_allocations(5) == len(support) == facts["n_distinct_allocations"]
    assert set(support.probabilities) == {Fraction(1, 90)}
    counts = {tuple(sorted(np.bincount(row, minlength=3))) for row in design.draws(5, 500, seed=1)}
    assert counts == {(1, 2, 2)}
    assert np.allclose(design.probabilities(5), facts["unit_probability"], atol=1e-15)


def test_two_strata_of_three_always_treat_three_in_all() -> None:
    expected("A3_two_blocks_of_three_load_balanced")
    units = pd.DataFrame({"stratum": list("xxxyyy")})
    design = rz.blocked(TWO, strata=["stratum"], misfits="balanced")
    draws = design.draws(units, 4_000, seed=2)
    assert set(draws.sum(axis=1)) == {3}
    assert set(draws[:, :3].sum(axis=1)) == {1, 2}
    assert np.abs(draws.mean(axis=0) - 0.5).max() < 5 * np.sqrt(0.25 / 4_000)
    assert (design.probabilities(units) == 0.5).all(axis=None)


def test_four_units_at_one_two_and_seven_tenths_give_the_three_counts() -> None:
    facts = {key: Fraction(value) for key, value in expected("four_units_2_7_1").items()}
    design = rz.complete({"a": 0.2, "b": 0.7, "c": 0.1})
    found: dict[str, Fraction] = {}
    for arms, chance in design.support(4):
        key = ",".join(str(arms.count(name)) for name in "abc")
        found[key] = found.get(key, Fraction(0)) + chance
    assert found == facts
    assert np.allclose(design.probabilities(4), [0.2, 0.7, 0.1])


@pytest.mark.parametrize("name", ["B1_PBD4", "B1_PBD6"])
def test_guesses_in_permuted_blocks(name: str) -> None:
    facts, size = expected(name), KNOWN[name]["inputs"]["block_size"]
    found = rz.permuted_blocks(TWO, sizes=(size,)).predictability(size)
    assert found.correct_guesses == Fraction(facts["expected_correct_per_block"])
    assert found.selection_bias == Fraction(facts["blackwell_hodges_excess_per_block"])
    assert float(found.probability_correct) == pytest.approx(facts["probability_correct"], abs=1e-12)
    assert float(found.deterministic_share) == pytest.approx(facts["fraction_deterministic"], abs=1e-12)


def test_blackwell_hodges_series() -> None:
    for size, value in expected("blackwell_hodges").items():
        assert rz.permuted_blocks(TWO, sizes=(int(size),)).predictability(int(size)).correct_guesses == Fraction(value)


def test_published_simulation_of_block_sizes() -> None:
    tolerance = PUBLISHED["zhao_2012_blocks"]["tolerance"]
    for size, value in expected("zhao_2012_blocks").items():
        found = rz.permuted_blocks(TWO, sizes=(int(size),)).predictability(100)
        assert float(found.probability_correct) == pytest.approx(value, abs=tolerance)


def test_big_stick_of_four_over_a_hundred() -> None:
    facts, design = expected("B2_BSD4_100"), rz.big_stick(TWO, limit=4)
    found = design.predictability(100)
    assert float(found.probability_correct) == pytest.approx(facts["prob_correct_guess"], abs=1e-12)
    assert found.sd_imbalance == pytest.approx(facts["sd_final_imbalance"], abs=1e-12)
    assert float(found.expected_imbalance) == pytest.approx(facts["E_abs_final"], abs=1e-12)
    assert float(found.balance_probability) == pytest.approx(facts["P_exact_final_balance"], abs=1e-12)
    assert float(found.prefix_balance) == pytest.approx(facts["mean_P_balance_over_prefixes"], abs=1e-12)
    assert float(found.deterministic_share) == pytest.approx(facts["fraction_deterministic"], abs=1e-12)
    assert found.max_imbalance == 4
    assert rz.expected_max_imbalance(design, 100) == pytest.approx(facts["E_max_abs"], abs=1e-9)


def test_efron_at_two_thirds() -> None:
    facts, design = expected("C1_efron_two_thirds"), rz.biased_coin(TWO, p=2 / 3)
    for n, values in facts["finite_n"].items():
        found = design.predictability(int(n))
        wanted = values["E_abs"]
        assert float(found.expected_imbalance) == pytest.approx(float(Fraction(str(wanted))), abs=1e-9)
        assert float(found.balance_probability) == pytest.approx(values["P0"], abs=1e-9)
    limits = facts["limits"]
    assert float(design.predictability(100).balance_probability) == pytest.approx(limits["P0_even"], abs=1e-3)
    odd = design.predictability(101)
    assert float(odd.final_imbalance[Fraction(1)]) == pytest.approx(limits["P_absD1_odd"], abs=1e-3)
    assert float(odd.expected_imbalance) == pytest.approx(limits["E_abs_odd"], abs=1e-3)
    tail = design.predictability(200).correct_guesses - design.predictability(100).correct_guesses
    assert float(tail) / 100 == pytest.approx(limits["prob_correct"], abs=1e-3)


def test_pocock_and_simon_worked_example() -> None:
    facts, given = expected("D1_pocock_simon_1975"), KNOWN["D1_pocock_simon_1975"]["inputs"]
    arms = ["arm1", "arm2", "arm3"]
    design = rz.minimization(arms, given["factors"], imbalance=given["imbalance"], p=given["p"])
    margins, person = given["margins"], given["new_patient"]
    by_arm = design.imbalances(margins, person)
    assert {arm: list(by_arm[arm].values()) for arm in arms} == facts["range_per_factor"]
    assert list(design.scores(margins, person).values()) == facts["G"]
    assert [float(chance) for chance in design.chances_for(margins, person).values()] == facts["probabilities"]


@pytest.mark.parametrize("name", ["E1_MR_k3_pa0.1", "E1_MR_k10_pa0.001"])
def test_morgan_and_rubin_variance_reduction(name: str) -> None:
    facts, given = expected(name), KNOWN[name]["inputs"]
    covariates = [f"x{place}" for place in range(given["k"])]
    design = rz.rerandomized(rz.complete(TWO), covariates, p_accept=given["p_accept"])
    assert design.threshold == pytest.approx(facts["threshold"], abs=1e-6)
    assert design.v_a == pytest.approx(facts["v_a"], abs=1e-6)
    assert 100 * design.variance_reduction() == pytest.approx(facts["covariate_variance_reduction_pct"], abs=1e-6)
    assert 100 * design.variance_reduction(0.5) == pytest.approx(facts["at_R2_half"], abs=1e-6)


def test_a_rerandomization_rule_that_never_treats_somebody_says_so() -> None:
    facts, given = expected("E4_positivity_trap"), KNOWN["E4_positivity_trap"]["inputs"]
    units = pd.DataFrame({"x": given["x"]})
    design = rz.rerandomized(rz.complete({"control": 3, "treated": 2}), ["x"], threshold=given["threshold"])
    chances = design.probabilities(units)
    assert design.n_allocations(units) == facts["accepted"]
    assert chances.attrs["exact"]
    assert chances["treated"].tolist() == facts["unit_probability"]
    assert rz.never_treatable(design, units)["unit"].tolist() == [4]


def test_arrivals_with_rollbacks_leave_no_hole_and_stay_balanced() -> None:
    facts, given = expected("G1_concurrency"), KNOWN["G1_concurrency"]["inputs"]
    design = rz.permuted_blocks(TWO, sizes=(given["block"],))
    chance, state, arms, position = random.Random(3), None, [], 0
    while position < given["workers"] * given["arrivals_each"]:
        drawn = next_draw(
            design,
            key=bytes(32),
            context=Context("p", "live", 1),
            stratum="all",
            position=position + 1,
            state=state,
        )
        if chance.random() >= given["rollback_rate"]:
            state, position = drawn.state, position + 1
            arms.append(drawn.arm)
    lead = np.cumsum([1 if arm == "portal" else -1 for arm in arms])
    assert len(arms) == 1_200
    assert np.abs(lead).max() == facts["max_prefix_imbalance"]


def test_hmac_vector_of_rfc_4231() -> None:
    given = KNOWN["G5_hmac_vector"]["inputs"]
    assert hmac_sha256(given["key"].encode(), given["data"].encode()).hex() == expected("G5_hmac_vector")


def test_sample_ratio_mismatch_of_a_published_experiment() -> None:
    counts = PUBLISHED["fabijan_2019"]["inputs"]
    found = rz.sample_ratio_test(counts, rz.simple(["control", "treatment"]))
    assert found.p == pytest.approx(expected("fabijan_2019")["p"], rel=0.03)


def test_chance_that_an_arm_is_best() -> None:
    design = rz.adaptive(["a", "b"], evidence={"a": (1, 0)})
    best = expected("kasy_sautmann_two_arms")["best"]
    assert [float(chance) for chance in design.chances_given(design.evidence)] == pytest.approx(best, abs=1e-6)


def test_wei_urn_after_one_arrival() -> None:
    facts = expected("baseline_lee_wei_urn")
    design = rz.urn(TWO, alpha=1, beta=1)
    assert design.chances((1, 0)) == (Fraction(facts["lead_1"]), Fraction(facts["after_1"]))


def test_numbers_of_sequences_of_the_maximal_procedure() -> None:
    for key, count in expected("maximal_procedure_counts").items():
        length, mti = (int(part) for part in key.split(","))
        assert rz.maximal_procedure(TWO, mti=mti).n_allocations(length) == count
