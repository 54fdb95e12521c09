"""Two sign-ups on one telephone are seen by whoever checks; the mark that shows it says nothing and goes in time."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from small_pilot import PASSWORD, START
from sqlalchemy import select
from visitors import Doors, Visitor
from werkzeug.test import Cookie

from pilot import own_data, quality
from pilot.journey import withdrawal
from pilot.locking import in_force
from pilot.models import Identity, Participant
from pilot.web import device

OWN = {"name": "Jan", "phone": "0612345678"}
OTHER = {"name": "Piet", "phone": "0698765432"}


def signed_up(doors: Doors, number: int, contact: dict[str, str], client: FlaskClient | None = None) -> Visitor:
    """Somebody who has told how to be reached, on a telephone of their own or on this one."""
    visitor = doors.visitor(number)
    visitor.client = client or visitor.client
    return visitor.start().go_on("contact").send(**contact, email="")


def mark(visitor: Visitor) -> Cookie:
    """The cookie on this telephone."""
    found = visitor.client.get_cookie("device")
    assert found is not None
    return found


def marks(doors: Doors) -> list[str | None]:
    with doors.site.reading() as (session, _pilot):
        return list(session.scalars(select(Identity.device_hash).order_by(Identity.participant_id)))


def alike(doors: Doors) -> dict[str, tuple[str, ...]]:
    with doors.site.reading() as (session, pilot):
        _version, protocol = in_force(session, pilot.id)
        found = quality.check(session, pilot, protocol, blind=lambda arm: arm, today=START.date())
        return {one.by: one.study_ids for one in found.alike}


def test_two_people_on_one_telephone_are_a_flag_and_two_telephones_are_none(doors: Doors):
    first = signed_up(doors, 1, OWN)
    signed_up(doors, 2, {"name": "Sara", "phone": "0611112222"})
    assert alike(doors) == {}
    signed_up(doors, 3, OTHER, first.client)
    one, two, three = marks(doors)
    assert one == three != two
    with doors.site.reading() as (session, _pilot):
        a, b, c = session.scalars(select(Participant).order_by(Participant.id))
        assert alike(doors) == {"device": (a.study_id, c.study_id)}
        assert (b.possible_duplicate_of, c.possible_duplicate_of) == (None, a.id)
        assert (a.withdrawn, c.withdrawn) == (None, None)


def test_the_mark_is_given_after_the_yes_with_words_and_only_once(doors: Doors):
    visitor = doors.visitor().start().go_on("consent")
    assert visitor.client.get_cookie("device") is None
    visitor.go_on("contact")
    given = mark(visitor)
    assert "een cookie" in visitor.page
    assert given.http_only
    assert (given.same_site, given.secure, given.max_age) == ("Lax", False, device.DAYS * 24 * 3600)
    visitor.send(name="", phone="")
    visitor.send(**OWN, email="")
    visitor.open(f"/e/{visitor.token}/contact").send(**OWN, email="")
    assert mark(visitor).value == given.value
    (kept,) = marks(doors)
    assert kept is not None
    assert given.value not in kept
    doors.site.database.dispose()
    written = b"".join(path.read_bytes() for path in doors.site.settings.home.rglob("*") if path.is_file())
    assert given.value.encode() not in written


def test_a_mark_that_somebody_made_up_is_replaced_and_one_that_was_refused_is_no_obstacle(doors: Doors):
    visitor = doors.visitor()
    visitor.client.set_cookie("device", "x" * 50)
    visitor.start().go_on("contact")
    assert re.fullmatch(r"[\w-]{32}", mark(visitor).value)
    visitor.client.delete_cookie("device")
    assert visitor.send(**OWN, email="").status == 200
    assert marks(doors) == [None]


def test_a_computer_on_which_staff_have_signed_in_gets_no_mark(doors: Doors):
    visitor = doors.visitor()
    sign_in = visitor.open("/login").send(email="steward@proef.nl", password=PASSWORD)
    assert sign_in.status == 200
    signed_up(doors, 1, OWN, visitor.client)
    assert visitor.client.get_cookie("device") is None
    visitor.client.set_cookie("device", "a" * 32)
    signed_up(doors, 2, OTHER, visitor.client)
    assert marks(doors) == [None, None]
    assert alike(doors) == {}


@pytest.mark.parametrize("degree", ["no_contact", "no_data", "erase"])
def test_whoever_stops_leaves_no_mark_and_nobody_else_to_call(doors: Doors, degree: str):
    second = {"second_name": "Zus Tweede", "second_phone": "0611112222", "second_yes": "yes", "second_knows": "yes"}
    signed_up(doors, 1, {**OWN, **second})
    with doors.site.writing() as (session, _pilot):
        someone = session.scalars(select(Participant)).one()
        assert own_data.of(session, someone)["contact"]["same_device_check"] is True
        withdrawal.withdraw(session, someone, degree, actor_id=None, now=START)
    with doors.site.reading() as (session, _pilot):
        rows = session.scalars(select(Identity)).all()
    assert len(rows) == (0 if degree == "erase" else 1)
    assert [(row.device_hash, row.second_name, row.second_phone) for row in rows] == [(None, None, None)] * len(rows)


@pytest.mark.parametrize(("lang", "said"), [("nl", "merkteken"), ("en", "mark")])
def test_anybody_can_read_what_is_kept_for_how_long(doors: Doors, lang: str, said: str):
    visitor = doors.visitor().open(f"/p/{doors.site.slug}?lang={lang}")
    notice = visitor.open(visitor.link("/data"))
    assert notice.status == 200
    assert said in notice.page
    assert f"{device.DAYS} dag" in notice.page or f"{device.DAYS} day" in notice.page
    assert 'class="errors"' not in notice.page
