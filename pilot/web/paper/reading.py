"""Whose paper form may be out: people with an open list that the protocol asks on paper. No query here knows an arm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.catalogue.offers import plain
from pilot.errors import NotYours
from pilot.journey import paper
from pilot.models import Allocation, Identity, PaperEntry, Participant, Pilot, Submission
from pilot.protocol import Protocol

State = Literal["out", "typed_once", "differs"]


@dataclass(frozen=True, slots=True)
class Row:
    """One form: whose, about which list, until when it can come back, and how far its typing is."""

    participant: Participant
    name: str
    wave: str
    closes_on: date
    entries: tuple[PaperEntry, ...]

    @property
    def state(self) -> State:
        return ("out", "typed_once", "differs")[len(self.entries)]

    def typed_by(self, user_id: int) -> bool:
        return any(entry.entered_by == user_id for entry in self.entries)

    def holds(self, words: str) -> bool:
        known = plain(f"{self.name} {self.participant.study_id}")
        return all(word in known for word in plain(words).split())


def rows(
    session: Session, pilot: Pilot, protocol: Protocol, *, today: date, participant: Participant | None = None
) -> list[Row]:
    """The forms that are not finished, those that wait for a decision first, then by the day on which they close."""
    query = (
        select(Participant, Identity, Allocation.allocated_at)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .outerjoin(Identity, Identity.participant_id == Participant.id)
        .where(
            Participant.pilot_id == pilot.id,
            Participant.mode == pilot.mode,
            Participant.withdrawn.is_(None),
        )
    )
    if participant is not None:
        query = query.where(Participant.id == participant.id)
    people = {person.id: (person, identity, on.date()) for person, identity, on in session.execute(query)}
    typed = paper.waiting(session, {key: person for key, (person, _identity, _on) in people.items()})
    finished = {
        (person, wave)
        for person, wave in session.execute(
            select(Submission.participant_id, Submission.wave).where(Submission.participant_id.in_(list(people)))
        )
    }
    found = []
    for wave in (wave for wave in protocol.waves[1:] if paper.MODE in wave.modes):
        for key, (person, identity, on) in people.items():
            due, entries = wave.on(on), tuple(typed.get((key, wave.name), ()))
            open_ = due.status(today) == "open"
            if (key, wave.name) not in finished and (open_ or entries):
                name = identity.name or "" if identity is not None else ""
                found.append(Row(person, name, wave.name, due.closes_on, entries))
    return sorted(found, key=lambda row: (-len(row.entries), row.closes_on, row.participant.study_id))


def row(session: Session, pilot: Pilot, protocol: Protocol, participant: Participant, wave: str, today: date) -> Row:
    """The form of this participant about this list. Raises NotYours when there is none to print or to type."""
    known = rows(session, pilot, protocol, today=today, participant=participant)
    found = next((each for each in known if each.wave == wave), None)
    if found is None:
        raise NotYours("there is no such form, or its list is finished")
    return found
