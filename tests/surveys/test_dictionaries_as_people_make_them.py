"""REDCap data dictionaries as they come out of REDCap and Excel: what is carried over, and what is named instead."""

from __future__ import annotations

import csv
import io

import pytest

from surveys import InstrumentError
from surveys.redcap import columns as c
from surveys.redcap import read_redcap

TICKED = {c.NAME: "sym", c.TYPE: "checkbox", c.CHOICES: "1, Pijn | 2, Koorts | -9, Weet niet"}


def dictionary(*rows: dict[str, str], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, c.COLUMNS, delimiter=delimiter)
    writer.writeheader()
    for number, row in enumerate(rows):
        writer.writerow({c.FORM: "f", c.LABEL: f"L{number}", **row})
    return file.getvalue().encode(encoding)


def text(name: str, **more: str) -> dict[str, str]:
    return {c.NAME: name, c.TYPE: "text"} | {getattr(c, column): cell for column, cell in more.items()}


def test_branching_on_checkboxes_is_carried_over():
    form, _ = read_redcap(
        dictionary(
            TICKED,
            text("x", BRANCHING="[sym(1)] = '1'"),
            text("y", BRANCHING="[sym(2)]=0 and [sym(1)]<>'1'\nor [sym(-9)] = \"1\""),
        ),
        "d",
    )
    assert form.question("x").relevant == "selected(${sym}, '1')"
    assert form.question("y").relevant == (
        "not(selected(${sym}, '2')) and not(selected(${sym}, '1')) or selected(${sym}, '-9')"
    )


def test_a_matrix_keeps_its_questions_and_says_what_is_lost():
    form, found = read_redcap(
        dictionary(
            {c.NAME: "m1", c.TYPE: "radio", c.CHOICES: "1, A | 2, B", c.MATRIX: "m", c.RANKING: "y", c.HEADER: "Kop"},
            {c.NAME: "m2", c.TYPE: "radio", c.CHOICES: "1, A | 2, B", c.MATRIX: "m"},
        ),
        "d",
    )
    assert [question.name for question in form.questions] == ["m1", "m2"]
    assert [finding.column for finding in found] == [c.RANKING]


@pytest.mark.parametrize(
    ("validation", "low", "high", "constraint"),
    [
        ("date_dmy", "2020-01-02", "today", ". >= date('2020-01-02') and . <= today()"),
        ("date_dmy", "02-01-2020", "", ". >= date('2020-01-02')"),
        ("date_mdy", "01/02/2020", "", ". >= date('2020-01-02')"),
        ("number_comma_decimal", "1,5", "3,5", ". >= 1.5 and . <= 3.5"),
        ("integer", "[least]", "80", ". >= ${least} and . <= 80"),
    ],
)
def test_limits_are_carried_over(validation: str, low: str, high: str, constraint: str):
    rows = [
        text("least", VALIDATION="date_dmy" if "date" in validation else "integer"),
        text("a", VALIDATION=validation, MINIMUM=low, MAXIMUM=high),
    ]
    assert read_redcap(dictionary(*rows), "d")[0].question("a").constraint == constraint


def test_sums_and_rounding_are_carried_over_and_answers_are_repeated_in_texts():
    form, _ = read_redcap(
        dictionary(
            text("a", VALIDATION="integer"),
            text("b", VALIDATION="number"),
            {c.NAME: "s", c.TYPE: "calc", c.CHOICES: "round(sum([a],[b])/2, 1)"},
            text("t", LABEL="U zei [a] en [zz]"),
        ),
        "d",
        language="nl",
    )
    assert form.question("s").calculation == "round((coalesce(${a}, 0) + coalesce(${b}, 0)) div 2, 1)"
    assert form.question("t").label == {"nl": "U zei ${a} en [zz]"}


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8-sig"), (",", "utf-16")])
def test_what_excel_makes_of_the_file_is_read(delimiter: str, encoding: str):
    content = dictionary(
        text("a", LABEL="Hoe oud, één of twee?"),
        text("", TYPE="", LABEL="", FORM=""),
        text("b"),
        delimiter=delimiter,
        encoding=encoding,
    )
    assert [question.name for question in read_redcap(content, "d")[0].questions] == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([TICKED, text("x", BRANCHING="[sym(7)] = '1'")], f"dictionary, row 3, column {c.BRANCHING}: '7' is no choice"),
        ([text("a"), text("a")], f"dictionary, row 3, column {c.NAME}: the name 'a' is used twice"),
        ([text("my age")], f"dictionary, row 2, column {c.NAME}: the name 'my age' is not possible"),
        (
            [text("a", VALIDATION="integer", MINIMUM="abc")],
            f"dictionary, row 2, column {c.MINIMUM}: the limit 'abc' is not",
        ),
        ([text("a", VALIDATION="date_dmy", MINIMUM="31-02-2020")], "the limit '31-02-2020' is not understood"),
        (
            [text("a", BRANCHING="[event_1_arm_1][x] = '1'")],
            "fields of other events are not supported, at character 1 of",
        ),
        ([text("a", TYPE="radio", CHOICES="1, A | 1, B")], f"column {c.CHOICES}: the choice '1' is in the list twice"),
        (
            [text("a", TYPE="calc", CHOICES="[b]+1"), text("b", TYPE="calc", CHOICES="[a]+1")],
            f"column {c.CHOICES}: these depend",
        ),
        ([text("a", TYPE="signature")], f"column {c.TYPE}: fields of the type 'signature' cannot be asked here"),
    ],
)
def test_what_cannot_be_carried_over_is_named_in_the_columns_of_the_dictionary(rows: list[dict[str, str]], said: str):
    with pytest.raises(InstrumentError) as refused:
        read_redcap(dictionary(*rows), "d")
    assert said in str(refused.value)


def test_a_file_that_is_not_utf_8_is_refused_with_the_remedy():
    with pytest.raises(InstrumentError, match=r"not UTF-8 text.*save it as CSV UTF-8"):
        read_redcap(dictionary(text("a", LABEL="één"), encoding="latin-1"), "d")


def test_what_is_left_out_is_said():
    rows = [
        text("naam", IDENTIFIER="y"),
        text("b", ANNOTATION="@CALCTEXT(if([a]=1,'x','y'))"),
        {c.NAME: "s", c.TYPE: "slider", c.CHOICES: "Laag | Hoog"},
        text("m", VALIDATION="email"),
    ]
    found = read_redcap(dictionary(*rows), "d")[1]
    assert [(finding.row, finding.column) for finding in found] == [
        (2, c.IDENTIFIER),
        (3, c.ANNOTATION),
        (4, c.CHOICES),
        (5, c.VALIDATION),
    ]
