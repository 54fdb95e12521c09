"""An administrator lets people in and keeps people out; in a demo the clock can be moved, elsewhere it cannot."""

from __future__ import annotations

import re

import pytest
from small_pilot import PASSWORD
from sqlalchemy import select

from pilot import people
from pilot.models import Event, Message, Pilot, User

NEW = "/administrator/people/new"
SOMEBODY = {"name": "Nieuwe Collega", "email": "nieuw@proef.nl", "role": "advisor", "organisation": "Loket Voorbeeld"}


def let_in(office, **changed: str):
    form = {**SOMEBODY, "pilot": office.slug, "language": "nl", **changed}
    return office.post("administrator", NEW, **form)


def sign_in(office, email: str, password: str) -> int:
    client, site = office.app.test_client(), office.settings.base_url
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login", base_url=site).text)
    assert token
    form = {"csrf_token": token[1], "email": email, "password": password}
    return client.post("/login", data=form, base_url=site).status_code


def test_somebody_who_is_let_in_signs_in_with_the_password_that_was_shown_once(office):
    answer = let_in(office)
    assert answer.status_code == 200
    shown = re.search(r'class="once code">([^<]+)<', answer.text)
    assert shown
    assert "no-store" in answer.headers["Cache-Control"]
    assert shown[1] not in office.html("administrator", "/administrator/people")
    assert sign_in(office, "nieuw@proef.nl", shown[1]) == 302
    assert office.browser("nieuw").get("/desk").location == "/change"
    assert "Nieuwe Collega" in office.get("administrator", "/administrator/people")


def test_one_more_role_leaves_the_password_alone(office):
    answer = let_in(office, email="advisor@proef.nl", role="steward", name="Advisor")
    assert "The password is unchanged." in answer.text
    assert sign_in(office, "advisor@proef.nl", PASSWORD) == 302
    again = let_in(office, email="advisor@proef.nl", role="steward", name="Advisor")
    assert again.status_code == 422
    assert "has that role there already" in again.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"email": "geen adres"}, "This is not an e-mail address."),
        ({"email": ""}, "This is not an e-mail address."),
        ({"name": " "}, "Write the name."),
        ({"role": "king"}, "Choose a role."),
        ({"pilot": ""}, "Choose the pilot."),
        ({"organisation": ""}, "Name the organisation"),
    ],
)
def test_what_is_not_right_is_said_and_nobody_is_let_in(office, changed, said):
    answer = let_in(office, **changed)
    assert answer.status_code == 422
    assert said in answer.text
    with office.database.reading() as session:
        assert people.find(session, "nieuw@proef.nl") is None


def test_whoever_is_kept_out_is_out_at_once_and_can_be_let_in_again(office):
    with office.database.reading() as session:
        advisor = people.by_email(session, "advisor@proef.nl").id
    office.get("advisor", "caseload")
    page = "/administrator/people"
    office.post("administrator", f"{page}/{advisor}/active", page=page, active="no")
    assert office.browser("advisor").get(f"/{office.slug}/caseload").status_code == 302
    assert sign_in(office, "advisor@proef.nl", PASSWORD) == 200
    office.post("administrator", f"{page}/{advisor}/active", page=page, active="yes")
    assert sign_in(office, "advisor@proef.nl", PASSWORD) == 302
    with office.database.reading() as session:
        kinds = session.scalars(select(Event.kind).where(Event.kind.like("user_%")).order_by(Event.id)).all()
        assert kinds == ["user_deactivated", "user_activated"]


def test_a_lost_password_is_replaced_and_the_old_one_no_longer_opens(office):
    with office.database.reading() as session:
        advisor = people.by_email(session, "advisor@proef.nl").id
    page = "/administrator/people"
    answer = office.post("administrator", f"{page}/{advisor}/password", page=page)
    shown = re.search(r'class="once code">([^<]+)<', answer.text)
    assert shown
    assert sign_in(office, "advisor@proef.nl", PASSWORD) == 200
    assert sign_in(office, "advisor@proef.nl", shown[1]) == 302
    assert office.browser("advisor").get("/desk").location == "/change"


def test_nobody_locks_the_own_door(office):
    with office.database.reading() as session:
        own = people.by_email(session, "administrator@proef.nl").id
    page = "/administrator/people"
    assert office.post("administrator", f"{page}/{own}/active", page=page, active="no").status_code == 404
    with office.database.reading() as session:
        assert session.get_one(User, own).active


def test_only_a_demo_has_a_clock_that_moves(office):
    office.get("administrator", "clock", status=404)
    assert "Clock" not in office.get("administrator", "audit")


def test_moving_the_clock_of_a_demo_sends_what_falls_due(demo_office):
    demo = demo_office
    assert "Clock" in demo.get("administrator", "clock")
    for days in ("0", "401", "soon", ""):
        assert demo.post("administrator", "clock", days=days).status_code == 422
    assert demo.post("administrator", "clock", days="92").status_code == 303
    shown = demo.get("administrator", "clock")
    assert "92 days" in shown
    assert "Questions: invitation 0 12 0 0" in shown
    with demo.database.reading() as session:
        assert session.scalars(select(Pilot.clock_shift)).one() == 92 * 24 * 3600
        sent = session.scalars(select(Message.status).where(Message.kind == "wave_invitation")).all()
        assert sent == ["sent"] * 12
    assert len(list(demo.settings.outbox.iterdir())) >= 12
