"""The statistic of an experiment under every redraw, at any constant effect.

Under a constant effect tau the outcomes y - tau x assigned would have been seen whatever the assignment. The sums that
the statistics need are polynomials in tau, so one pass over the bits serves every tau of an inverted interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from analysis.kernels.permute import Bits, Slots, sums_over_members

Array = NDArray[np.float64]
CACHE_CELLS = 40_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """Sums over two arms for the observed assignment and every redraw, per block.

    `size`, `total` and `assigned` are the participants, the outcome sum and the participants in the treated arm of each
    unit of assignment, shape (units,).

    `statistic` is "studentized", "difference" or "ranks"; `paired` studentizes by the differences of blocks of two.
    """

    slots: Slots
    members: tuple[Bits, Bits]
    observed: tuple[Bits, Bits]
    size: Array
    total: Array
    assigned: Array
    weight: Array
    statistic: str
    paired: bool
    clustered: bool
    tables: Array
    cache: list[tuple[Array, Array]] = field(default_factory=list)

    def at(self, tau: float = 0.0) -> tuple[float, Array]:
        """The observed statistic and those of the redraws, NaN where an assignment leaves no estimate."""
        if self.statistic == "ranks" and tau:
            tables = self.slots.tables(variables(self.size, self.ranked(tau), self.assigned, self.clustered))
            return replace(self, tables=tables, cache=[]).at()
        found = np.concatenate([self._evaluate(one, zero, tau) for one, zero in self._moments()])
        one, zero = self.seen()
        return float(self._evaluate(one, zero, tau)[0]), found

    def seen(self) -> tuple[Array, Array]:
        """The sums of the observed assignment, each of shape (blocks, 1, c)."""
        one, zero = (sums_over_members(bits, self.tables, self.slots.block) for bits in self.observed)
        return one, zero

    def difference(self) -> float:
        """The observed difference in means, weighted over blocks by size."""
        plain = replace(self, statistic="difference", tables=self.slots.tables(
            variables(self.size, self.total, self.assigned, self.clustered)), cache=[])  # fmt: skip
        one, zero = plain.seen()
        return float(plain._evaluate(one, zero, 0.0)[0])

    def ranked(self, tau: float = 0.0) -> Array:
        """Ranks of the units' shifted outcomes among those present, zero for the others."""
        out = np.zeros_like(self.total)
        use = self.size > 0
        out[use] = rankdata((self.total - tau * self.assigned)[use])
        return out

    def _moments(self) -> Iterator[tuple[Array, Array]]:
        if self.cache:
            yield from self.cache
            return
        draws, B, c = self.members[0].shape[1], int(self.slots.block[-1]) + 1, self.tables.shape[2]
        keep = draws * B * c * 2 <= CACHE_CELLS
        step = max(1, CACHE_CELLS // (8 * B * c))
        for start in range(0, draws, step):
            parts = (np.ascontiguousarray(bits[:, start : start + step]) for bits in self.members)
            one, zero = (sums_over_members(bits, self.tables, self.slots.block) for bits in parts)
            if keep:
                self.cache.append((one, zero))
            yield one, zero

    def _evaluate(self, one: Array, zero: Array, tau: float) -> Array:
        used = self.weight > 0
        weight = (self.weight[used] / self.weight.sum())[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean1, var1 = self._arm(one[used], tau)
            mean0, var0 = self._arm(zero[used], tau)
            gaps = weight * (mean1 - mean0)
            value = gaps.sum(axis=0)
            if self.statistic != "studentized":
                return value
            if self.paired:
                B = weight.size
                variance = B / (B - 1) * ((gaps - value / B) ** 2).sum(axis=0)
            else:
                variance = (weight**2 * (var1 + var0)).sum(axis=0)
            flat = np.where(value == 0, 0.0, np.sign(value) * np.inf)
            return np.where(variance == 0, flat, value / np.sqrt(variance))

    def _arm(self, sums: Array, tau: float) -> tuple[Array, Array]:
        """Mean and variance of the mean, each of shape (blocks, draws)."""
        m, y, yy, z, zy = (sums[..., i] for i in range(5))
        n, yn, nn, zn, zz = (sums[..., i] for i in range(5, 10)) if self.clustered else (m, y, m, z, z)
        total = y - tau * z
        mean = total / n
        if self.statistic != "studentized":
            return mean, mean
        square, cross = yy - 2 * tau * zy + tau**2 * zz, yn - tau * zn
        spread = square - 2 * mean * cross + mean**2 * nn
        spread = np.where(spread <= 1e-11 * np.abs(square), 0.0, spread)
        return mean, m / (m - 1) * spread / n**2


def machine(
    slots: Slots,
    members: tuple[Bits, Bits],
    observed: tuple[Bits, Bits],
    units: tuple[Array, Array, Array],
    weight: Array,
    statistic: str,
    paired: bool,
    clustered: bool,
) -> Machine:
    """A Machine with its tables; `units` holds size, total and assigned."""
    size, total, assigned = units
    none = np.zeros((0, 256, 0))
    empty = Machine(slots, members, observed, size, total, assigned, weight, statistic, paired, clustered, none)
    values = empty.ranked() if statistic == "ranks" else total
    return replace(empty, tables=slots.tables(variables(size, values, assigned, clustered)))


def variables(size: Array, total: Array, assigned: Array, clustered: bool) -> Array:
    """Per unit: present, T, T², A, TA, and for clusters N, TN, N², AN, A²; shape (units, 5 or 10)."""
    present = (size > 0).astype(float)
    parts = [present, total, total**2, assigned, total * assigned]
    if clustered:
        parts += [size, total * size, size**2, assigned * size, assigned**2]
    return np.column_stack(parts)
