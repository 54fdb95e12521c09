"""Spreading the trials over processes, keeping what is finished, and picking up where a rehearsal stopped.

Each trial follows from the seed, its world and its number alone, so the answer is the same for any number of processes
and in any number of sittings. Finished trials are lines of a file; a line that was cut off is computed again.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from pilot.errors import Refused
from pilot.protocol import Protocol, from_record
from pilot.rehearsal.answers import SETS, Library, library
from pilot.rehearsal.passage import Passage, passage
from pilot.rehearsal.trials import Stage, trial
from pilot.rehearsal.world import WORLDS, Name, World, world_of

VERSION = 2
CHUNK = 5
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: how many people and trials, from which seed, and whether every trial runs everything."""

    participants: int
    trials: int
    seed: int
    full: bool = False

    def __post_init__(self) -> None:
        if self.participants < 40:
            raise Refused(f"participants: {self.participants} are too few to rehearse with; take 40 or more")
        if self.trials < 2:
            raise Refused(f"trials: {self.trials} trial has no error of its own; take 2 or more")


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The passage, every trial of both worlds, and the worlds they took place in."""

    order: Order
    worlds: dict[Name, World]
    answers: Library
    passage: Passage
    trials: dict[Name, list[dict[str, Any]]]


def rehearse(
    protocol: Protocol, order: Order, *, jobs: int = 1, checkpoint: Path | None = None,
    progress: Progress = lambda _what, _done, _of: None,
) -> Rehearsed:  # fmt: skip
    """The whole rehearsal. `jobs` processes (-1: one for each core); `checkpoint` is a folder to resume from.

    Raises Refused when the protocol cannot be rehearsed, with the place.
    """
    worlds: dict[Name, World] = {name: world_of(protocol, name) for name in WORLDS}
    store = _Store(checkpoint, protocol, order)
    noon = datetime.combine(protocol.pilot.recruitment.start, time(12), UTC)
    lists = min(SETS, max(150, 2 * order.participants))
    answers = library(protocol, worlds["assumed"], random.Random(f"{order.seed}/answers"), now=noon, sets=lists)
    done = store.passage()
    if done is None:
        seen = lambda now, of: progress("passage", now, of)  # noqa: E731
        done = passage(
            protocol, worlds["assumed"], answers, participants=order.participants, seed=f"{order.seed}/passage",
            progress=seen,
        )  # fmt: skip
        store.keep_passage(done)
    stage = Stage(protocol, worlds, answers, done.data, order.participants, order.seed, order.full)
    found = {(row["world"], row["trial"]): row for row in store.trials()}
    todo: list[tuple[Name, int]] = [(name, n) for n in range(order.trials) for name in WORLDS if (name, n) not in found]
    of = order.trials * len(WORLDS)
    progress("trials", of - len(todo), of)
    for row in _computed(stage, todo, jobs):
        store.keep(row)
        found[row["world"], row["trial"]] = row
        progress("trials", len(found), of)
    trials: dict[Name, list[dict[str, Any]]] = {w: [found[w, n] for n in range(order.trials)] for w in WORLDS}
    return Rehearsed(order, worlds, answers, done, trials)


def _computed(stage: Stage, todo: list[tuple[Name, int]], jobs: int) -> Iterator[dict[str, Any]]:
    if jobs == 1:
        for name, number in todo:
            yield trial(stage, name, number)
        return
    # A protocol holds compiled expressions that do not travel: its text does, and is read once a process.
    told = (stage.protocol.canonical, stage.protocol.instruments_record())
    rest = (stage.worlds, stage.answers, stage.people, stage.participants, stage.seed, stage.full)
    step = 1 if stage.full else CHUNK
    parts = [todo[start : start + step] for start in range(0, len(todo), step)]
    calls = [joblib.delayed(_travelled)(told, rest, part) for part in parts]
    for rows in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(calls):  # type: ignore[union-attr]
        yield from rows  # type: ignore[misc]


def _travelled(told: tuple[str, Any], rest: tuple[Any, ...], part: list[tuple[Name, int]]) -> list[dict[str, Any]]:
    stage = Stage(from_record(*told), *rest)
    return [trial(stage, name, number) for name, number in part]


class _Store:
    """A folder for one order under one protocol; another order never finds these files."""

    def __init__(self, folder: Path | None, protocol: Protocol, order: Order) -> None:
        asked = {**asdict(order), "trials": 0, "protocol": protocol.fingerprint, "version": VERSION}
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        self.folder = None if folder is None else folder / digest[:16]
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    def passage(self) -> Passage | None:
        if self.folder is None or not (self.folder / "passage.json").is_file():
            return None
        rest = json.loads((self.folder / "passage.json").read_text(encoding="utf-8"))
        return Passage(data=pd.read_parquet(self.folder / "passage.parquet"), **rest)

    def keep_passage(self, done: Passage) -> None:
        """The sentence about the data comes last and whole: without it the passage is made again."""
        if self.folder is None:
            return
        done.data.to_parquet(self.folder / "passage.parquet", index=False)
        rest = {"results": done.results, "flow": done.flow, "findings": done.findings, "notes": done.notes}
        rest |= {"reminded": done.reminded, "looks": done.looks}
        beside = self.folder / "passage.part"
        beside.write_text(json.dumps(rest), encoding="utf-8")
        beside.rename(self.folder / "passage.json")

    def trials(self) -> Iterator[dict[str, Any]]:
        path = None if self.folder is None else self.folder / "trials.jsonl"
        if path is None or not path.is_file():
            return
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, encoding="utf-8")
        for line in whole.splitlines():
            yield json.loads(line)

    def keep(self, row: dict[str, Any]) -> None:
        if self.folder is not None:
            with (self.folder / "trials.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
