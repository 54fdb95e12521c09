"""Patterns of regex(): no pattern and no answer can keep the server busy, and they mean what they meant."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.errors import ExpressionError
from surveys.expressions.patterns import CAUSES, matcher

LONG = "a" * 10_000 + "!"


@pytest.mark.parametrize(
    "pattern",
    [
        "(a|a)+$", "(a|aa)+$", r"(\w|\d)*x", "(a+)+$", r"^(\w+\s?)*$", "(a?){500}a{500}b", "(.*)(.*)(.*)(.*)x",
        "^(?=(a+)+$)b", "^([a-zA-Z]+)*$", "^(([a-z])+.)+[A-Z]([a-z])+$", r"^(?!.*(.)\1).$", r"^(.+)\1$",
    ],
)  # fmt: skip
def test_a_pattern_that_could_be_read_in_countless_ways_is_answered_at_once(pattern):
    # For most of these Python's own engine would need longer than the universe is old.
    assert matcher(pattern)(LONG) is False


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("[0-9]", "a1b", True), ("^[0-9]+$", "a1b", False), ("^[0-9]+$", "12", True), ("^[0-9]+$", "12\n", False),
        (r"^\d+$", "١٢", False), (r"^\w+$", "é", False), (r"^[\u00e0-\u00ff]+$", "éè", True), (r"^\p{L}+$", "éÿ", True),
        ("(?i)^ab$", "AB", True), (r"^(?=.*\d)(?=.*[a-z]).{8,}$", "abcdefg1", True),
        (r"^(?=.*\d)(?=.*[a-z]).{8,}$", "abcdefgh", False), (r"^(?!0)\d+$", "012", False),
        (r"^(?!.*--)[a-z-]+$", "a-b", True), (r"^(?!.*--)[a-z-]+$", "a--b", False), ("^(?=a)x|y", "y", True),
        (r"^(\d)\1\1\1$", "7777", True), (r"^(\d)\1\1\1$", "7778", False), ("(?<!0)1", "01", False),
        (r"^(?=(a))(b)\1", "bb", False), (r"^(?!.*(.)\1)\d+$", "1213", True), (r"^(?!.*(.)\1)\d+$", "1223", False),
        (r"^[^)(]+\)$", "ab)", True), (r"^(?=[)])\)", ")", True), (r"^a\Z", "a", True), ("^\ud7ff$", "\ud800", False),
    ],
)  # fmt: skip
def test_what_a_pattern_means(pattern, text, holds):
    assert matcher(pattern)(text) is holds


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a+)\1", "refers back"), ("(a|a)(a|a)(a|a)" + "a" * 1_900 + r"\1", "refers back"),
        (r"^(?:(?=a)a)*$", "looks ahead"), ("(?=a)+a(?<=b*)", "looks ahead"),
        ("a{,5}", "before its comma"), ("(", r"bracket \( is not closed"), ("[a", r"bracket \[ is not closed"),
        ("a)", "too many"), ("[z-a]", "backwards"), ("*a", "nothing to repeat"), ("a**", "behind each other"),
        ("a{2000}", "too many times"), ("\\", r"ends with a \\"), ("a" * 2_001, "too large"),
        (r"(\p{L}{1,500}|\w{1,400})*x", "too large"), ("\ud800", "cannot be written"),
    ],
)  # fmt: skip
def test_what_cannot_be_matched_in_bounded_time_is_refused_with_the_reason(pattern, why):
    with pytest.raises(ExpressionError, match=why) as refused:
        matcher(pattern)
    assert refused.value.remedy


PIECES = st.sampled_from(["a", "b", "[ab]", "[^a]", r"\d", "1", ".", "(?:a|b1)", "(ab)", "(?:1)"])
SIGNS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "*?"])
PATTERNS = st.lists(st.tuples(PIECES, SIGNS).map("".join), max_size=4).map("".join)
FRONT = st.sampled_from(["", "^", "^(?=.*1)", "^(?!a)", "^(?=a)(?!.*b)", "(?i)^(?!A)"])
END = st.sampled_from(["", "$"])


@given(FRONT, PATTERNS, END, st.text("ab1A", max_size=8))
def test_plain_patterns_and_rules_in_front_mean_what_they_mean_to_python(front, middle, end, text):
    pattern = front + middle + end
    assert matcher(pattern)(text) is (re.search(pattern, text, re.ASCII) is not None)


@given(st.text(r"ab1()[]{}|*+?^$\.,:=!<>-Pdwu0", max_size=25), st.text("ab1(", max_size=60))
def test_any_text_at_all_is_a_pattern_or_refused(pattern, text):
    try:
        holds = matcher(pattern)
    except ExpressionError as refused:
        said = refused.message, refused.remedy
    else:
        said = (str(holds(text)), "")
    assert all(said) or said[0] in ("True", "False")


def test_every_cause_has_words_and_a_remedy():
    assert all(message and remedy for message, remedy in CAUSES.values())
