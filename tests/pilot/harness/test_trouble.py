"""Disks that are full, locks that strangers hold, clocks that are wrong, orders to stop: nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from arrivals import Acknowledged, broken_promises, draw_together, fresh_processes, get_ready
from narrow import draw_all, draw_until_full, full, sizes
from postgres_cluster import cluster
from small_pilot import SECRETS, START, Site, person
from sqlalchemy import select, text

from pilot import worker
from pilot.db import Database
from pilot.journey import followup
from pilot.models import Identity, Message, StratumState

PAGE = 8192
DRAWN = 40
"""People drawn before the trouble begins: the tables and the database's own files are there by then."""


def again(site: Site) -> Site:
    """The same installation with connections of its own."""
    return Site(site.settings, Database(site.settings), slug=site.slug)


@pytest.mark.heavy
def test_a_full_disk_under_sqlite_loses_nobody_who_was_told(new_site):
    site = new_site()
    everybody = get_ready(site, 80)
    site.database.dispose()
    with ProcessPoolExecutor(1, mp_context=fresh_processes()) as pool:
        told, errors = pool.submit(draw_until_full, site.settings, site.slug, everybody, 150_000).result()
    assert told, "the disk was full at once"
    assert errors, "the disk was never full"
    assert "Busy" not in errors, "trying again does not mend a full disk"
    rest = draw_together(site, everybody, processes=2, rollbacks=0.0)
    assert broken_promises(site, [Acknowledged(told, 0, 0.0), *rest], everybody=everybody) == []


@pytest.mark.heavy
def test_a_full_disk_under_postgresql_loses_nobody_who_was_told(new_site):
    """The table of events is filled up to just below the limit, so that the draw is what meets it."""
    with cluster(max_connections="50") as server:
        site = new_site(database_url=server.url(server.create_database()))
        everybody = get_ready(site, 400)
        first, none = draw_all(site, everybody[:DRAWN])
        assert none == []
        with site.database.write_engine.begin() as connection:
            connection.execute(text(
                "INSERT INTO events (pilot_id, kind, detail, at) SELECT 1, 'ballast', "
                "jsonb_build_object('x', repeat(md5(n::text), 60)), now() FROM generate_series(1, 9000) n"
            ))  # fmt: skip
            path = connection.execute(text("SELECT pg_relation_filepath('events')")).scalar_one()
        site.database.dispose()
        largest = (server.data / path).stat().st_size + 4 * PAGE
        assert largest > sizes(server.data / "pg_wal"), "the ballast is smaller than a segment of the log"
        with full(server, largest):
            during = again(site)
            told, errors = draw_all(during, everybody[DRAWN:])
            during.database.dispose()
        assert told, "the disk was full at once"
        assert errors, "the disk was never full"
        rest = draw_together(site, everybody, processes=2, rollbacks=0.0)
        promises = [Acknowledged(first, 0, 0.0), Acknowledged(told, 0, 0.0), *rest]
        assert broken_promises(site, promises, everybody=everybody) == []
        site.database.dispose()


@contextmanager
def held_by_a_stranger(site: Site) -> Iterator[None]:
    """Somebody else's transaction holds every stratum (on SQLite: the one writer), and does not end by itself."""
    stranger = Site(site.settings, Database(replace(site.settings, lock_seconds=60.0)), slug=site.slug)
    with stranger.database.write_engine.connect() as connection:
        if stranger.database.is_sqlite:
            connection.execute(text("UPDATE pilots SET clock_shift = clock_shift"))
        else:
            connection.execute(select(StratumState).with_for_update())
        yield
        connection.rollback()
    stranger.database.dispose()


def test_a_lock_that_a_stranger_holds_is_waited_for_and_then_refused_with_nothing_written(new_site, address: str):
    site = new_site(database_url=address, settings={"lock_seconds": 0.3})
    everybody = get_ready(site, 24)
    first, none = draw_all(site, everybody[:8])
    assert none == []
    with held_by_a_stranger(site):
        told, errors = draw_all(site, everybody[8:12])
    assert (told, errors) == ({}, ["Busy"] * 4)
    rest = draw_together(site, everybody, processes=2, rollbacks=0.0)
    assert broken_promises(site, [Acknowledged(first, 0, 0.0), *rest], everybody=everybody) == []


