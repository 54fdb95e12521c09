"""Letters to participants in a follow-up wave: made, printed and posted as the letters to invited people are."""

from __future__ import annotations

from flask import flash, g, make_response, redirect, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response

from pilot.errors import NotYours
from pilot.journey import letters
from pilot.models import Message
from pilot.post import paper, wording
from pilot.web import staff
from pilot.web.rules import rule
from pilot.web.state import state
from pilot.web.steward import bp
from pilot.web.steward.letters import MOST, batch_of


@bp.post("/<slug>/steward/letters/participants")
@rule.may("send_letters")
def print_to_participants(slug: str) -> Response:
    """Makes a batch of the letters that wait; who is in it was written to. A second click finds only who is left."""
    made = letters.hand_over(g.session, g.pilot, actor_id=staff.me().id, now=g.now, most=MOST)
    if made is not None:
        several = made.detail["rows"]
        flash(ngettext("%(num)s letter is ready to print.", "%(num)s letters are ready to print.", several), "good")
    return redirect(url_for("steward.letters", slug=slug), code=303)


@bp.get("/<slug>/steward/letters/participants/<int:number>.pdf")
@rule.may("send_letters")
def printed_to_participants(slug: str, number: int) -> Response:
    """The letters of a batch as one PDF, to who has not answered or stopped since; each has its link of that day."""
    found = letters.in_batch(g.session, batch_of(number, letters.KIND))
    written = [letter for letter in (_letter(message) for message in found) if letter is not None]
    if not written:
        raise NotYours("nobody of this batch still has to answer")
    answer = make_response(paper.batch(written))
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-letters-{number}.pdf"'
    return answer


def _letter(message: Message) -> wording.Letter | None:
    _version, protocol = staff.in_force()
    sent = message.sent_at or g.now
    return wording.compose(g.session, state().settings, g.pilot, protocol, message, now=sent)
