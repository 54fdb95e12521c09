"""`pilot serve`: the site, behind gunicorn, after a look whether people may be let in."""

from __future__ import annotations

import importlib
import logging
import sqlite3
import threading
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from pilot import log, readiness
from pilot.cli import Console, console
from pilot.db import Database
from pilot.errors import SettingsError
from pilot.settings import Settings

logger = logging.getLogger("pilot.serve")

# Older SQLite can damage its log when several processes write and reset it at once.
SAFE_SQLITE = (3, 51, 3)
DRAIN = 30
APP = "pilot.app"

# What runs beside the pages when one process does everything: functions of (settings, stop), by name.
JOBS: tuple[str, ...] = ("pilot.worker:run",)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", type=click.IntRange(1, 64), help="Processes. Default 2; 1 where SQLite allows only one.")
@click.option("--threads", type=click.IntRange(1, 64), help="Threads a process. Default: the setting pool_size.")
@console
def serve(out: Console, host: str, port: int, workers: int | None, threads: int | None) -> None:
    """Start the site. A SIGTERM lets requests that are under way finish first."""
    settings = out.settings
    log.start(settings.log_level)
    database = Database(settings)
    try:
        readiness.check(database, settings)
        alone = database.is_sqlite and sqlite3.sqlite_version_info < SAFE_SQLITE
    finally:
        database.dispose()
    threads = threads or settings.pool_size
    if threads > settings.pool_size:
        raise SettingsError(f"{threads} threads need as many connections; set PILOT_POOL_SIZE to {threads} or more")
    Server(settings, f"{host}:{port}", processes(workers, alone=alone), threads, together=alone).run()


def processes(asked: int | None, *, alone: bool) -> int:
    """How many processes serve. On an SQLite that is not safe with several, one, whatever was asked, and it is said."""
    if not alone:
        return asked or 2
    logger.warning(
        "SQLite %s is not safe with several processes that write: one process serves, with its jobs as threads; "
        "use PostgreSQL, or SQLite %s or newer, for more",
        sqlite3.sqlite_version,
        ".".join(map(str, SAFE_SQLITE)),
    )
    return 1


class Lines(Logger):
    """gunicorn's own words go into our log; its access log is not used: ours holds no personal data."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True


class Server(BaseApplication):
    """gunicorn by its Python door. Each process makes its own app, so its connections, after the fork."""

    def __init__(self, settings: Settings, address: str, workers: int, threads: int, *, together: bool) -> None:
        self.settings, self.together = settings, together
        self.stop = threading.Event()
        self.options = {
            "bind": address,
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            "graceful_timeout": DRAIN,
            "timeout": 60,
            "secure_scheme_headers": {},
            "logger_class": Lines,
            "loglevel": settings.log_level.lower(),
            "proc_name": "pilot",
            "control_socket_disable": True,
            "post_worker_init": self._start_jobs,
            "worker_exit": lambda _server, _worker: self.stop.set(),
        }
        super().__init__()

    def load_config(self) -> None:
        assert self.cfg is not None, "gunicorn makes it first"
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        # By its name, as WSGI servers do: the app stands above the command line and is not imported by it.
        return importlib.import_module(APP).create_app(self.settings)

    def _start_jobs(self, _worker: Any) -> None:
        if not self.together:
            return
        for named in JOBS:
            module, _, name = named.partition(":")
            job = getattr(importlib.import_module(module), name)
            threading.Thread(target=job, args=(self.settings, self.stop), name=named, daemon=True).start()
