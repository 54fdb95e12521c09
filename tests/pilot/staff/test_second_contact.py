"""Somebody who knows where a participant is: seen by stewards, and never written over without saying who it is now."""

from __future__ import annotations

import pytest

from pilot.journey import consent
from pilot.models import Consent, Event, Identity


@pytest.fixture
def with_a_second(office) -> str:
    """Somebody who named somebody who knows where they are, with a yes of their own."""
    study_id = office.study_id("portal")
    with office.database.writing() as session:
        someone = office.participant(session, study_id)
        someone.identity.second_name, someone.identity.second_phone = "Zus Tweede", "+31611112222"
        consent.second_contact(session, someone, given=True, language="nl", now=office.now)
    return study_id


def mended(office, study_id: str, **form: str) -> int:
    own = {"name": office.name_of(study_id), "phone": "06 98 76 54 32", "email": "", "reason": "asked"}
    return office.post("steward", f"steward/people/{study_id}/contact", **own, **form).status_code


def second_of(office, study_id: str):
    """The second person who stands there, what is told of earlier ones, the deeds about it, and each yes."""
    with office.database.reading() as session:
        someone = office.participant(session, study_id)
        identity = session.get(Identity, someone.id)
        deeds = [
            (e.detail["who"], e.detail["reason"]) for e in session.query(Event).filter_by(kind="second_contact_changed")
        ]
        yes = session.query(Consent).filter_by(participant_id=someone.id, purpose="second_contact").count()
        return (identity.second_name, identity.second_phone), identity.earlier or "", deeds, yes


def test_the_page_of_a_person_says_who_knows_where_they_are(office, with_a_second):
    shown = office.get("steward", f"steward/people/{with_a_second}")
    assert "Somebody who knows where this person is Name Zus Tweede Telephone +31611112222" in shown
    assert "Nobody was named." in office.get("steward", f"steward/people/{office.study_id('advice')}")


def test_another_person_is_never_written_over_the_one_who_was_named_without_saying_so(office, with_a_second):
    other = {"second_name": "Broer Derde", "second_phone": "06 22 22 33 33"}
    assert mended(office, with_a_second, **other) == 422
    assert second_of(office, with_a_second)[0] == ("Zus Tweede", "+31611112222")
    assert mended(office, with_a_second, **other, second_as="other") == 303
    now, earlier, deeds, yes = second_of(office, with_a_second)
    assert now == ("Broer Derde", "+31622223333")
    assert "Zus" not in earlier, "of the person who was replaced nothing is kept"
    assert (deeds, yes) == ([("other", "asked")], 2)


def test_a_wrong_number_of_the_same_person_is_mended_and_told(office, with_a_second):
    assert (
        mended(office, with_a_second, second_name="Zus Tweede", second_phone="06 11 11 22 23", second_as="same") == 303
    )
    now, earlier, deeds, yes = second_of(office, with_a_second)
    assert (now, deeds, yes) == (("Zus Tweede", "+31611112223"), [("same", "asked")], 1)
    assert "+31611112222" in earlier
    assert mended(office, with_a_second, second_name="", second_phone="") == 303
    (gone, _phone), earlier, deeds, yes = second_of(office, with_a_second)
    assert (gone, len(deeds), yes) == (None, 1, 2)
    assert "Zus" not in earlier
