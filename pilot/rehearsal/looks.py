"""The looks of a rehearsed pilot: on which day each opens, and what is known by then.

The rule is that of `pilot.results.permission`, for all days at once: a look opens when its share of the people
allocated so far has answered its wave, has withdrawn, or is past its window. The last look waits until everybody is
settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from pilot.errors import Refused
from pilot.protocol import Protocol
from pilot.protocol_sections import LookSection

LEAVES_AFTER = 40
"""Days from the draw to a withdrawal, in the passage and in every trial."""
ANSWERS_WITHIN = 6
"""Answers come on one of so many days from the opening of a wave."""
NEVER = np.iinfo(np.int64).max


def last(protocol: Protocol) -> LookSection:
    """The look at which a pilot ends: the final one, or the last of those that stand there."""
    return next((look for look in protocol.looks if look.final), protocol.looks[-1])


def interim(protocol: Protocol) -> tuple[LookSection, ...]:
    """The looks before that; Refused when they cannot be rehearsed."""
    found = tuple(look for look in protocol.looks if look is not last(protocol))
    register = next((o.name for o in protocol.plan.outcomes if o.source.register_ is not None), None)
    if found and register is not None:
        raise Refused(
            f"look '{found[0].name}' cannot be rehearsed: a look runs the plan on a freeze, and a freeze holds "
            f"no register, from which '{register}' comes; rehearse "
            "without interim looks, or with outcomes that are asked",
            code="rehearsal",
        )
    return found


@dataclass(frozen=True, slots=True)
class Calendar:
    """When what happened to the people of one trial, as ordinals of days, each (n,); NEVER for what does not happen."""

    arrival: np.ndarray
    left: np.ndarray
    answered: dict[str, np.ndarray]
    closed: dict[str, np.ndarray]

    def opens(self, look: LookSection) -> int:
        """The first day on which the protocol permits this look."""
        settled = np.minimum(np.minimum(self.answered[look.wave], self.left), self.closed[look.wave])
        for day in range(int(self.arrival[0]), int(self.closed[look.wave].max()) + 1):
            here = int(np.searchsorted(self.arrival, day, side="right"))
            if (settled[:here] <= day).sum() >= look.share * here:
                return day
        return int(self.closed[look.wave].max())

    def people(self, day: int) -> int:
        """How many have been allocated by the end of this day."""
        return int(np.searchsorted(self.arrival, day, side="right"))


def calendar(
    protocol: Protocol, left: np.ndarray, answers: dict[str, np.ndarray], rng: np.random.Generator
) -> Calendar:
    """People who arrive evenly over the recruitment; `left` says who withdraws, `answers` who answers each wave."""
    n, recruitment = len(left), protocol.pilot.recruitment
    start, stop = recruitment.start.toordinal(), recruitment.end.toordinal()
    arrival = start + (stop - start) * np.arange(n) // n
    answered, closed = {}, {}
    for wave in protocol.waves[1:]:
        days = {day: wave.on(date.fromordinal(day)) for day in np.unique(arrival).tolist()}
        opens = np.array([days[day].opens_on.toordinal() for day in arrival.tolist()])
        came = opens + rng.integers(0, ANSWERS_WITHIN, n)
        answered[wave.name] = np.where(answers[wave.name], came, NEVER)
        # The day after the last: until then somebody may still answer.
        closed[wave.name] = np.array([days[day].closes_on.toordinal() + 1 for day in arrival.tolist()])
    # The first list is filled in before the draw.
    first = protocol.baseline.name
    answered[first] = closed[first] = arrival
    return Calendar(arrival, np.where(left, arrival + LEAVES_AFTER, NEVER), answered, closed)


def in_turn(protocol: Protocol, when: Calendar) -> Sequence[tuple[LookSection, int]]:
    """The looks in the order in which they open, with their day; the last look on the last day of all."""
    before: list[Any] = sorted(((when.opens(look), place, look) for place, look in enumerate(interim(protocol))))
    return [*((look, day) for day, _, look in before), (last(protocol), NEVER)]
