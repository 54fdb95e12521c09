"""A list of questions on paper: typed by two people who do not see each other's work, reconciled, then one submission.

Nothing of a form counts before both entries agree, or somebody has decided where they differ and said why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.db import insert_once
from pilot.errors import Refused
from pilot.events import record
from pilot.journey import answering
from pilot.models import PaperDecision, PaperEntry, Participant, Submission
from pilot.protocol import Protocol
from surveys.paper import Line, Sheet, sheet
from surveys.paper_answers import Filled, difference, fill

MODE = "paper"
LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A question that two people typed differently."""

    line: Line
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Form:
    """What is known of a paper form: its entries in their order, and whether it counts already."""

    sheet: Sheet
    entries: tuple[PaperEntry, ...]
    finished: bool

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Where both entries differ, in the order of the paper; empty while there is one entry only."""
        if len(self.entries) < 2:
            return ()
        first, second = (entry.typed for entry in self.entries)
        pairs = ((line, first.get(line.key, ""), second.get(line.key, "")) for line in self.sheet.questions)
        return tuple(Difference(*pair) for pair in pairs if difference(*pair))


def printed(protocol: Protocol, wave: str, language: str) -> Sheet:
    """The paper of a wave; raises Refused for a wave that is not asked on paper, NotPrintable when it cannot be."""
    found = next((known for known in protocol.waves if known.name == wave), None)
    if found is None or MODE not in found.modes:
        raise Refused(f"the protocol does not ask '{wave}' on paper", code="not_found")
    instrument = answering.instrument_of(protocol, wave)
    return sheet(instrument, language if language in instrument.languages else instrument.default_language)


def form(session: Session, protocol: Protocol, participant: Participant, wave: str) -> Form:
    """The form of this participant, in the language in which it was first typed."""
    rows = session.scalars(
        select(PaperEntry)
        .where(PaperEntry.participant_id == participant.id, PaperEntry.wave == wave)
        .order_by(PaperEntry.turn)
    ).all()
    language = rows[0].language if rows else participant.language
    done = answering.submission(session, participant, wave) is not None
    return Form(printed(protocol, wave, language), tuple(rows), done)


def enter(
    session: Session,
    protocol: Protocol,
    participant: Participant,
    wave: str,
    typed: Mapping[str, str],
    *,
    actor_id: int,
    now: datetime,
) -> Filled:
    """Keeps what one person typed from the form; when both entries agree, the list is finished.

    Nothing is kept while `errors` of the answer is not empty. Raises Refused when the list is finished, when this
    person typed this form before, and when it was typed twice already.
    """
    found = form(session, protocol, participant, wave)
    _require_open(participant, found)
    if any(entry.entered_by == actor_id for entry in found.entries):
        raise Refused("you typed this form before; the second time is for somebody else", code="paper_same_person")
    if len(found.entries) == 2:
        raise Refused("this form was typed twice; the differences are next", code="paper_typed_twice")
    kept = {line.key: typed.get(line.key, "").strip()[:LONGEST] for line in found.sheet.questions}
    filled = _filled(participant, found.sheet, kept, now)
    if filled.errors:
        return filled
    turn = len(found.entries) + 1
    inserted = insert_once(
        session,
        PaperEntry,
        participant_id=participant.id,
        wave=wave,
        turn=turn,
        instrument=found.sheet.instrument.fingerprint,
        language=found.sheet.language,
        typed=kept,
        entered_by=actor_id,
        entered_at=now,
    )
    if not inserted:
        raise Refused("somebody else typed this form at the same moment; open it again", code="paper_typed_twice")
    record(session, "paper_typed", participant, now=now, actor_id=actor_id, wave=wave, turn=turn)
    session.flush()
    after = form(session, protocol, participant, wave)
    if len(after.entries) == 2 and not after.differences:
        _finish(session, protocol, participant, wave, after, {}, actor_id=actor_id, now=now)
    return filled


def decide(
    session: Session,
    protocol: Protocol,
    participant: Participant,
    wave: str,
    values: Mapping[str, str],
    reasons: Mapping[str, str],
    *,
    actor_id: int,
    now: datetime,
) -> Filled:
    """Settles every difference at once and finishes the list; both maps go by the key of the question.

    Nothing is kept while `errors` of the answer is not empty. Raises Refused when nothing differs, and when a
    difference has no reason.
    """
    found = form(session, protocol, participant, wave)
    _require_open(participant, found)
    if not found.differences:
        raise Refused("the two entries of this form do not differ", code="not_found")
    for each in found.differences:
        if not reasons.get(each.line.key, "").strip():
            raise Refused("say why, for every difference", code="reason_missing", question=each.line.key)
    settled = {each.line.key: values.get(each.line.key, "").strip()[:LONGEST] for each in found.differences}
    filled = _filled(participant, found.sheet, {**found.entries[1].typed, **settled}, now)
    if filled.errors:
        return filled
    for each in found.differences:
        session.add(
            PaperDecision(
                participant_id=participant.id,
                wave=wave,
                question=each.line.key,
                first=each.first,
                second=each.second,
                value=settled[each.line.key],
                reason=reasons[each.line.key].strip(),
                decided_by=actor_id,
                decided_at=now,
            )
        )
    questions = [each.line.key for each in found.differences]
    record(session, "paper_reconciled", participant, now=now, actor_id=actor_id, wave=wave, questions=questions)
    _finish(session, protocol, participant, wave, found, settled, actor_id=actor_id, now=now)
    return filled


def waiting(session: Session, participants: Mapping[int, Participant]) -> dict[tuple[int, str], list[PaperEntry]]:
    """The entries of these participants by (participant, wave), in the order in which they were made."""
    rows = session.scalars(
        select(PaperEntry).where(PaperEntry.participant_id.in_(list(participants))).order_by(PaperEntry.turn)
    )
    found: dict[tuple[int, str], list[PaperEntry]] = {}
    for row in rows:
        found.setdefault((row.participant_id, row.wave), []).append(row)
    return found


def _require_open(participant: Participant, found: Form) -> None:
    if found.finished:
        raise Refused("this list is finished; thank you", code="already_submitted")
    if participant.withdrawn in ("no_data", "erase"):
        raise Refused("this person stopped: nothing more is kept", code="withdrawn")


def _filled(participant: Participant, paper: Sheet, typed: Mapping[str, str], now: datetime) -> Filled:
    return fill(paper, typed, context=answering.context(participant, paper.language, now))


def _finish(
    session: Session, protocol: Protocol, participant: Participant, wave: str, found: Form, settled: Mapping[str, str],
    *, actor_id: int, now: datetime,
) -> None:  # fmt: skip
    """One submission from the second entry and the decisions; what people left open on paper stays open."""
    typed = {**found.entries[1].typed, **settled}
    answers = _filled(participant, found.sheet, typed, now).answers
    where = answering.context(participant, found.sheet.language, now)
    insert_once(
        session,
        Submission,
        participant_id=participant.id,
        wave=wave,
        revision=1,
        instrument=found.sheet.instrument.fingerprint,
        answers=answers,
        analysed=answering.flat(found.sheet.instrument, answers, where),
        mode=MODE,
        language=found.sheet.language,
        started_at=found.entries[0].entered_at,
        submitted_at=now,
    )
    record(
        session, "submitted", participant, now=now, actor_id=actor_id, wave=wave, mode=MODE,
        fingerprint=protocol.fingerprint,
    )  # fmt: skip
    session.flush()
