"""The clock of a demo: some days later, what was due by then is sent, so that a year of follow-up fits in an afternoon.

Only a demo has this page. Elsewhere it is not there, whoever asks.
"""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from pilot import worker
from pilot.errors import NotYours
from pilot.events import record
from pilot.models import Pilot
from pilot.web import database, staff
from pilot.web.administrator import bp
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import outbox

MOST_DAYS = 400
SECONDS = 24 * 3600


@bp.get("/<slug>/clock")
@rule.may("move_clock")
def clock(slug: str) -> str:
    _only_in_a_demo()
    return _page(slug, Faults())


@bp.post("/<slug>/clock")
@rule.may("move_clock")
def move(slug: str) -> Response | tuple[str, int]:
    """Moves this pilot's clock forward and does one round of the worker.

    The worker has transactions of its own: the one of this page ends first, or they would wait for each other.
    """
    _only_in_a_demo()
    read = Reading(request.form)
    days = read.whole("days", needed=_("Write by how many days, between 1 and 400."))
    if not 1 <= days <= MOST_DAYS:
        read.faults.add("days", _("Write by how many days, between 1 and 400."))
        return _page(slug, read.faults), 422
    pilot_id, actor_id, now = g.pilot.id, staff.me().id, g.now
    database.close()
    with database.writing() as session:
        pilot = session.get_one(Pilot, pilot_id)
        pilot.clock_shift += days * SECONDS
        record(session, "clock_moved", pilot, now=now, actor_id=actor_id, days=days)
    here = state()
    done = worker.round_once(here.database, here.settings, clock=here.clock)
    flash(ngettext("The clock went forward by %(num)s day.", "The clock went forward by %(num)s days.", days), "good")
    flash(_("Queued: %(queued)s messages. Sent: %(sent)s.", queued=done.queued, sent=done.sent), "info")
    return redirect(url_for("administrator.clock", slug=slug), code=303)


def _only_in_a_demo() -> None:
    if state().settings.kind != "demo":
        raise NotYours("there is no such page, or it is not for you")


def _page(slug: str, faults: Faults) -> str:
    values = {"slug": slug, "now": g.now, "ahead": g.pilot.clock_shift // SECONDS, "typed": request.form}
    return render_template("administrator/clock.html", faults=faults, **values, **outbox.overview())
