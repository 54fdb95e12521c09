"""Letters on paper: printed here, one a sheet with a square code, or handed to a printer as a file, a row a person.

Whoever is in a batch counts as invited from then on. A batch can be printed again until it is posted, and after that
for what got lost; who has come in the meantime is not in it any more.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime

from flask import flash, g, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from pilot import access
from pilot.errors import NotYours
from pilot.events import record
from pilot.journey import letters as post
from pilot.journey import outreach
from pilot.models import Event, Invitee, Message
from pilot.post import paper, wording
from pilot.web import staff
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp
from pilot.web.steward.overview import way_back

COLUMNS = ("reference", "name", "address", "language", "text", "code", "link")
BATCHES = ("letters_handed_over", post.KIND)
"""Events that are a batch: to invited people, and to participants."""
MOST = 100
"""Letters in one PDF: so many are made in a few seconds."""
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@bp.get("/<slug>/steward/letters")
@rule.may("import_invitations")
def letters(slug: str) -> str:
    to_participants = access.may(staff.me(), "send_letters", g.pilot)
    return render_template(
        "steward/letters.html",
        slug=slug,
        back_url=way_back(),
        waiting=_waiting(),
        to_participants=to_participants,
        waiting_participants=post.waiting(g.session, g.pilot, now=g.now) if to_participants else 0,
        most=MOST,
        handed_over=_handed_over(),
        posted=_posted(),
    )


@bp.post("/<slug>/steward/letters")
@rule.may("import_invitations")
def hand_over(slug: str) -> Response:
    """The file for the printer. Whoever is in it is marked as invited; a second click finds nobody left."""
    _version, protocol = staff.in_force()
    base, actor = state().settings.base_url, staff.me().id
    rows = outreach.hand_over(g.session, g.pilot, protocol, base_url=base, actor_id=actor, now=g.now)
    return as_csv(rows, COLUMNS, f"{slug}-letters-{g.now:%Y%m%d-%H%M}.csv")


@bp.post("/<slug>/steward/letters/print")
@rule.may("import_invitations")
def print_letters(slug: str) -> Response:
    """Makes a batch of letters; its PDF is made when it is asked for, so that nothing waits for a printer."""
    _version, protocol = staff.in_force()
    base, actor = state().settings.base_url, staff.me().id
    made = outreach.hand_over(g.session, g.pilot, protocol, base_url=base, actor_id=actor, now=g.now, most=MOST)
    if made:
        flash(ngettext("%(num)s letter is ready to print.", "%(num)s letters are ready to print.", len(made)), "good")
    return redirect(url_for("steward.letters", slug=slug), code=303)


@bp.get("/<slug>/steward/letters/<int:number>.pdf")
@rule.may("import_invitations")
def printed(slug: str, number: int) -> Response:
    """The letters of a batch as one PDF, each on its own sheet; the same letters each time."""
    _version, protocol = staff.in_force()
    people = outreach.in_batch(g.session, batch_of(number, "letters_handed_over"))
    written = (wording.on_paper(state().settings, g.pilot, protocol, who) for who in people)
    letters = [letter for letter in written if letter is not None]
    if not letters:
        raise NotYours("nobody of this batch still waits")
    answer = make_response(paper.batch(letters))
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-letters-{number}.pdf"'
    return answer


@bp.post("/<slug>/steward/letters/<int:number>/posted")
@rule.may("import_invitations")
def posted(slug: str, number: int) -> Response:
    """The batch went to the post; the day is kept, once."""
    batch = batch_of(number, *BATCHES)
    if batch.id not in _posted():
        record(g.session, "letters_posted", g.pilot, now=g.now, actor_id=staff.me().id, batch=batch.id)
        flash(_("Kept that these letters were posted."), "good")
    return redirect(url_for("steward.letters", slug=slug), code=303)


def batch_of(number: int, *kinds: str) -> Event:
    """The batch of letters with this number; raises NotYours when it is none of these kinds."""
    batch = g.session.get(Event, number)
    if batch is None or batch.pilot_id != g.pilot.id or batch.kind not in kinds:
        raise NotYours("there is no such batch of letters")
    return batch


def _posted() -> dict[int, datetime]:
    """When each batch was posted, by the number of the batch."""
    query = select(Event).where(Event.pilot_id == g.pilot.id, Event.kind == "letters_posted")
    return {event.detail["batch"]: event.at for event in g.session.scalars(query)}


def as_csv(rows: Iterable[Mapping[str, str]], columns: tuple[str, ...], name: str) -> Response:
    """A CSV file that spreadsheets open well: UTF-8 with a mark, semicolons, and no cell that acts as a formula."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_harmless(row[column]) for column in columns] for row in rows)
    answer = make_response(written.getvalue().encode("utf-8-sig"))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _waiting() -> int:
    queued = select(Message.id).where(Message.invitee_id == Invitee.id)
    where = (Invitee.pilot_id == g.pilot.id, Invitee.sent_at.is_(None), ~queued.exists())
    return g.session.scalar(select(func.count()).select_from(Invitee).where(*where)) or 0


def _handed_over() -> list[Event]:
    query = select(Event).where(Event.pilot_id == g.pilot.id, Event.kind.in_(BATCHES))
    return list(g.session.scalars(query.order_by(Event.id.desc()).limit(20)))
