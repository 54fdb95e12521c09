"""Forms as PDF: one for a person, or all that are out about one list, each with its number and a square code."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from typing import Any

import segno
from flask import g, make_response, render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from pilot import access
from pilot.errors import NotYours
from pilot.events import record
from pilot.journey import paper
from pilot.models import Participant
from pilot.web import staff
from pilot.web.language import LANGUAGES
from pilot.web.paper import bp, reading
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.waves import titles

MOST_AT_ONCE = 50


@bp.post("/<slug>/paper/print/<wave>")
@rule.may("type_paper")
def print_all(slug: str, wave: str) -> Response:
    """Every form of this list that nobody typed yet, at most 50 in one file."""
    _version, protocol = staff.in_force()
    rows = reading.rows(g.session, g.pilot, protocol, today=staff.today())
    out = [row for row in rows if row.wave == wave and row.state == "out"][:MOST_AT_ONCE]
    if not out:
        raise NotYours("no form of this list is out")
    return _pdf(out, f"{slug}-{wave}-{g.now:%Y%m%d}.pdf")


@bp.post("/<slug>/paper/<study_id>/<wave>/print")
@rule.may("type_paper")
def print_one(slug: str, study_id: str, wave: str) -> Response:  # noqa: ARG001  # the rule has read the path
    _version, protocol = staff.in_force()
    row = reading.row(g.session, g.pilot, protocol, g.participant, wave, staff.today())
    return _pdf([row], f"{study_id}-{wave}.pdf")


def _pdf(rows: Iterable[reading.Row], name: str) -> Response:
    from weasyprint import HTML

    rows = list(rows)
    # A dialect of PDF that can be read aloud; each form begins on a new sheet.
    documents = [HTML(string=_html(row)).render(pdf_variant="pdf/ua-1") for row in rows]
    pages: Any = [page for document in documents for page in document.pages]
    written = documents[0].copy(pages).write_pdf(pdf_variant="pdf/ua-1")
    for row in rows:
        record(g.session, "paper_printed", row.participant, now=g.now, actor_id=staff.me().id, wave=row.wave)
    answer = make_response(written)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _html(row: reading.Row) -> str:
    """The form in the person's own language, where the questions are in it."""
    _version, protocol = staff.in_force()
    sheet = paper.printed(protocol, row.wave, row.participant.language)
    spoken = sheet.language if sheet.language in LANGUAGES else "en"
    with force_locale(spoken):
        link = _link(row.participant, row.wave)
        return render_template(
            "paper/form.html",
            sheet=sheet,
            row=row,
            title=_("Questions after %(when)s", when=titles(protocol)[row.wave]),
            organisation=protocol.pilot.organisation,
            phone=protocol.pilot.phone,
            link=link,
            square=_square(link),
            fallback=sheet.instrument.default_language,
        )


def _link(participant: Participant, wave: str) -> str:
    """The person's own page of the same questions: whoever would rather use a telephone can."""
    settings = state().settings
    token = access.link_token(settings.secret_key, participant, "survey", now=g.now, wave=wave)
    return f"{settings.base_url}/s/{token}"


def _square(text: str) -> str:
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="svg", scale=4, border=2)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()
