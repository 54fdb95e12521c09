"""Before people are let in: keys are there, counters agree with the record, damage is seen; and copies are whole."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime

import pytest

from pilot import backup, keys, readiness, schema
from pilot.db import Database
from pilot.errors import Busy, SettingsError, Tampered
from pilot.models import Allocation, Commitment, Organisation, Participant, Pilot, StratumState
from pilot.settings import Settings, load

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return load({}, home=tmp_path / "home", kind="test", lock_seconds=1)


@pytest.fixture
def database(settings):
    """A running pilot with two allocations in stratum `noord` and none yet in `zuid`."""
    database = Database(settings)
    schema.upgrade(database)
    keys.create(settings.keys, "proef", "live")
    with database.writing() as session:
        pilot = Pilot(slug="proef", title={"nl": "Proef"}, status="running", mode="live", created_at=NOW)
        session.add(pilot)
        session.flush()
        session.add(Commitment(pilot_id=pilot.id, mode="live", commitment="c", nonce="n", published_at=NOW))
        session.add(StratumState(pilot_id=pilot.id, mode="live", epoch=0, stratum="noord", next_position=3, head=""))
        session.add(StratumState(pilot_id=pilot.id, mode="live", epoch=0, stratum="zuid", next_position=1, head=""))
        for position in (1, 2):
            session.add(person := Participant(pilot_id=pilot.id, mode="live", study_id=f"P{position}"))
            person.nonce, person.outreach_arm, person.language, person.created_at = f"n{position}", "open", "nl", NOW
            session.flush()
            session.add(allocation(pilot.id, position, person.id))
    yield database
    database.dispose()


def allocation(pilot_id: int, position: int, participant_id: int) -> Allocation:
    return Allocation(
        pilot_id=pilot_id, mode="live", epoch=0, stratum="noord", position=position, participant_id=participant_id,
        idempotency_key=f"k{position}", arm="portal", probability="1/2", covariates={}, fingerprint="f",
        allocated_at=NOW, previous_hash="", row_hash=f"h{position}",
    )  # fmt: skip


def change(database: Database, statement: str) -> None:
    with closing(sqlite3.connect(str(database.url.database))) as connection:
        connection.execute(statement)
        connection.commit()


def test_an_installation_that_can_keep_its_promises_passes(database, settings):
    readiness.check(database, settings)
    backup.sound(database)


def test_a_running_pilot_without_its_key_lets_nobody_in(database, settings):
    keys.path(settings.keys, "proef", "live").unlink()
    with pytest.raises(SettingsError, match=r"proef-live\.key"):
        readiness.check(database, settings)
    change(database, "UPDATE pilots SET status = 'closed'")
    readiness.check(database, settings)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE stratum_state SET next_position = 2 WHERE stratum = 'noord'",
        "UPDATE stratum_state SET next_position = 4 WHERE stratum = 'noord'",
        "UPDATE stratum_state SET next_position = 2 WHERE stratum = 'zuid'",
        "DELETE FROM allocations WHERE position = 2",
        "DELETE FROM allocations WHERE position = 1",
        "DELETE FROM stratum_state WHERE stratum = 'noord'",
    ],
)
def test_a_counter_that_disagrees_with_the_record_is_an_alert(database, settings, damage):
    change(database, damage)
    with pytest.raises(Tampered, match="stratum"):
        readiness.check(database, settings)


def test_rows_that_point_to_nothing_are_seen(database):
    change(database, "DELETE FROM participants WHERE study_id = 'P1'")
    with pytest.raises(Tampered, match="points to nothing"):
        backup.sound(database)


def test_a_copy_taken_while_somebody_writes_is_whole_and_holds_what_was_committed(database, settings, tmp_path):
    with database.writing() as session:
        session.add(Organisation(name="Loket Noord"))
    with database.session(writes=True) as session:
        session.add(Organisation(name="Loket Zuid"))
        session.flush()
        size = backup.write(database, tmp_path / "copy.sqlite3")
    copy = tmp_path / "copy.sqlite3"
    assert size == copy.stat().st_size
    assert copy.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM organisations").fetchall() == [("Loket Noord",)]
    restored = Database(load({}, home=settings.home, kind="test", database_url=f"sqlite:///{copy}"))
    readiness.check(restored, settings)
    restored.dispose()


def test_a_copy_never_overwrites_and_never_stands_half_written(database, tmp_path):
    (tmp_path / "old.sqlite3").write_text("keep me")
    with pytest.raises(SettingsError, match="exists already"):
        backup.write(database, tmp_path / "old.sqlite3")
    with pytest.raises(SettingsError, match="cannot be written"):
        backup.write(database, tmp_path / "no such folder" / "copy.sqlite3")
    assert [path.name for path in tmp_path.glob("*.sqlite3*")] == ["old.sqlite3"]


def test_a_copy_of_postgresql_can_be_put_back(postgres_url, tmp_path):
    database = Database(load({}, home=tmp_path / "pg", kind="test", database_url=postgres_url))
    try:
        schema.upgrade(database)
        backup.write(database, tmp_path / "copy.dump")
    finally:
        database.dispose()
    listed = subprocess.run(
        ["pg_restore", "--list", tmp_path / "copy.dump"], capture_output=True, text=True, check=True
    )
    assert "TABLE DATA public allocations" in listed.stdout


def test_a_database_that_is_not_there_is_busy_and_not_a_crash(tmp_path):
    url = "postgresql://nobody@127.0.0.1:9/nothing"
    settings = load({}, home=tmp_path, kind="test", database_url=url, lock_seconds=1)
    database = Database(settings)
    with pytest.raises(Busy):
        readiness.check(database, settings)
    with pytest.raises(Exception, match="pg_dump could not copy"):
        backup.write(database, tmp_path / "copy.dump")
    database.dispose()
