"""What comes next for a person, read from the record at every request; nothing about it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from pilot.journey import allocation, answering, consent, followup
from pilot.models import Identity, Participant, Screening
from pilot.protocol import Protocol
from surveys.path import walk

Name = Literal[
    "withdrawn", "screening", "not_eligible", "consent", "declined", "contact", "questions", "check", "allocate", "done"
]


@dataclass(frozen=True, slots=True)
class Next:
    """The next step; `wave` and `question` say which list and which page when it is about answering."""

    name: Name
    wave: str = ""
    question: str = ""


def next_step(session: Session, protocol: Protocol, participant: Participant, *, now: datetime) -> Next:
    """The one thing this person can do now."""
    if participant.withdrawn in ("no_data", "erase"):
        return Next("withdrawn")
    if allocation.of(session, participant) is not None:
        waves = followup.open_waves(session, protocol, participant, today=now.date())
        return _questions(session, protocol, participant, waves[0].wave.name, now) if waves else Next("done")
    if participant.withdrawn:
        return Next("withdrawn")
    screening = session.get(Screening, participant.id)
    if screening is None:
        return _questions(session, protocol, participant, answering.SCREENING, now)
    if not screening.eligible:
        return Next("not_eligible")
    if consent.refused_required(session, protocol, participant):
        return Next("declined")
    if not consent.has_all_required(session, protocol, participant):
        return Next("consent")
    identity = session.get(Identity, participant.id)
    if identity is None or not identity.name:
        return Next("contact")
    if answering.submission(session, participant, protocol.baseline.name) is None:
        return _questions(session, protocol, participant, protocol.baseline.name, now)
    return Next("allocate")


def is_open(session: Session, protocol: Protocol, participant: Participant, wave: str, *, now: datetime) -> bool:
    """Whether this person may answer this list now: in its turn, not sent yet, and not after leaving.

    An address that was kept or made up opens nothing before its turn.
    """
    if participant.withdrawn in ("no_data", "erase"):
        return False
    if wave == answering.SCREENING:
        return not participant.withdrawn and session.get(Screening, participant.id) is None
    if answering.submission(session, participant, wave) is not None:
        return False
    if wave == protocol.baseline.name:
        return not participant.withdrawn and consent.has_all_required(session, protocol, participant)
    return any(due.wave.name == wave for due in followup.open_waves(session, protocol, participant, today=now.date()))


def _questions(session: Session, protocol: Protocol, participant: Participant, wave: str, now: datetime) -> Next:
    row = answering.draft(session, participant, wave)
    path = walk(
        answering.instrument_of(protocol, wave),
        row.answers if row else {},
        context=answering.context(participant, participant.language, now),
    )
    if path.next is not None:
        return Next("screening" if wave == answering.SCREENING else "questions", wave, path.next.key)
    return Next("check", wave)