@pytest.mark.heavy
def test_a_crowd_waits_out_a_stranger_who_holds_the_lock(new_site, address: str):
    """Longer than anybody waits: each is refused with Busy and comes again, and everybody gets one arm."""
    site = new_site(database_url=address, settings={"lock_seconds": 1.0})
    everybody = get_ready(site, 80)
    draw_all(site, everybody[:8])
    site.database.dispose()
    gone = threading.Event()

    def hold() -> None:
        with held_by_a_stranger(site):
            gone.wait(6)

    stranger = threading.Thread(target=hold)
    stranger.start()
    rest = draw_together(site, everybody, processes=3, rollbacks=0.0)
    gone.set()
    stranger.join()
    assert max(one.longest for one in rest) >= 1.0, "nobody had to wait"
    assert broken_promises(site, rest, everybody=everybody) == []


@pytest.fixture
def told_later(either_site: Site) -> Site:
    """Five people who were drawn and have a message in the outbox that was not sent yet."""
    with either_site.writing() as (session, _pilot):
        for number in range(5):
            either_site.enrol(session, person(number), until="deliver")
    return either_site


def rounds(site: Site, *clocks: datetime) -> list[int]:
    """Rounds of workers whose clocks stand at these moments; how many messages each sent."""
    return [worker.round_once(site.database, site.settings, clock=lambda now=now: now).sent for now in clocks]


@pytest.mark.parametrize("days", [3, -3])
def test_a_worker_whose_clock_is_three_days_off_sends_nothing_twice_and_loses_nothing(told_later: Site, days: int):
    right = START + timedelta(hours=3)
    wrong = right + timedelta(days=days)
    assert sum(rounds(told_later, wrong, right, wrong, right)) == 5
    assert len(list(told_later.settings.outbox.iterdir())) == 5
    with told_later.reading() as (session, _pilot):
        assert set(session.scalars(select(Message.status))) == {"sent"}
        assert len(session.scalars(select(Identity.participant_id)).all()) == 5


def test_what_one_worker_is_sending_no_other_sends_although_its_clock_is_three_days_ahead(told_later: Site):
    right = START + timedelta(hours=3)
    with told_later.database.writing() as session:
        mine = {message.id for message in followup.lease(session, now=right, limit=2)}
    assert len(mine) == 2
    assert sum(rounds(told_later, right + timedelta(days=3))) == 3
    with told_later.reading() as (session, _pilot):
        waiting = set(session.scalars(select(Message.id).where(Message.status == "queued")))
    assert waiting == mine


@pytest.mark.heavy
def test_a_worker_that_is_told_to_stop_finishes_its_round_and_stops(told_later: Site, tmp_path):
    settings = told_later.settings
    told_later.database.dispose()
    with told_later.writing() as (session, pilot):
        for message in session.scalars(select(Message)):
            message.due_at = START
        # The pilot's clock stands at an hour at which messages leave, whatever hour it is here.
        pilot.clock_shift = int((START + timedelta(hours=1) - datetime.now(UTC)).total_seconds())
    told_later.database.dispose()
    environment = {
        **os.environ, "PILOT_HOME": str(settings.home), "PILOT_KIND": "test",
        "PILOT_DATABASE_URL": settings.database_url,
        **{f"PILOT_{name.upper()}": value for name, value in SECRETS.items()},
    }  # fmt: skip
    program = [sys.executable, "-c", "from pilot.cli import main; main()", "worker"]
    process = subprocess.Popen(program, env=environment, stderr=subprocess.DEVNULL)
    try:
        outbox, ticks = settings.outbox, threading.Event()
        for _ in range(600):
            if outbox.is_dir() and any(outbox.iterdir()):
                break
            assert process.poll() is None
            ticks.wait(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
    with told_later.reading() as (session, _pilot):
        assert list(session.scalars(select(Message.status))) == ["sent"] * 5
        assert session.scalars(select(Message.lease_until)).all() == [None] * 5
    assert len(list(settings.outbox.iterdir())) == 5


def test_the_harness_would_see_somebody_told_what_is_not_on_record(site: Site):
    everybody = get_ready(site, 8)
    told, _errors = draw_all(site, everybody)
    stratum, position, _arm = told[everybody[0]]
    lie = {**told, everybody[0]: (stratum, position + 1, "portal")}
    assert broken_promises(site, [Acknowledged(lie, 0, 0.0)], everybody=everybody) != []
    assert broken_promises(site, [Acknowledged(told, 0, 0.0)], everybody=[*everybody, 10_000]) != []
