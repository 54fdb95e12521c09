"""The portal: training, money for training, and help; searched in plain words, every view kept as exposure."""

from __future__ import annotations

import hashlib

from flask import g, make_response, render_template, request
from werkzeug.wrappers import Response

from pilot import locking
from pilot.catalogue import offers
from pilot.errors import NotYours
from pilot.journey import advice, allocation, vouchers
from pilot.models import Participant, PerformanceStatement
from pilot.protocol import MEDIA, MEDIA_TYPES
from pilot.web import forms
from pilot.web.database import writing
from pilot.web.participant import bp, steps
from pilot.web.rules import rule
from pilot.web.state import state

REGIONS, LEVELS = ("noord", "oost", "west", "zuid"), ("mbo1", "mbo2", "mbo3", "mbo4")


@bp.get("/portal/<token>")
@rule.token("portal")
def portal(token: str) -> str | Response:
    wanted = offers.Search(
        words=forms.text(request.args, "words", longest=200),
        kind=_one_of(request.args.get("kind", ""), offers.KINDS),
        region=_one_of(request.args.get("region", ""), REGIONS),
        level=_one_of(request.args.get("level", ""), LEVELS),
        free_only=request.args.get("free") == "yes",
    )
    found = offers.search(g.session, wanted, today=g.now.date())
    return render_template(
        "participant/portal.html",
        token=token,
        wanted=wanted,
        found=found,
        regions=REGIONS,
        levels=LEVELS,
        referred=offers.referrals_of(g.session, g.participant),
        voucher=vouchers.of(g.session, g.participant),
        enrol=steps.token_for(g.participant),
    )


@bp.get("/portal/<token>/<int:offer_id>")
@rule.token("portal")
def offer(token: str, offer_id: int) -> str:
    with writing() as session:
        participant = session.get_one(Participant, g.participant.id)
        found = offers.view(session, participant, offer_id, now=g.now)
    return render_template("participant/offer.html", token=token, offer=found)


@bp.get("/p/<slug>/media/<filename>")
@rule.public
def medium(slug: str, filename: str) -> Response:
    """A picture or recording of a question: exactly the file that was locked with the protocol, and no other."""
    g.pilot = locking.by_slug(g.session, slug)
    locked = {name: mark for form in steps.in_force()[1].instruments.values() for name, mark in form.files.items()}
    path = state().settings.protocols / g.pilot.slug / MEDIA / filename
    if filename not in locked or not path.is_file():
        raise NotYours("there is no such picture or recording")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != locked[filename]:
        raise NotYours("the file is not the one that was locked with the protocol")
    answer = make_response(content)
    answer.mimetype = MEDIA_TYPES[path.suffix.lower()]
    answer.headers["Cache-Control"] = "public, max-age=2592000"
    return answer


@bp.get("/statement/<token>")
@rule.token("statement")
def statement_page(token: str) -> str | Response:
    statement = g.session.get(PerformanceStatement, g.participant.id)
    return render_template("participant/statement.html", token=token, statement=statement)


@bp.post("/statement/<token>")
@rule.token("statement")
def confirm_statement(token: str) -> str:
    statement = advice.confirm_performance(g.session, g.participant, now=g.now)
    return render_template("participant/statement.html", token=token, statement=statement)


def _one_of(value: str, known: tuple[str, ...]) -> str:
    return value if value in known else ""


def arm_holds(component: str) -> bool:
    """Whether the participant's arm holds this component."""
    allocated = allocation.of(g.session, g.participant)
    return allocated is not None and component in steps.in_force()[1].arm(allocated.arm).components
