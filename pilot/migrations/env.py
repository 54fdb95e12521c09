"""How Alembic reaches the database: through our own engines, in one transaction, one migrator at a time."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import text

import pilot.models  # noqa: F401  # fills the metadata
from pilot.crypto import Encrypted
from pilot.db import Base, Database, UtcDateTime

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
    with database.write_engine.begin() as connection:
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


run()
