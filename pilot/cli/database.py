"""`pilot db`: bring the tables up to date, look whether all is well, keep a copy, write a new migration."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import click

from pilot import backup as copies
from pilot import readiness, schema
from pilot.cli import Console, Opened, console


@click.group()
def db() -> None:
    """The database: upgrade, check, backup."""


@db.command()
@click.option("--to", default="head", show_default=True, help="The migration to stop at.")
@console
def upgrade(out: Console, to: str) -> None:
    """Bring the tables up to date. Nothing is changed when one step fails."""
    with closing(Opened(out)) as opened:
        before = schema.current(opened.database)
        schema.upgrade(opened.database, to)
        after = schema.current(opened.database)
    out.say(
        "the tables were up to date already" if before == after else f"the tables now stand at migration {after}",
        before=before,
        after=after,
    )


@db.command()
@console
def check(out: Console) -> None:
    """Look whether the database answers, its tables fit, keys are there and counters agree with the record."""
    with closing(Opened(out)) as opened:
        readiness.check(opened.database, out.settings)
        copies.sound(opened.database)
    out.say("the database is sound", migration=schema.head())


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@console
def backup(out: Console, file: Path) -> None:
    """Write a copy of the database to FILE while it is in use. Allocation keys are not in it: keep them apart."""
    with closing(Opened(out)) as opened:
        size = copies.write(opened.database, file)
    out.say(f"{file} holds the whole database ({size / 1e6:.1f} MB); keep the allocation keys apart from it",
            file=str(file), bytes=size)  # fmt: skip


@db.command()
@click.argument("message")
@click.option("--anew", is_flag=True, help="Before the first release only: replace all migrations by one.")
@console
def draft(out: Console, message: str, anew: bool) -> None:
    """For developers: write the migration that brings the tables to the models."""
    with tempfile.TemporaryDirectory() as folder, closing(Opened(_empty(folder))) as opened:
        path = schema.draft(opened.database, message, anew=anew)
    out.say(f"wrote {path.name}; read it before you commit it", file=str(path))


def _empty(folder: str) -> Console:
    """An installation with nothing in it; an address of a real database in the environment is not used."""
    return Console(
        overrides={"home": Path(folder), "kind": "test", "database_url": f"sqlite:///{folder}/empty.sqlite3"}
    )
