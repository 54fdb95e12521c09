"""The gift card of who finished a list. The page by itself shows no code: a program that opens links claims none."""

from __future__ import annotations

from flask import g, render_template

from pilot.errors import NotYours
from pilot.journey import incentives
from pilot.models import GiftCard
from pilot.web.participant import bp, steps
from pilot.web.rules import rule


def cards_with_links() -> list[tuple[GiftCard, str]]:
    """The cards of the person of this page, each with a link that opens now: also after all older links were closed.

    Who wants no messages any more gets no other; so these stand where a list ends, and where somebody stops.
    """
    cards = incentives.all_of(g.session, g.participant)
    return [(card, steps.token_for(g.participant, "gift", wave=card.wave)) for card in cards]


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
