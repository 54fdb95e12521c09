"""Who may take part: the protocol's conditions over the answers of the screening; outcome and reason are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pilot.db import insert_once
from pilot.errors import Refused
from pilot.events import record
from pilot.models import Draft, Identity, Participant, Screening
from pilot.protocol import Protocol
from surveys import Context
from surveys.expressions import Variables
from surveys.runner import analysable

# State pension age by birth cohort (rijksoverheid.nl, 2024-2031; the last row is provisional, set five years ahead).
PENSION_AGE = (
    (date(1957, 3, 1), 66, 10),
    (date(1961, 1, 1), 67, 0),
    (date.max, 67, 3),
)


_DRAFTS = select(Draft).where(Draft.participant_id == bindparam("person"))


def screen(
    session: Session, protocol: Protocol, participant: Participant, answers: Mapping[str, Any], *, now: datetime
) -> Screening:
    """The outcome of screening, decided once: asking again gives the same row."""
    existing = session.get(Screening, participant.id)
    if existing is not None:
        return existing
    context = Context(today=now.date(), now=now, language=participant.language, seed=participant.study_id)
    on_path = analysable(protocol.screening, answers, context=context)
    unanswered = {question.name: "" for question in protocol.screening.questions}
    scope = Variables({**unanswered, **on_path, **derived(answers, now.date())}, now.date(), now)
    reason = ""
    for criterion, rule in zip(protocol.population.eligibility, protocol.eligibility, strict=True):
        if not rule.truth(scope):
            reason = criterion.reason
            break
    participant.covariates = {name: rule.text(scope) for name, rule in protocol.covariates.items()}
    set_apart = {name: str(answers[name]) for name in protocol.population.identifying if answers.get(name)}
    _set_apart(session, participant, set_apart)
    insert_once(
        session,
        Screening,
        participant_id=participant.id,
        answers={name: value for name, value in answers.items() if name not in set_apart},
        eligible=not reason,
        reason=reason,
        fingerprint=protocol.fingerprint,
        decided_at=now,
    )
    record(session, "screened", participant, now=now, eligible=not reason, reason=reason)
    return session.get_one(Screening, participant.id)


def _set_apart(session: Session, participant: Participant, values: Mapping[str, str]) -> None:
    """What would identify a person leaves the answers: the birth date goes to the identity, only the age stays."""
    if "birth_date" in values:
        identity = session.get(Identity, participant.id) or Identity(participant_id=participant.id)
        identity.birth_date = values["birth_date"]
        session.add(identity)
    for draft in session.scalars(_DRAFTS, {"person": participant.id}):
        draft.answers = {name: value for name, value in draft.answers.items() if name not in values}


def derived(answers: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Age in whole years and whether the state-pension age is reached, on this day."""
    text = answers.get("birth_date")
    if not text:
        return {"age": "", "pension_age_reached": ""}
    try:
        born = date.fromisoformat(str(text))
    except ValueError:
        raise Refused(f"'{text}' is no birth date; write it as day, month, year", code="birth_date") from None
    reached = "yes" if today >= pension_date(born) else "no"
    return {"age": age_on(born, today), "pension_age_reached": reached}


def age_on(born: date, today: date) -> int:
    """Whole years; someone born on 29 February has a birthday on 1 March in other years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def pension_date(born: date) -> date:
    """The first day on which a person born on this day has the state-pension age."""
    years, months = next((years, months) for before, years, months in PENSION_AGE if born < before)
    month = born.month - 1 + months
    year, month = born.year + years + month // 12, month % 12 + 1
    try:
        return date(year, month, born.day)
    except ValueError:
        return date(year + month // 12, month % 12 + 1, 1)
