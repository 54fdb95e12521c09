"""Who is to be called: people with a telephone whose list of questions is open, and what earlier calls came to.

Of an allocation only its day is read. The arm is in no query of these pages, so no page can give it away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.catalogue.offers import plain
from pilot.models import Allocation, Draft, Event, Identity, Participant, Pilot, Submission
from pilot.protocol import Protocol
from surveys.followups import Due

ATTEMPT = "contact_attempt"
MODE = "phone"
OUTCOMES: dict[str, str] = {
    "no_answer": "2.20",
    "busy": "2.20",
    "machine": "2.22",
    "call_back": "2.21",
    "broke_off": "2.12",
    "wrong_number": "2.20",
    "language": "2.33",
    "unable": "2.32",
    "deceased": "2.31",
    "refused": "2.11",
    "completed": "1.1",
}
"""What a call can come to, with its code in the Standard Definitions of AAPOR (2023), telephone. Everybody on the list
said yes and was drawn, so nobody is of unknown eligibility: whoever is not reached is a non-contact.
"""
CLOSING = ("refused", "unable", "deceased", "completed")
"""Outcomes after which nobody calls about this list again."""
UNREACHED = ("no_answer", "busy", "machine", "wrong_number")
"""Outcomes of calls in which nobody spoke to the person."""
IN_VAIN = 2
"""So many calls in vain on end, or one wrong number, and the second contact person is shown."""
REASONS = ("no_time", "not_interested", "too_long", "too_private", "no_trust", "not_said")
"""Why somebody does not want to answer; a choice and no free text, so that no name and no arm gets into the record."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call: when, about which list, what came of it, and when to call again."""

    at: datetime
    wave: str
    outcome: str
    appointment: datetime | None
    actor_id: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One person with one open list."""

    participant: Participant
    name: str
    phone: str
    due: Due
    begun: bool
    attempts: tuple[Attempt, ...]
    second: tuple[str, str] | None
    """Name and number of somebody who knows where the person is; only once the person cannot be reached."""

    @property
    def wave(self) -> str:
        return self.due.wave.name

    @property
    def appointment(self) -> datetime | None:
        """When the person asked to be called; the latest call decides."""
        return self.attempts[-1].appointment if self.attempts else None

    @property
    def wrong_number(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].outcome == "wrong_number"

    def holds(self, words: str) -> bool:
        known = plain(f"{self.name} {self.participant.study_id} {self.phone}")
        return all(word in known for word in plain(words).split())


def calls(
    session: Session, pilot: Pilot, protocol: Protocol, *, today: date, participant: Participant | None = None
) -> list[Call]:
    """Everyone to be called today, or one person: appointments first, then whoever was tried least, then by closing."""
    query = (
        select(Participant, Identity, Allocation.allocated_at)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .join(Identity, Identity.participant_id == Participant.id)
        .where(
            Participant.pilot_id == pilot.id,
            Participant.mode == pilot.mode,
            Participant.withdrawn.is_(None),
            Identity.phone.is_not(None),
        )
    )
    if participant is not None:
        query = query.where(Participant.id == participant.id)
    people = session.execute(query).all()
    waves = [wave for wave in protocol.waves[1:] if MODE in wave.modes]
    open_for = {
        person.id: [due for due in (wave.on(on.date()) for wave in waves) if due.status(today) == "open"]
        for person, _identity, on in people
    }
    ids = [person for person, dues in open_for.items() if dues]
    finished, begun, tried = _pairs(session, Submission, ids), _pairs(session, Draft, ids), _attempts(session, ids)
    found = []
    for person, identity, _on in people:
        for due in open_for[person.id]:
            key = (person.id, due.wave.name)
            attempts = tuple(tried.get(key, ()))
            if key in finished or any(attempt.outcome in CLOSING for attempt in attempts):
                continue
            second = _second(identity, attempts)
            found.append(Call(person, identity.name or "", identity.phone or "", due, key in begun, attempts, second))
    return sorted(found, key=_urgency)


def _second(identity: Identity, attempts: tuple[Attempt, ...]) -> tuple[str, str] | None:
    if not identity.second_name or not identity.second_phone:
        return None
    vain = list(takewhile(lambda outcome: outcome in UNREACHED, (one.outcome for one in reversed(attempts))))
    lost = len(vain) >= IN_VAIN or "wrong_number" in vain
    return (identity.second_name, identity.second_phone) if lost else None


def attempts_of(session: Session, participant: Participant) -> list[Attempt]:
    """Every call to this person, the latest first."""
    found = [attempt for attempts in _attempts(session, [participant.id]).values() for attempt in attempts]
    return sorted(found, key=lambda attempt: attempt.at, reverse=True)


def _pairs(session: Session, kind: type[Submission] | type[Draft], ids: list[int]) -> set[tuple[int, str]]:
    rows = session.execute(select(kind.participant_id, kind.wave).where(kind.participant_id.in_(ids)))
    return {(person, wave) for person, wave in rows}


def _attempts(session: Session, ids: Iterable[int]) -> dict[tuple[int, str], list[Attempt]]:
    query = select(Event).where(Event.kind == ATTEMPT, Event.participant_id.in_(list(ids))).order_by(Event.id)
    found: dict[tuple[int, str], list[Attempt]] = {}
    for event in session.scalars(query):
        said = event.detail
        when = datetime.fromisoformat(said["appointment"]) if said.get("appointment") else None
        attempt = Attempt(event.at, said["wave"], said["outcome"], when, event.actor_id, said.get("reason") or "")
        found.setdefault((event.participant_id or 0, attempt.wave), []).append(attempt)
    return found


def _urgency(call: Call) -> tuple[bool, float, bool, int, date, str]:
    planned = call.appointment
    return (
        planned is None,
        planned.timestamp() if planned else 0.0,
        call.wrong_number,
        len(call.attempts),
        call.due.closes_on,
        call.participant.study_id,
    )
