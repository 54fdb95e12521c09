"""Answers come in a page at a time, and each page is kept. What an old page says never overwrites a newer answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from pilot.db import insert_once
from pilot.errors import Refused, Stale
from pilot.events import record
from pilot.models import Draft, Participant, Submission
from pilot.protocol import Protocol
from surveys import Context, Instrument
from surveys.path import first_open
from surveys.runner import Accepted, FieldError, accept, analysable

SCREENING = "screening"


Page = tuple[str, Mapping[str, list[str]]]
Pages = Callable[[Mapping[str, Any]], Page | None]
"""Gives the next page (the key of the question, the posted fields) from the answers so far; None when there is none."""


# Every page asks these; a statement that is made once costs a third of one that is made each time.
_DRAFT = select(Draft).where(Draft.participant_id == bindparam("person"), Draft.wave == bindparam("wave"))
_LOCKED_DRAFT = _DRAFT.with_for_update()
_SUBMITTED = (
    select(Submission.id)
    .where(Submission.participant_id == bindparam("person"), Submission.wave == bindparam("wave"))
    .limit(1)
)
_LAST_SUBMISSION = (
    select(Submission)
    .where(Submission.participant_id == bindparam("person"), Submission.wave == bindparam("wave"))
    .order_by(Submission.revision.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The page was kept; `errors` is empty. Otherwise nothing changed and every error names its question."""

    answers: Mapping[str, Any]
    revision: int
    errors: tuple[FieldError, ...] = ()


def context(participant: Participant, language: str, now: datetime) -> Context:
    return Context(today=now.date(), now=now, language=language, seed=participant.study_id)


def instrument_of(protocol: Protocol, wave: str) -> Instrument:
    """The instrument of a wave, or of the screening before the first wave; raises Refused for an unknown wave."""
    if wave == SCREENING:
        return protocol.screening
    if wave not in {known.name for known in protocol.waves}:
        raise Refused(f"the protocol has no wave '{wave}'", code="not_found")
    return protocol.instrument_of(wave)


def draft(session: Session, participant: Participant, wave: str, *, lock: bool = False) -> Draft | None:
    """The answers so far; with `lock` no other page of this person can change them before the transaction ends."""
    return session.scalar(_LOCKED_DRAFT if lock else _DRAFT, {"person": participant.id, "wave": wave})


def submission(session: Session, participant: Participant, wave: str) -> Submission | None:
    """What counts of a finished wave: the highest revision."""
    return session.scalar(_LAST_SUBMISSION, {"person": participant.id, "wave": wave})


def keep(
    session: Session,
    protocol: Protocol,
    participant: Participant,
    wave: str,
    question: str,
    raw: Mapping[str, list[str]],
    *,
    revision: int,
    seen: str = "",
    mode: str = "self",
    language: str,
    now: datetime,
) -> Kept:
    """Takes in one page. `revision` is the one that the page was made from; `seen` the `mark` of the answer on it.

    Raises Stale when another page was kept in the meantime and says something else about this question; the same
    answer twice is one answer. Raises Refused when the wave is finished.
    """
    return keep_pages(
        session,
        protocol,
        participant,
        wave,
        in_order([(question, raw)]),
        revision=revision,
        seen=seen,
        mode=mode,
        language=language,
        now=now,
    )


def keep_pages(
    session: Session,
    protocol: Protocol,
    participant: Participant,
    wave: str,
    pages: Pages,
    *,
    revision: int | None,
    seen: str = "",
    mode: str = "self",
    language: str,
    now: datetime,
) -> Kept:
    """Takes in several pages in their order, all or none: a paper form, an imported row, a list read out by telephone.

    `pages` gives the next page from the answers so far, until it gives None; without a `revision` whatever is on record
    counts as seen. Raises as `keep` does.
    """
    instrument, where = instrument_of(protocol, wave), context(participant, language, now)
    row = draft(session, participant, wave, lock=True)
    # Asked under the lock: a page that waited for the list to be sent must not be kept where nobody reads it any more.
    if _is_submitted(session, participant, wave):
        raise Refused("this list is finished; thank you", code="already_submitted")
    before: dict[str, Any] = dict(row.answers) if row else {}
    kept, answers = row.revision if row else 0, before
    while (page := pages(answers)) is not None:
        question, raw = page
        result = accept(instrument, answers, question, raw, context=where, language=language)
        if not isinstance(result, Accepted):
            return Kept(before, kept, result.errors)
        unseen = seen != mark(before.get(question)) if seen else revision not in (None, kept)
        if unseen and _contradicts(question, before, result.answers):
            raise Stale("this question was answered on another page in the meantime; look at the newest answers")
        answers = dict(result.answers)
    if row is not None and answers == before:
        return Kept(before, kept)
    _save(session, participant, wave, instrument, row, answers, mode, language, now)
    return Kept(answers, kept + 1)


