"""Who finishes a list gets a gift card: one, of the same amount for everybody, while they last, in every arm alike."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from small_pilot import START, person
from sqlalchemy import select

from pilot import access
from pilot.journey import answering, incentives, withdrawal
from pilot.locking import in_force
from pilot.models import Event, GiftCard, Message, Participant
from pilot.worker import round_once

OPEN = START + timedelta(days=95)
WAVE = "followup_3m"


def take_in(office, text: str):
    path = "steward/imports/cards"
    return office.post("steward", path, file=(io.BytesIO(text.encode()), "cards.csv"))


def answered(office, people: int) -> list[str]:
    """The first people finish the list of three months; gives their study ids in that order."""
    office.now = OPEN
    with office.database.writing() as session:
        _version, protocol = in_force(session, office.site.pilot(session).id)
        found = session.scalars(select(Participant).order_by(Participant.id).limit(people)).all()
        for number, someone in enumerate(found):
            at = OPEN + timedelta(minutes=number)
            office.site.fill(session, protocol, someone, WAVE, person(number + 1), at)
            answering.submit(session, protocol, someone, WAVE, now=at)
        return [someone.study_id for someone in found]


def give(office, after: timedelta = timedelta(hours=1)) -> None:
    round_once(office.database, office.settings, clock=lambda: OPEN + after)


def cards(office) -> list[GiftCard]:
    with office.database.reading() as session:
        return list(session.scalars(select(GiftCard).order_by(GiftCard.id)))


def test_cards_go_to_who_finished_first_once_each_until_there_are_none(office):
    assert take_in(office, "code,amount\nAAA-1,10\nBBB-2,10\n").status_code == 303
    first, second, _third = answered(office, 3)
    for hour in (1, 2, 3):
        give(office, timedelta(hours=hour))
    with office.database.reading() as session:
        given = session.execute(
            select(GiftCard.wave, Participant.study_id).join(Participant).order_by(GiftCard.id)
        ).all()
        told = session.scalars(select(Message).where(Message.kind == "gift")).all()
        events = session.scalars(select(Event.detail).where(Event.kind == "gift_card_given")).all()
    assert [tuple(row) for row in given] == [(WAVE, first), (WAVE, second)]
    assert [message.status for message in told] == ["sent", "sent"]
    assert events == [{"wave": WAVE, "amount_cents": 1000}] * 2
    shown = office.get("steward", "steward/imports/cards")
    assert re.search(r"Ready 0 Given 2 Looked at 0 Wait for a card 1\b", shown)
    take_in(office, "code;amount\nCCC-3;10,00\n")
    give(office, timedelta(hours=4))
    assert len([card for card in cards(office) if card.participant_id]) == 3


def test_a_code_shows_at_a_click_and_a_program_that_opens_the_link_claims_nothing(office):
    take_in(office, "code,amount\nAAA-1,12.50\n")
    (study_id,) = answered(office, 1)
    give(office)
    with office.database.reading() as session:
        someone = office.participant(session, study_id)
        link = access.link_token(office.settings.secret_key, someone, "gift", now=OPEN, wave=WAVE)
    client = office.app.test_client()
    client.head(f"/gift/{link}")
    page = client.get(f"/gift/{link}?lang=en", base_url="http://localhost")
    assert "AAA-1" not in page.text
    assert "12.50" in page.text
    assert cards(office)[0].claimed_at is None
    token = re.search(r'name="csrf_token" value="([^"]*)"', page.text)
    assert token
    for _ in range(2):
        form = {"csrf_token": token[1]}
        told = client.post(
            f"/gift/{link}", data=form, base_url="http://localhost", headers={"Referer": "http://localhost/"}
        )
        assert "AAA-1" in told.text
    assert cards(office)[0].claimed_at == office.now
    with office.database.reading() as session:
        assert len(session.scalars(select(Event).where(Event.kind == "gift_card_claimed")).all()) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code,amount\nA,10\nA,10\n", "This card is there twice"),
        ("code,amount\nA,10\nB,20\n", "another amount than the others"),
        ("code,amount\nA,tien\n", "is no amount in euro"),
        ("code,amount\n,10\n", "is empty"),
        ("code,amount\n", "The file is empty"),
    ],
)
def test_a_file_with_a_wrong_line_brings_no_card(office, text: str, said: str):
    answer = take_in(office, text)
    assert answer.status_code == 422
    assert said in answer.text
    assert cards(office) == []


def test_no_code_stands_readable_in_the_database_and_no_other_role_sees_the_drawer(office):
    take_in(office, "code,amount\nGEHEIM-77,10\n")
    file = office.settings.home / "pilot.sqlite3"
    assert b"GEHEIM-77" not in file.read_bytes()
    for who in ("researcher", "advisor", "interviewer"):
        office.get(who, "steward/imports/cards", status=404)


def test_who_asked_for_no_contact_has_a_card_and_gets_no_message(office):
    take_in(office, "code,amount\nAAA-1,10\n")
    (study_id,) = answered(office, 1)
    with office.database.writing() as session:
        withdrawal.withdraw(session, office.participant(session, study_id), "no_contact", actor_id=None, now=OPEN)
    give(office)
    with office.database.reading() as session:
        assert session.scalars(select(Message).where(Message.kind == "gift")).all() == []
        assert incentives.of(session, office.participant(session, study_id), WAVE) is not None
