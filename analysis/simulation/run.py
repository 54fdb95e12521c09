"""Cutting a simulation into blocks, spreading them over cores or a cluster, and picking up where it stopped.

A block is a fixed number of trials drawn from a stream of its own, so the answer depends on the seed and not on who
computed which block, in what order, or in how many sittings.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from analysis.plan import PreAnalysisPlan
from analysis.power.errors import ImpossibleRequest
from analysis.simulation.estimators import Contrast, Estimator, by_kernel, by_trial, has_kernel
from analysis.simulation.world import World
from randomization import Design

__all__ = ["Job", "bar", "block_trials", "run"]

_CELLS = 1 << 17
Progress = Callable[[int, int], None]


def block_trials(world: World) -> int:
    """Trials a block: what fits the cache. A function of the world alone, since it fixes the random numbers."""
    return max(1, min(2048, _CELLS // (world.n * (1 + world.covariates))))


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a block needs, in a value that can travel to another process."""

    world: World
    design: Design | None
    estimator: str | Estimator | PreAnalysisPlan
    contrasts: tuple[Contrast, ...]
    seed: int
    alpha: float
    general: bool
    units: pd.DataFrame

    def block(self, number: int) -> np.ndarray:
        """Estimates of one block, shape (trials, contrasts, fields)."""
        world = self.world
        batch = world.batch(self.units, self.design, self.seed, number, block_trials(world))
        if isinstance(self.estimator, str) and not self.general and has_kernel(self.estimator, world):
            return by_kernel(self.estimator, world, batch, self.contrasts, self.alpha)
        return by_trial(self.estimator, world, batch, self.contrasts, self.alpha)

    def fingerprint(self) -> str:
        """SHA-256 of what the blocks depend on; a checkpoint of another job is never mistaken for this one."""
        if isinstance(self.estimator, PreAnalysisPlan):
            name = self.estimator.lock().sha256
        elif isinstance(self.estimator, str):
            name = self.estimator
        else:
            raise ImpossibleRequest("checkpoint", "a function has no fingerprint; name an estimator or give a plan")
        parts = [_plain(asdict(self.world)), self.design and self.design.fingerprint, name]
        parts += [list(map(list, self.contrasts)), self.seed, self.alpha, self.general]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def run(
    job: Job,
    trials: int,
    *,
    jobs: int = 1,
    backend: str | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Estimates of `trials` trials, shape (trials, contrasts, fields).

    `jobs` cores through joblib (-1: all); `backend` any of its backends, "dask" with a client running.
    `checkpoint` is a folder in which finished blocks are kept and found again.
    """
    size = block_trials(job.world)
    count = -(-trials // size)
    store = None if checkpoint is None else _Store(checkpoint, job.fingerprint())
    done: dict[int, np.ndarray] = {} if store is None else store.load(count)
    todo = [number for number in range(count) if number not in done]
    if progress is not None and done:
        progress(min(len(done) * size, trials), trials)
    for number, found in _compute(job, todo, jobs, backend):
        done[number] = found
        if store is not None:
            store.save(number, found)
        if progress is not None:
            progress(min(len(done) * size, trials), trials)
    return np.concatenate([done[number] for number in range(count)])[:trials]


def _compute(job: Job, todo: list[int], jobs: int, backend: str | None) -> Iterator[tuple[int, np.ndarray]]:
    if jobs == 1 and backend is None:
        for number in todo:
            yield number, job.block(number)
        return
    parallel = joblib.Parallel(n_jobs=jobs, backend=backend, return_as="list" if backend == "dask" else "generator")
    yield from zip(todo, parallel(joblib.delayed(job.block)(number) for number in todo), strict=True)  # type: ignore[arg-type]


class _Store:
    """Finished blocks on disk, one file each, written whole or not at all."""

    def __init__(self, folder: Path, fingerprint: str):
        self.folder = Path(folder) / fingerprint[:16]
        self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, count: int) -> dict[int, np.ndarray]:
        """The blocks that are there, by number."""
        paths = {number: self.folder / f"{number}.npy" for number in range(count)}
        return {number: np.load(path) for number, path in paths.items() if path.exists()}

    def save(self, number: int, found: np.ndarray) -> None:
        """Keep one block; the rename makes a half-written file impossible to mistake for a block."""
        unfinished = self.folder / f"{number}.tmp.npy"
        np.save(unfinished, found)
        unfinished.rename(self.folder / f"{number}.npy")


def bar(done: int, total: int) -> None:
    """A progress bar on the error stream."""
    filled = 40 * done // total
    end = "\n" if done >= total else ""
    print(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{total}", end=end, file=sys.stderr, flush=True)
