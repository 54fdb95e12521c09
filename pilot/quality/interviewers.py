"""What hangs on who asks: numbers of each interviewer, and the share of interviewers in what people say.

Interviewers stand under a number that says nothing, in an order made by a keyed hash. Answers are pooled over arms.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.errors import ConstantOutcome
from analysis.fieldwork import variance_share
from pilot.derivations import Derivation
from pilot.models import Event, Pilot
from pilot.protocol import Protocol
from pilot.quality.lists import SMALL, Finished, open_share
from surveys import Instrument

MODES = ("phone", "desk")
MINUTES, OPEN = "minutes", "open"


@dataclass(frozen=True, slots=True)
class Held:
    """One finished interview, and whose it was."""

    interviewer: int
    one: Finished


@dataclass(frozen=True, slots=True)
class Interviewer:
    """One interviewer's finished interviews; the numbers are None while there are fewer than ten."""

    number: int
    interviews: int
    minutes: float | None
    open_share: float | None


@dataclass(frozen=True, slots=True)
class Effect:
    """The share of the variance of one thing that lies between interviewers with at least ten interviews, and the p of
    the test that it is none; or why there is no share. `what` is `minutes`, `open`, or the name of an outcome."""

    what: str
    interviewers: int
    interviews: int
    share: float | None = None
    p: float | None = None
    why: str = ""


def held(session: Session, pilot: Pilot, lists: Iterable[Finished], blind: Callable[[str], str]) -> list[Held]:
    """The finished interviews by telephone and at the desk, each with the number of who held it."""
    events = session.scalars(select(Event).where(Event.pilot_id == pilot.id, Event.kind == "contact_attempt"))
    by = {(e.participant_id, e.detail["wave"]): e.actor_id for e in events if e.detail["outcome"] == "completed"}
    own = [(by.get((one.person, one.wave)), one) for one in lists if one.mode in MODES]
    order = sorted({actor for actor, _one in own if actor is not None}, key=lambda actor: blind(f"interviewer {actor}"))
    return [Held(order.index(actor) + 1, one) for actor, one in own if actor is not None]


def interviewers(forms: Mapping[str, Instrument], interviews: Iterable[Held]) -> list[Interviewer]:
    """Each interviewer's numbers, in the order of the blinded numbers."""
    by: dict[int, list[Finished]] = defaultdict(list)
    for each in interviews:
        by[each.interviewer].append(each.one)
    return [
        Interviewer(
            number,
            len(some),
            None if len(some) < SMALL else median(one.minutes for one in some),
            None if len(some) < SMALL else mean(open_share(forms[one.wave], one.said) for one in some),
        )
        for number, some in sorted(by.items())
    ]


def effects(
    protocol: Protocol, forms: Mapping[str, Instrument], lists: Sequence[Finished], interviews: Sequence[Held]
) -> list[Effect]:
    """For the time an interview took, for what was left open, and for every outcome that answers give.

    An outcome belongs to who held the interview of the last wave that it is derived from.
    """
    times = [(each, each.one.minutes) for each in interviews]
    gaps = [(each, open_share(forms[each.one.wave], each.one.said)) for each in interviews]
    found = [effect(MINUTES, _within_waves(times)), effect(OPEN, _within_waves(gaps))]
    for outcome in protocol.plan.outcomes:
        if outcome.source.derive is not None:
            values = _outcome(Derivation.of(outcome.source), protocol, lists, interviews)
            found.append(effect(outcome.name, [(each.interviewer, value) for each, value in values]))
    return found


def effect(what: str, values: Sequence[tuple[int, float]]) -> Effect:
    """The share for one thing, of (interviewer, value) pairs; interviewers with fewer than ten are left out."""
    loads = Counter(interviewer for interviewer, _value in values)
    kept = [(interviewer, value) for interviewer, value in values if loads[interviewer] >= SMALL]
    number = len({interviewer for interviewer, _value in kept})
    if number < 2:
        return Effect(what, number, len(kept), why="one_interviewer")
    try:
        found = variance_share([value for _i, value in kept], [interviewer for interviewer, _v in kept])
    except ConstantOutcome:
        return Effect(what, number, len(kept), why="one_value")
    return Effect(what, number, len(kept), share=found.share, p=found.p)


def _within_waves(values: Sequence[tuple[Held, float]]) -> list[tuple[int, float]]:
    """The values less the mean of their wave: a long list is not the work of who asks it."""
    waves: dict[str, list[float]] = defaultdict(list)
    for each, value in values:
        waves[each.one.wave].append(value)
    usual = {wave: mean(some) for wave, some in waves.items()}
    return [(each.interviewer, value - usual[each.one.wave]) for each, value in values]


def _outcome(
    rule: Derivation, protocol: Protocol, lists: Sequence[Finished], interviews: Sequence[Held]
) -> list[tuple[Held, float]]:
    """The outcome of everybody who was interviewed in the last wave of it, where it is known."""
    asked = [wave.name for wave in protocol.waves if any(n.startswith(f"{wave.name}__") for n in rule.references)]
    if not asked:
        return []
    last = [each for each in interviews if each.one.wave == asked[-1]]
    said: dict[int, dict[str, object]] = {each.one.person: dict.fromkeys(rule.references, "") for each in last}
    for one in lists:
        if one.person in said:
            given = {f"{one.wave}__{name}": value for name, value in one.said.items() if value is not None}
            said[one.person].update({name: value for name, value in given.items() if name in rule.references})
    worked = ((each, rule.value(said[each.one.person])) for each in last)
    return [(each, value) for each, value in worked if value is not None]
