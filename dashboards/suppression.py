"""Withholds cells of a table so that no withheld cell can be worked out from what is shown.

A publication is a set of sums over parts (the inner cells of a table, its row and column totals, the grand total; or
the stages of a funnel). A reader knows every sum that is shown and that no part is negative; what they can derive for
a withheld sum is the smallest and largest value that agree with that, two linear programmes (`feasible`). First the
cells that are too small are withheld, then, by the linear programme of Kelly, Golden and Assad (Networks 1992,
22:397-417) in the form of Fischetti and Salazar (JASA 2000, 95:916-928), the cheapest further cells that let each
withheld one vary by the stated width; then every withheld cell is verified and the step repeated where one fell short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack, vstack

from dashboards.disclosure import Rules
from dashboards.errors import DisclosureError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Sums:
    """What a publication could show: `matrix` (m, n) says which of the n parts each of the m sums adds up.

    `parts` holds the true values, none negative. Raises `DisclosureError` for anything else.

    >>> Sums(np.array([[1, 0], [0, 1], [1, 1]]), np.array([3, 20])).values.tolist()
    [3.0, 20.0, 23.0]
    """

    matrix: Array
    parts: Array
    values: Array = field(init=False)

    def __post_init__(self) -> None:
        matrix, parts = np.asarray(self.matrix, dtype=float), np.asarray(self.parts, dtype=float)
        if matrix.ndim != 2 or parts.shape != (matrix.shape[1],):
            raise DisclosureError("the sums and their parts do not fit together", remedy="Give one value a part.")
        if not np.isin(matrix, (0, 1)).all():
            raise DisclosureError("a sum counts a part other than once", remedy="Use 0 and 1.")
        if not np.isfinite(parts).all() or (parts < 0).any():
            raise DisclosureError("a part of a table is negative or missing", remedy="Counts start at zero.")
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "values", matrix @ parts)


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A sum that must be withheld for its own reason, and what may not be derivable about it.

    A reader's range must reach down to `low` and up to `high` where these are given.
    """

    cell: int
    low: float | None = None
    high: float | None = None


