"""Consent: which text, in which version and language, was answered with yes or no, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, false, func, insert, select, true
from sqlalchemy.orm import Session

from pilot.errors import Refused
from pilot.events import record
from pilot.models import Consent, Participant
from pilot.protocol import Protocol

SECOND_CONTACT = "second_contact"
"""The purpose of a yes to calling somebody who knows where the participant is."""
SECOND_VERSION = "1"
"""Of the words about it on the page with contact data; a change of meaning there takes the next number."""

_STANDING = (
    select(Consent.purpose, Consent.version, Consent.given)
    .where(Consent.participant_id == bindparam("person"))
    .order_by(Consent.id)
)
_KEEP = insert(cast(Table, Consent.__table__)).inline()


def give(
    session: Session,
    protocol: Protocol,
    participant: Participant,
    answers: Mapping[str, bool],
    *,
    versions: Mapping[str, str],
    language: str,
    now: datetime,
) -> dict[str, bool]:
    """Keeps a yes or no for every text. `versions` are those on the page that was read.

    Raises Refused when a text is not answered, or when the page showed a version that is no longer in force.
    """
    standing_now = standing(session, participant)
    for text in protocol.consent.texts:
        if text.purpose not in answers:
            raise Refused(f"the question on '{text.purpose}' is not answered", code="unanswered", purpose=text.purpose)
        if versions.get(text.purpose) != text.version:
            raise Refused("the text has changed since the page was opened; read the new one", code="text_changed")
    for text in protocol.consent.texts:
        given = answers[text.purpose]
        if standing_now.get(text.purpose) == (text.version, given):
            continue
        row = {"purpose": text.purpose, "version": text.version, "language": language, "given": given}
        session.connection().execute(_KEEP, {**row, "participant_id": participant.id, "at": now})
        standing_now[text.purpose] = (text.version, given)
        record(session, "consent", participant, now=now, purpose=text.purpose, version=text.version, given=given)
    return {purpose: given for purpose, (_version, given) in standing_now.items()}


def second_contact(
    session: Session, participant: Participant, *, given: bool, anew: bool = False, language: str, now: datetime
) -> None:
    """Keeps the yes to calling a second person, or the no of whoever takes that yes back; skipping it leaves no row.

    A yes is about one person: `anew` keeps another one when somebody else was named.
    """
    before = standing(session, participant).get(SECOND_CONTACT)
    stands = before == (SECOND_VERSION, given) and not (given and anew)
    if stands or (not given and (before is None or not before[1])):
        return
    row = {"purpose": SECOND_CONTACT, "version": SECOND_VERSION, "language": language, "given": given}
    session.connection().execute(_KEEP, {**row, "participant_id": participant.id, "at": now})
    record(session, "consent", participant, now=now, purpose=SECOND_CONTACT, version=SECOND_VERSION, given=given)


def standing(session: Session, participant: Participant) -> dict[str, tuple[str, bool]]:
    """(version, yes or no) that counts now, for each purpose that was ever answered: the latest row."""
    rows = session.connection().execute(_STANDING, {"person": participant.id})
    return {purpose: (version, given) for purpose, version, given in rows}


def has_all_required(session: Session, protocol: Protocol, participant: Participant) -> bool:
    """Whether every required text has a standing yes."""
    now = standing(session, participant)
    return all(now.get(text.purpose, ("", False))[1] for text in protocol.consent.texts if text.required)


def all_stand(purposes: Sequence[str], person: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether each purpose has a standing yes, as a condition for a statement that asks other things too."""
    yes = [
        select(Consent.given)
        .where(Consent.participant_id == person, Consent.purpose == purpose)
        .order_by(Consent.id.desc())
        .limit(1)
        .scalar_subquery()
        for purpose in purposes
    ]
    return and_(true(), *(func.coalesce(given, false()) for given in yes))


def refused_required(session: Session, protocol: Protocol, participant: Participant) -> bool:
    """Whether a required text has a standing no: the person does not want to take part."""
    now = standing(session, participant)
    return any(text.purpose in now and not now[text.purpose][1] for text in protocol.consent.texts if text.required)
