"""Speed of batch draws against plain numpy, R's randomizr and the physical limit (raw words made, bytes written).

    python benchmarks/randomization.py [--json]

Strata lie in random order over the units, as in a real file. Ratios above one mean that ours is faster; the share of
the limit is the time to make as many random words as an ideal method needs, and to write the codes, over our time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import log2

from _timing import Figure, interleaved_cpu, r_median, ratio_of, report  # isort: skip - before numpy is loaded

import numpy as np
import pandas as pd

import randomization as rz
from randomization.rounding import multinomial

ARMS = ["control", "advice"]
MILLION = 1_000_000


@dataclass(frozen=True)
class Case:
    """What is drawn, how plain numpy does it, how randomizr does it and how many times faster ours must be."""

    name: str
    units: int
    blocks: int
    draws: int
    target: float


CASES = (
    Case("complete, 1M units", MILLION, 1, 1, 100),
    Case("100 blocks in 1M units", MILLION, 100, 1, 7),
    Case("100,000 blocks in 1M units", MILLION, 100_000, 1, 70),
    Case("1,000 draws of 10,000 units, complete", 10_000, 1, 1_000, 50),
    Case("1,000 draws of 10,000 units, 1,000 blocks", 10_000, 1_000, 1_000, 900),
)


def block_of(case: Case) -> np.ndarray:
    """The block of each unit, in random order."""
    return np.random.default_rng(1).permutation(np.repeat(np.arange(case.blocks), case.units // case.blocks))


def ours(case: Case) -> Callable[[], np.ndarray]:
    """The public call; the layout of the strata is kept by the design, as it is in use."""
    if case.blocks == 1:
        design, units = rz.complete(ARMS), case.units
    else:
        design, units = rz.blocked(ARMS, strata=["block"]), pd.DataFrame({"block": block_of(case)})
    seeds = iter(range(10**9))
    return lambda: design.draws(units, case.draws, seed=next(seeds))


def plain_numpy(case: Case) -> Callable[[], np.ndarray]:
    """What a careful person writes: a permutation, or a sort by block and random number."""
    rng, blocks = np.random.default_rng(1), block_of(case)
    half = np.arange(case.units) % 2

    def complete() -> np.ndarray:
        return np.array([rng.permutation(half) for _ in range(case.draws)], dtype=np.uint8)

    def blocked() -> np.ndarray:
        result = np.empty((case.draws, case.units), dtype=np.uint8)
        for row in result:
            row[np.lexsort((rng.random(case.units), blocks))] = half
        return result

    return complete if case.blocks == 1 else blocked


def limit(case: Case) -> Callable[[], object]:
    """As many raw words as the information drawn, and every code written once."""
    size = case.units // case.blocks
    bits = size if size > 1_000 else log2(multinomial((size // 2, size - size // 2)))
    words = int(case.draws * case.blocks * bits / 64) + 1
    generator = np.random.SFC64(1)
    codes = np.empty((case.draws, case.units), dtype=np.uint8)

    def run() -> object:
        codes.fill(1)
        return generator.random_raw(words)

    return run


def randomizr(case: Case, rounds: int) -> float | None:
    """Median seconds of the R package for the same, or None when it is not installed."""
    setup = f"blocks <- sample(rep(1:{case.blocks}, each = {case.units // case.blocks}))"
    one = f"complete_ra({case.units})" if case.blocks == 1 else "block_ra(blocks = blocks)"
    # A thousand draws take R minutes: fifty are timed, and multiplied.
    timed = min(case.draws, 50)
    found = r_median(setup, f"for (i in 1:{timed}) {one}", package="randomizr", rounds=rounds)
    return None if found is None else found * case.draws / timed


def main(argv: list[str]) -> int:
    """Measure every case and report."""
    figures = []
    for case in CASES:
        own, plain, least = interleaved_cpu([ours(case), plain_numpy(case), limit(case)], rounds=3)
        figures.append(Figure(case.name, ratio_of(randomizr(case, 3), own), case.target, "randomizr (R)"))
        figures.append(Figure(case.name, plain / own, 1.0, "plain numpy"))
        figures.append(Figure(f"{case.name}: share of the limit", least / own, None, "raw words and bytes"))
    return report(figures, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
