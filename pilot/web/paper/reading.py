"""Whose paper form may be out: people with an open list that the protocol asks on paper. No query here knows an arm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy.orm import Session

from pilot.errors import NotYours
from pilot.journey import paper
from pilot.models import PaperEntry, Participant, Pilot, Submission
from pilot.protocol import Protocol
from pilot.web import open_lists

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
        return open_lists.holds(words, self.name, self.participant.study_id)


def rows(
    session: Session, pilot: Pilot, protocol: Protocol, *, today: date, participant: Participant | None = None
) -> list[Row]:
    """The forms that are not finished, those that wait for a decision first, then by the day on which they close."""
    people = open_lists.drawn(session, pilot, participant)
    typed = paper.waiting(session, {key: one.participant for key, one in people.items()})
    finished = open_lists.pairs(session, Submission, people)
    found = []
    for wave in open_lists.waves_in(protocol, paper.MODE):
        for key, one in people.items():
            due, entries = wave.on(one.on), tuple(typed.get((key, wave.name), ()))
            open_ = due.status(today) == "open"
            if (key, wave.name) not in finished and (open_ or entries):
                found.append(Row(one.participant, one.name, wave.name, due.closes_on, entries))
    return sorted(found, key=lambda row: (-len(row.entries), row.closes_on, row.participant.study_id))


def row(session: Session, pilot: Pilot, protocol: Protocol, participant: Participant, wave: str, today: date) -> Row:
    """The form of this participant about this list. Raises NotYours when there is none to print or to type."""
    known = rows(session, pilot, protocol, today=today, participant=participant)
    found = next((each for each in known if each.wave == wave), None)
    if found is None:
        raise NotYours("there is no such form, or its list is finished")
    return found
