"""The first pages: what the pilot is, with a letter or without, and going on where one stopped."""

from __future__ import annotations

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import access, locking
from pilot.errors import NotYours
from pilot.journey import enrolment, outreach
from pilot.models import Invitee, Pilot
from pilot.web import forms
from pilot.web.database import writing
from pilot.web.participant import bp, steps
from pilot.web.rules import rule
from pilot.web.security import guessable
from pilot.web.state import state


@bp.get("/p/<slug>")
@rule.public
def welcome(slug: str) -> str:
    _arrive(slug)
    return _welcome()


@bp.get("/p/<slug>/c/<code>")
@rule.public
def invited(slug: str, code: str) -> str | Response:
    """The address in a letter. Opening it is counted once and uses nothing up, however often it is opened.

    A program that only asks whether the page is there, or fetches it beforehand, is nobody who opened it.
    """
    _arrive(slug)
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return _welcome(code=code, with_link=True)
    with writing() as session:
        pilot = session.get_one(Pilot, g.pilot.id)
        invitee = outreach.open_invitation(session, pilot, code, keyring=state().database.keyring, now=g.now)
        typed = invitee.code
    return _welcome(code=typed, with_link=True)


@bp.post("/p/<slug>/start")
@rule.public
def start(slug: str) -> str | Response | tuple[str, int]:
    _arrive(slug)
    code = forms.text(request.form, "code", longest=40)
    invitee: Invitee | None = None
    if code:
        try:
            keyring = state().database.keyring
            invitee = outreach.open_invitation(g.session, g.pilot, code, keyring=keyring, now=g.now)
        except NotYours:
            return _welcome(code=code, error=_("We do not know this code. Compare it with the letter.")), 422
    elif not steps.in_force()[1].outreach.open_link:
        return _welcome(error=_("You need the code from your letter to take part.")), 422
    participant = enrolment.enrol(
        g.session,
        g.pilot,
        nonce=forms.nonce(request.form),
        language=steps.language(),
        secret=state().settings.secret_key.encode(),
        now=g.now,
        invitee=invitee,
    )
    return steps.onward(participant, steps.token_for(participant))


@bp.get("/p/<slug>/resume")
@rule.public
def resume_page(slug: str) -> str:
    g.pilot = _known(slug)
    return render_template("participant/resume.html", slug=slug, code="", born=("", "", ""), errors=[])


@bp.post("/p/<slug>/resume")
@rule.public
@guessable
def resume(slug: str) -> Response | tuple[str, int]:
    """On with a short code and the birth date; a wrong code and a wrong date read the same."""
    g.pilot = _known(slug)
    g.now = state().now(g.pilot)
    code, born = forms.text(request.form, "code", longest=40), forms.date_text(request.form, "born")
    try:
        participant = enrolment.resume(g.session, g.pilot, code, born, keyring=state().database.keyring)
    except NotYours:
        message = _("This code and birth date do not belong together. Look at both again.")
        values = {"code": code, "born": forms.date_parts(request.form, "born"), "errors": [("code", message)]}
        return render_template("participant/resume.html", slug=slug, **values), 422
    return steps.onward(participant, steps.token_for(participant))


@bp.get("/s/<token>")
@rule.token("survey")
def survey(token: str) -> Response:  # noqa: ARG001  # the rule has read it
    """The link in a message about a list of questions: it opens again and again until the list is finished."""
    return steps.onward(g.participant, steps.token_for(g.participant))


@bp.get("/e/<token>")
@rule.token(steps.LINK)
def go_on(token: str) -> Response:
    return steps.onward(g.participant, token)


@bp.get("/e/<token>/later")
@rule.token(steps.LINK)
def later(token: str) -> str:
    """Stop now, go on later: everything is kept already; here is how to come back."""
    identity = g.participant.identity
    back = url_for("participant.go_on", token=token, _external=True)
    code = identity.resume_code if identity else None
    return render_template("participant/later.html", token=token, back=back, code=code)


@bp.get("/start/<token>")
@rule.token(steps.LINK)
def from_the_desk(token: str) -> Response:
    """The address an advisor shows as a square code, so that a person can go on by the own telephone."""
    return redirect(url_for("participant.go_on", token=token))


def _arrive(slug: str) -> None:
    g.pilot = access.open_pilot(g.session, slug)
    g.now = state().now(g.pilot)


def _known(slug: str) -> Pilot:
    return locking.by_slug(g.session, slug)


def _welcome(*, code: str = "", error: str = "", with_link: bool = False) -> str:
    _version, protocol = steps.in_force()
    return render_template(
        "participant/welcome.html",
        protocol=protocol,
        code=code,
        with_link=with_link,
        nonce=forms.new_nonce(),
        errors=[("code", error)] if error else [],
        closed=not protocol.pilot.recruitment.start <= g.now.date() <= protocol.pilot.recruitment.end,
    )
