"""The migrations make exactly the tables of the models, on both databases, up and down."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    func,
    inspect,
    select,
    text,
)

import pilot.models  # noqa: F401  # the tables that migrations are held to
from pilot import schema
from pilot.db import Base, Database
from pilot.errors import PilotError, SettingsError
from pilot.settings import load

REVISIONS = [script.revision for script in ScriptDirectory.from_config(schema.configuration()).walk_revisions()][::-1]


@pytest.fixture
def opened(tmp_path) -> Iterator[Callable[[str], Database]]:
    databases: list[Database] = []

    def make(url: str) -> Database:
        databases.append(Database(load({}, home=tmp_path, kind="test", database_url=url)))
        return databases[-1]

    yield make
    for database in databases:
        database.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, opened, tmp_path) -> Database:
    url = f"sqlite:///{tmp_path}/one.sqlite3" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    return opened(url)


def shape(engine: Engine) -> dict[str, Any]:
    """Columns, keys, checks and indexes of every table, without the order in which they were made."""
    look = inspect(engine)
    tables = [name for name in look.get_table_names() if name != "alembic_version"]
    return {
        name: {
            "columns": sorted((c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name)),
            "primary": (look.get_pk_constraint(name)["name"], look.get_pk_constraint(name)["constrained_columns"]),
            "foreign": sorted(
                (f["name"], f["constrained_columns"], f["referred_table"], f["options"])
                for f in look.get_foreign_keys(name)
            ),
            "unique": sorted((u["name"], u["column_names"]) for u in look.get_unique_constraints(name)),
            "checks": sorted((c["name"], c["sqltext"]) for c in look.get_check_constraints(name)),
            "indexes": sorted((i["name"], i["column_names"], bool(i["unique"])) for i in look.get_indexes(name)),
        }
        for name in sorted(tables)
    }


def test_the_tables_of_the_migrations_are_those_of_the_models(empty):
    schema.upgrade(empty)
    migrated = shape(empty.write_engine)
    with empty.write_engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    schema.downgrade(empty, "base")
    Base.metadata.create_all(empty.write_engine)
    assert migrated == shape(empty.write_engine)


def one_row_in_every_table(engine: Engine) -> dict[str, int]:
    """A row in each table as it stands, its keys pointing at the first row of the other; gives the counts."""
    tables = MetaData()
    tables.reflect(engine)
    kept = [table for table in tables.sorted_tables if table.name != "alembic_version"]
    with engine.begin() as connection:
        for table in kept:
            values = {column.name: some(column) for column in table.columns if not column.nullable}
            connection.execute(table.insert().values(values))
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in kept}


def some(column: Column[Any]) -> Any:
    kind = column.type
    if column.foreign_keys or isinstance(kind, Integer):
        return 1
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, DateTime):
        return datetime(2026, 3, 2, tzinfo=UTC)
    if isinstance(kind, Date):
        return date(2026, 3, 2)
    return {} if isinstance(kind, JSON) else b"x" if isinstance(kind, LargeBinary) else "x"


def test_people_who_are_in_it_come_through_every_migration_up_and_down(empty):
    schema.upgrade(empty, REVISIONS[0])
    before = one_row_in_every_table(empty.write_engine)
    assert set(before.values()) == {1}
    for to, move in (("head", schema.upgrade), (REVISIONS[0], schema.downgrade)):
        move(empty, to)
        with empty.write_engine.begin() as connection:
            after = {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in before}
        assert after == before


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
def test_keys_are_enforced_again_after_a_migration(empty):
    schema.upgrade(empty)
    with empty.write_engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_every_migration_goes_up_down_and_up_again(empty):
    for revision in REVISIONS:
        schema.upgrade(empty, revision)
        after = shape(empty.write_engine)
        schema.downgrade(empty, "-1")
        schema.upgrade(empty, revision)
        assert shape(empty.write_engine) == after
    assert schema.current(empty) == schema.head()
    schema.downgrade(empty, "base")
    assert shape(empty.write_engine) == {}


def test_a_migration_that_breaks_off_leaves_nothing_half_done(tmp_path, opened):
    path = tmp_path / "one.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE participants (id INTEGER)")
    database = opened(f"sqlite:///{path}")
    with pytest.raises(PilotError, match="left as they are: table participants already exists"):
        schema.upgrade(database)
    with closing(sqlite3.connect(path)) as connection:
        left = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert left == ["participants"]


def test_tables_that_do_not_fit_the_program_are_named_with_the_remedy(tmp_path, opened):
    database = opened(f"sqlite:///{tmp_path}/one.sqlite3")
    with pytest.raises(SettingsError, match="no tables yet; make them with `pilot db upgrade`"):
        schema.must_be_current(database)
    schema.upgrade(database)
    schema.must_be_current(database)
    with closing(sqlite3.connect(tmp_path / "one.sqlite3")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
        connection.commit()
    with pytest.raises(SettingsError, match="newer than this program"):
        schema.must_be_current(database)


def test_the_database_file_is_for_its_owner_only(tmp_path, opened):
    schema.upgrade(opened(f"sqlite:///{tmp_path}/one.sqlite3"))
    assert Path(tmp_path / "one.sqlite3").stat().st_mode & 0o077 == 0


def test_migrations_are_numbered_without_holes_and_stand_alone():
    assert [f"{number:04d}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS
    for path in (schema.FOLDER / "versions").glob("0*.py"):
        assert "import pilot" not in path.read_text()
        assert "pilot." not in path.read_text()


def test_programs_that_upgrade_at_once_do_it_once(postgres_url, opened, tmp_path):
    command = [sys.executable, "-c", "from pilot.cli import main; main()", "db", "upgrade"]
    environment = {**os.environ, "PILOT_HOME": str(tmp_path), "PILOT_KIND": "test", "PILOT_DATABASE_URL": postgres_url}
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate()[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert set(shape(opened(postgres_url).write_engine)) == set(Base.metadata.tables)
