"""A list of what came back, from a provider, a mail server or the post: what matches counts, the rest is named."""

from __future__ import annotations

from flask import g, render_template, request
from flask_babel import gettext as _

from pilot import imports
from pilot.journey import bounces
from pilot.problems import InvalidRows, Problem
from pilot.web import staff
from pilot.web.reading import Faults
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp, wrong
from pilot.web.steward.importing import SHOWN, Refusal


@bp.get("/<slug>/messages/returned")
@rule.may("mark_bounced")
def returned(slug: str) -> str:
    return _page(slug)


@bp.post("/<slug>/messages/returned")
@rule.may("mark_bounced")
def take_in_returned(slug: str) -> str | tuple[str, int]:
    """Marks what matches, and says of every other line why it does not; sent again it changes nothing more."""
    upload, faults = request.files.get("file"), Faults()
    if upload is None or not upload.filename:
        faults.add("file", _("Choose a file."))
        return _page(slug, faults=faults), 422
    keyring, actor = state().database.keyring, staff.me().id
    try:
        lines = imports.lines_in(upload.read())
        done = bounces.take_in(g.session, g.pilot, lines, keyring=keyring, actor_id=actor, now=g.now)
    except InvalidRows as error:
        faults.add("file", _("Nothing was imported. Mend the file and import it again."))
        return _page(slug, faults=faults, refusal=_told(error.problems)), 422
    return _page(slug, done=done, left=_told(done.problems) if done.problems else None)


def _told(problems: tuple[Problem, ...]) -> Refusal:
    said = [(line, wrong.said(reason)) for line, reason in problems]
    return Refusal(said[:SHOWN], max(len(said) - SHOWN, 0))


def _page(
    slug: str,
    *,
    faults: Faults | None = None,
    refusal: Refusal | None = None,
    done: bounces.Bounced | None = None,
    left: Refusal | None = None,
) -> str:
    values = {"faults": faults or Faults(), "refusal": refusal, "done": done, "left": left}
    return render_template("steward/returned.html", slug=slug, columns=bounces.COLUMNS, **values)
