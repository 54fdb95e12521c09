"""What came back, from a list: of a provider, a mail server, or the post. Whatever can be matched counts, once.

A line names a message (its number, its Message-ID, or the reference that a provider was given) or an address. From then
on nothing goes there until the address is mended; the next message takes another way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.crypto import Keyring
from pilot.events import record
from pilot.journey import followup
from pilot.mail import name_of
from pilot.models import Identity, Invitee, Message, Participant, Pilot
from pilot.problems import InvalidRows, Problem, Reason
from surveys.contact import read_phone
from surveys.errors import InputError

MESSAGE = ("message", "message_id", "message-id", "messageid", "reference", "number")
ADDRESS = ("address", "email", "e-mail", "recipient", "to", "phone")
TYPE = ("type", "event", "bounce_type")
LASTING = ("hard", "permanent", "bounce", "bounced", "hard_bounce", "undeliverable", "failed", "returned", "5")
COLUMNS = ("message", "address", "type")
CAME_BACK = ("sent", "unsure")


@dataclass(frozen=True, slots=True)
class Bounced:
    """How many messages were marked, how many lines told nothing new, and what is wrong with the others."""

    marked: int
    known: int
    problems: tuple[Problem, ...]


def take_in(
    session: Session,
    pilot: Pilot,
    lines: Iterable[tuple[int, Mapping[str, str]]],
    *,
    keyring: Keyring,
    actor_id: int | None,
    now: datetime,
) -> Bounced:
    """Marks what each (line, row) says. Lines that match nothing are told and change nothing; the others count.

    The same file again marks nothing new. Raises InvalidRows for a file without rows, or without a column to match by.
    """
    rows = [(line, {name.strip().lower(): value for name, value in row.items()}) for line, row in lines]
    _check_header(rows)
    finder = _Finder(session, pilot, keyring)
    marked = known = 0
    problems: list[Problem] = []
    for line, row in rows:
        found = finder.matches(row)
        if isinstance(found, Reason):
            problems.append((line, found))
            continue
        fresh = [message for message in found if message.status in CAME_BACK]
        for message in fresh:
            followup.bounce(session, message, actor_id=actor_id, now=now)
        marked, known = marked + len(fresh), known + (not fresh)
    wrong = len(problems)
    if marked:
        record(session, "bounces_imported", pilot, now=now, actor_id=actor_id, marked=marked, known=known, wrong=wrong)
    session.flush()
    return Bounced(marked, known, tuple(problems))


def _check_header(rows: Sequence[tuple[int, Mapping[str, str]]]) -> None:
    if not rows:
        raise InvalidRows([(1, Reason("empty_file"))])
    if not set(rows[0][1]) & {*MESSAGE, *ADDRESS}:
        raise InvalidRows([(1, Reason("bounce_columns"))])


def _cell(row: Mapping[str, str], names: Sequence[str]) -> str:
    return next((row[name].strip() for name in names if (row.get(name) or "").strip()), "")


class _Finder:
    """Messages by whatever a line calls them. Long lists are made at the first line that needs them."""

    def __init__(self, session: Session, pilot: Pilot, keyring: Keyring) -> None:
        self.session, self.pilot, self.keyring = session, pilot, keyring
        self._names: dict[str, int] | None = None
        self._invited: dict[str, int] | None = None

    def matches(self, row: Mapping[str, str]) -> list[Message] | Reason:
        """The messages that a line means, or why it means none."""
        kind, message, address = (_cell(row, names) for names in (TYPE, MESSAGE, ADDRESS))
        if kind and not kind.lower().replace(" ", "_").startswith(LASTING):
            return Reason("bounce_passing", value=kind)
        if message:
            found = self._message(message)
            return [found] if found is not None else Reason("bounce_message", value=message)
        if not address:
            return Reason("bounce_nothing")
        return self._at(address)

    def _message(self, text: str) -> Message | None:
        plain = text.removeprefix("Nr.").strip().strip("<>")
        number = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else self._named(plain)
        message = self.session.get(Message, number) if number is not None else None
        sent = message is not None and message.status in (*CAME_BACK, "bounced")
        return message if sent and message.pilot_id == self.pilot.id else None  # type: ignore[union-attr]

    def _named(self, plain: str) -> int | None:
        if self._names is None:
            rows = self.session.scalars(select(Message).where(Message.pilot_id == self.pilot.id))
            self._names = {}
            for message in rows:
                self._names[message.reference] = self._names[name_of(message.reference).strip("<>")] = message.id
        return self._names.get(plain)

    def _at(self, address: str) -> list[Message] | Reason:
        """The latest message to each person with this address; people may share one."""
        where, channel = self._hashed(address)
        if where is None:
            return Reason("bounce_address", value=address)
        people = self.session.scalars(
            select(Participant).join(Identity).where(Participant.pilot_id == self.pilot.id, where)
        ).all()
        found = [message for message in (self._latest(one, channel) for one in people) if message is not None]
        invited = self._to_invited(address) if channel == "email" else None
        found += [invited] if invited is not None else []
        if found:
            return found
        return Reason("bounce_not_sent" if people else "bounce_address", value=address)

    def _hashed(self, address: str):  # type: ignore[no-untyped-def]
        """The condition on contact data that an address is, and the channel that it belongs to."""
        if "@" in address:
            return Identity.email_hash == self.keyring.lookup(address.lower(), "email"), "email"
        with suppress(InputError):
            return Identity.phone_hash == self.keyring.lookup(read_phone(address), "phone"), "sms"
        return None, ""

    def _latest(self, person: Participant, channel: str) -> Message | None:
        """The last message that left for there; when the address is known to be of no use, the one that said so."""
        wanted = CAME_BACK if followup.usable(self.session, person, channel) else ("bounced",)
        mine = (Message.participant_id == person.id, Message.channel == channel, Message.status.in_(wanted))
        return self.session.scalars(select(Message).where(*mine).order_by(Message.id.desc()).limit(1)).first()

    def _to_invited(self, address: str) -> Message | None:
        """The invitation to somebody on the list: their addresses are encrypted, so each is read once."""
        if self._invited is None:
            rows = self.session.execute(
                select(Invitee.email, Message.id)
                .join(Message, Message.invitee_id == Invitee.id)
                .where(Invitee.pilot_id == self.pilot.id, Invitee.email.is_not(None), Message.channel == "email")
                .where(Message.status.in_((*CAME_BACK, "bounced")))
                .order_by(Message.id)
            )
            self._invited = {email.lower(): number for email, number in rows if email}
        number = self._invited.get(address.lower())
        return self.session.get(Message, number) if number is not None else None
