"""Messages leave once, by a provider or into the outbox; what comes back is not sent there again."""

from __future__ import annotations

import re
import socketserver
from datetime import timedelta
from typing import Any

import pytest
from small_pilot import START
from sqlalchemy import select
from text_provider import Provider, provider, running

from pilot import locking, mail, texting
from pilot.errors import Busy, SettingsError, Undeliverable, Unsure
from pilot.journey import followup
from pilot.models import Event, Identity, Message
from pilot.settings import Settings, load
from pilot.worker import round_once

OPEN = START + timedelta(days=95)


def send(tmp_path, url: str, **more: Any) -> None:
    settings = load({}, home=tmp_path, kind="test", sms_url=url, sms_token="geheim", **more)
    texting.send(settings, "+31612345678", "Hallo", reference="7:1:9:followup_3m:invitation", kind="000007")


def test_a_provider_gets_number_words_and_the_same_reference_at_every_try(tmp_path):
    with provider(429, 200) as server:
        with pytest.raises(Busy, match="429"):
            send(tmp_path, server.url)
        send(tmp_path, server.url)
    first, second = server.asked
    assert first[1] == second[1]
    assert first[1] == {
        "to": "+31612345678", "from": "Adviespilot", "text": "Hallo", "reference": "7:1:9:followup_3m:invitation",
    }  # fmt: skip
    assert {asked["Idempotency-Key"] for asked, _ in server.asked} == {"7:1:9:followup_3m:invitation"}
    assert first[0]["Authorization"] == "Bearer geheim"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (429, Busy),
        (503, Busy),
        (302, Busy),
        (401, SettingsError),
        (400, Undeliverable),
        (422, Undeliverable),
        (500, Unsure),
        (502, Unsure),
        (504, Unsure),
        ("stall", Unsure),
        ("drip", Unsure),
        ("half", Unsure),
        ("cut", Unsure),
    ],
)
def test_what_a_provider_answers_says_whether_to_try_again(tmp_path, answer: int | str, error: type[Exception]):
    with provider(answer) as server, pytest.raises(error) as told:
        send(tmp_path, server.url, sms_seconds=0.3)
    assert "geheim" not in str(told.value)
    assert "612345678" not in str(told.value)


def test_a_provider_that_is_not_there_is_tried_again_later(tmp_path):
    with provider() as server:
        gone = server.url
    with pytest.raises(Busy, match="is not there"):
        send(tmp_path, gone)


@pytest.mark.parametrize("answer", [500, "stall", "half"])
def test_a_provider_that_keeps_to_the_key_is_tried_again_whatever_became_of_the_first_try(tmp_path, answer: int | str):
    with provider(answer, 200) as server:
        with pytest.raises(Busy, match="under the same key"):
            send(tmp_path, server.url, sms_seconds=0.3, sms_keyed=1)
        send(tmp_path, server.url, sms_keyed=1)
    assert len({asked["Idempotency-Key"] for asked, _ in server.asked}) == 1


def test_an_address_that_is_none_is_named(tmp_path):
    with pytest.raises(SettingsError, match="PILOT_SMS_URL"):
        send(tmp_path, "ftp://provider")


def by_text_only(office) -> int:
    """Somebody without an e-mail address; gives the participant's number."""
    with office.database.writing() as session:
        chosen = session.scalars(select(Identity).order_by(Identity.participant_id).limit(1)).one()
        chosen.email = chosen.email_hash = None
        return chosen.participant_id


def with_provider(office, server: Provider, **more: Any) -> Settings:
    own = {name: getattr(office.settings, name) for name in ("home", "secret_key", "data_key")}
    return load({}, **own, kind="test", sms_url=server.url, sms_seconds=0.3, **more)


def mine_of(office, who: int) -> list[Message]:
    mine = select(Message).where(Message.participant_id == who, Message.wave == "followup_3m").order_by(Message.id)
    with office.database.reading() as session:
        return list(session.scalars(mine))


@pytest.mark.parametrize(("door", "asked", "ends"), [("left", 1, "sent"), ("again", 2, "sent"), (None, 1, "unsure")])
def test_a_message_that_may_have_gone_is_sent_again_only_when_somebody_says_so(office, door, asked, ends):
    who = by_text_only(office)
    with provider("stall") as server:
        settings = with_provider(office, server)
        round_once(office.database, settings, clock=lambda: OPEN)
        for hour in (1, 2):
            round_once(office.database, settings, clock=lambda hour=hour: OPEN + timedelta(hours=hour))
        (message,) = mine_of(office, who)
        assert (message.status, len(server.asked)) == ("unsure", 1)
        office.now = OPEN + timedelta(hours=2)
        assert "not known" in office.get("steward", "messages")
        if door:
            for _ in range(2):
                office.post("steward", f"messages/{message.id}/{door}", page="messages")
        round_once(office.database, settings, clock=lambda: OPEN + timedelta(hours=3))
    assert len(server.asked) == asked
    assert [one.status for one in mine_of(office, who)] == [ends]
    with office.database.reading() as session:
        decided = session.scalars(select(Event.detail).where(Event.kind == "message_decided")).all()
    assert [one["left"] for one in decided] == ([door == "left"] if door else [])


