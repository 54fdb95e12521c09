"""What is published for policymakers, and when: never two publications from which a few people could be worked out.

The page does not count live. Every four weeks, and when a look is opened, a publication is prepared: its parts (each
outcome, take-up, reach, recruitment) are put together with the cells of everything published before, and a part that
would tell about too few people is kept back; then the page goes on showing the older numbers of that part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analysis.execution import trial_of
from analysis.measured import measure
from analysis.plan_schema import Outcome
from analysis.uptake import taken_up
from dashboards import cells
from dashboards.disclosure import Rules
from dashboards.publications import PublishedCell, leaks
from dashboards.reach import Stage
from dashboards.result_figures import UNITS
from pilot import dataset, results
from pilot.db import insert_once
from pilot.errors import Refused
from pilot.events import record
from pilot.models import Allocation, Consent, Freeze, Invitee, Look, Participant, Pilot, Publication, Screening
from pilot.protocol import Protocol

EVERY = timedelta(days=28)
"""Between publications of counts: the fewer there are, the less can be subtracted."""
STAGES: tuple[Stage, ...] = ("invited", "opened", "screened", "eligible", "consented", "allocated")
LONGEST = 300
ROUNDING = "rounded_to"
REACH, RECRUITMENT, TAKE_UP = "reach", "recruitment", "take-up"


def of_outcome(name: str) -> str:
    """The name of the part that holds an outcome.

    >>> of_outcome("trained")
    'outcome trained'
    """
    return f"outcome {name}"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the page: what it is drawn from, in plain values, and the cells that readers will know."""

    name: str
    source: Mapping[str, Any]
    cells: Sequence[PublishedCell]
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A part before the check: its source, and its cells as they would be known under some rules of rounding."""

    name: str
    source: Mapping[str, Any]
    cells: Callable[[Rules], Sequence[PublishedCell]]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A publication that is ready to be kept; `number` is the next one, so that only one of two workers keeps it."""

    number: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What readers see of a part, and since when; `held` says why newer numbers were kept back, if they were."""

    part: str
    source: Mapping[str, Any] | None
    made_at: datetime | None
    held: tuple[str, ...] = field(default=())
    held_at: datetime | None = None


def due(session: Session, pilot: Pilot, *, now: datetime) -> bool:
    """Whether it is time: never published, four weeks ago, or a look was opened since."""
    last = session.execute(
        select(Publication.made_at, Publication.look_id)
        .where(Publication.pilot_id == pilot.id)
        .order_by(Publication.number.desc())
        .limit(1)
    ).first()
    return last is None or now >= last.made_at + EVERY or _last_look(session, pilot) != last.look_id


def prepare(session: Session, pilot: Pilot, protocol: Protocol, *, folder: Path, now: datetime) -> Draft:
    """The next publication, checked against every earlier one. Only reads, for the check can take seconds."""
    history, rules = _history(session, pilot), protocol.disclosure
    public = [cell for row in history for part in row.cells.values() for cell in unpacked(part)]
    shown = {part.part: plain(part.source) for part in standing(session, pilot) if part.source is not None}
    parts = []
    for offer in _offers(session, pilot, protocol, folder, now):
        if offer.source == shown.get(offer.name):
            continue
        parts.append(_checked(offer, public, rules))
        if not parts[-1].held:
            public += parts[-1].cells
    return Draft(1 + (history[-1].number if history else 0), tuple(parts))


def _checked(offer: Offer, public: Sequence[PublishedCell], rules: Rules) -> Part:
    """The part as it may be published: rounded as usual, or more coarsely, or kept back with what would leak."""
    found: tuple[str, ...] = (offer.refused,) if offer.refused else ()
    told: Sequence[PublishedCell] = ()
    for base in () if offer.refused else sorted({rules.rounding_base, rules.min_cell}):
        told = offer.cells(rules.model_copy(update={"rounding_base": base}))
        found = tuple(leak.how[:LONGEST] for leak in leaks(_merged([*public, *told]), rules))
        if not found:
            return Part(offer.name, {**offer.source, ROUNDING: base}, told)
    return Part(offer.name, offer.source, told, found)


def plain(source: Mapping[str, Any]) -> dict[str, Any]:
    """What a part is drawn from, without how coarsely it was rounded."""
    return {name: value for name, value in source.items() if name != ROUNDING}


def rounded_as(rules: Rules, source: Mapping[str, Any] | None) -> Rules:
    """The rules under which a published part is shown."""
    return rules.model_copy(update={"rounding_base": (source or {}).get(ROUNDING, rules.rounding_base)})


def publish(session: Session, pilot: Pilot, draft: Draft, *, now: datetime) -> bool:
    """Keeps a publication with its cells; says whether it was new. What was kept back is kept too, with the reason."""
    new = insert_once(
        session,
        Publication,
        pilot_id=pilot.id,
        number=draft.number,
        look_id=_last_look(session, pilot),
        made_at=now,
        parts={part.name: {"source": dict(part.source), "held": list(part.held)} for part in draft.parts},
        cells={part.name: _packed(part.cells) for part in draft.parts if not part.held},
    )
    if not new:
        return False
    held = sorted(part.name for part in draft.parts if part.held)
    shown = sorted(part.name for part in draft.parts if not part.held)
    record(session, "published", pilot, now=now, number=draft.number, parts=shown, kept_back=held)
    return True


def standing(session: Session, pilot: Pilot) -> list[Standing]:
    """Each part that was ever prepared, with what readers see of it now, by name."""
    found: dict[str, Standing] = {}
    for row in _history(session, pilot):
        for name, part in row.parts.items():
            before = found.get(name, Standing(name, None, None))
            if part["held"]:
                found[name] = Standing(name, before.source, before.made_at, tuple(part["held"]), row.made_at)
            else:
                found[name] = Standing(name, part["source"], row.made_at)
    return [found[name] for name in sorted(found)]


def _last_look(session: Session, pilot: Pilot) -> int | None:
    return session.scalar(select(func.max(Look.id)).where(Look.pilot_id == pilot.id))


def _history(session: Session, pilot: Pilot) -> Sequence[Publication]:
    query = select(Publication).where(Publication.pilot_id == pilot.id).order_by(Publication.number)
    return session.scalars(query).all()


def _offers(session: Session, pilot: Pilot, protocol: Protocol, folder: Path, now: datetime) -> Iterator[Offer]:
    """In the order in which they matter: what comes first is not kept back for what comes later."""
    people = _people(session, pilot)
    opened = results.latest(session, pilot)
    if opened is not None:
        yield from _of_look(session, protocol, opened[0], people, folder)
    yield from _reach(session, pilot, protocol, people)
    yield from _recruitment(session, pilot, protocol, people, now)


def _people(session: Session, pilot: Pilot) -> dict[int, str]:
    """A mark for each participant that is also the one of the invitation, so that nobody counts as two."""
    rows = session.execute(
        select(Participant.id, Participant.invitee_id).where(
            Participant.pilot_id == pilot.id, Participant.mode == pilot.mode
        )
    )
    return {person: f"i{invitee}" if invitee is not None else f"p{person}" for person, invitee in rows}


def _reach(session: Session, pilot: Pilot, protocol: Protocol, people: Mapping[int, str]) -> Iterator[Offer]:
    """Who came how far; a stage holds everybody who came further too."""
    arms = {
        arm: _invited(session, pilot, arm) for (arm,) in _arms_invited(session, pilot) if protocol.outreach_arm(arm)
    }
    if not arms:
        return
    steps = {stage: _reached(session, pilot, people, stage) for stage in STAGES[2:]}
    started = set(people.values())
    counted: dict[str, dict[Stage, frozenset[str]]] = {}
    for arm, (invited, opened) in arms.items():
        further: set[str] = set()
        sets: dict[Stage, frozenset[str]] = {}
        for stage in reversed(STAGES[2:]):
            further |= steps[stage] & invited
            sets[stage] = frozenset(further)
        counted[arm] = {"invited": invited, "opened": frozenset(opened | (started & invited) | further), **sets}
    source = {arm: {stage: len(sets[stage]) for stage in STAGES} for arm, sets in counted.items()}
    yield Offer(REACH, source, partial(cells.of_reach, counted))


def _arms_invited(session: Session, pilot: Pilot) -> Sequence[Any]:
    query = select(Invitee.outreach_arm).where(Invitee.pilot_id == pilot.id).distinct().order_by(Invitee.outreach_arm)
    return session.execute(query).all()


def _invited(session: Session, pilot: Pilot, arm: str) -> tuple[frozenset[str], frozenset[str]]:
    """(everybody invited in this way, those of them who opened the invitation)."""
    rows = session.execute(
        select(Invitee.id, Invitee.opened_at).where(Invitee.pilot_id == pilot.id, Invitee.outreach_arm == arm)
    ).all()
    return frozenset(f"i{row.id}" for row in rows), frozenset(f"i{row.id}" for row in rows if row.opened_at)


def _reached(session: Session, pilot: Pilot, people: Mapping[int, str], stage: Stage) -> set[str]:
    query: Any = {
        "screened": select(Screening.participant_id),
        "eligible": select(Screening.participant_id).where(Screening.eligible),
        "consented": select(Consent.participant_id).where(Consent.purpose == "participate", Consent.given),
        "allocated": select(Allocation.participant_id).where(Allocation.pilot_id == pilot.id),
    }[stage]
    return {people[who] for who in session.scalars(query.distinct()) if who in people}


def _recruitment(
    session: Session, pilot: Pilot, protocol: Protocol, people: Mapping[int, str], now: datetime
) -> Iterator[Offer]:
    """People by day, up to this day while recruitment goes on."""
    rows = session.execute(
        select(Allocation.participant_id, Allocation.allocated_at)
        .where(Allocation.pilot_id == pilot.id, Allocation.mode == pilot.mode)
        .order_by(Allocation.allocated_at)
    ).all()
    if not rows:
        return
    came = {people[row.participant_id]: row.allocated_at.date() for row in rows}
    until, a_day = now.date() if pilot.status == "running" else max(came.values()), {}
    for day in came.values():
        a_day[day.isoformat()] = a_day.get(day.isoformat(), 0) + 1
    start = protocol.pilot.recruitment.start
    found = partial(cells.of_recruitment, came, start, until)
    yield Offer(RECRUITMENT, {"arrivals": a_day, "until": until.isoformat()}, found)


def _of_look(
    session: Session, protocol: Protocol, look: Look, people: Mapping[int, str], folder: Path
) -> Iterator[Offer]:
    """The outcomes and the take-up that an opened look showed, from the very freeze behind it."""
    names = [of_outcome(outcome.name) for outcome in protocol.plan.outcomes]
    source = {"look": look.id}
    try:
        frame = dataset.read_freeze(folder, session.get_one(Freeze, look.freeze_id))
    except Refused as error:
        yield from (Offer(name, source, lambda _rules: (), str(error)) for name in (*names, TAKE_UP))
        return
    study_ids = session.execute(select(Participant.study_id, Participant.id).where(Participant.id.in_(list(people))))
    by_study_id = {study_id: people[who] for study_id, who in study_ids}
    trial = trial_of(protocol.plan, frame)
    marks = [by_study_id[study_id] for study_id in frame["study_id"]]
    arm = trial.data[trial.arm].tolist()
    for outcome, name in zip(protocol.plan.outcomes, names, strict=True):
        yield Offer(name, source, _outcome(outcome, protocol, trial, arm, marks))
    taken = taken_up(trial, protocol.plan.analysis)
    if taken is not None:
        groups = {
            each: (
                [who for who, here, took in zip(marks, arm, taken, strict=True) if here == each and took == 1],
                [who for who, here, took in zip(marks, arm, taken, strict=True) if here == each and took == took],
            )
            for each in trial.arms
        }
        yield Offer(TAKE_UP, source, partial(cells.of_shares, groups, "took it up"))


def _outcome(
    outcome: Outcome, protocol: Protocol, trial: Any, arm: Sequence[str], marks: Sequence[str]
) -> Callable[[Rules], list[PublishedCell]]:
    measured = measure(trial, outcome)
    known = list(zip(marks, arm, measured.values.tolist(), measured.observed.tolist(), strict=True))
    by_arm = {each: {who: value for who, at, value, seen in known if at == each and seen} for each in trial.arms}
    here, contrasts = np.asarray(arm), {}
    for treated, comparison in protocol.plan.every_contrast:
        rows = measured.completed(here == treated, here == comparison)[1]
        contrasts[treated, comparison] = [who for who, kept in zip(marks, rows.tolist(), strict=True) if kept]
    unit = UNITS.get(outcome.effective_summary, "number")
    return partial(cells.of_outcome, outcome.name, by_arm, contrasts, unit)


def _merged(published: Sequence[PublishedCell]) -> list[PublishedCell]:
    """The same people published twice are one cell, known as well as the two together tell."""
    found: dict[frozenset[str], PublishedCell] = {}
    for cell in published:
        before = found.get(cell.members)
        if before is not None:
            cell = PublishedCell(before.name, cell.members, max(before.low, cell.low), min(before.high, cell.high))
        found[cell.members] = cell
    return list(found.values())


def _packed(published: Sequence[PublishedCell]) -> dict[str, Any]:
    """Cells as plain values in which everybody stands once, with the others who are in the same cells."""
    inside: dict[str, list[int]] = {}
    for number, cell in enumerate(published):
        for who in cell.members:
            inside.setdefault(who, []).append(number)
    groups: dict[tuple[int, ...], list[str]] = {}
    for who, numbers in sorted(inside.items()):
        groups.setdefault(tuple(numbers), []).append(who)
    named = [[cell.name, cell.low, None if cell.withheld else cell.high] for cell in published]
    return {"cells": named, "people": [[list(numbers), members] for numbers, members in groups.items()]}


def unpacked(part: Mapping[str, Any]) -> list[PublishedCell]:
    """The cells of a part, as they were kept."""
    members: list[set[str]] = [set() for _cell in part["cells"]]
    for numbers, people in part["people"]:
        for number in numbers:
            members[number].update(people)
    ends = ((name, low, float("inf") if high is None else high) for name, low, high in part["cells"])
    return [
        PublishedCell(name, frozenset(who), low, high) for (name, low, high), who in zip(ends, members, strict=True)
    ]


def arrivals_of(source: Mapping[str, Any]) -> tuple[dict[date, int], date]:
    """(allocations a day, the last day counted) from the source of a published recruitment figure."""
    days = {date.fromisoformat(day): int(number) for day, number in cast(Mapping[str, int], source["arrivals"]).items()}
    return days, date.fromisoformat(source["until"])
