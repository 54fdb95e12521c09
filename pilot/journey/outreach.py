"""Who is invited, how, and which invitation brought a person: reach is part of what a pilot learns."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

import randomization as rz
from pilot.crypto import Keyring
from pilot.db import insert_once
from pilot.errors import NotYours
from pilot.events import record
from pilot.models import Event, Invitee, Message, Pilot
from pilot.problems import InvalidRows, Problem, Reason
from pilot.protocol import Protocol

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
COLUMNS = ("reference", "name", "address", "email", "language")
LIMITS = {"reference": 80, "name": 200, "address": 400, "email": 254}
Letters = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: how many people each outreach arm got."""

    batch: str
    counts: Mapping[str, int]


def random_code(length: int = CODE_LENGTH) -> str:
    """A code without letters and digits that look alike."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def import_list(
    session: Session,
    pilot: Pilot,
    protocol: Protocol,
    rows: Iterable[Mapping[str, str]],
    *,
    batch: str,
    keyring: Keyring,
    actor_id: int | None,
    now: datetime,
    letters: Letters = random_code,
) -> Imported:
    """Takes in a list of people and draws the outreach arm of each, before anybody is known. All rows or none.

    A row has at least `reference`; name, address, email and language are used for the invitation, every other column
    is kept as a covariate of reach. Raises InvalidRows with line and reason of each bad row.
    """
    rows = list(rows)
    known = set(session.scalars(select(Invitee.reference).where(Invitee.pilot_id == pilot.id)))
    problems = list(_problems(rows, known, protocol))
    if not rows:
        problems = [(1, Reason("empty_file"))]
    if problems:
        raise InvalidRows(problems)
    arms = protocol.outreach.arms
    weights = {arm.name: arm.weight for arm in arms}
    # A handful of latecomers cannot be split exactly: each of them is drawn alone.
    method = rz.complete if len(rows) >= len(arms) else rz.simple
    design = method(weights) if len(arms) > 1 else None
    seed = _seed(session, pilot, protocol)
    drawn = list(design.draw(len(rows), seed=seed)) if design is not None else [arm.name for arm in arms] * len(rows)
    for row, arm in zip(rows, drawn, strict=True):
        code = letters(CODE_LENGTH)
        session.add(
            Invitee(
                pilot_id=pilot.id,
                batch=batch,
                outreach_arm=arm,
                code=code,
                code_hash=keyring.lookup(code, "invitation"),
                imported_at=now,
                covariates={key: value for key, value in row.items() if key not in COLUMNS},
                **{key: (row.get(key) or None) for key in ("name", "address", "email")},
                reference=row["reference"].strip(),
                language=row.get("language") or protocol.pilot.languages[0],
            )
        )
    counts = {arm.name: drawn.count(arm.name) for arm in arms}
    drawn_by = design.fingerprint if design else None
    record(
        session,
        "list_imported",
        pilot,
        now=now,
        actor_id=actor_id,
        batch=batch,
        counts=counts,
        seed=seed,
        design=drawn_by,
    )
    session.flush()
    return Imported(batch, counts)


def queue_invitations(session: Session, pilot: Pilot, protocol: Protocol, *, now: datetime) -> int:
    """Puts an e-mail in the outbox for everyone whose outreach arm is invited that way; says how many were new.

    Who is invited by letter, or has no e-mail address, is handed to the printer: `hand_over`.
    """
    by_email = [arm.name for arm in protocol.outreach.arms if arm.channel == "email"]
    waiting = [
        invitee
        for invitee in _not_invited(session, pilot)
        if invitee.outreach_arm in by_email and invitee.email is not None
    ]
    for invitee in waiting:
        insert_once(
            session,
            Message,
            pilot_id=pilot.id,
            invitee_id=invitee.id,
            key=f"{pilot.id}:invitation:{invitee.id}",
            kind="invitation",
            channel="email",
            language=invitee.language,
            detail={},
            status="queued",
            due_at=now,
            attempts=0,
        )
    return len(waiting)


def hand_over(
    session: Session, pilot: Pilot, protocol: Protocol, *, base_url: str, actor_id: int | None, now: datetime,
    most: int | None = None,
) -> list[dict[str, str]]:  # fmt: skip
    """The rows for the printer of everyone who still waits for a letter (or of the first `most`); they count as invited
    from now on. The event says who is in it, by number only, so that the same letters can be printed again.
    """
    by_email = [arm.name for arm in protocol.outreach.arms if arm.channel == "email"]
    rows, numbers = [], []
    for invitee in _not_invited(session, pilot):
        if invitee.outreach_arm in by_email and invitee.email is not None:
            continue
        if len(rows) == most:
            break
        numbers.append(invitee.id)
        arm = protocol.outreach_arm(invitee.outreach_arm)
        text = "" if arm is None else arm.message.get(invitee.language) or arm.message["nl"]
        link = f"{base_url}/p/{pilot.slug}/c/{invitee.code}"
        own = {"reference": invitee.reference, "name": invitee.name or "", "address": invitee.address or ""}
        rows.append({**own, "language": invitee.language, "text": text, "code": invitee.code, "link": link})
        invitee.sent_at = now
    if rows:
        record(session, "letters_handed_over", pilot, now=now, actor_id=actor_id, rows=len(rows), invitees=numbers)
        session.flush()
    return rows


def in_batch(session: Session, batch: Event) -> list[Invitee]:
    """Whose letters were in a batch and still make sense: nobody who has opened the invitation since, or was erased."""
    numbers = batch.detail.get("invitees", [])
    query = select(Invitee).where(Invitee.id.in_(numbers), Invitee.pilot_id == batch.pilot_id)
    return [
        invitee
        for invitee in session.scalars(query.order_by(Invitee.id))
        if invitee.opened_at is None and invitee.address
    ]


def _not_invited(session: Session, pilot: Pilot) -> Sequence[Invitee]:
    queued = select(Message.id).where(Message.invitee_id == Invitee.id)
    return session.scalars(
        select(Invitee)
        .where(Invitee.pilot_id == pilot.id, Invitee.sent_at.is_(None), ~queued.exists())
        .order_by(Invitee.id)
    ).all()


_BY_CODE = select(Invitee).where(Invitee.pilot_id == bindparam("pilot"), Invitee.code_hash == bindparam("code"))


def open_invitation(session: Session, pilot: Pilot, code: str, *, keyring: Keyring, now: datetime) -> Invitee:
    """The invitee behind a code as people type it; raises NotYours when there is none."""
    typed = "".join(code.upper().split()).replace("-", "")
    hashed = keyring.lookup(typed, "invitation")
    invitee = session.scalar(_BY_CODE, {"pilot": pilot.id, "code": hashed})
    if invitee is None:
        raise NotYours("this code is not known; check it against the letter", code="unknown_code")
    if invitee.opened_at is None:
        invitee.opened_at = now
        record(session, "invitation_opened", pilot, now=now, outreach_arm=invitee.outreach_arm)
        session.flush()
    return invitee


def _seed(session: Session, pilot: Pilot, protocol: Protocol) -> int:
    """Each list has its own seed, counted on from the one that the protocol locked."""
    batches = session.scalars(select(Invitee.batch).where(Invitee.pilot_id == pilot.id).distinct()).all()
    return protocol.outreach.seed + len(batches)


def _problems(rows: list[Mapping[str, str]], known: set[str], protocol: Protocol) -> Iterable[Problem]:
    seen: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        reference = (row.get("reference") or "").strip()
        if not reference:
            yield line, Reason("no_reference")
        elif reference in seen:
            yield line, Reason("twice", reference=reference, line=seen[reference])
        elif reference in known:
            yield line, Reason("known", reference=reference)
        seen.setdefault(reference, line)
        for column, longest in LIMITS.items():
            if len(row.get(column) or "") > longest:
                yield line, Reason("too_long", column=column, longest=longest)
        language, spoken = row.get("language"), (*protocol.pilot.languages, *protocol.pilot.interface_languages)
        if language and language not in spoken:
            yield line, Reason("one_of", column="language", value=language, known=", ".join(spoken))
