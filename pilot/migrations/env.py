"""How Alembic reaches the database: through our own engines, in one transaction, one migrator at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, text

import pilot.models  # noqa: F401  # fills the metadata
from pilot.crypto import Encrypted
from pilot.db import Base, Database, UtcDateTime
from pilot.errors import PilotError

LOCK = 7_246_031


def frozen(kind: str, value: Any, _autogen: Any) -> str | Literal[False]:
    """Our own column types as the plain types beneath them: a migration must run when our code has moved on."""
    if kind == "type" and isinstance(value, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(value, Encrypted):
        return "sa.LargeBinary()"
    return False


def run() -> None:
    database: Database = context.config.attributes["database"]
    with database.write_engine.connect() as connection, _tables_may_be_rebuilt(connection), connection.begin():
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_item=frozen,
            render_as_batch=True,
            compare_type=True,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            if not database.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            context.run_migrations()
            if database.is_sqlite:
                _every_row_finds_its_parent(connection)


@contextmanager
def _tables_may_be_rebuilt(connection: Connection) -> Iterator[None]:
    """SQLite changes a column by making the table anew, which rows that point at it forbid. So its keys are not
    enforced for the length of a migration, and all of them are looked at before it counts.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _every_row_finds_its_parent(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        table, row, parent, _key = broken[0]
        raise PilotError(f"a row of {table} (number {row}) would point at nothing in {parent}", code="schema")


run()
