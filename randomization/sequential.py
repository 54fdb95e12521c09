"""Designs that meet people one by one. Each is a small machine: a state, and from it moves with exact chances.

The machine serves every use: the live draw, batch draws, the support, marginal chances and predictability.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from randomization.design import Design
from randomization.errors import AllocationError, DesignNotDefined
from randomization.streams import WORD, KeyedStream, SeededStream, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from randomization.predictability import Predictability
    from randomization.units import Layout

Traits = Mapping[str, str]
FEW_DRAWS = 16


class Move(NamedTuple):
    """One thing that may happen to the next arrival: its arm, the chance, and the state it leaves behind."""

    arm: int
    chance: Fraction
    after: Hashable


@dataclass(frozen=True, slots=True)
class Draw:
    """A live allocation: the arm, its chance and those of all arms when drawn, and the state after it (JSON-able)."""

    arm: str
    probability: Fraction
    probabilities: Mapping[str, Fraction]
    state: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequential(Design):
    """A design defined by `start` and `moves`; both are pure."""

    live: ClassVar[bool] = True
    reads: ClassVar[bool] = False
    learns: ClassVar[bool] = False
    logs_basis: ClassVar[bool] = False

    @property
    def scope(self) -> Literal["stratum", "pilot"]:
        """Whose row is locked during a live draw."""
        return "stratum"

    @property
    def keeps_ratio(self) -> bool:
        """Whether every arrival's chance, before anything is drawn, is the ratio (blocks do; so does symmetry)."""
        return self.equal

    def for_stratum(self, size: int) -> Sequential:  # noqa: ARG002 - the maximal procedure reads it
        """The design for a stratum of known size; only the maximal procedure looks ahead to its length."""
        return self

    def start(self) -> Hashable:
        """State before the first arrival."""
        return None

    def moves(self, state: Any) -> tuple[Move, ...]:  # noqa: ARG002
        """What may happen to the next arrival, chances summing to one; equal states are equal values."""
        raise DesignNotDefined(f"no rule says what {self.method or 'this design'} does with the next arrival")

    def moves_for(self, state: Any, traits: Traits | None) -> tuple[Move, ...]:  # noqa: ARG002 - minimisation reads it
        """`moves`, for designs that look at the person too."""
        return self.moves(state)

    def chances(self, state: Any, traits: Traits | None = None) -> tuple[Fraction, ...]:
        """Chance of each arm for the next arrival, in the order of the arms."""
        total = [Fraction(0)] * len(self.arms)
        for move in self.moves_for(state, traits):
            total[move.arm] += move.chance
        return tuple(total)

    # ---- live --------------------------------------------------------------------------------------------------

    def write_state(self, state: Any) -> dict[str, Any]:
        """The state as JSON-able values, arms by name."""
        return {} if state is None else {"state": state}

    def read_state(self, form: Mapping[str, Any]) -> Any:
        """The inverse of `write_state`."""
        return form.get("state")

    def opening_form(self, position: int) -> dict[str, Any]:  # noqa: ARG002 - blocks read it
        """The written state from which `position` starts afresh."""
        return self.write_state(self.start())

    def with_evidence(
        self,
        form: dict[str, Any] | None,
        evidence: Any,  # noqa: ARG002 - adaptive designs read it
    ) -> dict[str, Any] | None:
        """The written state with what outcomes have shown since; only adaptive designs look at outcomes."""
        return form

    def next(
        self, stream: Callable[[int], KeyedStream], position: int, form: Mapping[str, Any] | None, traits: Traits | None
    ) -> Draw:
        """The arm of arrival number `position`; `stream(index)` gives the keyed words of an index.

        Arms are laid out by name, so that a protocol read back with its keys sorted draws the same.
        """
        state = self.start() if form is None else self.read_state(form)
        moves = sorted(self.moves_for(state, traits), key=lambda move: self.names[move.arm])
        move = moves[choose(stream(position).words(), [move.chance for move in moves])]
        chances = dict(zip(self.names, self.chances(state, traits), strict=True))
        arm = self.names[move.arm]
        return Draw(arm, chances[arm], chances, {"position": position, **self.write_state(move.after)})

    # ---- batch -------------------------------------------------------------------------------------------------

    def traits_of(self, layout: Layout) -> list[dict[str, str]] | None:  # noqa: ARG002 - minimisation reads it
        """What `moves` reads of each unit, or None when it reads nothing."""
        return None

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        """Units are taken in the order of their rows, each stratum by itself; one word a unit and draw."""
        import numpy as np

        streams, words = words_of(layout.n, n, seed)
        result = np.empty((n, layout.n), dtype=np.uint8)
        traits = self.traits_of(layout)
        machines: dict[Sequential, Machine] = {}
        for rows in layout.in_groups():
            design = self.for_stratum(len(rows))
            machine = machines.setdefault(design, Machine(design))
            if n < FEW_DRAWS:
                read = None if traits is None else [traits[row] for row in rows.tolist()]
                for draw, stream in enumerate(streams):
                    result[draw, rows] = machine.walk(words[rows, draw].tolist(), rows.tolist(), read, stream)
                continue
            states = np.full(n, machine.opening, dtype=np.int64)
            for row in rows:
                read = None if traits is None else traits[row]
                states, result[:, row] = machine.step(states, words[row], read, streams, int(row))
        return result

    def outcomes(self, layout: Layout, limit: int) -> Iterable[tuple[tuple[int, ...], Fraction]]:
        from randomization.support import sequential_outcomes

        return sequential_outcomes(self, layout, limit)

    def n_allocations(self, units: Any) -> int:
        from randomization.support import count_sequential

        return count_sequential(self, self.layout(units))

    def exact_probabilities(self, layout: Layout) -> np.ndarray | None:
        from randomization.probabilities import of_sequential

        return of_sequential(self, layout)

    def predictability(self, n: int) -> Predictability:
        """Exact, by dynamic programming over (state, arms so far); see `randomization.predictability`."""
        from randomization.predictability import of_sequential

        return of_sequential(self, n)


