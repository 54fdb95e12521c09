"""The list of people to interview."""

from __future__ import annotations

from flask import g, render_template

from pilot.web import open_lists, staff
from pilot.web.interviewer import bp, reading, words
from pilot.web.rules import rule
from pilot.web.waves import titles


@bp.get("/<slug>/interviews")
@rule.may("interview")
def queue(slug: str) -> str:
    wanted, (_version, protocol) = open_lists.wanted(), staff.in_force()
    rows = reading.calls(g.session, g.pilot, protocol, today=staff.today())
    return render_template(
        "interviewer/queue.html",
        slug=slug,
        rows=[row for row in rows if row.holds(wanted)],
        words=wanted,
        modes=words.MODES,
        now=g.now,
        titles=titles(protocol),
    )
