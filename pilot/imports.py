"""People from a researcher's own file, through the same steps as everybody else: all rows, or none and the reasons.

A row has `reference`, `name`, `phone` or `email`, a yes or no for each consent text (`consent__participate`), and the
answers of screening and first list by their names (`screening__schooling`, `baseline__work`). Several choices stand in
one cell with spaces between them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot import keys
from pilot.crypto import Keyring
from pilot.errors import PilotError, Refused
from pilot.events import record
from pilot.journey import allocation, answering, consent, eligibility, enrolment
from pilot.models import Participant, Pilot, ProtocolVersion
from pilot.protocol import Protocol
from surveys.contact import read_phone
from surveys.errors import InputError
from surveys.path import Step, walk

OWN = ("reference", "name", "phone", "email", "postcode", "language")
YES, NO = ("yes", "ja", "1", "true"), ("no", "nee", "0", "false")
Row = Mapping[str, str]


class InvalidFile(Refused):
    """A file that was not imported; `problems` names line and reason of everything that is wrong."""

    code = "invalid_file"

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__("nothing was imported:\n" + "\n".join(f"  line {line}: {reason}" for line, reason in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of the rows: enrolled, of whom not eligible, of whom allocated."""

    enrolled: int
    not_eligible: int
    allocated: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What taking people in needs besides the rows: the pilot, its protocol, and the secrets of this installation."""

    pilot: Pilot
    version: ProtocolVersion
    protocol: Protocol
    keyring: Keyring
    secret: bytes
    folder: Path
    actor_id: int | None = None


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file (UTF-8, comma or semicolon); raises Refused with the reason when it is none."""
    try:
        return rows_in(path.read_bytes(), path.name)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", code="file") from None


