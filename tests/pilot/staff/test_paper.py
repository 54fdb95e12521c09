"""Two people type a paper form and do not see each other's work; where they differ somebody decides, and says why."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from small_pilot import START
from sqlalchemy import select

from pilot import locking
from pilot.journey import paper, withdrawal
from pilot.models import Event, PaperDecision, PaperEntry, Submission

WAVE = "followup_3m"


@pytest.fixture
def returned(office):
    """The office three months after the draw, with one paper form on the table; gives (office, study id, lines)."""
    office.now = START + timedelta(days=95)
    study_id = re.findall(r"/paper/(\w{10})/", office.html("interviewer", "paper"))[0]
    with office.database.reading() as session:
        _version, protocol = locking.in_force(session, office.site.pilot(session).id)
        return office, study_id, paper.printed(protocol, WAVE, "nl").questions


def as_written(lines, **changes: str) -> dict[str, str]:
    """The form as the first person reads it: no training, no work, the first code elsewhere; numbers where asked."""
    codes = {line.key: "1" if line.codes else "" for line in lines}
    typed = {**codes, "training_started": "2", "training_last_4_weeks": "2", "work": "3", **changes}
    return {f"a-{key}": value for key, value in typed.items() if key in codes}


def submissions(office, study_id: str) -> list[Submission]:
    with office.database.reading() as session:
        who = office.participant(session, study_id)
        query = select(Submission).where(Submission.participant_id == who.id, Submission.wave == WAVE)
        return list(session.scalars(query))


def test_two_equal_entries_become_one_submission_on_paper(returned):
    office, study_id, lines = returned
    office.post("interviewer", f"paper/{study_id}/{WAVE}", **as_written(lines))
    assert submissions(office, study_id) == []
    assert "typed once" in office.get("steward", "paper")
    office.post("steward", f"paper/{study_id}/{WAVE}", **as_written(lines))
    (done,) = submissions(office, study_id)
    assert (done.mode, done.analysed["training_started"]) == ("paper", "no")
    assert study_id not in office.get("steward", "paper")


def test_the_same_person_cannot_type_a_form_twice_and_the_second_sees_nothing_of_the_first(returned):
    office, study_id, lines = returned
    office.post("interviewer", f"paper/{study_id}/{WAVE}", **as_written(lines))
    refused = office.browser("interviewer").get(
        f"/{office.slug}/paper/{study_id}/{WAVE}?lang=en", follow_redirects=True
    )
    assert "The second time is for somebody else" in refused.text
    shown = office.html("steward", f"paper/{study_id}/{WAVE}")
    assert re.findall(r'<input id="a-[^"]*"[^>]* value="([^"]+)"', shown) == []


def test_where_two_people_differ_a_steward_decides_and_both_values_and_the_reason_stay(returned):
    office, study_id, lines = returned
    office.post("interviewer", f"paper/{study_id}/{WAVE}", **as_written(lines))
    office.post("steward", f"paper/{study_id}/{WAVE}", **as_written(lines, work="1"))
    assert submissions(office, study_id) == []
    page = f"paper/{study_id}/{WAVE}/decide"
    office.get("interviewer", page, status=404)
    shown = office.get("steward", page)
    assert "At 1 question the two entries differ" in shown
    answer = office.post("steward", page, **{"which-1": "first"})
    assert answer.status_code == 422
    assert submissions(office, study_id) == []
    office.post("steward", page, **{"which-1": "first", "reason-1": "the cross is in the third box"})
    (done,) = submissions(office, study_id)
    assert done.mode == "paper"
    with office.database.reading() as session:
        (kept,) = session.scalars(select(PaperDecision))
        told = session.scalars(select(Event.detail).where(Event.kind == "paper_reconciled")).one()
    assert (kept.question, kept.first, kept.second, kept.value) == ("work", "3", "1", "3")
    assert kept.reason == "the cross is in the third box"
    assert told == {"wave": WAVE, "questions": ["work"]}
    assert office.post("steward", page, page="paper", **{"which-1": "first", "reason-1": "again"}).status_code == 404


def test_what_cannot_be_is_shown_at_its_question_with_everything_that_was_typed(returned):
    office, study_id, lines = returned
    answer = office.post("interviewer", f"paper/{study_id}/{WAVE}", **as_written(lines, work="9"))
    number = next(line.number for line in lines if line.key == "work")
    assert answer.status_code == 422
    assert f"{number}. " in answer.text
    assert 'href="#a-work"' in answer.text
    assert 'id="a-training_started"' in answer.text
    assert re.search(r'id="a-training_started"[^>]*value="2"', answer.text)
    with office.database.reading() as session:
        assert session.scalars(select(PaperEntry)).all() == []


def test_a_form_can_be_printed_with_its_number_and_nobody_reads_an_arm_from_it(returned):
    office, study_id, _lines = returned
    one = office.post("interviewer", f"paper/{study_id}/{WAVE}/print", page="paper")
    assert one.headers["Content-Type"] == "application/pdf"
    assert one.data.startswith(b"%PDF")
    every = office.post("steward", f"paper/print/{WAVE}", page="paper")
    assert len(every.data) > len(one.data)
    with office.database.reading() as session:
        printed = session.scalars(select(Event).where(Event.kind == "paper_printed")).all()
        _version, protocol = locking.in_force(session, office.site.pilot(session).id)
    assert len(printed) == 13
    shown = office.get("interviewer", "paper").casefold()
    assert [arm.name for arm in protocol.arms if any(label.casefold() in shown for label in arm.label.values())] == []


def test_an_erasure_takes_what_was_typed_and_a_stopped_person_is_not_asked_on_paper(returned):
    office, study_id, lines = returned
    office.post("interviewer", f"paper/{study_id}/{WAVE}", **as_written(lines))
    with office.database.writing() as session:
        withdrawal.withdraw(session, office.participant(session, study_id), "erase", actor_id=None, now=office.now)
    with office.database.reading() as session:
        assert session.scalars(select(PaperEntry)).all() == []
    assert study_id not in office.get("steward", "paper")
    office.get("steward", f"paper/{study_id}/{WAVE}", status=404)
