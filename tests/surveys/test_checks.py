"""The static checks on forms that are built in code: what is said, and what is left in peace."""

import time

import pytest

from surveys import Choice, Instrument, Question, Section
from surveys.checks import check

LISTS = {
    "yn": (Choice("yes", {"en": "Yes"}), Choice("no", {"en": "No"})),
    "five": tuple(Choice(str(i), {"en": str(i)}) for i in range(1, 6)),
}


def found(*children: Question | Section) -> list[str]:
    return [f.message for f in check(Instrument("f", children, languages=("en",), lists=LISTS))]


def q(name: str, kind: str = "integer", **more: object) -> Question:
    choices = {"select_one": "yn", "select_multiple": "yn", "rank": "yn"}.get(kind, "")
    label = {} if kind in ("calculate", "hidden") else {"en": name}
    return Question(name, kind, label, **{"choices": choices, **more})  # type: ignore[arg-type]


def test_a_cycle_of_three_is_told_in_the_order_of_dependence():
    messages = found(
        q("a", "calculate", calculation="${b} + 1"),
        q("b", "calculate", calculation="${c} + 1"),
        q("c", "calculate", calculation="${a} + 1"),
    )
    assert messages == ["these depend on each other: a, b, c, a"]


def test_a_cycle_through_the_condition_of_a_group_is_found():
    inner = q("a")
    assert "these depend on each other: g, a, g" in found(Section("g", (inner,), relevant="${a} > 3"))


def test_two_cycles_are_both_found():
    pairs = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]
    messages = found(*(q(one, "calculate", calculation=f"${{{other}}} + 1") for one, other in pairs))
    assert messages == ["these depend on each other: a, b, a", "these depend on each other: c, d, c"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("${five} = 6", "'6' is no choice of ${five}"),
        ("${many} = 'yes'", "a question with several answers is compared with one of them"),
        ("'old' < ${age}", "a number is compared with the text 'old'"),
        ("${born} = 'yesterday'", "a date is compared with the text 'yesterday'"),
        ("selected(${many}, 'yes') = 'true'", "true or false is compared with the text 'true'"),
        ("${name} > ${other}", "texts have no order"),
        ("${age} + 'x' > 3", "the text 'x' is used as a number"),
        ("${name} * 2 > 3", "the text ${name} is used as a number"),
        ("-${yn} = 1", "the choices of ${yn} are not numbers"),
        ("regex(${name}, ${name})", "the pattern of regex() is not written out"),
        ("regex(${name}, '(')", "the pattern '(' cannot be used: a bracket ( is not closed"),
        (". > 3", "'.' is the answer itself and has no meaning here"),
        ("jr:choice-name(${yn}, '${name}') = 'Yes'", "there is no question 'name' with choices"),
        ("pulldata('towns', 'a', 'b', 'c') = 'x'", "there is no file 'towns'"),
        ("true() = false()", "nobody ever gets this question: the condition is never true"),
        (
            "selected(${many}, 'yes') and not(selected(${many}, 'yes'))",
            "nobody ever gets this question: the condition is never true",
        ),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_mean_what_it_says(condition: str, message: str):
    before = (
        q("five", "select_one", choices="five"), q("yn", "select_one"), q("many", "select_multiple"), q("age"),
        q("born", "date"), q("name", "text"), q("other", "text"),
    )  # fmt: skip
    assert message in found(*before, q("last", "text", relevant=condition))


@pytest.mark.parametrize(
    "condition",
    [
        "${five} >= 3", "${five} + 1 = 4", "${yn} = ''", "${yn} != 'yes'", "${many} = ''", "selected(${yn}, 'no')",
        "${age} = ''", "${age} = '12'", "${born} < today()", "${born} < '2008-01-01'", "${born} - today() > 3",
        "date-diff(${born}, today(), 'years') >= 18", "${name} = 'x'", "if(${yn} = 'yes', 1, 0) + 1 > 1",
        "count-selected(${many}) > 1", "${yn} = 'yes' or ${yn} = 'no'",
    ],
)  # fmt: skip
def test_a_sound_condition_is_left_in_peace(condition: str):
    before = (
        q("five", "select_one", choices="five"), q("yn", "select_one"), q("many", "select_multiple"), q("age"),
        q("born", "date"), q("name", "text"),
    )  # fmt: skip
    assert found(*before, q("last", "text", relevant=condition)) == []


@pytest.mark.parametrize(
    "condition",
    ["${adult}", "${adult} and ${age} = 3", "not(${adult})", "${age} = 3 or ${adult}", "if(${adult}, 1, 0) = 1",
     "${adult} = true()", "false() != ${adult}"],
)  # fmt: skip
def test_a_calculated_true_or_false_that_is_taken_for_a_condition_is_pointed_out(condition: str):
    adult = q("adult", "calculate", calculation="${age} >= 18")
    said = "${adult} holds the text 'true' or 'false', and both count as true"
    assert said in found(q("age"), adult, q("last", "text", relevant=condition))


@pytest.mark.parametrize(
    ("calculation", "condition"),
    [("${age} >= 18", "${adult} = 'true'"), ("${age} + 1", "${adult}"), ("if(${age} > 3, 1, 0)", "${adult}"),
     ("boolean-from-string(${age})", "boolean-from-string(${adult})")],
)  # fmt: skip
def test_a_calculation_that_is_compared_or_counts_is_left_in_peace(calculation: str, condition: str):
    adult = q("adult", "calculate", calculation=calculation)
    assert found(q("age"), adult, q("last", "text", relevant=condition)) == []


def test_within_a_repeat_the_same_instance_may_be_named():
    person = Section("person", (q("age"), q("school", "text", relevant="${age} < 18")), repeats=True, label={"en": "p"})
    assert found(person, q("n", "calculate", calculation="max(${age}) + count(${person})")) == []
    assert found(person, q("n", "calculate", calculation="${age} + 1")) == [
        "'age' is in the repeat 'person': every instance has its own answer"
    ]


def test_many_mistakes_in_a_long_form_are_found_in_time():
    questions = [q(f"q{i}", relevant=f"${{p{i}}} = 1 and ${{q{i + 1}}} = 2") for i in range(1200)]
    started = time.process_time()
    assert len(found(*questions)) >= 1200
    assert time.process_time() - started < 20
