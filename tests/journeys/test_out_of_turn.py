"""Addresses kept, guessed or forged, and answers as people write them: a clear message, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from showcase import showcase
from small_pilot import START, make, settings_for
from sqlalchemy import func, select
from visitors import Doors, Visitor, errors

from pilot.models import Allocation, Draft, Participant, Screening, Submission


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """One pilot for all of these: everybody in it comes by the open link and has a record of the own."""
    opened = Doors(make(settings_for(tmp_path_factory.mktemp("turns"))))
    yield opened
    opened.close()
    opened.site.database.dispose()


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The same with a question of every kind in the first list."""
    folder = tmp_path_factory.mktemp("kinds")
    opened = Doors(make(settings_for(folder), protocol=showcase(folder / "p")))
    yield opened
    opened.close()
    opened.site.database.dispose()


def rows(doors: Doors, model):
    """The rows of whoever came last."""
    with doors.site.reading() as (session, _pilot):
        newest = session.scalar(select(func.max(Participant.id)))
        return session.scalars(select(model).where(model.participant_id == newest)).all()


def post(visitor: Visitor, path: str, **answers: str) -> Visitor:
    """Sends a form to an address of one's own making, with the token of the page on the screen."""
    return visitor.send(path, **answers)


@pytest.mark.parametrize(
    ("wave", "question", "answer"),
    [
        ("baseline", "work", "employed"),
        ("followup_12m", "work", "employed"),
        ("12m", "work", "employed"),
        ("x", "y", "z"),
    ],
)
def test_a_list_whose_turn_has_not_come_takes_no_answer(doors: Doors, wave: str, question: str, answer: str):
    visitor = doors.visitor().start().go_on("schooling")
    post(visitor, f"/e/{visitor.token}/q/{wave}/{question}", **{question: answer})
    assert visitor.question == "schooling"
    assert {draft.wave for draft in rows(doors, Draft)} == {"screening"}


def test_a_list_is_not_sent_before_it_is_complete_or_its_turn_has_come(doors: Doors):
    visitor = doors.visitor().start().go_on("schooling")
    for wave in ("screening", "baseline", "followup_12m"):
        post(visitor, f"/e/{visitor.token}/check/{wave}")
        assert visitor.question == "schooling"
    assert rows(doors, Screening) == rows(doors, Submission) == []


def test_a_question_of_later_on_is_kept_and_the_open_one_is_asked(doors: Doors):
    visitor = doors.visitor().start().go_on("schooling")
    post(visitor, f"/e/{visitor.token}/q/screening/region", region="oost")
    assert visitor.question == "schooling"
    assert rows(doors, Draft)[0].answers["region"] == "oost"


def test_an_answer_to_a_question_that_is_not_asked_of_this_person_changes_nothing(doors: Doors):
    visitor = doors.visitor().start().go_on("work")
    visitor = visitor.go_on("contact").go_on("training_hours")
    post(visitor, f"/e/{visitor.token}/q/baseline/nothing_of_the_kind", nothing_of_the_kind="1")
    before = {draft.wave: dict(draft.answers) for draft in rows(doors, Draft)}
    post(visitor, f"/e/{visitor.token}/q/baseline/contract", contract="permanent")
    assert {draft.wave: dict(draft.answers) for draft in rows(doors, Draft)} == before
    assert visitor.go_on("next").status == 200


def test_nothing_is_drawn_again_by_going_back_in_the_addresses(doors: Doors):
    visitor = doors.visitor().start().go_on("next")
    for path in ("draw", "check/baseline", "q/baseline/work", "q/screening/region", "consent", "contact"):
        visitor.open(f"/e/{visitor.token}/{path}")
        assert visitor.status in (200, 303)
    assert len(rows(doors, Allocation)) == len(rows(doors, Submission)) == 1


@pytest.fixture
def asked(every_kind: Doors):
    """`asked("story")`: somebody at that question of a list with every kind of question."""
    given = {"distance": "12", "town": "t3", "order-computer": "1", "order-taal": "2", "order-lassen": "3"}

    def at(question: str) -> Visitor:
        return every_kind.visitor().start().go_on(question, given)

    return at


def kept(visitor: Visitor, question: str):
    drafts = {draft.wave: draft.answers for draft in rows(visitor.doors, Draft)}
    return drafts["baseline"].get(question)


@pytest.mark.parametrize(
    "story",
    ["Ik 👷🏽‍♀️ werk 🌷", "é" * 10_000, "regel één\nregel twee", "‏عربي‎ en Nederlands", "<script>alert(1)</script>"],
)
def test_a_free_text_is_kept_as_it_was_written(asked, story: str):
    visitor = asked("story").send(story=story)
    assert visitor.status == 200
    assert kept(visitor, "story") == story


def test_a_text_of_ten_thousand_and_one_characters_is_refused_and_stays_on_the_page(asked):
    visitor = asked("story").send(story="x" * 10_001)
    assert visitor.status == 422
    assert "niet meer dan 10000 tekens. U schreef er 10001" in errors(visitor.page)
    assert "x" * 10_001 in visitor.page


def test_a_citizen_number_in_a_free_text_is_kindly_refused_and_stays_on_the_page(asked):
    visitor = asked("story").send(story="Mijn nummer is 111222333, bel mij.")
    assert visitor.status == 422
    assert "burgerservicenummer (BSN)" in errors(visitor.page)
    assert "Mijn nummer is 111222333, bel mij." in visitor.page
    assert kept(visitor, "story") is None


@pytest.mark.parametrize(
    ("typed", "hours"), [("36,5", 36.5), ("36.5", 36.5), ("36", 36), ("36 uur", 36), ("٣٦٫٥", 36.5)]
)
def test_a_number_is_taken_with_comma_or_point(asked, typed: str, hours: float):
    visitor = asked("hours_worked").send(hours_worked=typed)
    assert kept(visitor, "hours_worked") == hours


@pytest.mark.parametrize("typed", ["veel", "-5", "1e3", "101", "36,5,2"])
def test_a_number_that_cannot_be_is_explained_and_stays_on_the_page(asked, typed: str):
    visitor = asked("hours_worked").send(hours_worked=typed)
    assert visitor.status == 422
    assert f'value="{typed}"' in visitor.page
    assert 'href="#hours_worked"' in visitor.page


@pytest.mark.parametrize(
    ("day", "month", "year"), [("3", "7", "1985"), ("03", "07", "1985"), ("3", "juli", "1985"), ("٣", "٧", "١٩٨٥")]
)
def test_a_date_is_taken_as_people_write_it(doors: Doors, day: str, month: str, year: str):
    visitor = doors.visitor().start().go_on("birth_date")
    visitor.send(**{"birth_date-day": day, "birth_date-month": month, "birth_date-year": year})
    assert rows(doors, Draft)[0].answers["birth_date"] == "1985-07-03"


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [("31", "2", "1985"), ("3", "7", "85"), ("3", "", "1985"), ("3", "7", str(START.year + 1))],
)
def test_a_date_that_cannot_be_stays_on_the_page(doors: Doors, day: str, month: str, year: str):
    visitor = doors.visitor().start().go_on("birth_date")
    visitor.send(**{"birth_date-day": day, "birth_date-month": month, "birth_date-year": year})
    assert visitor.status == 422
    assert f'value="{year}"' in visitor.page
    assert visitor.page.count('aria-invalid="true"') >= 3
