"""Messages that wait, were sent, or failed: counts by kind, and the latest ones without who they went to."""

from __future__ import annotations

from flask import g, render_template
from sqlalchemy import func, select

from pilot.models import Message
from pilot.web.rules import rule
from pilot.web.steward import bp, words
from pilot.web.steward.overview import way_back

LATEST = 60


@bp.get("/<slug>/messages")
@rule.may("see_messages")
def messages(slug: str) -> str:
    return render_template("steward/messages.html", slug=slug, back_url=way_back(), **overview())


def overview() -> dict[str, object]:
    """Counts by kind and state, and the latest messages."""
    counted = g.session.execute(
        select(Message.kind, Message.status, func.count())
        .where(Message.pilot_id == g.pilot.id)
        .group_by(Message.kind, Message.status)
        .order_by(Message.kind, Message.status)
    )
    counts: dict[str, dict[str, int]] = {}
    for kind, status, number in counted:
        counts.setdefault(kind, {})[status] = number
    latest = g.session.scalars(
        select(Message).where(Message.pilot_id == g.pilot.id).order_by(Message.due_at.desc(), Message.id.desc())
        .limit(LATEST)
    )  # fmt: skip
    return {"counts": counts, "latest": list(latest), "words": words}
