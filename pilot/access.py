"""Who may do what, and which link opens whose page: one table, and no other place decides.

Nothing here knows the web. "Not there" and "not yours" raise the same `NotYours`, so that nobody learns by trying
which pilots and participants exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from pilot.errors import LinkExpired, NotYours
from pilot.models import ROLES, Membership, Participant, Pilot, User

RESEARCHER, STATISTICIAN, ADVISOR, INTERVIEWER, POLICYMAKER, STEWARD, ADMINISTRATOR = ROLES

# A capability is a deed in the words of the protocol. Outcomes by arm (`see_effects`) are open only after a look that
# the protocol permits: the page asks the record whether there was one. An interviewer has nothing that shows an arm;
# a policymaker sees published totals only.
CAPABILITIES: dict[str, frozenset[str]] = {
    "see_protocol": frozenset({RESEARCHER, STATISTICIAN, STEWARD, ADMINISTRATOR}),
    "propose_protocol": frozenset({RESEARCHER}),
    "lock_protocol": frozenset({RESEARCHER}),
    "approve_protocol": frozenset({RESEARCHER, STATISTICIAN, STEWARD}),
    "run_pilot": frozenset({RESEARCHER, ADMINISTRATOR}),
    "import_invitations": frozenset({RESEARCHER, STEWARD}),
    "import_participants": frozenset({RESEARCHER, STEWARD}),
    "enrol_participants": frozenset({ADVISOR, STEWARD}),
    "see_caseload": frozenset({ADVISOR}),
    "see_contact": frozenset({ADVISOR, INTERVIEWER, STEWARD}),
    "log_session": frozenset({ADVISOR}),
    "write_plan": frozenset({ADVISOR}),
    "refer": frozenset({ADVISOR}),
    "sign_statement": frozenset({ADVISOR}),
    "redeem_voucher": frozenset({ADVISOR, STEWARD}),
    "manage_incentives": frozenset({STEWARD}),
    "manage_catalogue": frozenset({STEWARD, ADMINISTRATOR}),
    "interview": frozenset({INTERVIEWER}),
    "type_paper": frozenset({INTERVIEWER, STEWARD}),
    "decide_paper": frozenset({STEWARD}),
    "see_messages": frozenset({STEWARD, ADMINISTRATOR}),
    "mark_bounced": frozenset({STEWARD, ADMINISTRATOR}),
    "send_letters": frozenset({STEWARD}),
    "see_flow": frozenset({RESEARCHER, STATISTICIAN, STEWARD}),
    "see_balance": frozenset({RESEARCHER, STATISTICIAN}),
    "see_quality": frozenset({RESEARCHER, STATISTICIAN}),
    "see_pooled_outcomes": frozenset({RESEARCHER, STATISTICIAN}),
    "open_look": frozenset({STATISTICIAN}),
    "see_effects": frozenset({RESEARCHER, STATISTICIAN}),
    "see_published": frozenset({RESEARCHER, STATISTICIAN, STEWARD, POLICYMAKER, ADMINISTRATOR}),
    "freeze_data": frozenset({RESEARCHER, STATISTICIAN, STEWARD}),
    "export_data": frozenset({RESEARCHER, STATISTICIAN}),
    "handle_privacy_requests": frozenset({STEWARD}),
    "unblind": frozenset({STEWARD}),
    "read_audit": frozenset({STATISTICIAN, STEWARD, ADMINISTRATOR}),
    "manage_users": frozenset({ADMINISTRATOR}),
    "move_clock": frozenset({RESEARCHER, STATISTICIAN, ADMINISTRATOR}),
}

# These roles see only the participants of their own organisation.
WITHIN_ORGANISATION = frozenset({ADVISOR})

# How many days a personal link opens its page, by purpose. The wave's own window can close it earlier.
LINK_DAYS: dict[str, int] = {
    "enrol": 30,
    "survey": 60,
    "portal": 400,
    "statement": 60,
    "gift": 120,
    "privacy": 400,
}


def may(user: User, capability: str, pilot: Pilot | None) -> bool:
    """Whether a role of this user in this pilot holds the capability. `None`: for the installation as a whole.

    Raises KeyError for a capability that is not in the table.
    """
    roles = CAPABILITIES[capability]
    return any(membership.role in roles for membership in _memberships(user, pilot))


def roles_in(user: User, pilot: Pilot | None) -> frozenset[str]:
    """The user's roles in this pilot; in the installation as a whole for `None`."""
    return frozenset(membership.role for membership in _memberships(user, pilot))


def organisations_in(user: User, pilot: Pilot, capability: str) -> frozenset[int]:
    """The organisations on whose behalf the user holds a capability in this pilot."""
    roles = CAPABILITIES[capability]
    held = (m for m in _memberships(user, pilot) if m.role in roles)
    return frozenset(m.organisation_id for m in held if m.organisation_id is not None)


def whole_pilot(user: User, pilot: Pilot, capability: str) -> bool:
    """Whether the user holds a capability for every participant, not only for those of one organisation."""
    roles = CAPABILITIES[capability] - WITHIN_ORGANISATION
    return any(membership.role in roles for membership in _memberships(user, pilot))


