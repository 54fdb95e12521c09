"""The door of every page: who is let in, who signs in first, who learns nothing, and whose link opens what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Blueprint, g
from sqlalchemy import select

from pilot import access
from pilot.models import Participant, User
from pilot.web.rules import rule


@pytest.fixture
def doors(house):
    """The house with one page of each kind, each saying what its rule found."""
    bp = Blueprint("doors", __name__)

    @bp.get("/p/<slug>/caseload")
    @rule.may("see_caseload")
    def caseload(slug: str) -> str:
        return f"caseload of {g.pilot.slug}"

    @bp.get("/p/<slug>/person/<study_id>")
    @rule.may("see_caseload")
    def person(slug: str, study_id: str) -> str:
        return g.participant.study_id

    @bp.get("/everybody")
    @rule.may("manage_users")
    def everybody() -> str:
        return "everybody"

    @bp.get("/door/<token>")
    @rule.token("survey")
    def survey(token: str) -> str:
        return f"{g.participant.study_id} {g.pilot.slug} {g.link.wave}"

    @bp.get("/forgotten")
    def forgotten() -> str:
        return "nobody may read this"

    house.app.register_blueprint(bp)
    return house


def link(house, *, at=None, secret=None, **wanted) -> str:
    with house.database.reading() as session:
        participant = session.scalar(select(Participant).where(Participant.study_id == "P-noord"))
        secret = secret or house.settings.secret_key
        return access.link_token(secret, participant, wanted.pop("purpose", "survey"), now=at or house.now, **wanted)


def test_a_page_without_a_rule_is_refused_to_everybody(doors):
    assert doors.visitor().get("/forgotten").status_code == 500
    assert doors.signed_in("chief@huis.nl").get("/forgotten").status_code == 500


def test_a_visitor_signs_in_first_and_comes_back_to_the_page(doors):
    visitor = doors.visitor()
    answer = visitor.get("/p/noord/caseload")
    assert answer.status_code == 302
    assert answer.location == "/login?next=/p/noord/caseload"
    page = visitor.get(answer.location)
    assert "next=" in page.text
    back = doors.post(visitor, answer.location, email="advisor@noord.nl", password="vier woorden die ik onthoud")
    assert back.location == "/p/noord/caseload"


def test_nobody_is_led_to_another_site_after_signing_in(doors):
    answer = doors.post(
        doors.visitor(), "/login?next=https://elsewhere.example/", email="advisor@noord.nl",
        password="vier woorden die ik onthoud",
    )  # fmt: skip
    assert "elsewhere" not in (answer.location or "")


def test_an_advisor_opens_the_own_pilot(doors):
    assert doors.signed_in("advisor@noord.nl").get("/p/noord/caseload").text == "caseload of noord"


@pytest.mark.parametrize("email", ["advisor@zuid.nl", "researcher@noord.nl", "policymaker@noord.nl"])
def test_what_is_not_yours_looks_like_what_is_not_there(doors, email):
    client = doors.signed_in(email)
    not_yours, not_there = client.get("/p/noord/caseload"), client.get("/p/nergens/caseload")
    assert (not_yours.status_code, not_there.status_code) == (404, 404)
    assert not_yours.text.replace("noord", "nergens") == not_there.text


def test_an_advisor_sees_the_people_of_the_own_organisation_only(doors):
    client = doors.signed_in("advisor@noord.nl")
    assert client.get("/p/noord/person/P-noord").text == "P-noord"
    assert client.get("/p/noord/person/P-zuid").status_code == 404
    with doors.database.writing() as session:
        session.scalar(select(Participant).where(Participant.study_id == "P-noord")).organisation_id = None
    assert client.get("/p/noord/person/P-noord").status_code == 404


def test_a_participant_is_not_shown_under_the_name_of_another_pilot(doors):
    with doors.database.writing() as session:
        advisor = session.scalar(select(User).where(User.email == "advisor@noord.nl"))
        other = session.scalar(select(User).where(User.email == "advisor@zuid.nl"))
        for membership in list(other.memberships):
            membership.user = advisor
    client = doors.signed_in("advisor@noord.nl")
    assert client.get("/p/zuid/person/P-zuid").status_code == 200
    assert client.get("/p/noord/person/P-zuid").status_code == 404


def test_pages_of_the_whole_installation_are_for_its_administrator(doors):
    assert doors.signed_in("chief@huis.nl").get("/everybody").text == "everybody"
    assert doors.signed_in("administrator@noord.nl").get("/everybody").status_code == 404


def test_somebody_who_was_shut_out_is_out_at_once(doors):
    client = doors.signed_in("advisor@noord.nl")
    with doors.database.writing() as session:
        session.scalar(select(User).where(User.email == "advisor@noord.nl")).active = False
    assert client.get("/p/noord/caseload").status_code == 302


def test_a_personal_link_opens_its_page_without_a_password(doors):
    assert doors.visitor().get(f"/door/{link(doors, wave='m3')}").text == "P-noord noord m3"


def test_a_link_that_is_forged_or_made_for_something_else_opens_nothing(doors):
    good = link(doors)
    forged = [
        good[:-2] + "xx",
        good.replace(good[3], "Z", 1),
        "x",
        link(doors, secret="x" * 32),
        link(doors, purpose="portal"),
    ]
    assert [doors.visitor().get(f"/door/{token}").status_code for token in forged] == [404] * 5


def test_an_old_link_says_that_it_is_old_and_whom_to_call(doors):
    token = link(doors, at=doors.now - timedelta(days=61))
    answer = doors.visitor().get(f"/door/{token}")
    assert answer.status_code == 410
    assert "Deze link werkt niet meer" in answer.text
    assert doors.settings.help_phone in answer.text


def test_a_newer_link_closes_the_older_one(doors):
    token = link(doors)
    with doors.database.writing() as session:
        session.scalar(select(Participant).where(Participant.study_id == "P-noord")).link_generation += 1
    answer = doors.visitor().get(f"/door/{token}")
    assert answer.status_code == 410
    assert "vervangen" in answer.text
    assert doors.visitor().get(f"/door/{link(doors)}").status_code == 200
