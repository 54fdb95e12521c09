"""Where a steward arrives: what waits, and until when personal data are kept."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, render_template, url_for
from flask_babel import get_locale, lazy_gettext
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select

from pilot import access, publishing, retention
from pilot.models import Invitee, Message, Participant, Withdrawal
from pilot.protocol import Protocol
from pilot.web import staff
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp

PARTS: dict[str, object] = {
    publishing.REACH: lazy_gettext("Reach"),
    publishing.RECRUITMENT: lazy_gettext("Recruitment"),
    publishing.TAKE_UP: lazy_gettext("Use of the offer"),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of each kind waits for somebody."""

    letters: int
    duplicates: int
    failed: int
    invited: int
    withdrawn: int


@bp.get("/<slug>/steward")
@rule.may("handle_privacy_requests")
def overview(slug: str) -> str:
    _version, protocol = staff.in_force()
    invited, enrolled = retention.standing(g.session, g.pilot, protocol, zone=state().settings.zone)
    return render_template(
        "steward/overview.html",
        slug=slug,
        waiting=_waiting(),
        kept=(
            (_("Names and addresses of invited people"), invited),
            (_("Names and contact data of participants"), enrolled),
        ),
        published=publishing.standing(g.session, g.pilot),
        part_name=lambda part: _part_name(part, protocol),
        today=staff.today(),
    )


def _part_name(part: str, protocol: Protocol) -> str:
    """What a part of the published page is called."""
    names = {publishing.of_outcome(o.name): o.label.get(str(get_locale()), o.name) for o in protocol.plan.outcomes}
    return str(names.get(part) or PARTS.get(part, part))


def way_back() -> str | None:
    """Back to the overview, for those who may see it: others open these pages from the menu."""
    allowed = access.may(staff.me(), "handle_privacy_requests", g.pilot)
    return url_for("steward.overview", slug=g.pilot.slug) if allowed else None


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
    )
