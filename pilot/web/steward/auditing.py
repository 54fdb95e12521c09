"""What anyone can check: the chain of draws, the commitments to the keys, and every deed in the order it was done."""

from __future__ import annotations

from flask import g, render_template, request
from sqlalchemy import select

from pilot import audit, locking
from pilot.models import Event, Participant, User
from pilot.web import forms, reasons
from pilot.web.rules import rule
from pilot.web.steward import bp, deeds
from pilot.web.steward.overview import way_back

PAGE = 100


@bp.get("/<slug>/audit")
@rule.may("read_audit")
def record(slug: str) -> str:
    """Read only. An event holds no name and no arm."""
    kind, who = _asked("kind"), _asked("person")
    before = request.args.get("before", "")
    query = select(Event, Participant.study_id, User.name).where(Event.pilot_id == g.pilot.id)
    query = query.outerjoin(Participant, Participant.id == Event.participant_id)
    query = query.outerjoin(User, User.id == Event.actor_id)
    if kind:
        query = query.where(Event.kind == kind)
    if who:
        query = query.where(Participant.study_id == who.upper())
    if before.isdigit():
        query = query.where(Event.id < int(before[:15]))
    rows = g.session.execute(query.order_by(Event.id.desc()).limit(PAGE + 1)).all()
    kinds = g.session.scalars(select(Event.kind).where(Event.pilot_id == g.pilot.id).distinct().order_by(Event.kind))
    return render_template(
        "steward/audit.html",
        slug=slug,
        back_url=way_back(),
        findings=audit.verify(g.session, g.pilot),
        commitments=locking.commitments(g.session, g.pilot),
        allocated=locking.allocated(g.session, g.pilot),
        rows=[(event, study_id, name, _detail(event)) for event, study_id, name in rows[:PAGE]],
        older=rows[PAGE - 1][0].id if len(rows) > PAGE else None,
        kinds=sorted(((one, deeds.name_of(one)) for one in kinds), key=lambda pair: pair[1]),
        name_of=deeds.name_of,
        kind=kind,
        who=who,
    )


def _asked(name: str) -> str:
    try:
        return forms.text(request.args, name, longest=60)
    except forms.TooLong:
        return ""


def _detail(event: Event) -> str:
    """What more is kept: names and values as they stand in the record, a reason as people read it."""
    kept = {name: value for name, value in event.detail.items() if value not in (None, "", [])}
    if "reason" in kept:
        kept["reason"] = reasons.said(str(kept["reason"]))
    return ", ".join(f"{name}: {_flat(value)}" for name, value in kept.items())


def _flat(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
