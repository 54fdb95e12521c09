"""An interviewer calls people whose list is open, knows nothing about their arm, and keeps what came of each call."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from small_pilot import START, person
from werkzeug.datastructures import MultiDict

from pilot import locking
from pilot.journey import answering, withdrawal
from pilot.models import Event, Submission
from surveys.path import walk

WAVE = "followup_3m"


@pytest.fixture
def called(office):
    """The office three months after the draw: the first list after the baseline is open."""
    office.now = START + timedelta(days=95)
    return office


def first_in(office) -> str:
    found = re.findall(r"/interviews/(\w{10})", office.html("interviewer", "interviews"))
    assert found, "nobody is in the queue"
    return found[0]


def test_nobody_is_called_before_a_list_is_open_and_everybody_with_a_number_is_after(office):
    assert "Nobody has to be called now." in office.get("interviewer", "interviews")
    office.now = START + timedelta(days=95)
    assert "12 people" in office.get("interviewer", "interviews")


def test_an_interviewer_never_sees_an_arm(called):
    with called.database.reading() as session:
        _version, protocol = locking.in_force(session, called.site.pilot(session).id)
    labels = [label for arm in protocol.arms for label in arm.label.values()]
    for study_id in {called.study_id(arm.name) for arm in protocol.arms}:
        for path in ("interviews", f"interviews/{study_id}", f"interviews/{study_id}/{WAVE}/q/welcome"):
            for lang in ("en", "nl"):
                page = called.browser("interviewer").get(f"/{called.slug}/{path}", query_string={"lang": lang})
                assert page.status_code == 200
                told = [label for label in labels if label.casefold() in page.text.casefold()]
                assert told == []
                assert "voucher" not in page.text.casefold()
        for path in (f"participants/{study_id}", f"participants/{study_id}/voucher", "caseload", "audit", "steward"):
            called.get("interviewer", path, status=404)


def test_every_attempt_is_kept_and_an_appointment_comes_first(called):
    people = re.findall(r"/interviews/(\w{10})", called.html("interviewer", "interviews"))
    last = people[-1]
    called.post("interviewer", f"interviews/{last}", outcome="no_answer")
    again = {"again-day": "8", "again-month": "6", "again-year": "2026", "again-time": "19.15"}
    called.post("interviewer", f"interviews/{last}", outcome="call_back", **again)
    assert first_in(called) == last
    shown = called.get("interviewer", f"interviews/{last}")
    assert "Nobody answered" in shown
    assert "19:15" in shown
    assert "2 times" in called.get("interviewer", "interviews")
    with called.database.reading() as session:
        kept = session.query(Event).filter_by(kind="contact_attempt").order_by(Event.id).all()
        assert [event.detail["outcome"] for event in kept] == ["no_answer", "call_back"]
        assert kept[1].detail["appointment"] == "2026-06-08T17:15:00+00:00"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Choose what came of the call."),
        ({"outcome": "completed"}, "Choose what came of the call."),
        ({"outcome": "call_back"}, "Write the day and the time at which to call back."),
        (
            {"outcome": "call_back", "again-day": "1", "again-month": "1", "again-year": "2026", "again-time": "9"},
            "This moment lies in the past.",
        ),
    ],
)
def test_an_attempt_that_cannot_be_kept_says_why(called, form, said):
    answer = called.post("interviewer", f"interviews/{first_in(called)}", **form)
    assert answer.status_code == 422
    assert said in answer.text


def test_whoever_does_not_want_to_answer_is_not_called_about_this_list_again(called):
    study_id = first_in(called)
    assert called.post("interviewer", f"interviews/{study_id}", outcome="refused").status_code == 422
    called.post("interviewer", f"interviews/{study_id}", outcome="refused", reason="too_long")
    with called.database.reading() as session:
        (kept,) = session.query(Event).filter_by(kind="contact_attempt")
        assert (kept.detail["code"], kept.detail["reason"]) == ("2.11", "too_long")
    assert study_id not in called.html("interviewer", "interviews")
    called.get("interviewer", f"interviews/{study_id}", status=404)


def test_whoever_has_stopped_is_not_in_the_queue(called):
    study_id = first_in(called)
    with called.database.writing() as session:
        participant = called.participant(session, study_id)
        withdrawal.withdraw(session, participant, "no_contact", actor_id=None, now=called.now)
    assert study_id not in called.html("interviewer", "interviews")
    called.get("interviewer", f"interviews/{study_id}/{WAVE}/q/welcome", status=404)


def answer_by_telephone(office, study_id: str) -> int:
    """Reads the list out, question after question, as the pages lead; gives the number of pages."""
    given = {"training_started": "yes"}
    pages, client = 0, office.browser("interviewer")
    path = f"/{office.slug}/interviews/{study_id}/{WAVE}"
    while "/q/" in (here := client.get(path, follow_redirects=True).request.path):
        key = here.rsplit("/", 1)[1]
        with office.database.reading() as session:
            someone = office.participant(session, study_id)
            _version, protocol = locking.in_force(session, someone.pilot_id)
            row = answering.draft(session, someone, WAVE)
            where = answering.context(someone, someone.language, office.now)
            step = walk(answering.instrument_of(protocol, WAVE), row.answers if row else {}, context=where).step(key)
            assert step is not None
        page = client.get(here, base_url="http://localhost").text
        form = MultiDict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        if not step.shown_only:
            form[key] = given.get(key) or (step.choices[0].name if step.choices else "3")
        answer = client.post(here, data=form, base_url="http://localhost")
        assert answer.status_code == 303, (key, step.kind, answer.text)
        pages += 1
        assert pages < 60, "the list does not end"
    return pages


def test_a_list_is_read_out_question_by_question_and_sent_as_told_by_telephone(called):
    study_id = first_in(called)
    assert answer_by_telephone(called, study_id) > 3
    check = f"interviews/{study_id}/{WAVE}/check"
    assert "Ask whether everything is right." in called.get("interviewer", check)
    assert called.post("interviewer", check).status_code == 303
    assert study_id not in called.html("interviewer", "interviews")
    with called.database.reading() as session:
        someone = called.participant(session, study_id)
        sent = session.query(Submission).filter_by(participant_id=someone.id, wave=WAVE).one()
        assert sent.mode == "phone"
        assert sent.analysed["training_started"] == "yes"
        outcomes = [e.detail["outcome"] for e in session.query(Event).filter_by(kind="contact_attempt")]
        assert outcomes == ["completed"]
    called.get("interviewer", check, status=404)


def test_a_question_that_must_be_answered_says_so_on_the_page_of_the_script(called):
    study_id = first_in(called)
    path = f"interviews/{study_id}/{WAVE}"
    called.post("interviewer", f"{path}/q/welcome", revision="0")
    here = called.browser("interviewer").get(f"/{called.slug}/{path}", follow_redirects=True).request.path
    assert not here.endswith("welcome")
    answer = called.post("interviewer", here, revision="1")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_a_list_that_is_not_open_cannot_be_read_out(called):
    study_id = first_in(called)
    refused = called.get("interviewer", f"interviews/{study_id}/followup_12m/q/welcome", status=404)
    assert called.name_of(study_id) not in refused


def test_people_without_a_telephone_are_left_to_their_messages(called):
    with called.site.writing() as (session, _pilot):
        called.site.enrol(session, person(90, phone=None), until="deliver", now=START)
    assert "12 people" in called.get("interviewer", "interviews")


def name_a_second(office, study_id: str) -> None:
    with office.database.writing() as session:
        identity = office.participant(session, study_id).identity
        identity.second_name, identity.second_phone = "Zus Tweede", "+31611112222"


@pytest.mark.parametrize("outcomes", [("no_answer", "machine"), ("wrong_number",)])
def test_somebody_who_knows_where_the_person_is_shows_only_when_calls_were_in_vain(called, outcomes):
    study_id = first_in(called)
    page = f"interviews/{study_id}"
    name_a_second(called, study_id)
    for outcome in outcomes:
        assert "Zus Tweede" not in called.get("interviewer", page)
        called.post("interviewer", page, outcome=outcome)
    shown = called.get("interviewer", page)
    assert "Zus Tweede" in shown
    assert "+31611112222" in shown
    called.post("interviewer", page, outcome="language")
    assert "Zus Tweede" not in called.get("interviewer", page), "the person was reached since"