def words_of(units: int, n: int, seed: int) -> tuple[list[SeededStream], np.ndarray]:
    """A stream for each draw, and its first words: one a unit, shape (units, n)."""
    import numpy as np

    streams = [SeededStream(seed, draw) for draw in range(n)]
    return streams, np.array([stream.words(units) for stream in streams], dtype=np.uint64).reshape(n, units).T


class CutPoints(NamedTuple):
    """Chances as cut points of a 64-bit word: which of `arms` a uniform number that begins with the word chooses.

    Where the word equals a cut point the next bits decide, so chances are exact for every fraction.
    """

    cuts: np.ndarray
    arms: np.ndarray
    edges: list[Fraction]

    @classmethod
    def of(cls, chances: Sequence[tuple[int, Fraction]]) -> CutPoints:
        """From (arm, chance) pairs that sum to one; those with chance zero are left out."""
        import numpy as np

        possible = [(arm, chance) for arm, chance in chances if chance > 0]
        edges = list(accumulate(chance for _, chance in possible))[:-1]
        cuts = np.array([min(int(edge * WORD), WORD - 1) for edge in edges], dtype=np.uint64)
        return cls(cuts, np.array([arm for arm, _ in possible], dtype=np.uint8), edges)

    def choose(self, words: np.ndarray, draws: np.ndarray, streams: Sequence[SeededStream], place: int) -> np.ndarray:
        """Places in `arms` for the words of some draws; `place` numbers the word in their streams."""
        import numpy as np

        if not len(self.cuts):
            return np.zeros(len(words), dtype=np.intp)
        choice = np.searchsorted(self.cuts, words, side="right")
        for tie in np.flatnonzero((self.cuts[np.maximum(choice - 1, 0)] == words) & (choice > 0)):
            choice[tie] = beyond(self.edges, int(words[tie]), streams[int(draws[tie])].spare(place))
        return choice


