"""One participant: who it is, what the arm holds, and everything that was done so far."""

from __future__ import annotations

from flask import g, render_template, url_for

from pilot import access
from pilot.catalogue import offers
from pilot.errors import Refused
from pilot.journey import advice, allocation, vouchers
from pilot.models import Identity, PerformanceStatement, User
from pilot.web import staff
from pilot.web.advisor import bp, reading, words
from pilot.web.rules import rule
from pilot.web.state import state


@bp.get("/<slug>/participants/<study_id>")
@rule.may("see_caseload")
def participant(slug: str, study_id: str) -> str:  # noqa: ARG001  # the rule has read the path
    return show()


def show(**more: object) -> str:
    """The page of g.participant; `more` is what a form on it has to say."""
    _version, protocol = staff.in_force()
    allocated = allocation.of(g.session, g.participant)
    talks = advice.sessions_of(g.session, g.participant)
    voucher = vouchers.of(g.session, g.participant)
    statement = g.session.get(PerformanceStatement, g.participant.id)
    guide = advice.advisor_of(g.session, g.participant)
    values: dict[str, object] = {
        "person": g.participant,
        "identity": g.session.get(Identity, g.participant.id),
        "arm": protocol.arm(allocated.arm) if allocated else None,
        "allocated": allocated,
        "talks": talks,
        "minutes": sum(talk.minutes for talk in talks),
        "needed": advice.STATEMENT_MINUTES,
        "upcoming": reading.upcoming(talks, g.now),
        "plan": advice.plan_of(g.session, g.participant),
        "referred": offers.referrals_of(g.session, g.participant),
        "voucher": voucher,
        "redemptions": vouchers.redemptions_of(g.session, voucher) if voucher else (),
        "statement": statement,
        "statement_link": statement_link() if statement and not statement.participant_signed_at else None,
        "guide": g.session.get(User, guide.advisor_id) if guide else None,
        "collecting": collecting(),
        "words": words,
    }
    return render_template("advisor/participant.html", slug=g.pilot.slug, **(values | more))


def statement_link() -> str:
    """The address at which the participant confirms the statement."""
    token = access.link_token(state().settings.secret_key, g.participant, "statement", now=g.now)
    return url_for("participant.statement_page", token=token, _external=True)


def collecting() -> bool:
    """Whether something new may be kept about this person: not after 'collect nothing more', nor after erasure."""
    return g.participant.withdrawn not in ("no_data", "erase")


def must_collect() -> None:
    """Raises Refused for a person about whom nothing more is kept."""
    if not collecting():
        raise Refused("this person asked that nothing more is kept", code="withdrawn")


def known_as() -> str:
    """The name of this person for headings; the study id when the name is gone."""
    identity = g.session.get(Identity, g.participant.id)
    return (identity.name if identity else None) or g.participant.study_id
