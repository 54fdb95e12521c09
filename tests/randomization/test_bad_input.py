"""Bad input: an error that names the column, the unit and the remedy, before anything is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import randomization as rz

UNITS = pd.DataFrame(
    {"region": ["n", "n", "z", "z"], "desk": ["a", "b", "c", "c"], "pair": [1, 1, 2, 2], "age": [20.0, 30, 40, 50]},
    index=["p1", "p2", "p3", "p4"],
)
TWO = ["a", "b"]


@pytest.mark.parametrize(
    ("make", "path", "text"),
    [
        (lambda: rz.simple({"a": 0, "b": 1}), ("ratio", "a"), "ratio 0"),
        (lambda: rz.simple({"a": -1, "b": 1}), ("ratio", "a"), "ratio -1"),
        (lambda: rz.simple({"a": "x", "b": 1}), ("ratio", "a"), "not a number"),
        (lambda: rz.simple({"a": float("nan"), "b": 1}), ("ratio", "a"), "not a number"),
        (lambda: rz.simple(["a"]), ("ratio",), "at least two arms"),
        (lambda: rz.simple("ab"), ("ratio",), "give names"),
        (lambda: rz.simple(["a", "a"]), ("ratio", "a"), "named twice"),
        (lambda: rz.simple({"a": 1, "": 1}), ("ratio",), "give every arm a name"),
        (lambda: rz.simple(TWO, strata=["r", "r"]), ("strata", 1), "twice"),
        (lambda: rz.permuted_blocks(TWO, sizes=(5,)), ("sizes", 0), "not a multiple of 2"),
        (lambda: rz.permuted_blocks({"a": 1, "b": 2}, sizes=[6, 4]), ("sizes", 1), "not a multiple of 3"),
        (lambda: rz.permuted_blocks(TWO, multiples=[0]), ("multiples", 0), "at least 1"),
        (lambda: rz.permuted_blocks(TWO, multiples=2.5), ("multiples",), "whole numbers"),
        (lambda: rz.permuted_blocks(TWO, sizes="4"), ("sizes",), "whole numbers"),
        (lambda: rz.permuted_blocks(TWO, multiples=[2, "3"]), ("multiples", 1), "at least 1"),
        (lambda: rz.simple(TWO, strata=5), ("strata",), "list of column names"),
        (lambda: rz.permuted_blocks(TWO, multiples=[]), ("multiples",), "no block size"),
        (lambda: rz.permuted_blocks(TWO, sizes=(4,), multiples=(2,)), ("sizes",), "given twice"),
        (lambda: rz.big_stick(TWO, limit=0), ("limit",), "at least 1"),
        (lambda: rz.biased_coin(TWO, p=0.4), ("p",), "1/2 to 1"),
        (lambda: rz.urn(TWO, alpha=0, beta=0), ("beta",), "stay empty"),
        (lambda: rz.urn(TWO, alpha=-1), ("alpha",), "0 or more"),
        (lambda: rz.block_urn(TWO, multiple=0), ("multiple",), "at least 1"),
        (lambda: rz.maximal_procedure(TWO, mti=0), ("mti",), "at least 1"),
        (lambda: rz.maximal_procedure(TWO, length=0), ("length",), "planned|people"),
        (lambda: rz.minimization(TWO, []), ("factors",), "no factor"),
        (lambda: rz.minimization(TWO, {"sex": 0}), ("factors", "sex"), "above 0"),
        (lambda: rz.minimization(TWO, ["sex"], imbalance="gini"), ("imbalance",), "range, variance, sd"),
        (lambda: rz.minimization(TWO, ["sex"], p=0.3), ("p",), "1/2"),
        (lambda: rz.minimization(TWO, ["sex"], weights={"age": 1}), ("weights", "age"), "not a factor"),
        (lambda: rz.blocked(TWO, misfits="ignore"), ("misfits",), "balanced, stratum"),
        (lambda: rz.clustered(TWO, "desk", strata=["desk"]), ("clusters",), "both cluster and stratum"),
        (lambda: rz.factorial({"v": TWO}), ("factors",), "at least two factors"),
        (lambda: rz.factorial({"v": TWO, "w": ["x"]}), ("factors", "w"), "two or more"),
        (lambda: rz.stepped_wedge("desk", steps=1), ("steps",), "at least 2"),
        (lambda: rz.rerandomized(rz.complete(TWO), ["age"], p_accept=0), ("p_accept",), "above 0"),
        (lambda: rz.rerandomized(rz.complete(TWO), []), ("covariates",), "no covariate"),
        (lambda: rz.rerandomized(rz.complete(TWO), ["x"], p_accept=0.1, threshold=1), ("threshold",), "twice"),
        (lambda: rz.two_stage(TWO, {"a": TWO}), ("second",), "'b' has no second"),
        (lambda: rz.two_stage(TWO, {"a": TWO, "c": TWO}), ("second", "c"), "no first arm"),
        (lambda: rz.lottery(0), ("places",), "whole number"),
        (lambda: rz.lottery({"n": 1}), ("strata",), "no stratum is named"),
        (lambda: rz.adaptive(TWO, rule="greedy"), ("rule",), "thompson, exploration"),
        (lambda: rz.adaptive(TWO, floor=0.6), ("floor",), "0 to 1/2"),
        (lambda: rz.adaptive(TWO, evidence={"c": (1, 1)}), ("evidence", "c"), "no arm"),
        (lambda: rz.adaptive(TWO, evidence={"a": (-1, 1)}), ("evidence", "a"), "at least 0"),
    ],
)
def test_a_design_that_cannot_be_names_the_place_and_the_remedy(make: Any, path: tuple[Any, ...], text: str) -> None:
    with pytest.raises(rz.DesignError, match=text) as caught:
        make()
    assert caught.value.path == path
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("make", "source"),
    [
        (lambda: rz.big_stick(["a", "b", "c"]), "Zhao and Weng"),
        (lambda: rz.big_stick({"a": 1, "b": 2}), "Zhao and Weng"),
        (lambda: rz.biased_coin(["a", "b", "c"]), "Wei"),
        (lambda: rz.maximal_procedure({"a": 1, "b": 2}), "Zhao and Weng"),
        (lambda: rz.urn({"a": 1, "b": 2}), "block_urn"),
        (lambda: rz.rerandomized(rz.complete(["a", "b", "c"]), ["x"]), "Branson"),
        (lambda: rz.rerandomized(rz.simple(TWO), ["x"]), "complete, blocked"),
        (lambda: rz.adaptive({"a": 1, "b": 2}), "without a ratio"),
        (lambda: rz.two_stage(rz.simple(TWO), TWO), "complete, blocked"),
        (lambda: rz.complete(TWO).predictability(4), "sequential"),
        (lambda: rz.minimization(TWO, ["sex"]).predictability(4), "simulate"),
    ],
)
def test_a_method_outside_its_definition_names_what_to_use(make: Any, source: str) -> None:
    with pytest.raises(rz.DesignNotDefined, match=source):
        make()


@pytest.mark.parametrize(
    ("design", "units", "texts"),
    [
        (rz.blocked(TWO, strata=["regio"]), UNITS, ["'regio'", "'region'"]),
        (rz.blocked(TWO, strata=["region"]), 4, ["'region'", "data frame"]),
        (rz.blocked(TWO, strata=["region"]), UNITS.assign(region=["n", None, "z", "z"]), ["'region'", "'p2'", "fill"]),
        (rz.blocked(TWO, strata=["age"]), UNITS.assign(age=[1, np.nan, 2, 2]), ["'age'", "'p2'"]),
        (rz.blocked(TWO, strata=["region"]), UNITS.set_axis(["p1", "p1", "p3", "p4"]), ["'p1'", "twice", "one row"]),
        (rz.complete(["a", "b", "c"]), 2, ["2 units", "3 arms"]),
        (rz.complete(TWO), 0, ["at least one"]),
        (
            rz.clustered(TWO, "desk", strata=["region"]),
            UNITS.assign(desk=list("aaac")),
            ["'a'", "'desk'", "'p3'", "'n'"],
        ),
        (rz.clustered(["a", "b", "c", "d"], "desk"), UNITS, ["3 clusters", "4 arms", "desk"]),
        (rz.matched_pairs(TWO, "pair"), UNITS.assign(pair=[1, 2, 2, 2]), ["'1'", "'pair'", "not 2", "'p1'"]),
        (rz.rerandomized(rz.complete(TWO), ["region"]), UNITS, ["'region'", "not a number"]),
        (rz.rerandomized(rz.complete(TWO), ["age"]), UNITS.assign(age=1.0), ["'age'", "same for every unit"]),
        (rz.rerandomized(rz.complete(TWO), ["age"]), UNITS.assign(age=[1, 2, np.inf, 1]), ["'age'", "'p3'"]),
        (
            rz.rerandomized(rz.complete(TWO), ["age", "b"]),
            UNITS.assign(b=UNITS["age"] * 2),
            ["age, b", "leave one"],
        ),
        (rz.two_stage(TWO, TWO, enrolled="e"), UNITS.assign(e=["x", 1, 1, 0]), ["'e'", "'p1'", "True or False"]),
        (rz.lottery(4), UNITS, ["4 applicants", "fewer places"]),
        (rz.lottery({"n": 1}, strata=["region"]), UNITS, ["'z'", "no number of places"]),
        (rz.lottery({"n": 1, "z": 3}, strata=["region"]), UNITS, ["'z'", "3 places for 2"]),
        (rz.lottery({"n": 1, "z": 1, "o": 1}, strata=["region"]), UNITS, ["'o'", "no applicant"]),
        (rz.lottery(1, tickets="age"), UNITS.assign(age=[1, 0, 1, 1]), ["'age'", "'p2'", "at least 1"]),
        (rz.minimization(TWO, ["sex"]), UNITS, ["'sex'"]),
    ],
)
def test_units_that_do_not_fit_are_named(design: Any, units: Any, texts: list[str]) -> None:
    with pytest.raises(rz.UnitsError) as caught:
        design.draw(units, seed=1)
    for text in texts:
        assert text in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("seed", [-1, 1.5, "7", None, True])
def test_a_seed_that_is_no_whole_number_is_refused(seed: Any) -> None:
    with pytest.raises(rz.DesignError, match="seed"):
        rz.simple(TWO).draw(4, seed=seed)


@pytest.mark.parametrize(
    ("form", "path", "text"),
    [
        ({"method": "permuted_block", "ratio": {"a": 1, "b": 1}}, ("method",), "did you mean 'permuted_blocks'"),
        ({"ratio": {"a": 1, "b": 1}}, ("method",), "names no method"),
        ({"method": "simple"}, ("ratio",), "needs 'ratio'"),
        ({"method": "blocked", "ratio": {"a": 1, "b": 1}, "stratas": ["x"]}, ("stratas",), "did you mean 'strata'"),
        ({"method": "blocked", "ratio": {"a": 1, "b": 0}}, ("ratio", "b"), "ratio 0"),
        (
            {"method": "rerandomized", "base": {"method": "complete", "ratios": {}}, "covariates": ["x"]},
            ("base", "ratios"),
            "did you mean 'ratio'",
        ),
        ({"method": "simple", "ratio": 3}, ("ratio",), "give names"),
    ],
)
def test_a_mapping_with_a_mistake_names_the_key_and_the_nearest_right_one(form: Any, path: Any, text: str) -> None:
    with pytest.raises(rz.RandomizationError, match=text) as caught:
        rz.from_dict(form)
    assert caught.value.path == path


def test_a_support_too_large_to_list_says_so() -> None:
    with pytest.raises(rz.TooManyAllocations):
        rz.complete(TWO).support(60)
    with pytest.raises(rz.TooManyAllocations):
        rz.simple(TWO).support(60)
