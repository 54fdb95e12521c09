"""Letters to participants: an address that nobody has to give, batches that go out once, and post that comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from small_pilot import START, Site, changed
from sqlalchemy import select
from visitors import Doors, Visitor

from pilot import own_data
from pilot.journey import addresses, letters, withdrawal
from pilot.locking import in_force
from pilot.models import Event, Identity, Message, Participant
from pilot.post import wording
from pilot.worker import round_once

OPEN = START + timedelta(days=95)
HOME = {"postcode": "1234ab", "house_number": "12", "addition": "A", "street": "Kanariestraat", "town": "Voorbeeld"}
WAVE = "followup_3m"


@dataclass
class Post:
    """A pilot that sends letters: its pages, its stewards, its worker."""

    site: Site
    doors: Doors
    desk: Any

    @property
    def office(self) -> Any:
        """Staff, at the moment of the doors."""
        self.desk.now = self.doors.now
        return self.desk

    def drawn(self, who: int, address: dict[str, str] | None = HOME) -> Visitor:
        visitor = self.doors.visitor(who).start().go_on("address")
        visitor.send(**(address or {}))
        return visitor.go_on()

    def work(self, after: timedelta = timedelta()) -> None:
        self.doors.now = OPEN + after
        round_once(self.site.database, self.site.settings, clock=lambda: self.doors.now)

    def told(self, **which: Any) -> list[tuple[str, str]]:
        with self.site.reading() as (session, _pilot):
            rows = session.scalars(select(Message).filter_by(wave=WAVE, **which).order_by(Message.id))
            return [(row.channel, row.status) for row in rows]

    def events(self, kind: str) -> list[dict[str, Any]]:
        with self.site.reading() as (session, _pilot):
            return list(session.scalars(select(Event.detail).where(Event.kind == kind).order_by(Event.id)))

    def batch(self) -> list[wording.Letter]:
        """The letters of the newest batch, as they are printed."""
        with self.site.reading() as (session, pilot):
            _version, protocol = in_force(session, pilot.id)
            event = session.scalars(select(Event).where(Event.kind == letters.KIND).order_by(Event.id.desc())).first()
            assert event is not None
            found = [
                wording.compose(session, self.site.settings, pilot, protocol, message, now=message.sent_at or OPEN)
                for message in letters.in_batch(session, event)
            ]
            return [letter for letter in found if letter is not None]

    def make(self) -> None:
        self.office.post("steward", "steward/letters/participants", page="steward/letters")


def with_letters(data: dict[str, Any]) -> None:
    for wave in data["waves"][1:]:
        wave["channels"] = ["letter", "email", "sms"]


@pytest.fixture
def post(new_site, office_of) -> Iterator[Post]:
    site = new_site(protocol=changed(with_letters))
    doors = Doors(site)
    yield Post(site, doors, office_of(site))
    doors.close()


def test_a_pilot_without_letters_asks_for_no_address(office):
    doors = Doors(office.site)
    visitor = doors.visitor(50).start().go_on()
    assert "address" not in visitor.page
    assert doors.visitor().open(f"/e/{visitor.token}/address").status == 404
    doors.close()


def test_an_address_is_read_as_people_write_it_kept_apart_and_may_be_left_out(post: Post):
    visitor = post.doors.visitor(1).start().go_on("address")
    visitor.send(**{**HOME, "postcode": "12345", "town": ""})
    assert visitor.status == 422
    assert "1234 AB" in visitor.page
    assert "Vul uw woonplaats in." in visitor.page or "Write your town." in visitor.page
    assert 'value="Kanariestraat"' in visitor.page
    visitor.send(**HOME).go_on()
    post.drawn(2, None)
    with post.site.reading() as (session, _pilot):
        first, second = session.scalars(select(Identity).order_by(Identity.participant_id))
        assert first.letter_address == "Kanariestraat 12 A\n1234 AB  Voorbeeld"
        assert second.letter_address is None
        kept = own_data.of(session, session.get_one(Participant, first.participant_id))
        assert "Kanariestraat" in str(kept)
    assert post.events("address_given") == [{"what": "given"}]
    post.site.database.dispose()
    written = b"".join(path.read_bytes() for path in post.site.settings.home.rglob("*") if path.is_file())
    assert b"Kanariestraat" not in written


def test_who_moves_gives_the_new_address_or_none_and_the_record_says_so_without_it(post: Post):
    visitor = post.drawn(1)
    visitor.open(visitor.link("/address")).send(street="Nieuwe straat")
    assert visitor.step == "next"
    empty = {name: "" for name in HOME if name != "postcode"}
    visitor.open(visitor.link("/address")).send(**empty)
    assert post.events("address_given") == [{"what": "given"}, {"what": "changed"}, {"what": "removed"}]
    with post.site.reading() as (session, _pilot):
        (identity,) = session.scalars(select(Identity))
        assert (identity.street, identity.address_hash, identity.postcode) == (None, None, "1234 AB")


def test_letters_wait_for_a_steward_go_out_once_and_others_hear_another_way(post: Post):
    post.drawn(1)
    post.drawn(2, None)
    post.work()
    assert post.told() == [("letter", "queued"), ("email", "sent")]
    assert "instead of: letter" in post.office.get("steward", "messages")
    assert "1 letter waits." in post.office.get("steward", "steward/letters")
    for _ in range(2):
        post.make()
    assert post.told(channel="letter") == [("letter", "sent")]
    assert [event["rows"] for event in post.events(letters.KIND)] == [1]
    (letter,) = post.batch()
    assert letter.to.splitlines()[1:] == ["Kanariestraat 12 A", "1234 AB  Voorbeeld"]
    assert post.doors.visitor().open(letter.link).step == "q"
    found = re.search(r"steward/letters/participants/\d+\.pdf", post.office.html("steward", "steward/letters"))
    assert found
    printed = post.office.browser("steward").get(f"/{post.site.slug}/{found[0]}")
    assert printed.data.startswith(b"%PDF")
    post.office.get("researcher", found[0], status=404)


def test_who_answered_or_stopped_is_not_printed_again(post: Post):
    first, second, third = (post.drawn(number) for number in (1, 2, 3))
    post.work()
    with post.site.writing() as (session, _pilot):
        one = session.scalars(select(Participant).order_by(Participant.id).limit(1)).one()
        withdrawal.withdraw(session, one, "no_contact", actor_id=None, now=OPEN)
    post.make()
    assert post.told(channel="letter") == [("letter", "cancelled"), ("letter", "sent"), ("letter", "sent")]
    assert len(post.batch()) == 2
    mine = next(letter for letter in post.batch() if second.who.name in letter.to)
    post.doors.visitor(2).open(mine.link).go_on("next", {"training_started": "no"})
    (left,) = post.batch()
    assert third.who.name in left.to
    assert first.who.name != third.who.name


def test_a_letter_that_comes_back_stops_letters_there_until_the_address_is_mended(post: Post):
    visitor = post.drawn(1)
    post.work()
    post.make()
    (letter,) = post.batch()
    post.office.post("steward", f"messages/{letter.number}/came-back", page="messages")
    post.work(timedelta(hours=1))
    assert post.told() == [("letter", "bounced"), ("email", "sent")]
    with post.site.reading() as (session, _pilot):
        study_id = session.scalars(select(Participant.study_id)).one()
    page = f"steward/people/{study_id}/address"
    assert post.office.post("steward", page, **HOME).status_code == 422
    moved = {**HOME, "house_number": "14"}
    assert post.office.post("steward", page, **moved, reason="typing").status_code == 303
    assert [event["fields"] for event in post.events("address_corrected")] == [["house_number"]]
    post.work(timedelta(days=8))
    assert post.told()[-1] == ("letter", "queued")
    post.make()
    assert "Kanariestraat 14 A" in post.batch()[0].to
    assert visitor.who.name in post.batch()[0].to


def test_an_address_that_was_taken_away_before_the_batch_gives_way_to_another_way(post: Post):
    post.drawn(1)
    post.work()
    with post.site.writing() as (session, _pilot):
        someone = session.scalars(select(Participant)).one()
        addresses.set_address(session, someone, None, keyring=post.site.database.keyring, now=OPEN)
    post.make()
    post.work(timedelta(hours=1))
    assert post.told() == [("letter", "cancelled"), ("email", "sent")]


def test_an_erasure_takes_the_address_and_its_letters(post: Post):
    post.drawn(1)
    post.work()
    post.make()
    with post.site.writing() as (session, _pilot):
        someone = session.scalars(select(Participant)).one()
        withdrawal.withdraw(session, someone, "erase", actor_id=None, now=OPEN)
        assert session.scalars(select(Identity)).all() == []
    assert post.batch() == []
