"""The researcher's page of high-frequency checks: what to look at while answers still come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from flask import Blueprint, g, render_template
from flask_babel import get_locale
from flask_babel import lazy_gettext as _

from pilot import quality
from pilot.protocol import Protocol
from pilot.web import alike, staff
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.waves import titles

bp = Blueprint("checks", __name__)
MOST = 50
WHY: dict[str, object] = {
    "few_own": _("fewer than twenty people answered by themselves"),
    "no_row": _("there is no row of four questions with the same answers to choose from"),
    "few_numbers": _("fewer than twenty people gave a number"),
    "one_number": _("three in four gave the same number"),
    "few_lists": _("fewer than ten people in an arm"),
    "same_for_all": _("it was exactly the same for everybody"),
    "one_interviewer": _("fewer than two interviewers have ten interviews with an answer"),
    "one_value": _("everybody gave the same answer"),
}
WHAT: dict[str, object] = {
    "messages": _("Messages on a list that stayed open"),
    "attempts": _("Calls and appointments on a list that stayed open"),
    "minutes": _("Time an interview took"),
    "open": _("Questions left open"),
}


@bp.get("/<slug>/checks")
@rule.may("see_quality")
def overview(slug: str) -> str:
    _version, protocol = staff.in_force()
    keyring = state().database.keyring

    def blind(name: str) -> str:
        return keyring.lookup(f"{slug}/{name}", "blinded letters")

    found = quality.check(g.session, g.pilot, protocol, blind=blind, today=staff.today())
    return render_template(
        "researcher/checks.html",
        found=found,
        titles=titles(protocol),
        what=_names(protocol),
        why=WHY,
        unchecked=unchecked,
        alike=alike.WORDS,
        small=quality.SMALL,
        differs=quality.DIFFERS,
        doubt=quality.DOUBT,
        most=MOST,
    )


def unchecked(undone: Iterable[quality.Undone]) -> list[tuple[str, str, list[str]]]:
    """What could not be checked, one line a wave and reason, with the questions that it is about."""
    lines: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in undone:
        lines[one.wave, one.why] += [one.what] if one.what else []
    return [(wave, why, what) for (wave, why), what in lines.items()]


def _names(protocol: Protocol) -> dict[str, object]:
    """What a test or a share is about: a wave's response, effort, or an outcome of the plan."""
    language = str(get_locale())
    outcomes = {one.name: one.label.get(language, one.name) for one in protocol.plan.outcomes}
    return {**outcomes, **WHAT}
