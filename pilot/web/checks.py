"""The researcher's page of high-frequency checks: what to look at while answers still come in."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from pilot import quality
from pilot.web import alike, staff
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.waves import titles

bp = Blueprint("checks", __name__)
MOST = 50


@bp.get("/<slug>/checks")
@rule.may("see_quality")
def overview(slug: str) -> str:
    _version, protocol = staff.in_force()
    keyring = state().database.keyring

    def blind(arm: str) -> str:
        return keyring.lookup(f"{slug}/{arm}", "blinded letters")

    found = quality.check(g.session, g.pilot, protocol, blind=blind, today=staff.today())
    return render_template(
        "researcher/checks.html",
        found=found,
        titles=titles(protocol),
        alike=alike.WORDS,
        small=quality.SMALL,
        most=MOST,
    )
