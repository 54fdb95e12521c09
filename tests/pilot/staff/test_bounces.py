"""Lists of what came back: matched by message or by address, told by line, and the same list changes nothing more."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from small_pilot import START, person
from sqlalchemy import select

from pilot import mail
from pilot.cli import main
from pilot.journey import outreach
from pilot.locking import in_force
from pilot.models import Event, Identity, Message
from pilot.worker import round_once

OPEN = START + timedelta(days=95)
WAVE = "followup_3m"


@pytest.fixture
def sent(office):
    """The invitations of the wave have gone out, by e-mail to everybody."""
    office.now = OPEN
    round_once(office.database, office.settings, clock=lambda: OPEN)
    return office


def take_in(office, text: str, who: str = "steward"):
    return office.post(who, "messages/returned", file=(io.BytesIO(text.encode()), "returned.csv"))


def invitations(office) -> list[Message]:
    with office.database.reading() as session:
        return list(session.scalars(select(Message).where(Message.wave == WAVE).order_by(Message.id)))


def bounced(office) -> list[dict]:
    with office.database.reading() as session:
        return list(session.scalars(select(Event.detail).where(Event.kind == "message_bounced")))


def email_of(office, message: Message) -> str:
    with office.database.reading() as session:
        return session.get_one(Identity, message.participant_id).email or ""


def test_messages_are_found_by_number_name_reference_and_address_and_marked_once(sent):
    one, two, three, four, *_rest = invitations(sent)
    lines = [
        f"{one.id:06d},,hard",
        f"{mail.name_of(two.reference)},,bounced",
        "",
        f"{three.reference},,Permanent failure",
        f",{email_of(sent, four).upper()},5.1.1",
    ]
    shown = take_in(sent, "Message_ID,Recipient,Type\n" + "\n".join(lines) + "\n")
    assert shown.status_code == 200
    assert "4 messages are marked as come back. 0 lines told nothing new." in " ".join(shown.text.split())
    again = take_in(sent, "Message_ID,Recipient,Type\n" + "\n".join(lines) + "\n")
    assert "0 messages are marked as come back. 4 lines told nothing new." in " ".join(again.text.split())
    assert len(bounced(sent)) == 4
    assert [message.status for message in invitations(sent)][:4] == ["bounced"] * 4


def test_lines_that_match_nothing_are_told_with_their_number_and_change_nothing(sent):
    first, *_rest = invitations(sent)
    lines = [
        "999999,,hard",
        "",
        ",niemand@voorbeeld.nl,hard",
        ",,hard",
        f"{first.id},,soft",
        f"{first.id},,hard",
        ",onzin,",
    ]
    shown = " ".join(take_in(sent, "message,address,type\n" + "\n".join(lines) + "\n").text.split())
    assert "1 message is marked as come back." in shown
    for line, reason in [
        (2, "No message &#39;999999&#39; of this pilot was sent."),
        (4, "Nobody in this pilot has the address &#39;niemand@voorbeeld.nl&#39;."),
        (5, "This line names no message and no address."),
        (6, "&#39;soft&#39; is no lasting failure. The address stays in use."),
        (8, "Nobody in this pilot has the address &#39;onzin&#39;."),
    ]:
        assert f"<strong>Line {line}:</strong> {reason}" in shown
    assert len(bounced(sent)) == 1


@pytest.mark.parametrize(
    ("text", "said"), [("naam\nJan\n", "Name a column"), ("", "The file is empty"), ("message\n\0\n", "no table")]
)
def test_a_file_that_says_nothing_is_refused(sent, text: str, said: str):
    answer = take_in(sent, text)
    assert answer.status_code == 422
    assert said in answer.text
    assert bounced(sent) == []


def test_an_address_that_came_back_is_left_alone_and_what_waits_for_it_goes_elsewhere(sent):
    first, *_rest = invitations(sent)
    with sent.database.writing() as session:
        mine = {"participant_id": first.participant_id, "pilot_id": first.pilot_id, "channel": "email", "detail": {}}
        more = {"language": "nl", "status": "queued", "due_at": OPEN + timedelta(hours=2), "attempts": 0}
        session.add(Message(key="a-gift", kind="gift", **mine, **more))
        session.add(Message(key="1:1:followup_3m:reminder_1", kind="wave_reminder", wave=WAVE, **mine, **more))
    take_in(sent, f"address\n{email_of(sent, first)}\n")
    with sent.database.reading() as session:
        waits = session.scalars(
            select(Message).where(Message.participant_id == first.participant_id, Message.id > first.id)
        )
        found = [(message.kind, message.channel, message.status) for message in waits if message.kind != "receipt"]
    assert ("gift", "sms", "queued") in found
    assert ("wave_reminder", "email", "cancelled") in found
    for day in (1, 8):
        round_once(sent.database, sent.settings, clock=lambda day=day: OPEN + timedelta(days=day))
    later = [m for m in invitations(sent) if m.participant_id == first.participant_id and m.status == "sent"]
    assert {message.channel for message in later} == {"sms"}
    assert len(later) == 2


def test_an_invitation_to_somebody_on_the_list_is_found_by_its_address(office):
    office.now = START
    with office.database.writing() as session:
        pilot = office.site.pilot(session)
        _version, protocol = in_force(session, pilot.id)
        rows = [{"reference": "A1", "name": "Anna", "email": "Anna@voorbeeld.nl"}]
        outreach.import_list(
            session, pilot, protocol, rows, batch="a", keyring=office.database.keyring, actor_id=None, now=START
        )
        (number,) = session.scalars(select(outreach.Invitee.id))
        more = {"key": "i", "kind": "invitation", "channel": "email", "language": "nl", "detail": {}, "status": "sent"}
        session.add(Message(pilot_id=pilot.id, invitee_id=number, due_at=START, sent_at=START, attempts=1, **more))
    take_in(office, "address\nanna@voorbeeld.nl\n")
    take_in(office, "address\nanna@voorbeeld.nl\n")
    with office.database.reading() as session:
        assert session.scalars(select(Message.status).where(Message.kind == "invitation")).all() == ["bounced"]
    assert bounced(office) == [{"what": "invitation", "channel": "email"}]


def test_the_command_says_the_same_and_others_may_not(sent, tmp_path):
    first, *_rest = invitations(sent)
    file = tmp_path / "returned.csv"
    file.write_text(f"message,address\n{first.id},\n,{person(400).email}\n")
    environment = {"PILOT_SECRET_KEY": sent.settings.secret_key, "PILOT_DATA_KEY": sent.settings.data_key}
    arguments = ["--json", "--home", str(sent.settings.home), "bounces", str(file), "--pilot", sent.slug]
    told = CliRunner().invoke(main, arguments, env={**environment, "PILOT_KIND": "test"})
    assert told.exit_code == 0, told.output
    said = json.loads(told.output)
    assert (said["marked"], said["known"], [one["line"] for one in said["left"]]) == (1, 0, [3])
    for who in ("researcher", "advisor", "interviewer"):
        sent.get(who, "messages/returned", status=404)
    sent.get("administrator", "messages/returned")
