"""Messages that wait, were sent, or failed: counts by kind, and the latest ones without who they went to."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from pilot import access
from pilot.errors import NotYours
from pilot.journey import followup
from pilot.models import Message
from pilot.web import staff
from pilot.web.rules import rule
from pilot.web.steward import bp, words
from pilot.web.steward.overview import way_back

LATEST = 60


@bp.get("/<slug>/messages")
@rule.may("see_messages")
def messages(slug: str) -> str:
    marks = access.may(staff.me(), "mark_bounced", g.pilot)
    return render_template("steward/messages.html", slug=slug, back_url=way_back(), marks=marks, **overview())


@bp.post("/<slug>/messages/<int:number>/came-back")
@rule.may("mark_bounced")
def came_back(slug: str, number: int) -> Response:
    """A sent message came back: its address is not used again until it is mended; the next takes another way."""
    message = _message(number)
    if message.status == "sent":
        followup.bounce(g.session, message, actor_id=staff.me().id, now=g.now)
        flash(_("Kept. The next message takes another way, or waits until the contact data are mended."), "good")
    return redirect(url_for("steward.messages", slug=slug), code=303)


@bp.post("/<slug>/messages/<int:number>/left")
@rule.may("mark_bounced")
def left(slug: str, number: int) -> Response:
    """Of a message of which nobody was sure: the provider says that it went out."""
    return _decided(slug, number, left=True)


@bp.post("/<slug>/messages/<int:number>/again")
@rule.may("mark_bounced")
def again(slug: str, number: int) -> Response:
    """Of a message of which nobody was sure: it never went out, so it goes now."""
    return _decided(slug, number, left=False)


def _decided(slug: str, number: int, *, left: bool) -> Response:
    message = _message(number)
    if message.status == "unsure":
        followup.decide(g.session, message, left=left, actor_id=staff.me().id, now=g.now)
        flash(_("Kept that this message went out.") if left else _("This message is sent again."), "good")
    return redirect(url_for("steward.messages", slug=slug), code=303)


def _message(number: int) -> Message:
    message = g.session.get(Message, number)
    if message is None or message.pilot_id != g.pilot.id:
        raise NotYours("there is no such message")
    return message


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
