"""A gift card at the desk: for who wants no messages, or has lost the link, and comes or calls for it."""

from __future__ import annotations

from flask import g, render_template
from flask_babel import gettext as _

from pilot.journey import incentives
from pilot.web import staff
from pilot.web.rules import rule
from pilot.web.steward import bp, words


@bp.post("/<slug>/steward/people/<study_id>/cards/<wave>")
@rule.may("manage_incentives")
def hand_over_card(slug: str, study_id: str, wave: str) -> str:  # noqa: ARG001  # the rule has read the path
    """Shows the code, to be read out or written down. Every time is kept, with who did it."""
    card = incentives.hand_over(g.session, g.participant, wave, actor_id=staff.me().id, now=g.now)
    _version, protocol = staff.in_force()
    name = words.wave(wave, protocol) if any(one.name == wave for one in protocol.waves) else _("Gift card")
    return render_template("steward/card.html", slug=slug, person=g.participant, card=card, wave_name=name)
