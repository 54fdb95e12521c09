"""The statistic of an experiment under every redraw, at any constant effect.

Under a constant effect tau the outcomes y - tau x assigned would have been seen whatever the assignment. The sums that
the statistics need are polynomials in tau, so one pass over the bits serves every tau of an inverted interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from analysis.kernels.permute import Bits, Slots, sums_over_members

Array = NDArray[Any]
CACHE_CELLS = 40_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """Sums over two arms for the observed assignment and every redraw, per block.

    `size`, `total` and `assigned` are the participants, the outcome sum and the participants in the treated arm of each
    unit of assignment, shape (units,). `members` holds the bits of the treated and of the control, or of the treated
    only when every draw puts everybody in one of the two.

    `statistic` is "studentized", "difference" or "ranks"; `paired` studentizes by the differences of blocks of two.
    """

    slots: Slots
    members: tuple[Bits, ...]
    observed: tuple[Bits, Bits]
    size: Array
    total: Array
    assigned: Array
    weight: Array
    statistic: str
    paired: bool
    clustered: bool
    tables: Array
    cache: dict[bool, tuple[Array, Array]] = field(default_factory=dict)
    wider: dict[str, Array] = field(default_factory=dict)

    def at(self, tau: float = 0.0) -> tuple[float, Array]:
        """The observed statistic and those of the redraws, NaN where an assignment leaves no estimate."""
        if self.statistic == "ranks" and tau:
            return replace(self, tables=self._made(self.ranked(tau)), cache={}).at()
        found = np.concatenate([self._evaluate(one, zero, tau) for one, zero in self._moments(bool(tau))])
        one, zero = self.seen(bool(tau))
        return float(self._evaluate(one, zero, tau)[0]), found

    def seen(self, shifted: bool = False) -> tuple[Array, Array]:
        """The sums of the observed assignment, each of shape (blocks, 1, c)."""
        tables = self._needed(shifted)
        one, zero = (self._summed(bits, tables) for bits in self.observed)
        return one, zero

    def difference(self) -> float:
        """The observed difference in means, weighted over blocks by size."""
        plain = replace(self, statistic="difference")
        if self.statistic == "ranks":
            plain = replace(plain, tables=self._made(self.total))
        one, zero = plain.seen()
        return float(plain._evaluate(one, zero, 0.0)[0])

    def ranked(self, tau: float = 0.0) -> Array:
        """Ranks of the units' shifted outcomes among those present, zero for the others."""
        out = np.zeros_like(self.total)
        use = self.size > 0
        out[use] = rankdata((self.total - tau * self.assigned)[use])
        return out

    def _moments(self, shifted: bool) -> Iterator[tuple[Array, Array]]:
        """Sums of both arms, each (blocks, draws, c), over all draws at once when they fit, else part by part."""
        if shifted in self.cache:
            yield self.cache[shifted]
            return
        tables = self._needed(shifted)
        draws, B, c = self.members[0].shape[1], int(self.slots.block[-1]) + 1, tables.shape[2] + 1
        whole = draws * B * c * 2 <= CACHE_CELLS
        step = draws if whole else max(1, CACHE_CELLS // (8 * B * c))
        for start in range(0, draws, step):
            one = self._sums(self.members[0], tables, slice(start, start + step))
            if len(self.members) == 2:
                zero = self._sums(self.members[1], tables, slice(start, start + step))
            else:
                zero = self._everybody(tables) - one
            if whole:
                self.cache[shifted] = (one, zero)
            yield one, zero

    def _needed(self, shifted: bool) -> Array:
        if not shifted:
            return self.tables
        if "tables" not in self.wider:  # made when an interval is asked for, not for a p-value alone
            self.wider["tables"] = self._made(self.total, shifts(self.size, self.total, self.assigned, self.clustered))
        return self.wider["tables"]

    def _made(self, total: Array, *more: Array) -> Array:
        """Tables of the variables of these totals, without the number present where the bits count it themselves."""
        columns = np.hstack([variables(self.size, total, self.clustered), *more])
        return self.slots.tables(columns[:, 1:] if self.counted else columns)

    @property
    def counted(self) -> bool:
        """Whether everybody of one block is present, so that the bits of a draw say how many members it has."""
        return self.slots.straight and bool((self.size > 0).all())

    def _sums(self, bits: Bits, tables: Array, part: slice) -> Array:
        whole = part.start == 0 and part.stop >= bits.shape[1]
        return self._summed(bits if whole else np.ascontiguousarray(bits[:, part]), tables)

    def _summed(self, bits: Bits, tables: Array) -> Array:
        found = sums_over_members(bits, tables, self.slots.block)
        if not self.counted:
            return found
        present = np.bitwise_count(bits).sum(axis=0, dtype=np.int64).astype(float)
        return np.concatenate([np.minimum(present, self.size.size)[None, :, None], found], axis=2)

    def _everybody(self, tables: Array) -> Array:
        """Sums over both arms together, which are the same whatever the draw; shape (blocks, 1, c)."""
        return self._summed(np.full((tables.shape[0], 1), 255, dtype=np.uint8), tables)

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
        base = 6 if self.clustered else 3
        m, y, yy = (sums[..., i] for i in range(3))
        n, yn, nn = (sums[..., i] for i in range(3, 6)) if self.clustered else (m, y, m)
        if not tau:
            return self._moments_of(m, n, nn, y, yy, yn)
        z, zy = sums[..., base], sums[..., base + 1]
        zn, zz = (sums[..., base + 2], sums[..., base + 3]) if self.clustered else (z, z)
        return self._moments_of(m, n, nn, y - tau * z, yy - 2 * tau * zy + tau**2 * zz, yn - tau * zn)

    def _moments_of(
        self, m: Array, n: Array, nn: Array, total: Array, square: Array, cross: Array
    ) -> tuple[Array, Array]:
        mean = total / n
        if self.statistic != "studentized":
            return mean, mean
        spread = square - 2 * mean * cross + mean**2 * nn
        spread = np.where(spread <= 1e-11 * np.abs(square), 0.0, spread)
        return mean, m / (m - 1) * spread / n**2


def machine(
    slots: Slots,
    members: tuple[Bits, ...],
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
    return replace(empty, tables=empty._made(values))


def variables(size: Array, total: Array, clustered: bool) -> Array:
    """Per unit: present, T, T² and for clusters N, TN, N²; shape (units, 3 or 6)."""
    parts = [(size > 0).astype(float), total, total**2]
    if clustered:
        parts += [size, total * size, size**2]
    return np.column_stack(parts)


def shifts(size: Array, total: Array, assigned: Array, clustered: bool) -> Array:
    """What a constant effect needs besides: A, TA and for clusters AN, A²; shape (units, 2 or 4)."""
    parts = [assigned, total * assigned]
    if clustered:
        parts += [assigned * size, assigned**2]
    return np.column_stack(parts)
