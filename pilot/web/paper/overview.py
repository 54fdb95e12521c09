"""The list of paper forms: what is out, what was typed once, what waits for a decision."""

from __future__ import annotations

from flask import g, render_template

from pilot import access
from pilot.web import open_lists, staff
from pilot.web.paper import bp, reading
from pilot.web.rules import rule
from pilot.web.waves import titles


@bp.get("/<slug>/paper")
@rule.may("type_paper")
def overview(slug: str) -> str:
    wanted = open_lists.wanted()
    _version, protocol = staff.in_force()
    rows = reading.rows(g.session, g.pilot, protocol, today=staff.today())
    return render_template(
        "paper/overview.html",
        slug=slug,
        rows=[row for row in rows if row.holds(wanted)],
        to_print=[wave for wave in protocol.waves if any(r.wave == wave.name and r.state == "out" for r in rows)],
        words=wanted,
        titles=titles(protocol),
        me=staff.me().id,
        decides=access.may(staff.me(), "decide_paper", g.pilot),
    )
