"""Where a steward arrives: what waits, and until when personal data are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import g, render_template, url_for
from sqlalchemy import ColumnElement, func, select

from pilot import access
from pilot.models import Allocation, Identity, Invitee, Message, Participant, Withdrawal
from pilot.protocol import Protocol
from pilot.web import staff
from pilot.web.rules import rule
from pilot.web.steward import bp


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of each kind waits for somebody."""

    letters: int
    duplicates: int
    failed: int
    invited: int
    withdrawn: int
    named: int


@bp.get("/<slug>/steward")
@rule.may("handle_privacy_requests")
def overview(slug: str) -> str:
    _version, protocol = staff.in_force()
    return render_template(
        "steward/overview.html", slug=slug, waiting=_waiting(), kept_until=kept_until(protocol), today=staff.today()
    )


def way_back() -> str | None:
    """Back to the overview, for those who may see it: others open these pages from the menu."""
    allowed = access.may(staff.me(), "handle_privacy_requests", g.pilot)
    return url_for("steward.overview", slug=g.pilot.slug) if allowed else None


def kept_until(protocol: Protocol) -> date | None:
    """The day after which nobody has a list to fill in any more, so that names and contact data can go."""
    where = (Allocation.pilot_id == g.pilot.id, Allocation.mode == g.pilot.mode)
    last = g.session.scalar(select(func.max(Allocation.allocated_at)).where(*where))
    return None if last is None else max(wave.on(last.date()).closes_on for wave in protocol.waves)


def _waiting() -> Waiting:
    def count(kind: type, *where: ColumnElement[bool]) -> int:
        return g.session.scalar(select(func.count()).select_from(kind).where(*where)) or 0

    mine = Participant.pilot_id == g.pilot.id
    queued = select(Message.id).where(Message.invitee_id == Invitee.id)
    by_us = Invitee.pilot_id == g.pilot.id
    people = select(Participant.id).where(mine)
    return Waiting(
        letters=count(Invitee, by_us, Invitee.sent_at.is_(None), ~queued.exists()),
        duplicates=count(Participant, mine, Participant.possible_duplicate_of.is_not(None)),
        failed=count(Message, Message.pilot_id == g.pilot.id, Message.status == "failed"),
        invited=count(Invitee, by_us),
        withdrawn=count(Withdrawal, Withdrawal.participant_id.in_(people)),
        named=count(Identity, Identity.participant_id.in_(people)),
    )
