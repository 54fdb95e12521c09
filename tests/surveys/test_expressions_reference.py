"""Our evaluation against that of the npm package openrosa-xpath-evaluator, on every expression of the reference."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from surveys import Context, ExpressionError, Instrument, Question, Section
from surveys.expressions import compile
from surveys.expressions.values import boolean, number, string
from surveys.state import Scope, State

FOLDER = Path(__file__).parents[1] / "reference" / "expressions"
RESULTS: list[tuple[str, dict[str, Any]]] = json.loads((FOLDER / "reference.json").read_text(encoding="utf-8"))[
    "results"
]
ANSWERS = {
    "age": "44", "hours": "12.5", "neg": "-3.7", "zero": "0", "name": "Fatma", "spaced": "  two   words ",
    "work": "yes", "courses": "language welding", "born": "1980-11-23", "empty": "",
    "person.1.child_age": "12", "person.1.child_name": "Ali", "person.2.child_age": "7", "person.2.child_name": "Bo",
    "person.3.child_age": "3", "person.3.child_name": "",
}  # fmt: skip


def scope() -> Scope:
    names = [name for name in ANSWERS if "." not in name]
    person = Section(
        "person", (Question("child_age", "text"), Question("child_name", "text")), repeats=True, repeat_count="3"
    )
    form = Instrument("data", (*(Question(name, "text") for name in names), person))
    now = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))
    return Scope(State(form, ANSWERS, now), "age", ())


SCOPE = scope()


def ours(text: str) -> Mapping[str, Any]:
    value = compile(text).value(SCOPE)
    return {"string": string(value), "number": number(value), "boolean": boolean(value)}


def same(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    wanted = float(theirs["number"]) if theirs["number"] != "Infinity" else math.inf
    close = (math.isnan(mine["number"]) and math.isnan(wanted)) or math.isclose(mine["number"], wanted, abs_tol=1e-12)
    written = mine["string"] == theirs["string"] or (close and _number(theirs["string"]) and not math.isnan(wanted))
    return close and written and mine["boolean"] == theirs["boolean"]


def _number(text: str) -> bool:
    """The last digit of a number's text may differ; that the number is the same has been judged already."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def differing() -> dict[str, str]:
    found: dict[str, str] = {}
    for text, theirs in RESULTS:
        try:
            mine = ours(text)
        except ExpressionError as error:
            found[text] = f"refused by us: {error}, theirs {theirs}"
            continue
        if "error" in theirs or not same(mine, theirs):
            found[text] = f"ours {dict(mine)}, theirs {theirs}"
    return found


# Where we differ on purpose, and why. Everything else must be the same.
EMPTY = "an unanswered question is false, as in ODK Collect; the package calls any existing node true"
THEIR_LIMIT = "XPath allows it; the package does not parse it, or takes no union of nodes"
W3C = "the example of W3C XPath 1.0, 4.2, gives our answer"
HALVES = "W3C XPath 1.0, 4.4: of two numbers as near the one closer to positive infinity; so does ODK Collect"
EXPONENT = "W3C XPath 1.0, 4.4: a number has no exponent; so does ODK Collect"
ON_PURPOSE = {
    "- ${age}": THEIR_LIMIT,
    "-(${age} + 1)": THEIR_LIMIT,
    "count(${child_age} | ${age})": THEIR_LIMIT,
    "sum(${child_age} | ${age})": THEIR_LIMIT,
    "substring('12345', 0, 3)": W3C,
    "substring('12345', 0 div 0, 3)": W3C,
    "round(-2.5)": HALVES,
    "round(-15, -1)": HALVES,
    "number('1e3')": EXPONENT,
    "1e2": EXPONENT,
    "100 = 1e2": EXPONENT,
    "string(1 div 0)": "the text 'Infinity' is not a number in XPath 1.0, 4.4",
    "${empty} = true()": EMPTY,
    "${empty} != true()": EMPTY,
    "true() = ${empty}": EMPTY,
    "true() != ${empty}": EMPTY,
    "boolean(${empty})": EMPTY,
    "not(${empty})": EMPTY,
    "if(${empty}, 'a', 'b')": EMPTY,
    "${empty} or 1 = 2": EMPTY,
    "${empty} and 1 = 1": EMPTY,
}


def test_there_are_enough_expressions_to_compare():
    assert len(RESULTS) >= 300
    assert len(RESULTS) == len(json.loads((FOLDER / "expressions.json").read_text(encoding="utf-8")))


def test_every_expression_has_the_value_of_the_reference():
    assert {text: how for text, how in differing().items() if text not in ON_PURPOSE} == {}


def test_what_differs_on_purpose_still_differs():
    assert set(differing()) >= set(ON_PURPOSE)


@pytest.mark.parametrize("text", ["string", "number", "boolean"])
def test_the_comparison_would_notice_a_wrong_value(text: str):
    theirs = dict(RESULTS[0][1])
    wrong = {"string": "8", "number": 8.0, "boolean": False}
    assert same(ours(RESULTS[0][0]), theirs)
    if text == "string":
        assert not same({**ours(RESULTS[0][0]), "string": "seven"}, theirs | {"string": "x"})
    else:
        assert not same({**ours(RESULTS[0][0]), text: wrong[text]}, theirs)
