"""Sample sizes at a desk: the section of a pilot, with some of its numbers changed, and what follows from them.

Knows neither pages nor languages; `pilot.web.design` puts words to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.plan import PreAnalysisPlan
from analysis.planning import Allocation, Forecast, Plan, Size
from analysis.planning.made_up import setting
from analysis.planning.trials import Trials, simulated
from analysis.power.errors import NoSolution, PowerError
from pilot import locking
from pilot.errors import NotYours, Refused
from pilot.models import Pilot, ProtocolVersion
from pilot.protocol import Protocol, from_record


def latest(session: Session, pilot: Pilot) -> Protocol:
    """The protocol that was proposed or locked last; raises NotYours when the pilot has none yet."""
    version = session.scalar(
        select(ProtocolVersion)
        .where(ProtocolVersion.pilot_id == pilot.id)
        .order_by(ProtocolVersion.number.desc())
        .limit(1)
    )
    if version is None:
        raise NotYours("this pilot has no protocol yet")
    return locking.protocol_of(version)


def changed(plan: Plan, numbers: Mapping[str, float], **whole: Any) -> Plan:
    """The plan with assumptions (by dotted name) and keys of the section itself (power, alpha, …) changed.

    Raises SectionError or ImpossibleRequest for a value that cannot be.
    """
    for name, value in numbers.items():
        plan = plan.replace(name, value)
    return Plan.from_dict({**plan.section.model_dump(), **whole}) if whole else plan


@dataclass(frozen=True, slots=True)
class Sized:
    """What a plan asks for: the size, and the power and the smallest effect (None: none is large enough) of `people`
    recruits in an arm of ratio 1.
    """

    plan: Plan
    size: Size
    people: int
    power: float
    smallest: float | None


def sized(plan: Plan, people: int | None = None) -> Sized:
    """Everything of the first outcome; `people` by default what the size asks for. Raises PowerError."""
    size = plan.n()
    count = size.recruited if people is None else people
    try:
        smallest = plan.mde(count, recruited=True).effect
    except NoSolution:
        smallest = None
    return Sized(plan, size, count, plan.power(count, recruited=True), smallest)


def frontier(plan: Plan, budget: float, points: int = 6) -> list[tuple[float, Allocation]]:
    """The best allocation at rising budgets up to half as much again as `budget`; those too small are left out."""
    found = []
    for place in range(1, points + 1):
        money = budget * 1.5 * place / points
        try:
            found.append((money, plan.allocate(money)))
        except PowerError:
            continue
    return found


MOST_TRIALS, FEWEST_TRIALS = 400, 40
"""Simulated pilots of a page: no more than these, and none at all when even these few would hold it up."""

SECONDS = 2.5
"""What a page may spend on simulated pilots."""


def affordable(plan: Plan, analysis: PreAnalysisPlan) -> int:
    """How many pilots a page can simulate while its reader waits; 0 when that is for the command line. PowerError."""
    looks = plan.section.looks
    count = 1 if looks is None else looks.at if isinstance(looks.at, int) else len(looks.at)
    made = setting(plan, plan.model(), plan.n().recruited_by_arm, analysis=analysis, looked=count > 1)
    fit = min(made.within(SECONDS, count) // 10 * 10, MOST_TRIALS)
    return fit if made.batched and fit >= FEWEST_TRIALS else 0


def tried(plan: Plan, analysis: PreAnalysisPlan, *, trials: int | None = None, seed: int = 1) -> Trials | None:
    """The plan on simulated pilots by the registered analysis, at most as many as a page can afford; None for none."""
    most = affordable(plan, analysis)
    if not most:
        return None
    return simulated(plan, seed=seed, trials=most if trials is None else min(trials, most), analysis=analysis)


def in_time(plan: Plan, pace: tuple[float, float, float] | None, weeks: int | None, target: int | None) -> Forecast:
    """Whether enough people come: `pace` is people a week, its low and its high, by default that of the section.

    Raises ImpossibleRequest when neither names a pace, SectionError for one outside its own range.
    """
    section, said = plan.section, plan.section.recruitment
    if pace is not None:
        value, low, high = pace
        rate = {"value": value, "range": (low, high), "source": "stated on the page"}
        whole = {"per_week": rate, "weeks": weeks or (said.weeks if said else 52)}
        enrolment = said.model_dump()["enrolment"] if said else None
        plan = Plan.from_dict({**section.model_dump(), "recruitment": {**whole, "enrolment": enrolment}})
    return plan.forecast(target=target, weeks=weeks)


def as_yaml(plan: Plan) -> str:
    """The section as it stands in a protocol.yaml, to be copied; what is at its default is left out."""
    section = {"sample_size": plan.section.model_dump(mode="json", exclude_defaults=True)}
    return yaml.safe_dump(section, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def fitted(plan: Plan, protocol: Protocol) -> Plan:
    """A plan with other names for arms and outcome, in those of the protocol; raises Refused when they do not match."""
    ours, theirs = [arm.name for arm in plan.section.arms], [arm.name for arm in protocol.arms]
    control = protocol.plan.analysis.control
    theirs = [control, *(name for name in theirs if name != control)]
    ours = [plan.section.control, *(name for name in ours if name != plan.section.control)]
    if len(ours) != len(theirs):
        raise Refused(f"the pilot has {len(theirs)} arms and this sample size {len(ours)}", code="arms_differ")
    outcome = next(o for o in protocol.plan.outcomes if o.family == "primary")
    if (outcome.kind == "binary") != (plan.primary.kind == "binary"):
        raise Refused("the first outcome of the pilot is of another kind", code="outcome_differs")
    plain, names = plan.section.model_dump(), dict(zip(ours, theirs, strict=True))
    for arm in plain["arms"]:
        arm["name"] = names[arm["name"]]
    plain["control"] = control
    plain["outcomes"][0]["name"] = outcome.name
    return Plan.from_dict(plain)


def propose(
    session: Session, pilot: Pilot, plan: Plan, *, author_id: int, reason: str, now: datetime
) -> ProtocolVersion:
    """A proposal in which only the sample size differs; a second person approves it, as any other.

    Raises Refused when the section does not fit the pilot or nothing would change.
    """
    base = latest(session, pilot)
    data = json.loads(base.canonical)
    data["sample_size"] = json.loads(rfc8785.dumps(plan.section.model_dump(mode="json", exclude_defaults=True)))
    protocol = from_record(rfc8785.dumps(data).decode(), base.instruments_record())
    if protocol.fingerprint == base.fingerprint:
        raise Refused("nothing differs from the protocol that was proposed last", code="no_change")
    return locking.propose(session, pilot, protocol, author_id=author_id, reason=reason, now=now)
