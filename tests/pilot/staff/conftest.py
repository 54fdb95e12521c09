"""A pilot with twelve people in it, and a browser for everybody who works on it: pages are tested as staff use them."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pilot_fixtures import new_site
from small_pilot import FOLDER, PASSWORD, START, Site, make, person, settings_for
from sqlalchemy import select
from werkzeug.test import TestResponse

from pilot import people
from pilot.app import create_app
from pilot.catalogue import offers
from pilot.db import Database
from pilot.imports import rows_of
from pilot.journey import advice
from pilot.models import Allocation, Caseload, Identity, Participant, User
from pilot.settings import Settings

__all__ = ["new_site"]
PEOPLE = 12
NOW = START + timedelta(days=3)


@dataclass
class Office:
    """An installation, its app, and the clock that the test holds."""

    settings: Settings
    app: Flask
    database: Database
    slug: str = "ontwikkeladvies"
    now: datetime = NOW
    _browsers: dict[str, FlaskClient] = field(default_factory=dict)

    @property
    def site(self) -> Site:
        return Site(self.settings, self.database, slug=self.slug)

    def browser(self, who: str) -> FlaskClient:
        """The browser in which this member of staff has signed in: `advisor`, `colleague`, `steward`, …"""
        if who not in self._browsers:
            with self.database.reading() as session:
                mark = people.by_email(session, f"{who}@proef.nl").fs_uniquifier
            self._browsers[who] = client = self.app.test_client()
            with client.session_transaction() as cookie:
                cookie.update(_user_id=mark, _fresh=True, fs_paa=time.time())
        return self._browsers[who]

    def get(self, who: str, path: str, *, lang: str = "en", status: int = 200) -> str:
        """What stands on a page, as it is read: no tags, single spaces."""
        answer = self.browser(who).get(self._path(path), query_string={"lang": lang})
        assert answer.status_code == status, (answer.status_code, words_of(answer.text)[:400])
        return words_of(answer.text)

    def html(self, who: str, path: str) -> str:
        return self.browser(who).get(self._path(path), query_string={"lang": "en"}).text

    def post(self, who: str, path: str, /, *, page: str | None = None, **form: Any) -> TestResponse:
        """Fill in the form of a page (of `path` itself, unless told) and send it, as a browser would."""
        client, site = self.browser(who), self.settings.base_url
        shown = client.get(self._path(page or path), query_string={"lang": "en"}, base_url=site).text
        form = {"csrf_token": hidden(shown, "csrf_token"), **form}
        if 'name="nonce"' in shown:
            form.setdefault("nonce", hidden(shown, "nonce"))
        headers = {"Referer": f"{site}{self._path(path)}"}
        return client.post(self._path(path), data=form, base_url=site, headers=headers)

    def _path(self, path: str) -> str:
        return path if path.startswith("/") else f"/{self.slug}/{path}"

    def study_id(self, arm: str, *, advisor: str | None = None) -> str:
        """Somebody in this arm, guided by this advisor."""
        query = select(Participant.study_id).join(Allocation, Allocation.participant_id == Participant.id)
        query = query.where(Allocation.arm == arm).order_by(Participant.id)
        if advisor is not None:
            query = query.join(Caseload, Caseload.participant_id == Participant.id).join(User)
            query = query.where(User.email == f"{advisor}@proef.nl", Caseload.ended_at.is_(None))
        with self.database.reading() as session:
            found = session.scalars(query).first()
        assert found is not None, f"nobody in {arm} is guided by {advisor}"
        return found

    def name_of(self, study_id: str) -> str:
        with self.database.reading() as session:
            found = session.scalar(select(Identity).join(Participant).where(Participant.study_id == study_id))
            assert found is not None
            assert found.name is not None
            return found.name

    def participant(self, session: Any, study_id: str) -> Participant:
        return session.scalars(select(Participant).where(Participant.study_id == study_id)).one()


def hidden(page: str, name: str) -> str:
    """The value of a hidden field of the page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"the page holds no field '{name}'"
    return unescape(found[1])


def words_of(page: str) -> str:
    """The words of a page without its tags."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="session")
def furnished_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home made once: the pilot that ships, staff of two organisations, a catalogue, and twelve people drawn."""
    home = tmp_path_factory.mktemp("office")
    site = make(settings_for(home))
    password = people.hashed(site.settings, PASSWORD)
    with site.writing() as (session, pilot):
        for newcomer in (
            people.Newcomer("colleague@proef.nl", "Colleague", "advisor", site.slug, "Loket Voorbeeld"),
            people.Newcomer("elsewhere@proef.nl", "Elsewhere", "advisor", site.slug, "Loket Elders"),
            people.Newcomer("administrator@proef.nl", "Administrator", "administrator"),
        ):
            people.add(session, newcomer, password, now=START)
        offers.import_rows(session, rows_of(FOLDER / "catalogue.csv"), actor_id=None, pilot=pilot, now=START)
        for number in range(1, PEOPLE + 1):
            site.enrol(session, person(number), until="deliver")
        _everyone_to_the_first_desk(session)
    site.database.dispose()
    return home


def _everyone_to_the_first_desk(session: Any) -> None:
    """All who get talks are guided by `advisor`, one by `elsewhere`; so each test knows who sees whom."""
    first, other = (people.by_email(session, f"{name}@proef.nl") for name in ("advisor", "elsewhere"))
    guided = session.scalars(select(Participant).join(Caseload).order_by(Participant.id)).all()
    assert len(guided) > 3, "the draw gave talks to too few people for these tests"
    for index, participant in enumerate(guided):
        to = other if index == 0 else first
        advice.assign(session, participant, to.id, actor_id=None, reason="the desk nearby", now=START)


@pytest.fixture
def office(tmp_path: Path, furnished_office: Path) -> Iterator[Office]:
    yield from opened(furnished_office, tmp_path / "home")


@pytest.fixture(scope="module")
def reading_room(tmp_path_factory: pytest.TempPathFactory, furnished_office: Path) -> Iterator[Office]:
    """The same installation, shared by tests that change nothing in it."""
    yield from opened(furnished_office, tmp_path_factory.mktemp("reading") / "home")


@pytest.fixture
def demo_office(tmp_path: Path, furnished_office: Path) -> Iterator[Office]:
    """The same installation as a demo."""
    yield from opened(furnished_office, tmp_path / "home", kind="demo")


@pytest.fixture
def office_of_a_folder(tmp_path: Path, furnished_office: Path) -> Iterator[Office]:
    """The same installation, with a folder of protocols that a test may write in."""
    yield from opened(furnished_office, tmp_path / "home", protocols=tmp_path / "protocols")


@pytest.fixture
def office_of() -> Iterator[Callable[[Site], Office]]:
    """`office_of(site)`: a browser for everybody at a pilot that the test made itself."""
    offices: list[Office] = []

    def build(site: Site) -> Office:
        app = create_app(site.settings, clock=lambda: office.now)
        office = Office(site.settings, app, app.extensions["adviespilot"].database)
        offices.append(office)
        return office

    yield build
    for each in offices:
        each.database.dispose()


def opened(furnished: Path, home: Path, **settings: Any) -> Iterator[Office]:
    """A copy of the installation of its own."""
    shutil.copytree(furnished, home)
    held: list[Office] = []
    settings_here = settings_for(home, **settings)
    app = create_app(settings_here, clock=lambda: held[0].now)
    held.append(Office(settings_here, app, app.extensions["adviespilot"].database))
    try:
        yield held[0]
    finally:
        held[0].database.dispose()
