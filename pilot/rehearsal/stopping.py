"""What looking in between does: how often a pilot would stop at each look, with how many people, and at what cost.

A pilot is taken to stop at the first look that claims an effect on a primary outcome. The application reads every look
at the full level of the plan, so the share of false claims over all looks is what looking costs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilot.protocol import Protocol
from pilot.rehearsal.looks import interim


@dataclass(frozen=True, slots=True)
class Simulated:
    """A share or a mean over trials and its Monte Carlo standard error. Source: Morris, White and Crowther (2019)."""

    value: float
    error: float


def share(hits: Sequence[bool] | np.ndarray) -> Simulated:
    """A share with its binomial error, which never claims certainty when all trials agree."""
    found = np.asarray(hits, float)
    mean, count = float(found.mean()), len(found)
    return Simulated(mean, math.sqrt(max(mean * (1 - mean), 1 / count) / count))


@dataclass(frozen=True, slots=True)
class LookRow:
    """One look over the trials: people allocated when it opens, and how often it opens and is the first to claim.

    `opened` is over both worlds, `people` and `stops` in the assumed world, `false_stops` in the null world.
    """

    look: str
    label: dict[str, str]
    people: float
    opened: Simulated
    stops: Simulated
    false_stops: Simulated


@dataclass(frozen=True, slots=True)
class Stopping:
    """All looks; `claims` and `false_claims` are over all of them, `people` allocated on average when a pilot stops."""

    rows: tuple[LookRow, ...]
    claims: Simulated
    false_claims: Simulated
    people: Simulated
    people_null: Simulated
    closed: dict[str, str]
    spent: bool
    """Whether the looks are read at the levels that a registered spending leaves to them."""


def stopping(protocol: Protocol, trials: dict[Any, list[dict[str, Any]]]) -> Stopping | None:
    """What the looks did in the trials of both worlds; None for a protocol with a single look."""
    if not interim(protocol):
        return None
    firsts = {world: [_first(trial["looks"]) for trial in some] for world, some in trials.items()}
    rows = []
    for look in protocol.looks:
        met = {world: [one for trial in some for one in trial["looks"] if one["look"] == look.name]
               for world, some in trials.items()}  # fmt: skip
        rows.append(
            LookRow(
                look.name,
                dict(look.label),
                float(np.mean([one["people"] for one in met["assumed"]])),
                share([one["claims"] is not None for some in met.values() for one in some]),
                share([claims and name == look.name for name, _, claims in firsts["assumed"]]),
                share([claims and name == look.name for name, _, claims in firsts["null"]]),
            )
        )
    return Stopping(
        tuple(sorted(rows, key=lambda row: row.people)), share([claims for *_, claims in firsts["assumed"]]),
        share([claims for *_, claims in firsts["null"]]), _mean([people for _, people, _ in firsts["assumed"]]),
        _mean([people for _, people, _ in firsts["null"]]), _closed(trials),
        protocol.sample_size.section.looks is not None,
    )  # fmt: skip


def _first(looks: Sequence[dict[str, Any]]) -> tuple[str, int, bool]:
    """Where a pilot stops, with how many people, and whether on a claim: else at its last look."""
    found = next((one for one in looks if one["claims"]), looks[-1])
    return found["look"], found["people"], bool(found["claims"])


def _mean(people: Sequence[int]) -> Simulated:
    return Simulated(float(np.mean(people)), float(np.std(people, ddof=1)) / math.sqrt(len(people)))


def _closed(trials: dict[Any, list[dict[str, Any]]]) -> dict[str, str]:
    """The looks that could not be opened in some trials, with the reason given most often."""
    reasons: dict[str, Counter[str]] = {}
    for trial in (trial for some in trials.values() for trial in some):
        for one in trial["looks"]:
            if one["claims"] is None:
                reasons.setdefault(one["look"], Counter())[one["why"]] += 1
    return {look: found.most_common(1)[0][0] for look, found in reasons.items()}
