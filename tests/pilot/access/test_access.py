"""The table of who may do what, and personal links, apart from any page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from pilot import access
from pilot.db import Base
from pilot.errors import LinkExpired, NotYours
from pilot.models import ROLES, Membership, Organisation, Participant, Pilot, User

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = "only for tests: thirty-two characters or more"


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for number, slug in ((1, "noord"), (2, "zuid")):
            session.add(Pilot(id=number, slug=slug, title={"nl": slug}, mode="live", created_at=NOW))
            session.add(Organisation(id=number, name=f"Loket {slug}"))
            session.flush()
            person = Participant(pilot_id=number, mode="live", study_id=f"P-{slug}", nonce=slug, outreach_arm="open")
            person.language, person.created_at, person.organisation_id = "nl", NOW, number
            session.add(person)
        session.flush()
        yield session
    engine.dispose()


def somebody(session: Session, *roles: tuple[str, int | None], active: bool = True) -> User:
    """A member of staff with (role, number of the pilot, which is also the number of the organisation)."""
    user = User(email="a@noord.nl", active=active, fs_uniquifier="x")
    user.memberships = [Membership(role=role, pilot_id=number, organisation_id=number) for role, number in roles]
    session.add(user)
    session.flush()
    return user


def pilot(session: Session, number: int) -> Pilot:
    found = session.get(Pilot, number)
    assert found is not None
    return found


def test_every_capability_belongs_to_somebody_and_to_known_roles():
    assert [name for name, roles in access.CAPABILITIES.items() if not roles] == []
    assert frozenset().union(*access.CAPABILITIES.values()) == frozenset(ROLES)


# What the protocol promises about blinding and separation of duties, said apart from the table.
PROMISES = {
    "interviewer": {"interview", "see_contact", "type_paper"},
    "policymaker": {"see_published"},
}


@pytest.mark.parametrize(("role", "allowed"), PROMISES.items())
def test_who_is_blind_holds_nothing_that_shows_an_arm(role, allowed):
    assert {name for name, roles in access.CAPABILITIES.items() if role in roles} == allowed


def test_only_a_statistician_opens_a_look_and_no_advisor_sees_outcomes():
    assert access.CAPABILITIES["open_look"] == {"statistician"}
    outcomes = ("see_effects", "see_pooled_outcomes", "export_data", "open_look", "freeze_data")
    assert [name for name in outcomes if "advisor" in access.CAPABILITIES[name]] == []


def test_who_manages_people_has_no_access_to_outcomes_or_contact_data():
    for capability in ("see_effects", "export_data", "see_contact", "open_look"):
        assert "administrator" not in access.CAPABILITIES[capability]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_counts_in_its_own_pilot_only(role):
    user = User(active=True, memberships=[Membership(role=role, pilot_id=1, organisation_id=1)])
    own, other = Pilot(id=1), Pilot(id=2)
    held = {name for name in access.CAPABILITIES if access.may(user, name, own)}
    assert held == {name for name, roles in access.CAPABILITIES.items() if role in roles}
    assert not any(access.may(user, name, other) or access.may(user, name, None) for name in access.CAPABILITIES)


def test_an_administrator_without_a_pilot_is_one_everywhere_and_nobody_else_can_be(session):
    chief = somebody(session, ("administrator", None), ("researcher", None))
    assert access.may(chief, "manage_users", None)
    assert access.may(chief, "manage_users", pilot(session, 2))
    assert not access.may(chief, "see_balance", pilot(session, 1))
    assert [one.slug for one in access.pilots_of(session, chief)] == ["noord", "zuid"]
    assert access.pilots_of(session, chief, "see_balance") == []


def test_somebody_who_left_holds_nothing(session):
    user = somebody(session, ("researcher", 1), ("administrator", None), active=False)
    assert not access.may(user, "see_flow", pilot(session, 1))
    assert access.pilots_of(session, user) == []


def test_a_capability_that_does_not_exist_is_a_mistake_of_ours(session):
    with pytest.raises(KeyError):
        access.may(somebody(session, ("researcher", 1)), "see_flwo", pilot(session, 1))


def test_what_is_not_there_and_what_is_not_yours_raise_the_same(session):
    user = somebody(session, ("advisor", 1))
    told = []
    for slug in ("zuid", "nergens"):
        with pytest.raises(NotYours) as refused:
            access.pilot_for(session, user, slug, "see_caseload")
        told.append((str(refused.value), refused.value.code))
    for study_id in ("P-zuid", "P-nobody"):
        with pytest.raises(NotYours) as refused:
            access.participant_for(session, user, study_id, "see_caseload")
        told.append((str(refused.value), refused.value.code))
    assert len(set(told)) == 1


def test_a_steward_sees_every_participant_of_the_pilot_and_an_advisor_those_of_the_organisation(session):
    user = somebody(session, ("advisor", 1))
    assert access.participant_for(session, user, "P-noord", "log_session").study_id == "P-noord"
    user.memberships[0].organisation_id = 2
    with pytest.raises(NotYours):
        access.participant_for(session, user, "P-noord", "log_session")
    user.memberships[0].role = "steward"
    assert access.participant_for(session, user, "P-noord", "see_contact").study_id == "P-noord"


def test_a_pilot_is_open_to_visitors_only_while_it_runs(session):
    with pytest.raises(NotYours):
        access.open_pilot(session, "noord")
    pilot(session, 1).status = "running"
    assert access.open_pilot(session, "noord").id == 1


def participant(session: Session) -> Participant:
    return access.participant_for(session, somebody(session, ("steward", 1)), "P-noord", "see_contact")


@pytest.mark.parametrize("purpose", sorted(access.LINK_DAYS))
def test_a_link_opens_for_its_days_and_its_purpose_only(session, purpose):
    person = participant(session)
    token = access.link_token(SECRET, person, purpose, now=NOW)
    last = NOW + timedelta(days=access.LINK_DAYS[purpose])
    assert access.by_token(session, SECRET, token, purpose, now=last) is person
    with pytest.raises(LinkExpired):
        access.by_token(session, SECRET, token, purpose, now=last + timedelta(minutes=2))
    for other in set(access.LINK_DAYS) - {purpose}:
        with pytest.raises(NotYours):
            access.by_token(session, SECRET, token, other, now=NOW)


def test_a_replaced_link_says_so(session):
    person = participant(session)
    token = access.link_token(SECRET, person, "survey", now=NOW)
    person.link_generation += 1
    with pytest.raises(LinkExpired) as refused:
        access.by_token(session, SECRET, token, "survey", now=NOW)
    assert refused.value.code == "link_replaced"


def test_a_link_names_its_wave_and_nobody(session):
    person = participant(session)
    token = access.link_token(SECRET, person, "survey", now=NOW, wave="m3")
    assert access.find_link(session, SECRET, token, "survey").wave == "m3"
    assert len(token) < 120


@settings(derandomize=True, deadline=None)
@given(place=st.integers(0, 200), sign=st.sampled_from("AZaz09-_.é"))
def test_a_link_that_was_changed_anywhere_opens_nothing(place, sign):
    person = Participant(study_id="P-noord", link_generation=1)
    token = access.link_token(SECRET, person, "survey", now=NOW)
    place %= len(token)
    changed = token[:place] + sign + token[place + 1 :]
    if changed == token:
        return
    signer = access._signer(SECRET, "survey")
    try:
        read = signer.loads(changed)
    except access.BadData:
        return
    # The last sign of base64 holds spare bits: two spellings of one signature say the same thing.
    assert read == signer.loads(token)


def test_links_of_unknown_purposes_are_never_made(session):
    with pytest.raises(KeyError):
        access.link_token(SECRET, participant(session), "anything", now=NOW)
