"""High-frequency checks: what a researcher looks at each week while answers come in, to mend what can still be mended.

A flag is a reason to look, never a verdict: nothing here changes or leaves out an answer, and people who look alike are
never merged. Numbers by arm carry blinded letters and no sizes, so that unequal arms do not give themselves away; a
group of fewer than ten people shows no number.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from statistics import mean, median, quantiles
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pilot.models import Allocation, Event, Identity, Message, Participant, Pilot, Submission
from pilot.protocol import Protocol
from surveys import Instrument
from surveys.definition import Question

SMALL = 10
"""Groups of fewer people show no number."""
ENOUGH = 20
"""So many answers make a median or a quartile worth comparing with."""
FAST = 0.5
"""Of the median time: one of the limits of Greszki, Meyer and Schoen (2015, Public Opinion Quarterly 79(2))."""
FENCE = 3.0
"""Quartile distances beyond a quartile: the outer fences of Tukey (1977, Exploratory Data Analysis)."""
BATTERY = 4
"""So many questions in a row with the same answers to choose from are a battery; one answer to all of them is flat."""
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Flag:
    """One finished list that deserves a look, and what was seen: minutes, a question's name, or the answer that stood
    there each time."""

    study_id: str
    wave: str
    what: str


@dataclass(frozen=True, slots=True)
class Alike:
    """People who share a telephone number, an e-mail address, the device on which they signed up, or a name with a date
    of birth. What they share is not told."""

    by: str
    study_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A question that was left open by this share of those who met it."""

    wave: str
    question: str
    share: float


@dataclass(frozen=True, slots=True)
class Interviewer:
    """One interviewer's finished interviews; the numbers are None while there are fewer than ten."""

    user_id: int
    interviews: int
    minutes: float | None
    open_share: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """One arm under a blinded letter: the share of lists answered by wave, and the effort spent on lists that stayed
    open, in messages and calls a list. None where fewer than ten lists stand behind it."""

    letter: str
    answered: Mapping[str, float | None]
    messages: float | None
    calls: float | None


