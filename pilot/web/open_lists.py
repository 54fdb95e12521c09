"""Whose list of questions is open: people to interview, and people with a form on paper.

Of an allocation only its day is read. The arm is in no query here, so no page made from it can give the arm away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.catalogue.offers import plain
from pilot.models import Allocation, Draft, Identity, Participant, Pilot, Submission
from pilot.protocol import Protocol
from pilot.web import forms
from surveys.followups import Wave


@dataclass(frozen=True, slots=True)
class Drawn:
    """Somebody who was drawn and has not stopped; the identity is gone once contact data were removed."""

    participant: Participant
    identity: Identity | None
    on: date

    @property
    def name(self) -> str:
        return (self.identity.name if self.identity else None) or ""


def drawn(session: Session, pilot: Pilot, participant: Participant | None = None) -> dict[int, Drawn]:
    """Everybody who may be asked something, or this one, by the number of the participant."""
    query = (
        select(Participant, Identity, Allocation.allocated_at)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .outerjoin(Identity, Identity.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode, Participant.withdrawn.is_(None))
    )
    if participant is not None:
        query = query.where(Participant.id == participant.id)
    return {person.id: Drawn(person, identity, on.date()) for person, identity, on in session.execute(query)}


def waves_in(protocol: Protocol, *modes: str) -> list[Wave]:
    """The waves after the first list that the protocol asks in one of these modes."""
    return [wave for wave in protocol.waves[1:] if set(modes) & set(wave.modes)]


def pairs(session: Session, kind: type[Submission] | type[Draft], people: Iterable[int]) -> set[tuple[int, str]]:
    """Who has finished (Submission) or begun (Draft) which wave."""
    rows = session.execute(select(kind.participant_id, kind.wave).where(kind.participant_id.in_(list(people))))
    return {(person, wave) for person, wave in rows}


def holds(words: str, *known: str) -> bool:
    """Whether every word that is looked for stands somewhere in what is known of a row.

    >>> holds("jose w", "José de Wit", "ABCD234567"), holds("piet", "José de Wit")
    (True, False)
    """
    text = plain(" ".join(known))
    return all(word in text for word in plain(words).split())


def wanted() -> str:
    """What is looked for on a page with such a list; nothing when it is too long to be a name."""
    try:
        return forms.text(request.args, "words", longest=200)
    except forms.TooLong:
        return ""
