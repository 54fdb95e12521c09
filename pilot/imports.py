"""People from a researcher's own file, through the same steps as everybody else: all rows, or none and the reasons.

A row has `reference`, `name`, `phone` or `email`, a yes or no for each consent text (`consent__participate`), and the
answers of screening and first list by their names (`screening__schooling`, `baseline__work`). Several choices stand in
one cell with spaces between them.
"""

from __future__ import annotations

import csv
import io
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
from pilot.problems import InvalidRows, Problem, Reason
from pilot.protocol import Protocol
from surveys.contact import read_phone
from surveys.errors import InputError
from surveys.path import Step, walk
from surveys.runner import Accepted, accept

OWN = ("reference", "name", "phone", "email", "postcode", "language")
LONGEST_REFERENCE = 50
CLOSED = ("recruitment_closed", "full")
YES, NO = ("yes", "ja", "1", "true"), ("no", "nee", "0", "false")
Row = Mapping[str, str]


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
    reader: str = "en"
    """The language in which whoever imports reads what is wrong with an answer."""


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file (UTF-8, comma or semicolon); raises Refused with the reason when it is none."""
    try:
        return rows_in(path.read_bytes())
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", code="file") from None


def rows_in(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file that was uploaded, by what it holds. Raises InvalidRows where some would be lost."""
    return [row for _line, row in lines_in(content)]


