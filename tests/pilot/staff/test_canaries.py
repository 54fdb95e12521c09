"""People with names that stand nowhere else: no export, log, address, event or error page ever holds them."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path

import pytest
from small_pilot import person
from sqlalchemy import select, text

from pilot import dataset, exports, locking, log, worker
from pilot.crypto import Encrypted
from pilot.db import Base
from pilot.journey import enrolment
from pilot.models import Identity, Participant

NAME, PHONE, EMAIL, POSTCODE = "Kanarina Gelevink", "+31687654321", "kanarina.gelevink@canary.example", "9876 ZX"
MARKS = ("Kanarina", "Gelevink", "87654321", "canary.example", "9876 ZX", "9876ZX")


def marks_in(content: str | bytes) -> list[str]:
    readable = content if isinstance(content, str) else content.decode("latin-1")
    return [mark for mark in MARKS if mark.casefold() in readable.casefold()]


@pytest.fixture
def canary(office) -> str:
    """The study number of somebody who was drawn, is guided by `advisor`, and whose name stands nowhere else."""
    study_id = office.study_id("advice", advisor="advisor")
    with office.site.writing() as (session, _pilot):
        someone = session.scalars(select(Participant).where(Participant.study_id == study_id)).one()
        contact = enrolment.Contact(NAME, PHONE, EMAIL, POSTCODE, "1985-07-03")
        keyring = office.database.keyring
        enrolment.set_contact(session, someone, contact, keyring=keyring, secret=office.site.secret, now=office.now)
    return study_id


def test_a_name_is_shown_to_who_may_see_it_so_that_these_tests_can_fail(office, canary):
    assert NAME in office.get("steward", f"steward/people/{canary}")
    assert marks_in(f"<p>{NAME}, {PHONE}, {EMAIL}, {POSTCODE}</p>") == [m for m in MARKS if m != "9876ZX"]


def test_no_export_holds_a_name(office, canary, tmp_path: Path):
    with office.site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        folder = office.settings.freezes
        row = dataset.freeze(session, pilot, protocol, folder=folder, with_arms=True, actor_id=None, now=office.now)
        written = exports.write(dataset.read_freeze(folder, row), row, protocol, tmp_path / "out", language="nl")
    files = [*written, *(path for path in folder.rglob("*") if path.is_file())]
    assert len(files) >= 6
    assert {path.name: found for path in files if (found := marks_in(path.read_bytes()))} == {}


def test_no_column_holds_a_name_that_can_be_read(office, canary):
    """Encrypted columns aside, and there the bytes of the file tell nothing either."""
    worker.round_once(office.database, office.settings, clock=lambda: office.now)
    with office.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            open_columns = [column for column in table.columns if not isinstance(column.type, Encrypted)]
            for row in session.execute(select(*open_columns)):
                assert marks_in(str(row)) == [], table.name
        session.execute(text("SELECT 1"))
        assert session.scalar(select(Identity.name).join(Participant).where(Participant.study_id == canary)) == NAME
    home = office.settings.home
    assert {path.name for path in home.glob("pilot.sqlite3*") if marks_in(path.read_bytes())} == set()


PAGES = ("steward", "steward/people", "steward/duplicates", "steward/letters", "messages", "audit", "results", "flow",
         "looks", "protocol", "interviews")  # fmt: skip


def test_no_address_holds_a_name_and_no_page_of_numbers_shows_one(office, canary):
    found = office.post("steward", "steward/people", who=EMAIL)
    assert found.status_code == 303
    assert marks_in(found.location) == []
    for who, page in [("steward", page) for page in (*PAGES, f"steward/people/{canary}")] + [("advisor", "caseload")]:
        answer = office.browser(who).get(f"/{office.slug}/{page}")
        addresses = re.findall(r'(?:href|src|action)="([^"]*)"', answer.text)
        assert [marks_in(address) for address in addresses if not address.startswith(("tel:", "mailto:"))
                if marks_in(address)] == [], page  # fmt: skip
        if page in PAGES:
            assert marks_in(answer.text) == [], page


def test_no_line_of_the_log_and_no_error_page_holds_a_name(office, canary, caplog):
    caplog.set_level(logging.DEBUG)
    site, shown = office.settings.base_url, []
    rows = f"reference,name,address\nA1,{NAME},x\n,{NAME},{POSTCODE}\n".encode()
    office.post("steward", "steward/imports/invitations", file=(io.BytesIO(rows), f"{NAME}.csv"))
    office.post("steward", "steward/people", who=f"{EMAIL} ")
    office.post("steward", f"steward/people/{canary}/contact", name=NAME, phone="12", email=EMAIL, reason="typing")
    for path in (f"/{office.slug}/steward/people/{NAME}", f"/s/{EMAIL}", f"/{NAME}?q={PHONE}", f"/p/{NAME}"):
        shown.append(office.browser("steward").get(path, base_url=site))
        shown.append(office.browser("steward").post(path, data={"name": NAME}, base_url=site))
    client = office.app.test_client()
    shown.append(client.get(f"/{office.slug}/steward/people/{NAME}", base_url=site))
    assert {answer.status_code // 100 for answer in shown} == {3, 4}
    for answer in shown:
        if answer.status_code >= 400:
            # The links to other languages repeat the address that was asked for, as whoever asked typed it.
            page = answer.text.replace(answer.request.path, "")
            assert marks_in(page) == [], answer.request.path
    lines = [log.Lines().format(record) for record in caplog.records if not record.name.startswith("werkzeug")]
    assert len(lines) > 10
    assert [line for line in lines if marks_in(line)] == []


def test_a_failure_that_nobody_foresaw_quotes_nothing(office, canary, caplog):
    caplog.set_level(logging.DEBUG)

    def fail() -> str:
        raise RuntimeError(f"cannot handle {NAME}")

    office.app.view_functions["steward.find"].__wrapped__ = None
    office.app.view_functions["home.start"] = fail
    fail.rule = office.app.view_functions["steward.find"].rule.__class__("public")  # type: ignore[attr-defined]
    answer = office.app.test_client().get("/", base_url=office.settings.base_url)
    assert answer.status_code == 500
    assert marks_in(answer.text) == []
    assert [line for line in map(log.Lines().format, caplog.records) if marks_in(line)] == []


def test_a_person_who_is_imported_leaves_no_name_in_the_events(office):
    with office.site.writing() as (session, _pilot):
        office.site.enrol(session, person(90, name=NAME, phone=PHONE, email=EMAIL), until="deliver")
    assert marks_in(office.get("steward", "audit")) == []
