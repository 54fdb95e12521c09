"""Each unit's chance of each arm: exact where the mechanism gives it, simulated with its error where it does not."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from randomization.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy as np
    import pandas as pd

    from randomization.design import Design
    from randomization.sequential import Sequential
    from randomization.units import Layout

MOST_STATES = 20_000


def frame_of(design: Design, layout: Layout, *, n: int, seed: int) -> pd.DataFrame:
    """The table that `Design.probabilities` promises."""
    import numpy as np
    import pandas as pd

    known = design.exact_probabilities(layout)
    if known is not None:
        frame = pd.DataFrame(known, index=layout.index, columns=list(design.names))
        frame.attrs.update(exact=True, standard_error=0.0, draws=0)
        return frame
    if n < 2:
        raise DesignError(f"{n} draws cannot estimate a chance", path=("n",), remedy="ask for at least 2")
    hits = np.zeros((layout.n, len(design.arms)), dtype=np.int64)
    step = max(1, min(n, 4_000_000 // layout.n))
    for part, start in enumerate(range(0, n, step)):
        codes = design.codes(layout, min(step, n - start), seed + part)
        for arm in range(len(design.arms)):
            hits[:, arm] += (codes == arm).sum(axis=0)
    share = hits / n
    frame = pd.DataFrame(share, index=layout.index, columns=list(design.names))
    frame.attrs.update(exact=False, standard_error=float(np.sqrt(share * (1 - share) / n).max()), draws=n)
    return frame


def of_sequential(design: Sequential, layout: Layout) -> np.ndarray | None:
    """Marginal chances: the ratio when the design keeps it at every place, else by passing chances along states.

    None when the states are too many, or hang on what `moves` reads of a unit.
    """
    import numpy as np

    if design.keeps_ratio:
        return np.tile(np.array([float(share) for share in design.shares]), (layout.n, 1))
    if design.reads:
        return None
    longest = int(layout.sizes.max())
    line = marginals(design, longest)
    if line is None:
        return None
    result = np.empty((layout.n, len(design.arms)))
    table = np.array([[float(chance) for chance in row] for row in line])
    for rows in layout.in_groups():
        result[rows] = table[: len(rows)]
    return result


def marginals(design: Sequential, n: int) -> list[tuple[Fraction, ...]] | None:
    """Chance of each arm at positions 1 … n of a stratum before anything is drawn, exact."""
    at: dict[Hashable, Fraction] = {design.start(): Fraction(1)}
    line: list[tuple[Fraction, ...]] = []
    for _ in range(n):
        total = [Fraction(0)] * len(design.arms)
        following: dict[Hashable, Fraction] = {}
        for state, chance in at.items():
            for move in design.moves(state):
                total[move.arm] += chance * move.chance
                if move.chance:
                    following[move.after] = following.get(move.after, Fraction(0)) + chance * move.chance
        line.append(tuple(total))
        at = following
        if len(at) * n > MOST_STATES * 10:
            return None
    return line