def rows_in(content: bytes, name: str) -> list[dict[str, str]]:
    """The rows of a CSV file that was uploaded, by what it holds; `name` is what errors call it. Raises Refused."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refused(f"{name}, line {line}: this is no UTF-8; save the file as 'CSV UTF-8'", code="file") from None
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(text.splitlines(), delimiter=";" if head.count(";") > head.count(",") else ",")
    return [{(key or "").strip(): (value or "").strip() for key, value in row.items() if key} for row in reader]


def import_participants(
    session: Session, desk: Desk, rows: Sequence[Row], *, allocate: bool, now: datetime
) -> Imported:
    """Takes every row through enrolment, screening, consent, contact and first list, and, when asked, allocation.

    Raises InvalidFile with every problem of every row; the caller's transaction is then to be rolled back.
    """
    problems = list(_of_the_header(desk.protocol, rows)) or list(_of_references(session, desk.pilot, rows))
    done = {"enrolled": 0, "not_eligible": 0, "allocated": 0}
    for line, row in enumerate(rows if not problems else (), start=2):
        try:
            with session.begin_nested():
                for outcome in _one(session, desk, row, allocate=allocate, now=now):
                    done[outcome] += 1
        except _Problems as found:
            problems += [(line, reason) for reason in found.reasons]
        except PilotError as error:
            problems.append((line, str(error)))
    if problems:
        raise InvalidFile(problems)
    record(session, "participants_imported", desk.pilot, now=now, actor_id=desk.actor_id, **done)
    session.flush()
    return Imported(**done)


class _Problems(Exception):
    def __init__(self, reasons: list[str]) -> None:
        super().__init__()
        self.reasons = reasons


def _one(session: Session, desk: Desk, row: Row, *, allocate: bool, now: datetime) -> list[str]:
    protocol, nonce = desk.protocol, f"import-{row['reference']}"
    language = row.get("language") or protocol.pilot.languages[0]
    participant = enrolment.enrol(session, desk.pilot, nonce=nonce, language=language, secret=desk.secret, now=now)
    screened = _fill(session, protocol, participant, answering.SCREENING, row, now)
    screening = eligibility.screen(session, protocol, participant, screened, now=now)
    if not screening.eligible:
        return ["enrolled", "not_eligible"]
    versions = {text.purpose: text.version for text in protocol.consent.texts}
    given = {text.purpose: _yes(row, f"consent__{text.purpose}") for text in protocol.consent.texts}
    consent.give(session, protocol, participant, given, versions=versions, language=language, now=now)
    if not consent.has_all_required(session, protocol, participant):
        raise _Problems(["consent__participate: without consent nobody is enrolled; leave the row out"])
    contact = _contact(row, screened)
    enrolment.set_contact(session, participant, contact, keyring=desk.keyring, secret=desk.secret, now=now)
    _fill(session, protocol, participant, protocol.baseline.name, row, now)
    answering.submit(session, protocol, participant, protocol.baseline.name, mode="desk", now=now)
    if not allocate:
        return ["enrolled"]
    key = keys.read(desk.folder, desk.pilot.slug, participant.mode)
    allocation.allocate(session, desk.pilot, desk.version, protocol, participant, key=key, now=now)
    return ["enrolled", "allocated"]


def _fill(
    session: Session, protocol: Protocol, participant: Participant, wave: str, row: Row, now: datetime
) -> dict[str, Any]:
    instrument = answering.instrument_of(protocol, wave)
    where = answering.context(participant, participant.language, now)

    def page(answers: Mapping[str, Any]) -> answering.Page | None:
        step = walk(instrument, answers, context=where).next
        return None if step is None else (step.key, _cell(step, row.get(f"{wave}__{step.key}", "")))

    kept = answering.keep_pages(
        session, protocol, participant, wave, page, revision=None, mode="desk", language=participant.language, now=now
    )
    if kept.errors:
        raise _Problems([f"{wave}__{error.question}: {error.message}" for error in kept.errors])
    return dict(kept.answers)


def _cell(step: Step, text: str) -> Mapping[str, list[str]]:
    return {step.key: text.split() if step.kind in ("select_multiple", "rank") else [text]}


def _contact(row: Row, screened: Mapping[str, Any]) -> enrolment.Contact:
    phone = row.get("phone", "")
    try:
        read = read_phone(phone) if phone else None
    except InputError:
        raise _Problems([f"phone: '{phone}' is no telephone number"]) from None
    return enrolment.Contact(
        name=row.get("name", ""),
        phone=read,
        email=row.get("email") or None,
        postcode=row.get("postcode") or None,
        birth_date=str(screened.get("birth_date") or "") or None,
    )


def _yes(row: Row, column: str) -> bool:
    value = row.get(column, "").casefold()
    if value not in (*YES, *NO):
        raise _Problems([f"{column}: write yes or no, not '{row.get(column, '')}'"])
    return value in YES


def columns(protocol: Protocol) -> list[str]:
    """Every column that a file of participants may have under this protocol, in the order of the questions."""
    waves = (answering.SCREENING, protocol.baseline.name)
    asked = [f"{wave}__{q.name}" for wave in waves for q in answering.instrument_of(protocol, wave).questions]
    return [*OWN, *(f"consent__{text.purpose}" for text in protocol.consent.texts), *asked]


def _of_the_header(protocol: Protocol, rows: Sequence[Row]) -> list[tuple[int, str]]:
    if not rows:
        return [(1, "the file is empty; give a header line and at least one row")]
    known = set(columns(protocol))
    problems = []
    for column in rows[0]:
        if column not in known:
            near = get_close_matches(column, sorted(known), n=1)
            remedy = f"did you mean '{near[0]}'?" if near else "leave it out"
            problems.append((1, f"the column '{column}' is not known; {remedy}"))
    if "reference" not in rows[0]:
        problems.append((1, "the column 'reference' is missing; give every person a number of your own"))
    return problems


def _of_references(session: Session, pilot: Pilot, rows: Sequence[Row]) -> list[tuple[int, str]]:
    taken = set(session.scalars(select(Participant.nonce).where(Participant.pilot_id == pilot.id)))
    problems: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        reference = row.get("reference", "")
        if not reference:
            problems.append((line, "'reference' is empty"))
        elif len(reference) > 50:
            problems.append((line, "'reference' is longer than 50 characters"))
        elif reference in seen:
            problems.append((line, f"reference '{reference}' stands on line {seen[reference]} too"))
        elif f"import-{reference}" in taken:
            problems.append((line, f"reference '{reference}' was imported before; leave the row out"))
        seen.setdefault(reference, line)
    return problems
