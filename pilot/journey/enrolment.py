"""A person arrives, and tells how to be reached. Names and contact data go where research never looks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from pilot.crypto import Keyring
from pilot.db import insert_once
from pilot.errors import NotYours, Refused
from pilot.events import record
from pilot.models import Identity, Invitee, Participant, Pilot

LIMITS = {"name": 200, "email": 254, "phone": 30, "postcode": 10, "second_name": 200, "second_phone": 30}
SECOND = ("second_name", "second_phone")
FIELDS = ("name", "phone", "email", "postcode", "birth_date", *SECOND)
WHO = ("same", "other")
OPEN_LINK = "open_link"

# Made once: making a statement costs more than the database takes to carry it out.
_BY_FORM = select(Participant).where(Participant.pilot_id == bindparam("pilot"), Participant.nonce == bindparam("mine"))
_BY_INVITATION = select(Participant).where(
    Participant.pilot_id == bindparam("pilot"), Participant.invitee_id == bindparam("mine")
)
_ALIKE = (
    select(Participant.id)
    .join(Identity)
    .where(
        or_(
            Identity.phone_hash == bindparam("phone"),
            Identity.email_hash == bindparam("email"),
            Identity.device_hash == bindparam("device"),
        ),
        Participant.pilot_id == bindparam("pilot"),
        Participant.id < bindparam("person"),
    )
    .order_by(
        case((Identity.phone_hash == bindparam("phone"), 0), (Identity.email_hash == bindparam("email"), 1), else_=2),
        Participant.id,
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a person, already in one notation: phone in E.164, postcode '1234 AB', birth date ISO."""

    name: str
    phone: str | None = None
    email: str | None = None
    postcode: str | None = None
    birth_date: str | None = None
    second_name: str | None = None
    second_phone: str | None = None
    """Somebody who knows where the person is: both or neither."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise Refused("the name is empty", code="name_missing")
        if not (self.phone or self.email):
            raise Refused("give a phone number or an e-mail address", code="contact_missing")
        if bool(self.second_name) != bool(self.second_phone):
            raise Refused("give both a name and a number of the other person, or neither", code="second_half")
        for field, limit in LIMITS.items():
            if len(getattr(self, field) or "") > limit:
                raise Refused(f"the {field} is longer than {limit} characters", code="too_long", field=field)


def enrol(
    session: Session,
    pilot: Pilot,
    *,
    nonce: str,
    language: str,
    secret: bytes,
    now: datetime,
    invitee: Invitee | None = None,
) -> Participant:
    """The participant of this form (`nonce`), made at the first call and found at every other one.

    A second visit with the same invitation gives the same participant. Raises Refused when the pilot does not recruit.
    """
    found = _existing(session, pilot, nonce, invitee)
    if found is not None:
        return found
    if pilot.status != "running":
        raise Refused("people cannot enrol now: recruitment is not open", code="recruitment_closed")
    created = insert_once(
        session,
        Participant,
        pilot_id=pilot.id,
        mode=pilot.mode,
        study_id=study_id(secret, pilot.slug, nonce),
        nonce=nonce,
        invitee_id=invitee.id if invitee else None,
        outreach_arm=invitee.outreach_arm if invitee else OPEN_LINK,
        language=language,
        link_generation=1,
        covariates={},
        created_at=now,
    )
    participant = _existing(session, pilot, nonce, invitee)
    if participant is None:
        raise NotYours("this form belongs to nobody")
    if created:
        record(session, "enrolled", participant, now=now, outreach_arm=participant.outreach_arm, language=language)
    return participant


def study_id(secret: bytes, slug: str, nonce: str) -> str:
    """Ten letters and digits that say nothing about the person, the order or the moment."""
    digest = hmac.new(secret, f"study:{slug}:{nonce}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:10].decode()


def resume_code(secret: bytes, participant: Participant) -> str:
    """The short code with which, and with the birth date, a person goes on on another device."""
    digest = hmac.new(secret, f"resume:{participant.study_id}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:6].decode()


@dataclass(frozen=True, slots=True)
class Correction:
    """Who mends what somebody else gave, and why."""

    actor_id: int
    reason: str
    second: str = ""
    """Of another name or number for the second person: `same` mends it, `other` is somebody else whom the participant
    named; without either nothing is written over the person who stands there."""


def set_contact(
    session: Session,
    participant: Participant,
    contact: Contact,
    *,
    keyring: Keyring,
    secret: bytes,
    correction: Correction | None = None,
    device: str | None = None,
    now: datetime,
) -> Identity:
    """Keeps the contact data apart; equal ones elsewhere flag a possible duplicate for a person to judge.

    `device` is the mark of the telephone or computer on which the person signs up (`device_key` makes it a hash); the
    first one stays, and nothing is known about a device of which staff type.

    A correction keeps what stood there before, encrypted, in the row itself, and names its actor and reason. It can
    mend or take away the second person, not add one: that takes a yes of the participant (`consent.second_contact`).
    """
    identity = session.get(Identity, participant.id) or Identity(participant_id=participant.id)
    changed = _mend(identity, contact, correction, now) if correction is not None else []
    rewritten = _set_second(identity, contact, correction)
    identity.name, identity.phone, identity.email = contact.name.strip(), contact.phone, contact.email
    identity.postcode, identity.birth_date = contact.postcode, contact.birth_date
    identity.address_hash = address_key(keyring, identity)
    identity.phone_hash = keyring.lookup(contact.phone, "phone") if contact.phone else None
    identity.email_hash = keyring.lookup(contact.email.lower(), "email") if contact.email else None
    code = resume_code(secret, participant)
    identity.device_hash = identity.device_hash or (device_key(keyring, participant, device) if device else None)
    identity.resume_code = code
    identity.resume_hash = resume_key(keyring, code, contact.birth_date or "")
    session.add(identity)
    participant.possible_duplicate_of = _duplicate(session, participant, identity)
    flagged = participant.possible_duplicate_of is not None
    if correction is None:
        record(session, "contact_given", participant, now=now, possible_duplicate=flagged)
    elif changed:
        detail = {"fields": changed, "reason": correction.reason, "possible_duplicate": flagged}
        record(session, "contact_corrected", participant, now=now, actor_id=correction.actor_id, **detail)
    if rewritten:
        actor, why = (correction.actor_id, correction.reason) if correction else (None, "")
        record(session, "second_contact_changed", participant, now=now, actor_id=actor, who=rewritten, reason=why)
    session.flush()
    return identity


def device_key(keyring: Keyring, participant: Participant, mark: str) -> str:
    """The keyed hash of a device's mark. It holds for one pilot: nobody is followed from one to the next."""
    return keyring.lookup(f"{participant.pilot_id}|{mark}", "device")


