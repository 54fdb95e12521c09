"""Which errors of a database trying again mends, and which it does not."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from small_pilot import Site, settings_for
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from pilot.db import Database, is_passing
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


def test_a_connection_that_was_cut_while_it_lay_still_is_replaced(postgres_url: str, tmp_path, monkeypatch):
    monkeypatch.setattr("pilot.db.REST_SECONDS", 0.0)
    database, line = Database(settings_for(tmp_path, postgres_url)), text("SELECT pg_backend_pid()")
    with database.reading() as session:
        first = session.scalar(line)
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (first,))
    with database.reading() as session:
        assert session.scalar(line) != first
    database.dispose()
