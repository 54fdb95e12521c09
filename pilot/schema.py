"""The state of the tables: which migration they stand at, and the way to another one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pilot.db import Database, translated
from pilot.errors import SettingsError

FOLDER = Path(__file__).parent / "migrations"


def configuration(database: Database | None = None) -> Config:
    """What Alembic needs to know; the connection is handed in, so that no address is written anywhere."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["database"] = database
    return config


@cache
def head() -> str:
    """The newest migration this code knows."""
    return ScriptDirectory.from_config(configuration()).get_current_head() or ""


def current(database: Database) -> str | None:
    """The migration at which the tables stand; None for an empty database. Raises Busy when it does not answer."""
    with translated(), database.read_engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the tables to a migration; each is one transaction, so a broken-off one leaves nothing half-done."""
    with translated():
        command.upgrade(configuration(database), to)


def downgrade(database: Database, to: str) -> None:
    with translated():
        command.downgrade(configuration(database), to)


def must_be_current(database: Database) -> None:
    """Raises SettingsError when tables and code do not fit each other."""
    at = current(database)
    if at == head():
        return
    if at is None:
        raise SettingsError("the database has no tables yet; make them with `pilot db upgrade`")
    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if at in known:
        raise SettingsError("the database is older than this program; bring it up to date with `pilot db upgrade`")
    raise SettingsError("the database is newer than this program; install the newer program, or put back a backup")
