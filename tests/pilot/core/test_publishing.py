"""What policymakers see: numbers that stand still for weeks, and never two pages from which a few people follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from arrivals import get_ready
from small_pilot import START, Site, changed, person
from sqlalchemy import select

from dashboards.publications import PublishedCell, leaks
from pilot import locking, publishing, worker
from pilot.models import Event, Participant, Publication
from pilot.pages import Dashboard

LATER = START + publishing.EVERY


def exact_counts(data: dict[str, Any]) -> None:
    data["disclosure"] = {**data.get("disclosure", {}), "rounding_base": 1}


def draw(site: Site, people: Sequence[int], *, now: datetime = START) -> None:
    with site.writing() as (session, _pilot):
        for one in people:
            site.allocate(session, session.get_one(Participant, one), now=now)


def publish(site: Site, now: datetime) -> publishing.Draft:
    """One publication, whatever the day."""
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        draft = publishing.prepare(session, pilot, protocol, folder=site.settings.freezes, now=now)
        assert publishing.publish(session, pilot, draft, now=now)
    return draft


def page(site: Site, now: datetime) -> str:
    """The numbers of the policymakers' page, as text."""
    with site.reading() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        shown = Dashboard(session, pilot, protocol, language="en", now=now).policymaker()
        return " ".join(f"{figure.sentence} {figure.table.rows}" for figure in shown.figures)


def published_cells(site: Site) -> list[PublishedCell]:
    with site.reading() as (session, _pilot):
        rows = session.scalars(select(Publication)).all()
        return [cell for row in rows for part in row.cells.values() for cell in publishing.unpacked(part)]


def test_nothing_is_shown_until_the_worker_has_published(site: Site):
    draw(site, get_ready(site, 40))
    assert page(site, START) == ""
    assert worker.round_once(site.database, site.settings, clock=lambda: START).published == 1
    assert "allocated" in page(site, START) or "40" in page(site, START)


def test_the_page_stands_still_between_two_publications(site: Site):
    people = get_ready(site, 80)
    draw(site, people[:40])
    worker.round_once(site.database, site.settings, clock=lambda: START)
    before = page(site, START)
    draw(site, people[40:], now=START + timedelta(days=1))
    soon, due = LATER - timedelta(minutes=1), LATER
    assert worker.round_once(site.database, site.settings, clock=lambda: soon).published == 0
    assert page(site, soon) == before
    assert worker.round_once(site.database, site.settings, clock=lambda: due).published == 1
    assert page(site, due) != before


def test_numbers_that_differ_by_three_people_are_kept_back_and_the_older_ones_stay(new_site):
    site = new_site(protocol=changed(exact_counts))
    people = get_ready(site, 43)
    draw(site, people[:40])
    publish(site, START)
    before = page(site, START)
    draw(site, people[40:], now=START + timedelta(days=1))
    draft = publish(site, LATER)
    assert [part.name for part in draft.parts if part.held] == [publishing.RECRUITMENT]
    assert page(site, LATER) == before
    with site.reading() as (session, pilot):
        (part,) = publishing.standing(session, pilot)
        assert part.held
        assert part.held_at == LATER
        assert part.made_at == START
        event = session.scalars(select(Event).where(Event.kind == "published").order_by(Event.id.desc())).first()
        assert event is not None
        assert event.detail["kept_back"] == [publishing.RECRUITMENT]
    _version, protocol = _in_force(site)
    assert leaks(published_cells(site), protocol.disclosure) == ()
    unchecked = [*published_cells(site), *draft.parts[0].cells]
    assert 3 in {leak.people for leak in leaks(unchecked, protocol.disclosure)}


def _in_force(site: Site):
    with site.reading() as (session, pilot):
        return locking.in_force(session, pilot.id)


def test_what_was_kept_back_is_published_once_enough_people_have_come(new_site):
    site = new_site(protocol=changed(exact_counts))
    people = get_ready(site, 60)
    draw(site, people[:40])
    publish(site, START)
    draw(site, people[40:43], now=LATER)
    assert publish(site, LATER).parts[0].held
    draw(site, people[43:], now=LATER)
    assert not publish(site, LATER + publishing.EVERY).parts[0].held
    _version, protocol = _in_force(site)
    assert leaks(published_cells(site), protocol.disclosure) == ()


def test_of_two_workers_one_publishes(either_site: Site):
    draw(either_site, get_ready(either_site, 40))
    with either_site.reading() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        folder = either_site.settings.freezes
        drafts = [publishing.prepare(session, pilot, protocol, folder=folder, now=START) for _worker in range(2)]
    kept = []
    for draft in drafts:
        with either_site.writing() as (session, pilot):
            kept.append(publishing.publish(session, pilot, draft, now=START))
    assert kept == [True, False]


def test_nobody_stands_in_a_publication_by_name_or_arm(site: Site):
    with site.writing() as (session, _pilot):
        for number in range(3):
            site.enrol(session, person(number))
    publish(site, START)
    with site.reading() as (session, _pilot):
        kept = str(session.scalars(select(Publication)).one().cells)
    assert "Fatima" not in kept
    assert "voucher" not in kept


@pytest.mark.parametrize("days", [1, 27])
def test_a_look_that_was_opened_is_a_reason_to_publish_earlier(site: Site, days: int):
    draw(site, get_ready(site, 40))
    publish(site, START)
    with site.reading() as (session, pilot):
        assert not publishing.due(session, pilot, now=START + timedelta(days=days))
    with site.writing() as (session, pilot):
        _opened_look(session, pilot.id, START)
    with site.reading() as (session, pilot):
        assert publishing.due(session, pilot, now=START + timedelta(days=days))


def _opened_look(session: Any, pilot_id: int, now: datetime) -> None:
    from pilot.models import Freeze, Look

    freeze = Freeze(pilot_id=pilot_id, number=1, file="x", sha256="0" * 64, rows=1, manifest={}, created_at=now)
    session.add(freeze)
    session.flush()
    session.add(Look(pilot_id=pilot_id, name="interim", freeze_id=freeze.id, fingerprint="0" * 64, opened_at=now,
                     results={}))  # fmt: skip
