"""What every benchmark shares: medians of CPU time, figures with their targets, one way to print and to fail.

Processor time, not the clock on the wall: other work on the machine then slows both sides of a ratio alike. Import
this module before numpy: it sets the BLAS threads to one.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# A benchmark is named after its package and Python looks beside the script first, where it would find itself.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [str(_HERE.parent), *(place for place in sys.path if Path(place or ".").resolve() != _HERE)]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured ratio: `ratio` None when the peer is not installed, `target` None when it is for information."""

    name: str
    ratio: float | None
    target: float | None
    against: str
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the target holds; what has no target or was not measured does not fail."""
        if self.ratio is None or self.target is None:
            return True
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def median_cpu(fn: Callable[[], Any], rounds: int = 5) -> float:
    """Median processor seconds of one call over `rounds`, after one call to warm up; short calls are repeated."""
    start = time.process_time()
    fn()
    once = max(time.process_time() - start, 1e-9)
    repeats = max(1, min(1000, int(0.02 / once)))
    found = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(repeats):
            fn()
        found.append((time.process_time() - start) / repeats)
    return max(statistics.median(found), 1e-9)


def interleaved_cpu(fns: Sequence[Callable[[], Any]], rounds: int = 5) -> list[float]:
    """`median_cpu` of several functions, their rounds taken in turn, so that a busy minute hits all alike."""
    times = [[median_cpu(fn, rounds=1) for fn in fns] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def r_median(setup: str, expression: str, *, package: str, rounds: int = 5, timeout: int = 600) -> float | None:
    """Median user seconds of an R expression, or None when R or the package is not installed."""
    if shutil.which("Rscript") is None:
        return None
    code = (
        f"if (!requireNamespace('{package}', quietly = TRUE)) quit(status = 3)\n"
        f"suppressMessages(library({package})); {setup}\n"
        f"one <- function() sum(system.time({{ {expression} }})[c('user.self', 'sys.self')])\n"
        f"cat(median(sapply(1:{rounds}, function(i) one())))"
    )
    found = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, timeout=timeout, check=False)
    if found.returncode == 3:
        return None
    found.check_returncode()
    return max(float(found.stdout.strip()), 1e-9)


def ratio_of(peer: float | None, ours: float) -> float | None:
    """How many times faster ours is, or None without the peer."""
    return None if peer is None else peer / ours


def report(figures: Sequence[Figure], argv: Sequence[str] | None = None) -> int:
    """Print the figures (a table, or with `--json` one object a line); 1 when a target is missed, else 0."""
    arguments = sys.argv[1:] if argv is None else argv
    if "--json" in arguments:
        for figure in figures:
            print(json.dumps(asdict(figure)))
    else:
        width = max(len(figure.name) for figure in figures)
        for figure in figures:
            value = "not measured" if figure.ratio is None else f"{figure.ratio:12.3g}"
            sign = "at most" if figure.at_most else "at least"
            goal = "" if figure.target is None else f"{sign} {figure.target:g}"
            verdict = "" if figure.met else "  MISSED"
            print(f"{figure.name:<{width}}  {value:>12}  {goal:<16} against {figure.against}{verdict}")
    return 0 if all(figure.met for figure in figures) else 1
