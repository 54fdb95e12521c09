"""Finished follow-ups of synthetic people, so that a person whose true outcome is known can answer accordingly.

No questionnaire can be turned round from an outcome to the answers behind it. Therefore lists are filled in page by
page as people do, by the code that takes in real pages; the protocol's own expression says which outcome they amount
to; and whoever has that outcome in the rehearsed world gives those answers.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from pilot import dataset
from pilot.errors import Refused
from pilot.journey.answering import Page, flat, instrument_of
from pilot.protocol import Protocol
from pilot.rehearsal.world import World
from pilot.synthetic import Person, filling, people
from surveys import Context, Instrument
from surveys.codebook import Codebook, codebook
from surveys.runner import Accepted, accept

SETS = 600
TRIES = 60
GRID = 4000
Pages = tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """As many complete follow-ups as were filled in; `values` is the outcome each amounts to, (sets,).

    `pages` are the posted pages by wave, `rows` what a freeze would read of them, by wave. When the outcome comes from
    a register `values` are not numbers: answers have nothing to do with it.
    """

    values: np.ndarray
    outcomes: pd.DataFrame = field(repr=False)
    pages: tuple[Mapping[str, Pages], ...] = field(repr=False)
    rows: Mapping[str, pd.DataFrame] = field(repr=False)

    def choose(self, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """For each true outcome a set of answers that amounts to it, (n,): exactly, or for a number the nearest."""
        if np.isnan(self.values).all():
            return rng.integers(0, len(self.values), len(wanted))
        order = np.argsort(self.values, kind="stable")
        sorted_ = self.values[order]
        known = np.unique(sorted_)
        above = (
            np.clip(np.searchsorted(known, wanted), 1, len(known) - 1) if len(known) > 1 else np.zeros(len(wanted), int)
        )
        below = np.maximum(above - 1, 0)
        nearest = np.where(wanted - known[below] <= known[above] - wanted, below, above)
        first = np.searchsorted(sorted_, known[nearest], side="left")
        last = np.searchsorted(sorted_, known[nearest], side="right")
        return order[first + (rng.random(len(wanted)) * (last - first)).astype(int)]

    def expected(self, world: World) -> dict[str, dict[str, float]]:
        """For each outcome of the plan and each arm, the average of the arm's people if it is known of all of them."""
        levels = {name: dict(own.mean) for name, own in world.registers.items()}
        return levels | self._answered(world)

    def _answered(self, world: World) -> dict[str, dict[str, float]]:
        if world.outcome in world.registers:
            return {
                str(name): dict.fromkeys(world.mean, float(mean))
                for name, mean in self.outcomes.mean().to_dict().items()
            }
        if world.binary:
            zero, one = (self.outcomes[self.values == value].mean().to_dict() for value in (0.0, 1.0))
            return {
                name: {arm: float(one[name] * share + zero[name] * (1 - share)) for arm, share in world.mean.items()}
                for name in self.outcomes
            }
        levels = special.ndtri((np.arange(GRID) + 0.5) / GRID)
        means: dict[str, Any] = {}
        for arm, mean in world.mean.items():
            chosen = self.choose(mean + world.sd * levels, np.random.default_rng(0))
            means[arm] = self.outcomes.iloc[chosen].mean()
        return {name: {arm: float(means[arm][name]) for arm in means} for name in self.outcomes}


def library(protocol: Protocol, world: World, rng: random.Random, *, now: datetime, sets: int = SETS) -> Library:
    """Fills in every list `sets` times. Raises Refused when no answers amount to an outcome of the world."""
    for outcome in protocol.plan.outcomes:
        if outcome.source.column is not None:
            raise Refused(
                f"outcome '{outcome.name}' is read from column '{outcome.source.column}' as it stands, and a rehearsal "
                "cannot tell which answers amount to it; write `derive: ${" + outcome.source.column + "}` instead of "
                "`column`, with the codes as numbers",
                code="rehearsal",
            )
    waves = [wave.name for wave in protocol.waves]
    books = {wave: codebook(protocol.instrument_of(wave), wave) for wave in waves}
    pages: list[dict[str, Pages]] = []
    answered: dict[str, list[dict[str, Any]]] = {wave: [] for wave in waves}
    for person in people(rng, sets, today=now.date()):
        own: dict[str, Pages] = {}
        context = context_of(person, now)
        for wave in waves:
            instrument = instrument_of(protocol, wave)
            own[wave], answers = filled(instrument, person, rng, context)
            answered[wave].append(typed(flat(instrument, answers, context), books[wave], now.date()))
        pages.append(own)
    rows = {wave: pd.DataFrame(answered[wave]) for wave in waves}
    index = pd.RangeIndex(sets)
    data = pd.concat([dataset.wave_frame(rows[wave], wave, books[wave], index) for wave in waves], axis=1)
    found = dataset.outcomes(data, protocol)
    if world.outcome in world.registers:
        return Library(np.full(sets, np.nan), found, tuple(pages), rows)
    return _usable(Library(found[world.outcome].to_numpy(float), found, tuple(pages), rows), world)


def _usable(found: Library, world: World) -> Library:
    """Without the people whose answers amount to no outcome at all ("I do not know")."""
    keep = np.flatnonzero(~np.isnan(found.values))
    values = found.values[keep]
    needed = (0.0, 1.0) if world.binary else ()
    absent = [value for value in needed if value not in values]
    if absent or len(np.unique(values)) < 2:
        what = f"{absent[0]:g}" if absent else "more than one value"
        raise Refused(
            f"in {len(found.values)} lists filled in by chance no answers amount to {what} of '{world.outcome}': check "
            "what stands under outcomes.source",
            code="rehearsal",
        )
    rows = {wave: table.iloc[keep].reset_index(drop=True) for wave, table in found.rows.items()}
    outcomes = found.outcomes.iloc[keep].reset_index(drop=True)
    return Library(values, outcomes, tuple(found.pages[place] for place in keep), rows)


def context_of(person: Person, now: datetime) -> Context:
    return Context(today=now.date(), now=now, language=person.language, seed=str(person.number))


def filled(
    instrument: Instrument, person: Person, rng: random.Random, context: Context
) -> tuple[Pages, dict[str, Any]]:
    """The pages that this person posts, and the answers they leave; Refused for a question that no answer satisfies."""
    following = filling(instrument, person, rng, context=context)
    pages: list[Page] = []
    answers: dict[str, Any] = {}
    refusals = 0
    while (page := following(answers)) is not None:
        result = accept(instrument, answers, *page, context=context, language=person.language)
        if isinstance(result, Accepted):
            answers, refusals = dict(result.answers), 0
            pages.append(page)
            continue
        refusals += 1
        if refusals == TRIES:
            told = result.errors[0]
            raise Refused(
                f"no answer drawn for question '{told.question}' of '{instrument.name}' was accepted ({told.message}); "
                "a rehearsal cannot go past it",
                code="rehearsal",
            )
    return tuple(pages), answers


def typed(values: Mapping[str, Any], book: Codebook, day: date) -> dict[str, Any]:
    """One finished list as a freeze reads it: numbers as numbers, everything else as text."""
    row: dict[str, Any] = {"submitted_at": day.isoformat(), "mode": "self", "modes": {}}
    for variable in book.variables:
        if variable.type != "flag" and not variable.repeated:
            value = values.get(variable.question)
            number = variable.type in ("integer", "number")
            row[variable.name] = None if value is None else float(value) if number else str(value)
    return row
