"""A small installation for tests of pages: two pilots, people in every role, one participant each, and a visitor."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pilot import people, schema
from pilot.app import create_app
from pilot.db import Database
from pilot.models import ROLES, Organisation, Participant, Pilot
from pilot.settings import Settings, load

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "vier woorden die ik onthoud"
SETTINGS = {
    "base_url": "http://localhost",
    "secret_key": "only for tests: thirty-two characters or more",
    "password_salt": "only for tests: a second secret",
    "data_key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}


@dataclass
class House:
    """An installation: its settings, its app, its database, and the clock that the test holds."""

    settings: Settings
    app: Flask
    database: Database
    now: datetime = NOW

    def visitor(self) -> FlaskClient:
        return self.app.test_client()

    def signed_in(self, email: str, password: str = PASSWORD) -> FlaskClient:
        """A browser in which this person has signed in with a password."""
        client = self.visitor()
        answer = self.post(client, "/login", email=email, password=password)
        assert answer.status_code == 302, answer.text
        return client

    def post(self, client: FlaskClient, path: str, page: str | None = None, **form: str) -> TestResponse:
        """Fill in the form of a page (of `path` itself, unless told) and send it, as a browser would."""
        site = self.settings.base_url
        form["csrf_token"] = self.csrf(client.get(page or path, base_url=site).text)
        return client.post(path, data=form, base_url=site, headers={"Referer": f"{site}{path}"})

    @staticmethod
    def csrf(page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, "the page holds no form"
        return found[1]


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once: pilots `noord` and `zuid`, in each somebody of every role and one participant."""
    home = tmp_path_factory.mktemp("furnished")
    settings = load({}, home=home, kind="test", **SETTINGS)
    database = Database(settings)
    schema.upgrade(database)
    furnish(database, settings)
    database.dispose()
    return home / "pilot.sqlite3"


def furnish(database: Database, settings: Settings) -> None:
    password = people.hashed(settings, PASSWORD)
    with database.writing() as session:
        for slug in ("noord", "zuid"):
            pilot = Pilot(slug=slug, title={"nl": slug.title(), "en": slug.title()}, status="running", mode="live",
                          created_at=NOW)  # fmt: skip
            organisation = Organisation(name=f"Loket {slug}")
            session.add_all([pilot, organisation])
            session.flush()
            person = Participant(pilot_id=pilot.id, mode="live", study_id=f"P-{slug}", nonce=slug, outreach_arm="open")
            person.language, person.created_at, person.organisation_id = "nl", NOW, organisation.id
            session.add(person)
            for role in ROLES:
                where = people.Newcomer(f"{role}@{slug}.nl", role.title(), role, slug, f"Loket {slug}")
                people.add(session, where, password, now=NOW)
        people.add(session, people.Newcomer("chief@huis.nl", "Chief", "administrator"), password, now=NOW)


@pytest.fixture
def house(tmp_path: Path, furnished: Path) -> Iterator[House]:
    yield from _open(furnished, load({}, home=tmp_path, kind="test", **SETTINGS))


@pytest.fixture
def new_house(tmp_path: Path, furnished: Path) -> Iterator[Callable[..., House]]:
    """`new_house(kind="production", …)`: the same installation with other settings."""
    opened: list[Iterator[House]] = []

    def make(**settings: object) -> House:
        base = load({}, home=tmp_path / f"home{len(opened)}", **{"kind": "test", **SETTINGS, **settings})
        opened.append(_open(furnished, base))
        return next(opened[-1])

    yield make
    for house in opened:
        house.close()


def _open(furnished: Path, settings: Settings) -> Iterator[House]:
    settings.home.mkdir(parents=True, exist_ok=True)
    shutil.copy(furnished, settings.home / "pilot.sqlite3")
    held: list[House] = []
    app = create_app(settings, clock=lambda: held[0].now)
    house = House(settings, app, app.extensions["adviespilot"].database)
    held.append(house)
    try:
        yield house
    finally:
        house.database.dispose()
