"""Gift cards as the protocol has them: for which wave, of what amount, from which list, and when; also at the desk."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from email.policy import default
from threading import Barrier
from typing import Any

import pytest
from small_pilot import START, Site, changed
from sqlalchemy import func, select
from visitors import Doors, Visitor

from pilot.journey import incentives
from pilot.locking import in_force
from pilot.models import Event, GiftCard, Message, Participant
from pilot.problems import InvalidRows
from pilot.protocol import InvalidProtocol
from pilot.worker import round_once

OPEN = START + timedelta(days=95)
WAVE = "followup_3m"
TERMS = [
    {"wave": WAVE, "amount_cents": 500, "when": "before", "cards": "shop"},
    {"wave": "followup_12m", "amount_cents": 2000, "cards": "books"},
]


def giving(terms: Any) -> Any:
    return changed(lambda data: data.update(incentives=terms))


@dataclass
class Desk:
    """A pilot that gives cards: its doors, its staff, its worker, and what is in its drawer."""

    site: Site
    doors: Doors
    staff: Any

    def take_in(self, *rows: tuple[str, str, str]) -> int:
        with self.site.writing() as (session, pilot):
            _version, protocol = in_force(session, pilot.id)
            cards = [dict(zip(("code", "amount", "cards"), row, strict=True)) for row in rows]
            actor, keyring = self.site.staff["steward"], self.site.database.keyring
            return incentives.import_cards(
                session, pilot, protocol, cards, keyring=keyring, actor_id=actor, now=self.doors.now
            )

    def work(self, now: Any) -> None:
        self.doors.now = self.staff.now = now
        round_once(self.site.database, self.site.settings, clock=lambda: now)

    def cards(self) -> list[tuple[str, str | None]]:
        with self.site.reading() as (session, _pilot):
            rows = session.scalars(select(GiftCard).order_by(GiftCard.id))
            return [(row.code, row.wave if row.participant_id else None) for row in rows]

    def answer(self, visitor: Visitor, wave: str = WAVE) -> Visitor:
        """Back with code and birth date, which works also after all links were closed."""
        code = re.search(r"<dd[^>]*>([A-Z2-7]{6})</dd>", visitor.page)
        assert code, "the page shows no code"
        born = visitor.who.birth_date
        fresh = self.doors.visitor(visitor.who).open(f"/p/{self.site.slug}/resume")
        parts = {"born-day": str(born.day), "born-month": str(born.month), "born-year": str(born.year)}
        fresh.send(code=code[1], **parts)
        return fresh.go_on("next", {"training_started": "no"})


@pytest.fixture
def desk(request, new_site, office_of) -> Iterator[Desk]:
    terms = getattr(request, "param", TERMS)
    site = new_site(protocol=changed(lambda data: None) if terms is None else giving(terms))
    doors = Doors(site)
    yield Desk(site, doors, office_of(site))
    doors.close()


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ([{"wave": "followup_9m", "amount_cents": 500}], "'followup_9m' is no follow-up wave"),
        ([{"wave": "baseline", "amount_cents": 500}], "'baseline' is no follow-up wave"),
        ([{"wave": WAVE, "amount_cents": 500}] * 2, "stands twice"),
        ([{"wave": WAVE, "amount_cents": 500}, {"wave": "followup_6m", "amount_cents": 600}], "has one amount"),
        ([{"wave": WAVE, "amount_cents": 0}], "amount_cents"),
        ([{"wave": WAVE, "amount_cents": 500, "when": "during"}], "before"),
        ([{"wave": WAVE, "amount_cents": 500, "value": 5}], "is not known here"),
    ],
)
def test_terms_that_cannot_be_are_refused_with_their_place(terms: Any, said: str):
    with pytest.raises(InvalidProtocol, match="incentives") as found:
        giving(terms)
    assert said in str(found.value)


def test_terms_are_part_of_what_is_locked_and_shown(desk: Desk):
    with desk.site.reading() as (session, pilot):
        _version, protocol = in_force(session, pilot.id)
        assert protocol.fingerprint != changed(lambda data: None).fingerprint
        assert [(one.wave, one.when) for one in protocol.incentives or ()] == [
            (WAVE, "before"),
            ("followup_12m", "after"),
        ]
    shown = desk.staff.get("researcher", "protocol")
    assert "3 months €5.00 before answering shop" in shown
    assert "12 months €20.00 after answering books" in shown


def test_a_card_of_another_amount_or_list_than_the_protocol_has_is_refused(desk: Desk):
    for row in (("A", "6", "shop"), ("B", "5", "books"), ("C", "5", ""), ("D", "5", "other")):
        with pytest.raises(InvalidRows, match="line 2"):
            desk.take_in(row)
    assert desk.take_in(("A", "5", "shop"), ("B", "20", "books")) == 2


def test_a_card_before_answering_goes_to_who_is_asked_and_stays_whether_or_not_the_list_is_finished(desk: Desk):
    desk.take_in(("SHOP-1", "5", "shop"), ("BOOK-1", "20", "books"))
    visitor = desk.doors.visitor(1).start().go_on()
    desk.work(START + timedelta(days=10))
    assert desk.cards() == [("SHOP-1", None), ("BOOK-1", None)]
    desk.work(OPEN)
    assert desk.cards() == [("SHOP-1", WAVE), ("BOOK-1", None)]
    with desk.site.reading() as (session, _pilot):
        (told,) = session.scalars(select(Message).where(Message.kind == "gift"))
        assert told.detail == {"wave": WAVE, "before": True}
    (mail,) = desk.site.settings.outbox.glob("*-gift-*.eml")
    words = email.message_from_bytes(mail.read_bytes(), policy=default).get_body(("plain",))
    assert words is not None
    assert "nu al een cadeaubon" in words.get_content() or "now already" in words.get_content()
    desk.answer(visitor)
    desk.work(OPEN + timedelta(days=1))
    assert desk.cards() == [("SHOP-1", WAVE), ("BOOK-1", None)]


@pytest.mark.parametrize("desk", [[{"wave": WAVE, "amount_cents": 1000}]], indirect=True)
def test_the_last_page_of_a_list_shows_the_way_to_the_card(desk: Desk):
    desk.take_in(("CARD-1", "10", ""))
    visitor = desk.doors.visitor(1).start().go_on()
    desk.doors.now = OPEN
    ended = desk.answer(visitor)
    page = ended.open(ended.link("/gift/"))
    assert "CARD-1" not in page.page
    assert "CARD-1" in page.send().page
    assert desk.cards() == [("CARD-1", WAVE)]


@pytest.mark.parametrize("desk", [[{"wave": WAVE, "amount_cents": 1000}], None], indirect=True)
def test_who_wants_no_messages_gets_the_card_that_is_owed_by_page_code_or_desk(desk: Desk):
    desk.take_in(("CARD-1", "10", ""))
    visitor = desk.doors.visitor(1).start().go_on()
    desk.doors.now = OPEN
    ended = desk.answer(visitor)
    old = ended.link("/gift/")
    stopped = ended.open(ended.link("/privacy/")).send(degree="no_contact")
    assert desk.doors.visitor(1).open(old).status == 410
    shown = stopped.open(stopped.link("/gift/")).send()
    assert "CARD-1" in shown.page
    again = desk.answer(visitor)
    assert "CARD-1" in again.open(again.link("/gift/")).page
    desk.work(OPEN + timedelta(hours=1))
    with desk.site.reading() as (session, _pilot):
        assert session.scalars(select(Message.status).where(Message.kind == "gift")).all() in (["cancelled"], [])
        study_id = session.scalars(select(Participant.study_id)).one()
    page = f"steward/people/{study_id}"
    handed = desk.staff.post("steward", f"{page}/cards/{WAVE}", page=page)
    assert handed.status_code == 200
    assert "CARD-1" in handed.text
    with desk.site.reading() as (session, _pilot):
        (event,) = session.scalars(select(Event).where(Event.kind == "gift_card_handed_over"))
        assert (event.actor_id, event.detail) == (desk.site.staff["steward"], {"wave": WAVE, "first": False})
    desk.staff.get("researcher", page, status=404)


@pytest.mark.parametrize("desk", [[{"wave": WAVE, "amount_cents": 1000}]], indirect=True)
def test_who_was_erased_has_no_card_to_be_handed(desk: Desk):
    desk.take_in(("CARD-1", "10", ""))
    visitor = desk.doors.visitor(1).start().go_on()
    desk.doors.now = OPEN
    ended = desk.answer(visitor)
    stopped = ended.open(ended.link("/privacy/")).send(degree="erase")
    assert "/gift/" not in stopped.page


@pytest.mark.parametrize("desk", [[]], indirect=True)
def test_a_protocol_without_gifts_takes_in_none(desk: Desk):
    with pytest.raises(InvalidRows, match="none"):
        desk.take_in(("CARD-1", "10", ""))


def test_a_card_that_several_look_at_at_once_is_claimed_once(new_site, postgres_url: str):
    site = new_site(protocol=giving([{"wave": WAVE, "amount_cents": 1000}]), database_url=postgres_url)
    with site.writing() as (session, pilot):
        someone = site.enrol(session, 1)
        card = {"code": "CARD-1", "code_hash": "h", "amount_cents": 1000, "wave": WAVE, "participant_id": someone.id}
        session.add(GiftCard(pilot_id=pilot.id, imported_at=START, issued_at=OPEN, **card))
        number = someone.id
    together = Barrier(4)

    def look(_turn: int) -> str:
        together.wait()
        with site.writing() as (session, _pilot):
            return incentives.claim(session, session.get_one(Participant, number), WAVE, now=OPEN).code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(look, range(4))) == {"CARD-1"}
    with site.reading() as (session, _pilot):
        count = select(func.count()).select_from(Event).where(Event.kind == "gift_card_claimed")
        assert session.scalar(count) == 1