def test_a_message_that_a_worker_died_over_waits_for_a_steward_and_the_next_reminder_goes(office):
    who = by_text_only(office)
    with provider() as server:
        settings = with_provider(office, server)
        with office.database.writing() as session:
            pilot = office.site.pilot(session)
            _version, protocol = locking.in_force(session, pilot.id)
            followup.queue_due(session, pilot, protocol, zone=settings.zone, now=OPEN)
        with office.database.writing() as session:
            leased = [m for m in followup.lease(session, now=OPEN, limit=200) if m.channel == "sms"]
            assert [m.participant_id for m in leased] == [who]
            assert leased[0].lease_until is not None
            assert followup.renew(session, leased[0].id, leased[0].lease_until, once=frozenset({"sms"}))
        _leases_run_out(office)
        round_once(office.database, settings, clock=lambda: OPEN + timedelta(minutes=6))
        assert server.asked == []
        assert [m.status for m in mine_of(office, who)] == ["unsure"]
        round_once(office.database, settings, clock=lambda: OPEN + timedelta(days=8))
    assert [m.status for m in mine_of(office, who)] == ["unsure", "sent"]
    assert len(server.asked) == 1


def _leases_run_out(office) -> None:
    """For leases, which go by the database's own clock: they were given six minutes earlier."""
    with office.database.writing() as session:
        for message in session.scalars(select(Message).where(Message.lease_until.is_not(None))):
            message.lease_until -= timedelta(minutes=6)


def test_without_a_provider_a_text_message_is_one_file_however_often_it_is_tried(tmp_path):
    for _ in range(2):
        send(tmp_path, "")
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.read_text() == "+31612345678\nHallo"


def test_a_number_that_the_provider_refuses_is_left_alone_and_the_invitation_goes_by_another_way(office):
    with office.database.writing() as session:
        chosen = session.scalars(select(Identity).order_by(Identity.participant_id)).first()
        chosen.email = chosen.email_hash = None
        who = chosen.participant_id
    with provider(422) as server:
        settings = load({}, home=office.settings.home, kind="test", secret_key=office.settings.secret_key,
                        data_key=office.settings.data_key, sms_url=server.url)  # fmt: skip
        round_once(office.database, settings, clock=lambda: OPEN)
        assert len(server.asked) == 1
        round_once(office.database, settings, clock=lambda: OPEN + timedelta(hours=1))
        assert len(server.asked) == 1
        with office.database.writing() as session:
            identity = session.get_one(Identity, who)
            identity.email, identity.email_hash = "nieuw@voorbeeld.nl", "a-new-hash"
        round_once(office.database, settings, clock=lambda: OPEN + timedelta(hours=2))
    with office.database.reading() as session:
        mine = session.scalars(select(Message).where(Message.participant_id == who, Message.wave == "followup_3m"))
        found = [(message.channel, message.status) for message in mine]
        told = session.scalars(select(Event).where(Event.kind == "message_bounced")).all()
    assert found == [("sms", "bounced"), ("email", "sent")]
    assert len(told) == 1


def test_a_steward_marks_what_came_back_and_nothing_goes_there_again(office):
    round_once(office.database, office.settings, clock=lambda: OPEN)
    office.now = OPEN
    with office.database.reading() as session:
        sent = session.scalars(select(Message).where(Message.wave == "followup_3m", Message.status == "sent")).first()
        assert sent is not None
        number, who, channel = sent.id, sent.participant_id, sent.channel
    office.post("steward", f"messages/{number}/came-back", page="messages")
    again = office.post("steward", f"messages/{number}/came-back", page="messages")
    assert again.status_code == 303
    assert office.browser("interviewer").post(f"/{office.slug}/messages/{number}/came-back").status_code == 400
    round_once(office.database, office.settings, clock=lambda: OPEN + timedelta(hours=1))
    with office.database.reading() as session:
        mine = session.scalars(
            select(Message).where(Message.participant_id == who, Message.wave == "followup_3m").order_by(Message.id)
        ).all()
    assert mine[0].status == "bounced"
    assert [message.channel for message in mine[1:] if message.channel == channel] == []


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server that answers every recipient with one code, keeps what it took, says farewell or just goes."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, code: int, farewell: str = "221 bye") -> None:
        self.code, self.farewell, self.taken = code, farewell, []
        super().__init__(("127.0.0.1", 0), Talking)


class Talking(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.say("220 here")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.say("354 go on")
                self.server.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.say("250 taken")
            elif word == b"QUIT":
                if self.server.farewell:
                    self.say(self.server.farewell)
                return
            else:
                self.say(f"{self.server.code if word == b'RCPT' else 250} so")

    def say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


@pytest.mark.parametrize(("code", "error"), [(550, Undeliverable), (450, Busy)])
def test_an_address_that_a_mail_server_refuses_for_good_is_told_from_one_it_refuses_now(tmp_path, code, error):
    with running(MailServer(code)) as server, pytest.raises(error) as told:
        post(tmp_path, server)
    assert "voorbeeld" not in str(told.value)
    assert server.taken == []


@pytest.mark.parametrize("farewell", ["421 closing", "500 what", ""])
def test_a_mail_server_that_takes_the_message_and_then_leaves_badly_has_it_once(tmp_path, farewell):
    with running(MailServer(250, farewell)) as server:
        post(tmp_path, server)
    assert len(server.taken) == 1


def test_every_try_of_a_mail_carries_the_same_name_by_which_it_is_known_again(tmp_path):
    with running(MailServer(250)) as server:
        post(tmp_path, server)
        post(tmp_path, server)
    names = [re.search(rb"Message-ID: (\S+)", taken) for taken in server.taken]
    assert len(names) == 2
    assert len({name[1] for name in names if name}) == 1


def post(tmp_path, server: MailServer) -> None:
    settings = load({}, home=tmp_path, kind="test", smtp_url=f"smtp://127.0.0.1:{server.server_address[1]}")
    mail.send(settings, "iemand@voorbeeld.nl", "Hallo", "Dag", kind="1", reference="7:x")
