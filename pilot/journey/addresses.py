"""Where letters go: asked where the protocol sends letters, given by who wants to, kept with the contact data only."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pilot.crypto import Keyring
from pilot.errors import NotYours, Refused
from pilot.events import record
from pilot.journey.enrolment import Correction, address_key
from pilot.models import Identity, Participant

LIMITS = {"postcode": 10, "house_number": 10, "addition": 20, "street": 120, "town": 80}
FIELDS = tuple(LIMITS)
_POSTCODE = re.compile(r"([1-9][0-9]{3})\s*([A-Za-z]{2})")


@dataclass(frozen=True, slots=True)
class Address:
    """A whole address in the Netherlands. Raises Refused for a part that is missing, too long or no postcode."""

    postcode: str
    house_number: str
    street: str
    town: str
    addition: str = ""

    def __post_init__(self) -> None:
        for field, limit in LIMITS.items():
            text = getattr(self, field)
            if field != "addition" and not text.strip():
                raise Refused(f"the {field} is missing", code="address_missing", field=field)
            if len(text) > limit:
                raise Refused(f"the {field} is longer than {limit} characters", code="too_long", field=field)
        if read_postcode(self.postcode) != self.postcode:
            raise Refused(f"'{self.postcode}' is no postcode", code="postcode", field="postcode")


def read_postcode(text: str) -> str | None:
    """A postcode as people write it, in its one spelling; None when it is none.

    >>> read_postcode("1234ab"), read_postcode("1234  AB"), read_postcode("12345")
    ('1234 AB', '1234 AB', None)
    """
    found = _POSTCODE.fullmatch(text.strip())
    return f"{found[1]} {found[2].upper()}" if found else None


def set_address(
    session: Session,
    participant: Participant,
    address: Address | None,
    *,
    keyring: Keyring,
    correction: Correction | None = None,
    now: datetime,
) -> bool:
    """Keeps the address, or takes it away; says whether that changed anything. Each change has an event without it.

    A correction by staff keeps what stood there before, encrypted, and names its actor and reason. Raises NotYours for
    somebody without contact data, and Refused for a correction without a reason.
    """
    identity = session.get(Identity, participant.id)
    if identity is None or participant.withdrawn == "erase":
        raise NotYours("there are no contact data of this person")
    if correction is not None and not correction.reason.strip():
        raise Refused("a correction needs a reason", code="reason_missing")
    before = {name: getattr(identity, name) for name in FIELDS}
    had = identity.letter_address is not None
    if address is None:
        new = {**dict.fromkeys(FIELDS), "postcode": identity.postcode}
    else:
        new = {name: getattr(address, name).strip() or None for name in FIELDS}
    changed = [name for name in FIELDS if before[name] != new[name]]
    if not changed:
        return False
    for name in FIELDS:
        setattr(identity, name, new[name])
    identity.address_hash = address_key(keyring, identity)
    _tell(session, participant, identity, before, changed, had=had, correction=correction, now=now)
    session.flush()
    return True


def _tell(
    session: Session, participant: Participant, identity: Identity, before: dict[str, str | None], changed: list[str],
    *, had: bool, correction: Correction | None, now: datetime,
) -> None:  # fmt: skip
    what = "removed" if identity.letter_address is None else "changed" if had else "given"
    if correction is None:
        record(session, "address_given", participant, now=now, what=what)
        return
    was = {"until": now.isoformat(), "by": correction.actor_id, "why": correction.reason}
    earlier = [*json.loads(identity.earlier or "[]"), {**was, **{name: before[name] for name in changed}}]
    identity.earlier = json.dumps(earlier, ensure_ascii=False)
    detail = {"what": what, "fields": changed, "reason": correction.reason}
    record(session, "address_corrected", participant, now=now, actor_id=correction.actor_id, **detail)
