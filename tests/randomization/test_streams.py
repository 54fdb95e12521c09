"""Chance: every bound evenly, every tie decided exactly, every field in its own place."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import islice, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import randomization as rz
from randomization.canonical import canonical_json
from randomization.design import exact
from randomization.kernels import arrange, byte_below, patterns, small_below
from randomization.sequential import CutPoints
from randomization.streams import WORD, KeyedStream, SeededStream, below, choose, length_prefixed, shuffled


def keyed(*fields: str | int) -> KeyedStream:
    return KeyedStream(bytes(32), fields)


def test_fields_never_run_into_one_another() -> None:
    assert length_prefixed(["ab", "c"]) != length_prefixed(["a", "bc"])
    assert length_prefixed(["a", ""]) != length_prefixed(["a"])
    first = [next(keyed(*fields).words()) for fields in (("ab", "c"), ("a", "bc"), ("a", "b", "c"), ("abc",))]
    assert len(set(first)) == 4


def test_rejection_leaves_out_the_words_that_would_favour_small_numbers() -> None:
    assert below(iter([WORD - 1, WORD - 2, 7]), 10) == 7
    assert below(iter([WORD - 1, 3, 5]), 1 << 64) == WORD - 1
    assert below(iter([1, 0]), 1 << 70) == WORD % (1 << 70)
    with pytest.raises(rz.DesignError):
        below(iter([1]), 0)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(1, 300), st.integers(0, 50))
def test_every_kind_of_whole_number_stays_below_its_bound_and_reaches_it(bound: int, seed: int) -> None:
    n = 40 * bound
    for numbers in (
        SeededStream(seed).below(bound, n),
        small_below(SeededStream(seed), bound, n),
        *([byte_below(SeededStream(seed), bound, n)] if bound <= 256 else []),
    ):
        counts = np.bincount(numbers.astype(np.int64), minlength=bound)
        assert len(counts) == bound
        assert ((counts - 40) ** 2 / 40).sum() < bound + 8 * np.sqrt(2 * bound) + 20


def test_shuffles_are_even() -> None:
    words = keyed("shuffle").words()
    seen = Counter(tuple(shuffled(words, "abc")) for _ in range(6_000))
    assert set(seen) == set(permutations("abc"))
    assert all(abs(count - 1_000) < 5 * (1_000 * 5 / 6) ** 0.5 for count in seen.values())


def test_chances_are_met_exactly_and_a_certainty_takes_no_word() -> None:
    words = keyed("choose").words()
    chances = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    seen = Counter(choose(words, chances) for _ in range(6_000))
    assert all(abs(seen[k] - 6_000 * p) < 5 * (6_000 * p * (1 - p)) ** 0.5 for k, p in enumerate(chances))
    assert choose(iter([]), [Fraction(0), Fraction(1)]) == 1
    with pytest.raises(rz.DesignError):
        choose(words, [Fraction(1, 2)])


def test_a_word_on_a_cut_point_is_decided_by_the_next_bits() -> None:
    table = CutPoints.of([(0, Fraction(1, 3)), (1, Fraction(2, 3))])
    cut = int(table.cuts[0])
    words = np.array([cut - 1, cut, cut + 1], dtype=np.uint64)
    streams = [SeededStream(seed) for seed in range(40)]
    chosen = [table.choose(words, np.array([s, s, s]), streams, 0).tolist() for s in range(40)]
    assert {row[0] for row in chosen} == {0}
    assert {row[2] for row in chosen} == {1}
    # One third lies a third of the way between the cut point and the next word.
    assert {row[1] for row in chosen} == {0, 1}
    half = CutPoints.of([(0, Fraction(1, 2)), (1, Fraction(1, 2))])
    assert half.choose(np.array([1 << 63], dtype=np.uint64), np.array([0]), streams, 0).tolist() == [1]


@pytest.mark.parametrize("counts", [(5, 5), (3, 2, 1), (40, 7), (20, 20, 20), (1, 99), (64, 64)])
def test_arrangements_hold_their_counts_and_are_even(counts: tuple[int, ...]) -> None:
    n = 3_000
    drawn = arrange(np.tile(counts, (n, 1)), SeededStream(3))
    assert all((drawn == code).sum(axis=1).tolist() == [count] * n for code, count in enumerate(counts))
    size = sum(counts)
    for code, count in enumerate(counts):
        p = count / size
        share = (drawn == code).mean(axis=0)
        assert np.abs(share - p).max() < 5 * np.sqrt(p * (1 - p) / n)
    # Two units together: a fixed count makes them repel one another by exactly this much.
    both = ((drawn[:, 0] == 0) & (drawn[:, -1] == 0)).mean()
    wanted = counts[0] * (counts[0] - 1) / (size * (size - 1))
    assert abs(both - wanted) < 5 * np.sqrt(max(wanted * (1 - wanted), 1e-3) / n)


def test_mixed_counts_in_one_call_each_keep_their_own() -> None:
    counts = np.array([[3, 4], [4, 3], [3, 4], [7, 0], [0, 7]])
    drawn = arrange(counts, SeededStream(1))
    assert drawn.sum(axis=1).tolist() == counts[:, 1].tolist()


def test_large_sets_without_a_table_are_even_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("randomization.kernels.MOST_PATTERNS", 0)
    n, counts = 24_000, (3, 2, 1)
    seen = Counter(map(bytes, arrange(np.tile(counts, (n, 1)), SeededStream(8))))
    assert len(seen) == len(patterns(counts)) == 60
    assert sum((count - n / 60) ** 2 / (n / 60) for count in seen.values()) < 59 + 5 * np.sqrt(2 * 59)


def test_numbers_are_read_as_the_person_meant_them() -> None:
    values = [0.1, 1 / 3, 2 / 3, "0.25", "1/7", 3, np.float64(0.7)]
    wanted = ["1/10", "1/3", "2/3", "1/4", "1/7", "3", "7/10"]
    assert [str(exact(value, path=())) for value in values] == wanted  # type: ignore[arg-type]


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": (1, 2), "a": 1.0}) == b'{"a":1,"b":[1,2]}'


def test_keyed_words_differ_by_counter_and_index() -> None:
    words = list(islice(keyed("x", 1).words(), 400)) + list(islice(keyed("x", 2).words(), 400))
    assert len(set(words)) == 800
    assert abs(np.mean([word / WORD for word in words]) - 0.5) < 5 * np.sqrt(1 / 12 / 800)
