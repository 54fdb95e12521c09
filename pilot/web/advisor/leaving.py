"""A person goes to a colleague, or stops: both on record with a reason, both at once."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import Refused
from pilot.journey import advice
from pilot.web import reasons, staff, stopping
from pilot.web.advisor import bp, person, reading, words
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule


@bp.get("/<slug>/participants/<study_id>/handover")
@rule.may("see_caseload")
def handover_page(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    return _handover(slug, Faults())


@bp.post("/<slug>/participants/<study_id>/handover")
@rule.may("see_caseload")
def handover(slug: str, study_id: str) -> Response | tuple[str, int]:  # noqa: ARG001  # the rule has read the path
    """To a colleague of the same organisation; the earlier advisor stays on record."""
    read = Reading(request.form)
    known = {str(colleague.id): colleague for colleague in _colleagues()}
    chosen = read.one_of("colleague", tuple(known), needed=_("Choose a colleague."))
    reason = reasons.read(read, reasons.HANDOVER)
    if not read.faults:
        try:
            advice.assign(g.session, g.participant, known[chosen].id, actor_id=staff.me().id, reason=reason, now=g.now)
            flash(_("%(name)s is now the advisor of this person.", name=known[chosen].name), "good")
            return redirect(url_for("advisor.caseload", slug=slug), code=303)
        except Refused as error:
            words.fault(read.faults, error, field="reason")
    return _handover(slug, read.faults), 422


@bp.get("/<slug>/participants/<study_id>/stop")
@rule.may("see_caseload")
def stop_page(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    return _stop(slug, Faults())


@bp.post("/<slug>/participants/<study_id>/stop")
@rule.may("see_caseload")
def stop(slug: str, study_id: str) -> Response | tuple[str, int]:
    """Stops what the person asks for, at once. Erasure also replaces the frozen data that held the answers."""
    asked = stopping.read(request.form)
    if asked.faults:
        return _stop(slug, asked.faults), 422
    stopping.carry_out(asked.degree, reason=asked.reason, actor_id=staff.me().id)
    flash(_("This was done at once: %(what)s.", what=words.DEGREES[asked.degree]), "good")
    return redirect(url_for("advisor.participant", slug=slug, study_id=study_id), code=303)


def _colleagues() -> list[reading.User]:
    guide = advice.advisor_of(g.session, g.participant)
    organisation = g.participant.organisation_id
    return list(reading.colleagues(g.session, g.pilot, organisation, but=guide.advisor_id if guide else None))


def _handover(slug: str, faults: Faults) -> str:
    return render_template(
        "advisor/handover.html",
        slug=slug,
        person=g.participant,
        name=person.known_as(),
        why=reasons.options(reasons.HANDOVER),
        colleagues=[(str(colleague.id), colleague.name or colleague.email) for colleague in _colleagues()],
        typed=request.form,
        faults=faults,
    )


def _stop(slug: str, faults: Faults) -> str:
    values = {"slug": slug, "person": g.participant, "name": person.known_as(), "typed": request.form}
    return render_template("advisor/stop.html", faults=faults, **values)
