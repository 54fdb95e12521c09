"""The power fails while people draw on SQLite: whoever was told an arm keeps it, and the record is whole."""

from __future__ import annotations

import pickle
import shutil
import sqlite3
from pathlib import Path

import pytest
from arrivals import broken_promises, fresh_processes, get_ready
from power_cut import Cut, cuts, draw_watched
from small_pilot import Site, settings_for

from pilot.db import Database

PEOPLE, CUTS = 60, 30
FILES = ("pilot.sqlite3", "pilot.sqlite3-wal")


def kept_by(site: Site, folder: Path, synchronous: str = "") -> list[Cut]:
    """What different power cuts leave of a crowd's draws."""
    people = get_ready(site, PEOPLE)
    site.database.dispose()
    home = site.settings.home
    before = {name: (home / name).read_bytes() for name in FILES if (home / name).is_file()}
    told = folder / "happened"
    process = fresh_processes().Process(target=draw_watched, args=(site.settings, site.slug, people, synchronous, told))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    happened = pickle.loads(told.read_bytes())
    assert sum(one[0] == "told" for one in happened) == PEOPLE
    assert {one[1] for one in happened if one[0] == "write"} >= set(FILES), "no cut can fall into moving the log"
    return list(cuts(happened, before, count=CUTS, seed=7))


def broken_after(site: Site, cut: Cut, home: Path) -> list[str]:
    """The promises that do not hold on the disk that the power cut left."""
    shutil.copytree(site.settings.keys, home / "keys")
    for name, content in cut.files.items():
        if name in FILES:
            (home / name).write_bytes(content)
    try:
        with sqlite3.connect(home / FILES[0]) as connection:
            whole = connection.execute("PRAGMA integrity_check").fetchall()
        connection.close()
        assert whole == [("ok",)]
        settings = settings_for(home)
        after = Site(settings, Database(settings), slug=site.slug)
        try:
            return broken_promises(after, [cut.told], everybody=list(cut.told.places))
        finally:
            after.database.dispose()
    except (sqlite3.DatabaseError, AssertionError) as error:
        return [f"the database is damaged: {error}"]


@pytest.mark.heavy
def test_a_power_cut_takes_nothing_from_who_was_told(site: Site, tmp_path: Path):
    for number, cut in enumerate(kept_by(site, tmp_path)):
        assert broken_after(site, cut, tmp_path / f"after{number}") == [], number


@pytest.mark.heavy
@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_harness_catches_a_database_that_does_not_wait_for_the_disk(site: Site, tmp_path: Path, synchronous: str):
    found = [
        broken_after(site, cut, tmp_path / f"after{number}")
        for number, cut in enumerate(kept_by(site, tmp_path, synchronous))
    ]
    assert any(found)
