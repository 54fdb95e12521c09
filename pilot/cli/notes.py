"""`pilot note`: what was done about an allocation afterwards, with reason and actor. The arm analysed never changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot import access, locking, people
from pilot.cli import Console, Opened, console
from pilot.clock import system
from pilot.errors import NotYours, Refused
from pilot.journey import allocation
from pilot.models import AllocationNote, Participant, Pilot, User
from pilot.protocol import Protocol

KINDS = {kind.replace("_", "-"): kind for kind in allocation.NOTES}


@click.group()
def note() -> None:
    """What was done about an allocation afterwards; nothing changes the arm that is analysed."""


@note.command()
@click.argument("pilot")
@click.argument("study_id")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--by", "email", required=True, help="E-mail address of the steward who answers for it.")
@click.option("--reason", required=True, help="Why; it is part of the record.")
@click.option("--given", help="Override: the arm whose help the person really gets.")
@click.option("--replaced-by", help="Replace: the study id of whoever takes the place.")
@click.option(
    "--right", multiple=True, metavar="NAME=VALUE", help="Stratum error: what the covariate should have been."
)
@console
def add(out: Console, pilot: str, study_id: str, kind: str, email: str, reason: str, given: str | None,
        replaced_by: str | None, right: tuple[str, ...]) -> None:  # fmt: skip
    """Keep a note of KIND about STUDY_ID; `unblind` also tells the arm."""
    with closing(Opened(out)) as opened, opened.database.writing() as session:
        found = locking.by_slug(session, pilot)
        actor = _steward(session, found, email)
        participant = _participant(session, found, study_id)
        detail = _detail(session, found, KINDS[kind], given, replaced_by, right)
        row = allocation.note(
            session, participant, KINDS[kind], reason=reason, actor_id=actor.id, now=system(), detail=detail
        )
        told = allocation.of(session, participant) if row.kind == "unblind" else None
        arm = None if told is None else told.arm
    say = f"{participant.study_id}: {kind} is on record"
    out.say(say if arm is None else f"{say}; the arm is {arm}", study_id=participant.study_id, kind=row.kind, arm=arm,
            detail=detail)  # fmt: skip


@note.command("list")
@click.argument("pilot")
@console
def list_(out: Console, pilot: str) -> None:
    """Every note of PILOT, oldest first."""
    with closing(Opened(out)) as opened, opened.database.reading() as session:
        found = locking.by_slug(session, pilot)
        rows = session.execute(
            select(AllocationNote, Participant.study_id, User.email)
            .join(Participant, Participant.id == AllocationNote.participant_id)
            .outerjoin(User, User.id == AllocationNote.actor_id)
            .where(Participant.pilot_id == found.id)
            .order_by(AllocationNote.id)
        ).all()
    notes = [
        {"at": row.at.isoformat(), "study_id": who, "kind": row.kind, "reason": row.reason, "by": email,
         "detail": row.detail}
        for row, who, email in rows
    ]  # fmt: skip
    lines = [
        f"{n['at'][:16]} {n['study_id']} {n['kind']}: {n['reason']} ({n['by']}){_shown(n['detail'])}" for n in notes
    ]
    out.say("\n".join(lines) or "no notes", notes=notes)


def _shown(detail: Mapping[str, Any]) -> str:
    return f" {json.dumps(detail, ensure_ascii=False)}" if detail else ""


def _steward(session: Session, pilot: Pilot, email: str) -> User:
    user = people.by_email(session, email)
    if not access.may(user, "unblind", pilot):
        raise Refused(f"{email} is no steward of '{pilot.slug}'; only a steward answers for such a note", code="role")
    return user


def _participant(session: Session, pilot: Pilot, study_id: str) -> Participant:
    query = select(Participant).where(
        Participant.pilot_id == pilot.id, Participant.study_id == study_id.strip().upper()
    )
    found = session.scalar(query)
    if found is None:
        raise NotYours(f"nobody in '{pilot.slug}' has study id {study_id}")
    return found


def _detail(
    session: Session, pilot: Pilot, kind: str, given: str | None, replaced_by: str | None, right: tuple[str, ...]
) -> dict[str, Any]:
    """What belongs to this kind of note and to no other; raises Refused when it is missing or cannot be."""
    asked = {
        "override": ("--given", given),
        "replace": ("--replaced-by", replaced_by),
        "stratum_error": ("--right", right),
    }
    for own, (option, value) in asked.items():
        if bool(value) != (own == kind):
            raise Refused(f"{option} belongs to a note of {own.replace('_', '-')}, and is needed there", code="detail")
    protocol = locking.in_force(session, pilot.id)[1]
    if kind == "override":
        return {"given": _arm(protocol, str(given))}
    if kind == "replace":
        return {"replaced_by": _participant(session, pilot, str(replaced_by)).study_id}
    return {"right": dict(_covariate(protocol, pair) for pair in right)} if kind == "stratum_error" else {}


def _arm(protocol: Protocol, name: str) -> str:
    if name not in protocol.allocation.names:
        raise Refused(f"'{name}' is no arm; choose from {', '.join(protocol.allocation.names)}", code="arm")
    return name


def _covariate(protocol: Protocol, pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if name not in protocol.covariates or not equals or not value.strip():
        known = ", ".join(protocol.covariates)
        raise Refused(f"'{pair}' says no covariate; write NAME=VALUE, with a name out of {known}", code="covariate")
    return name, value.strip()
