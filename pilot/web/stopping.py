"""How staff write down that somebody stops: how far, what was said, and that the person asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from pilot.journey import withdrawal
from pilot.web.reading import Faults, Reading


@dataclass(frozen=True, slots=True)
class Stop:
    """What the form said; it counts when there are no faults."""

    degree: str
    reason: str
    faults: Faults


def read(form: MultiDict[str, str]) -> Stop:
    """The fields of the macro `stopping`."""
    found = Reading(form)
    degree = found.one_of("degree", withdrawal.DEGREES, needed=_("Choose what this person asks for."))
    reason = found.text("reason", longest=2_000, lines=True)
    if form.get("sure") != "yes":
        found.faults.add("sure", _("Tick that the person asked for this."))
    return Stop(degree, reason, found.faults)
