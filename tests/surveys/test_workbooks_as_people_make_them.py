"""Workbooks as they come out of Excel: what can be understood is read, what cannot is named with place and remedy."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from openpyxl import Workbook

from surveys import check_xlsform
from surveys.definition import Instrument

HEAD = ["type", "name", "label"]
YES_NO = [["list_name", "name", "label"], ["yn", "yes", "Ja"], ["yn", "no", "Nee"]]
Cells = Sequence[Sequence[object]]


def workbook(survey: Cells, choices: Cells = (), change: Callable[[Workbook], object] = id) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in (("survey", survey), ("choices", choices)):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def used(content: bytes) -> Instrument:
    instrument, findings = check_xlsform(content)
    assert [str(finding) for finding in findings if finding.severity == "error"] == []
    assert instrument
    return instrument


def test_capitals_blanks_and_signs_without_width_do_not_matter():
    form = used(
        workbook(
            [
                ["TYPE ", "Name", " LABEL", "relevant"],
                [" Text\u00a0", "a\u00a0", "A"],
                ["INTEGER", " b ", "B"],
                ["Select_One  yn", "c", "C"],
                ["SELECT_MULTIPLE\u00a0yn", "d", "D"],
                ["Begin Group", "g", "G"],
                ["\u200bText", "e\u200b", "E", "${ b } > 3"],
                ["End Group"],
                ["BEGIN_REPEAT", "r", "R"],
                ["TEXT", "f", "F"],
                ["END_REPEAT"],
                ["Note", "n", "N ${ a }"],
                ["Rank yn", "k", "K"],
                ["DateTime", "t", "T"],
                ["   ", " "],
                ["Select One yn or other", "z", "Z"],
            ],
            [["list_name ", " name", "label "], [" yn", "yes ", "Ja"], ["yn", "no\u00a0", "Nee "]],
        )
    )
    kinds = {question.name: question.kind for question in form.questions}
    assert kinds == {
        "a": "text",
        "b": "integer",
        "c": "select_one",
        "d": "select_multiple",
        "e": "text",
        "f": "text",
        "n": "note",
        "k": "rank",
        "t": "datetime",
        "z": "select_one",
        "z_other": "text",
    }
    assert form.question("e").relevant == "${b} > 3"
    assert form.question("n").label == {"nl": "N ${a}"}
    assert [choice.name for choice in form.lists["yn"]] == ["yes", "no"]


def test_nothing_behind_a_hundred_empty_rows_or_beside_empty_columns_is_lost():
    form = used(
        workbook(
            [[*HEAD, *[None] * 30, "hint"], ["text", "a", "A"], *[[]] * 100, ["text", "b", "B", *[None] * 30, "H"]]
        )
    )
    assert [question.name for question in form.questions] == ["a", "b"]
    assert form.question("b").hint == {"nl": "H"}


def test_a_choice_that_excel_takes_for_true_stays_a_choice():
    form = used(workbook([HEAD, ["select_one b", "a", "A"]], [YES_NO[0], ["b", True, "Waar"], ["b", False, False]]))
    assert [(choice.name, choice.label["nl"]) for choice in form.lists["b"]] == [("TRUE", "Waar"), ("FALSE", "FALSE")]


def test_hidden_sheets_and_sheets_of_ones_own_do_not_matter():
    def hide(book: Workbook) -> None:
        book.create_sheet("kladblok")["A1"] = "type"
        book["kladblok"].sheet_state = "hidden"
        book["kladblok"]["B1"] = "=A1"

    assert len(used(workbook([HEAD, ["text", "a", "A"]], change=hide)).questions) == 1


def test_required_is_written_in_dutch_too():
    rows = [
        ["text", name, name, word] for name, word in zip("abcde", ["ja", "WAAR", True, "nee", "onwaar"], strict=True)
    ]
    form = used(workbook([[*HEAD, "required"], *rows]))
    assert [question.required for question in form.questions] == ["true()", "true()", "true()", "", ""]


def test_curly_quotes_a_date_of_excel_and_a_long_text_are_read():
    form = used(
        workbook(
            [
                [*HEAD, "relevant", "default"],
                ["text", "a", "x" * 10_000],
                ["date", "b", "B", "${a} = ‘ja’", datetime(2026, 1, 5)],
            ]
        )
    )
    assert form.question("b").relevant == "${a} = 'ja'"
    assert form.question("b").default == "2026-01-05"


def test_other_namely_in_two_languages_and_a_filter_on_a_question_of_the_same_repeat():
    both = ["label::Nederlands (nl)", "label::English (en)"]
    form = used(
        workbook(
            [
                ["type", "name", *both, "choice_filter"],
                ["select_one p or_other", "p", "P", "P"],
                ["begin repeat", "r", "R", "R"],
                ["select_one t", "t", "T", "T", "prov = ${p}"],
                ["select_one t", "u", "U", "U", "name != ${t}"],
                ["rank t", "k", "K", "K", "name != ${u}"],
                ["end repeat"],
            ],
            [
                ["list_name", "name", *both, "prov"],
                ["p", "n", "N", "N"],
                ["t", "x", "X", "X", "n"],
                ["t", "y", "Y", "Y", "z"],
            ],
        )
    )
    assert form.question("p_other").label == {"nl": "Wat bedoelt u met 'anders'?", "en": "What do you mean by 'other'?"}
    assert form.lists["p or_other"][-1].label == {"nl": "Anders", "en": "Other"}


def merged(book: Workbook) -> None:
    book["survey"].merge_cells("C2:C3")


REFUSED: dict[str, tuple[bytes, str, str]] = {
    "merged cells": (
        workbook([HEAD, ["text", "a", "A"], ["text", "b", None]], change=merged),
        "survey, row 3, column label: 'b' has no text",
        "fill in the label",
    ),
    "a formula nobody worked out": (
        workbook([HEAD, ["text", "a", '=CONCATENATE("a","b")']]),
        "survey, row 2: the formula =CONCATENATE",
        "save it",
    ),
    "a formula that went wrong": (
        workbook([[*HEAD, "relevant"], ["text", "a", "A", "#REF!"]]),
        "survey, row 2, column relevant: the formula in this cell gives #REF!",
        "mend the formula",
    ),
    "a date as a serial number": (
        workbook([[*HEAD, "default"], ["date", "a", "A", 46027]]),
        "survey, row 2, column default: '46027' is no date",
        "2026-11-22",
    ),
    "a date compared with a serial number": (
        workbook([[*HEAD, "constraint"], ["date", "a", "A", ". > 46027"]]),
        "survey, row 2, column constraint: a date is compared with a number",
        "date-diff()",
    ),
    "the same name in two groups": (
        workbook(
            [
                HEAD,
                ["begin group", "g", "G"],
                ["text", "a", "A"],
                ["end group"],
                ["begin group", "h", "H"],
                ["text", "a", "A"],
                ["end group"],
            ]
        ),
        "survey, row 6, column name: the name 'a' is also used in row 3",
        "name",
    ),
    "repeat_count 0": (
        workbook([[*HEAD, "repeat_count"], ["begin repeat", "r", "R", 0], ["text", "a", "A"], ["end repeat"]]),
        "survey, row 2, column repeat_count: '0' is no number of times",
        "1 or more",
    ),
    "repeat_count 10000": (
        workbook([[*HEAD, "repeat_count"], ["begin repeat", "r", "R", 10_000], ["text", "a", "A"], ["end repeat"]]),
        "survey, row 2, column repeat_count: 10000 times is too often; at most 100",
        "fewer",
    ),
    "a word for repeat_count": (
        workbook([[*HEAD, "repeat_count"], ["begin repeat", "r", "R", "abc"], ["text", "a", "A"], ["end repeat"]]),
        "survey, row 2, column repeat_count: 'abc' stands without ${}",
        "${abc}",
    ),
    "a choice with a blank that cannot be seen": (
        workbook([HEAD, ["select_multiple yn", "a", "A"]], [YES_NO[0], ["yn", "niet\u00a0goed", "Slecht"]]),
        "choices, row 2, column name: the choice 'niet goed' holds a space",
        "underscore",
    ),
    "or_other with a question of that name": (
        workbook([HEAD, ["select_one yn or_other", "a", "A"], ["text", "a_other", "B"]], YES_NO),
        "survey, row 2, column type: the name 'a_other' comes by itself with or_other, and is also used in row 3",
        "rename",
    ),
    "or_other with a choice of that name": (
        workbook([HEAD, ["select_one yn or_other", "a", "A"]], [*YES_NO, ["yn", "other", "Anders"]]),
        "survey, row 2, column type: the list 'yn' has a choice 'other' already",
        "leave out",
    ),
    "or_other with a filter": (
        workbook([[*HEAD, "choice_filter"], ["select_one yn or_other", "a", "A", "name != 'no'"]], YES_NO),
        "survey, row 2, column type: or_other and a choice filter",
        "question of its own",
    ),
    "a range with a comma": (
        workbook([[*HEAD, "parameters"], ["range", "a", "A", "start=0,5 end=2 step=0.5"]]),
        "survey, row 2, column parameters: start=0,5 has a comma",
        "start=0.5",
    ),
    "a range that runs backwards": (
        workbook([[*HEAD, "parameters"], ["range", "a", "A", "start=10 end=0 step=-1"]]),
        "survey, row 2, column parameters: the range is empty",
        "below end",
    ),
    "a cycle across groups": (
        workbook(
            [
                [*HEAD, "relevant"],
                ["begin group", "g", "G", "${b} = 'x'"],
                ["text", "a", "A"],
                ["end group"],
                ["begin group", "h", "H", "${a} = 'x'"],
                ["text", "b", "B"],
                ["end group"],
            ]
        ),
        "survey, row 2, column relevant: these depend on each other: g, b, h, a, g",
        "take one of them out",
    ),
    "a label with and without a language": (
        workbook([[*HEAD, "label::English (en)"], ["text", "a", "A", "B"]]),
        "survey, row 1, column label: the column 'label' has no language",
        "label::Nederlands (nl)",
    ),
    "a list that is not named": (
        workbook([HEAD, ["select_one", "a", "A"]]),
        "survey, row 2, column type: 'select_one' does not say which list",
        "list",
    ),
    "a photograph": (
        workbook([HEAD, ["image", "a", "A"]]),
        "survey, row 2, column type: questions of the type 'image' cannot",
        "remove",
    ),
    "a default that is no choice": (
        workbook([[*HEAD, "default"], ["select_one yn", "a", "A", "Ja"]], YES_NO),
        "survey, row 2, column default: 'Ja' is no choice of 'a'",
        "name of a choice",
    ),
    "a calculation of nothing": (
        workbook([HEAD, ["calculate", "a", None]]),
        "survey, row 2, column calculation: 'a' calculates nothing",
        "fill in",
    ),
    "a name that is kept": (
        workbook([HEAD, ["text", "Meta", "A"]]),
        "survey, row 2, column name: the name 'Meta' is kept",
        "another name",
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_used_is_named_with_its_place_and_what_to_do(name: str):
    content, said, remedy = REFUSED[name]
    found = [finding for finding in check_xlsform(content)[1] if finding.severity == "error"]
    told = next((finding for finding in found if str(finding).startswith(said)), None)
    assert told, [str(finding) for finding in found]
    assert remedy in told.remedy
    assert "pyxform" not in "".join(map(str, found))


@pytest.mark.parametrize(
    ("calculation", "said"),
    [
        ("position(..)", "position(..) has no meaning outside a repeat"),
        ("if(${n} = 'x', digest(${n}, 'XX'), '')", "digest() does not know the algorithm 'XX'"),
        ("digest('a', ${n})", "the last part of digest() is not written out"),
        ("format-date(today(), '%Q')", "format-date() does not know %Q"),
        ("date-diff(today(), today(), 'weeks')", "date-diff() knows days, months and years, not 'weeks'"),
        ("date-diff(today(), today(), ${n})", "the last part of date-diff() is not written out"),
        ("sum(1)", "sum() takes a question or repeat, not a computed value"),
        ("count(1)", "count() takes a question or repeat, not a computed value"),
        ("uuid(0)", "uuid() gives 1 to 1000 characters"),
        ("join(',', randomize(${a}, 'x'))", "the seed of randomize() must be a whole number"),
    ],
)
def test_a_call_that_would_stop_the_form_for_a_participant_is_named_at_import(calculation: str, said: str):
    content = workbook(
        [
            [*HEAD, "calculation"],
            ["text", "n", "N"],
            ["begin repeat", "r", "R"],
            ["text", "a", "A"],
            ["end repeat"],
            ["calculate", "c", None, calculation],
        ]
    )
    assert (6, "calculation", said) in [(f.row, f.column, f.message) for f in check_xlsform(content)[1]]


def test_parameters_of_other_programs_and_rows_of_the_device_do_not_break_the_import():
    rows = [[*HEAD, "parameters", "bind::jr:preload"], ["text", "a", "A", "rows=3"], ["text", "b", "B", None, "uid"]]
    form, findings = check_xlsform(workbook(rows))
    assert form
    assert form.question("a").parameters == {"rows": "3"}
    assert [finding.message for finding in findings] == ["'b' is filled in by the device and is left out"]


def test_a_text_of_a_choice_that_names_nothing_a_seed_of_letters_and_a_list_that_is_no_csv_are_named():
    rows = [
        [*HEAD, "parameters"],
        ["select_one yn", "a", "A", "randomize=true seed=abc"],
        ["select_one_from_file towns.geojson", "b", "B"],
    ]
    found = {
        str(finding).partition(" (")[0] for finding in check_xlsform(workbook(rows, [*YES_NO, ["yn", "x", "${zz}"]]))[1]
    }
    assert found == {
        "survey, row 2, column parameters: the seed abc is no number and no question",
        "survey, row 3, column type: questions with choices from a file need a .csv",
        "choices, row 4, column label: there is no question 'zz'",
    }
