"""Publications that are harmless alone and not together are found."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.disclosure import Rules
from dashboards.errors import DisclosureError
from dashboards.publications import PublishedCell, exact, leaks, rounded, withheld

RULES = Rules()
PEOPLE = [str(n) for n in range(60)]


def test_a_withheld_cell_given_away_by_another_page_is_found():
    total, women, men = exact("all", PEOPLE), exact("women", PEOPLE[:53]), withheld("men", PEOPLE[53:])
    (leak,) = leaks([total, women, men], RULES)
    assert (leak.how, leak.people, leak.low, leak.high) == ("men", 7, 7, 7)
    assert leaks([total, men], RULES) == ()


def test_two_pages_that_differ_by_three_people_may_not_both_be_exact():
    before, after = exact("March", PEOPLE[:40]), exact("April", PEOPLE[:43])
    assert [leak.people for leak in leaks([before, after], RULES)] == [3]
    assert leaks([rounded("March", PEOPLE[:40], RULES), rounded("April", PEOPLE[:43], RULES)], RULES) == ()


def test_two_pages_that_differ_by_many_people_may_both_be_exact():
    assert leaks([exact("March", PEOPLE[:40]), exact("May", PEOPLE)], RULES) == ()


def test_a_small_overlap_pinned_down_by_three_cells_is_found():
    north, trained = PEOPLE[:30], PEOPLE[26:]
    cells = [exact("north", north), exact("trained", trained), exact("north or trained", PEOPLE)]
    assert 4 in {leak.people for leak in leaks(cells, RULES)}


def test_margins_alone_do_not_pin_down_a_small_cell():
    cells = [exact("all", PEOPLE), exact("north", PEOPLE[:30]), exact("trained", PEOPLE[26:50])]
    assert leaks(cells, RULES) == ()


def test_a_count_that_is_not_that_of_its_members_is_refused():
    with pytest.raises(DisclosureError, match="has 3 members, but 5 to 5 was published"):
        PublishedCell("x", frozenset("abc"), 5, 5)


@given(st.lists(st.frozensets(st.integers(0, 8), min_size=1), min_size=2, max_size=3, unique=True))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_every_size_that_is_certain_from_exact_cells_is_found(sets):
    """Against trying all sizes of all parts: small groups whose size can only be one number."""
    cells = [exact(str(i), map(str, members)) for i, members in enumerate(sets)]
    parts: dict[tuple[bool, ...], int] = {}
    for person in set().union(*sets):
        signature = tuple(person in s for s in sets)
        parts[signature] = parts.get(signature, 0) + 1
    signatures = list(parts)
    totals = [len(s) for s in sets]
    possible = [
        sizes
        for sizes in product(range(10), repeat=len(signatures))
        if all(sum(n for n, s in zip(sizes, signatures, strict=True) if s[i]) == t for i, t in enumerate(totals))
    ]
    shown = {tuple(j for j, s in enumerate(signatures) if s[i]) for i in range(len(sets))}
    certain = {
        parts[signatures[j]]
        for j in range(len(signatures))
        if (j,) not in shown and len({sizes[j] for sizes in possible}) == 1
    }
    rules = Rules(rounding_base=1, interval_width=1)
    assert certain <= {leak.people for leak in leaks(cells, rules)}
