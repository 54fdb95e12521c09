"""What is true in the rehearsed world: what the arms do, who takes an offer up, and who stops answering.

Everything comes from the protocol's own `sample_size` section, so that the rehearsal asks whether the registered
analysis finds what the pilot is sized for. In the null world the same people take the same offers up, to no effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from analysis.planning.model import FULL
from pilot.errors import Refused
from pilot.protocol import Protocol

Name = Literal["assumed", "null"]
WORLDS: tuple[Name, ...] = ("assumed", "null")


@dataclass(frozen=True, slots=True)
class World:
    """The outcome that the pilot is sized for, and how people behave; every mapping has a value for each arm.

    `mean` is the expected outcome of everybody assigned to an arm (a share from 0 to 1 for a binary outcome), `gain`
    what taking up its offer adds to a person's own outcome, `take_up` the share that does. `answers` is the share
    that still answers each follow-up: people who stop do not come back. `registers` says the same of every outcome
    from a register (of this one too when it is such an outcome), and `linked` of which share the register knows it.
    """

    outcome: str
    binary: bool
    sd: float
    mean: Mapping[str, float]
    gain: Mapping[str, float]
    take_up: Mapping[str, float]
    answers: Mapping[str, float]
    registers: Mapping[str, World] = field(default_factory=dict)
    linked: float = 1.0

    def effect(self, treated: str, comparison: str) -> float:
        """Intention to treat: the difference in the mean outcome of everybody assigned.

        >>> world = World("y", True, 0, {"a": .1, "b": .2}, {"a": 0, "b": .2}, {"a": 0, "b": .5}, {})
        >>> world.effect("b", "a")
        0.1
        """
        return self.mean[treated] - self.mean[comparison]

    def outcomes(self, arms: Sequence[str], taken: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The true outcome of each person, whether or not anybody will ask; `taken` has shape (n,)."""
        gain, take_up, mean = (np.array([by[arm] for arm in arms]) for by in (self.gain, self.take_up, self.mean))
        own = mean + gain * (taken - take_up)
        if self.binary:
            return (rng.random(len(arms)) < own).astype(float)
        return own + self.sd * rng.standard_normal(len(arms))

    def takes_up(self, arms: Sequence[str], rng: np.random.Generator) -> np.ndarray:
        """Whether each person takes up what the arm offers (in the control arm: finds it elsewhere), 0 or 1."""
        return (rng.random(len(arms)) < np.array([self.take_up[arm] for arm in arms])).astype(float)

    def answering(self, people: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """For each follow-up, who answers it: one draw a person, so that who stops stays away."""
        patience = rng.random(people)
        return {wave: patience < share for wave, share in self.answers.items()}

    def from_registers(self, arms: Sequence[str], taken: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What registers hold of these people, by outcome, each (n,); not a number where somebody is not found."""
        found = {}
        for name, own in self.registers.items():
            known = rng.random(len(arms)) < own.linked
            found[name] = np.where(known, own.outcomes(arms, taken, rng), np.nan)
        return found


def link(data: pd.DataFrame, registers: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """A freeze with the columns of the registers beside it, as a closed environment joins them.

    Somebody who asked for no more data is not looked up. A row is a person, in the order of the arrays.
    """
    stays = ~data["withdrawn"].isin(["no_data", "erase"]).to_numpy()
    columns = {name: np.where(stays, values, np.nan) for name, values in registers.items()}
    return pd.concat([data, pd.DataFrame(columns, index=data.index)], axis=1)


def world_of(protocol: Protocol, name: Name) -> World:
    """The world that the protocol assumes, or the same without effects.

    Raises Refused when the sections do not speak of the same arms or outcome, lead to a share outside 0 to 1, or do not
    say what to expect of an outcome from a register.
    """
    section, outcome = protocol.sample_size.section, protocol.sample_size.primary
    known = [o.name for o in protocol.plan.outcomes]
    if outcome.name not in known:
        raise _refused(f"outcomes: '{outcome.name}' is no outcome of the protocol, which has {', '.join(known)}")
    sized = {arm.name: arm for arm in section.arms}
    for arm in protocol.arms:
        if arm.name not in sized:
            raise _refused(f"arms: '{arm.name}' is an arm of the protocol and not sized; add it")
    stated = {one.name for one in section.outcomes}
    registers = {}
    for one in protocol.plan.outcomes:
        if one.source.register_ is None:
            continue
        if one.name not in stated:
            raise _refused(
                f"outcomes: '{one.name}' comes from a register, and nothing says what to expect of it; add it with its "
                "control level and effect"
            )
        if one.kind == "time_to_event":
            raise Refused(
                f"outcome '{one.name}' is a time to an event in a register; sample_size states shares and means, and "
                "no times to draw it from: rehearse without it",
                code="rehearsal",
            )
        registers[one.name] = _world(protocol, one.name, name)
    return replace(_world(protocol, outcome.name, name), registers=registers, answers=_answers(protocol))


def _world(protocol: Protocol, wanted: str, name: Name) -> World:
    """What is true of one outcome of the section."""
    section, model = protocol.sample_size.section, protocol.sample_size.model(wanted)
    outcome, sized = model.outcome, {arm.name: arm for arm in section.arms}
    take_up = {n: model.take_up_control() if n == section.control else model.take_up(a) for n, a in sized.items()}
    control = model.level(section.control, FULL, 1.0)
    if name == "null":
        mean, gain = dict.fromkeys(sized, control), dict.fromkeys(sized, 0.0)
    else:
        on_takers = outcome.effect_on == "takers"
        mean = {n: model.level(n, FULL, 1.0) for n in sized}
        gain = {n: outcome.effect.value * arm.effect_multiple if on_takers else 0.0 for n, arm in sized.items()}
    binary = outcome.kind == "binary"
    for arm in sized if binary else ():
        least = mean[arm] - gain[arm] * take_up[arm]
        if not (0 <= least <= 1 and 0 <= least + gain[arm] <= 1):
            raise _refused(f"outcomes.{outcome.name}.effect: takes the share of arm '{arm}' outside 0 to 1")
    sd = outcome.sd.value if outcome.sd is not None else 0.0
    return World(outcome.name, binary, sd, mean, gain, take_up, {}, linked=1 - _lost(protocol, outcome.measured_by))


def _refused(sentence: str) -> Refused:
    return Refused(f"sample_size.{sentence}", code="rehearsal")


def _answers(protocol: Protocol) -> dict[str, float]:
    """Who still answers each follow-up: down in equal steps to the share that the section expects at the last."""
    registers = {one.name for one in protocol.plan.outcomes if one.source.register_ is not None}
    asked = [one.measured_by for one in protocol.sample_size.section.outcomes if one.name not in registers]
    lost = _lost(protocol, asked[0] if asked else "survey")
    waves = protocol.waves[1:]
    return {wave.name: 1 - lost * (place + 1) / len(waves) for place, wave in enumerate(waves)}


def _lost(protocol: Protocol, source: str) -> float:
    """The share of people whose outcome this source (a line of `attrition`) does not give; none when not stated."""
    stated = protocol.sample_size.section.attrition.get(source)
    return 0.0 if stated is None else stated.value
