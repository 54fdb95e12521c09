"""The researcher's rooms: how the trial goes, the protocol and its life, looks, and data freezes to take away."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from flask import Blueprint, flash, g, redirect, render_template, request, send_file, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from pilot import access, dataset, exports, locking
from pilot import results as looks_of
from pilot.errors import NotYours, Refused
from pilot.models import Freeze, ProtocolVersion, User
from pilot.protocol import InvalidProtocol, read
from pilot.web.dashboards import dashboard, show
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.waves import titles

bp = Blueprint("researcher", __name__)


@bp.get("/<slug>/flow")
@rule.may("see_flow")
def overview(slug: str) -> str:  # noqa: ARG001  # the rule has read it
    may_look = access.may(g.user, "see_pooled_outcomes", g.pilot)
    return show("researcher/overview.html", dashboard().researcher(), may_look=may_look)


@bp.get("/<slug>/protocol")
@rule.may("see_protocol")
def protocol(slug: str) -> str:  # noqa: ARG001
    """What is in force, what waits for a second person, and what was published about the keys."""
    versions = g.session.scalars(
        select(ProtocolVersion).where(ProtocolVersion.pilot_id == g.pilot.id).order_by(ProtocolVersion.number.desc())
    ).all()
    locked = next((version for version in versions if version.locked_at), None)
    value = locking.protocol_of(locked) if locked else None
    return render_template(
        "researcher/protocol.html",
        versions=versions,
        value=value,
        waves=titles(value) if value else {},
        size=value.sample_size.n() if value else None,
        people={user.id: user.name or user.email for user in g.session.scalars(select(User))},
        commitments=locking.commitments(g.session, g.pilot),
        may_propose=access.may(g.user, "propose_protocol", g.pilot),
        may_approve=access.may(g.user, "approve_protocol", g.pilot),
        allocated=locking.allocated(g.session, g.pilot),
    )


@bp.post("/<slug>/protocol/propose")
@rule.may("propose_protocol")
def propose(slug: str) -> Response:
    """Reads the protocol in the pilot's folder again; what is wrong with it is said line by line."""
    folder = state().settings.protocols / g.pilot.slug
    try:
        value = read(folder)
        locking.propose(
            g.session, g.pilot, value, author_id=g.user.id, reason=request.form.get("reason", ""), now=g.now
        )
        flash(_("The proposal waits for a second person."), "good")
    except InvalidProtocol as error:
        for problem in error.problems:
            flash(str(problem), "wrong")
    except (Refused, OSError) as error:
        flash(str(error), "wrong")
    return redirect(url_for("researcher.protocol", slug=slug), code=303)


@bp.post("/<slug>/protocol/<int:number>/approve")
@rule.may("approve_protocol")
def approve(slug: str, number: int) -> Response:
    version = g.session.scalar(
        select(ProtocolVersion).where(ProtocolVersion.pilot_id == g.pilot.id, ProtocolVersion.number == number)
    )
    if version is None:
        raise NotYours("there is no such version")
    try:
        locking.approve(g.session, g.pilot, version, approver_id=g.user.id, folder=state().settings.keys, now=g.now)
        flash(_("The protocol is locked."), "good")
    except Refused as error:
        flash(str(error), "wrong")
    return redirect(url_for("researcher.protocol", slug=slug), code=303)


@bp.get("/<slug>/looks")
@rule.may("see_pooled_outcomes")
def looks(slug: str) -> str:  # noqa: ARG001
    """Which looks the protocol permits, which are open, and the freezes."""
    _version, value = locking.in_force(g.session, g.pilot.id)
    permissions = [looks_of.permission(g.session, g.pilot, value, look.name, now=g.now) for look in value.looks]
    opened = {look.name: looks_of.opened(g.session, g.pilot, look.name) for look in value.looks}
    levels = {name: looks_of.level_of(look) for name, look in opened.items() if look is not None}
    freezes = g.session.scalars(select(Freeze).where(Freeze.pilot_id == g.pilot.id).order_by(Freeze.number.desc()))
    return render_template(
        "researcher/looks.html",
        permissions=permissions,
        opened=opened,
        levels=levels,
        alpha=value.plan.analysis.alpha,
        freezes=list(freezes),
        may_open=access.may(g.user, "open_look", g.pilot),
        may_freeze=access.may(g.user, "freeze_data", g.pilot),
        may_export=access.may(g.user, "export_data", g.pilot),
    )


@bp.post("/<slug>/looks/<name>/open")
@rule.may("open_look")
def open_look(slug: str, name: str) -> Response:
    """Opens a look that the protocol permits: from now on outcomes by arm are shown."""
    _version, value = locking.in_force(g.session, g.pilot.id)
    try:
        folder = state().settings.freezes
        looks_of.open_look(g.session, g.pilot, value, name, folder=folder, statistician_id=g.user.id, now=g.now)
        flash(_("The look is open."), "good")
    except Refused as error:
        flash(str(error), "wrong")
    return redirect(url_for("researcher.looks", slug=slug), code=303)


@bp.post("/<slug>/freezes")
@rule.may("freeze_data")
def freeze(slug: str) -> Response:
    """A freeze without arms: before a look that is all there is."""
    _version, value = locking.in_force(g.session, g.pilot.id)
    try:
        row = dataset.freeze(
            g.session, g.pilot, value, folder=state().settings.freezes, with_arms=False, actor_id=g.user.id, now=g.now
        )
        flash(_("Freeze %(number)s holds %(rows)s people.", number=row.number, rows=row.rows), "good")
    except Refused as error:
        flash(str(error), "wrong")
    return redirect(url_for("researcher.looks", slug=slug), code=303)


@bp.get("/<slug>/freezes/<int:number>.zip")
@rule.may("export_data")
def download(slug: str, number: int) -> Response:
    """The files of a freeze: CSV, Stata, SPSS, codebook, and, after a look, the R script."""
    row = g.session.scalar(select(Freeze).where(Freeze.pilot_id == g.pilot.id, Freeze.number == number))
    if row is None:
        raise NotYours("there is no such freeze")
    _version, value = locking.in_force(g.session, g.pilot.id)
    data = dataset.read_freeze(state().settings.freezes, row)
    alpha = looks_of.level_of_freeze(g.session, row)
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in exports.write(data, row, value, Path(folder), language=str(get_locale()), alpha=alpha):
            archive.write(path, path.name)
    packed.seek(0)
    name = f"{slug}-freeze-{number:04d}.zip"
    return send_file(packed, mimetype="application/zip", as_attachment=True, download_name=name)
