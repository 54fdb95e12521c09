"""A backup that is taken while people draw, put back, is a state in which every promise holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from arrivals import Acknowledged, broken_promises, draw_together, get_ready
from small_pilot import Site, settings_for
from sqlalchemy import select

from pilot import backup, readiness
from pilot.db import Database
from pilot.models import Allocation
from tooling.programs import find_postgres

COPIES = 3


def copies_under_load(site: Site, people: list[int], folder: Path) -> list[tuple[Path, list[int]]]:
    """Copies taken while a crowd draws, each with who had been drawn for before it began."""
    taken: list[tuple[Path, list[int]]] = []
    crowd = threading.Thread(target=draw_together, args=(site, people), kwargs={"processes": 2, "rollbacks": 0.05})
    database = Database(site.settings)
    crowd.start()
    for number in range(COPIES):
        with database.reading() as session:
            drawn = list(session.scalars(select(Allocation.participant_id)))
        file = folder / f"copy{number}"
        backup.write(database, file)
        taken.append((file, drawn))
    crowd.join()
    database.dispose()
    return taken


def check(restored: Site, drawn: list[int]) -> None:
    """The restored installation opens its doors, holds everybody who had been drawn for, and breaks no promise."""
    readiness.check(restored.database, restored.settings)
    backup.sound(restored.database)
    assert broken_promises(restored, [Acknowledged({}, 0, 0.0)], everybody=drawn) == []
    restored.database.dispose()


def test_a_backup_of_sqlite_under_load_restores_to_a_whole_state(site: Site, tmp_path: Path):
    everybody = get_ready(site, 80)
    site.database.dispose()
    for number, (file, drawn) in enumerate(copies_under_load(site, everybody, tmp_path)):
        home = tmp_path / f"restored{number}"
        shutil.copytree(site.settings.keys, home / "keys")
        shutil.copy(file, home / "pilot.sqlite3")
        settings = settings_for(home)
        check(Site(settings, Database(settings), slug=site.slug), drawn)


@pytest.mark.heavy
def test_a_backup_of_postgresql_under_load_restores_to_a_whole_state(
    new_site, postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    programs = find_postgres()
    assert programs is not None
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    site = new_site(database_url=postgres.url(postgres.create_database()))
    everybody = get_ready(site, 160)
    site.database.dispose()
    for file, drawn in copies_under_load(site, everybody, tmp_path):
        name = postgres.create_database()
        address = ["--host=127.0.0.1", f"--port={postgres.port}", "--username=adviespilot", f"--dbname={name}"]
        environment = {**os.environ, "PGPASSWORD": postgres.password}
        subprocess.run(["pg_restore", "--no-owner", *address, str(file)], env=environment, check=True)
        settings = settings_for(site.settings.home, postgres.url(name))
        check(Site(settings, Database(settings), slug=site.slug), drawn)
        postgres.drop_database(name)
