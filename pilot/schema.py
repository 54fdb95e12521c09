"""The state of the tables: which migration they stand at, and the way to another one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from pilot.db import Database, translated
from pilot.errors import PilotError, SettingsError

FOLDER = Path(__file__).parent / "migrations"


def configuration(database: Database | None = None) -> Config:
    """What Alembic needs to know; the connection is handed in, so that no address is written anywhere."""
    config = Config(cmd_opts=Namespace(quiet=True))
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
    """Bring the tables to a migration, in one transaction. Raises PilotError when it fails; nothing is changed then."""
    with _whole():
        command.upgrade(configuration(database), to)
    if database.is_sqlite and database.url.database:
        Path(database.url.database).chmod(0o600)


def downgrade(database: Database, to: str) -> None:
    """Take the tables back to a migration (`base`: no tables), in one transaction. Raises PilotError when it fails."""
    with _whole():
        command.downgrade(configuration(database), to)


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise PilotError(f"the tables were left as they are: {error.orig}", code="schema") from error


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


def draft(database: Database, message: str, *, anew: bool = False) -> Path:
    """Write the migration from the newest one to the models, worked out on an empty database. `anew` removes the
    existing ones first: only before a release, when no database has to be kept.
    """
    versions = FOLDER / "versions"
    if anew:
        for old in versions.glob("[0-9]*.py"):
            old.unlink()
    head.cache_clear()
    number = len(list(versions.glob("[0-9]*.py"))) + 1
    upgrade(database)
    config = configuration(database)
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    script = command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
    head.cache_clear()
    path = Path(script.path)  # type: ignore[union-attr]
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "# ###" not in line), encoding="utf-8")
    return path
