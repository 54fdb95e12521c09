"""Looks at outcomes by arm: whether the protocol permits one now, opening it, and what it showed.

Before a permitted look nobody sees outcomes by arm. A statistician outside the team opens the look; that freezes the
data with the arms, carries the locked plan out, and keeps the results beside the fingerprint they obeyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analysis.execution import trial_of
from analysis.measured import measure
from analysis.results import Results
from pilot import dataset, locking, looking
from pilot.errors import Refused
from pilot.events import record
from pilot.models import Allocation, Event, Freeze, Look, Participant, Pilot, Submission
from pilot.protocol import LookSection, Protocol
from randomization import live

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a look may be opened now. `settled` of `total` people have answered its wave or are past its window."""

    look: LookSection
    settled: int
    total: int
    recruiting: bool
    opened: bool

    @property
    def share(self) -> float:
        return self.settled / self.total if self.total else 0.0

    @property
    def granted(self) -> bool:
        enough = self.total > 0 and self.share >= self.look.share
        return enough and not self.opened and not (self.look.final and self.recruiting)

    @property
    def reason(self) -> str:
        if self.opened:
            return "this look was opened already"
        if self.total == 0:
            return "nobody has been allocated yet"
        if self.share < self.look.share:
            return f"{self.settled} of {self.total} people are settled; the protocol asks for {self.look.share:.0%}"
        if self.look.final and self.recruiting:
            return "the final look waits until recruitment is closed"
        return ""


def permission(session: Session, pilot: Pilot, protocol: Protocol, name: str, *, now: datetime) -> Permission:
    """What the protocol says about this look at this moment; raises Refused for an unknown look."""
    look = next((look for look in protocol.looks if look.name == name), None)
    if look is None:
        known = ", ".join(look.name for look in protocol.looks)
        raise Refused(f"the protocol has no look '{name}'; it has {known}", code="not_found")
    wave = protocol.wave(look.wave)
    answered = set(
        session.scalars(
            select(Submission.participant_id)
            .join(Participant, Participant.id == Submission.participant_id)
            .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode, Submission.wave == wave.name)
        )
    )
    rows = session.execute(
        select(Participant.id, Participant.withdrawn, Allocation.allocated_at)
        .join(Allocation, Allocation.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode)
    ).all()
    closed_by = {day: wave.on(day).closes_on < now.date() for day in {row.allocated_at.date() for row in rows}}
    settled = sum(row.id in answered or bool(row.withdrawn) or closed_by[row.allocated_at.date()] for row in rows)
    recruiting = pilot.status == "running" and now.date() <= protocol.pilot.recruitment.end
    return Permission(look, settled, len(rows), recruiting, opened(session, pilot, name) is not None)


def open_look(
    session: Session, pilot: Pilot, protocol: Protocol, name: str, *, folder: Path, statistician_id: int, now: datetime
) -> Look:
    """Opens a permitted look, once. Raises Refused with the reason when the protocol does not permit it now."""
    allowed = permission(session, pilot, protocol, name, now=now)
    if not allowed.granted:
        raise Refused(f"look '{name}' cannot be opened: {allowed.reason}", code="look_not_permitted")
    version, _ = locking.in_force(session, pilot.id)
    row = dataset.freeze(session, pilot, protocol, folder=folder, with_arms=True, actor_id=statistician_id, now=now)
    data = dataset.read_freeze(folder, row)
    read_at: dict[str, Any] = {}
    if looking.spends(protocol):
        counts = [*known_before(session, pilot), looking.known(protocol, data)]
        read_at = {"known": counts[-1], "level": looking.level(protocol, counts, final=allowed.look.final)}
    results = protocol.plan.run(data, created=now.isoformat(), alpha=read_at.get("level"))
    look = Look(
        pilot_id=pilot.id,
        name=name,
        freeze_id=row.id,
        fingerprint=version.fingerprint,
        opened_at=now,
        opened_by=statistician_id,
        results=results.to_dict(),
        evidence=evidence(protocol, data),
    )
    session.add(look)
    record(session, "look_opened", pilot, now=now, actor_id=statistician_id, look=name, freeze=row.number, **read_at)
    session.flush()
    return look


def known_before(session: Session, pilot: Pilot) -> list[int]:
    """How many people's first primary outcome was known at each look that was opened, the first one first."""
    query = select(Event).where(Event.pilot_id == pilot.id, Event.kind == "look_opened").order_by(Event.id)
    return [event.detail["known"] for event in session.scalars(query) if "known" in event.detail]


def evidence(protocol: Protocol, data: pd.DataFrame) -> dict[str, list[int]] | None:
    """What a look tells an adaptive draw: arm -> (successes, failures) on the first primary outcome; else None.

    People whose outcome is not known yet count for neither. Success is what the protocol wants more of.
    """
    if not live.learns(protocol.allocation):
        return None
    outcome = protocol.learns_from
    trial = trial_of(protocol.plan, data)
    found = measure(trial, outcome)
    arms = trial.data[protocol.plan.analysis.columns.arm].to_numpy()
    good = 0.0 if outcome.direction == "lower_is_better" else 1.0
    return {
        arm: [int((found.values[here] == good).sum()), int((found.values[here] == 1.0 - good).sum())]
        for arm in protocol.allocation.names
        for here in [(arms == arm) & found.observed]
    }


def opened(session: Session, pilot: Pilot, name: str) -> Look | None:
    return session.scalar(select(Look).where(Look.pilot_id == pilot.id, Look.name == name))


def level_of(look: Look) -> float:
    """The level at which an opened look is read: what its spending left to it, or that of the plan."""
    return Results.from_dict(look.results).read_at


def level_of_freeze(session: Session, freeze: Freeze) -> float | None:
    """The level of the look that was opened on this freeze; None for a freeze that no look was opened on."""
    look = session.scalar(select(Look).where(Look.freeze_id == freeze.id))
    return None if look is None else level_of(look)


def latest(session: Session, pilot: Pilot) -> tuple[Look, Results] | None:
    """The last look that was opened and what it showed; nothing while outcomes by arm are masked."""
    look = session.scalar(select(Look).where(Look.pilot_id == pilot.id).order_by(Look.id.desc()).limit(1))
    return None if look is None else (look, Results.from_dict(look.results))


def allocated_by_arm(session: Session, pilot: Pilot) -> dict[str, int]:
    """Numbers allocated to each arm; how many is no secret, what became of them is."""
    rows = session.execute(
        select(Allocation.arm, func.count())
        .where(Allocation.pilot_id == pilot.id, Allocation.mode == pilot.mode)
        .group_by(Allocation.arm)
    )
    return {arm: number for arm, number in rows}  # noqa: C416  # a row is no pair to the type checker
