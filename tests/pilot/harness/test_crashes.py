"""Processes and databases are killed while people draw: what was acknowledged stands, and nothing else is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from arrivals import enrol_twice, get_ready
from crashing import Crashes, run
from mutants import MUTANTS
from postgres_cluster import Cluster, cluster
from small_pilot import Site


@pytest.fixture
def mortal() -> Iterator[Cluster]:
    """A PostgreSQL of this test's own, which it may kill."""
    with cluster(max_connections="100") as server:
        yield server


def kill_and_start(server: Cluster) -> Callable[[], None]:
    def fall() -> None:
        server.kill()
        server.start()

    return fall


@pytest.mark.heavy
def test_killed_workers_and_a_killed_postgresql_break_no_promise(new_site, mortal: Cluster, tmp_path: Path):
    site = new_site(database_url=mortal.url(mortal.create_database()))
    everybody = get_ready(site, 1200)
    site.database.dispose()
    rough = Crashes(worker_kills=30, database_kills=2)
    assert run(site, everybody, tmp_path, rough, kill_database=kill_and_start(mortal)) == []


@pytest.mark.heavy
def test_killed_workers_break_no_promise_on_sqlite(new_site, tmp_path: Path):
    site = new_site()
    everybody = get_ready(site, 1200)
    site.database.dispose()
    assert run(site, everybody, tmp_path, Crashes(worker_kills=30)) == []


def test_a_few_killed_workers_break_no_promise(either_site: Site, tmp_path: Path):
    everybody = get_ready(either_site, 120)
    either_site.database.dispose()
    assert run(either_site, everybody, tmp_path, Crashes(workers=3, worker_kills=3)) == []


@pytest.mark.heavy
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_harness_catches_a_draw_with_a_fault(new_site, postgres_url: str, tmp_path: Path, mutant: str):
    """A fault in the draw shows in the record, or keeps the crowd from getting through."""
    site = new_site(database_url=postgres_url)
    everybody = get_ready(site, 160, strata=1)
    site.database.dispose()
    rough = Crashes(worker_kills=8, seconds=40, mutant=mutant)
    assert run(site, everybody, tmp_path, rough) != []


@pytest.mark.heavy
def test_the_harness_catches_commits_that_do_not_wait_for_the_disk(new_site, tmp_path: Path):
    """A database that is killed forgets what it had only promised to remember, when nothing else wrote it down."""
    unhurried = {"wal_writer_delay": "10000ms", "wal_writer_flush_after": "1GB", "wal_buffers": "64MB",
                 "bgwriter_lru_maxpages": "0"}  # fmt: skip
    with cluster(max_connections="100", **unhurried) as server:
        site = new_site(database_url=server.url(server.create_database()))
        everybody = get_ready(site, 800)
        site.database.dispose()
        rough = Crashes(worker_kills=10, database_kills=2, mutant="async commit")
        broken = run(site, everybody, tmp_path, rough, kill_database=kill_and_start(server))
        site.database.dispose()
    assert any("was lost" in one or "record says None" in one for one in broken), broken


def test_a_form_that_two_processes_send_enrols_one_person(either_site: Site):
    assert enrol_twice(either_site, range(20)) == 20


@pytest.mark.heavy
def test_the_harness_catches_forms_without_a_mark_of_their_own(either_site: Site):
    assert enrol_twice(either_site, range(20), "no nonce") == 40
