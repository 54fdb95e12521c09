"""The catalogue: imported from a file, searched in plain words, and every view and referral kept as exposure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from pilot.errors import NotYours
from pilot.events import record
from pilot.models import Exposure, Offer, Participant, Pilot
from pilot.problems import InvalidRows, Problem, Reason

KINDS = ("training", "funding", "help")
COLUMNS = (
    "reference", "kind", "title", "provider", "region", "level", "sector", "skills", "cost", "weeks", "description",
    "url", "valid_until",
)  # fmt: skip
NEEDED = ("reference", "kind", "title", "provider")
LIMITS = {"reference": 80, "title": 200, "provider": 200, "region": 40, "level": 20, "sector": 60, "url": 400}


_LAST_VIEW = select(func.max(Exposure.at)).where(
    Exposure.participant_id == bindparam("person"), Exposure.offer_id == bindparam("offer"), Exposure.kind == "viewed"
)
_REFERRAL = select(Exposure).where(
    Exposure.participant_id == bindparam("person"), Exposure.offer_id == bindparam("offer"), Exposure.kind == "referred"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What a person is looking for; empty fields do not narrow."""

    words: str = ""
    kind: str = ""
    region: str = ""
    level: str = ""
    free_only: bool = False


def import_rows(
    session: Session, rows: Iterable[Mapping[str, str]], *, actor_id: int | None, pilot: Pilot | None, now: datetime
) -> int:
    """Takes in a catalogue; a reference that exists already is updated. All rows or none. Says how many."""
    rows = list(rows)
    problems: list[Problem] = []
    read = [_read(row, line, problems) for line, row in enumerate(rows, start=2)]
    if not rows:
        problems.append((1, Reason("empty_file")))
    references = [values["reference"] for values in read]
    for line, reference in enumerate(references, start=2):
        if reference and references.index(reference) != line - 2:
            problems.append((line, Reason("twice", reference=reference, line=references.index(reference) + 2)))
    if problems:
        raise InvalidRows(problems)
    existing = {
        offer.reference: offer for offer in session.scalars(select(Offer).where(Offer.reference.in_(references)))
    }
    for values in read:
        offer = existing.get(values["reference"]) or Offer()
        for name, value in values.items():
            setattr(offer, name, value)
        session.add(offer)
    record(session, "catalogue_imported", pilot, now=now, actor_id=actor_id, rows=len(rows))
    session.flush()
    return len(rows)


def search(session: Session, wanted: Search, *, today: date, limit: int = 50) -> Sequence[Offer]:
    """Offers that hold every word (accents and case aside) and pass the filters, titles first."""
    query = select(Offer).where(or_(Offer.valid_until.is_(None), Offer.valid_until >= today))
    for word in plain(wanted.words).split()[:10]:
        query = query.where(Offer.search_text.contains(word, autoescape=True))
    if wanted.kind:
        query = query.where(Offer.kind == wanted.kind)
    if wanted.region:
        query = query.where(or_(Offer.region == wanted.region, Offer.region == ""))
    if wanted.level:
        query = query.where(or_(Offer.level == wanted.level, Offer.level == ""))
    if wanted.free_only:
        query = query.where(Offer.cost_cents == 0)
    return session.scalars(query.order_by(func.lower(Offer.title), Offer.id).limit(limit)).all()


def view(session: Session, participant: Participant, offer_id: int, *, now: datetime) -> Offer:
    """The offer; that it was looked at is kept, once an hour at most."""
    offer = session.get(Offer, offer_id)
    if offer is None:
        raise NotYours("this offer is not there any more")
    last = session.scalar(_LAST_VIEW, {"person": participant.id, "offer": offer.id})
    if last is None or (now - _aware(last, now)).total_seconds() > 3600:
        session.add(Exposure(participant_id=participant.id, offer_id=offer.id, kind="viewed", detail={}, at=now))
        session.flush()
    return offer


def refer(session: Session, participant: Participant, offer_id: int, *, advisor_id: int, now: datetime) -> Exposure:
    """An advisor's referral; the same offer twice is one referral."""
    if session.get(Offer, offer_id) is None:
        raise NotYours("this offer is not there any more")
    found = session.scalar(_REFERRAL, {"person": participant.id, "offer": offer_id})
    if found is not None:
        return found
    row = Exposure(
        participant_id=participant.id, offer_id=offer_id, kind="referred", actor_id=advisor_id, detail={}, at=now
    )
    session.add(row)
    record(session, "referred", participant, now=now, actor_id=advisor_id, offer=offer_id)
    session.flush()
    return row


def referrals_of(session: Session, participant: Participant) -> Sequence[Offer]:
    return session.scalars(
        select(Offer)
        .join(Exposure, Exposure.offer_id == Offer.id)
        .where(Exposure.participant_id == participant.id, Exposure.kind == "referred")
        .order_by(Exposure.id)
    ).all()


def plain(text: str) -> str:
    """Lower case without accents, so that 'Beëdigd' is found with 'beedigd'."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _aware(moment: datetime, like: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=like.tzinfo)


def _read(row: Mapping[str, str], line: int, problems: list[Problem]) -> dict[str, Any]:
    say = problems.append
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name in NEEDED:
        if not values[name]:
            say((line, Reason("empty", column=name)))
    for name, limit in LIMITS.items():
        if len(values[name]) > limit:
            say((line, Reason("too_long", column=name, longest=limit)))
    if values["kind"] and values["kind"] not in KINDS:
        say((line, Reason("one_of", column="kind", value=values["kind"], known=", ".join(KINDS))))
    if values["url"] and not values["url"].startswith("https://"):
        say((line, Reason("url")))
    typed: dict[str, Any] = {
        **values,
        "skills": [skill.strip() for skill in values["skills"].split(";") if skill.strip()],
    }
    typed["cost_cents"] = _number(typed.pop("cost") or "0", line, "cost", say, cents=True)
    typed["weeks"] = _number(values["weeks"], line, "weeks", say) if values["weeks"] else None
    try:
        typed["valid_until"] = date.fromisoformat(values["valid_until"]) if values["valid_until"] else None
    except ValueError:
        say((line, Reason("day", column="valid_until", value=values["valid_until"])))
    words = (values[name] for name in ("title", "provider", "sector", "description", "skills"))
    typed["search_text"] = plain(" ".join(words))
    return typed


def _number(text: str, line: int, name: str, say: Any, *, cents: bool = False) -> int:
    try:
        number = Decimal(text.replace("€", "").replace(",", ".").strip()) * (100 if cents else 1)
        if number < 0 or number != int(number):
            raise InvalidOperation
        return int(number)
    except (InvalidOperation, ValueError, OverflowError):
        say((line, Reason("amount" if cents else "whole", column=name, value=text)))
        return 0
