"""A request is one transaction: kept when its page stands, undone when not, run again when the database was away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Blueprint, Flask, abort, g, request
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from pilot import schema
from pilot.app import create_app
from pilot.db import Database
from pilot.errors import Busy, Refused, Stale
from pilot.log import Lines
from pilot.models import Organisation
from pilot.settings import load
from pilot.web.database import writing
from pilot.web.rules import rule

LOST = OperationalError("COMMIT", {}, Exception("server closed the connection"))


class Door:
    """Pages that add an organisation, and then do what the test wants."""

    def __init__(self, app: Flask, then: Callable[[int], object]) -> None:
        self.tries = 0
        app.config["WTF_CSRF_ENABLED"] = False
        bp = Blueprint("door", __name__)

        @bp.route("/door", methods=["GET", "POST"])
        @rule.public
        def door() -> object:
            self.tries += 1
            g.session.add(Organisation(name="Loket Oost"))
            g.session.flush()
            return then(self.tries) or "done"

        app.register_blueprint(bp)


def added(database: Database) -> int:
    with database.reading() as session:
        query = select(func.count()).select_from(Organisation).where(Organisation.name == "Loket Oost")
        return session.scalar(query) or 0


def test_a_page_that_stands_keeps_what_it_did(house):
    Door(house.app, lambda _: "done")
    assert house.visitor().post("/door").status_code == 200
    assert added(house.database) == 1


@pytest.mark.parametrize(
    ("then", "status"),
    [
        (lambda _: ("not right yet", 422), 422),
        (lambda _: abort(400), 400),
        (lambda _: _raise(Refused("not now")), 409),
        (lambda _: _raise(Stale("newer answers")), 409),
    ],
)
def test_a_page_that_does_not_stand_keeps_nothing(house, then, status):
    Door(house.app, then)
    assert house.visitor().post("/door").status_code == status
    assert added(house.database) == 0


def test_a_mistake_of_ours_keeps_nothing_and_says_nothing_of_what_was_typed(new_house, caplog):
    house = new_house(kind="demo")
    Door(house.app, lambda _: _raise(ValueError("Jansen, 06 12345678")))
    answer = house.visitor().post("/door", data={"naam": "Jansen"})
    assert answer.status_code == 500
    assert added(house.database) == 0
    lines = [Lines().format(record) for record in caplog.records]
    assert any('"error": "ValueError"' in line for line in lines)
    assert "Jansen" not in answer.text + "".join(lines)


def test_reading_a_page_cannot_write(house):
    Door(house.app, lambda _: "done")
    assert house.visitor().get("/door").status_code >= 500
    assert added(house.database) == 0


def test_a_page_that_is_read_can_write_one_thing_on_purpose(house):
    bp = Blueprint("opened", __name__)

    @bp.get("/opened")
    @rule.public
    def opened() -> str:
        with writing() as session:
            session.add(Organisation(name="Loket Oost"))
        return "done"

    house.app.register_blueprint(bp)
    assert house.visitor().get("/opened").status_code == 200
    assert added(house.database) == 1


@pytest.mark.parametrize("trouble", [LOST, Busy("locked")])
def test_a_database_that_was_away_for_a_moment_costs_nobody_anything(house, trouble):
    door = Door(house.app, lambda tries: _raise(trouble) if tries < 3 else "done")
    assert house.visitor().post("/door").status_code == 200
    assert door.tries == 3
    assert added(house.database) == 1


def test_a_database_that_stays_away_gives_a_page_that_says_when_to_come_back(new_house):
    house = new_house(lock_seconds=0.2)
    door = Door(house.app, lambda _: _raise(LOST))
    answer = house.visitor().post("/door")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert door.tries >= 2
    assert added(house.database) == 0


def test_a_request_that_is_not_the_databases_fault_is_not_run_again(house):
    door = Door(house.app, lambda _: _raise(Refused("not now")))
    house.visitor().post("/door")
    assert door.tries == 1


def test_a_connection_that_postgresql_cuts_in_the_middle_is_mended(postgres_url, tmp_path):
    settings = load({}, home=tmp_path, kind="test", database_url=postgres_url)
    app = create_app(settings, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))
    database: Database = app.extensions["adviespilot"].database
    schema.upgrade(database)

    def cut(tries: int) -> object:
        if tries == 1:
            g.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "done"

    door = Door(app, cut)
    try:
        assert app.test_client().post("/door").status_code == 200
        assert door.tries == 2
        assert added(database) == 1
    finally:
        database.dispose()


def test_the_session_opens_only_when_it_is_used(house):
    bp = Blueprint("still", __name__)

    @bp.get("/still")
    @rule.public
    def still() -> str:
        return str("_session" in g) + request.method

    house.app.register_blueprint(bp)
    assert house.visitor().get("/still").text == "FalseGET"


def _raise(error: Exception) -> None:
    raise error
