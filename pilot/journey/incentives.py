"""Gift cards for who finished a list of questions: one a person and wave, of one amount for everybody, while they last.

Nothing here knows an arm. A card is taken out of the drawer in the transaction that gives it away, so that two workers
never give the same one and never more than there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pilot.crypto import Keyring
from pilot.db import insert_once
from pilot.errors import NotYours
from pilot.events import record
from pilot.journey.followup import usable_channel, waking
from pilot.models import GiftCard, Message, Participant, Pilot, Submission
from pilot.problems import InvalidRows, Problem, Reason
from pilot.protocol import Protocol

COLUMNS = ("code", "amount")
LONGEST = 80
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Drawer:
    """How many cards lie ready, were given, and were looked at; and how many people still wait for one."""

    ready: int
    given: int
    claimed: int
    waiting: int


def import_cards(
    session: Session, pilot: Pilot, rows: Sequence[Mapping[str, str]], *, keyring: Keyring, actor_id: int, now: datetime
) -> int:
    """Takes in cards by code and amount in euro: all rows or none. Raises InvalidRows with each bad line.

    Every card of a pilot has the same amount, so that who answers late gets what who answers early got.
    """
    known = set(session.scalars(select(GiftCard.code_hash).where(GiftCard.pilot_id == pilot.id)))
    amount = session.scalar(select(GiftCard.amount_cents).where(GiftCard.pilot_id == pilot.id).limit(1))
    problems: list[Problem] = [] if rows else [(1, Reason("empty_file"))]
    taken: dict[str, tuple[str, int]] = {}
    for line, row in enumerate(rows, start=2):
        code, cents = "".join((row.get("code") or "").split()), _cents(row.get("amount") or "")
        hashed = keyring.lookup(code, "gift card")
        amount = amount if amount is not None else cents
        for wrong, reason in (
            (not code, Reason("empty", column="code")),
            (len(code) > LONGEST, Reason("too_long", column="code", longest=LONGEST)),
            (hashed in taken or hashed in known, Reason("card_twice")),
            (cents is None, Reason("amount", column="amount", value=row.get("amount") or "")),
            (cents is not None and cents != amount, Reason("card_amount")),
        ):
            if wrong:
                problems.append((line, reason))
                break
        else:
            taken[hashed] = (code, cents or 0)
    if problems:
        raise InvalidRows(problems)
    for hashed, (code, cents) in taken.items():
        session.add(GiftCard(pilot_id=pilot.id, code=code, code_hash=hashed, amount_cents=cents, imported_at=now))
    record(session, "gift_cards_imported", pilot, now=now, actor_id=actor_id, cards=len(taken))
    session.flush()
    return len(taken)


def give_due(session: Session, pilot: Pilot, protocol: Protocol, *, zone: ZoneInfo, now: datetime) -> int:
    """Gives a card to everybody who finished a list after the draw and has none for it yet, who was first first."""
    given = 0
    for person, wave in _waiting(session, pilot, protocol):
        if not _mine_alone(session, person, wave):
            continue
        card = session.scalars(_free(pilot).limit(1).with_for_update(skip_locked=True)).first()
        if card is None:
            break
        card.participant_id, card.wave, card.issued_at = person.id, wave, now
        session.flush()
        record(session, "gift_card_given", person, now=now, wave=wave, amount_cents=card.amount_cents)
        _tell(session, pilot, person, wave, zone=zone, now=now)
        given += 1
    return given


def claim(session: Session, participant: Participant, wave: str, *, now: datetime) -> GiftCard:
    """The card, which its owner looks at; the first time is kept. Raises NotYours when there is none."""
    card = of(session, participant, wave)
    if card is None:
        raise NotYours("there is no gift card here")
    first = update(GiftCard).where(GiftCard.id == card.id, GiftCard.claimed_at.is_(None)).values(claimed_at=now)
    if session.execute(first).rowcount == 1:  # type: ignore[attr-defined]
        record(session, "gift_card_claimed", participant, now=now, wave=wave)
    session.refresh(card)
    return card


def of(session: Session, participant: Participant, wave: str) -> GiftCard | None:
    mine = (GiftCard.participant_id == participant.id, GiftCard.wave == wave)
    return session.scalar(select(GiftCard).where(*mine))


def drawer(session: Session, pilot: Pilot, protocol: Protocol) -> Drawer:
    """What there is, for the steward."""
    mine = select(func.count(), func.count(GiftCard.participant_id), func.count(GiftCard.claimed_at))
    every, given, claimed = session.execute(mine.where(GiftCard.pilot_id == pilot.id)).one()
    waiting = len(_waiting(session, pilot, protocol)) if every else 0
    return Drawer(every - given, given, claimed, waiting)


def _free(pilot: Pilot):  # type: ignore[no-untyped-def]
    free = (GiftCard.pilot_id == pilot.id, GiftCard.participant_id.is_(None))
    return select(GiftCard).where(*free).order_by(GiftCard.id)


def _waiting(session: Session, pilot: Pilot, protocol: Protocol) -> list[tuple[Participant, str]]:
    if session.scalar(_free(pilot).limit(1)) is None and not session.scalar(
        select(GiftCard.id).where(GiftCard.pilot_id == pilot.id).limit(1)
    ):
        return []
    has = select(GiftCard.id).where(GiftCard.participant_id == Participant.id, GiftCard.wave == Submission.wave)
    later = [wave.name for wave in protocol.waves[1:]]
    query = (
        select(Participant, Submission.wave)
        .join(Submission, Submission.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode, Submission.revision == 1)
        .where(Submission.wave.in_(later), ~has.exists(), func.coalesce(Participant.withdrawn, "") != "erase")
        .order_by(Submission.submitted_at, Submission.id)
        .limit(AT_ONCE)
    )
    return [(person, wave) for person, wave in session.execute(query)]


def _mine_alone(session: Session, person: Participant, wave: str) -> bool:
    """Whether no other worker serves this person now, or has done so since the list was made."""
    held = select(Participant.id).where(Participant.id == person.id).with_for_update(skip_locked=True)
    return session.scalar(held) is not None and of(session, person, wave) is None


def _tell(session: Session, pilot: Pilot, person: Participant, wave: str, *, zone: ZoneInfo, now: datetime) -> None:
    """One message with the link to the card, where somebody can be reached and still wants to be."""
    channel = usable_channel(session, person)
    if person.withdrawn or channel is None:
        return
    insert_once(
        session, Message, pilot_id=pilot.id, participant_id=person.id, key=f"{pilot.id}:{person.id}:{wave}:gift",
        kind="gift", wave=None, channel=channel, language=person.language, detail={"wave": wave}, status="queued",
        due_at=waking(now, zone), attempts=0,
    )  # fmt: skip


def _cents(text: str) -> int | None:
    try:
        cents = Decimal(text.strip().lstrip("€").strip().replace(",", ".")) * 100
    except InvalidOperation:
        return None
    return int(cents) if cents == int(cents) and 0 < cents <= 100_000 else None
