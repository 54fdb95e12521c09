"""Misfits: every cell and every margin at floor or ceiling, every expectation kept exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import randomization as rz
from randomization.rounding import controlled_rounding, pivotal, rounded_tables
from randomization.streams import SeededStream

ratios = st.lists(st.integers(1, 5), min_size=2, max_size=4)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def parts(ratio: list[int], strata: list[int]) -> list[tuple[int, ...]]:
    unit = sum(ratio)
    return [tuple(size * weight % unit for weight in ratio) for size in strata]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(ratios, sizes, st.integers(0, 999))
def test_every_cell_and_margin_ends_at_floor_or_ceiling(ratio: list[int], strata: list[int], seed: int) -> None:
    rows, unit = parts(ratio, strata), sum(ratio)
    table = controlled_rounding(rows, unit, iter(SeededStream(seed)))
    for row, rounded in zip(rows, table, strict=True):
        assert sum(rounded) * unit == sum(row)
        assert all(up == 0 or part > 0 for part, up in zip(row, rounded, strict=True))
    for column, rounded in zip(zip(*rows, strict=True), zip(*table, strict=True), strict=True):
        assert sum(rounded) in {sum(column) // unit, -(-sum(column) // unit)}


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=3), st.lists(st.integers(1, 7), min_size=1, max_size=3))
def test_expectations_are_kept_exactly(ratio: list[int], strata: list[int]) -> None:
    rows, unit = parts(ratio, strata), sum(ratio)
    tables = rounded_tables(rows, unit)
    assert sum(tables.values()) == 1
    for r, row in enumerate(rows):
        for c, part in enumerate(row):
            assert sum(p * table[r][c] for table, p in tables.items()) == Fraction(part, unit)


def test_every_legal_table_can_occur() -> None:
    tables = rounded_tables([(1, 1)] * 4, 2)
    assert set(tables.values()) == {Fraction(1, 6)}
    assert len(rounded_tables([(1, 1, 1), (1, 1, 1)], 3)) == 6


def test_many_problems_at_once_follow_the_law_of_one() -> None:
    places = [3, 4, 5, 8]
    found = pivotal(np.tile(places, (20_000, 1)), 10, SeededStream(4))
    law = {tuple(row[1] for row in t): p for t, p in rounded_tables([(10 - v, v) for v in places], 10).items()}
    keys, counts = np.unique(found, axis=0, return_counts=True)
    for key, count in zip(keys.tolist(), counts, strict=True):
        p = float(law[tuple(key)])
        assert abs(count / 20_000 - p) < 5 * np.sqrt(p * (1 - p) / 20_000)
    assert len(keys) == len(law)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(ratios, sizes, st.sampled_from(["balanced", "stratum", "global"]), st.integers(0, 99))
def test_draws_of_any_strata_keep_their_bounds(ratio: list[int], strata: list[int], misfits: str, seed: int) -> None:
    units = pd.DataFrame({"s": [f"s{k}" for k, size in enumerate(strata) for _ in range(size)]}).sample(
        frac=1, random_state=seed
    )
    if len(units) < len(ratio):
        return
    names = [f"arm {k}" for k in range(len(ratio))]
    design = rz.blocked(dict(zip(names, ratio, strict=True)), strata=["s"], misfits=misfits)
    codes = design.draws(units, 3, seed)
    share = np.array([float(value) for value in design.shares])
    for row in codes:
        total = np.bincount(row, minlength=len(ratio))
        if misfits == "balanced":
            assert (np.abs(total - share * len(units)) < 1).all()
        if misfits != "global":
            for label in units["s"].unique():
                here = (units["s"] == label).to_numpy()
                inside = np.bincount(row[here], minlength=len(ratio))
                assert (np.abs(inside - share * here.sum()) < 1).all()


def test_many_odd_strata_are_rounded_in_reasonable_time() -> None:
    units = pd.DataFrame({"s": np.repeat(np.arange(4_000), 3)})
    for ratio in ({"a": 1, "b": 1}, {"a": 1, "b": 3}, {"a": 1, "b": 2, "c": 2}):
        design = rz.blocked(ratio, strata=["s"])
        total = np.bincount(design.draws(units, 1, seed=1)[0])
        assert (np.abs(total - np.array([float(s) for s in design.shares]) * 12_000) < 1).all()


def test_misfits_as_error_names_the_stratum_and_the_remedy() -> None:
    design = rz.blocked(["a", "b"], strata=["s"], misfits="error")
    with pytest.raises(rz.UnitsError, match=r"stratum 'y' has 1 units.*misfits='balanced'"):
        design.draw(pd.DataFrame({"s": ["x", "x", "y"]}), seed=1)


def test_dropped_misfits_have_no_arm_and_their_chance_says_so() -> None:
    units = pd.DataFrame({"s": ["x"] * 5})
    design = rz.blocked(["a", "b"], strata=["s"], misfits="drop")
    drawn = design.draw(units, seed=1)
    assert drawn.isna().sum() == 1
    assert drawn.value_counts().to_dict() == {"a": 2, "b": 2}
    assert np.allclose(design.probabilities(units), 0.4)
