"""The draw, and what happens next: one click, one arm, whatever is clicked or reloaded."""

from __future__ import annotations

from flask import g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from pilot import keys, locking
from pilot.journey import advice, allocation, answering, delivery, followup, incentives, order, vouchers
from pilot.models import Participant, Pilot
from pilot.web.database import writing
from pilot.web.participant import bp, steps, thanking
from pilot.web.rules import rule
from pilot.web.state import state


@bp.get("/e/<token>/draw")
@rule.token(steps.LINK)
def draw_page(token: str) -> str | Response:
    _version, protocol = steps.in_force()
    step = order.next_step(g.session, protocol, g.participant, now=g.now)
    if step.name != "allocate":
        return steps.onward(g.participant, token)
    return render_template("participant/draw.html", token=token, arms=protocol.arms)


@bp.post("/e/<token>/draw")
@rule.token(steps.LINK)
def draw(token: str) -> Response:
    """Allocates. A double click, a reload and a retry give the same arm; it is shown only once it is committed."""
    version, protocol = steps.in_force()
    key = keys.read(state().settings.keys, g.pilot.slug, g.participant.mode)
    allocation.allocate(g.session, g.pilot, version, protocol, g.participant, key=key, now=g.now)
    return redirect(url_for("participant.what_next", token=token), code=303)


@bp.get("/e/<token>/next")
@rule.token(steps.LINK)
def what_next(token: str) -> str | Response:
    """What this person gets. The first visit makes it ready: an advisor, a voucher, a receipt, a gift card."""
    _version, protocol = steps.in_force()
    allocated = allocation.of(g.session, g.participant)
    if allocated is None:
        return steps.onward(g.participant, token)
    _make_ready()
    arm = protocol.arm(allocated.arm)
    waves = followup.open_waves(g.session, protocol, g.participant, today=g.now.date())
    upcoming = [wave.on(allocated.allocated_at.date()) for wave in protocol.waves[1:]]
    done = {
        wave.name for wave in protocol.waves if answering.submission(g.session, g.participant, wave.name) is not None
    }
    return render_template(
        "participant/next.html",
        token=token,
        arm=arm,
        receipt=allocated.row_hash[:12],
        voucher=vouchers.of(g.session, g.participant),
        advisor=advice.advisor_of(g.session, g.participant),
        portal=steps.token_for(g.participant, "portal"),
        privacy=steps.token_for(g.participant, "privacy"),
        open_wave=waves[0] if waves else None,
        upcoming=[due for due in upcoming if due.wave.name not in done and due.closes_on >= g.now.date()],
        identity=g.participant.identity,
        cards=thanking.cards_with_links(),
        asks_address=protocol.asks_address and not g.participant.withdrawn,
    )


def _make_ready() -> None:
    """In a transaction of its own, and only when something is still missing."""
    here, in_force = state(), steps.in_force()[1]
    missing = not g.participant.withdrawn and delivery.is_missing(g.session, in_force, g.participant)
    owed = incentives.is_owed(g.session, g.pilot, in_force, g.participant, now=g.now)
    if not missing and not owed:
        return
    with writing() as session:
        pilot = session.get_one(Pilot, g.pilot.id)
        participant = session.get_one(Participant, g.participant.id)
        _version, protocol = locking.in_force(session, pilot.id)
        secret, zone = here.settings.secret_key.encode(), here.settings.zone
        delivery.deliver(session, pilot, protocol, participant, secret=secret, zone=zone, now=g.now)
        incentives.give_due(session, pilot, protocol, zone=zone, now=g.now, only=participant)
    g.session.rollback()  # the page reads on from what was just made ready, not from before it
