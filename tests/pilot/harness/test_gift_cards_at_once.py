"""Several workers open the drawer of gift cards at once: nobody gets two, and no card goes to two people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from small_pilot import START, Site, person
from sqlalchemy import func, select

from pilot.journey import answering, incentives
from pilot.locking import in_force
from pilot.models import GiftCard, Message

WAVE, PEOPLE, CARDS, WORKERS = "followup_3m", 12, 9, 4
OPEN = START + timedelta(days=95)


def ready(site: Site) -> None:
    with site.writing() as (session, pilot):
        _version, protocol = in_force(session, pilot.id)
        for number in range(1, PEOPLE + 1):
            someone = site.enrol(session, person(number))
            site.fill(session, protocol, someone, WAVE, person(number), OPEN)
            answering.submit(session, protocol, someone, WAVE, now=OPEN)
        rows = [{"code": f"CARD-{number}", "amount": "10"} for number in range(CARDS)]
        keyring, actor = site.database.keyring, site.staff["steward"]
        incentives.import_cards(session, pilot, protocol, rows, keyring=keyring, actor_id=actor, now=OPEN)


def test_workers_that_give_at_once_give_every_card_once_and_nobody_two(either_site: Site):
    ready(either_site)
    together = Barrier(WORKERS)

    def give(_worker: int) -> int:
        together.wait()
        with either_site.writing() as (session, pilot):
            _version, protocol = in_force(session, pilot.id)
            zone = either_site.settings.zone
            return incentives.give_due(session, pilot, protocol, zone=zone, now=OPEN)

    with ThreadPoolExecutor(WORKERS) as pool:
        given = [*list(pool.map(give, range(WORKERS))), give_alone(either_site)]
    assert sum(given) == CARDS
    with either_site.reading() as (session, _pilot):
        owners = session.scalars(select(GiftCard.participant_id)).all()
        told = session.scalar(select(func.count()).select_from(Message).where(Message.kind == "gift"))
    assert len(set(owners)) == CARDS
    assert None not in owners
    assert told == CARDS


def give_alone(site: Site) -> int:
    """One more round, for whom every worker left to another."""
    with site.writing() as (session, pilot):
        _version, protocol = in_force(session, pilot.id)
        return incentives.give_due(session, pilot, protocol, zone=site.settings.zone, now=OPEN)