@dataclass(frozen=True, slots=True)
class Checks:
    """Everything that the page shows."""

    lists: int
    fast: tuple[Flag, ...]
    flat: tuple[Flag, ...]
    far: tuple[Flag, ...]
    alike: tuple[Alike, ...]
    skipped: tuple[Skipped, ...]
    interviewers: tuple[Interviewer, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished list, with what the checks need of it."""

    person: int
    study_id: str
    wave: str
    mode: str
    minutes: float
    said: Mapping[str, Any]


def check(session: Session, pilot: Pilot, protocol: Protocol, *, blind: Callable[[str], str], today: date) -> Checks:
    """All checks of the pilot as it stands. `blind` gives a keyed hash of an arm's name: it orders the letters."""
    lists = list(_lists(session, pilot))
    forms = {wave.name: protocol.instrument_of(wave.name) for wave in protocol.waves}
    by_wave: dict[str, list[Finished]] = {wave: [one for one in lists if one.wave == wave] for wave in forms}
    return Checks(
        lists=len(lists),
        fast=tuple(flag for some in by_wave.values() for flag in speeders(some)),
        flat=tuple(flag for wave, some in by_wave.items() for flag in straight(forms[wave], some)),
        far=tuple(flag for wave, some in by_wave.items() for flag in far_out(forms[wave], some)),
        alike=tuple(_alike(session, pilot)),
        skipped=tuple(skip for wave, some in by_wave.items() for skip in left_open(forms[wave], wave, some)),
        interviewers=tuple(_interviewers(session, pilot, forms, lists)),
        groups=tuple(_groups(session, pilot, protocol, blind, today)),
    )


def speeders(lists: Sequence[Finished]) -> Iterator[Flag]:
    """Who took less than half the median time by themselves; nobody while fewer than twenty did."""
    own = [one for one in lists if one.mode == "self"]
    if len(own) < ENOUGH:
        return
    limit = FAST * median(one.minutes for one in own)
    yield from (Flag(one.study_id, one.wave, f"{one.minutes:.1f}") for one in own if one.minutes < limit)


def straight(form: Instrument, lists: Iterable[Finished]) -> Iterator[Flag]:
    """Who gave one and the same answer to every question of a battery."""
    runs = (list(run) for _, run in groupby(form.questions, key=lambda q: q.choices if q.kind == "select_one" else ""))
    batteries = [[q.name for q in run] for run in runs if run[0].choices and len(run) >= BATTERY]
    wide = [names for names in batteries if len(form.lists[form.question(names[0]).choices]) > 2]
    for one in lists:
        for names in wide:
            given = [one.said[name] for name in names if one.said.get(name) is not None]
            if len(given) >= BATTERY and len(set(given)) == 1:
                yield Flag(one.study_id, one.wave, f"{names[0]} … {names[-1]}: {given[0]}")


def far_out(form: Instrument, lists: Sequence[Finished]) -> Iterator[Flag]:
    """Numbers beyond the outer fences of their question: allowed by the form, yet far from everybody else's."""
    for question in form.questions:
        if question.kind not in ("integer", "decimal") or question.calculation:
            continue
        given = [(one, float(one.said[question.name])) for one in lists if _number(one.said.get(question.name))]
        if len(given) < ENOUGH:
            continue
        low, _middle, high = quantiles((value for _one, value in given), n=4)
        span = FENCE * (high - low)
        for one, value in given:
            if span > 0 and not low - span <= value <= high + span:
                yield Flag(one.study_id, one.wave, f"{question.name}: {value:g}")


def left_open(form: Instrument, wave: str, lists: Sequence[Finished]) -> list[Skipped]:
    """The share that left each question open, of those who met it; the largest first, at most ten a wave."""
    found = []
    for question in _asked(form):
        met = [one.said[question.name] for one in lists if question.name in one.said]
        gone = sum(value is None for value in met)
        if len(met) >= SMALL and gone:
            found.append(Skipped(wave, question.name, gone / len(met)))
    return sorted(found, key=lambda skip: -skip.share)[:SMALL]


def _asked(form: Instrument) -> list[Question]:
    return [q for q in form.questions if not q.silent and not q.shown_only and not form.places[q.name].repeats]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _lists(session: Session, pilot: Pilot) -> Iterator[Finished]:
    """The finished lists that may still be used, each in its last revision."""
    query = (
        select(Participant.id, Participant.study_id, Submission)
        .join(Submission, Submission.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode)
        .where(func.coalesce(Participant.withdrawn, "").not_in(("no_data", "erase")))
        .order_by(Submission.participant_id, Submission.wave, Submission.revision)
    )
    latest: dict[Key, Finished] = {}
    for person, study_id, row in session.execute(query):
        first = latest.get((person, row.wave))
        minutes = first.minutes if first else (row.submitted_at - row.started_at).total_seconds() / 60
        latest[person, row.wave] = Finished(person, study_id, row.wave, row.mode, minutes, row.analysed)
    return iter(latest.values())


def _alike(session: Session, pilot: Pilot) -> Iterator[Alike]:
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


def _interviewers(
    session: Session, pilot: Pilot, forms: Mapping[str, Instrument], lists: Iterable[Finished]
) -> Iterator[Interviewer]:
    events = session.scalars(select(Event).where(Event.pilot_id == pilot.id, Event.kind == "contact_attempt"))
    by = {(e.participant_id, e.detail["wave"]): e.actor_id for e in events if e.detail["outcome"] == "completed"}
    held: dict[int, list[Finished]] = defaultdict(list)
    for one in lists:
        actor = by.get((one.person, one.wave))
        if actor is not None and one.mode == "phone":
            held[actor].append(one)
    for actor, some in sorted(held.items()):
        few = len(some) < SMALL
        yield Interviewer(
            actor,
            len(some),
            None if few else median(one.minutes for one in some),
            None if few else mean(_open_share(forms[one.wave], one.said) for one in some),
        )


def _open_share(form: Instrument, said: Mapping[str, Any]) -> float:
    met = [said[q.name] for q in _asked(form) if q.name in said]
    return sum(value is None for value in met) / len(met) if met else 0.0


def _groups(
    session: Session, pilot: Pilot, protocol: Protocol, blind: Callable[[str], str], today: date
) -> Iterator[Group]:
    people = session.execute(
        select(Participant.id, Allocation.arm, Allocation.allocated_at)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode, Participant.withdrawn.is_(None))
    ).all()
    done = _pairs(session, pilot, Submission)
    sent, called = _sent(session, pilot), _called(session, pilot)
    order = sorted((arm.name for arm in protocol.arms), key=blind)
    for letter, arm in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", order, strict=False):
        asked = [
            (person, wave.name)
            for person, own, since in people
            for wave in protocol.waves[1:]
            if own == arm and _has_opened(wave, since, today)
        ]
        still = [key for key in asked if key not in done]
        shares = {
            wave.name: _share([key in done for key in asked if key[1] == wave.name]) for wave in protocol.waves[1:]
        }
        yield Group(letter, shares, _share([sent[key] for key in still]), _share([called[key] for key in still]))


def _has_opened(wave: Any, since: datetime, today: date) -> bool:
    return wave.on(since.date()).status(today) != "early"


def _share(values: Sequence[float]) -> float | None:
    return mean(values) if len(values) >= SMALL else None


def _pairs(session: Session, pilot: Pilot, kind: type[Submission]) -> set[Key]:
    query = select(kind.participant_id, kind.wave).join(Participant).where(Participant.pilot_id == pilot.id)
    return {(person, wave) for person, wave in session.execute(query)}


def _sent(session: Session, pilot: Pilot) -> Counter[Key]:
    query = (
        select(Message.participant_id, Message.wave, func.count())
        .where(Message.pilot_id == pilot.id, Message.wave.is_not(None), Message.status.in_(("sent", "bounced")))
        .group_by(Message.participant_id, Message.wave)
    )
    return Counter({(person or 0, wave or ""): count for person, wave, count in session.execute(query)})


def _called(session: Session, pilot: Pilot) -> Counter[Key]:
    events = session.scalars(select(Event).where(Event.pilot_id == pilot.id, Event.kind == "contact_attempt"))
    return Counter((event.participant_id or 0, event.detail["wave"]) for event in events)