def _memberships(user: User, pilot: Pilot | None) -> list[Membership]:
    """Memberships that count here. Only an administrator can have one without a pilot: it counts everywhere."""
    if not user.active:
        return []
    everywhere = [m for m in user.memberships if m.pilot_id is None and m.role == ADMINISTRATOR]
    return everywhere + [m for m in user.memberships if pilot is not None and m.pilot_id == pilot.id]


def pilots_of(session: Session, user: User, capability: str | None = None) -> list[Pilot]:
    """The pilots in which the user has a role (or holds the capability), by slug."""
    wanted = frozenset(ROLES) if capability is None else CAPABILITIES[capability]
    own = {m.pilot_id for m in user.memberships if m.pilot_id is not None and m.role in wanted}
    query = select(Pilot).order_by(Pilot.slug)
    if not user.active:
        return []
    if not any(m.role in wanted for m in _memberships(user, None)):
        query = query.where(Pilot.id.in_(own))
    return list(session.scalars(query))


def pilot_for(session: Session, user: User, slug: str, capability: str) -> Pilot:
    """The pilot of this slug, if the user holds the capability in it. Raises NotYours."""
    pilot = session.scalar(select(Pilot).where(Pilot.slug == slug))
    if pilot is None or not may(user, capability, pilot):
        raise NotYours("there is no such page, or it is not for you")
    return pilot


def open_pilot(session: Session, slug: str) -> Pilot:
    """The pilot that anybody may read about and enrol in: it is running. Raises NotYours."""
    pilot = session.scalar(select(Pilot).where(Pilot.slug == slug, Pilot.status == "running"))
    if pilot is None:
        raise NotYours("there is no such page, or it is not open")
    return pilot


def participant_for(session: Session, user: User, study_id: str, capability: str) -> Participant:
    """The participant of this study id, if the user holds the capability in its pilot and, for an advisor, in its
    organisation. Raises NotYours.
    """
    found = session.execute(
        select(Participant, Pilot).join(Pilot, Pilot.id == Participant.pilot_id).where(Participant.study_id == study_id)
    ).first()
    if found is None:
        raise NotYours("there is no such page, or it is not for you")
    participant, pilot = found
    allowed = whole_pilot(user, pilot, capability) or (
        participant.organisation_id in organisations_in(user, pilot, capability)
    )
    if not allowed:
        raise NotYours("there is no such page, or it is not for you")
    return participant


@dataclass(frozen=True, slots=True)
class Link:
    """What a genuine personal link says. It can still be too old or replaced: `check` tells.

    The pilot is held here, so that whoever asks the session for it next need not read it again.
    """

    participant: Participant
    pilot: Pilot
    purpose: str
    wave: str | None
    generation: int
    issued: datetime

    def check(self, now: datetime) -> None:
        """Raises LinkExpired when the link is too old or a newer one replaced it."""
        if self.generation != self.participant.link_generation:
            raise LinkExpired("this link was replaced by a newer one", code="link_replaced", purpose=self.purpose)
        if now > self.issued + timedelta(days=LINK_DAYS[self.purpose]):
            raise LinkExpired("this link no longer works: it is too old", purpose=self.purpose)


def link_token(secret: str, participant: Participant, purpose: str, *, now: datetime, wave: str | None = None) -> str:
    """The signed part of a personal link. It holds the study id, never a name, and opens pages of one purpose only.

    `now` is the moment of the message that carries it: the days of `LINK_DAYS` count from there. Raising
    `participant.link_generation` closes every link made before.
    """
    LINK_DAYS[purpose]
    minute = int(now.timestamp() // 60)
    return _signer(secret, purpose).dumps([participant.study_id, participant.link_generation, minute, wave])


_WHOSE = (
    select(Participant, Pilot)
    .join(Pilot, Pilot.id == Participant.pilot_id)
    .where(Participant.study_id == bindparam("study_id"))
)


def find_link(session: Session, secret: str, token: str, purpose: str) -> Link:
    """What a token says, whatever its age. Raises NotYours when it was not made by us for this purpose."""
    try:
        study_id, generation, minute, wave = _signer(secret, purpose).loads(token)
    except BadData:
        raise NotYours("this link is not complete, or it was changed") from None
    found = session.execute(_WHOSE, {"study_id": study_id}).first()
    if found is None:
        raise NotYours("this link is not complete, or it was changed")
    return Link(found[0], found[1], purpose, wave, generation, datetime.fromtimestamp(minute * 60, UTC))


def by_token(session: Session, secret: str, token: str, purpose: str, *, now: datetime) -> Participant:
    """The participant whose link this is. Raises NotYours when forged, LinkExpired when too old or replaced."""
    link = find_link(session, secret, token, purpose)
    link.check(now)
    return link.participant


def _signer(secret: str, purpose: str) -> URLSafeSerializer:
    signing = {"digest_method": sha256, "key_derivation": "hmac"}
    return URLSafeSerializer(secret, salt=f"participant link:{purpose}", signer_kwargs=signing)
