"""Somebody has another number: an interviewer who hears it keeps it, with who said so, and nothing else changes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from small_pilot import START

from pilot.models import Event, Identity


@pytest.fixture
def called(office):
    office.now = START + timedelta(days=95)
    return office


def known(office, study_id: str) -> Identity:
    with office.database.reading() as session:
        return session.get(Identity, office.participant(session, study_id).id)


def keep(office, study_id: str, **form: str):
    return office.post("interviewer", f"interviews/{study_id}/contact", **form)


def test_a_new_number_holds_at_once_and_the_earlier_one_is_kept(called):
    study_id = called.study_id("portal")
    before = known(called, study_id)
    kept = keep(called, study_id, phone="06 44 55 66 77", email=before.email or "", source="told_by_participant")
    assert kept.status_code == 303
    after = known(called, study_id)
    assert (after.phone, after.name, after.birth_date) == ("+31644556677", before.name, before.birth_date)
    assert json.loads(after.earlier or "[]")[-1]["phone"] == before.phone
    assert "+31644556677" in called.get("interviewer", f"interviews/{study_id}")
    with called.database.reading() as session:
        (event,) = session.query(Event).filter_by(kind="contact_corrected").all()
        assert (event.detail["fields"], event.detail["reason"]) == (["phone"], "told_by_participant")
    assert "+31644556677" not in json.dumps(event.detail)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"phone": "", "email": "", "source": "told_by_second"}, "Write a telephone number or an e-mail address."),
        ({"phone": "twelve", "email": "", "source": "told_by_second"}, "telephone number"),
        ({"phone": "06 44 55 66 77", "email": ""}, "Choose who told you."),
        ({"phone": "", "email": "somebody", "source": "told_by_second"}, "This is not an e-mail address."),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_changes_nothing(called, form: dict[str, str], said: str):
    study_id = called.study_id("portal")
    before = known(called, study_id).phone
    page = keep(called, study_id, **form)
    assert page.status_code == 422
    assert said in page.text
    assert form["phone"] in page.text
    assert known(called, study_id).phone == before


def test_only_interviewers_and_only_of_somebody_who_is_to_be_asked(called):
    study_id = called.study_id("portal")
    address = f"/{called.slug}/interviews/{study_id}/contact"
    assert called.browser("advisor").get(address).status_code == 404
    assert called.browser("interviewer").get(address).status_code == 200
    called.now = START
    assert called.browser("interviewer").get(address).status_code == 404
