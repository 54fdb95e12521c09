"""`pilot demo` and `pilot worker`: what runs by itself."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import click

from pilot import demo as demos
from pilot import log, schema
from pilot import worker as workers
from pilot.cli import Console, Opened, console
from pilot.clock import system
from pilot.errors import SettingsError
from pilot.settings import Settings, load


@click.command()
@click.option("--seed", default=2026, show_default=True, help="The same seed gives the same people, arms and answers.")
@click.option("--participants", default=demos.PARTICIPANTS, show_default=True, type=click.IntRange(60, 20_000))
@console
def demo(out: Console, seed: int, participants: int) -> None:
    """Make a demo pilot with synthetic people, unless it is there; print who can sign in."""
    _mark(load(**out.overrides))
    settings = load(**{**out.overrides, "kind": "demo"})
    out = replace(out, _settings=settings)
    logins = settings.home / "logins.json"
    with closing(Opened(out)) as opened:
        schema.upgrade(opened.database)
        begun = demos.is_ready(opened.database)
        if begun and not logins.is_file():
            raise SettingsError(
                f"a demo was begun in {settings.home} but not finished; remove that folder and try again"
            )
        if not begun:
            password, progress = _new_password(), _Progress(out)
            demos.build(opened.database, settings, password=password, seed=seed, now=system(), count=participants,
                        progress=progress)  # fmt: skip
            _keep(logins, password)
    password = json.loads(logins.read_text(encoding="utf-8"))["password"]
    table = "\n".join(f"  {login.role:<14} {login.email}" for login in demos.LOGINS)
    out.say(
        f"the demo stands in {settings.home}; everybody signs in with the password {password}\n{table}",
        home=str(settings.home),
        password=password,
        logins={login.role: login.email for login in demos.LOGINS},
    )


@click.command()
@click.option("--once", is_flag=True, help="One round, then stop.")
@console
def worker(out: Console, once: bool) -> None:
    """Send what is due, make ready what arms promise, publish, and remove contact data on their day, until it is
    stopped. Several may run on PostgreSQL.
    """
    settings = out.settings
    log.start(settings.log_level)
    if once:
        with closing(Opened(out)) as opened:
            done = workers.round_once(opened.database, settings, clock=system)
        said = f"{done.queued} messages queued, {done.sent} sent, {done.delivered} arms made ready"
        published = f"{done.published} publications, contact data of {done.forgotten} people removed"
        out.say(f"{said}, {published}, {done.destroyed} files destroyed", **asdict(done))
        return
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_told: stop.set())
    workers.run(settings, stop)


class _Progress:
    """A line a pilot while a demo is made, for people only."""

    def __init__(self, out: Console) -> None:
        self.silent = out.as_json

    def __call__(self, what: str, done: int, of: int) -> None:
        if not self.silent:
            click.echo(f"\r  {what}: {done} of {of} people{'' if done < of else chr(10)}", nl=False, err=True)


def _mark(found: Settings) -> None:
    """Write in the folder itself that it is a demo's, so that whatever is started in it later knows.

    Raises SettingsError where another installation lives: its people would stand between made-up ones.
    """
    file = found.home / "pilot.toml"
    if found.kind == "demo":
        return
    if file.exists() or (found.home / "pilot.sqlite3").exists():
        raise SettingsError(f"{found.home} is the folder of another installation; name an empty one with --home")
    found.home.mkdir(parents=True, exist_ok=True)
    file.write_text('kind = "demo"\n', encoding="utf-8")


def _new_password() -> str:
    return "-".join(secrets.choice(demos.WORDS) for _ in range(5))


def _keep(file: Path, password: str) -> None:
    """In a file that only its owner can read, and written last: it says that the demo is whole."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        json.dump({"password": password}, opened)
