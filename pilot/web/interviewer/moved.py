"""Another number or e-mail address of the person to ask, learned while asking: kept with who said so.

Advisors have no such page: what they learn would make the advised arms easier to find.
"""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import NotYours
from pilot.journey import enrolment
from pilot.models import Identity
from pilot.web import staff
from pilot.web.contacts import contact_of, typed_contact
from pilot.web.interviewer import bp, words
from pilot.web.interviewer.calling import open_call
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.state import state

OWN = ("phone", "email")


@bp.get("/<slug>/interviews/<study_id>/contact")
@rule.may("interview")
def contact(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    return _show(slug, {name: getattr(_identity(), name) or "" for name in OWN}, [], Faults())


@bp.post("/<slug>/interviews/<study_id>/contact")
@rule.may("interview")
def keep_contact(slug: str, study_id: str) -> Response | tuple[str, int]:
    """The number and the address that hold from now on; the earlier ones stay in the record of this person."""
    known, read = _identity(), Reading(request.form)
    stays = {name: getattr(known, name) or "" for name in enrolment.LIMITS if name not in OWN}
    typed, errors = typed_contact({**stays, **{name: request.form.get(name, "") for name in OWN}})
    source = read.one_of("source", tuple(words.SOURCES), needed=_("Choose who told you."))
    if errors or read.faults:
        return _show(slug, {**typed, "source": source}, errors, read.faults), 422
    enrolment.set_contact(
        g.session,
        g.participant,
        contact_of(typed, birth_date=known.birth_date),
        keyring=state().database.keyring,
        secret=state().settings.secret_key.encode(),
        correction=enrolment.Correction(actor_id=staff.me().id, reason=source),
        now=g.now,
    )
    flash(_("Kept. Messages and calls go there from now on."), "good")
    return redirect(url_for("interviewer.call", slug=slug, study_id=study_id), code=303)


def _identity() -> Identity:
    """The contact data of somebody who is to be asked now; raises NotYours for anybody else."""
    open_call()
    known = g.session.get(Identity, g.participant.id)
    if known is None:
        raise NotYours("there are no contact data of this person")
    return known


def _show(slug: str, typed: dict[str, str], errors: list[tuple[str, str]], faults: Faults) -> str:
    return render_template(
        "interviewer/contact.html",
        slug=slug,
        call=open_call(),
        typed=typed,
        said=dict(errors),
        faults=faults,
        summary=[*errors, *faults.summary],
        sources=list(words.SOURCES.items()),
    )
