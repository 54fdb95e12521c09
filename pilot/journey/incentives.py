"""Gift cards: one a person and wave, of one amount for everybody, before or after answering, while they last.

The protocol says for which waves, what they are worth and from which list of cards they come. One from before it could
say so gives a card for every list after the draw. Nothing here knows an arm. A card is taken out of the drawer in the
transaction that gives it away, so that two workers never give the same one and never more than there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pilot.crypto import Keyring
from pilot.db import insert_once
from pilot.errors import NotYours
from pilot.events import record
from pilot.journey.followup import people_asked, usable_channel, waking
from pilot.models import GiftCard, Message, Participant, Pilot, Submission
from pilot.problems import InvalidRows, Problem, Reason
from pilot.protocol import Protocol

COLUMNS = ("code", "amount", "cards")
LONGEST = 80
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Terms:
    """What a wave gives: `amount_cents` is None where the first card that was taken in says it."""

    wave: str
    before: bool
    drawer: str
    amount_cents: int | None


@dataclass(frozen=True, slots=True)
class Drawer:
    """How many cards lie ready, were given, and were looked at; and how many people still wait for one."""

    ready: int
    given: int
    claimed: int
    waiting: int


def terms(protocol: Protocol) -> tuple[Terms, ...]:
    """What each wave gives, in the order of the waves."""
    if protocol.incentives is None:
        return tuple(Terms(wave.name, False, "", None) for wave in protocol.waves[1:])
    found = {
        one.wave: Terms(one.wave, one.when == "before", one.cards, one.amount_cents) for one in protocol.incentives
    }
    return tuple(found[wave.name] for wave in protocol.waves if wave.name in found)


def import_cards(
    session: Session, pilot: Pilot, protocol: Protocol, rows: Sequence[Mapping[str, str]], *,
    keyring: Keyring, actor_id: int, now: datetime,
) -> int:  # fmt: skip
    """Takes in cards by code, amount in euro and list: all rows or none. Raises InvalidRows with each bad line.

    Every card of a list has the same amount, that of the protocol, so that who answers late gets what who answers early
    got.
    """
    known = set(session.scalars(select(GiftCard.code_hash).where(GiftCard.pilot_id == pilot.id)))
    amounts = _amounts(session, pilot, protocol)
    drawers = {each.drawer for each in terms(protocol)}
    problems: list[Problem] = [] if rows else [(1, Reason("empty_file"))]
    taken: dict[str, tuple[str, int, str]] = {}
    for line, row in enumerate(rows, start=2):
        code, cents = "".join((row.get("code") or "").split()), _cents(row.get("amount") or "")
        drawer, hashed = (row.get("cards") or "").strip(), keyring.lookup(code, "gift card")
        if amounts.get(drawer) is None:
            amounts[drawer] = cents
        amount = amounts[drawer]
        named = ", ".join(sorted(drawers)) or "none"
        for wrong, reason in (
            (not code, Reason("empty", column="code")),
            (len(code) > LONGEST, Reason("too_long", column="code", longest=LONGEST)),
            (hashed in taken or hashed in known, Reason("card_twice")),
            (cents is None, Reason("amount", column="amount", value=row.get("amount") or "")),
            (drawer not in drawers, Reason("one_of", column="cards", value=drawer, known=named)),
            (cents is not None and cents != amount, Reason("card_amount")),
        ):
            if wrong:
                problems.append((line, reason))
                break
        else:
            taken[hashed] = (code, cents or 0, drawer)
    if problems:
        raise InvalidRows(problems)
    for hashed, (code, cents, drawer) in taken.items():
        card = {"code": code, "code_hash": hashed, "amount_cents": cents, "drawer": drawer}
        session.add(GiftCard(pilot_id=pilot.id, imported_at=now, **card))
    record(session, "gift_cards_imported", pilot, now=now, actor_id=actor_id, cards=len(taken))
    session.flush()
    return len(taken)


def give_due(
    session: Session,
    pilot: Pilot,
    protocol: Protocol,
    *,
    zone: ZoneInfo,
    now: datetime,
    only: Participant | None = None,
) -> int:
    """Gives a card to everybody who is owed one and has none for that wave, who was first first; or to one person."""
    given, empty = 0, set[str]()
    for person, owed in _waiting(session, pilot, protocol, now, only):
        if owed.drawer in empty or not _mine_alone(session, person, owed.wave):
            continue
        card = session.scalars(_free(pilot, owed.drawer).limit(1).with_for_update(skip_locked=True)).first()
        if card is None:
            empty.add(owed.drawer)
            continue
        card.participant_id, card.wave, card.issued_at = person.id, owed.wave, now
        session.flush()
        record(session, "gift_card_given", person, now=now, wave=owed.wave, amount_cents=card.amount_cents)
        _tell(session, pilot, person, owed, zone=zone, now=now)
        given += 1
    return given


def claim(session: Session, participant: Participant, wave: str, *, now: datetime) -> GiftCard:
    """The card, which its owner looks at; the first time is kept. Raises NotYours when there is none."""
    card, first = _claimed(session, participant, wave, now)
    if first:
        record(session, "gift_card_claimed", participant, now=now, wave=wave)
    return card


def hand_over(session: Session, participant: Participant, wave: str, *, actor_id: int, now: datetime) -> GiftCard:
    """The card, which a steward reads out or prints for its owner; each time is kept. Raises NotYours without one."""
    card, first = _claimed(session, participant, wave, now)
    record(session, "gift_card_handed_over", participant, now=now, actor_id=actor_id, wave=wave, first=first)
    return card


def _claimed(session: Session, participant: Participant, wave: str, now: datetime) -> tuple[GiftCard, bool]:
    card = of(session, participant, wave)
    if card is None:
        raise NotYours("there is no gift card here")
    first = update(GiftCard).where(GiftCard.id == card.id, GiftCard.claimed_at.is_(None)).values(claimed_at=now)
    changed = session.execute(first).rowcount == 1  # type: ignore[attr-defined]
    session.refresh(card)
    return card, changed


def of(session: Session, participant: Participant, wave: str) -> GiftCard | None:
    mine = (GiftCard.participant_id == participant.id, GiftCard.wave == wave)
    return session.scalar(select(GiftCard).where(*mine))


def all_of(session: Session, participant: Participant) -> Sequence[GiftCard]:
    """Every card of a person, the first given first; none of who was erased."""
    if participant.withdrawn == "erase":
        return ()
    mine = GiftCard.participant_id == participant.id
    return session.scalars(select(GiftCard).where(mine).order_by(GiftCard.issued_at, GiftCard.id)).all()


def is_owed(session: Session, pilot: Pilot, protocol: Protocol, participant: Participant, *, now: datetime) -> bool:
    """Whether this person waits for a card that lies ready; a read, so that a page need not write each time."""
    waiting = _waiting(session, pilot, protocol, now, participant)
    return any(session.scalar(_free(pilot, owed.drawer).limit(1)) is not None for _person, owed in waiting)


def drawer(session: Session, pilot: Pilot, protocol: Protocol, *, now: datetime) -> Drawer:
    """What there is, for the steward."""
    mine = select(func.count(), func.count(GiftCard.participant_id), func.count(GiftCard.claimed_at))
    every, given, claimed = session.execute(mine.where(GiftCard.pilot_id == pilot.id)).one()
    waiting = len(_waiting(session, pilot, protocol, now)) if every else 0
    return Drawer(every - given, given, claimed, waiting)


def _amounts(session: Session, pilot: Pilot, protocol: Protocol) -> dict[str, int | None]:
    """What a card of each list is worth: by the protocol, else by the cards that were taken in."""
    found: dict[str, int | None] = {}
    query = select(GiftCard.drawer, GiftCard.amount_cents).where(GiftCard.pilot_id == pilot.id).distinct()
    found.update((name, cents) for name, cents in session.execute(query))
    found.update({each.drawer: each.amount_cents for each in terms(protocol) if each.amount_cents is not None})
    return found


def _free(pilot: Pilot, name: str):  # type: ignore[no-untyped-def]
    free = (GiftCard.pilot_id == pilot.id, GiftCard.drawer == name, GiftCard.participant_id.is_(None))
    return select(GiftCard).where(*free).order_by(GiftCard.id)


def _waiting(
    session: Session, pilot: Pilot, protocol: Protocol, now: datetime, only: Participant | None = None
) -> list[tuple[Participant, Terms]]:
    """Who is owed what and has it not yet: who answered, and for a card before answering who is asked now."""
    if session.scalar(select(GiftCard.id).where(GiftCard.pilot_id == pilot.id).limit(1)) is None:
        return []
    by_wave = {each.wave: each for each in terms(protocol)}
    found = [(person, by_wave[wave]) for person, wave in session.execute(_answered(pilot, by_wave, only))]
    for each in by_wave.values():
        if each.before:
            has = set(session.scalars(select(GiftCard.participant_id).where(GiftCard.wave == each.wave)))
            asked = people_asked(session, pilot, protocol.wave(each.wave), now, only)
            mine = (person for person, _due in asked if person.id not in has)
            found += [(person, each) for person in islice(mine, AT_ONCE)]
    return found


def _answered(pilot: Pilot, waves: Iterable[str], only: Participant | None):  # type: ignore[no-untyped-def]
    has = select(GiftCard.id).where(GiftCard.participant_id == Participant.id, GiftCard.wave == Submission.wave)
    query = (
        select(Participant, Submission.wave)
        .join(Submission, Submission.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode, Submission.revision == 1)
        .where(Submission.wave.in_(list(waves)), ~has.exists(), func.coalesce(Participant.withdrawn, "") != "erase")
        .order_by(Submission.submitted_at, Submission.id)
        .limit(AT_ONCE)
    )
    return query if only is None else query.where(Participant.id == only.id)


def _mine_alone(session: Session, person: Participant, wave: str) -> bool:
    """Whether no other worker serves this person now, or has done so since the list was made."""
    held = select(Participant.id).where(Participant.id == person.id).with_for_update(skip_locked=True)
    return session.scalar(held) is not None and of(session, person, wave) is None


def _tell(session: Session, pilot: Pilot, person: Participant, owed: Terms, *, zone: ZoneInfo, now: datetime) -> None:
    """One message with the link to the card, where somebody can be reached and still wants to be."""
    channel = usable_channel(session, person)
    if person.withdrawn or channel is None:
        return
    detail = {"wave": owed.wave, "before": True} if owed.before else {"wave": owed.wave}
    insert_once(
        session, Message, pilot_id=pilot.id, participant_id=person.id, key=f"{pilot.id}:{person.id}:{owed.wave}:gift",
        kind="gift", wave=None, channel=channel, language=person.language, detail=detail, status="queued",
        due_at=waking(now, zone), attempts=0,
    )  # fmt: skip


def _cents(text: str) -> int | None:
    try:
        cents = Decimal(text.strip().lstrip("€").strip().replace(",", ".")) * 100
    except InvalidOperation:
        return None
    return int(cents) if cents == int(cents) and 0 < cents <= 100_000 else None
