"""The gift card of who finished a list. The page by itself shows no code: a program that opens links claims none."""

from __future__ import annotations

from flask import g, render_template

from pilot.errors import NotYours
from pilot.journey import incentives
from pilot.web.participant import bp
from pilot.web.rules import rule


@bp.get("/gift/<token>")
@rule.token("gift")
def gift(token: str) -> str:  # noqa: ARG001  # the rule has read it
    card = incentives.of(g.session, g.participant, g.link.wave or "")
    if card is None:
        raise NotYours("there is no gift card here")
    return render_template("participant/gift.html", card=card, shown=card.claimed_at is not None)


@bp.post("/gift/<token>")
@rule.token("gift")
def show_gift(token: str) -> str:  # noqa: ARG001  # the rule has read it
    """Shows the code; the first time is kept, and the code stays the same however often it is asked for."""
    card = incentives.claim(g.session, g.participant, g.link.wave or "", now=g.now)
    return render_template("participant/gift.html", card=card, shown=True)
