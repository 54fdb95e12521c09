"""Looking for training together, referring to it, and paying for it with the voucher."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import access
from pilot.catalogue import offers
from pilot.errors import NotYours, Refused
from pilot.journey import vouchers
from pilot.models import Voucher
from pilot.web import forms, staff
from pilot.web.advisor import bp, person, words
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule


@bp.get("/<slug>/participants/<study_id>/offers")
@rule.may("refer")
def search(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    person.must_collect()
    try:
        wanted = forms.text(request.args, "words", longest=200)
    except forms.TooLong:
        wanted = ""
    kind = request.args.get("kind", "")
    looked_for = offers.Search(
        words=wanted, kind=kind if kind in offers.KINDS else "", free_only=request.args.get("free") == "yes"
    )
    return render_template(
        "advisor/offers.html",
        slug=slug,
        person=g.participant,
        name=person.known_as(),
        wanted=looked_for,
        found=offers.search(g.session, looked_for, today=staff.today()),
        referred={offer.id for offer in offers.referrals_of(g.session, g.participant)},
    )


@bp.post("/<slug>/participants/<study_id>/offers/<int:offer_id>")
@rule.may("refer")
def refer(slug: str, study_id: str, offer_id: int) -> Response:
    """The referral stands in the participant's portal from now on."""
    person.must_collect()
    offers.refer(g.session, g.participant, offer_id, advisor_id=staff.me().id, now=g.now)
    flash(_("The referral is kept. The participant sees it in the portal."), "good")
    return redirect(url_for("advisor.participant", slug=slug, study_id=study_id, _anchor="referrals"), code=303)


@bp.get("/<slug>/participants/<study_id>/voucher")
@rule.may("redeem_voucher")
def voucher(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    return _form(slug, {"nonce": forms.new_nonce()}, Faults())


@bp.post("/<slug>/participants/<study_id>/voucher")
@rule.may("redeem_voucher")
def redeem(slug: str, study_id: str) -> Response | tuple[str, int]:
    """Takes the amount off the voucher; two clicks take it once, and it is never overspent."""
    held = _held()
    read = Reading(request.form)
    amount = read.cents("amount")
    provider = read.text("provider", longest=200, needed=_("Write who gives the training."))
    nonce = forms.nonce(request.form)
    if not read.faults:
        try:
            vouchers.redeem(
                g.session, held.code, amount, provider=provider, nonce=nonce, actor_id=staff.me().id, now=g.now
            )
            flash(_("The amount was taken off the voucher."), "good")
            return redirect(url_for("advisor.voucher", slug=slug, study_id=study_id), code=303)
        except Refused as error:
            words.fault(read.faults, error, field="amount")
    typed = {"amount": request.form.get("amount", ""), "provider": request.form.get("provider", ""), "nonce": nonce}
    return _form(slug, typed, read.faults), 422


def _held() -> Voucher:
    found = vouchers.of(g.session, g.participant)
    if found is None:
        raise NotYours("this person has no voucher")
    return found


def _form(slug: str, typed: dict[str, str], faults: Faults) -> str:
    held = _held()
    advises = access.may(staff.me(), "see_caseload", g.pilot)
    values = {"slug": slug, "person": g.participant, "name": person.known_as(), "typed": typed, "faults": faults}
    return render_template(
        "advisor/voucher.html",
        voucher=held,
        redemptions=vouchers.redemptions_of(g.session, held),
        expired=staff.today() > held.expires_on,
        advises=advises,
        **values,
    )
