"""A REDCap data dictionary becomes an instrument and back; what does not fit is said, never dropped in silence."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from surveys import Context, InstrumentError, analysable, read_xlsform, walk
from surveys.errors import ExpressionError
from surveys.expressions import evaluate
from surveys.redcap import columns as c
from surveys.redcap import read_redcap, write_redcap
from surveys.redcap.logic import to_expression, to_logic

ROOT = Path(__file__).parents[2]
NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC), "en")


def dictionary(*rows: dict[str, str]) -> bytes:
    target = io.StringIO()
    table = csv.DictWriter(target, c.COLUMNS, restval="")
    table.writeheader()
    table.writerows(rows)
    return target.getvalue().encode()


def field(name: str, kind: str, label: str = "A question?", **more: str) -> dict[str, str]:
    return {c.NAME: name, c.FORM: "intake", c.TYPE: kind, c.LABEL: label} | more


INTAKE = dictionary(
    field("welcome", "descriptive", "<b>Welcome</b> to the&nbsp;study"),
    field(
        "age",
        "text",
        "How old are you?",
        **{c.VALIDATION: "integer", c.MINIMUM: "18", c.MAXIMUM: "99", c.REQUIRED: "y"},
    ),
    field("born", "text", "When were you born?", **{c.VALIDATION: "date_ymd", c.MAXIMUM: "today"}),
    field("help", "checkbox", "What help?", **{c.CHOICES: "1, Advice | 2, Money | 3, None of these"}),
    field("other", "notes", "Which money?", **{c.BRANCHING: "[help(2)] = '1' and [age] >= 18"}),
    field("work", "radio", "Work?", **{c.CHOICES: "1, Yes | 0, No", c.HEADER: "Your work"}),
    field("hours", "text", "Hours?", **{c.VALIDATION: "number", c.BRANCHING: "[work] = '1'", c.NOTE: "In a week"}),
    field("phone", "text", "Telephone?", **{c.VALIDATION: "phone", c.IDENTIFIER: "y"}),
    field("glad", "slider", "How glad?"),
    field("paid", "yesno", "Are you paid?"),
    field("years", "calc", "Age", **{c.CHOICES: "rounddown(datediff([born], 'today', 'y'), 0)"}),
    field("source", "text", "Source", **{c.ANNOTATION: "@HIDDEN @DEFAULT='letter'"}),
)


def test_every_kind_of_field_becomes_ours():
    form, findings = read_redcap(INTAKE, "intake")
    assert {question.name: question.kind for question in form.questions} == {
        "welcome": "note", "age": "integer", "born": "date", "help": "select_multiple", "other": "text",
        "work": "select_one", "hours": "decimal", "phone": "text", "glad": "range", "paid": "select_one",
        "years": "calculate", "source": "hidden",
    }  # fmt: skip
    assert form.question("welcome").label == {"en": "Welcome to the study"}
    assert form.question("age").constraint == ". >= 18 and . <= 99"
    assert form.question("born").constraint == ". <= today()"
    assert form.question("hours").hint == {"en": "In a week"}
    assert [parent.label for parent in form.places["work"].parents] == [{"en": "Your work"}]
    assert [finding.message for finding in findings] == ["'phone' identifies people"]


def test_branching_decides_the_path_and_calculations_work():
    form, _ = read_redcap(INTAKE, "intake")
    answers = {"age": 44, "help": ["2"], "work": "0", "born": "1980-11-20"}
    keys = [step.key for step in walk(form, answers, context=NOW).steps]
    assert "other" in keys
    assert "hours" not in keys
    found = analysable(form, answers, context=NOW)
    assert (found["years"], found["source"]) == (46, "letter")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("[a] = '1' AND [b] <> 2", "${a} = '1' and ${b} != 2"),
        ("[a(3)] = '0'", "not(selected(${a}, '3'))"),
        ("[a(3)] <> '1'", "not(selected(${a}, '3'))"),
        ("([a] + [b]) / 2 > 3", "(${a} + ${b}) div 2 > 3"),
        ("if([a] > 1, 'x or y', \"z\")", "if(${a} > 1, 'x or y', 'z')"),
        ("datediff([a], [b], 'd')", "abs(date-diff(${a}, ${b}))"),
        ("datediff([a], [b], 'd', true)", "date-diff(${a}, ${b})"),
        ("roundup([a], 0)", "ceiling(${a})"),
    ],
)
def test_logic_is_carried_over(theirs: str, ours: str):
    assert to_expression(theirs) == ours


def test_sums_and_means_leave_blank_answers_out_as_redcap_does():
    values = {"a": 2, "b": None, "c": 4}
    assert evaluate(to_expression("sum([a], [b], [c])"), values) == 6
    assert evaluate(to_expression("mean([a], [b], [c])"), values) == 3


@pytest.mark.parametrize("logic", ["[event_1][age] > 3", "stdev([a], [b])", "[a(1)] > 3 and [a(1)] = 'x'", "[a] >"])
def test_logic_that_cannot_be_carried_over_is_refused(logic: str):
    with pytest.raises(ExpressionError):
        to_expression(logic)


def test_every_field_that_does_not_fit_is_named_with_its_row():
    broken = dictionary(
        field("a", "file"),
        field("b", "radio", **{c.CHOICES: "one"}),
        field("d", "text", **{c.BRANCHING: "stdev([a])"}),
        field("e", "radio"),
    )
    with pytest.raises(InstrumentError) as caught:
        read_redcap(broken, "x")
    assert [(f.row, f.column) for f in caught.value.findings] == [
        (2, c.TYPE),
        (3, c.CHOICES),
        (4, c.BRANCHING),
        (5, c.CHOICES),
    ]


def test_a_reference_to_no_field_is_named():
    with pytest.raises(InstrumentError, match="there is no question 'agee'"):
        read_redcap(dictionary(field("a", "text", **{c.BRANCHING: "[agee] > 3"})), "x")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b'"unclosed'])
def test_a_file_that_is_no_dictionary_is_refused(content: bytes):
    with pytest.raises(InstrumentError):
        read_redcap(content, "x")


def test_what_was_written_reads_as_the_same_questions():
    form = read_xlsform(ROOT / "protocols" / "ontwikkeladvies" / "instruments" / "followup_12m.xlsx")
    exported = write_redcap(form, language="en")
    assert exported.findings == ()
    back, _ = read_redcap(exported.content, form.name)
    assert [(q.name, q.kind) for q in back.questions] == [(q.name, q.kind) for q in form.questions]
    assert [q.relevant for q in back.questions] == [q.relevant for q in form.questions]
    assert [q.constraint for q in back.questions] == [q.constraint for q in form.questions]
    codes = [[choice.name for choice in back.lists[q.choices]] for q in back.questions if q.choices]
    assert codes == [[choice.name for choice in form.lists[q.choices]] for q in form.questions if q.choices]


def test_what_redcap_has_no_place_for_is_listed():
    form = read_xlsform(ROOT / "protocols" / "ontwikkeladvies" / "instruments" / "session.xlsx")
    messages = [finding.message for finding in write_redcap(form).findings]
    assert messages == ["the repeat 'step' is left out", "the constraint of 'next_date' is left out"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("selected(${work}, '1')", "[work] = '1'"),
        ("selected(${help}, '2') and not(selected(${help}, '3'))", "[help(2)] = '1' and [help(3)] = '0'"),
        ("not(${age} = 3 and ${paid} = '1')", "[age] <> 3 or [paid] <> '1'"),
        ("(${age} + 1) * 2 div 3 > today()", "([age] + 1) * 2 / 3 > 'today'"),
        ("date-diff(${born}, today())", "datediff([born], 'today', 'd', true)"),
    ],
)
def test_our_expressions_are_written_in_their_logic(ours: str, theirs: str):
    form, _ = read_redcap(INTAKE, "intake")
    assert to_logic(ours, form) == theirs


@pytest.mark.parametrize("text", ["${age} mod 2", "not(${age} > 3)", "regex(${age}, 'x')", "sum(${age} | ${hours})"])
def test_what_redcap_cannot_say_is_refused(text: str):
    form, _ = read_redcap(INTAKE, "intake")
    with pytest.raises(ExpressionError, match="REDCap cannot say"):
        to_logic(text, form)
