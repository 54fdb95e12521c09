"""Lottery: more applicants than places. The offer made first is what is analysed; the others wait in ranked order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import Arm, Design, read_columns
from randomization.errors import DesignError, TooManyAllocations, UnitsError
from randomization.rounding import controlled_rounding, multinomial, rounded_tables
from randomization.streams import SeededStream, below, shuffled
from randomization.units import Layout

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

WAITING, OFFER = "waiting list", "offer"
LARGEST_EXACT = 12


@dataclass(frozen=True, slots=True)
class Refill:
    """A place given on: the applicant who declined, the next on the waiting list, and the order in which it happened.

    It never changes the offer made first, which is what is analysed.
    """

    sequence: int
    stratum: str
    declined: Any
    offered_to: Any
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lottery(Design):
    """See `lottery`. Arm 0 is the waiting list (the control group), arm 1 the offer."""

    method: ClassVar[str] = "lottery"
    places: int | tuple[tuple[str, int], ...] = 0
    tickets: str | None = None

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        numbers = [("", self.places)] if isinstance(self.places, int) else list(self.places)
        for label, number in numbers:
            if isinstance(number, bool) or not isinstance(number, int) or number < (0 if label else 1):
                raise DesignError(
                    f"{number!r} places{f' in stratum {label!r}' if label else ''} cannot be drawn",
                    path=("places", label) if label else ("places",),
                    remedy="give a whole number of places",
                )
        if not isinstance(self.places, int) and not self.strata:
            raise DesignError(
                "places are given by stratum, but no stratum is named", path=("strata",), remedy="name the columns"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        return self.strata if self.tickets is None else (*self.strata, self.tickets)

    @property
    def numbers(self) -> tuple[str, ...]:
        return () if self.tickets is None else (self.tickets,)

    def to_dict(self) -> dict[str, Any]:
        form: dict[str, Any] = {
            "method": self.method,
            "places": self.places if isinstance(self.places, int) else dict(self.places),
        }
        if self.strata:
            form["strata"] = list(self.strata)
        return form | ({} if self.tickets is None else {"tickets": self.tickets})

    # ---- places and tickets ------------------------------------------------------------------------------------

    def _weights(self, layout: Layout) -> list[int] | None:
        if self.tickets is None:
            return None
        column = layout.columns[self.tickets]
        values = []
        for unit, value in column.items():
            if isinstance(value, bool) or value != value or int(value) != value or int(value) < 1:
                raise UnitsError(
                    f"column {self.tickets!r} holds {value!r} tickets for unit {unit!r}",
                    path=(self.tickets,),
                    remedy="give every applicant a whole number of tickets, at least 1",
                )
            values.append(int(value))
        return values

    def _shares(self, layout: Layout) -> tuple[list[int], list[int], int]:
        """Whole places of each stratum, what is left in 1/unit, and the unit; checked against the applicants."""
        sizes = layout.sizes.tolist()
        if isinstance(self.places, int):
            if self.places >= layout.n:
                raise UnitsError(
                    f"{layout.n} applicants for {self.places} places",
                    remedy="no lottery is needed; give fewer places than applicants",
                )
            pairs = [divmod(self.places * size, layout.n) for size in sizes]
            return [pair[0] for pair in pairs], [pair[1] for pair in pairs], layout.n
        given = dict(self.places)
        for label, size in zip(layout.labels, sizes, strict=True):
            if label not in given:
                raise UnitsError(
                    f"stratum {label!r} has no number of places", path=("places",), remedy="add it to `places`"
                )
            if given[label] > size:
                raise UnitsError(
                    f"stratum {label!r} has {given[label]} places for {size} applicants",
                    path=("places", label),
                    remedy="give at most as many places as applicants",
                )
        unknown = [label for label in given if label not in layout.labels]
        if unknown:
            raise UnitsError(
                f"no applicant is in stratum {unknown[0]!r}", path=("places", unknown[0]), remedy="correct its name"
            )
        return [given[label] for label in layout.labels], [0] * len(sizes), 1

    def _drawn_places(self, layout: Layout, words: Iterator[int]) -> list[int]:
        whole, left, unit = self._shares(layout)
        if not any(left):
            return whole
        # The strata's shares of the places are rounded together, so that exactly `places` are given out.
        table = controlled_rounding([tuple(left)], unit, words)
        return [number + more for number, more in zip(whole, table[0], strict=True)]

    # ---- draw --------------------------------------------------------------------------------------------------

    def _order(self, layout: Layout, seed: int, draw: int) -> tuple[list[list[int]], list[int]]:
        """Rows of each stratum in the order drawn, and the places of each."""
        words = iter(SeededStream(seed, draw))
        places = self._drawn_places(layout, words)
        tickets = self._weights(layout)
        groups = [rows.tolist() for rows in layout.in_groups()]
        if tickets is None:
            return [shuffled(words, rows) for rows in groups], places
        return [_by_tickets(words, rows, tickets) for rows in groups], places

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        import numpy as np

        result = np.zeros((n, layout.n), dtype=np.uint8)
        for draw in range(n):
            for order, number in zip(*self._order(layout, seed, draw), strict=True):
                result[draw, order[:number]] = 1
        return result

    def rank(self, units: pd.DataFrame | int, seed: int) -> pd.DataFrame:
        """The drawn order: stratum, rank within it, the arm of `draw` with this seed, place on the waiting list.

        >>> lottery(1).rank(3, seed=1).sort_values("rank")["waiting"].tolist()
        [0, 1, 2]
        """
        import numpy as np
        import pandas as pd

        layout = self.layout(units)
        rank, waiting = np.zeros(layout.n, dtype=np.int64), np.zeros(layout.n, dtype=np.int64)
        for order, number in zip(*self._order(layout, seed, 0), strict=True):
            rank[order] = np.arange(1, len(order) + 1)
            waiting[order] = np.maximum(rank[order] - number, 0)
        return pd.DataFrame(
            {
                "stratum": [layout.labels[place] for place in layout.group],
                "rank": rank,
                "arm": np.where(waiting == 0, OFFER, WAITING),
                "waiting": waiting,
            },
            index=layout.index,
        )

    def refill(self, ranking: pd.DataFrame, declined: Sequence[Any]) -> list[Refill]:
        """Who is offered each declined place, in the order of declining: the next on the stratum's waiting list.

        `ranking` is what `rank` gave. Somebody offered a refill may decline too. Raises `UnitsError` for an applicant
        without an offer; a place that nobody waits for is simply not given on.
        """
        waiting = dict(zip(ranking.index.tolist(), ranking["waiting"].tolist(), strict=True))
        strata = dict(zip(ranking.index.tolist(), ranking["stratum"].tolist(), strict=True))
        lists = {
            stratum: iter(sorted((u for u in waiting if waiting[u] and strata[u] == stratum), key=waiting.__getitem__))
            for stratum in set(strata.values())
        }
        holders = {unit for unit, place in waiting.items() if place == 0}
        found: list[Refill] = []
        for unit in declined:
            if unit not in holders:
                raise UnitsError(
                    f"unit {unit!r} holds no offer to decline", path=("declined",), remedy="name those offered a place"
                )
            holders.discard(unit)
            stratum = strata[unit]
            following = next(lists[stratum], None)
            if following is not None:
                holders.add(following)
                found.append(Refill(len(found) + 1, stratum, unit, following, int(ranking["rank"].at[following])))
        return found

    # ---- what is known exactly ---------------------------------------------------------------------------------

    def exact_probabilities(self, layout: Layout) -> np.ndarray | None:
        import numpy as np

        whole, left, unit = self._shares(layout)
        if self.tickets is not None and (any(left) or int(layout.sizes.max()) > LARGEST_EXACT):
            return None
        offer = np.empty(layout.n)
        tickets = self._weights(layout)
        for place, rows in enumerate(layout.in_groups()):
            if tickets is None:
                offer[rows] = (whole[place] + left[place] / unit) / len(rows)
            else:
                sets = first_sets(tuple(tickets[row] for row in rows), whole[place])
                offer[rows] = [
                    float(sum((chance for chosen, chance in sets.items() if k in chosen), Fraction(0)))
                    for k in range(len(rows))
                ]
        return np.column_stack([1 - offer, offer])

    def n_allocations(self, units: Any) -> int:
        return self._count(self.layout(units))

    def _count(self, layout: Layout) -> int:
        total = 0
        for places in self._place_tables(layout):
            ways = 1
            for size, number in zip(layout.sizes.tolist(), places, strict=True):
                ways *= multinomial((number, size - number))
            total += ways
        return total

    def _place_tables(self, layout: Layout) -> dict[tuple[int, ...], Fraction]:
        whole, left, unit = self._shares(layout)
        tables = rounded_tables([tuple(left)], unit) if any(left) else {((0,) * len(left),): Fraction(1)}
        return {tuple(a + b for a, b in zip(whole, table[0], strict=True)): chance for table, chance in tables.items()}

    def outcomes(self, layout: Layout, limit: int) -> Iterable[tuple[tuple[int, ...], Fraction]]:
        tickets = self._weights(layout)
        groups = [rows.tolist() for rows in layout.in_groups()]
        if max(len(rows) for rows in groups) > (LARGEST_EXACT if tickets else 20):
            raise TooManyAllocations("the lottery has too many applicants to list", remedy="use `draws`")
        if self._count(layout) > limit:
            raise TooManyAllocations(f"there are more than {limit} allocations", remedy="use `draws`")
        for places, chance in self._place_tables(layout).items():
            parts = [
                list(first_sets(tuple(1 if tickets is None else tickets[row] for row in rows), number).items())
                for rows, number in zip(groups, places, strict=True)
            ]
            for combination in product(*parts):
                codes, share = [0] * layout.n, chance
                for rows, (chosen, part) in zip(groups, combination, strict=True):
                    share *= part
                    for place in chosen:
                        codes[rows[place]] = 1
                yield tuple(codes), share


@lru_cache(maxsize=128)
def first_sets(tickets: tuple[int, ...], number: int) -> dict[frozenset[int], Fraction]:
    """Every set that may be drawn first, tickets without replacement, with its exact chance.

    >>> {tuple(s): str(p) for s, p in first_sets((1, 2), 1).items()}
    {(0,): '1/3', (1,): '2/3'}
    """
    if len(set(tickets)) == 1:
        sets = [frozenset(chosen) for chosen in combinations(range(len(tickets)), number)]
        return {chosen: Fraction(1, len(sets)) for chosen in sets}
    at = {frozenset[int](): Fraction(1)}
    for _ in range(number):
        following: dict[frozenset[int], Fraction] = {}
        for chosen, chance in at.items():
            left = sum(ticket for place, ticket in enumerate(tickets) if place not in chosen)
            for place, ticket in enumerate(tickets):
                if place not in chosen:
                    key = chosen | {place}
                    following[key] = following.get(key, Fraction(0)) + chance * Fraction(ticket, left)
        at = following
    return at


def _by_tickets(words: Iterator[int], rows: Sequence[int], tickets: Sequence[int]) -> list[int]:
    """All rows in the order in which their first ticket comes up; a tree of sums keeps each draw at log(n)."""
    size = 1
    while size < len(rows):
        size *= 2
    tree = [0] * (2 * size)
    for place, row in enumerate(rows):
        tree[size + place] = tickets[row]
    for node in range(size - 1, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]
    order = []
    for _ in rows:
        ticket, node = below(words, tree[1]), 1
        while node < size:
            node *= 2
            if ticket >= tree[node]:
                ticket -= tree[node]
                node += 1
        order.append(rows[node - size])
        weight = tree[node]
        while node:
            tree[node] -= weight
            node //= 2
    return order


def lottery(places: int | Mapping[str, int], *, strata: Sequence[str] = (), tickets: str | None = None) -> Lottery:
    """Draws who is offered one of the `places`; the others are the control group, ranked as a waiting list.

    `places` is a number, or a number for each stratum label ('noord|mbo2'); a number with strata is shared out in
    proportion, rounded without bias. `tickets` names a column of whole tickets: an applicant's chance at each draw is
    proportional to them (without replacement). `.rank` gives the order, `.refill` records places given on. Raises
    `UnitsError` when places are not fewer than applicants. Source: Angrist, Bettinger, Bloom, King and Kremer, Am Econ
    Rev 2002, 92:1535-1558, for analysis by first offer; de Chaisemartin and Behaghel, Econometrica 2020, 88:1453-1477,
    for why refills may not decide.

    >>> lottery(2).draw(5, seed=1).value_counts().to_dict()
    {'waiting list': 3, 'offer': 2}
    """
    numbers: int | tuple[tuple[str, int], ...]
    numbers = tuple(sorted((str(label), n) for label, n in places.items())) if isinstance(places, Mapping) else places
    return Lottery(arms=(Arm(WAITING), Arm(OFFER)), strata=read_columns(strata), places=numbers, tickets=tickets)
