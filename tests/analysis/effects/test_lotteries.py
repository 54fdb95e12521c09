"""Everybody ever offered a place against everybody else: unbiased over all orders, refused where it cannot be."""

from __future__ import annotations

from itertools import combinations, permutations
from math import factorial

import numpy as np
import pandas as pd
import pytest

from analysis import ever_offer
from analysis.errors import DataError, DesignNotEstimable

TAKER = np.array([1, 1, 1, 1, 0, 0, 0], dtype=bool)
UNTREATED = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.3])
PLACES, EFFECT = 2, 10.0


def drawn(order: tuple[int, ...], places: int = PLACES) -> pd.DataFrame:
    """What is seen when these people come in this order and places go to the first takers."""
    taker = TAKER[list(order)]
    last = int(np.flatnonzero(taker)[places - 1])
    offered = np.arange(len(order)) <= last
    took = offered & taker
    y = UNTREATED[list(order)] + EFFECT * took
    return pd.DataFrame({"rank": np.arange(len(order)) + 1, "offered": offered, "took": took, "y": y})


def estimate(data: pd.DataFrame, **more: str):
    return ever_offer(data, "y", rank="rank", offered="offered", took="took", **more)


def test_over_all_orders_the_effect_of_an_offer_is_that_on_the_share_of_takers_and_the_plain_one_is_not():
    ours, plain = [], []
    for order in permutations(range(7)):
        data = drawn(order)
        ours.append(estimate(data).offer.value)
        means = data.groupby("offered")["y"].mean()
        plain.append(means[True] - means[False])
    assert len(ours) == 5040
    assert np.mean(ours) == pytest.approx(EFFECT * 4 / 7, abs=1e-10)
    assert abs(np.mean(plain) - EFFECT * 4 / 7) > 0.5


def test_with_missing_outcomes_the_effect_over_all_orders_is_that_on_those_who_answer():
    """Nine people, six of them takers, three places, one taker never answers.

    What is seen hangs on who was offered a place and on nothing else; a set of L people, S of them takers, comes from
    (L - 1)! S (9 - L)! of the 362,880 orders.
    """
    takers, untreated, silent = range(6), np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.3, 0.5, 7.0]), 0
    ours, counting_answers, orders = [], [], []
    for inside in combinations(takers, 3):
        for declined in (few for k in range(4) for few in combinations(range(6, 9), k)):
            offered = (*declined, *inside)
            order = np.array([*offered, *(one for one in range(9) if one not in offered)])
            data = pd.DataFrame({"rank": range(9), "offered": np.arange(9) < len(offered)})
            data["took"] = data["offered"] & (order < 6)
            data["y"] = (untreated[order] + EFFECT * data["took"]).where(order != silent)
            ours.append(estimate(data).offer.value)
            counting_answers.append(_counting_those_who_answer(data.dropna()))
            orders.append(factorial(len(offered) - 1) * 3 * factorial(9 - len(offered)))
    assert sum(orders) == factorial(9)
    truth = EFFECT * 5 / 8
    assert np.average(ours, weights=orders) == pytest.approx(truth, abs=1e-10)
    assert abs(np.average(counting_answers, weights=orders) - truth) > 0.05


def _counting_those_who_answer(seen: pd.DataFrame) -> float:
    offered, places = seen[seen["offered"]], seen["took"].sum()
    weights = np.where(offered["took"], (places - 1) / places, 1.0)
    return float(np.average(offered["y"], weights=weights) - seen.loc[~seen["offered"], "y"].mean())


def test_the_interval_of_the_effect_on_takers_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covered, trials = 0, 400
    for _ in range(trials):
        taker = rng.random(400) < 0.6
        last = int(np.flatnonzero(taker)[99])
        offered = np.arange(400) <= last
        took = offered & taker
        y = rng.normal(size=400) + 0.8 * taker + 0.5 * took
        data = pd.DataFrame({"rank": np.arange(400), "offered": offered, "took": took, "y": y})
        covered += 0.5 in estimate(data).takers.interval(0.95)
    assert covered / trials == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / trials))


def test_lists_are_weighed_by_their_applicants():
    one, two = drawn((0, 4, 1, 2, 5, 3, 6)), drawn((4, 2, 5, 0, 1, 6, 3))
    both = pd.concat([one.assign(desk="north"), two.assign(desk="south")])
    apart = [estimate(one).offer.value, estimate(two).offer.value]
    assert estimate(both, strata="desk").offer.value == pytest.approx(np.mean(apart))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"offered": [0, 1, 1, 0, 0, 0, 0], "took": [0, 1, 1, 0, 0, 0, 0]}, DataError, "do not follow the drawn order"),
        ({"offered": [1, 1, 1, 1, 0, 0, 0]}, DataError, "last offer was declined"),
        ({"took": [1, 0, 1, 0, 1, 0, 0]}, DataError, "without an offer"),
        ({"rank": [1, 2, 3, 4, 5, 6, 6]}, DataError, "same rank"),
        ({"took": [0, 0, 1, 0, 0, 0, 0]}, DesignNotEstimable, "fewer than two people took a place"),
        ({"took": [2, 0, 1, 0, 0, 0, 0]}, DataError, "true and false"),
        ({"took": ["ja", "nee", "ja", "nee", "nee", "nee", "nee"]}, DataError, "true and false"),
    ],
)
def test_what_the_record_of_the_lottery_cannot_be_is_said(change, error, words):
    data = drawn((0, 4, 1, 2, 5, 3, 6)).astype({"offered": int, "took": int}).assign(**change)
    with pytest.raises(error, match=words):
        estimate(data)


def test_later_starts_end_the_comparison():
    data = drawn((0, 4, 1, 2, 5, 3, 6)).assign(began=[1, 0, 1, 0, 0, 1, 0])
    with pytest.raises(DesignNotEstimable, match="1 people without an offer started"):
        estimate(data, started="began")
    assert estimate(data.assign(began=data["took"]), started="began").offer.n == 7
