"""An advisor's day: who is in the caseload, a talk logged on the way out, a plan, a referral, a voucher, a goodbye."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from pilot import worker
from pilot.catalogue import offers
from pilot.journey import advice, vouchers
from pilot.models import AdviceSession, Caseload, Event, Freeze, Message, Offer

TALK = {
    "held_on-day": "5",
    "held_on-month": "3",
    "held_on-year": "2026",
    "minutes": "150",
    "channel": "in_person",
    "components": ["goals", "skills_inventory"],
    "notes": "Wil graag verder in de zorg.",
}


def page_of(study_id: str, rest: str = "") -> str:
    return f"participants/{study_id}{rest}"


@pytest.fixture
def guided(office) -> str:
    """Somebody with talks and a voucher, guided by `advisor`."""
    return office.study_id("voucher", advisor="advisor")


def test_an_advisor_logs_two_sessions_and_the_minutes_add_up(office, guided):
    assert "0 of 240 minutes" in office.get("advisor", page_of(guided))
    for minutes in ("150", "45"):
        answer = office.post("advisor", page_of(guided, "/talk"), **{**TALK, "minutes": minutes})
        assert answer.status_code == 303
    shown = office.get("advisor", page_of(guided))
    assert "195 of 240 minutes" in shown
    assert "Goals, What somebody can do" in shown
    assert "Wil graag verder in de zorg." in shown
    assert "195 of 240 minutes" in office.get("advisor", "caseload")


def test_the_same_form_sent_twice_is_one_talk(office, guided):
    for _ in range(2):
        assert office.post("advisor", page_of(guided, "/talk"), nonce="the-same-form-twice", **TALK).status_code == 303
    with office.database.reading() as session:
        assert advice.minutes_of(session, office.participant(session, guided)) == 150


def test_the_next_appointment_stands_first_in_the_caseload(office, guided):
    planned = {"next-day": "12", "next-month": "3", "next-year": "2026", "next-time": "14.30"}
    office.post("advisor", page_of(guided, "/talk"), **TALK, **planned)
    page = office.html("advisor", "caseload")
    first = re.findall(r"/participants/(\w+)", page)[0]
    assert first == guided
    assert "14:30" in office.get("advisor", "caseload")
    with office.database.reading() as session:
        talk = session.query(AdviceSession).one()
        assert talk.next_appointment.isoformat() == "2026-03-12T13:30:00+00:00"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"held_on-day": "20"}, "This day has yet to come."),
        ({"held_on-day": "31", "held_on-month": "2"}, "This day does not exist."),
        ({"held_on-day": "", "held_on-month": "", "held_on-year": ""}, "Write the day, the month and the year."),
        ({"minutes": "a lot"}, "between 1 and 600"),
        ({"minutes": "601"}, "between 1 and 600"),
        ({"minutes": "0"}, "between 1 and 600"),
        ({"channel": ""}, "Choose how you spoke with each other."),
        ({"components": []}, "Tick at least one thing that you did."),
        ({"components": ["massage"]}, "Choose from the list what you did."),
        ({"notes": "x" * 10_001}, "This is too long."),
        ({"next-time": "14:30"}, "Write the day as well as the time."),
        ({"next-day": "9", "next-month": "3", "next-year": "2026", "next-time": "25:00"}, "time of the clock"),
        ({"next-day": "4", "next-month": "3", "next-year": "2026", "next-time": "9:00"}, "lies in the past"),
    ],
)
def test_what_is_not_right_is_said_at_the_field_and_what_was_typed_is_kept(office, guided, change, said):
    answer = office.post("advisor", page_of(guided, "/talk"), **{**TALK, **change})
    assert answer.status_code == 422
    assert said in answer.text
    assert TALK["notes"] in answer.text or "notes" in change
    with office.database.reading() as session:
        assert advice.minutes_of(session, office.participant(session, guided)) == 0


def test_a_colleague_of_another_organisation_sees_nothing(office, guided):
    name = office.name_of(guided)
    for who in ("", "?who=everyone"):
        assert name not in words(office, "elsewhere", f"/{office.slug}/caseload{who}")
    for rest in ("", "/talk", "/plan", "/offers", "/voucher", "/handover", "/stop"):
        hidden = office.get("elsewhere", page_of(guided, rest), status=404)
        not_there = office.get("elsewhere", page_of("NOBODY2222", rest), status=404)
        assert name not in hidden
        assert re.sub(r"\b[0-9a-f]{8,}\b", "", hidden) == re.sub(r"\b[0-9a-f]{8,}\b", "", not_there)


def words(office, who, path):
    answer = office.browser(who).get(path)
    assert answer.status_code == 200
    return answer.text


def test_a_colleague_of_the_same_organisation_finds_a_person_by_name_or_telephone(office, guided):
    name = office.name_of(guided)
    assert name not in office.get("colleague", "caseload")
    assert name in words(office, "colleague", f"/{office.slug}/caseload?who=everyone&words={name.replace(' ', '+')}")
    assert name not in words(office, "colleague", f"/{office.slug}/caseload?who=everyone&words=zzz")


def test_people_without_talks_in_their_arm_are_in_nobodys_caseload(office):
    portal_only = office.study_id("portal")
    assert office.name_of(portal_only) not in office.get("advisor", page_of(portal_only), status=404)
    assert portal_only not in words(office, "advisor", f"/{office.slug}/caseload?who=everyone")


def test_a_plan_is_kept_as_a_new_version_and_the_same_text_is_not(office, guided):
    for steps in ("Cursus kiezen", "Cursus kiezen", "Cursus kiezen\nAanmelden"):
        answer = office.post("advisor", page_of(guided, "/plan"), goal="Werken in de zorg", steps=steps)
        assert answer.status_code == 303
    assert "Version 2, written on" in office.get("advisor", page_of(guided))
    refused = office.post("advisor", page_of(guided, "/plan"), goal=" ", steps="Iets")
    assert refused.status_code == 422
    assert "Write what this person wants to reach." in refused.text


def test_a_statement_needs_four_hours_and_a_plan_and_ends_with_the_participants_own_yes(office, guided):
    sign, page = page_of(guided, "/statement"), page_of(guided)
    refused = office.post("advisor", sign, page=page)
    assert refused.status_code == 422
    assert "less than four hours" in refused.text
    for _ in range(2):
        office.post("advisor", page_of(guided, "/talk"), **TALK)
    assert "Write the development plan first." in office.post("advisor", sign, page=page).text
    office.post("advisor", page_of(guided, "/plan"), goal="Vast werk", steps="")
    assert office.post("advisor", sign, page=page).status_code == 303
    link = re.search(r'href="http://localhost(/statement/[^"]+)"', office.html("advisor", page_of(guided)))
    assert link, "the page shows the address at which the participant confirms"
    own = office.app.test_client()
    form = own.get(link[1], base_url="http://localhost").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert token
    own.post(link[1], data={"csrf_token": token[1]}, base_url="http://localhost")
    shown = office.get("advisor", page_of(guided))
    assert "Signed by you on" in shown
    assert "finished" in shown
    assert "finished" in office.get("advisor", "caseload")


@pytest.mark.parametrize(("rest", "field", "fields"), [
    ("/talk", "notes", TALK), ("/plan", "steps", {"goal": "Vast werk"}),
    ("/stop", "reason", {"degree": "no_contact", "sure": "yes"}),
    ("/handover", "reason_namely", {"reason": "other"}),
])  # fmt: skip
def test_a_citizen_number_is_not_kept_in_own_words(office, guided, rest: str, field: str, fields: dict):
    answer = office.post("advisor", page_of(guided, rest), **{**fields, field: "Zijn BSN is 111222333."})
    assert answer.status_code == 422
    assert "This looks like a citizen service number" in answer.text


def test_the_link_to_the_statement_is_sent_to_the_participant_once(office, guided):
    sign, page = page_of(guided, "/statement"), page_of(guided)
    for _ in range(2):
        office.post("advisor", page_of(guided, "/talk"), **TALK)
    office.post("advisor", page_of(guided, "/plan"), goal="Vast werk", steps="")
    with office.database.reading() as session:
        number = office.participant(session, guided).id
    for _ in range(2):
        office.post("advisor", sign, page=page)
        worker.round_once(office.database, office.settings, clock=lambda: office.now + timedelta(hours=26))
    with office.database.reading() as session:
        sent = session.query(Message).filter_by(kind="statement", participant_id=number).all()
    assert [message.status for message in sent] == ["sent"]
    (letter,) = office.settings.outbox.glob("*-statement-*")
    link = re.search(r"http://localhost(/statement/[\w.-]+)", letter.read_text().replace("=\n", "").replace("=3D", "="))
    assert link
    own = office.app.test_client()
    assert own.get(link[1], base_url="http://localhost").status_code == 200


def test_nothing_is_asked_of_who_confirmed_before_the_message_left(office, guided):
    for _ in range(2):
        office.post("advisor", page_of(guided, "/talk"), **TALK)
    office.post("advisor", page_of(guided, "/plan"), goal="Vast werk", steps="")
    office.post("advisor", page_of(guided, "/statement"), page=page_of(guided))
    with office.database.writing() as session:
        advice.confirm_performance(session, office.participant(session, guided), now=office.now)
    worker.round_once(office.database, office.settings, clock=lambda: office.now + timedelta(hours=26))
    assert not list(office.settings.outbox.glob("*-statement-*"))
    with office.database.reading() as session:
        assert [m.status for m in session.query(Message).filter_by(kind="statement")] == ["cancelled"]


def test_a_referral_stands_in_the_record_once(office, guided):
    with office.database.reading() as session:
        offer = session.query(Offer).filter_by(kind="training").order_by(Offer.id).first()
    page = page_of(guided, "/offers")
    for _ in range(2):
        office.post("advisor", page_of(guided, f"/offers/{offer.id}"), page=page)
    with office.database.reading() as session:
        found = offers.referrals_of(session, office.participant(session, guided))
        assert [one.id for one in found] == [offer.id]
    assert offer.title in office.get("advisor", page_of(guided))
    assert "referred" in office.get("advisor", page)


def test_the_catalogue_is_searched_in_plain_words(office, guided):
    path = f"/{office.slug}/{page_of(guided, '/offers')}"
    everything, nothing = words(office, "advisor", f"{path}?lang=en"), words(office, "advisor", f"{path}?words=xyzzy")
    assert "Refer" in everything
    assert "Refer<" not in nothing


def test_a_voucher_is_paid_from_in_parts_and_never_overspent(office, guided):
    page = page_of(guided, "/voucher")
    with office.database.reading() as session:
        issued = vouchers.of(session, office.participant(session, guided))
        assert issued
        whole = issued.amount_cents
    assert office.post("advisor", page, amount="82,50", provider="ROC Voorbeeld").status_code == 303
    for _ in range(2):
        office.post("advisor", page, amount="10", provider="ROC Voorbeeld", nonce="clicked-twice-0123")
    refused = office.post("advisor", page, amount="1.000.000", provider="ROC Voorbeeld")
    assert refused.status_code == 422
    assert "That is too much: the voucher holds" in refused.text
    for amount in ("nothing", "-5", "0", "0,001"):
        assert office.post("advisor", page, amount=amount, provider="ROC").status_code == 422
    assert "Write who gives the training." in office.post("advisor", page, amount="5", provider="").text
    with office.database.reading() as session:
        voucher = vouchers.of(session, office.participant(session, guided))
        assert voucher
        assert (voucher.spent_cents, voucher.amount_cents) == (9_250, whole)


def test_somebody_without_a_voucher_has_no_page_for_it(office):
    page = page_of(office.study_id("advice", advisor="advisor"))
    assert "Training voucher" not in office.get("advisor", page)
    assert "There is no such page" in office.get("advisor", f"{page}/voucher", status=404)


def test_a_handover_needs_a_reason_and_moves_the_person_to_the_colleague(office, guided):
    page, name = page_of(guided, "/handover"), office.name_of(guided)
    chosen = re.search(r'name="colleague" value="(\d+)"', office.html("advisor", page))
    assert chosen
    assert "Choose a colleague." in office.post("advisor", page, reason="away").text
    assert "Choose why." in office.post("advisor", page, colleague=chosen[1], reason="because").text
    assert "in a few words" in office.post("advisor", page, colleague=chosen[1], reason="other", reason_namely=" ").text
    assert "Choose a colleague." in office.post("advisor", page, colleague="999999", reason="away").text
    assert office.post("advisor", page, colleague=chosen[1], reason="away").status_code == 303
    with office.database.reading() as session:
        participant = office.participant(session, guided)
        kept = session.query(Event).filter_by(kind="advisor_assigned", participant_id=participant.id).all()[-1]
        earlier = session.query(Caseload).filter_by(participant_id=participant.id).order_by(Caseload.id).all()[-2]
    assert (kept.detail["reason"], kept.actor_id, kept.at) == ("away", earlier.advisor_id, office.now)
    assert earlier.ended_at == office.now
    assert guided not in office.html("advisor", "caseload")
    assert guided in office.html("colleague", "caseload")
    assert name in office.get("colleague", "caseload")


def test_stopping_is_done_at_once_and_erasure_takes_the_name_away(office, guided):
    page, name = page_of(guided, "/stop"), office.name_of(guided)
    office.post("advisor", page_of(guided, "/talk"), **TALK)
    unsure = office.post("advisor", page, degree="erase")
    assert unsure.status_code == 422
    assert "Tick that the person asked for this." in unsure.text
    assert office.post("advisor", page, degree="erase", sure="yes").status_code == 303
    shown = office.get("advisor", page_of(guided))
    assert name not in shown
    assert TALK["notes"] not in shown
    assert "the personal data are erased" in shown
    office.get("advisor", page_of(guided, "/talk"), status=409)
    office.get("advisor", page_of(guided, "/plan"), status=409)


def test_erasure_replaces_the_frozen_data(office, guided):
    from pilot import dataset, locking

    with office.database.writing() as session:
        pilot = office.site.pilot(session)
        _version, protocol = locking.in_force(session, pilot.id)
        folder = office.settings.freezes
        dataset.freeze(session, pilot, protocol, folder=folder, with_arms=False, actor_id=None, now=office.now)
    office.post("advisor", page_of(guided, "/stop"), degree="erase", sure="yes")
    with office.database.reading() as session:
        first, second = session.query(Freeze).order_by(Freeze.number)
        assert first.superseded_by == second.id
        assert not (folder / first.file).exists()


def test_no_more_contact_leaves_the_help_and_its_record_going(office, guided):
    office.post("advisor", page_of(guided, "/stop"), degree="no_contact", sure="yes")
    assert "no more messages or calls" in office.get("advisor", page_of(guided))
    assert office.post("advisor", page_of(guided, "/talk"), **TALK).status_code == 303


def test_the_pages_speak_dutch(office, guided):
    assert "Leg een gesprek vast" in office.get("advisor", page_of(guided), lang="nl")
    assert "van 240 minuten" in office.get("advisor", "caseload", lang="nl")
