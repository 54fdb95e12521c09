"""Two thousand telephones send an answer at the same moment: each answer is kept, once, and nobody gets another error
than that it is busy.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from small_pilot import SECRETS, START, Site
from sqlalchemy import insert, select

from benchmarks._clients import get, post, served
from pilot import access
from pilot.journey import enrolment
from pilot.models import Draft, Participant

REGIONS = ("noord", "oost", "west", "zuid")
MOST_ROUNDS = 40


def crowd(site: Site, count: int) -> dict[int, str]:
    """People who have just begun, by their number in the record, each with the personal link."""
    with site.writing() as (session, pilot):
        people = [
            {"pilot_id": pilot.id, "mode": "live", "study_id": enrolment.study_id(site.secret, pilot.slug, f"p{n}"),
             "nonce": f"p{n}", "outreach_arm": "open_link", "language": "nl", "link_generation": 1, "created_at": START,
             "covariates": {}}
            for n in range(count)
        ]  # fmt: skip
        session.execute(insert(Participant), people)
        now, secret = datetime.now(UTC), SECRETS["secret_key"]
        found = session.scalars(select(Participant).where(Participant.nonce.like("p%")).order_by(Participant.id)).all()
        return {one.id: access.link_token(secret, one, "enrol", now=now) for one in found}


def form_of(port: int, token: str) -> tuple[str, str]:
    page = get(port, f"/e/{token}/q/screening/region").decode()
    cookie, csrf = re.search(r"Set-Cookie: (session=[^;]+)", page), re.search(r'csrf_token" value="([^"]+)"', page)
    assert cookie, page[:500]
    assert csrf, page[:500]
    return f"csrf_token={csrf[1]}&revision=0", cookie[1]


async def ask(port: int, request: bytes) -> tuple[int, bool]:
    """The status of the answer, and whether it says when to come back; 0 when the line broke."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 240)
        writer.close()
        await writer.wait_closed()
    except OSError:
        return 0, False
    return int(answer[9:12] or 0), b"\r\nretry-after:" in answer.lower()


async def all_at_once(port: int, requests: list[bytes]) -> list[tuple[int, bool]]:
    return list(await asyncio.gather(*(ask(port, request) for request in requests)))


def in_a_thread(asked: Coroutine[Any, Any, list[tuple[int, bool]]]) -> list[tuple[int, bool]]:
    """This thread may have a loop of its own: a browser that another test left open for the next one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asked).result()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def send_all(site: Site, port: int, links: dict[int, str]) -> list[tuple[int, bool]]:
    """Everybody at once, every fifth person twice; who hears that it is busy tries again, as the page tells."""
    body, cookie = form_of(port, next(iter(links.values())))
    waiting = [
        post(port, f"/e/{link}/q/screening/region", f"{body}&region={REGIONS[number % 4]}", cookie)
        for number, link in links.items()
        for _twice in range(2 if number % 5 == 0 else 1)
    ]
    heard: list[tuple[int, bool]] = []
    for _round in range(MOST_ROUNDS):
        answers = in_a_thread(all_at_once(port, waiting))
        heard += answers
        waiting = [request for request, (status, _later) in zip(waiting, answers, strict=True) if status != 303]
        if not waiting:
            return heard
    raise AssertionError(f"{len(waiting)} people never got through: {sorted(set(heard))}")


@pytest.fixture
def flood(new_site: Callable[..., Site], tmp_path: Path):
    """`flood(count, workers, database_url)`: what everybody heard, and what is in the record afterwards."""

    def run(count: int, workers: int, database_url: str = ""):
        port = free_port()
        site = new_site(database_url=database_url, settings={"base_url": f"http://127.0.0.1:{port}"})
        links = crowd(site, count)
        site.database.dispose()
        settings = site.settings
        environment = {
            "PILOT_HOME": str(settings.home), "PILOT_DATABASE_URL": settings.database_url, "PILOT_KIND": "test",
            "PILOT_BASE_URL": settings.base_url, "PILOT_LOG_LEVEL": "ERROR",
            **{f"PILOT_{name.upper()}": value for name, value in SECRETS.items()},
        }  # fmt: skip
        with served("pilot.app:wsgi()", port, environment, tmp_path / "server.log", workers=workers):
            heard = send_all(site, port, links)
        with site.reading() as (session, _pilot):
            drafts = session.scalars(select(Draft)).all()
            kept = [(draft.participant_id, draft.answers, draft.revision) for draft in drafts]
        return links, heard, kept

    return run


def all_is_well(links, heard, kept) -> None:
    assert {status for status, _later in heard} <= {303, 503}
    assert all(later for status, later in heard if status == 503)
    assert sorted(kept) == [(number, {"region": REGIONS[number % 4]}, 1) for number in sorted(links)]


@pytest.mark.heavy
def test_two_thousand_answers_at_once_are_kept_once_on_postgresql(flood, postgres_url: str):
    all_is_well(*flood(2000, 2, postgres_url))


@pytest.mark.heavy
def test_four_hundred_answers_at_once_are_kept_once_on_sqlite(flood):
    all_is_well(*flood(400, 1))
