"""Blocked (stratified) randomization of everybody at once, with misfits rounded without bias."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import Design, Ratio, read_arms, read_columns
from randomization.errors import DesignError, TooManyAllocations, UnitsError
from randomization.kernels import arrange, arrange_alike, patterns, seated, subsets
from randomization.rounding import (
    Table,
    controlled_rounding,
    count_tables,
    multinomial,
    pivotal,
    rounded_tables,
    slack_row,
)
from randomization.streams import SeededStream
from randomization.units import LEFT_OUT, Layout

if TYPE_CHECKING:
    import numpy as np

MISFITS = ("balanced", "stratum", "global", "drop", "error")


@dataclass(frozen=True, slots=True, eq=False)
class SizeClass:
    """Strata of one size: which they are, the whole part of their expected counts and what is left of it."""

    size: int
    strata: np.ndarray
    whole: tuple[int, ...]
    left: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked(Design):
    """See `blocked`."""

    method: ClassVar[str] = "blocked"
    misfits: str = "balanced"

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if self.misfits not in MISFITS:
            raise DesignError(
                f"misfits={self.misfits!r} is not known", path=("misfits",), remedy=f"choose from {', '.join(MISFITS)}"
            )

    def parameters(self) -> dict[str, Any]:
        return {"misfits": self.misfits}

    @property
    def unit(self) -> int:
        """Sum of the ratio in its smallest whole numbers: the size of a set without misfits."""
        return sum(self.weights)

    def size_classes(self, layout: Layout) -> list[SizeClass]:
        """Strata by size, checked against the misfit rule; kept with the layout."""
        import numpy as np

        if "classes" not in layout.notes:
            self._check(layout)
            classes = []
            for size in np.unique(layout.sizes).tolist():
                strata = np.flatnonzero(layout.sizes == size)
                if self.misfits in ("global", "drop"):
                    sets, rest = divmod(size, self.unit)
                    whole = (*(sets * weight for weight in self.weights), rest)
                    classes.append(SizeClass(size, strata, whole, (0,) * len(whole)))
                else:
                    pairs = [divmod(size * weight, self.unit) for weight in self.weights]
                    classes.append(SizeClass(size, strata, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)))
            layout.notes["classes"] = classes
        return layout.notes["classes"]

    def _check(self, layout: Layout) -> None:
        # The second of two stages may find fewer people than arms; that is no mistake of the researcher's.
        if layout.n < len(self.arms) and "unchecked" not in layout.notes:
            raise UnitsError(
                f"{layout.n} units cannot fill {len(self.arms)} arms", remedy="add units or take fewer arms"
            )
        if self.misfits == "error":
            rest = layout.sizes % self.unit
            if rest.any():
                place = int((rest > 0).argmax())
                raise UnitsError(
                    f"stratum {layout.labels[place]!r} has {int(layout.sizes[place])} units, "
                    f"which is not a multiple of {self.unit}",
                    path=self.strata,
                    remedy="choose another misfit rule, such as misfits='balanced'",
                )

    # ---- draw --------------------------------------------------------------------------------------------------

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        import numpy as np

        classes = self.size_classes(layout)
        stream = SeededStream(seed)
        extra = self._extra(classes, n, stream)
        if len(classes) == 1 and layout.order is None:
            return self._pooled(self._arranged(classes[0], extra, 0, n, stream), stream)
        packed = np.empty((n, layout.n), dtype=np.uint8)
        column, seen = 0, 0
        for item in classes:
            width = item.size * len(item.strata)
            packed[:, column : column + width] = self._arranged(item, extra, seen, n, stream)
            column += width
            seen += len(item.strata) if any(item.left) else 0
        # Misfits that are pooled carry one code more until they have an arm.
        codes = len(self.arms) + (self.misfits in ("global", "drop"))
        return self._pooled(seated(packed, self._seats(layout, classes), codes), stream)

    def tallies(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        """Numbers by stratum and arm: the rounded counts, without arranging anybody."""
        import numpy as np

        if self.misfits in ("global", "drop"):
            return Design.tallies(self, layout, n, seed)
        classes = self.size_classes(layout)
        result = np.zeros((n, len(layout.labels), len(self.arms)), dtype=np.int64)
        for item in classes:
            result[:, item.strata] = item.whole
        extra = self._extra(classes, n, SeededStream(seed))
        if extra is not None:
            result[:, [place for item in classes if any(item.left) for place in item.strata]] += extra
        return result

    def _arranged(self, item: SizeClass, extra: np.ndarray | None, seen: int, n: int, stream: SeededStream) -> Any:
        import numpy as np

        rows = n * len(item.strata)
        if extra is None or not any(item.left):
            drawn = arrange_alike(rows, item.whole, stream)
        else:
            more = extra[:, seen : seen + len(item.strata)].reshape(rows, len(self.arms))
            drawn = arrange(np.array(item.whole) + more, stream)
        return drawn.reshape(n, -1)

    def _extra(self, classes: Sequence[SizeClass], n: int, stream: SeededStream) -> np.ndarray | None:
        """Which cells of the strata with misfits are rounded up: 0/1 of shape (n, strata with misfits, arms)."""
        import numpy as np

        lines = [item.left for item in classes if any(item.left) for _ in item.strata]
        if not lines:
            return None
        left = np.array(lines, dtype=np.int64)
        strata, arms = left.shape
        if self.misfits == "stratum" or strata == 1:
            return pivotal(np.tile(left, (n, 1)), self.unit, stream).reshape(n, strata, arms)
        if arms == 2:
            second = _two_arms(left[:, 1], self.unit, n, stream)
            return np.stack([1 - second, second], axis=2)
        words = iter(stream)
        return np.array([controlled_rounding(lines, self.unit, words) for _ in range(n)], dtype=np.int64)

    def _seats(self, layout: Layout, classes: Sequence[SizeClass]) -> np.ndarray:
        """Where each unit stands when the units are laid out by size class, then stratum."""
        import numpy as np

        if "seats" not in layout.notes:
            begins = np.cumsum(layout.sizes) - layout.sizes
            line = np.concatenate([(begins[c.strata][:, None] + np.arange(c.size)).reshape(-1) for c in classes])
            rows = line if layout.order is None else layout.order[line]
            seats = np.empty(layout.n, dtype=np.intp)
            seats[rows] = np.arange(layout.n)
            layout.notes["seats"] = seats
        return layout.notes["seats"]

    def _pooled(self, drawn: np.ndarray, stream: SeededStream) -> np.ndarray:
        """Misfits pooled over the strata and drawn together, or left out; nothing to do for the other rules."""
        import numpy as np

        if self.misfits not in ("global", "drop") or not len(drawn):
            return drawn
        flat = np.ascontiguousarray(drawn).reshape(-1)
        places = np.flatnonzero(flat == len(self.arms))
        if self.misfits == "drop":
            flat[places] = LEFT_OUT
        elif len(places):
            rest = len(places) // len(drawn)
            pairs = [divmod(rest * weight, self.unit) for weight in self.weights]
            left = np.tile([pair[1] for pair in pairs], (len(drawn), 1))
            counts = np.array([pair[0] for pair in pairs]) + pivotal(left, self.unit, stream)
            flat[places] = arrange(counts, stream).reshape(-1)
        return flat.reshape(drawn.shape)

    # ---- what is known exactly ---------------------------------------------------------------------------------

    def exact_probabilities(self, layout: Layout) -> np.ndarray:
        import numpy as np

        self.size_classes(layout)
        shares = np.array([float(share) for share in self.shares])
        if self.misfits != "drop":
            return np.tile(shares, (layout.n, 1))
        kept = (layout.sizes - layout.sizes % self.unit) / layout.sizes
        return kept[layout.group][:, None] * shares

    def outcomes(self, layout: Layout, limit: int) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        if self.n_allocations_of(layout) > limit:
            raise TooManyAllocations(f"there are more than {limit} allocations", remedy="use `draws`")
        for counts, chance in self._count_tables(layout).items():
            ways = [patterns(row) for row in counts]
            share = chance
            for table in ways:
                share /= len(table)
            for combination in product(*ways):
                yield from self._filled(layout, combination, share)

    def _count_tables(self, layout: Layout) -> dict[Table, Fraction]:
        """Counts of each stratum with the chance of that table (arms, and misfits where they are pooled)."""
        import numpy as np

        whole = np.zeros((len(layout.sizes), len(self.size_classes(layout)[0].whole)), dtype=np.int64)
        left = np.zeros_like(whole)
        for item in self.size_classes(layout):
            whole[item.strata], left[item.strata] = item.whole, item.left
        lines = [tuple(row) for row in left.tolist()]
        uneven = [place for place, row in enumerate(lines) if any(row)]
        if self.misfits == "stratum":
            tables = {(): Fraction(1)}
            for place in uneven:
                alone = rounded_tables([lines[place]], self.unit)
                tables = {(*a, *b): p * q for a, p in tables.items() for b, q in alone.items()}
        else:
            tables = rounded_tables([lines[place] for place in uneven], self.unit) if uneven else {(): Fraction(1)}
        result: dict[Table, Fraction] = {}
        for table, chance in tables.items():
            counts = whole.copy()
            for place, row in zip(uneven, table, strict=True):
                counts[place] += row
            result[tuple(tuple(row) for row in counts.tolist())] = chance
        return result

    def _filled(
        self, layout: Layout, combination: Iterable[Any], share: Fraction
    ) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        import numpy as np

        codes = np.empty(layout.n, dtype=np.uint8)
        for rows, drawn in zip(layout.in_groups(), combination, strict=True):
            codes[rows] = drawn
        places = np.flatnonzero(codes == len(self.arms))
        if self.misfits == "drop" or not len(places):
            codes[places] = LEFT_OUT
            yield tuple(codes.tolist()), share
            return
        pool = Blocked(arms=self.arms)
        for counts, chance in pool._pool_tables(len(places)).items():
            table = patterns(counts)
            for drawn in table:
                codes[places] = drawn
                yield tuple(codes.tolist()), share * chance / len(table)

    def _pool_tables(self, rest: int) -> dict[tuple[int, ...], Fraction]:
        pairs = [divmod(rest * weight, self.unit) for weight in self.weights]
        left = tuple(pair[1] for pair in pairs)
        tables = rounded_tables([left], self.unit) if any(left) else {((0,) * len(left),): Fraction(1)}
        return {
            tuple(pair[0] + more for pair, more in zip(pairs, table[0], strict=True)): chance
            for table, chance in tables.items()
        }

    def n_allocations(self, units: Any) -> int:
        return self.n_allocations_of(self.layout(units))

    def n_allocations_of(self, layout: Layout) -> int:
        """`n_allocations` of units already laid out."""
        rows: list[list[tuple[tuple[int, ...], int]]] = []
        for item in self.size_classes(layout):
            rows += [self._ways(item)] * len(item.strata)
        if self.misfits in ("drop", "error", "stratum"):
            total = 1
            for ways in rows:
                total *= sum(count for _, count in ways)
            return total
        n = layout.n if self.misfits == "balanced" else int((layout.sizes % self.unit).sum())
        allowed = []
        for weight in self.weights:
            low, rest = divmod(n * weight, self.unit)
            allowed.append({low, low + (rest > 0)})
        return count_tables(rows, allowed)

    def _ways(self, item: SizeClass) -> list[tuple[tuple[int, ...], int]]:
        """Counts a stratum of this size may have (for pooled misfits: counts of its misfits), with their ways."""
        if self.misfits == "drop":
            return [(item.whole, multinomial(item.whole))]
        if self.misfits == "global":
            whole, rest = item.whole[:-1], item.whole[-1]
            parts = [part for part in product(range(rest + 1), repeat=len(whole)) if sum(part) == rest]
            return [(part, multinomial([a + b for a, b in zip(whole, part, strict=True)])) for part in parts]
        up = sum(item.left) // self.unit
        found = []
        for more in product(*((0, 1) if value else (0,) for value in item.left)):
            if sum(more) == up:
                counts = tuple(a + b for a, b in zip(item.whole, more, strict=True))
                found.append((counts, multinomial(counts)))
        return found


def _two_arms(left: np.ndarray, unit: int, n: int, stream: SeededStream) -> np.ndarray:
    """Which strata give their misfit place to the second arm: 0/1 of shape (n, strata)."""
    import numpy as np

    slack = slack_row([[int(value)] for value in left], unit)[0]
    places = np.append(left, slack) if slack else left
    if bool((places == places[0]).all()):
        # Strata that are alike in everything are exchangeable, so the rounding is a uniform choice among them.
        chosen = int(places.sum()) // unit
        return subsets(n, len(places), np.full(n, chosen), stream)[:, : len(left)].astype(np.int64)
    return pivotal(np.tile(places, (n, 1)), unit, stream)[:, : len(left)]


def blocked(ratio: Ratio, *, strata: Sequence[str] = (), misfits: str = "balanced") -> Blocked:
    """Complete randomization within strata, everybody at once; any number of arms, any ratio.

    Units that do not fit the ratio ("misfits") are handled by rule: "balanced" (Cox's unbiased controlled rounding:
    every stratum and every arm total is the floor or ceiling of its expectation), "stratum" (rounded within each
    stratum by itself), "global" (whole sets first; the misfits of all strata pooled and drawn together), "drop" (the
    misfits, chosen at random, are left out) or "error". Every unit's chance is exactly the ratio (under "drop": that
    times the chance of staying in).

    Raises `UnitsError` for missing columns or values, more arms than units, and misfits under "error". Sources:
    Cox, J Am Stat Assoc 1987, 82:520-524; Carril, Stata Journal 2017, 17:652-667, for the other rules.

    >>> import pandas as pd
    >>> d = blocked({"control": 1, "advice": 2}, strata=["region"])
    >>> d.draw(pd.DataFrame({"region": ["n", "n", "n", "z", "z", "z"]}), seed=7).value_counts().to_dict()
    {'advice': 4, 'control': 2}
    """
    return Blocked(arms=read_arms(ratio), strata=read_columns(strata), misfits=misfits)
