"""Stopping in two clicks: choose how far, and confirm. Everything that waits for the person is cancelled at once."""

from __future__ import annotations

from flask import g, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.journey import withdrawal
from pilot.web import stopping
from pilot.web.participant import bp, steps, thanking
from pilot.web.rules import rule


@bp.get("/privacy/<token>")
@rule.token("privacy")
def stop_page(token: str) -> str:
    return render_template("participant/stop.html", token=token, errors=[])


@bp.post("/privacy/<token>")
@rule.token("privacy")
def stop(token: str) -> str | Response | tuple[str, int]:
    degree = request.form.get("degree", "")
    if degree not in withdrawal.DEGREES:
        errors = [("degree-1", _("Choose what you want."))]
        return render_template("participant/stop.html", token=token, errors=errors), 422
    stopping.carry_out(degree)
    return render_template("participant/stopped.html", degree=degree, cards=thanking.cards_with_links())


@bp.get("/e/<token>/stopped")
@rule.token(steps.LINK)
def stopped(token: str) -> str | Response:
    if not g.participant.withdrawn:
        return steps.onward(g.participant, token)
    degree, cards = g.participant.withdrawn, thanking.cards_with_links()
    return render_template("participant/stopped.html", degree=degree, cards=cards)
