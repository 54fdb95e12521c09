"""The address of a participant, mended by a steward: for letters only, with a reason, and what stood there is kept."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import NotYours
from pilot.journey import addresses, enrolment
from pilot.models import Identity
from pilot.web import reasons, staff
from pilot.web.contacts import address_of, typed_address
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp


@bp.get("/<slug>/steward/people/<study_id>/address")
@rule.may("handle_privacy_requests")
def address(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    known = _asked()
    return _page(slug, {name: getattr(known, name) or "" for name in addresses.FIELDS}, [], Faults())


@bp.post("/<slug>/steward/people/<study_id>/address")
@rule.may("handle_privacy_requests")
def mend_address(slug: str, study_id: str) -> Response | tuple[str, int]:
    _asked()
    typed, errors = typed_address(request.form)
    read = Reading(request.form)
    reason = reasons.read(read, reasons.CORRECTION)
    if errors or read.faults:
        why = {name: request.form.get(name, "") for name in ("reason", "reason_namely")}
        return _page(slug, {**typed, **why}, errors, read.faults), 422
    addresses.set_address(
        g.session,
        g.participant,
        address_of(typed),
        keyring=state().database.keyring,
        correction=enrolment.Correction(actor_id=staff.me().id, reason=reason),
        now=g.now,
    )
    flash(_("The address was mended."), "good")
    return redirect(url_for("steward.person", slug=slug, study_id=study_id), code=303)


def _asked() -> Identity:
    _version, protocol = staff.in_force()
    known = g.session.get(Identity, g.participant.id)
    if known is None or not protocol.asks_address:
        raise NotYours("this pilot keeps no addresses, or none of this person")
    return known


def _page(slug: str, typed: dict[str, str], errors: list[tuple[str, str]], faults: Faults) -> str:
    why, wrong = reasons.options(reasons.CORRECTION), [*errors, *faults.summary]
    values = {"slug": slug, "person": g.participant, "typed": typed, "faults": faults, "said": errors, "errors": wrong}
    return render_template("steward/address.html", why=why, **values)
