"""The front door for visitors, and the desk where staff arrive: their pilots, and what they may do there."""

from __future__ import annotations

from flask import Blueprint, current_app, g, render_template, url_for
from sqlalchemy import select

from pilot import access
from pilot.models import Pilot
from pilot.web import navigation, titles
from pilot.web.rules import rule, signed_in_user

bp = Blueprint("home", __name__)

FIRST_PAGE = "participant.welcome"


@bp.get("/")
@rule.public
def start() -> str:
    """The pilots that take people in; each links to its own first page, where this installation has one."""
    running = g.session.scalars(select(Pilot).where(Pilot.status == "running").order_by(Pilot.slug))
    known = FIRST_PAGE in current_app.view_functions
    pilots = [(pilot, url_for(FIRST_PAGE, slug=pilot.slug) if known else None) for pilot in running]
    return render_template("home/start.html", pilots=pilots)


@bp.get("/desk")
@rule.signed_in
def desk() -> str:
    user = signed_in_user()
    assert user is not None, "the rule let in nobody else"
    pilots = access.pilots_of(g.session, user)
    rooms = [(pilot, sorted(access.roles_in(user, pilot)), navigation.items(user, pilot)) for pilot in pilots]
    return render_template(
        "home/desk.html",
        rooms=rooms,
        general=navigation.items(user, None),
        role_names=titles.ROLE_NAMES,
        status_names=titles.STATUS_NAMES,
    )


@bp.get("/account")
@rule.signed_in
def account() -> str:
    return render_template("home/account.html")
