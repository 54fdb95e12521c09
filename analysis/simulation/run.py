"""Cutting a simulation into blocks, spreading them over cores or a cluster, and picking up where it stopped.

A block is a fixed number of trials drawn from a stream of its own, so the answer depends on the seed and not on who
computed which block, in what order, or in how many sittings.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd

from analysis.plan import PreAnalysisPlan
from analysis.power.errors import ImpossibleRequest
from analysis.simulation.estimators import Contrast, Estimator, by_kernel, by_trial, has_kernel
from analysis.simulation.world import World
from randomization import Design

__all__ = ["Job", "Piece", "bar", "block_trials", "run"]

_CELLS = 1 << 17
_PIECE = 16
_ROUND = 64
Progress = Callable[[int, int], None]


def block_trials(world: World) -> int:
    """Trials a block: what fits the cache. A function of the world alone, since it fixes the random numbers."""
    return max(1, min(2048, _CELLS // (world.n * (1 + world.covariates))))


class Piece(NamedTuple):
    """Some trials of one block: what is computed, and kept, in one go."""

    block: int
    start: int
    stop: int


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

    @property
    def batched(self) -> bool:
        """Whether a kernel estimates a whole block at once."""
        return not self.general and has_kernel(self.estimator, self.world)

    def piece(self, piece: Piece) -> np.ndarray:
        """Estimates of a piece of a block, shape (trials, contrasts, fields)."""
        world = self.world
        batch = world.batch(self.units, self.design, self.seed, piece.block, block_trials(world))
        if isinstance(self.estimator, str | PreAnalysisPlan) and self.batched:
            return by_kernel(self.estimator, world, batch, self.contrasts, self.alpha, range(piece.start, piece.stop))
        return by_trial(self.estimator, world, batch, self.contrasts, self.alpha, range(piece.start, piece.stop))

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
    pieces = _pieces(trials, block_trials(job.world), job.batched)
    store = None if checkpoint is None else _Store(checkpoint, job.fingerprint())
    done = {} if store is None else store.load(pieces)
    finished = sum(len(found) for found in done.values())
    if progress is not None and done:
        progress(min(finished, trials), trials)
    for piece, found in _compute(job, [piece for piece in pieces if piece not in done], jobs, backend):
        done[piece] = found
        finished += len(found)
        if store is not None:
            store.save(piece, found)
        if progress is not None:
            progress(min(finished, trials), trials)
    return np.concatenate([done[piece] for piece in pieces])


def _pieces(trials: int, size: int, batched: bool) -> list[Piece]:
    """Whole blocks for a kernel; for the general path, whose cost is the estimation, small parts of them.

    Of the last block only the trials that are asked for are estimated.
    """
    step = size if batched else min(size, _PIECE)
    pieces = []
    for block in range(-(-trials // size)):
        last = min(size, trials - block * size)
        pieces += [Piece(block, start, min(start + step, last)) for start in range(0, last, step)]
    return pieces


def _compute(job: Job, todo: list[Piece], jobs: int, backend: str | None) -> Iterator[tuple[Piece, np.ndarray]]:
    if jobs == 1 and backend is None:
        for piece in todo:
            yield piece, job.piece(piece)
        return
    calls = [joblib.delayed(job.piece)(piece) for piece in todo]
    if backend is None:
        found: Any = joblib.Parallel(n_jobs=jobs, return_as="generator")(calls)
        yield from zip(todo, found, strict=True)
        return
    # Backends from outside joblib, such as dask, give everything at the end of a call: so the work goes out in rounds,
    # between which it is kept and shown.
    with _ready(backend), joblib.parallel_config(backend=backend, n_jobs=jobs):
        for start in range(0, len(calls), _ROUND):
            done: Any = joblib.Parallel()(calls[start : start + _ROUND])
            yield from zip(todo[start : start + _ROUND], done, strict=True)


@contextmanager
def _ready(backend: str) -> Iterator[None]:
    """A Dask cluster that can be reached: the client that runs, else the scheduler that Dask's configuration names."""
    if backend != "dask":
        yield
        return
    try:
        import distributed
        from dask.config import get as configured
    except ImportError:
        raise ImpossibleRequest("backend", "'dask' is not installed; install `adviespilot[cluster]`") from None
    try:
        distributed.default_client()
        yield
        return
    except ValueError:
        address = configured("scheduler-address", None)
    if not address:
        raise ImpossibleRequest(
            "backend",
            "no Dask cluster is known; start a `distributed.Client`, or set DASK_SCHEDULER_ADDRESS to its scheduler",
        )
    with distributed.Client(address):
        yield


class _Store:
    """Finished pieces on disk, one file each, written whole or not at all."""

    def __init__(self, folder: Path, fingerprint: str):
        self.folder = Path(folder) / fingerprint[:16]
        self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, pieces: list[Piece]) -> dict[Piece, np.ndarray]:
        """The pieces that are there."""
        paths = {piece: self._path(piece) for piece in pieces}
        return {piece: np.load(path) for piece, path in paths.items() if path.exists()}

    def save(self, piece: Piece, found: np.ndarray) -> None:
        """Keep one piece; the rename makes a half-written file impossible to mistake for one."""
        path = self._path(piece)
        unfinished = path.with_suffix(".tmp.npy")
        np.save(unfinished, found)
        unfinished.rename(path)

    def _path(self, piece: Piece) -> Path:
        return self.folder / f"{piece.block}-{piece.start}-{piece.stop}.npy"


def bar(done: int, total: int) -> None:
    """A progress bar on the error stream."""
    filled = 40 * done // total
    end = "\n" if done >= total else ""
    print(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{total}", end=end, file=sys.stderr, flush=True)
