"""Who is to be interviewed, by telephone or at the desk, and what earlier attempts came to. No arm is known here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.models import Draft, Event, Identity, Participant, Pilot, Submission
from pilot.protocol import Protocol
from pilot.web import open_lists
from surveys.followups import Due

ATTEMPT = "contact_attempt"
PHONE, DESK = "phone", "desk"
OUTCOMES: dict[str, dict[str, str]] = {
    PHONE: {
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
    },
    DESK: {
        "no_show": "2.25",
        "later": "2.25",
        "broke_off": "2.12",
        "language": "2.33",
        "unable": "2.32",
        "deceased": "2.31",
        "refused": "2.11",
        "completed": "1.1",
    },
}
"""What an attempt can come to, by mode, with its code in the Standard Definitions of AAPOR (2023), telephone and in
person. Everybody on the list said yes and was drawn, so nobody is of unknown eligibility: whoever is not reached is a
non-contact; who does not come to the desk, or asks for another day, is "respondent away or unavailable".
"""
CLOSING = ("refused", "unable", "deceased", "completed")
"""Outcomes after which nobody asks about this list again."""
PLANNED = ("call_back", "later")
"""Outcomes that need the moment of the next attempt."""
UNREACHED = ("no_answer", "busy", "machine", "wrong_number", "no_show")
"""Outcomes of attempts in which nobody spoke to the person."""
IN_VAIN = 2
"""So many attempts in vain on end, or one wrong number, and the second contact person is shown."""
REASONS = ("no_time", "not_interested", "too_long", "too_private", "no_trust", "not_said")
"""Why somebody does not want to answer; a choice and no free text, so that no name and no arm gets into the record."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: when, about which list, how, what came of it, and when and how to try again."""

    at: datetime
    wave: str
    outcome: str
    mode: str
    appointment: datetime | None
    appointment_mode: str
    actor_id: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One person with one open list. `modes` are the ways in which it can be asked, the protocol's first one first."""

    participant: Participant
    name: str
    phone: str
    due: Due
    modes: tuple[str, ...]
    begun: bool
    attempts: tuple[Attempt, ...]
    second: tuple[str, str] | None
    """Name and number of somebody who knows where the person is; only once the person cannot be reached."""

    @property
    def wave(self) -> str:
        return self.due.wave.name

    @property
    def appointment(self) -> datetime | None:
        """When the person agreed to be asked; the latest attempt decides."""
        return self.attempts[-1].appointment if self.attempts else None

    @property
    def mode(self) -> str:
        """How to begin: as agreed, else as the protocol puts first."""
        agreed = self.attempts[-1].appointment_mode if self.appointment else ""
        return agreed if agreed in self.modes else self.modes[0]

    @property
    def wrong_number(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].outcome == "wrong_number"

    def holds(self, words: str) -> bool:
        return open_lists.holds(words, self.name, self.participant.study_id, self.phone)


def calls(
    session: Session, pilot: Pilot, protocol: Protocol, *, today: date, participant: Participant | None = None
) -> list[Call]:
    """Everyone to be asked today, or one person: appointments first, then whoever was tried least, then by closing.

    Without a telephone number somebody can be asked at the desk only.
    """
    people = open_lists.drawn(session, pilot, participant)
    waves = open_lists.waves_in(protocol, PHONE, DESK)
    open_for = {
        key: [due for due in (wave.on(one.on) for wave in waves) if due.status(today) == "open"]
        for key, one in people.items()
    }
    ids = [key for key, dues in open_for.items() if dues]
    finished, begun = open_lists.pairs(session, Submission, ids), open_lists.pairs(session, Draft, ids)
    tried = _attempts(session, ids)
    found = []
    for key, one in people.items():
        for due in open_for[key]:
            pair, modes = (key, due.wave.name), _modes(due, one.identity)
            attempts = tuple(tried.get(pair, ()))
            if not modes or pair in finished or any(attempt.outcome in CLOSING for attempt in attempts):
                continue
            phone = (one.identity.phone if one.identity else None) or ""
            second = _second(one.identity, attempts)
            found.append(Call(one.participant, one.name, phone, due, modes, pair in begun, attempts, second))
    return sorted(found, key=_urgency)


def _modes(due: Due, identity: Identity | None) -> tuple[str, ...]:
    known = identity is not None and identity.phone is not None
    return tuple(mode for mode in due.wave.modes if mode == DESK or (mode == PHONE and known))


def _second(identity: Identity | None, attempts: tuple[Attempt, ...]) -> tuple[str, str] | None:
    if identity is None or not identity.second_name or not identity.second_phone:
        return None
    vain = list(takewhile(lambda outcome: outcome in UNREACHED, (one.outcome for one in reversed(attempts))))
    lost = len(vain) >= IN_VAIN or "wrong_number" in vain
    return (identity.second_name, identity.second_phone) if lost else None


def attempts_of(session: Session, participant: Participant) -> list[Attempt]:
    """Every attempt to reach this person, the latest first."""
    found = [attempt for attempts in _attempts(session, [participant.id]).values() for attempt in attempts]
    return sorted(found, key=lambda attempt: attempt.at, reverse=True)


def _attempts(session: Session, ids: Iterable[int]) -> dict[tuple[int, str], list[Attempt]]:
    query = select(Event).where(Event.kind == ATTEMPT, Event.participant_id.in_(list(ids))).order_by(Event.id)
    found: dict[tuple[int, str], list[Attempt]] = {}
    for event in session.scalars(query):
        said = event.detail
        when = datetime.fromisoformat(said["appointment"]) if said.get("appointment") else None
        how, reason = said.get("mode", PHONE), said.get("reason") or ""
        again = said.get("appointment_mode") or how
        attempt = Attempt(event.at, said["wave"], said["outcome"], how, when, again, event.actor_id, reason)
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
