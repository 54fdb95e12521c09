"""Every example workbook shows one feature: read, walked and answered from the .xlsx to the stored value."""

import csv
import io
import runpy
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from surveys import (
    Accepted,
    Context,
    Instrument,
    Refused,
    accept,
    analysable,
    check_xlsform,
    codebook,
    layout,
    read_xlsform,
    walk,
)
from surveys.expressions.functions import FUNCTIONS as FUNCTIONS_OF_ALL
from surveys.paper import NotPrintable, sheet
from surveys.redcap import read_redcap, write_redcap
from surveys.redcap.columns import CHOICES
from surveys.workbook import open_workbook

FOLDER = Path(__file__).parent / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.xlsx"))
NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, 10, 30, tzinfo=UTC), "en", "p1")


@cache
def example(name: str) -> Instrument:
    return read_xlsform(FOLDER / f"{name}.xlsx")


def answer(form: Instrument, answers: dict[str, Any], key: str, *values: str, **parts: str) -> dict[str, Any]:
    raw = {key: list(values)} | {f"{key}-{part}": [value] for part, value in parts.items()}
    result = accept(form, answers, key, raw, context=NOW, language="en")
    assert isinstance(result, Accepted), result
    return result.answers


def refused(form: Instrument, answers: dict[str, Any], key: str, *values: str) -> str:
    result = accept(form, answers, key, {key: list(values)}, context=NOW, language="en")
    assert isinstance(result, Refused), result
    return result.errors[0].code


def keys(form: Instrument, answers: dict[str, Any]) -> list[str]:
    return [step.key for step in walk(form, answers, context=NOW).steps]


def data(form: Instrument, answers: dict[str, Any]) -> dict[str, Any]:
    return analysable(form, answers, context=NOW)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_no_finding(name: str):
    assert check_xlsform(FOLDER / f"{name}.xlsx")[1] == ()


@pytest.mark.parametrize("name", NAMES)
def test_an_example_survives_json_and_has_a_codebook(name: str):
    form = example(name)
    assert Instrument.from_dict(form.to_dict()) == form
    assert codebook.codebook(form, "w").to_dict()["fingerprint"] == form.fingerprint


