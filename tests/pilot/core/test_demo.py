"""The demo: small, whole, the same for the same seed, and honest about the effect it finds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from small_pilot import settings_for
from sqlalchemy import select

from analysis.results import Effect
from pilot import audit, demo, keys, locking, results, schema
from pilot.db import Database
from pilot.models import Allocation, Participant, Submission
from pilot.pages import Dashboard
from pilot.synthetic import World

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PEOPLE, SMALL = 60, 12


def build(home: Path, *, count: int = PEOPLE) -> Database:
    settings = settings_for(home, kind="demo")
    database = Database(settings)
    schema.upgrade(database)
    demo.build(database, settings, password="een lang wachtwoord", seed=7, now=NOW, count=count, small=SMALL)
    return database


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory):
    database = build(tmp_path_factory.mktemp("demo"))
    yield database
    database.dispose()


def said(database: Database, slug: str) -> list[tuple[str, str, dict]]:
    """Arm and answers of everybody, in the order in which they came."""
    with database.reading() as session:
        pilot = locking.by_slug(session, slug)
        rows = session.execute(
            select(Allocation.stratum, Allocation.arm, Submission.wave, Submission.analysed)
            .join(Participant, Participant.id == Allocation.participant_id)
            .join(Submission, Submission.participant_id == Participant.id)
            .where(Participant.pilot_id == pilot.id)
            .order_by(Participant.id, Submission.id)
        ).all()
    return [(f"{stratum} {arm}", wave, answers) for stratum, arm, wave, answers in rows]


def test_two_pilots_stand_one_closed_with_its_final_look_and_one_that_recruits(built: Database):
    with built.reading() as session:
        first, second = (locking.by_slug(session, slug) for slug in ("ontwikkeladvies", "ontwikkeladvies-noord"))
        assert (first.status, second.status) == ("closed", "running")
        assert locking.allocated(session, first) == PEOPLE
        assert locking.allocated(session, second) == SMALL
        assert results.latest(session, first) is not None
        assert results.latest(session, second) is None
    assert demo.is_ready(built)


def voucher_against_portal(database: Database) -> Effect:
    with database.reading() as session:
        found = results.latest(session, locking.by_slug(session, "ontwikkeladvies"))
    assert found is not None
    contrasts = found[1].outcomes[0].contrasts
    effect = next(c for c in contrasts if (c.treated, c.comparison) == ("voucher", "portal")).unadjusted
    assert effect is not None
    return effect


def true_effect() -> float:
    """What the synthetic people were given: the gain in the chance to start training within a year."""
    starts = World().starts
    return starts["voucher"] - starts["portal"]


def test_policymakers_read_the_main_outcome_first(built: Database):
    with built.reading() as session:
        pilot = locking.by_slug(session, "ontwikkeladvies")
        _version, protocol = locking.in_force(session, pilot.id)
        page = Dashboard(session, pilot, protocol, language="en", now=NOW).policymaker()
    assert page.figures[0].title.startswith("Started training within 12 months")


def test_sixty_people_are_too_few_to_be_sure_and_the_interval_says_so(built: Database):
    """Twenty people an arm: the standard error is near 0.15, so that the sign may well be missed, the interval not."""
    effect = voucher_against_portal(built)
    assert effect.low < true_effect() < effect.high
    assert effect.se > 0.1


@pytest.mark.heavy
def test_the_voucher_is_seen_to_help_among_three_hundred_and_sixty(tmp_path: Path):
    database = build(tmp_path, count=360)
    effect = voucher_against_portal(database)
    database.dispose()
    assert effect.value > 0
    assert effect.low < true_effect() < effect.high


def test_nothing_in_the_demo_was_put_in_behind_the_journey(built: Database):
    settings = built.settings
    with built.reading() as session:
        for slug in ("ontwikkeladvies", "ontwikkeladvies-noord"):
            pilot = locking.by_slug(session, slug)
            key = keys.read(settings.keys, slug, "live")
            assert audit.verify(session, pilot) == []
            assert audit.replay(session, pilot, key=key, mode="live") == []
            assert audit.commitment_holds(session, pilot, key=key, mode="live")


def test_the_same_seed_gives_the_same_people_arms_and_answers(tmp_path: Path):
    runs = []
    for name in ("one", "two"):
        database = build(tmp_path / name, count=10)
        runs.append([said(database, slug) for slug in ("ontwikkeladvies", "ontwikkeladvies-noord")])
        database.dispose()
    assert runs[0] == runs[1]
    assert len(runs[0][0]) > 10
