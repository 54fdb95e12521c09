"""Attempts count once, whoever asks at the same moment, and only as long as the limit says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from small_pilot import Site
from sqlalchemy import func, select, update

from pilot import attempts
from pilot.models import Attempt

KEY, OTHER = "ab" * 32, "cd" * 32


def take(site: Site, key: str = KEY, *limits: attempts.Limit) -> bool:
    with site.database.writing() as session:
        return attempts.take(session, key, limits or ((5, 60),))


def test_of_many_attempts_at_once_no_more_than_the_limit_pass(either_site: Site):
    gate = Barrier(8)

    def one(_number: int) -> bool:
        gate.wait()
        return take(either_site)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [False] * 3 + [True] * 5
    assert take(either_site, OTHER)


def test_who_waits_is_let_in_again_and_what_counts_no_more_is_forgotten(either_site: Site):
    both = ((2, 60), (3, 3600))
    assert [take(either_site, KEY, *both) for _ in range(3)] == [True, True, False]
    _older(either_site, seconds=61)
    assert [take(either_site, KEY, *both) for _ in range(2)] == [True, False]
    _older(either_site, seconds=3600)
    assert take(either_site, KEY, *both)
    with either_site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1


def _older(site: Site, *, seconds: int) -> None:
    with site.database.writing() as session:
        for row in session.scalars(select(Attempt)):
            session.execute(update(Attempt).where(Attempt.id == row.id).values(at=row.at - timedelta(seconds=seconds)))
