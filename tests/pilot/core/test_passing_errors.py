"""Which errors of a database trying again mends, and which it does not."""

from __future__ import annotations

import sqlite3

import pytest
from small_pilot import Site
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from pilot.db import is_passing
from pilot.errors import Busy


def caught(site: Site, statement: str) -> DBAPIError:
    with pytest.raises(DBAPIError) as found, site.database.write_engine.connect() as connection:
        connection.execute(text(statement))
    return found.value


def test_a_missing_table_is_an_error_and_not_a_busy_database(either_site: Site):
    assert not is_passing(caught(either_site, "SELECT * FROM nowhere"))
    with pytest.raises(DBAPIError), either_site.writing() as (session, _pilot):
        session.execute(text("SELECT * FROM nowhere"))


def test_a_broken_rule_of_the_tables_is_not_passing(either_site: Site):
    assert not is_passing(caught(either_site, "INSERT INTO roles (id, name) VALUES (1, 'a'), (2, 'a')"))


def test_a_locked_sqlite_is_busy(new_site):
    site = new_site(settings={"lock_seconds": 0.05})
    stranger = sqlite3.connect(str(site.database.url.database), isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy), site.writing():
        pass
    stranger.close()
    with site.writing() as (_session, pilot):
        assert pilot.status == "running"


def test_a_lost_connection_is_passing():
    assert is_passing(OperationalError("COMMIT", {}, Exception("server closed the connection")))
