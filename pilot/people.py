"""Who works on pilots: letting people in, and giving them roles on behalf of an organisation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from email_validator import EmailNotValidError, validate_email
from passlib.context import CryptContext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pilot.errors import Refused
from pilot.models import ROLES, Event, Membership, Organisation, Pilot, User
from pilot.settings import Settings

SHORTEST_PASSWORD = 12


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who is let in, as what, where. No pilot: everywhere, for an administrator only."""

    email: str
    name: str
    role: str
    pilot: str | None = None
    organisation: str | None = None
    language: str = "nl"

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise Refused(f"'{self.role}' is no role; choose one of {', '.join(ROLES)}", code="role")
        if self.pilot is None and self.role != "administrator":
            raise Refused(f"name the pilot in which this person is {self.role}", code="pilot_missing")
        if self.role == "advisor" and not self.organisation:
            raise Refused(
                "name the organisation of this advisor: an advisor sees its participants only", code="organisation"
            )


@dataclass(frozen=True, slots=True)
class Added:
    """`new` is false when the person was in already and got one more role."""

    user_id: int
    email: str
    new: bool


def add(
    session: Session, newcomer: Newcomer, password_hash: str, *, first_password: bool = False, now: datetime
) -> Added:
    """Let somebody in, or give one more role to somebody who is in; the password of the latter stays as it was.

    A `first_password` was made for the person: nothing opens until the person has chosen another one.
    Raises Refused for an address that cannot be, a pilot that is not there, or a role the person has already.
    """
    email = address(newcomer.email)
    user = session.scalar(select(User).where(func.lower(User.email) == email.lower()))
    new = user is None
    if user is None:
        user = User(
            email=email,
            name=newcomer.name.strip(),
            password=password_hash,
            active=True,
            fs_uniquifier=secrets.token_hex(32),
            create_datetime=now,
            language=newcomer.language,
            first_password=first_password,
        )
        session.add(user)
        session.flush()
    pilot_id = _pilot(session, newcomer.pilot)
    if any(m.role == newcomer.role and m.pilot_id == pilot_id for m in user.memberships):
        raise Refused(f"{email} is {newcomer.role} there already", code="already")
    organisation_id = _organisation(session, newcomer.organisation)
    user.memberships.append(Membership(role=newcomer.role, pilot_id=pilot_id, organisation_id=organisation_id))
    detail = {"user": user.id, "role": newcomer.role}
    session.add(Event(pilot_id=pilot_id, kind="role_given", detail=detail, at=now))
    session.flush()
    return Added(user.id, email, new)


def address(text: str) -> str:
    """An e-mail address in its one spelling; raises Refused when it cannot be one."""
    try:
        return validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise Refused(f"'{text}' is no e-mail address: {error}", code="email") from None


def hashed(settings: Settings, password: str) -> str:
    """A password as it is kept: argon2id over an HMAC with the installation's second secret, as sign-in checks it.

    Raises Refused when it is shorter than twelve characters.
    """
    password = unicodedata.normalize("NFKC", password)
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(f"a password has at least {SHORTEST_PASSWORD} characters", code="password")
    keyed = hmac.new(settings.password_salt.encode(), password.encode(), hashlib.sha512).digest()
    return _argon2().hash(base64.b64encode(keyed).decode())


@cache
def _argon2() -> CryptContext:
    return CryptContext(schemes=["argon2"])


def _pilot(session: Session, slug: str | None) -> int | None:
    if slug is None:
        return None
    found = session.scalar(select(Pilot.id).where(Pilot.slug == slug))
    if found is None:
        raise Refused(f"there is no pilot '{slug}'", code="no_pilot")
    return found


def _organisation(session: Session, name: str | None) -> int | None:
    """The organisation of this name; it is made when it is named for the first time."""
    if not name or not name.strip():
        return None
    name = " ".join(name.split())
    found = session.scalar(select(Organisation).where(Organisation.name == name))
    if found is None:
        found = Organisation(name=name)
        session.add(found)
        session.flush()
    return found.id


def find(session: Session, email: str) -> User | None:
    """The member of staff with this address, if there is one."""
    return session.scalar(select(User).where(func.lower(User.email) == address(email).lower()))


def by_email(session: Session, email: str) -> User:
    """The member of staff with this address; raises Refused when there is none."""
    user = find(session, email)
    if user is None:
        raise Refused(f"nobody signs in as {email}; add the person with `pilot user add`", code="no_user")
    return user