def with_margins(shape: Sequence[int]) -> Array:
    """The matrix of a table of any number of dimensions with all its totals, each dimension's total coming last.

    Rows are in C order over a table one larger in every dimension.

    >>> with_margins((2,)).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    sides = (np.vstack([np.eye(size), np.ones((1, size))]) for size in shape)
    return np.asarray(reduce(np.kron, sides, np.ones((1, 1))), dtype=np.float64)


def protect(sums: Sums, rules: Rules, *, sensitive: Sequence[Sensitive] = ()) -> Mask:
    """Which sums of counts are withheld, shape (m,): too small, sensitive, or needed to protect these.

    The total may be withheld too, when nothing else protects a cell.

    >>> table = np.array([[3, 40, 50], [20, 30, 40], [60, 15, 70]])
    >>> hidden = protect(Sums(with_margins((3, 3)), table.ravel()), Rules()).reshape(4, 4)
    >>> hidden.astype(int).tolist()
    [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    """
    primary = np.array([rules.too_small(round(v)) for v in sums.values])
    return _complete(sums, primary, np.full(sums.values.shape, float(rules.width)), sensitive)


def protect_magnitudes(
    matrix: Array, contributions: Sequence[Sequence[float]], rules: Rules, *, sensitive: Sequence[Sensitive] = ()
) -> Mask:
    """Which sums of amounts are withheld: of fewer people than allowed, or dominated by one or two of them.

    `contributions` holds for each part the non-negative amounts of its people; nobody is in two parts.

    >>> even = [10.0] * 12
    >>> protect_magnitudes(with_margins((3,)), [even, [9.0] * 12, [200.0, *even]], Rules()).tolist()
    [False, True, True, False]
    """
    sums = Sums(matrix, np.array([sum(c) for c in contributions]))
    primary, reasons = np.zeros(len(sums.values), dtype=bool), list(sensitive)
    for cell, row in enumerate(sums.matrix):
        people = [amount for part in np.flatnonzero(row).tolist() for amount in contributions[part]]
        shortfall = rules.dominance_shortfall(people)
        primary[cell] = rules.too_small(len(people))
        if shortfall > 0:
            reasons.append(Sensitive(cell, high=float(sums.values[cell]) + shortfall))
    return _complete(sums, primary, rules.magnitude_width * sums.values, reasons)


def feasible(sums: Sums, hidden: Mask, cell: int) -> tuple[float, float]:
    """The smallest and largest value of a sum that agree with all sums shown; infinite where nothing bounds it.

    >>> sums = Sums(with_margins((2,)), np.array([3, 20]))
    >>> feasible(sums, np.array([True, True, False]), 0)
    (0.0, 23.0)
    """
    target = sums.matrix[cell]
    known = sums.matrix[~hidden], sums.values[~hidden]
    return _extreme(target, known, 1.0), _extreme(target, known, -1.0)


def _extreme(target: Array, known: tuple[Array, Array], sign: float) -> float:
    matrix, values = known
    equal = {"A_eq": csr_array(matrix), "b_eq": values} if len(values) else {}
    found = linprog(sign * target, bounds=(0, None), method="highs", **equal)
    if found.status in (3, 4) and sign < 0:
        return float("inf")
    if found.status != 0:
        raise DisclosureError(f"the range of a withheld cell could not be found: {found.message}")
    return float(sign * found.fun)


def _complete(sums: Sums, primary: Mask, width: Array, sensitive: Sequence[Sensitive]) -> Mask:
    """Adds cells until every withheld one varies as much as it must; each round adds at least one."""
    hidden, needs = primary.copy(), _Needs(sums.values, width, sensitive)
    hidden[[s.cell for s in sensitive]] = True
    checked: set[int] = set()
    while True:
        open_cells = [c for c in np.flatnonzero(hidden) if c not in checked]
        if not open_cells:
            return hidden
        cell = int(max(open_cells, key=lambda c: (primary[c], sums.values[c])))
        low, high = feasible(sums, hidden, cell)
        if needs.met(cell, low, high):
            checked.add(cell)
            continue
        found = [_partners(sums, hidden, cell, change) for change in needs.changes(cell, low, high)]
        hidden = hidden | min(found, key=lambda extra: float(sums.values[extra].sum()))


class _Needs:
    """What must stay possible for each withheld sum."""

    def __init__(self, values: Array, width: Array, sensitive: Sequence[Sensitive]) -> None:
        self.values, self.width = values, width
        self.low = {s.cell: s.low for s in sensitive if s.low is not None}
        self.high = {s.cell: s.high for s in sensitive if s.high is not None}

    def met(self, cell: int, low: float, high: float) -> bool:
        """Whether the derivable range is wide enough and reaches as far as it must."""
        wide = high - low >= self.width[cell] - TOLERANCE
        deep = low <= self.low.get(cell, np.inf) + TOLERANCE
        return bool(wide and deep and high >= self.high.get(cell, -np.inf) - TOLERANCE)

    def changes(self, cell: int, low: float, high: float) -> tuple[float, ...]:
        """By how much the sum must be able to move for the first need not yet met; more than one way is a choice."""
        value, width = float(self.values[cell]), float(self.width[cell])
        if low > self.low.get(cell, np.inf) + TOLERANCE:
            return (self.low[cell] - value,)
        if high < self.high.get(cell, -np.inf) - TOLERANCE:
            return (self.high[cell] - value,)
        down, up = min(value, width), width - (value - low)
        return (-down, up) if value - low < down - TOLERANCE else (up,)


def _partners(sums: Sums, hidden: Mask, cell: int, change: float) -> Mask:
    """The cheapest further sums to withhold so that one sum can differ by `change`; cost is the number of people."""
    matrix = csr_array(sums.matrix)
    seen = np.flatnonzero(~hidden)
    parts = sums.matrix.shape[1]
    cost = np.concatenate([np.zeros(parts), 1.0 + sums.values[seen]])
    slack = eye_array(len(seen), format="csr")
    rows = matrix[seen]
    limits = vstack([hstack([rows, -slack]), hstack([-rows, -slack])])
    fixed = hstack([matrix[[cell]], csr_array((1, len(seen)))])
    bounds = [(-p, None) for p in sums.parts] + [(0, None)] * len(seen)
    found = linprog(
        cost, A_ub=limits, b_ub=np.zeros(2 * len(seen)), A_eq=fixed, b_eq=[change], bounds=bounds,
        method="highs",
    )  # fmt: skip
    if found.status != 0:
        raise DisclosureError(
            "no choice of withheld cells protects this table",
            remedy="Combine categories, or publish the total only.",
        )
    moved = np.zeros(len(hidden), dtype=bool)
    moved[seen[found.x[parts:] > TOLERANCE]] = True
    if not moved.any():
        raise DisclosureError("a withheld cell can still be derived", remedy="Combine categories.")
    return moved
