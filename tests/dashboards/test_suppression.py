"""No withheld cell can be worked out: checked by linear programmes, and on small tables by trying every table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dashboards.disclosure import Rules
from dashboards.errors import DisclosureError
from dashboards.suppression import Sensitive, Sums, feasible, protect, protect_magnitudes, with_margins

COUNTS = st.one_of(st.integers(0, 12), st.integers(10, 400))


def tables(*sizes: int) -> st.SearchStrategy[np.ndarray]:
    shape = st.sampled_from([(a, b) for a in sizes for b in sizes])
    return shape.flatmap(
        lambda s: st.lists(COUNTS, min_size=s[0] * s[1], max_size=s[0] * s[1]).map(lambda v: np.array(v).reshape(s))
    )


@given(tables(2, 3, 4))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_every_small_cell_is_withheld_and_no_withheld_cell_is_derivable(table):
    sums, rules = Sums(with_margins(table.shape), table.ravel()), Rules()
    hidden = protect(sums, rules)
    assert hidden[sums.values < rules.min_cell].all()
    for cell in np.flatnonzero(hidden):
        low, high = feasible(sums, hidden, cell)
        assert high - low >= rules.width - 1e-6
        assert low <= sums.values[cell] <= high


@given(st.lists(COUNTS, min_size=12, max_size=12), st.integers(1, 25))
@settings(derandomize=True, deadline=None, max_examples=6)
def test_tables_of_three_dimensions_are_protected_to_the_stated_width(counts, width):
    sums = Sums(with_margins((3, 2, 2)), np.array(counts))
    hidden = protect(sums, Rules(interval_width=width))
    ranges = [feasible(sums, hidden, cell) for cell in np.flatnonzero(hidden)]
    assert all(high - low >= width - 1e-6 for low, high in ranges)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.lists(st.booleans(), min_size=9, max_size=9))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_the_derivable_range_is_that_of_every_table_that_fits(counts, hidden):
    sums, mask = Sums(with_margins((2, 2)), np.array(counts)), np.array(hidden)
    side = np.arange(sum(counts) + 3)
    every = np.stack(np.meshgrid(side, side, side, side, indexing="ij"), axis=-1).reshape(-1, 4) @ sums.matrix.T
    fitting = every[(every[:, ~mask] == sums.values[~mask]).all(axis=1)]
    for cell in np.flatnonzero(mask):
        low, high = feasible(sums, mask, int(cell))
        assert low == pytest.approx(fitting[:, cell].min())
        assert high == np.inf or high == pytest.approx(fitting[:, cell].max())


def test_withholding_small_cells_alone_would_give_them_away():
    table = np.array([[3, 40, 50], [20, 30, 40], [60, 15, 70]])
    sums = Sums(with_margins((3, 3)), table.ravel())
    assert feasible(sums, sums.values < 10, 0) == (3, 3)
    low, high = feasible(sums, protect(sums, Rules()), 0)
    assert (low, high) == (0, 23)


def test_a_table_without_small_cells_is_shown_whole():
    sums = Sums(with_margins((3, 4)), np.full(12, 10))
    assert not protect(sums, Rules()).any()


def test_a_table_of_few_people_is_withheld_whole():
    sums = Sums(with_margins((2, 2)), np.array([1, 2, 0, 3]))
    assert protect(sums, Rules()).all()


def test_empty_cells_may_be_shown_where_the_protocol_says_so():
    sums = Sums(with_margins((2, 2)), np.array([0, 40, 30, 20]))
    assert protect(sums, Rules()).any()
    assert not protect(sums, Rules(zeros="show")).any()


def test_nearly_everybody_in_one_category_of_a_sensitive_variable_is_withheld():
    rules, table = Rules(), np.array([[190, 10], [60, 140]])
    group, category = 0, rules.reveals_group(table[0].tolist())
    assert category == 0
    limit = rules.group_disclosure * table[0].sum()
    sums = Sums(with_margins((2, 2)), table.ravel())
    hidden = protect(sums, rules, sensitive=[Sensitive(3 * group + category, low=limit)])
    assert feasible(sums, hidden, 0)[0] <= limit
    assert not hidden[[2, 5, 8]].any()


@given(st.lists(st.lists(st.integers(1, 900), min_size=0, max_size=16), min_size=4, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_sums_that_one_or_two_people_dominate_cannot_be_estimated(contributions):
    rules, matrix = Rules(), with_margins((2, 2))
    hidden = protect_magnitudes(matrix, contributions, rules)
    sums = Sums(matrix, np.array([sum(c) for c in contributions], dtype=float))
    for cell, row in enumerate(matrix):
        people = [amount for part in np.flatnonzero(row) for amount in contributions[part]]
        if rules.too_small(len(people)) or rules.dominated(people):
            assert hidden[cell]
        if hidden[cell] and people:
            low, high = feasible(sums, hidden, cell)
            assert high - low >= rules.magnitude_width * sums.values[cell] - 1e-3
            assert high >= sums.values[cell] + max(0.0, rules.dominance_shortfall(people)) - 1e-3


@given(st.integers(0, 5000), st.integers(1, 10))
@settings(derandomize=True, deadline=None)
def test_a_rounded_count_hides_the_counts_around_it(count, base):
    rules = Rules(rounding_base=base)
    shown = rules.rounded(count)
    low, high = rules.rounding_range(shown)
    assert shown % base == 0
    assert low <= count <= high
    assert {rules.rounded(n) for n in range(low, high + 1)} == {shown}
    assert rules.rounded(high + 1) != shown


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({"min_cel": 10}, "Extra inputs"),
        ({"min_cell": 1}, "greater than or equal to 2"),
        ({"rounding_base": 20}, "would round cells that may be shown to nothing"),
        ({"dominance": {"largest": 0.9, "two_largest": 0.5}}, "cannot be below the limit for one"),
        ({"group_disclosure": 1.5}, "less than or equal to 1"),
    ],
)
def test_a_mistake_in_the_section_of_the_protocol_is_refused(section, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Rules.model_validate(section)


@pytest.mark.parametrize("parts", [[-1, 2], [float("nan"), 2], [1, 2, 3]])
def test_a_table_with_impossible_counts_is_refused(parts):
    with pytest.raises(DisclosureError):
        Sums(with_margins((2,)), np.array(parts))


def test_a_model_with_few_residual_degrees_of_freedom_is_refused():
    Rules().check_model("effect", 10)
    with pytest.raises(DisclosureError, match="'effect' has 9 residual degrees of freedom"):
        Rules().check_model("effect", 9)
