"""The words of each message, from templates by kind and language; the first line is the subject."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from pilot import access
from pilot.models import Identity, Invitee, Message, Participant, PerformanceStatement, Pilot
from pilot.protocol import Protocol
from pilot.settings import Settings

FOLDER = Path(__file__).parent / "templates"
LANGUAGES = ("nl", "en", "ar", "tr", "pl", "uk")
CALLS = ("nl", "en")
"""Languages in which an interviewer begins a call."""
ISOLATE, RELEASE = "\u2066", "\u2069"
"""Around a number in a text from right to left, where 0800 - 0000 would be read as 0000 - 0800."""
PAGES = {"statement": ("statement", "statement"), "gift": ("gift", "gift")}
"""For messages that belong to no wave: the page that their link opens, and the purpose of that link."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is ready to go. `link` is its one address, for a square code on paper; `foreign` is the part of
    the body that exists in another language only. By `number` a letter that comes back is found in the record.
    """

    to: str
    subject: str
    body: str
    link: str
    language: str = "nl"
    foreign: str = ""
    foreign_language: str = "nl"
    number: int = 0


def compose(
    session: Session, settings: Settings, pilot: Pilot, protocol: Protocol, message: Message, *, now: datetime
) -> Letter | None:
    """The message in the person's language; nothing when there is no address left, or nothing left to ask."""
    if message.invitee_id is not None:
        return _invitation(session.get_one(Invitee, message.invitee_id), settings, pilot, protocol, message)
    participant = session.get_one(Participant, message.participant_id)
    identity = participant.identity
    to = None if identity is None else _to(identity, message.channel)
    if identity is None or not to:
        return None
    statement = session.get(PerformanceStatement, participant.id) if message.kind == "statement" else None
    if statement is not None and statement.participant_signed_at is not None:
        return None
    page, purpose = ("s", "survey") if message.wave else PAGES.get(message.kind, ("e", "enrol"))
    link = _address(settings, page, _token(settings, participant, purpose, message, now))
    privacy = _address(settings, "privacy", _token(settings, participant, "privacy", message, now))
    values: dict[str, object] = {
        "name": identity.name,
        "link": link,
        "privacy": privacy,
        "receipt": message.detail.get("receipt", ""),
        "code": identity.resume_code,
        "resume": f"{settings.base_url}/p/{pilot.slug}/resume",
        "before": message.detail.get("before", False),
        "minutes": statement.minutes if statement is not None else 0,
    }
    return replace(_letter(message, pilot, protocol, to, link, values), number=message.id or 0)


def _to(identity: Identity, channel: str) -> str | None:
    if channel == "letter":
        address = identity.letter_address
        return address and "\n".join(filter(None, (identity.name, address)))
    return identity.email if channel == "email" else identity.phone


def _invitation(
    invitee: Invitee, settings: Settings, pilot: Pilot, protocol: Protocol, message: Message
) -> Letter | None:
    to = invitee.email if message.channel == "email" else "\n".join(filter(None, (invitee.name, invitee.address)))
    if not to:
        return None
    arm = protocol.outreach_arm(invitee.outreach_arm)
    words = {"nl": ""} if arm is None else arm.message
    spoken = message.language if words.get(message.language) else "nl"
    text, foreign = words[spoken], words[spoken] if spoken != _language(message) else ""
    link = f"{settings.base_url}/p/{pilot.slug}/c/{invitee.code}"
    values = {"name": invitee.name or "", "link": link, "code": invitee.code, "text": text, "foreign": bool(foreign)}
    return replace(_letter(message, pilot, protocol, to, link, values), foreign=foreign, foreign_language=spoken)


def _letter(
    message: Message, pilot: Pilot, protocol: Protocol, to: str, link: str, values: Mapping[str, object]
) -> Letter:
    language = _language(message)
    title = pilot.title.get(language) or pilot.title["nl"]
    template = _templates().get_template(f"{language}/{message.kind}.txt")
    text = template.render(
        title=title,
        organisation=protocol.pilot.organisation,
        channel=message.channel,
        **_apart({"phone": protocol.pilot.phone, **values}, language),
    )
    subject, _, body = text.partition("\n")
    subject = subject.replace(ISOLATE, "").replace(RELEASE, "").strip()
    return Letter(to, subject, re.sub(r"\n{3,}", "\n\n", body.strip()) + "\n", link, language)


def _language(message: Message) -> str:
    """The person's own language when there are words in it, else Dutch."""
    return message.language if message.language in LANGUAGES else "nl"


def _apart(values: Mapping[str, object], language: str) -> dict[str, object]:
    """Numbers and codes, kept from left to right in a language that is written the other way."""
    if Locale.parse(language).text_direction == "ltr":
        return dict(values)
    kept = {name: f"{ISOLATE}{values[name]}{RELEASE}" for name in ("phone", "code", "receipt") if values.get(name)}
    return {**values, **kept}


def on_paper(settings: Settings, pilot: Pilot, protocol: Protocol, invitee: Invitee) -> Letter | None:
    """The invitation of this person as a letter; nothing when there is no name or address left to send it to."""
    message = Message(kind="invitation", channel="letter", language=invitee.language, detail={})
    return _invitation(invitee, settings, pilot, protocol, message)


def spoken(pilot: Pilot, protocol: Protocol, participant: Participant, *, at_the_desk: bool = False) -> str:
    """How an interview begins, in the person's language: first who it is, only then what it is about."""
    language = participant.language if participant.language in CALLS else "nl"
    name = participant.identity.name if participant.identity else None
    template = _templates().get_template(f"{language}/{'desk' if at_the_desk else 'call'}.txt")
    title = pilot.title.get(language) or pilot.title["nl"]
    return template.render(name=name or "", organisation=protocol.pilot.organisation, title=title).strip()


def _token(settings: Settings, participant: Participant, purpose: str, message: Message, now: datetime) -> str:
    wave = message.wave or message.detail.get("wave")
    return access.link_token(settings.secret_key, participant, purpose, now=now, wave=wave)


def _address(settings: Settings, page: str, token: str) -> str:
    return f"{settings.base_url}/{page}/{token}"


@cache
def _templates() -> Environment:
    return Environment(  # noqa: S701  # plain text, nothing to escape
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
