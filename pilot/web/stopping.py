"""Stopping, from any page: how staff write it down, and everything that follows from it at once."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from pilot import dataset, disposal, locking
from pilot.journey import withdrawal
from pilot.web.database import afterwards
from pilot.web.reading import Faults, Reading
from pilot.web.state import state


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


def carry_out(degree: str, *, reason: str = "", actor_id: int | None = None) -> None:
    """Withdraws g.participant. After an erasure every freeze that held the answers gives way to a new one, and what
    was written to the person and still lies in the outbox is gone. Files go after the commit; what is left by a process
    that dies there, the worker destroys.
    """
    withdrawal.withdraw(g.session, g.participant, degree, actor_id=actor_id, reason=reason, now=g.now)
    if degree != "erase":
        return
    settings, (_version, protocol) = state().settings, locking.in_force(g.session, g.pilot.id)
    dataset.supersede(g.session, g.pilot, protocol, folder=settings.freezes, actor_id=actor_id, now=g.now)
    database, now = state().database, g.now
    afterwards(lambda: disposal.sweep(database, settings, now=now))
