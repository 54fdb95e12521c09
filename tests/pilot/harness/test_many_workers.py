"""Several workers send at once on PostgreSQL, and some are killed half-way: everybody hears once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from small_pilot import SECRETS, START, Site, person
from sqlalchemy import select, update
from text_provider import Provider, provider

from pilot.db import shared_clock
from pilot.journey.followup import LEASE
from pilot.models import Identity, Message, Pilot
from pilot.settings import load
from pilot.worker import round_once

PEOPLE, WORKERS, KILLS = 90, 3, 3
EACH = 2  # the receipt of the draw, and the invitation of the wave
WAVE = "followup_3m"
PILOT = [sys.executable, "-c", "from pilot.cli import main; main()"]
PATIENCE = 120.0


def start_worker(site: Site, server: Provider) -> subprocess.Popen[bytes]:
    own = {f"PILOT_{name.upper()}": value for name, value in SECRETS.items()}
    where = {"PILOT_HOME": str(site.settings.home), "PILOT_DATABASE_URL": site.settings.database_url}
    kind = {"PILOT_KIND": "test", "PILOT_SMS_URL": server.url, "PILOT_PROTOCOLS": str(site.settings.protocols)}
    environment = {**os.environ, **own, **where, **kind, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen([*PILOT, "worker"], env=environment, stderr=subprocess.DEVNULL)


def until(what: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.2)


def everybody_by_text_message(site: Site, people: int = PEOPLE) -> None:
    """People who have a telephone and no e-mail address, ninety-five days after their draw by the pilot's clock."""
    with site.writing() as (session, pilot):
        for number in range(1, people + 1):
            site.enrol(session, person(number), until="allocate")
        session.execute(update(Identity).values(email=None, email_hash=None))
        session.execute(update(Message).values(status="cancelled"))
        pilot.clock_shift = int((START + timedelta(days=95, hours=2) - datetime.now(UTC)).total_seconds())


def leases_of_the_dead_run_out(site: Site) -> None:
    """Five minutes pass for what a killed worker held. Whatever a living one is sending it has just renewed."""
    with site.writing() as (session, _pilot):
        a_while_ago = shared_clock(session) + LEASE - timedelta(seconds=5)
        held = update(Message).where(Message.lease_until < a_while_ago, Message.status == "queued")
        session.execute(held.values(lease_until=a_while_ago - LEASE))


def left(site: Site) -> int:
    """How many of the receipts and the invitations nobody has sent yet. A dead worker may hold either kind."""
    with site.reading() as (session, _pilot):
        rows = session.scalars(select(Message.status).where(Message.status != "cancelled")).all()
    return EACH * PEOPLE - sum(status in ("sent", "unsure") for status in rows)


def test_workers_that_begin_in_the_same_moment_share_the_messages_and_double_none(new_site, postgres_url: str):
    site = new_site(database_url=postgres_url)
    everybody_by_text_message(site, 12)
    with site.writing() as (session, _pilot):
        session.execute(update(Pilot).values(clock_shift=0))
    now, together = START + timedelta(days=95, hours=2), Barrier(WORKERS)
    with provider(slow=0.002) as server:
        own = {name: getattr(site.settings, name) for name in ("home", "secret_key", "data_key", "protocols")}
        settings = load({}, **own, kind="test", sms_url=server.url, database_url=postgres_url)

        def work(_worker: int) -> int:
            together.wait()
            return round_once(site.database, settings, clock=lambda: now).sent

        with ThreadPoolExecutor(WORKERS) as pool:
            sent = sum(pool.map(work, range(WORKERS)))
    assert sent == len(server.asked) == EACH * 12
    assert set(Counter(asked["Idempotency-Key"] for asked, _body in server.asked).values()) == {1}


@pytest.mark.heavy
def test_three_workers_of_which_some_are_killed_send_every_message_and_double_none(new_site, postgres_url: str):
    site = new_site(database_url=postgres_url)
    everybody_by_text_message(site)
    with provider(slow=0.03) as server:
        workers = [start_worker(site, server) for _ in range(WORKERS)]
        try:
            for kill in range(1, KILLS + 1):
                share = kill * EACH * PEOPLE // (KILLS + 2)
                until(lambda share=share: len(server.asked) >= share, "the workers send nothing")
                workers[0].kill()
                workers.pop(0).wait()
                workers.append(start_worker(site, server))
            until(lambda: _all_sent(site), f"{left(site)} messages were never sent")
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    told = Counter(asked["Idempotency-Key"] for asked, _body in server.asked)
    assert set(told.values()) == {1}
    # Over a message that a worker died with nobody is sure: it waits for a steward, and may never have left.
    assert EACH * PEOPLE - KILLS <= len(told) <= EACH * PEOPLE
    numbers = Counter({asked["Idempotency-Key"]: body["to"] for asked, body in server.asked}.values())
    assert max(numbers.values()) <= EACH
    assert len(numbers) == PEOPLE
    with site.reading() as (session, _pilot):
        rows = session.scalars(select(Message).where(Message.wave == WAVE)).all()
    assert len(rows) == len({row.participant_id for row in rows}) == PEOPLE


def _all_sent(site: Site) -> bool:
    leases_of_the_dead_run_out(site)
    return left(site) == 0
