"""Where a letter may go: asked only where the pilot sends letters, never needed, and changed when a person moves."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot.errors import NotYours
from pilot.journey import addresses, allocation
from pilot.models import Identity
from pilot.web.contacts import address_of, typed_address
from pilot.web.participant import bp, steps
from pilot.web.rules import rule
from pilot.web.state import state


@bp.get("/e/<token>/address")
@rule.token(steps.LINK)
def address_page(token: str) -> str | Response:
    known = _asked()
    if known is None:
        return steps.onward(g.participant, token)
    return _address(token, {name: getattr(known, name) or "" for name in addresses.FIELDS})


@bp.post("/e/<token>/address")
@rule.token(steps.LINK)
def give_address(token: str) -> str | Response | tuple[str, int]:
    """Keeps the address, or none: whoever leaves all fields empty goes on, and an address that was known goes."""
    if _asked() is None:
        return steps.onward(g.participant, token)
    typed, errors = typed_address(request.form)
    if errors:
        return _address(token, typed, errors=errors), 422
    address, keyring = address_of(typed), state().database.keyring
    changed = addresses.set_address(g.session, g.participant, address, keyring=keyring, now=g.now)
    if allocation.of(g.session, g.participant) is None:
        return steps.onward(g.participant, token)
    if changed:
        flash(_("We keep your new address.") if address else _("We removed your address."), "good")
    return redirect(url_for("participant.what_next", token=token), code=303)


def _asked() -> Identity | None:
    """The contact data beside which the address stands; None where it is not asked, or not yet."""
    if not steps.in_force()[1].asks_address:
        raise NotYours("this pilot sends no letters")
    identity = g.session.get(Identity, g.participant.id)
    return identity if identity is not None and identity.name else None


def _address(token: str, typed: dict[str, str], *, errors: list[tuple[str, str]] | None = None) -> str:
    return render_template("participant/address.html", token=token, typed=typed, errors=errors or [])
