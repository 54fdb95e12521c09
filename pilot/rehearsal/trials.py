"""One rehearsed trial: the draw, take-up, answers, drop-out, outcomes and the plan, for people of the passage.

The people, in the order of their arrival, are those of the passage drawn anew with replacement. Their arms are derived
one by one by the live allocator under a key of the trial's own; who answers posts one of the finished lists; and what a
freeze makes of those answers is made by the code of the freeze.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.execution import carry_out
from analysis.results import Results
from pilot import dataset, looking, results
from pilot.protocol import OUTREACH, Protocol
from pilot.protocol_sections import LookSection
from pilot.rehearsal.answers import Library
from pilot.rehearsal.looks import NEVER, Calendar, calendar, in_turn, interim, last
from pilot.rehearsal.passage import passage, seen
from pilot.rehearsal.world import Name, World, link
from randomization import live
from surveys.codebook import codebook

EFFECT = ("value", "se", "low", "high", "p", "said")
"""What is kept of each contrast of each outcome; `said` is 1 when the result reads as an effect."""


@dataclass(frozen=True, slots=True)
class Stage:
    """All that a trial needs: the protocol, the worlds, the finished lists, and the people of the passage."""

    protocol: Protocol = field(repr=False)
    worlds: dict[Name, World]
    answers: Library = field(repr=False)
    people: pd.DataFrame = field(repr=False)
    participants: int
    seed: int
    full: bool


def trial(stage: Stage, name: Name, number: int) -> dict[str, Any]:
    """The trial of this number in this world: a function of its arguments and nothing else."""
    if stage.full:
        seed = f"{stage.seed}/{name}/{number}"
        done = passage(stage.protocol, stage.worlds[name], stage.answers, participants=stage.participants, seed=seed)
        looks, lost = done.looks, len(done.findings)
        found = Results.from_dict(done.results)
    else:
        *before, (final, people, found) = list(looked(stage, name, number))
        assert isinstance(found, Results)
        looks, lost = [seen(*one) for one in (*before, (final, people, found))], 0
    return {"world": name, "trial": number, "findings": lost, "looks": looks, **_kept(found)}


Looked = tuple[str, int, Results | str]
"""A look: its name, the people allocated by then, and what it showed or why it cannot be opened."""


def looked(stage: Stage, name: Name, number: int) -> Iterator[Looked]:
    """Every look of this trial in the order in which they open, the last one last."""
    final, counts = last(stage.protocol).name, list[int]()
    for look, data in views(stage, name, number):
        try:
            level, now = None, counts
            if looking.spends(stage.protocol):
                now = [*counts, looking.known(stage.protocol, data)]
                level = looking.level(stage.protocol, now, final=look == final)
            yield look, len(data), carry_out(stage.protocol.plan, data, balance=False, alpha=level)
            # A look that could not be carried out spent nothing.
            counts = now
        except AnalysisError as error:
            if look == final:
                raise
            yield look, len(data), str(error)


def table(stage: Stage, name: Name, number: int) -> pd.DataFrame:
    """The data that this trial would freeze in the end, one row for each person allocated."""
    return deque(views(stage, name, number), maxlen=1)[0][1]


def views(stage: Stage, name: Name, number: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """The data that each look of this trial would freeze, by its name, in the order in which they open.

    A design that learns draws everybody after a look with what that look tells it; all others draw everybody at once.
    """
    protocol, world = stage.protocol, stage.worlds[name]
    rng = np.random.default_rng([stage.seed, list(stage.worlds).index(name), number])
    people, draw = _people(stage, rng), _Draw(protocol, f"{stage.seed}/{name}/{number}")
    if not live.learns(protocol.allocation):
        allocated = _Allocated(stage, world, rng).joined(people, draw)
        yield from ((look.name, allocated.view(when)) for look, when in _looks(protocol, allocated, number))
        return
    # Who answers and when does not hang on the arm, so that the days of the looks are known before the draws.
    allocated = _Allocated(stage, world, rng, answers=world.answering(len(people), rng))
    ahead = _Allocated(stage, world, rng, answers=allocated.answers, base=people)
    for look, when in _looks(protocol, ahead, number):
        upto = len(people) if when is None else when[0].people(when[1])
        allocated = allocated.joined(people.iloc[len(allocated.base) : upto], draw)
        data = allocated.view(when)
        yield look.name, data
        draw.evidence = results.evidence(protocol, data) if when is not None else draw.evidence


When = tuple[Calendar, int] | None
"""The day of a look in the calendar of its trial; None for the end, when everything is known."""


def _looks(protocol: Protocol, allocated: _Allocated, number: int) -> Iterator[tuple[LookSection, When]]:
    if not interim(protocol):
        yield last(protocol), None
        return
    left = (allocated.base["withdrawn"] != "").to_numpy()
    rng = np.random.default_rng([allocated.stage.seed, number, 1])
    when = calendar(protocol, left, allocated.answers, rng)
    for look, day in in_turn(protocol, when):
        yield look, None if day == NEVER else (when, day)


def _people(stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """As many people of the passage as asked for, drawn with replacement, as they were before their draw."""
    follow_ups = [wave.name for wave in stage.protocol.waves[1:]]
    keep = [column for column in stage.people if column.split("__", 1)[0] not in follow_ups]
    outcomes = [outcome.name for outcome in stage.protocol.plan.outcomes]
    rows = rng.integers(0, len(stage.people), stage.participants)
    data = stage.people[keep].iloc[rows].drop(columns=outcomes, errors="ignore").reset_index(drop=True)
    data["study_id"] = [f"R{place:07d}" for place in range(len(data))]
    data["withdrawn"] = data["withdrawn"].fillna("")
    return data


@dataclass(frozen=True, slots=True)
class _Allocated:
    """The people of a trial that have been drawn so far: what is known at once, and what they answer in the end."""

    stage: Stage
    world: World
    rng: np.random.Generator
    base: pd.DataFrame = field(default_factory=pd.DataFrame)
    taken: np.ndarray = field(default_factory=lambda: np.empty(0))
    chosen: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    answers: dict[str, np.ndarray] = field(default_factory=dict)

    def joined(self, people: pd.DataFrame, draw: _Draw) -> _Allocated:
        """With these people behind them, each with an arm, take-up and an outcome."""
        if people.empty:
            return self
        data = people.copy()
        data["arm"], data["probability"] = draw(data)
        arms = data["arm"].tolist()
        taken = self.world.takes_up(arms, self.rng)
        _deliver(data, taken, self.stage.protocol)
        chosen = self.stage.answers.choose(self.world.outcomes(arms, taken, self.rng), self.rng)
        return replace(
            self,
            base=pd.concat([self.base, data]) if len(self.base) else data,
            taken=np.concatenate([self.taken, taken]),
            chosen=np.concatenate([self.chosen, chosen]),
            answers=self.answers or self.world.answering(len(data), self.rng),
        )

    def view(self, when: When) -> pd.DataFrame:
        """What a freeze holds on a day: the people allocated by then, with the lists that they have answered."""
        upto = len(self.base) if when is None else when[0].people(when[1])
        data, protocol = self.base.iloc[:upto].copy(), self.stage.protocol
        if when is not None:
            data.loc[when[0].left[:upto] > when[1], "withdrawn"] = ""
        stays = ~data["withdrawn"].isin(["no_data", "erase"]).to_numpy()
        parts = [data]
        for wave, answers in self.answers.items():
            given = answers[:upto] & stays
            if when is not None:
                given &= when[0].answered[wave][:upto] <= when[1]
            parts.append(_wave(protocol, self.stage.answers, wave, self.chosen, np.flatnonzero(given), data.index))
        whole = pd.concat(parts, axis=1)
        whole = pd.concat([whole, dataset.outcomes(whole, protocol)], axis=1)
        if not self.world.registers:
            return whole
        return link(whole, self.world.from_registers(data["arm"].tolist(), self.taken, self.rng))


class _Draw:
    """The arms, derived as they are live: one person after the other, each stratum with its own state.

    `evidence` is what the last look told a design that learns.
    """

    def __init__(self, protocol: Protocol, seed: str) -> None:
        self.protocol = protocol
        self.evidence: dict[str, list[int]] | None = None
        self.key = hashlib.sha256(f"rehearsal/{seed}/key".encode()).digest()
        self.states: dict[str, tuple[int, Any]] = {}

    def __call__(self, people: pd.DataFrame) -> tuple[list[str], list[float]]:
        design, context = self.protocol.allocation, live.Context(self.protocol.pilot.slug, "live", 1)
        arms, chances = [], []
        wanted = [name for name in (*self.protocol.covariates, OUTREACH) if name in people]
        known = pd.DataFrame({name: [_as_recorded(value) for value in people[name]] for name in wanted})
        for values in known.itertuples(index=False, name=None):
            covariates = dict(zip(wanted, values, strict=True))
            row = "*" if live.scope(design) == "pilot" else live.stratum_label(design, covariates)
            position, state = self.states.get(row, (1, None))
            drawn = live.next_draw(
                design, key=self.key, context=context, stratum=row, position=position,
                state=live.with_evidence(design, state, self.evidence), covariates=covariates,
            )  # fmt: skip
            self.states[row] = position + 1, drawn.state
            arms.append(drawn.arm)
            chances.append(float(drawn.probability))
        return arms, chances


def _as_recorded(value: Any) -> str:
    """A covariate as the screening wrote it down: text, whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _deliver(data: pd.DataFrame, taken: np.ndarray, protocol: Protocol) -> None:
    """What people of each arm got: those who take up in an arm with advice had a talk."""
    advised = {arm.name for arm in protocol.arms if "advice" in arm.components}
    talks = (taken * data["arm"].isin(list(advised)).to_numpy()).astype("int64")
    data["advice_sessions"] = data["advice_taken"] = talks
    data["advice_minutes"] = talks * 60


def _wave(
    protocol: Protocol, answers: Library, wave: str, chosen: np.ndarray, here: np.ndarray, index: pd.Index
) -> pd.DataFrame:
    rows = answers.rows[wave].iloc[chosen[here]].set_index(pd.Index(here))
    found = dataset.wave_frame(rows, wave, codebook(protocol.instrument_of(wave), wave), index)
    return found.loc[:, [column for column in found if column.startswith(f"{wave}__")]]


def _kept(found: Results) -> dict[str, Any]:
    """The numbers of the results that the report needs, as plain JSON."""
    effects: dict[str, list[float] | None] = {}
    for outcome in found.outcomes:
        for one in outcome.contrasts:
            main = one.main
            said = float(one.reading != "unclear")
            p = one.p_corrected if one.p_corrected is not None else one.p
            effects[f"{outcome.name}|{one.treated}|{one.comparison}"] = (
                None if main is None or p is None else [main.value, main.se, main.low, main.high, p, said]
            )
    seen = {f"{o.name}|{arm.arm}": [arm.observed, arm.n] for o in found.outcomes for arm in o.arms}
    return {"effects": effects, "observed": seen, "mismatch": bool(found.sample_ratio.mismatch)}
