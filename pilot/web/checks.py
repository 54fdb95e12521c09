"""The researcher's page of high-frequency checks: what to look at while answers still come in."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask_babel import lazy_gettext as _

from pilot import quality
from pilot.web import staff
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.waves import titles

bp = Blueprint("checks", __name__)
MOST = 50
ALIKE: dict[str, object] = {
    "phone": _("Same telephone number"),
    "email": _("Same e-mail address"),
    "name": _("Same name and date of birth"),
}


@bp.get("/<slug>/checks")
@rule.may("see_quality")
def overview(slug: str) -> str:
    _version, protocol = staff.in_force()
    keyring = state().database.keyring

    def blind(arm: str) -> str:
        return keyring.lookup(f"{slug}/{arm}", "blinded letters")

    found = quality.check(g.session, g.pilot, protocol, blind=blind, today=staff.today())
    return render_template(
        "researcher/checks.html", found=found, titles=titles(protocol), alike=ALIKE, small=quality.SMALL, most=MOST
    )
