"""A copy of the whole database, taken while people work in it, and a look whether a database is whole."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from pilot.db import Database
from pilot.errors import Busy, PilotError, SettingsError, Tampered


def write(database: Database, file: Path) -> int:
    """Write a copy to `file`, readable by its owner only, and return its bytes. The file appears when it is complete.

    Raises SettingsError when the file exists or its folder cannot be written, PilotError when the copy fails.
    """
    if file.exists():
        raise SettingsError(f"{file} exists already; choose another name, a backup is never overwritten")
    part = file.with_name(file.name + ".part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        raise SettingsError(f"{file} cannot be written ({error.strerror})") from None
    try:
        _sqlite(database, part) if database.is_sqlite else _postgres(database, part)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def _sqlite(database: Database, file: Path) -> None:
    """SQLite's own online copy: one consistent state, while others read and write."""
    source = Path(database.url.database or "")
    if not source.is_file():
        raise SettingsError(f"there is no database at {source}")
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as here,
            closing(sqlite3.connect(file)) as there,
        ):
            here.backup(there)
            if there.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise Tampered("the copy is not whole; the disk may be failing")
    except sqlite3.OperationalError as error:
        raise Busy(f"the database could not be copied now ({error})") from error


def _postgres(database: Database, file: Path) -> None:
    """`pg_dump` in its own compressed form; put back with `pg_restore`."""
    url = database.url
    environment = {**os.environ, "PGPASSWORD": url.password or ""}
    address = {"host": url.host, "port": url.port, "username": url.username, "dbname": url.database, **url.query}
    options = [f"--{name}={value}" for name, value in address.items() if value and name in OPTIONS]
    try:
        done = subprocess.run(  # noqa: S603  # our own words only, no shell
            ["pg_dump", "--format=custom", f"--file={file}", *options],  # noqa: S607
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise SettingsError("pg_dump is not installed; it belongs to the package postgresql-client") from None
    if done.returncode:
        raise PilotError(f"pg_dump could not copy the database: {done.stderr.strip().splitlines()[-1]}")


OPTIONS = frozenset({"host", "port", "username", "dbname"})


def sound(database: Database) -> None:
    """Raises Tampered when the database finds damage in itself: broken pages, or rows that point to nothing."""
    if not database.is_sqlite:
        return
    with database.reading() as session:
        found = session.execute(text("PRAGMA integrity_check")).scalars().all()
        if found != ["ok"]:
            raise Tampered(f"the database is damaged ({found[0]}); put back the last backup")
        row = session.execute(text("PRAGMA foreign_key_check")).first()
        if row is not None:
            raise Tampered(f"table '{row[0]}' has a row that points to nothing in '{row[2]}'; put back the last backup")
