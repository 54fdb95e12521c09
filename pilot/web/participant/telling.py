"""The privacy notice in plain words: what is kept about a person, why, who sees it, how long, and what one may ask."""

from __future__ import annotations

from flask import g, render_template

from pilot import locking, retention
from pilot.web import device
from pilot.web.participant import bp, steps
from pilot.web.rules import rule
from pilot.web.state import state


@bp.get("/p/<slug>/data")
@rule.public
def kept(slug: str) -> str:
    """Open to everybody, before signing up and after; it says the same to everybody."""
    g.pilot = locking.by_slug(g.session, slug)
    g.now = state().now(g.pilot)
    _version, protocol = steps.in_force()
    return render_template(
        "participant/kept.html", protocol=protocol, mark_days=device.DAYS, grace_days=retention.GRACE.days
    )
