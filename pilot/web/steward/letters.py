"""Letters that go to the printer: a file with one row a person, and those people count as invited from then on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from flask import g, make_response, render_template
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from pilot.journey import outreach
from pilot.models import Event, Invitee, Message
from pilot.web import staff
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp
from pilot.web.steward.overview import way_back

COLUMNS = ("reference", "name", "address", "language", "text", "code", "link")
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@bp.get("/<slug>/steward/letters")
@rule.may("import_invitations")
def letters(slug: str) -> str:
    return render_template(
        "steward/letters.html", slug=slug, back_url=way_back(), waiting=_waiting(), handed_over=_handed_over()
    )


@bp.post("/<slug>/steward/letters")
@rule.may("import_invitations")
def hand_over(slug: str) -> Response:
    """The file for the printer. Whoever is in it is marked as invited; a second click finds nobody left."""
    _version, protocol = staff.in_force()
    base, actor = state().settings.base_url, staff.me().id
    rows = outreach.hand_over(g.session, g.pilot, protocol, base_url=base, actor_id=actor, now=g.now)
    return as_csv(rows, COLUMNS, f"{slug}-letters-{g.now:%Y%m%d-%H%M}.csv")


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
    query = select(Event).where(Event.pilot_id == g.pilot.id, Event.kind == "letters_handed_over")
    return list(g.session.scalars(query.order_by(Event.id.desc()).limit(20)))
