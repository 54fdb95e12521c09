"""What messages say: every kind in every language with the same blanks, in its own direction, on each way."""

from __future__ import annotations

import email
import re
from datetime import timedelta
from email.policy import default

import pytest
from small_pilot import START
from sqlalchemy import select

from pilot import locking
from pilot.models import Invitee, Message, Participant
from pilot.post import markup, paper, wording
from pilot.worker import round_once

OPEN = START + timedelta(days=95)
KINDS = ("gift", "receipt", "statement", "wave_invitation", "wave_reminder")
BLANK = re.compile(r"{{ (\w+) }}")


def blanks(language: str, kind: str) -> set[str]:
    return set(BLANK.findall((wording.FOLDER / language / f"{kind}.txt").read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", [code for code in wording.LANGUAGES if code != "nl"])
def test_every_message_exists_in_every_language_with_the_same_blanks(language: str):
    kinds = {path.stem for path in (wording.FOLDER / "nl").iterdir()}
    wanted = kinds if language in wording.CALLS else kinds - {"call", "desk"}
    assert {path.stem for path in (wording.FOLDER / language).iterdir()} == wanted
    assert {kind: blanks(language, kind) for kind in wanted} == {kind: blanks("nl", kind) for kind in wanted}


def written(office, kind: str, channel: str, language: str) -> wording.Letter:
    """The message of this kind to the first participant."""
    with office.database.reading() as session:
        pilot = office.site.pilot(session)
        _version, protocol = locking.in_force(session, pilot.id)
        someone = session.scalars(select(Participant).order_by(Participant.id).limit(1)).one()
        message = Message(kind=kind, channel=channel, language=language, participant_id=someone.id, detail={})
        message.wave = "followup_3m" if kind.startswith("wave") else None
        letter = wording.compose(session, office.settings, pilot, protocol, message, now=OPEN)
    assert letter is not None
    return letter


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_kind_can_be_written_and_opens_with_a_subject_of_its_own(reading_room, language: str):
    subjects = {}
    for kind in KINDS:
        for channel in ("email", "sms"):
            letter = written(reading_room, kind, channel, language)
            assert letter.language == language
            assert letter.link in letter.body.replace("\n", " ").split(" ")
            assert "0800 - 0000" in letter.body
            assert "\n\n\n" not in letter.body
            subjects[kind] = letter.subject
    assert len(set(subjects.values())) == len(KINDS)


def test_a_language_without_words_is_answered_in_dutch(reading_room):
    assert written(reading_room, "receipt", "email", "fr") == written(reading_room, "receipt", "email", "nl")


def test_mail_in_arabic_runs_from_right_to_left_and_its_numbers_do_not(office):
    with office.database.writing() as session:
        for someone in session.scalars(select(Participant)):
            someone.language = "ar"
        session.query(Message).update({"language": "ar"})
    round_once(office.database, office.settings, clock=lambda: OPEN)
    sent = sorted(office.settings.outbox.glob("*-wave_invitation-*.eml"))[0]
    message = email.message_from_bytes(sent.read_bytes(), policy=default)
    plain, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    assert message["Subject"] == "لدينا أسئلة جديدة لك"
    assert '<html lang="ar" dir="rtl">' in page.get_content()
    assert '<bdi dir="ltr">0800 - 0000</bdi>' in page.get_content()
    assert "\u20660800 - 0000\u2069" in plain.get_content()
    link = re.search(r'<a href="([^"]*)" dir="ltr">', page.get_content())
    assert link is not None
    assert link[1] in plain.get_content()


@pytest.mark.parametrize("language", ["nl", "ar"])
def test_an_invitation_says_when_its_words_exist_in_another_language_only(reading_room, language: str):
    invitee = Invitee(code="ABCD2345", name="Samira <b>", address="Straat 1", outreach_arm="letter", language=language)
    with reading_room.database.reading() as session:
        pilot = reading_room.site.pilot(session)
        _version, protocol = locking.in_force(session, pilot.id)
        invitee.outreach_arm = protocol.outreach.arms[0].name
        letter = wording.on_paper(reading_room.settings, pilot, protocol, invitee)
    assert letter is not None
    sheet = paper.html([letter])
    assert ("النص التالي ليس بلغتك" in letter.body) == (language == "ar")
    assert ('<p lang="nl" dir="ltr">' in sheet) == (language == "ar")
    assert f'<section lang="{language}" dir="{markup.direction(language)}">' in sheet
    assert "Samira &lt;b&gt;" in sheet
    assert paper.batch([letter]).startswith(b"%PDF")
