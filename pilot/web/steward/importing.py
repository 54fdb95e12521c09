"""Files that come in: an invitation list, people from a researcher's own file, a catalogue. All rows, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import imports
from pilot.catalogue import offers
from pilot.journey import incentives, outreach
from pilot.problems import InvalidRows
from pilot.web import forms, staff
from pilot.web.reading import Faults
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp, wrong
from pilot.web.steward.overview import way_back

SHOWN = 200
Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was imported: (line, reason) of each bad row; `more` were left off the page."""

    problems: Sequence[tuple[int, str]]
    more: int = 0


@bp.get("/<slug>/steward/imports/invitations")
@rule.may("import_invitations")
def invitations(slug: str) -> str:
    return _page(slug, "invitations")


@bp.post("/<slug>/steward/imports/invitations")
@rule.may("import_invitations")
def import_invitations(slug: str) -> Response | tuple[str, int]:
    """A list of people to invite; the outreach arm of each is drawn here, before anybody is known."""

    def take(rows: Rows) -> str:
        _version, protocol = staff.in_force()
        done = outreach.import_list(
            g.session,
            g.pilot,
            protocol,
            rows,
            batch=forms.text(request.form, "batch", longest=400)[:80] or g.now.date().isoformat(),
            keyring=state().database.keyring,
            actor_id=staff.me().id,
            now=g.now,
        )
        several = sum(done.counts.values())
        return ngettext("%(num)s person is on the list now.", "%(num)s people are on the list now.", several)

    return _take_in(slug, "invitations", take)


@bp.get("/<slug>/steward/imports/participants")
@rule.may("import_participants")
def participants(slug: str) -> str:
    return _page(slug, "participants")


@bp.post("/<slug>/steward/imports/participants")
@rule.may("import_participants")
def import_participants(slug: str) -> Response | tuple[str, int]:
    """People from a researcher's own file, through the same steps as everybody else."""

    def take(rows: Rows) -> str:
        version, protocol = staff.in_force()
        desk = imports.Desk(
            pilot=g.pilot,
            version=version,
            protocol=protocol,
            keyring=state().database.keyring,
            secret=state().settings.secret_key.encode(),
            folder=state().settings.keys,
            actor_id=staff.me().id,
            reader=str(get_locale()),
        )
        draw = request.form.get("draw") == "yes"
        done = imports.import_participants(g.session, desk, rows, allocate=draw, now=g.now)
        return _(
            "Taken in: %(enrolled)s people, %(no)s of them cannot take part, %(drawn)s drawn.",
            enrolled=done.enrolled,
            no=done.not_eligible,
            drawn=done.allocated,
        )

    return _take_in(slug, "participants", take)


@bp.get("/<slug>/steward/imports/catalogue")
@rule.may("manage_catalogue")
def catalogue(slug: str) -> str:
    return _page(slug, "catalogue")


@bp.post("/<slug>/steward/imports/catalogue")
@rule.may("manage_catalogue")
def import_catalogue(slug: str) -> Response | tuple[str, int]:
    """Training, funding and help; a reference that exists already is updated."""

    def take(rows: Rows) -> str:
        done = offers.import_rows(g.session, rows, actor_id=staff.me().id, pilot=g.pilot, now=g.now)
        return ngettext("%(num)s line of the catalogue was kept.", "%(num)s lines of the catalogue were kept.", done)

    return _take_in(slug, "catalogue", take)


@bp.get("/<slug>/steward/imports/cards")
@rule.may("manage_incentives")
def cards(slug: str) -> str:
    return _page(slug, "cards", drawer=incentives.drawer(g.session, g.pilot, staff.in_force()[1], now=g.now))


@bp.post("/<slug>/steward/imports/cards")
@rule.may("manage_incentives")
def import_cards(slug: str) -> Response | tuple[str, int]:
    """Gift cards; the worker gives one to everybody who finishes a list, in every arm alike."""

    def take(rows: Rows) -> str:
        keyring, actor, (_version, protocol) = state().database.keyring, staff.me().id, staff.in_force()
        done = incentives.import_cards(g.session, g.pilot, protocol, rows, keyring=keyring, actor_id=actor, now=g.now)
        return ngettext("%(num)s gift card was taken in.", "%(num)s gift cards were taken in.", done)

    return _take_in(slug, "cards", take)


def _take_in(slug: str, kind: str, take: Callable[[Rows], str]) -> Response | tuple[str, int]:
    """Reads the uploaded file and hands its rows over. An error page undoes everything that was begun."""
    upload = request.files.get("file")
    faults = Faults()
    if upload is None or not upload.filename:
        faults.add("file", _("Choose a file."))
        return _page(slug, kind, faults=faults), 422
    try:
        said = take(imports.rows_in(upload.read()))
    except InvalidRows as error:
        faults.add("file", _("Nothing was imported. Mend the file and import it again."))
        found = [(line, wrong.said(reason)) for line, reason in error.problems]
        return _page(slug, kind, faults=faults, refusal=Refusal(found[:SHOWN], max(len(found) - SHOWN, 0))), 422
    flash(said, "good")
    return redirect(url_for(f"steward.{kind}", slug=slug), code=303)


def _page(slug: str, kind: str, *, faults: Faults | None = None, refusal: Refusal | None = None, **more: object) -> str:
    _version, protocol = staff.in_force()
    return render_template(
        f"steward/import_{kind}.html",
        slug=slug,
        back_url=way_back(),
        faults=faults or Faults(),
        refusal=refusal,
        protocol=protocol,
        typed=request.form,
        columns=_columns(kind),
        **more,
    )


def _columns(kind: str) -> Sequence[str]:
    """The columns that a file of this kind may have."""
    if kind == "invitations":
        return outreach.COLUMNS
    if kind == "cards":
        return incentives.COLUMNS
    if kind == "catalogue":
        return offers.COLUMNS
    _version, protocol = staff.in_force()
    return imports.columns(protocol)
