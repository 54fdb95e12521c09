"""An interviewer calls people whose list is open, knows nothing about their arm, and keeps what came of each call."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from small_pilot import START, changed, make, person, settings_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from pilot import dataset, locking
from pilot.journey import answering, withdrawal
from pilot.models import Event, Participant, Submission
from pilot.web.interviewer import reading, words
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
    assert "Nobody has to be interviewed now." in office.get("interviewer", "interviews")
    office.now = START + timedelta(days=95)
    assert "12 people" in office.get("interviewer", "interviews")


def test_an_interviewer_never_sees_an_arm(called):
    with called.database.reading() as session:
        _version, protocol = locking.in_force(session, called.site.pilot(session).id)
    labels = [label for arm in protocol.arms for label in arm.label.values()]
    for study_id in {called.study_id(arm.name) for arm in protocol.arms}:
        for path in ("interviews", f"interviews/{study_id}", f"interviews/{study_id}/{WAVE}/phone/q/welcome"):
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
    called.get("interviewer", f"interviews/{study_id}/{WAVE}/phone/q/welcome", status=404)


def answer_in(office, study_id: str, mode: str) -> int:
    """Reads the list out, question after question, as the pages lead; gives the number of pages."""
    given = {"training_started": "yes"}
    pages, client = 0, office.browser("interviewer")
    path = f"/{office.slug}/interviews/{study_id}/{WAVE}/{mode}"
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
    assert answer_in(called, study_id, "phone") > 3
    check = f"interviews/{study_id}/{WAVE}/phone/check"
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
    path = f"interviews/{study_id}/{WAVE}/phone"
    called.post("interviewer", f"{path}/q/welcome", revision="0")
    here = called.browser("interviewer").get(f"/{called.slug}/{path}", follow_redirects=True).request.path
    assert not here.endswith("welcome")
    answer = called.post("interviewer", here, revision="1")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_a_list_that_is_not_open_cannot_be_read_out(called):
    study_id = first_in(called)
    refused = called.get("interviewer", f"interviews/{study_id}/followup_12m/phone/q/welcome", status=404)
    assert called.name_of(study_id) not in refused


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


def two_people(tmp_path, office_of, modes: list[str]):
    """A pilot whose first follow-up is asked in these modes, with two people, one without a number."""
    site = make(settings_for(tmp_path / "home"), protocol=changed(lambda data: data["waves"][1].update(modes=modes)))
    with site.writing() as (session, _pilot):
        site.enrol(session, person(1), until="deliver")
        site.enrol(session, person(2, phone=None), until="deliver")
    office = office_of(site)
    office.now = START + timedelta(days=95)
    return office


@pytest.fixture
def at_the_desk(tmp_path, office_of):
    """A pilot that asks at the desk first and by telephone second."""
    return two_people(tmp_path, office_of, ["self", "desk", "phone"])


def test_people_without_a_telephone_are_left_to_their_messages_where_nobody_sits_at_a_desk(tmp_path, office_of):
    office = two_people(tmp_path, office_of, ["self", "phone", "paper"])
    assert "1 person" in office.get("interviewer", "interviews")
    called, _other = with_a_number(office)
    assert "at the desk" not in office.get("interviewer", f"interviews/{called}")


def with_a_number(office) -> tuple[str, str]:
    """The study numbers of who has a telephone and of who has none."""
    with office.database.reading() as session:
        people = session.scalars(select(Participant).order_by(Participant.id))
        return tuple(one.study_id for one in people)  # type: ignore[return-value]


def test_somebody_without_a_number_is_asked_at_the_desk_and_only_there(at_the_desk):
    office, (called, other) = at_the_desk, with_a_number(at_the_desk)
    shown = office.get("interviewer", "interviews")
    assert "2 people" in shown
    assert shown.count("at the desk") == 2, "the protocol puts the desk first"
    page = office.get("interviewer", f"interviews/{other}")
    assert "It is good that you are here." in page or "Fijn dat u er bent." in page
    assert "questions by telephone" not in page
    with office.database.reading() as session:
        _version, protocol = locking.in_force(session, office.site.pilot(session).id)
    labels = [label for arm in protocol.arms for label in arm.label.values()]
    asked = office.html("interviewer", f"interviews/{other}/{WAVE}/desk/q/welcome")
    assert [label for label in labels if label.casefold() in (page + asked).casefold()] == []
    office.get("interviewer", f"interviews/{other}/{WAVE}/phone/q/welcome", status=404)
    office.get("interviewer", f"interviews/{called}/{WAVE}/phone/q/welcome")
    assert "Ik bel namens" in office.browser("interviewer").get(f"/{office.slug}/interviews/{called}?how=phone").text


def test_a_list_asked_at_the_desk_is_kept_as_told_there(at_the_desk):
    office, (_called, other) = at_the_desk, with_a_number(at_the_desk)
    assert answer_in(office, other, "desk") > 3
    assert office.post("interviewer", f"interviews/{other}/{WAVE}/desk/check").status_code == 303
    with office.database.reading() as session:
        sent = session.query(Submission).filter_by(wave=WAVE).one()
        (kept,) = session.query(Event).filter_by(kind="contact_attempt")
        pilot = office.site.pilot(session)
        frame = dataset.build(session, pilot, locking.in_force(session, pilot.id)[1])
    assert (sent.mode, sent.modes) == ("desk", {})
    assert (kept.detail["mode"], kept.detail["outcome"], kept.detail["code"]) == ("desk", "completed", "1.1")
    assert set(frame.data[f"{WAVE}__mode"].dropna()) == {"desk"}


def test_a_list_that_was_begun_alone_keeps_for_each_answer_how_it_was_given(at_the_desk):
    office, (_called, other) = at_the_desk, with_a_number(at_the_desk)
    with office.database.writing() as session:
        someone = office.participant(session, other)
        _version, protocol = locking.in_force(session, someone.pilot_id)
        page = {"training_started": ["yes"]}
        kept = answering.keep(
            session, protocol, someone, WAVE, "training_started", page, revision=0, language="nl", now=office.now
        )
        assert not kept.errors
    answer_in(office, other, "desk")
    office.post("interviewer", f"interviews/{other}/{WAVE}/desk/check")
    with office.database.reading() as session:
        sent = session.query(Submission).filter_by(wave=WAVE).one()
        pilot = office.site.pilot(session)
        frame = dataset.build(session, pilot, locking.in_force(session, pilot.id)[1])
    assert sent.modes.pop("training_started") == "self"
    assert set(sent.modes.values()) == {"desk"}
    assert set(frame.data[f"{WAVE}__modes"].dropna()) == {"self desk"}


def test_an_appointment_says_how_and_each_way_has_outcomes_of_its_own(at_the_desk):
    office, (called, _other) = at_the_desk, with_a_number(at_the_desk)
    page = f"interviews/{called}"
    assert office.post("interviewer", page, how="desk", outcome="busy").status_code == 422
    assert office.post("interviewer", page, how="phone", outcome="no_show").status_code == 422
    assert "new appointment" in office.post("interviewer", page, how="desk", outcome="later").text
    assert office.post("interviewer", page, how="desk", outcome="no_show").status_code == 303
    again = {"again-day": "8", "again-month": "6", "again-year": "2026", "again-time": "19.15", "again-how": "phone"}
    assert office.post("interviewer", page, how="desk", outcome="later", **again).status_code == 303
    with office.database.reading() as session:
        codes = [(e.detail["mode"], e.detail["code"]) for e in session.query(Event).filter_by(kind="contact_attempt")]
    assert codes == [("desk", "2.25"), ("desk", "2.25")]
    assert "by telephone" in office.get("interviewer", "interviews"), "the appointment is by telephone"
    assert "Ik bel namens" in office.get("interviewer", page)


def test_every_outcome_has_words_and_every_mode_the_same_final_ones():
    for mode, outcomes in reading.OUTCOMES.items():
        assert [one for one in outcomes if one not in words.OUTCOMES] == []
        assert set(reading.CLOSING) <= set(outcomes), mode
    assert set(reading.OUTCOMES) == set(words.MODES) == {"phone", "desk"}