def address_key(keyring: Keyring, identity: Identity) -> str | None:
    """The keyed hash of the whole address, by which a letter that came back is known again; None without one."""
    return keyring.lookup(identity.letter_address.lower(), "address") if identity.letter_address else None


def _mend(identity: Identity, contact: Contact, correction: Correction, now: datetime) -> list[str]:
    """Keeps the values that a correction replaces; gives the names of their fields."""
    if not correction.reason.strip():
        raise Refused("a correction needs a reason", code="reason_missing")
    if contact.second_name and not identity.second_name:
        raise Refused("only the participant can name somebody else to call", code="second_not_given")
    if differs(identity, contact) and correction.second not in WHO:
        raise Refused("say whether the second person is the same one or somebody else", code="second_unclear")
    new = {"name": contact.name.strip(), **{name: getattr(contact, name) for name in FIELDS[1:]}}
    before = {name: getattr(identity, name) for name in FIELDS}
    changed = [name for name in FIELDS if before[name] != new[name]]
    if changed:
        was = {"until": now.isoformat(), "by": correction.actor_id, "why": correction.reason}
        earlier = [*json.loads(identity.earlier or "[]"), {**was, **{name: before[name] for name in changed}}]
        identity.earlier = json.dumps(earlier, ensure_ascii=False)
    return changed


def differs(identity: Identity, contact: Contact) -> bool:
    """Whether another name or number would be written over the second person who stands there."""
    before, after = ((one.second_name, one.second_phone) for one in (identity, contact))
    return before[0] is not None and after[0] is not None and before != after


def _set_second(identity: Identity, contact: Contact, correction: Correction | None) -> str:
    """Keeps the second person; says who is meant when one is written over: `same`, `other`, or `own` for what the
    participant wrote. Whoever is taken away here is a third person, who may have asked for it: earlier values go too.
    """
    who = "" if not differs(identity, contact) else correction.second if correction else "own"
    if identity.second_name and (not contact.second_name or who in ("other", "own")):
        identity.forget_second()
    identity.second_name, identity.second_phone = contact.second_name, contact.second_phone
    return who


def resume_key(keyring: Keyring, code: str, birth_date: str) -> str:
    typed = "".join(code.upper().split()).replace("-", "")
    return keyring.lookup(f"{typed}|{birth_date}", "resume")


def resume(session: Session, pilot: Pilot, code: str, birth_date: str, *, keyring: Keyring) -> Participant:
    """The participant with this code and birth date; raises NotYours, the same for a wrong code and a wrong date."""
    participant = session.scalar(
        select(Participant)
        .join(Identity)
        .where(Participant.pilot_id == pilot.id, Identity.resume_hash == resume_key(keyring, code, birth_date))
    )
    if participant is None:
        raise NotYours("this code and birth date do not belong together", code="unknown_code")
    return participant


def set_language(session: Session, participant: Participant, language: str) -> None:
    if participant.language != language:
        session.execute(update(Participant).where(Participant.id == participant.id).values(language=language))


def _existing(session: Session, pilot: Pilot, nonce: str, invitee: Invitee | None) -> Participant | None:
    if invitee is None:
        return session.scalar(_BY_FORM, {"pilot": pilot.id, "mine": nonce})
    return session.scalar(_BY_INVITATION, {"pilot": pilot.id, "mine": invitee.id})


def _duplicate(session: Session, participant: Participant, identity: Identity) -> int | None:
    """Who came before with the same telephone number, or else the same e-mail address, or else the same device."""
    own = {"phone": identity.phone_hash, "email": identity.email_hash, "device": identity.device_hash}
    return session.scalar(_ALIKE, {**own, "pilot": participant.pilot_id, "person": participant.id})
