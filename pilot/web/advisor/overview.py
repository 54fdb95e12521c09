"""The caseload: one line a person, the next appointment first."""

from __future__ import annotations

from flask import g, render_template, request

from pilot.journey.advice import STATEMENT_MINUTES
from pilot.web import forms, staff
from pilot.web.advisor import bp, reading, words
from pilot.web.rules import rule


@bp.get("/<slug>/caseload")
@rule.may("see_caseload")
def caseload(slug: str) -> str:
    everyone = request.args.get("who") == "everyone"
    try:
        wanted = forms.text(request.args, "words", longest=200)
    except forms.TooLong:
        wanted = ""
    rows = reading.caseload(g.session, g.pilot, staff.me(), everyone=everyone, words=wanted, now=g.now)
    return render_template(
        "advisor/caseload.html",
        slug=slug,
        rows=rows,
        words=wanted,
        everyone=everyone,
        needed=STATEMENT_MINUTES,
        degrees=words.DEGREES,
    )
