"""One rehearsed trial: the draw, take-up, answers, drop-out, outcomes and the plan, for people of the passage.

The people, in the order of their arrival, are those of the passage drawn anew with replacement. Their arms are derived
one by one by the live allocator under a key of the trial's own; who answers posts one of the finished lists; and what a
freeze makes of those answers is made by the code of the freeze.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.execution import carry_out
from analysis.results import Results
from pilot import dataset
from pilot.protocol import OUTREACH, Protocol
from pilot.rehearsal.answers import Library
from pilot.rehearsal.passage import passage
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
        found, lost = Results.from_dict(done.results), len(done.findings)
    else:
        found, lost = carry_out(stage.protocol.plan, table(stage, name, number), balance=False), 0
    return {"world": name, "trial": number, "findings": lost, **_kept(found)}


def table(stage: Stage, name: Name, number: int) -> pd.DataFrame:
    """The data that this trial would freeze, one row for each person allocated."""
    protocol, world = stage.protocol, stage.worlds[name]
    rng = np.random.default_rng([stage.seed, list(stage.worlds).index(name), number])
    follow_ups = [wave.name for wave in protocol.waves[1:]]
    keep = [column for column in stage.people if column.split("__", 1)[0] not in follow_ups]
    outcomes = [outcome.name for outcome in protocol.plan.outcomes]
    rows = rng.integers(0, len(stage.people), stage.participants)
    data = stage.people[keep].iloc[rows].drop(columns=outcomes, errors="ignore").reset_index(drop=True)
    data["study_id"] = [f"R{place:07d}" for place in range(len(data))]
    data["arm"], data["probability"] = _drawn(protocol, data, f"{stage.seed}/{name}/{number}")
    arms = data["arm"].tolist()
    taken = world.takes_up(arms, rng)
    _deliver(data, taken, protocol)
    chosen = stage.answers.choose(world.outcomes(arms, taken, rng), rng)
    stays = ~data["withdrawn"].isin(["no_data", "erase"]).to_numpy()
    parts = [data]
    for wave, answers in world.answering(len(data), rng).items():
        here = np.flatnonzero(answers & stays)
        parts.append(_wave(protocol, stage.answers, wave, chosen, here, data.index))
    data = pd.concat(parts, axis=1)
    data = pd.concat([data, dataset.outcomes(data, protocol)], axis=1)
    return link(data, world.from_registers(arms, taken, rng)) if world.registers else data


def _drawn(protocol: Protocol, people: pd.DataFrame, seed: str) -> tuple[list[str], list[float]]:
    """The arms, derived as they are live: one person after the other, each stratum with its own state."""
    design, key = protocol.allocation, hashlib.sha256(f"rehearsal/{seed}/key".encode()).digest()
    context = live.Context(protocol.pilot.slug, "live", 1)
    states: dict[str, tuple[int, Any]] = {}
    arms, chances = [], []
    wanted = [name for name in (*protocol.covariates, OUTREACH) if name in people]
    known = pd.DataFrame({name: [_as_recorded(value) for value in people[name]] for name in wanted})
    for values in known.itertuples(index=False, name=None):
        covariates = dict(zip(wanted, values, strict=True))
        row = "*" if live.scope(design) == "pilot" else live.stratum_label(design, covariates)
        position, state = states.get(row, (1, None))
        drawn = live.next_draw(
            design, key=key, context=context, stratum=row, position=position, state=state, covariates=covariates
        )
        states[row] = position + 1, drawn.state
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
