"""Two rows with the same telephone number, e-mail address or device: one person, or two? A person judges.

Nobody's arm changes by it. When it is one person, the later row hears nothing more, so that nobody is asked twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from pilot.errors import NotYours, Refused
from pilot.events import record
from pilot.journey import allocation, withdrawal
from pilot.models import Event, Identity, Participant
from pilot.web import alike, staff
from pilot.web.rules import rule
from pilot.web.steward import bp

JUDGED = "duplicate_judged"
VERDICTS = ("same", "different")
HASHED = ("phone", "email", "device")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two rows, as far as it helps to judge."""

    participant: Participant
    identity: Identity | None
    drawn: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """An earlier row and a later one, and in words what they share."""

    first: Side
    later: Side
    shared: tuple[object, ...]


@bp.get("/<slug>/steward/duplicates")
@rule.may("handle_privacy_requests")
def pairs(slug: str) -> str:
    judged = set(g.session.scalars(select(Event.participant_id).where(Event.kind == JUDGED)))
    query = select(Participant).where(
        Participant.pilot_id == g.pilot.id, Participant.possible_duplicate_of.is_not(None)
    )
    found = [p for p in g.session.scalars(query.order_by(Participant.id)) if p.id not in judged]
    shown = [_pair(g.session.get_one(Participant, p.possible_duplicate_of), p) for p in found]
    return render_template("steward/duplicates.html", slug=slug, pairs=shown)


@bp.post("/<slug>/steward/duplicates/<study_id>")
@rule.may("handle_privacy_requests")
def judge(slug: str, study_id: str) -> Response:  # noqa: ARG001  # the rule has read the path
    """Keeps the verdict about g.participant, the later of the two."""
    verdict = request.form.get("verdict", "")
    if verdict not in VERDICTS:
        raise Refused("judge with one of the two buttons", code="verdict")
    first_id = g.participant.possible_duplicate_of
    if first_id is None:
        raise NotYours("nothing is to be judged about this person")
    first, actor = g.session.get_one(Participant, first_id), staff.me().id
    if verdict == "different":
        g.participant.possible_duplicate_of = None
    else:
        reason = f"the same person as {first.study_id}"
        withdrawal.withdraw(g.session, g.participant, "no_contact", actor_id=actor, reason=reason, now=g.now)
        if allocation.of(g.session, g.participant) is not None:
            allocation.note(g.session, g.participant, "withdraw", reason=reason, actor_id=actor, now=g.now)
    record(g.session, JUDGED, g.participant, now=g.now, actor_id=actor, verdict=verdict, first=first.study_id)
    g.session.flush()
    flash(_("The verdict is kept."), "good")
    return redirect(url_for("steward.pairs", slug=slug), code=303)


def _pair(first: Participant, later: Participant) -> Pair:
    one, other = _side(first), _side(later)
    known = [
        (by, getattr(one.identity, f"{by}_hash", None), getattr(other.identity, f"{by}_hash", None)) for by in HASHED
    ]
    return Pair(one, other, tuple(alike.WORDS[by] for by, a, b in known if a is not None and a == b))


def _side(participant: Participant) -> Side:
    identity = g.session.get(Identity, participant.id)
    return Side(participant, identity, allocation.of(g.session, participant) is not None)
