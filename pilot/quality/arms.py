"""Response and contact effort by arm, under blinded letters, each with a test that it is the same in every arm.

Letters carry no sizes, so that unequal arms do not give themselves away; fewer than ten lists show no number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import mean
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analysis.errors import ConstantOutcome
from analysis.fieldwork import equal_means
from pilot.models import Allocation, Event, Message, Participant, Pilot, Submission
from pilot.protocol import Protocol
from pilot.quality.lists import SMALL

Key = tuple[int, str]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MESSAGES, ATTEMPTS = "messages", "attempts"
DIFFERS = 0.01
"""Below this p the page says that the arms differ; strict, because it is looked at each week."""
DOUBT = 0.05
"""Below this one it says that they may."""


@dataclass(frozen=True, slots=True)
class Group:
    """One arm under a blinded letter: the share of lists answered by wave, and the effort spent on lists that stayed
    open, in messages and attempts a list. None where fewer than ten lists stand behind it."""

    letter: str
    answered: Mapping[str, float | None]
    messages: float | None
    attempts: float | None


@dataclass(frozen=True, slots=True)
class Same:
    """Whether one thing is the same in every arm: a wave's response, or `messages` or `attempts` a list that stayed
    open. `p` within the strata of the draw; or why there is none."""

    what: str
    p: float | None = None
    statistic: float | None = None
    df: int | None = None
    why: str = ""

    @property
    def differs(self) -> bool:
        return self.p is not None and self.p < DIFFERS


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody who was drawn and has not stopped; `asked` are the waves that have opened."""

    number: int
    arm: str
    stratum: str
    asked: tuple[Key, ...]


def groups(
    session: Session, pilot: Pilot, protocol: Protocol, blind: Callable[[str], str], today: date
) -> tuple[list[Group], list[Same]]:
    """The numbers of each arm, and the tests."""
    people = _people(session, pilot, protocol, today)
    done, sent, tried = _done(session, pilot), _sent(session, pilot), _tried(session, pilot)
    waves = [wave.name for wave in protocol.waves[1:]]
    found = []
    for letter, arm in zip(LETTERS, sorted((arm.name for arm in protocol.arms), key=blind), strict=False):
        asked = [key for person in people if person.arm == arm for key in person.asked]
        still = [key for key in asked if key not in done]
        shares = {wave: _share([key in done for key in asked if key[1] == wave]) for wave in waves}
        found.append(Group(letter, shares, _share([sent[key] for key in still]), _share([tried[key] for key in still])))
    arms = [arm.name for arm in protocol.arms]
    tests = [same(wave, arms, _answered(people, wave, done)) for wave in waves]
    effort = {MESSAGES: sent, ATTEMPTS: tried}
    return found, [*tests, *(same(what, arms, _a_list(people, done, spent)) for what, spent in effort.items())]


def same(what: str, arms: Sequence[str], values: Sequence[tuple[str, str, float]]) -> Same:
    """The test over (arm, stratum, value) of each person; not done with fewer than ten people in an arm."""
    sizes = Counter(arm for arm, _stratum, _value in values)
    if any(sizes[arm] < SMALL for arm in arms):
        return Same(what, why="few_lists")
    try:
        by, strata, numbers = zip(*values, strict=True)
        found = equal_means(numbers, by, strata)
    except ConstantOutcome:
        return Same(what, why="same_for_all")
    return Same(what, found.p, found.statistic, found.df)


def _answered(people: Sequence[_Person], wave: str, done: set[Key]) -> list[tuple[str, str, float]]:
    asked = ((person, (person.number, wave)) for person in people if (person.number, wave) in person.asked)
    return [(person.arm, person.stratum, float(key in done)) for person, key in asked]


def _a_list(people: Sequence[_Person], done: set[Key], spent: Counter[Key]) -> list[tuple[str, str, float]]:
    """What was spent on a list that stayed open, on average over those of a person: persons were drawn, not lists."""
    still = [(person, [spent[key] for key in person.asked if key not in done]) for person in people]
    return [(person.arm, person.stratum, mean(some)) for person, some in still if some]


def _people(session: Session, pilot: Pilot, protocol: Protocol, today: date) -> list[_Person]:
    rows = session.execute(
        select(Participant.id, Allocation.arm, Allocation.epoch, Allocation.stratum, Allocation.allocated_at)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode, Participant.withdrawn.is_(None))
    )
    waves = protocol.waves[1:]
    return [
        _Person(
            number, arm, f"{epoch} {stratum}", tuple((number, w.name) for w in waves if _has_opened(w, since, today))
        )
        for number, arm, epoch, stratum, since in rows
    ]


def _has_opened(wave: Any, since: datetime, today: date) -> bool:
    return wave.on(since.date()).status(today) != "early"


def _share(values: Sequence[float]) -> float | None:
    return mean(values) if len(values) >= SMALL else None


def _done(session: Session, pilot: Pilot) -> set[Key]:
    query = select(Submission.participant_id, Submission.wave).join(Participant).where(Participant.pilot_id == pilot.id)
    return {(person, wave) for person, wave in session.execute(query)}


def _sent(session: Session, pilot: Pilot) -> Counter[Key]:
    query = (
        select(Message.participant_id, Message.wave, func.count())
        .where(Message.pilot_id == pilot.id, Message.wave.is_not(None), Message.status.in_(("sent", "bounced")))
        .group_by(Message.participant_id, Message.wave)
    )
    return Counter({(person or 0, wave or ""): count for person, wave, count in session.execute(query)})


def _tried(session: Session, pilot: Pilot) -> Counter[Key]:
    events = session.scalars(select(Event).where(Event.pilot_id == pilot.id, Event.kind == "contact_attempt"))
    return Counter((event.participant_id or 0, event.detail["wave"]) for event in events)