def submit(
    session: Session, protocol: Protocol, participant: Participant, wave: str, *, mode: str = "self", now: datetime
) -> Submission:
    """Finishes a wave; a second time gives the first submission. Raises Refused when a question is still open."""
    if _is_submitted(session, participant, wave):
        return _finished(session, participant, wave)
    # Locked, so that a page on its way is either in what is sent or refused after it.
    instrument, row = instrument_of(protocol, wave), draft(session, participant, wave, lock=True)
    answers = row.answers if row else {}
    where = context(participant, participant.language, now)
    still_open = first_open(instrument, answers, context=where)
    if still_open is not None:
        raise Refused("a question is still open", code="incomplete", question=still_open.key)
    insert_once(
        session,
        Submission,
        participant_id=participant.id,
        wave=wave,
        revision=1,
        instrument=instrument.fingerprint,
        answers=answers,
        analysed=flat(instrument, answers, where),
        mode=row.mode if row else mode,
        modes=row.modes if row and {row.mode, *row.modes.values()} != {row.mode} else {},
        language=row.language if row else participant.language,
        started_at=row.started_at if row else now,
        submitted_at=now,
    )
    by = row.mode if row else mode
    record(session, "submitted", participant, now=now, wave=wave, mode=by, fingerprint=protocol.fingerprint)
    return _finished(session, participant, wave)


def _is_submitted(session: Session, participant: Participant, wave: str) -> bool:
    where = {"person": participant.id, "wave": wave}
    return session.connection().execute(_SUBMITTED, where).first() is not None


def _finished(session: Session, participant: Participant, wave: str) -> Submission:
    done = submission(session, participant, wave)
    assert done is not None
    return done


def correct(
    session: Session, protocol: Protocol, participant: Participant, wave: str, changes: Mapping[str, Any], *,
    actor_id: int, reason: str, now: datetime,
) -> Submission:  # fmt: skip
    """A correction by a steward: a new revision beside the old one, which stays; reason and actor go to the events."""
    last = submission(session, participant, wave)
    if last is None:
        raise Refused("there is nothing to correct: this list is not finished", code="not_found")
    if not reason.strip():
        raise Refused("a correction needs a reason", code="reason_missing")
    latest = session.scalar(
        select(func.max(Submission.revision)).where(
            Submission.participant_id == participant.id, Submission.wave == wave
        )
    )
    answers = {**last.answers, **changes}
    row = Submission(
        participant_id=participant.id,
        wave=wave,
        revision=(latest or 0) + 1,
        instrument=last.instrument,
        answers=answers,
        analysed=flat(instrument_of(protocol, wave), answers, context(participant, last.language, last.submitted_at)),
        mode=last.mode,
        modes=last.modes,
        language=last.language,
        started_at=last.started_at,
        submitted_at=now,
    )
    session.add(row)
    detail = {"wave": wave, "questions": sorted(changes), "revision": row.revision, "reason": reason.strip()}
    record(session, "answer_corrected", participant, now=now, actor_id=actor_id, **detail)
    session.flush()
    return row


def flat(instrument: Instrument, answers: Mapping[str, Any], where: Context) -> dict[str, Any]:
    """What may be analysed, one plain value a name: several choices become words with spaces between them."""
    values = analysable(instrument, answers, context=where)
    return {name: " ".join(map(str, value)) if isinstance(value, list) else value for name, value in values.items()}


def in_order(pages: Iterable[Page]) -> Pages:
    """Pages that do not look at what was answered before."""
    left = iter(pages)
    return lambda _answers: next(left, None)


def mark(answer: Any) -> str:
    """A short mark of an answer, to see whether it is still the one that a page was made from.

    >>> mark(None) != mark("") == mark("")
    True
    """
    return hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()[:12]


def _contradicts(question: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return question in before and before[question] != after.get(question)


def _save(
    session: Session,
    participant: Participant,
    wave: str,
    instrument: Instrument,
    row: Draft | None,
    answers: dict[str, Any],
    mode: str,
    language: str,
    now: datetime,
) -> None:
    modes = _given(row, answers, mode)
    if row is None:
        created = insert_once(
            session,
            Draft,
            participant_id=participant.id,
            wave=wave,
            instrument=instrument.fingerprint,
            answers=answers,
            revision=1,
            mode=mode,
            modes=modes,
            language=language,
            started_at=now,
            saved_at=now,
        )
        twin = None if created else draft(session, participant, wave, lock=True)
        if not created and (twin is None or twin.answers != answers):
            raise Stale("another page was kept at the same moment; try again")
        return
    row.answers, row.revision, row.mode, row.language, row.saved_at = answers, row.revision + 1, mode, language, now
    row.modes = modes
    session.flush()


def _given(row: Draft | None, answers: Mapping[str, Any], mode: str) -> dict[str, str]:
    """How each answer was given: what this page changed in its mode, the others as they were."""
    before, known = (row.answers, row.modes) if row is not None else ({}, {})
    new = {key: mode for key, value in answers.items() if key not in before or before[key] != value}
    return {**{key: how for key, how in known.items() if key in answers}, **new}
