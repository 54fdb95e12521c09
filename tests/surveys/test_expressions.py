"""Expressions: what is refused and where, and what holds for all values."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import Context, ExpressionError, Instrument, Question
from surveys.expressions import compile, evaluate, parse
from surveys.expressions.functions import FUNCTIONS
from surveys.expressions.values import days, moment, number, string
from surveys.state import Scope, State

TODAY = date(2026, 11, 22)
STEADY = settings(derandomize=True, deadline=None, max_examples=60)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("${age} >=", 9, "stops too early"),
        ("(1 + 2", 6, "stops too early"),
        ("1 + * 2", 4, "not understood"),
        ("${age} > 18)", 11, "not understood"),
        ("'open", 0, "not understood"),
        ("${age", 0, "not understood"),
        ("$age > 3", 0, "not understood"),
        ("1 == 2", 3, "not understood"),
        ("a b", 2, "not understood"),
        ("foo(1)", 0, "there is no function foo()"),
        ("1 + selected(${a})", 4, "takes 2 arguments, not 1"),
        ("if(1, 2)", 0, "takes 3 arguments, not 2"),
        ("round(1, 2, 3)", 0, "takes 1 to 2 arguments, not 3"),
        ("1 + weighted-checklist(1, 2, 'x', 3, 'y')", 4, "a weight for each value"),
        ("coalesce(1)", 0, "takes at least 2 arguments, not 1"),
        ("${last-saved#age} + 1", 0, "not supported"),
        ("..", 0, "position(..)"),
        ("position(${a})", 0, "the repeat around the question"),
        ("indexed-repeat(${a}, ${b})", 0, "takes 3 to 7 arguments"),
        ("indexed-repeat(1, ${b}, 2)", 0, "takes a question"),
        ("jr:choice-name(${a}, 3)", 0, "takes a value and a question"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, offset: int, message: str):
    with pytest.raises(ExpressionError, match=re.escape(message)) as caught:
        compile(text)
    assert message in caught.value.message
    assert caught.value.offset == offset


@pytest.mark.parametrize("text", ["", "   ", "(" * 3000 + "1" + ")" * 3000, "1" + "+1" * 6000, "-" * 3000 + "1"])
def test_hostile_text_is_refused_and_exhausts_nothing(text: str):
    with pytest.raises(ExpressionError):
        compile(text)


def test_an_unknown_function_comes_with_the_nearest_one():
    with pytest.raises(ExpressionError) as caught:
        compile("count-seleted(${a})")
    assert caught.value.remedy == "did you mean count-selected()?"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("1 <> 2", "write != for unequal"), ("1 == 2", "write one = for equal"), ("5 % 2", "write mod"),
        ("2 ^ 3", "write pow(x, y)"), ("10 / 2", "write div to divide"), ("!true()", "write not("),
        ("1 AND 2", "write and in small letters"), ("1 OR 2", "write or in small letters"),
        ("5 − 3", "a plain hyphen"), ("a[1]", "a choice filter or pulldata()"), ("1 &amp; 2", "write and"),
    ],
)  # fmt: skip
def test_what_people_write_out_of_habit_comes_with_what_it_is_called_here(text: str, remedy: str):
    with pytest.raises(ExpressionError) as caught:
        compile(text)
    assert remedy in caught.value.remedy


def test_names_may_hold_hyphens_and_keywords():
    values = {"a-b": 5, "or": 1, "and": 2, "div": 3, "mod": 4}
    assert evaluate("a-b - 1", values) == 4
    assert evaluate("${a-b} - 1", values) == 4
    assert evaluate("or or and and div", {"or": "", "and": "x", "div": "y"}) is True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("age >= 18 and (schooling = 'mbo1' or schooling = 'mbo2')", True),
        ("selected(${help}, 'money')", True),
        ("count-selected(help) = 2", True),
        ("date-diff(born, today(), 'years')", 46.0),
        ("date-diff(born, today(), 'months')", 552.0),
        ("date-diff(born, today())", 16801.0),
        ("date-diff(today(), born, 'years')", -46.0),
        ("date-diff('2026-01-31', '2026-02-28', 'months')", 0.0),
        ("date-diff('x', today())", "nan"),
        ("born < date('2000-01-01')", True),
        ("format-date(born, '%d-%m-%Y')", "22-11-1980"),
        ("today()", "2026-11-22"),
        ("coalesce(nothing, 'x')", "x"),
        ("nothing = ''", True),
        ("nothing > 3 or nothing <= 3", False),
        ("if(nothing, 'yes', 'no')", "no"),
        ("paid", "true"),
        ("wage + 0.5", 2600.5),
    ],
)
def test_rules_over_a_flat_mapping(text: str, value: object):
    variables = {
        "age": 44, "schooling": "mbo2", "help": ["advice", "money"], "born": "1980-11-22", "nothing": None,
        "paid": True, "wage": 2600,
    }  # fmt: skip
    found = evaluate(text, variables, today=TODAY)
    assert found == value or (value == "nan" and found != found)


def test_a_variable_that_does_not_exist_is_an_error_and_not_an_empty_value():
    with pytest.raises(ExpressionError, match="no variable 'agee'"):
        evaluate("agee > 18", {"age": 3})


def test_the_clock_must_be_handed_in():
    with pytest.raises(ExpressionError, match="none was given"):
        evaluate("today()", {})
    now = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    assert evaluate("now()", {}, now=now) == "2026-11-22T09:30:00.000+00:00"
    assert evaluate("today() = '2026-11-22'", {}, now=now) is True


@pytest.mark.parametrize(
    "text", [".", "position(..)", "random()", "jr:choice-name('a', '${b}')", "pulldata('f', 'a', 'b', 'c')"]
)
def test_what_needs_a_form_is_refused_without_one(text: str):
    with pytest.raises(ExpressionError):
        evaluate(text, {"a": 1})


def test_a_date_with_a_time_is_later_than_the_day_it_is_on():
    assert evaluate("'2026-11-22T10:00:00+00:00' > today()", {}, today=TODAY) is True
    assert evaluate("'2026-11-22T00:00:00+01:00' < today()", {}, today=TODAY) is True


@STEADY
@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_dates_compare_and_subtract_as_days(a: date, b: date):
    values = {"a": a, "b": b}
    assert evaluate("a < b", values) is (a < b)
    assert evaluate("a = b", values) is (a == b)
    assert evaluate("b - a", values) == (b - a).days == evaluate("date-diff(a, b)", values)
    assert days(moment(a).text) == moment(a).days


@STEADY
@given(st.dates(date(1900, 1, 1), date(2007, 1, 1)), st.dates(date(2007, 1, 2), date(2100, 1, 1)))
def test_completed_years_are_what_a_birthday_says(born: date, today: date):
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    years = today.year - born.year - (not had_birthday)
    assert evaluate("date-diff(born, today(), 'years')", {"born": born}, today=today) == years


@STEADY
@given(st.floats(-1e12, 1e12, allow_nan=False))
def test_a_number_written_and_read_is_the_same(x: float):
    assert number(string(x)) == x


@STEADY
@given(
    st.floats(-1e6, 1e6, allow_nan=False), st.floats(-1e6, 1e6, allow_nan=False), st.floats(-1e6, 1e6, allow_nan=False)
)
def test_arithmetic_has_the_usual_precedence(a: float, b: float, c: float):
    values = {"a": a, "b": b, "c": c}
    assert evaluate("a + b * c", values) == a + b * c
    assert evaluate("(a + b) * c", values) == (a + b) * c
    assert evaluate("a - b - c", values) == a - b - c
    assert evaluate("-a * b", values) == -a * b
    assert evaluate("a < b or a = b or a > b", values) is True


@STEADY
@given(st.text(max_size=40))
def test_any_text_is_either_parsed_or_refused_with_an_explanation(text: str):
    assert explained(text)


def explained(text: str) -> str:
    try:
        return repr(parse(text))
    except ExpressionError as error:
        return error.message


LEAVES = st.sampled_from(
    ["1", "0", "-2.5", "''", "'a'", "'yes no'", "${age}", "${born}", "${none}", "${several}", "today()", "'2026-02-29'",
     "1 div 0"]
)  # fmt: skip


@st.composite
def sentences(draw: st.DrawFn, depth: int = 3) -> str:
    """An expression that parses: any function with as many arguments as it takes, any operator, any values."""
    if depth == 0:
        return draw(LEAVES)
    if draw(st.booleans()):
        sign = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "and", "or"]))
        return f"({draw(sentences(depth - 1))} {sign} {draw(sentences(depth - 1))})"
    name = draw(st.sampled_from(sorted(set(FUNCTIONS) - {"random"})))
    function = FUNCTIONS[name]
    most = function.least + 1 if function.most is None else function.most
    count = draw(st.integers(function.least, min(most, function.least + 2)))
    return f"{name}({', '.join(draw(sentences(depth - 1)) for _ in range(count))})"


FILLED = {"age": "44", "born": "1980-11-23", "none": "", "several": "a b"}


@settings(derandomize=True, deadline=None, max_examples=250)
@given(sentences())
def test_whatever_can_be_written_has_a_value_or_is_refused_in_words(text: str):
    """No combination of functions, operators and values ends in anything but a value or an explanation."""
    form = Instrument("f", tuple(Question(name, "text") for name in FILLED))
    scope = Scope(State(form, FILLED, Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))), "age", ())
    with suppress(ExpressionError):
        expression = compile(text)
        value = expression.text(scope), expression.number(scope), expression.truth(scope)
        assert [type(one) for one in value] == [str, float, bool]
        assert expression.text(scope) == value[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("round(2.5)", "3"), ("round(-2.5)", "-2"), ("round(1.25, 1)", "1.3"), ("round(1250, -2)", "1300"),
        ("round('')", "NaN"), ("number('')", "NaN"), ("'' + 1", "NaN"), ("${none} = ''", "true"),
        ("${none} > 0", "false"), ("${none} != 0", "true"), ("count-selected('')", "0"),
        ("count-selected(${none})", "0"),
        ("selected-at('a b c', 1)", "b"), ("selected-at('a b', 5)", ""), ("selected(${none}, 'a')", "false"),
        ("substr('12345', 1, 3)", "23"), ("substr('12345', -2)", "45"), ("substring('12345', 2, 3)", "234"),
        ("regex('ab12', '[0-9]')", "true"), ("regex('ab12', '^[0-9]+$')", "false"), ("regex('', '^$')", "true"),
        ("date('2026-03-01') - date('2026-02-01')", "28"), ("date('2026-11-22') = today()", "true"),
        ("format-date(date('2026-02-01'), '%d/%m/%Y')", "01/02/2026"), ("format-date('', '%Y')", ""),
        ("decimal-date-time('1970-01-02')", "1"), ("date-diff(${born}, today(), 'years')", "45"),
        ("1 div 0 > 1000", "true"), ("(0 div 0) = (0 div 0)", "false"), ("-7 mod 3", "-1"), ("coalesce('', 'b')", "b"),
    ],
)  # fmt: skip
def test_the_edges_of_the_language(text: str, value: str):
    form = Instrument("f", tuple(Question(name, "text") for name in FILLED))
    scope = Scope(State(form, FILLED, Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))), "age", ())
    assert compile(text).text(scope) == value
