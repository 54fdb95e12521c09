"""People who look alike: possible sign-ups by one person, for a person to judge. Nobody is ever merged."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pilot.models import Identity, Participant, Pilot


@dataclass(frozen=True, slots=True)
class Alike:
    """People who share a telephone number, an e-mail address, the device on which they signed up, or a name with a date
    of birth. What they share is not told."""

    by: str
    study_ids: tuple[str, ...]


def alike(session: Session, pilot: Pilot) -> Iterator[Alike]:
    """Every group of at least two, by what they share."""
    query = (
        select(Participant.study_id, Identity)
        .join(Identity, Identity.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode)
        .order_by(Participant.id)
    )
    found: dict[str, dict[Any, list[str]]] = {by: defaultdict(list) for by in ("phone", "email", "device", "name")}
    for study_id, known in session.execute(query):
        named = (_plain(known.name), known.birth_date) if known.name and known.birth_date else None
        shared = {"phone": known.phone_hash, "email": known.email_hash, "device": known.device_hash, "name": named}
        for by, value in shared.items():
            if value:
                found[by][value].append(study_id)
    for by, groups in found.items():
        yield from (Alike(by, tuple(people)) for people in groups.values() if len(people) > 1)


def _plain(name: str) -> str:
    """A name without capitals, accents and spaces: as a second sign-up may spell it."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())
