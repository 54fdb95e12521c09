"""Paper asks what the telephone asks, says in words what may be skipped, and is read back with its own codes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from surveys import Context, Instrument, read_xlsform
from surveys.definition import Choice, Question, Section
from surveys.paper import NotPrintable, sheet
from surveys.paper_answers import difference, fill

NOW = Context(date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC))
INSTRUMENTS = Path(__file__).parents[2] / "protocols/ontwikkeladvies/instruments"
# What somebody understood is worked out while they answer; paper cannot.
SHIPPED = sorted(set(INSTRUMENTS.glob("*.xlsx")) - {INSTRUMENTS / "consent_understanding.xlsx"})
YES_NO = (Choice("yes", {"nl": "Ja", "en": "Yes"}), Choice("no", {"nl": "Nee", "en": "No"}))
WAYS = tuple(Choice(name, {"en": name.title()}) for name in ("employer", "state", "self"))


def form(*children: Question | Section) -> Instrument:
    return Instrument("f", children, languages=("en", "nl"), lists={"yn": YES_NO, "ways": WAYS})


WORKS = Question("works", "select_one", {"en": "Do you work?"}, choices="yn")
HOURS = Question("hours", "decimal", {"en": "How many hours?"}, relevant="${works} = 'yes'", constraint=". <= 100")
PAID = Question("paid", "select_multiple", {"en": "Who paid?"}, choices="ways")


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_shipped_instrument_can_be_printed_with_each_question_once(file: Path, language: str):
    instrument = read_xlsform(file)
    paper = sheet(instrument, language)
    asked = [q.name for q in instrument.questions if not q.silent and not q.shown_only]
    assert list(dict.fromkeys(line.question.name for line in paper.questions if line.question)) == asked
    assert [line.number for line in paper.questions] == list(range(1, len(paper.questions) + 1))
    assert all(line.condition for line in paper.questions if line.question and line.question.relevant)


def test_a_list_that_follows_from_what_is_worked_out_on_the_way_is_refused():
    with pytest.raises(NotPrintable, match="explain_again"):
        sheet(read_xlsform(INSTRUMENTS / "consent_understanding.xlsx"), "nl")


@pytest.mark.parametrize(
    ("relevant", "said"),
    [
        ("${works} != 'yes'", "Only if you did not choose ‘Yes’ at question 1."),
        ("selected(${paid}, 'state')", "Only if you chose ‘State’ at question 2."),
        ("not(selected(${paid}, 'state'))", "Only if you did not choose ‘State’ at question 2."),
        ("${age} >= 18 and ${works} = 'no'",
         "Only if your answer to question 3 is 18 or more and you chose ‘No’ at question 1."),
        ("not(${age} < 18 or ${works} = 'no')",
         "Only if your answer to question 3 is 18 or more and you did not choose ‘No’ at question 1."),
        ("67 > ${age}", "Only if your answer to question 3 is less than 67."),
        ("${name} != ''", "Only if you answered question 4."),
        ("(${works} = 'yes' or ${age} < 30) and ${name} = ''",
         "Only if (you chose ‘Yes’ at question 1 or your answer to question 3 is less than 30) and you did not answer "
         "question 4."),
    ],
)  # fmt: skip
def test_a_condition_is_said_in_words(relevant: str, said: str):
    more = Question("more", "text", {"en": "More?"}, relevant=relevant)
    age, name = Question("age", "integer", {"en": "Age?"}), Question("name", "text", {"en": "Name?"})
    assert sheet(form(WORKS, PAID, age, name, more), "en").line("more").condition == said


def test_a_condition_without_words_takes_those_of_the_researcher_or_is_refused_by_name():
    strange = "count-selected(${paid}) > 1"
    told = Question("why", "text", {"en": "Why?"}, relevant=strange, guidance={"en": "Only if two or more paid."})
    assert sheet(form(PAID, told), "en").line("why").condition == "Only if two or more paid."
    with pytest.raises(NotPrintable, match=r"'why'.*guidance_hint"):
        sheet(form(PAID, Question("why", "text", {"en": "Why?"}, relevant=strange)), "en")


def test_what_was_typed_becomes_answers_and_what_was_not_for_this_person_is_set_aside():
    paper = sheet(form(WORKS, HOURS, PAID), "en")
    filled = fill(paper, {"works": "1", "hours": "12,5", "paid": "3 1"}, context=NOW)
    assert filled.answers == {"works": "yes", "hours": 12.5, "paid": ["employer", "self"]}
    assert fill(paper, {"works": "2", "hours": "12,5"}, context=NOW).aside == ("hours",)
    assert fill(paper, {"works": "?", "paid": ""}, context=NOW).answers == {}


@pytest.mark.parametrize(
    ("typed", "key", "code"),
    [
        ({"works": "3"}, "works", "paper.code_unknown"),
        ({"works": "1 2"}, "works", "paper.one_code"),
        ({"paid": "employer"}, "paid", "paper.code_not_understood"),
        ({"works": "1", "hours": "200"}, "hours", "constraint"),
        ({"works": "1", "hours": "veel"}, "hours", "number_not_understood"),
    ],
)
def test_what_cannot_be_is_named_by_its_question(typed: dict[str, str], key: str, code: str):
    errors = fill(sheet(form(WORKS, HOURS, PAID), "en"), typed, context=NOW).errors
    assert [(error.question, error.code) for error in errors] == [(key, code)]
    assert all(error.message for error in errors)


def test_a_repeated_group_counts_the_copies_in_which_something_stands():
    asked = Question("title", "text", {"en": "Title?"}), Question("days", "integer", {"en": "Days?"})
    course = Section("course", asked, repeats=True, label={"en": "Course"})
    paper = sheet(form(course), "en")
    assert next(line.label for line in paper.lines if line.kind == "heading") == "Course – number 1"
    filled = fill(paper, {"course.1.title": "Welding", "course.2.days": "3"}, context=NOW)
    assert filled.errors == ()
    assert filled.answers == {
        "course.1": "yes", "course.1.title": "Welding", "course.2": "yes", "course.2.days": 3, "course.3": "no",
    }  # fmt: skip


def test_two_people_differ_only_when_they_read_something_else():
    paper = sheet(form(WORKS, HOURS, PAID), "en")
    assert not difference(paper.line("hours"), "12,0", " 12")
    assert not difference(paper.line("paid"), "1 3", "3,1")
    assert difference(paper.line("paid"), "1 3", "1")
    assert difference(paper.line("works"), "?", "")