def test_the_workbooks_are_what_the_script_writes_byte_for_byte(tmp_path: Path):
    runpy.run_path(str(FOLDER / "build.py"))["main"](tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    kept = {
        path.relative_to(FOLDER): path.read_bytes() for path in FOLDER.rglob("*.*") if path.suffix in (".xlsx", ".csv")
    }
    assert made == kept


@pytest.mark.parametrize(
    ("name", "key", "typed", "stored"),
    [
        ("text", "name", "  Fatma \U0001f44d\U0001f3fd ", "Fatma \U0001f44d\U0001f3fd"),
        ("text_multiline", "story", "Een\r\ntwee", "Een\ntwee"),
        ("phone", "phone", "06-12 34 56 78", "+31612345678"),
        ("integer", "age", "44", 44),
        ("decimal", "hours", "12,5", 12.5),
        ("range", "score", "4", 4),
        ("select_one", "work", "yes", "yes"),
        ("date", "birth_date", "3 april 1985", "1985-04-03"),
        ("time", "start", "9.05", "09:05"),
        ("datetime", "moment", "2026-11-22T09:05", "2026-11-22T09:05"),
        ("acknowledge", "agreed", "OK", "OK"),
        ("select_from_file", "occupation", "baker", "baker"),
    ],
)
def test_what_is_typed_is_stored_as_a_plain_value(name: str, key: str, typed: str, stored: object):
    form = example(name)
    answers = answer(form, {}, key, typed)
    assert answers == {key: stored}
    assert walk(form, answers, context=NOW).complete


def test_several_choices_are_stored_in_the_order_of_the_list():
    assert answer(example("select_multiple"), {}, "both", "no", "yes") == {"both": ["yes", "no"]}


def test_other_brings_a_question_what_other_is():
    form = example("select_other")
    answers = answer(form, {}, "work", "other")
    assert keys(form, answers) == ["work", "work_other"]
    assert walk(form, answers, context=NOW).steps[1].label("en") == "What do you mean by 'other'?"


def test_none_of_these_cannot_go_with_another_choice():
    form = example("select_exclusive")
    assert refused(form, {}, "help", "none", "money") == "choice_exclusive"
    assert answer(form, {}, "help", "none") == {"help": ["none"]}


def test_pulldata_looks_up_in_the_file_beside_the_form():
    form = example("pulldata")
    assert data(form, answer(form, {}, "occupation", "welder")) == {"occupation": "welder", "wage": 2600}


def test_ranking_takes_every_choice_once():
    form = example("rank")
    assert refused(form, {}, "favourite", "leiden", "delfzijl") == "rank_incomplete"
    answers = answer(form, {}, "favourite", leiden="1", delfzijl="3", groningen="2")
    assert answers == {"favourite": ["leiden", "groningen", "delfzijl"]}
    assert answer(form, {}, "favourite", "leiden", "delfzijl", "groningen")["favourite"][1] == "delfzijl"


def test_a_date_may_come_in_three_parts():
    form = example("date")
    assert answer(form, {}, "birth_date", day="3", month="4", year="1985") == {"birth_date": "1985-04-03"}
    result = accept(form, {}, "birth_date", {"birth_date-day": ["3"]}, context=NOW, language="en")
    assert isinstance(result, Refused)
    assert result.errors[0].code == "date_incomplete"


def test_a_note_is_passed_once_and_gives_no_data():
    form = example("note")
    answers = answer(form, {}, "welcome")
    assert walk(form, answers, context=NOW).next == walk(form, answers, context=NOW).steps[1]
    assert data(form, answers) == {"name": None}


def test_calculations_are_data_and_never_pages():
    form = example("calculate")
    assert keys(form, {}) == ["years"]
    assert data(form, {"years": 3}) == {"years": 3, "months": 36}
    assert data(form, {}) == {"years": None, "months": None}


def test_a_hidden_value_keeps_its_default():
    assert data(example("hidden"), {}) == {"source": "letter", "name": None}


def test_pictures_and_sound_stand_beside_questions_and_choices():
    form = example("media")
    question = form.question("fruit")
    assert question.media == {"image": {"en": "fruit.png"}, "audio": {"en": "fruit.mp3"}}
    assert form.lists["pictures"][0].media == {"image": {"en": "apple.png"}}


def test_groups_hold_questions_and_may_not_apply():
    assert keys(example("group"), {}) == ["street", "town"]
    form = example("group_relevant")
    assert [keys(form, {"work": w}) for w in ("no", "yes")] == [["work"], ["work", "hours"]]


def test_a_repeat_goes_on_until_the_person_says_no():
    form = example("repeat")
    answers: dict[str, Any] = {}
    for key, value in (("child.1", "yes"), ("child.1.first_name", "Ali"), ("child.2", "no")):
        step = walk(form, answers, context=NOW).next
        assert step is not None
        assert step.key == key
        answers = answer(form, answers, key, value)
    assert walk(form, answers, context=NOW).complete
    assert data(form, answers) == {"child_count": 1, "child.1.first_name": "Ali"}


def test_a_counted_repeat_numbers_its_instances_in_the_text():
    form = example("repeat_count")
    steps = walk(form, {"children": 2}, context=NOW).steps
    assert [step.label("en") for step in steps[1:]] == ["Name of child 1", "Name of child 2"]


def test_repeats_within_repeats_add_up():
    form = example("repeat_nested")
    answers = {"person.1.jobs": 2, "person.2.jobs": 1, "person.1.job.1.hours": 8, "person.1.job.2.hours": 16}
    found = data(form, answers | {"person.2.job.1.hours": 32})
    assert (found["total"], found["second"], found["person.1.job_count"]) == (56, 1, 2)


def test_an_answer_that_left_the_path_is_kept_but_is_no_data():
    form = example("relevant")
    answers = answer(form, {"age": 12, "school": "De Klimop"}, "age", "40")
    assert answers == {"age": 40, "school": "De Klimop"}
    assert data(form, answers) == {"age": 40}
    assert refused(form, answers, "school", "x") == "not_on_path"


def test_a_constraint_speaks_the_words_of_the_form_and_ignores_an_empty_answer():
    form = example("constraint")
    result = accept(form, {}, "age", {"age": ["12"]}, context=NOW, language="en")
    assert isinstance(result, Refused)
    assert result.errors[0].message == "From 18 to 67"
    assert answer(form, {}, "age", "") == {"age": None}


def test_a_required_question_says_why():
    result = accept(example("required"), {}, "name", {"name": ["  "]}, context=NOW, language="en")
    assert isinstance(result, Refused)
    assert (result.errors[0].code, result.errors[0].message) == ("required", "We need your name")


def test_required_may_depend_on_another_answer():
    form = example("required_if")
    assert refused(form, {"work": "yes"}, "hours", "") == "required"
    assert answer(form, {"work": "no"}, "hours", "")["hours"] is None


def test_a_choice_filter_refuses_a_choice_that_is_not_offered():
    form = example("choice_filter")
    assert refused(form, {"province": "zh"}, "town", "delfzijl") == "choice_unknown"
    assert answer(form, {"province": "zh"}, "town", "leiden")["town"] == "leiden"


def test_defaults_fill_the_page_but_are_no_answer():
    form = example("default")
    path = walk(form, {}, context=NOW)
    assert [step.value for step in path.steps] == ["2026-11-22", "1"]
    assert data(form, {}) == {"day": None, "people": None}


def test_a_calculated_question_is_shown_and_takes_no_answer():
    form = example("readonly")
    step = walk(form, {"age": 40}, context=NOW).steps[1]
    assert (step.shown_only, step.value) == (True, "41")
    assert answer(form, {"age": 40}, "next", "99")["next"] == "41"
    assert data(form, {"age": 50, "next": "41"})["next"] == 51


def test_the_name_of_a_choice_can_be_shown():
    form = example("choice_name")
    assert walk(form, {"work": "yes"}, context=NOW).steps[1].label("en") == "You said Yes"


def test_guidance_for_the_interviewer_is_kept_apart():
    step = walk(example("guidance"), {}, context=NOW).steps[0]
    assert (step.hint("en"), step.guidance("en")) == ("", "Ask for the name in the passport")


def test_every_text_has_its_languages_and_the_default_comes_first():
    form = example("languages")
    assert form.languages == ("en", "nl")
    question = form.question("name")
    assert question.label["nl"] == "Hoe heet u?"
    assert question.required_message["nl"] == "Dit is nodig"
    assert question.media["image"] == {"en": "name-en.png", "nl": "name-nl.png"}


def test_a_question_that_does_not_exist_is_refused_and_nothing_is_lost():
    form = example("text")
    assert refused(form, {"name": "An"}, "nothing", "x") == "unknown_question"
    assert refused(form, {"name": "An"}, "name.1.x", "x") == "unknown_question"


def test_the_answers_that_were_handed_in_are_left_as_they_were():
    answers: dict[str, Any] = {"age": 1}
    answer(example("integer"), answers, "age", "2")
    assert answers == {"age": 1}


def test_the_age_of_the_first_is_found_from_each_of_the_others():
    answers = {"person.1.age": 40, "person.2.age": 52}
    found = data(example("indexed_repeat"), answers)
    assert (found["person.1.older"], found["person.2.older"]) == (0, 12)


def test_the_number_of_an_instance_decides_what_is_asked_in_it():
    assert keys(example("position"), {}) == ["child.1.first_child", "child.2.other_child", "child.3.other_child"]


def test_a_town_is_offered_for_the_own_province_of_each_person():
    answers = {"member.1": "yes", "member.1.member_province": "gr", "member.2": "yes", "member.2.member_province": "zh"}
    path = walk(example("household"), answers, context=NOW)
    towns = {step.key: [choice.name for choice in step.choices] for step in path.steps if step.key.endswith("town")}
    assert towns == {"member.1.member_town": ["groningen", "delfzijl"], "member.2.member_town": ["leiden"]}


def test_a_town_that_left_the_list_is_asked_again_and_is_no_answer_until_then():
    answers = {
        "member.1": "yes",
        "member.1.member_province": "zh",
        "member.1.member_town": "delfzijl",
        "member.2": "no",
    }
    path = walk(example("household"), answers, context=NOW)
    assert path.next is not None
    assert path.next.key == "member.1.member_town"


def test_the_order_of_choices_is_the_own_one_of_each_participant_and_stays_the_same():
    def order(seed: str) -> list[str]:
        where = Context(NOW.today, NOW.now, "en", seed)
        return [choice.name for choice in walk(example("randomize_own"), {}, context=where).steps[0].choices]

    assert order("a") == order("a")
    assert len({tuple(order(seed)) for seed in "abcdefghij"}) > 3


def test_each_language_has_its_own_recording():
    assert example("media_languages").shown_files == ("hello-en.mp3", "hello-nl.mp3")


FUNCTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "functions_logic": (
        {"age": 70, "nickname": None},
        {"group": "pension", "called": "friend", "truth": "true", "written": "true"},
    ),
    "functions_choices": (
        {"towns": ["groningen", "delfzijl"]},
        {"many": 2, "one": "true", "first": "groningen", "enough": "true", "weighed": "true"},
    ),
    "functions_text": (
        {"word": "abc xyz"},
        {"greeting": "Hello abc xyz", "size": 7, "three": "abc", "also_three": "abc", "head": "abc", "tail": "xyz",
         "begins": "true", "ends": "true", "holds": "true", "neat": "a b", "capital": "ABC xyz", "as_text": 12,
         "decoded": "hallo", "ticket": 44,
         "fingerprint": "4bb737824577da781b0fcfe48d8e3253ea2fc2f0120e8cc7d056368bdef6bf5c"},
    ),
    "functions_numbers": (
        {"wage": 12.5},
        {"rounded": 12.5, "whole": 12, "down": 12, "up": 13, "size": 12.5, "square": 156.25, "root": 3, "logs": 5,
         "turn": 2, "least": 10, "most": 12.5, "chance": "true"},
    ),
    "functions_dates": (
        {"begin_day": "2026-01-31"},
        {"days": 29, "months": 1, "written": "31-01-2026", "later": "2026-02-07", "noon": 0.5, "count": 20484,
         "moment": 2026, "past": "true"},
    ),
    "functions_repeats": (
        {"child.1.age": 4, "child.2.age": 6, "child.3.age": 9},
        {"many": 3, "known": 3, "total": 19, "youngest": 4, "oldest": 9, "listed": "4, 6, 9", "shuffled": "4, 6, 9",
         "walk": 68.53, "garden": 7629.12},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_give_what_they_promise(name: str):
    answers, worked_out = FUNCTIONS[name]
    found = data(example(name), answers)
    assert {key: found[key] for key in worked_out} == worked_out


def test_every_function_and_column_that_is_read_stands_in_an_example():
    cells, headers = [], set()
    for path in FOLDER.glob("*.xlsx"):
        for one in open_workbook(path).values():
            headers |= {layout.split(header)[0] for header in one.headers}
            cells += [cell for row in one.rows for cell in row.cells.values()]
    text = " ".join(cells)
    assert {name for name in FUNCTIONS_OF_ALL if f"{name}(" not in text} == set()
    read = {"type", "name", "label", "hint", "guidance_hint", "relevant", "constraint", "constraint_message",
            "required", "required_message", "calculation", "choice_filter", "default", "readonly", "repeat_count",
            "appearance", "parameters", "image", "audio"}  # fmt: skip
    assert read <= headers


@pytest.mark.parametrize("name", NAMES)
def test_an_example_goes_out_as_a_dictionary_that_is_whole_and_on_paper_or_says_why_not(name: str):
    form = example(name)
    exported = write_redcap(form)
    rows = list(csv.DictReader(io.StringIO(exported.content.decode())))
    assert all(row[CHOICES] for row in rows if row["Field Type"] in ("calc", "radio", "checkbox"))
    if rows:
        read_redcap(exported.content, "again", language=form.default_language)
    else:
        assert exported.findings
    if name in NOT_ON_PAPER:
        with pytest.raises(NotPrintable, match=NOT_ON_PAPER[name]):
            sheet(form, form.default_language)
        return
    shown = {q.name for q in form.questions if not q.silent and not q.shown_only}
    printed = sheet(form, form.default_language)
    assert {line.question.name for line in printed.questions if line.question} == shown


NOT_ON_PAPER = {
    "position": "the condition of 'first_child' cannot be said in words",
    "repeat_nested": "'job' is a repeat inside a repeat",
}
