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

    def at(self, tau: float = 0.0) -> tuple[float, Array]:
        """The observed statistic and those of the redraws, NaN where an assignment leaves no estimate."""
        if self.statistic == "ranks" and tau:
            tables = self.slots.tables(variables(self.size, self.ranked(tau), self.assigned, self.clustered))
            return replace(self, tables=tables, cache={}).at()
        found = np.concatenate([self._evaluate(one, zero, tau) for one, zero in self._moments(bool(tau))])
        one, zero = self.seen()
        return float(self._evaluate(one, zero, tau)[0]), found

    def seen(self) -> tuple[Array, Array]:
        """The sums of the observed assignment, each of shape (blocks, 1, c)."""
        one, zero = (sums_over_members(bits, self.tables, self.slots.block) for bits in self.observed)
        return one, zero

    def difference(self) -> float:
        """The observed difference in means, weighted over blocks by size."""
        plain = replace(self, statistic="difference", tables=self.slots.tables(
            variables(self.size, self.total, self.assigned, self.clustered)), cache={})  # fmt: skip
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
        draws, B, c = self.members[0].shape[1], int(self.slots.block[-1]) + 1, tables.shape[2]
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
        width = self.tables.shape[2] if shifted else (6 if self.clustered else 3)
        return self.tables if width == self.tables.shape[2] else np.ascontiguousarray(self.tables[..., :width])

    def _sums(self, bits: Bits, tables: Array, part: slice) -> Array:
        chosen = bits if part.start == 0 and part.stop >= bits.shape[1] else np.ascontiguousarray(bits[:, part])
        if not self.slots.straight or not (self.size > 0).all():
            return sums_over_members(chosen, tables, self.slots.block)
        present = np.bitwise_count(chosen).sum(axis=0, dtype=np.int64).astype(float)
        return np.concatenate(
            [present[None, :, None], sums_over_members(chosen, tables[..., 1:], self.slots.block)], axis=2
        )

    def _everybody(self, tables: Array) -> Array:
        """Sums over both arms together, which are the same whatever the draw; shape (blocks, 1, c)."""
        return sums_over_members(np.full((tables.shape[0], 1), 255, dtype=np.uint8), tables, self.slots.block)

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
    return replace(empty, tables=slots.tables(variables(size, values, assigned, clustered)))


def variables(size: Array, total: Array, assigned: Array, clustered: bool) -> Array:
    """Per unit: present, T, T² and for clusters N, TN, N²; then what a shift needs: A, TA and for clusters AN, A²."""
    present = (size > 0).astype(float)
    parts = [present, total, total**2]
    shift = [assigned, total * assigned]
    if clustered:
        parts += [size, total * size, size**2]
        shift += [assigned * size, assigned**2]
    return np.column_stack(parts + shift)
