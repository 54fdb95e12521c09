"""The list of people to call."""

from __future__ import annotations

from flask import g, render_template, request

from pilot.web import forms, staff
from pilot.web.interviewer import bp, reading
from pilot.web.rules import rule
from pilot.web.waves import titles


@bp.get("/<slug>/interviews")
@rule.may("interview")
def queue(slug: str) -> str:
    try:
        wanted = forms.text(request.args, "words", longest=200)
    except forms.TooLong:
        wanted = ""
    _version, protocol = staff.in_force()
    rows = reading.calls(g.session, g.pilot, protocol, today=staff.today())
    return render_template(
        "interviewer/queue.html",
        slug=slug,
        rows=[row for row in rows if row.holds(wanted)],
        words=wanted,
        now=g.now,
        titles=titles(protocol),
    )