class Machine:
    """The design's states numbered as they are met, each with the cut points of its moves and where they lead."""

    __slots__ = ("design", "known", "met", "opening", "tables")

    def __init__(self, design: Sequential) -> None:
        self.design = design
        self.known: dict[Hashable, int] = {}
        self.met: list[Hashable] = []
        self.tables: dict[tuple[int, Any], tuple[CutPoints, np.ndarray]] = {}
        self.opening = self.number(design.start())

    def number(self, state: Hashable) -> int:
        """The number of a state, a new one when it is met for the first time."""
        place = self.known.get(state)
        if place is None:
            place = self.known[state] = len(self.met)
            self.met.append(state)
        return place

    def table(self, number: int, traits: Traits | None) -> tuple[CutPoints, np.ndarray]:
        """Cut points and next states of the moves of a state."""
        import numpy as np

        key = (number, None if traits is None else tuple(traits.items()))
        if key not in self.tables:
            moves = [move for move in self.design.moves_for(self.met[number], traits) if move.chance > 0]
            after = np.array([self.number(move.after) for move in moves], dtype=np.int64)
            self.tables[key] = CutPoints.of([(move.arm, move.chance) for move in moves]), after
        return self.tables[key]

    def walk(self, words: list[int], rows: list[int], traits: list[Traits] | None, stream: SeededStream) -> list[int]:
        """Arm codes of one draw, arrival by arrival; faster than arrays when there are few draws."""
        tables: dict[int, tuple[list[int], list[int], list[int]]] = {}
        number, arms = self.opening, []
        for place, word in enumerate(words):
            if traits is not None or number not in tables:
                table, following = self.table(number, None if traits is None else traits[place])
                tables[number] = table.cuts.tolist(), table.arms.tolist(), following.tolist()
            cuts, codes, after = tables[number]
            choice = bisect_right(cuts, word)
            if choice and cuts[choice - 1] == word:
                edges = self.table(number, None if traits is None else traits[place])[0].edges
                choice = beyond(edges, word, stream.spare(rows[place]))
            arms.append(codes[choice])
            number = after[choice]
        return arms

    def step(
        self, states: np.ndarray, words: np.ndarray, traits: Traits | None, streams: list[SeededStream], place: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Next states and arm codes of one arrival in every draw."""
        import numpy as np

        after = np.empty_like(states)
        arms = np.empty(len(states), dtype=np.uint8)
        present = [int(states[0])] if len(states) == 1 else np.unique(states).tolist()
        for number in present:
            table, following = self.table(number, traits)
            here = np.flatnonzero(states == number)
            choice = table.choose(words[here], here, streams, place)
            arms[here] = table.arms[choice]
            after[here] = following[choice]
        return after, arms


def beyond(edges: list[Fraction], word: int, more: Iterator[int]) -> int:
    """How many edges lie at or under the uniform number that begins with `word` and goes on with `more`."""
    value, bits = word, WORD
    while True:
        low, high = Fraction(value, bits), Fraction(value + 1, bits)
        if not any(low < edge < high for edge in edges):
            return sum(edge <= low for edge in edges)
        value, bits = value * WORD + next(more), bits * WORD


def check_position(position: int, form: Mapping[str, Any] | None) -> None:
    """A live draw follows the one before it: position 1 without a state, later ones with the state of the last."""
    if isinstance(position, bool) or not isinstance(position, int) or position < 1:
        raise AllocationError(
            f"position {position!r} does not exist", path=("position",), remedy="positions count 1, 2, …"
        )
    last = 0 if form is None else form.get("position")
    if last != position - 1:
        raise AllocationError(
            f"position {position} was asked for, but the state handed in is that after position {last}",
            path=("position",),
            remedy="hand in the state that the draw before it gave",
        )
