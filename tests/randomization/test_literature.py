"""Closed forms of the literature, worked out here from their formulas, against what the designs say of themselves."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, exp, factorial, lgamma

import pandas as pd
import pytest
from scipy.stats import chi2

import randomization as rz

AB = ["a", "b"]


@pytest.mark.parametrize("half", [1, 2, 3, 4, 5, 6, 10])
def test_guesses_in_blocks_follow_blackwell_and_hodges(half: int) -> None:
    """E = n + 2^(2n-1) / C(2n, n) - 1/2 right guesses in a block of 2n, of which 1 / (n + 1) are certain."""
    found = rz.permuted_blocks(AB, sizes=(2 * half,)).predictability(2 * half)
    expected = half + Fraction(2 ** (2 * half - 1), comb(2 * half, half)) - Fraction(1, 2)
    assert found.correct_guesses == expected
    assert found.selection_bias == expected - half
    assert found.deterministic_share == Fraction(1, half + 1)
    assert found.max_imbalance == half


@pytest.mark.parametrize("weights", [(1, 2), (1, 3), (2, 3)])
def test_guesses_in_unequal_blocks_are_those_of_every_order_of_the_block(weights: tuple[int, int]) -> None:
    """The convergence strategy followed through every arrangement of one block of one ratio."""
    size, hits, ways = sum(weights), Fraction(0), 0
    for order in product((0, 1), repeat=size):
        if order.count(1) != weights[1]:
            continue
        ways += 1
        counts = [0, 0]
        for arm in order:
            behind = [Fraction(counts[k], weights[k]) for k in (0, 1)]
            guess = 0 if behind[0] < behind[1] else 1  # level arms: the larger one is named
            hits += guess == arm
            counts[arm] += 1
    design = rz.permuted_blocks(dict(zip(AB, weights, strict=True)), multiples=(1,))
    assert design.predictability(size).correct_guesses == hits / ways


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_the_big_stick_tends_to_its_stationary_walk(limit: int) -> None:
    """A walk reflected at +-b stands at an end with chance 1 / (2b): so many arms are certain (Soares and Wu 1983)."""
    early, late = (rz.big_stick(AB, limit=limit).predictability(n) for n in (150, 300))
    certain = 2 * late.deterministic_share - early.deterministic_share
    guessed = (late.correct_guesses - early.correct_guesses) / 150
    assert float(certain) == pytest.approx(1 / (2 * limit), abs=1e-4)
    assert float(guessed) == pytest.approx(0.5 + 1 / (4 * limit), abs=1e-4)


@pytest.mark.parametrize("p", [Fraction(2, 3), Fraction(3, 4), Fraction(4, 5)])
def test_efrons_coin_tends_to_its_stationary_distribution(p: Fraction) -> None:
    """For r = p / q and even n: P(D = 0) -> (r - 1) / r, P(|D| = 2j) -> (r^2 - 1) / r^(2j + 1) (Efron 1971)."""
    r = p / (1 - p)
    final = rz.biased_coin(AB, p=p).predictability(100).final_imbalance
    assert float(final[Fraction(0)]) == pytest.approx(float((r - 1) / r), abs=1e-4)
    for j in (1, 2, 3):
        assert float(final[Fraction(2 * j)]) == pytest.approx(float((r**2 - 1) / r ** (2 * j + 1)), abs=1e-4)


@pytest.mark.parametrize(("alpha", "beta"), [(0, 1), (1, 1), (2, 1), (1, 3)])
def test_weis_urn_keeps_the_variance_of_its_recursion(alpha: int, beta: int) -> None:
    """E D^2 grows as 1 + (1 - 2 beta / (2 alpha + beta n)) E D^2; for UD(0, 1) it tends to n / 3 (Wei 1977)."""
    expected = Fraction(0)
    for n in range(40):
        urn = 2 * alpha + beta * n
        expected = 1 + (1 - Fraction(2 * beta, urn)) * expected if urn else Fraction(1)
    found = rz.urn(AB, alpha=alpha, beta=beta).predictability(40)
    assert found.sd_imbalance**2 == pytest.approx(float(expected), rel=1e-12)
    if alpha == 0:
        assert found.sd_imbalance**2 / 40 == pytest.approx(1 / 3, abs=0.01)


def test_weis_urn_gives_the_chances_of_its_balls() -> None:
    """UD(1, 1) after two arrivals in a and one in b holds 1 + 1 balls of a and 1 + 2 of b."""
    assert rz.urn(AB, alpha=1, beta=1).chances((2, 1)) == (Fraction(2, 5), Fraction(3, 5))
    assert rz.urn(["a", "b", "c"], alpha=1, beta=1).chances((2, 0, 0)) == (
        Fraction(1, 7),
        Fraction(3, 7),
        Fraction(3, 7),
    )


@pytest.mark.parametrize(("length", "mti"), list(product((4, 7, 8, 10), (1, 2, 3, 4))))
def test_the_maximal_procedure_allows_every_sequence_within_its_bound(length: int, mti: int) -> None:
    """Berger, Ivanova and Knoll (2003): all that stay within the bound and end level, each equally likely."""
    allowed = 0
    for order in product((1, -1), repeat=length):
        leads = [sum(order[: k + 1]) for k in range(length)]
        allowed += max(map(abs, leads)) <= mti and abs(leads[-1]) <= length % 2
    design = rz.maximal_procedure(AB, mti=mti, length=length)
    assert design.n_allocations(length) == allowed
    if allowed <= 300:
        assert set(design.support(length).probabilities) == {Fraction(1, allowed)}


def test_a_maximal_procedure_of_one_is_blocks_of_two() -> None:
    assert rz.maximal_procedure(AB, mti=1, length=8).n_allocations(8) == 2**4
    assert dict(rz.maximal_procedure(AB, mti=1, length=6).support(6)) == dict(
        rz.permuted_blocks(AB, sizes=(2,)).support(6)
    )


@pytest.mark.parametrize(("k", "p_accept"), [(1, 0.01), (2, 0.05), (5, 0.001), (10, 0.1)])
def test_rerandomization_takes_the_share_of_morgan_and_rubin(k: int, p_accept: float) -> None:
    names = [f"x{number}" for number in range(k)]
    design = rz.rerandomized(rz.complete(AB), names, p_accept=p_accept)
    a = chi2.ppf(p_accept, k)
    v_a = chi2.cdf(a, k + 2) / chi2.cdf(a, k)
    for r2 in (0.0, 0.3, 1.0):
        assert design.variance_reduction(r2) == pytest.approx((1 - v_a) * r2, abs=1e-9)


@pytest.mark.parametrize(("first", "second"), [((9, 4), (5, 8)), ((2, 2), (2, 2)), ((30, 12), (25, 20))])
def test_the_chance_that_an_arm_is_best_has_its_closed_form(first: tuple[int, int], second: tuple[int, int]) -> None:
    """P(Beta(a, b) > Beta(c, d)) = sum over i < a of B(c + i, b + d) / ((b + i) B(1 + i, b) B(c, d)), whole numbers."""

    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    (a, b), (c, d) = first, second
    expected = sum(
        exp(log_beta(c + i, b + d) - log_beta(1 + i, b) - log_beta(c, d)) / (b + i) for i in range(a)
    )  # fmt: skip
    seen = {"a": (a - 1, b - 1), "b": (c - 1, d - 1)}
    chances = rz.adaptive(AB, evidence=seen).probabilities(1)
    assert chances["a"].iloc[0] == pytest.approx(expected, abs=2e-6)


def test_exploration_sampling_of_two_arms_is_a_fair_coin() -> None:
    """p (1 - p) is the same for both arms (Kasy and Sautmann 2021)."""
    chances = rz.adaptive(AB, rule="exploration", evidence={"a": (9, 1), "b": (2, 8)}).probabilities(1)
    assert chances.to_numpy().tolist() == [[0.5, 0.5]]


def test_tickets_without_replacement_follow_successive_sampling() -> None:
    """Tickets 1, 2, 3 and two places: the third applicant is drawn first or second, 3/6 + 1/6 x 3/5 + 2/6 x 3/4."""
    units = pd.DataFrame({"tickets": [1, 2, 3]})
    chances = rz.lottery(2, tickets="tickets").probabilities(units)
    assert chances["offer"].iloc[2] == pytest.approx(3 / 6 + 1 / 6 * 3 / 5 + 2 / 6 * 3 / 4, abs=1e-12)
    assert chances["offer"].to_numpy().sum() == pytest.approx(2)


def test_numbers_of_allocations_are_those_of_the_textbook() -> None:
    units = pd.DataFrame({"stratum": [1] * 6 + [2] * 4, "pair": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]})
    assert rz.complete(AB).n_allocations(10) == comb(10, 5)
    assert rz.complete(["a", "b", "c"]).n_allocations(9) == factorial(9) // factorial(3) ** 3
    assert rz.blocked(AB, strata=["stratum"]).n_allocations(units) == comb(6, 3) * comb(4, 2)
    assert rz.matched_pairs(AB, "pair").n_allocations(units) == 2**5
    assert rz.stepped_wedge("pair", steps=5).n_allocations(units) == factorial(5)
    assert rz.simple(AB).n_allocations(10) == 2**10
    assert rz.permuted_blocks(AB, sizes=(4,)).n_allocations(8) == comb(4, 2) ** 2