def lines_in(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """The same with the line of the file on which each row ends, blank lines counted. Raises InvalidRows."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRows([(content[: error.start].count(b"\n") + 1, Reason("encoding"))]) from None
    if "\0" in text:
        raise InvalidRows([(text[: text.index("\0")].count("\n") + 1, Reason("no_table"))])
    head = text.split("\n", 1)[0]
    sign = ";" if head.count(";") > head.count(",") else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        return _table(lines)
    except csv.Error:
        raise InvalidRows([(lines.line_num, Reason("no_table"))]) from None


def _table(lines: Any) -> list[tuple[int, dict[str, str]]]:
    """Line and row by column; blank lines are left out, cells that are not there are empty."""
    names = [name.strip() for name in next(lines, [])]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    problems: list[Problem] = [(1, Reason("column_twice", column=name)) for name in twice]
    rows = []
    for cells in lines:
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            problems.append((lines.line_num, Reason("cells", found=len(cells), columns=len(names))))
        if any(cell.strip() for cell in cells):
            filled = [cell.strip() for cell in cells] + [""] * (len(names) - len(cells))
            rows.append((lines.line_num, {name: cell for name, cell in zip(names, filled, strict=False) if name}))
    if problems:
        raise InvalidRows(problems)
    return rows


def import_participants(
    session: Session, desk: Desk, rows: Sequence[Row], *, allocate: bool, now: datetime
) -> Imported:
    """Takes every row through enrolment, screening, consent, contact and first list, and, when asked, allocation.

    Raises InvalidRows with every problem of every row; the caller's transaction is then to be rolled back.
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
            problems.append((line, _refused(error)))
    if problems:
        raise InvalidRows(problems)
    record(session, "participants_imported", desk.pilot, now=now, actor_id=desk.actor_id, **done)
    session.flush()
    return Imported(**done)


class _Problems(Exception):
    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__()
        self.reasons = reasons


def _refused(error: PilotError) -> Reason:
    """A step that did not take the row; the codes that come from the row itself have words of their own."""
    if error.code == "name_missing":
        return Reason("empty", column="name")
    if error.code == "contact_missing":
        return Reason("no_contact")
    if error.code == "too_long":
        field = str(error.details.get("field", ""))
        return Reason("too_long", column=field, longest=enrolment.LIMITS.get(field, ""))
    return Reason(error.code) if error.code in CLOSED else Reason("step", message=str(error))


def _one(session: Session, desk: Desk, row: Row, *, allocate: bool, now: datetime) -> list[str]:
    protocol, nonce = desk.protocol, f"import-{row['reference']}"
    language = row.get("language") or protocol.pilot.languages[0]
    participant = enrolment.enrol(session, desk.pilot, nonce=nonce, language=language, secret=desk.secret, now=now)
    screened = _fill(session, desk, participant, answering.SCREENING, row, now)
    screening = eligibility.screen(session, protocol, participant, screened, now=now)
    if not screening.eligible:
        return ["enrolled", "not_eligible"]
    versions = {text.purpose: text.version for text in protocol.consent.texts}
    given = {text.purpose: _yes(row, f"consent__{text.purpose}") for text in protocol.consent.texts}
    consent.give(session, protocol, participant, given, versions=versions, language=language, now=now)
    if not consent.has_all_required(session, protocol, participant):
        raise _Problems([Reason("no_consent", column="consent__participate")])
    contact = _contact(row, screened)
    enrolment.set_contact(session, participant, contact, keyring=desk.keyring, secret=desk.secret, now=now)
    _fill(session, desk, participant, protocol.baseline.name, row, now)
    answering.submit(session, protocol, participant, protocol.baseline.name, mode="desk", now=now)
    if not allocate:
        return ["enrolled"]
    key = keys.read(desk.folder, desk.pilot.slug, participant.mode)
    allocation.allocate(session, desk.pilot, desk.version, protocol, participant, key=key, now=now)
    return ["enrolled", "allocated"]


def _fill(session: Session, desk: Desk, participant: Participant, wave: str, row: Row, now: datetime) -> dict[str, Any]:
    protocol = desk.protocol
    instrument = answering.instrument_of(protocol, wave)
    where = answering.context(participant, participant.language, now)
    asked: list[tuple[Mapping[str, Any], answering.Page]] = []

    def page(answers: Mapping[str, Any]) -> answering.Page | None:
        step = walk(instrument, answers, context=where).next
        if step is None:
            return None
        asked.append((answers, (step.key, _cell(step, row.get(f"{wave}__{step.key}", "")))))
        return asked[-1][1]

    kept = answering.keep_pages(
        session, protocol, participant, wave, page, revision=None, mode="desk", language=participant.language, now=now
    )
    if kept.errors:
        answers, (key, raw) = asked[-1]
        again = accept(instrument, answers, key, raw, context=where, language=desk.reader)
        errors = kept.errors if isinstance(again, Accepted) else again.errors
        raise _Problems([Reason("answer", column=f"{wave}__{e.question}", message=e.message) for e in errors])
    return dict(kept.answers)


def _cell(step: Step, text: str) -> Mapping[str, list[str]]:
    return {step.key: text.split() if step.kind in ("select_multiple", "rank") else [text]}


def _contact(row: Row, screened: Mapping[str, Any]) -> enrolment.Contact:
    phone = row.get("phone", "")
    try:
        read = read_phone(phone) if phone else None
    except InputError:
        raise _Problems([Reason("phone", value=phone)]) from None
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
        raise _Problems([Reason("yes_or_no", column=column, value=row.get(column, ""))])
    return value in YES


def columns(protocol: Protocol) -> list[str]:
    """Every column that a file of participants may have under this protocol, in the order of the questions."""
    waves = (answering.SCREENING, protocol.baseline.name)
    asked = [f"{wave}__{q.name}" for wave in waves for q in answering.instrument_of(protocol, wave).questions]
    return [*OWN, *(f"consent__{text.purpose}" for text in protocol.consent.texts), *asked]


def _of_the_header(protocol: Protocol, rows: Sequence[Row]) -> list[Problem]:
    if not rows:
        return [(1, Reason("empty_file"))]
    known = set(columns(protocol))
    problems: list[Problem] = []
    for column in rows[0]:
        if column not in known:
            near = get_close_matches(column, sorted(known), n=1)
            misspelt = Reason("misspelt_column", column=column, near=near[0]) if near else None
            problems.append((1, misspelt or Reason("unknown_column", column=column)))
    if "reference" not in rows[0]:
        problems.append((1, Reason("no_reference_column")))
    return problems


def _of_references(session: Session, pilot: Pilot, rows: Sequence[Row]) -> list[Problem]:
    taken = set(session.scalars(select(Participant.nonce).where(Participant.pilot_id == pilot.id)))
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        reference = row.get("reference", "")
        if not reference:
            problems.append((line, Reason("empty", column="reference")))
        elif len(reference) > LONGEST_REFERENCE:
            problems.append((line, Reason("too_long", column="reference", longest=LONGEST_REFERENCE)))
        elif reference in seen:
            problems.append((line, Reason("twice", reference=reference, line=seen[reference])))
        elif f"import-{reference}" in taken:
            problems.append((line, Reason("known", reference=reference)))
        seen.setdefault(reference, line)
    return problems
