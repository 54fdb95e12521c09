"""Designs that meet people one by one. Each is a small machine: a state, and from it moves with exact chances.

The machine serves every use: the live draw, batch draws, the support, marginal chances and predictability.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from randomization.design import Design
from randomization.errors import AllocationError
from randomization.streams import WORD, KeyedStream, SeededStream, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from randomization.predictability import Predictability
    from randomization.units import Layout

Traits = Mapping[str, str]


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

    def moves(self, state: Any) -> tuple[Move, ...]:
        """What may happen to the next arrival, chances summing to one; equal states are equal values."""
        raise NotImplementedError

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

        streams = [SeededStream(seed, draw) for draw in range(n)]
        words = np.array([stream.words(layout.n) for stream in streams]).reshape(n, layout.n).T
        result = np.empty((n, layout.n), dtype=np.uint8)
        traits = self.traits_of(layout)
        machines: dict[Sequential, Machine] = {}
        for rows in layout.in_groups():
            design = self.for_stratum(len(rows))
            machine = machines.setdefault(design, Machine(design))
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


class Machine:
    """The design's states numbered as they are met, with cut points of their moves as 64-bit words.

    A word is a uniform number's first 64 bits. Where it equals a cut point the next bits decide, so chances are
    exact for every fraction, and each unit takes one word whatever the others drew.
    """

    __slots__ = ("design", "known", "met", "opening", "tables")

    def __init__(self, design: Sequential) -> None:
        self.design = design
        self.known: dict[Hashable, int] = {}
        self.met: list[Hashable] = []
        self.tables: dict[tuple[int, Any], tuple[np.ndarray, np.ndarray, np.ndarray, list[Fraction]]] = {}
        self.opening = self.number(design.start())

    def number(self, state: Hashable) -> int:
        place = self.known.get(state)
        if place is None:
            place = self.known[state] = len(self.met)
            self.met.append(state)
        return place

    def table(self, number: int, traits: Traits | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Fraction]]:
        """Cut points, arms and next states of the moves of a state."""
        import numpy as np

        key = (number, None if traits is None else tuple(traits.items()))
        if key not in self.tables:
            moves = [move for move in self.design.moves_for(self.met[number], traits) if move.chance > 0]
            edges: list[Fraction] = []
            total = Fraction(0)
            for move in moves:
                total += move.chance
                edges.append(total)
            cuts = np.array([min(int(edge * WORD), WORD - 1) for edge in edges[:-1]], dtype=np.uint64)
            arms = np.array([move.arm for move in moves], dtype=np.uint8)
            after = np.array([self.number(move.after) for move in moves], dtype=np.int64)
            self.tables[key] = cuts, arms, after, edges[:-1]
        return self.tables[key]

    def step(
        self, states: np.ndarray, words: np.ndarray, traits: Traits | None, streams: list[SeededStream], place: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Next states and arm codes of one arrival in every draw."""
        import numpy as np

        after = np.empty_like(states)
        arms = np.empty(len(states), dtype=np.uint8)
        present = [int(states[0])] if len(states) == 1 else np.unique(states).tolist()
        for number in present:
            cuts, codes, following, edges = self.table(number, traits)
            here = np.flatnonzero(states == number)
            mine = words[here]
            choice = np.searchsorted(cuts, mine, side="right")
            for tie in np.flatnonzero(np.isin(mine, cuts)):
                choice[tie] = _beyond(edges, int(mine[tie]), streams[int(here[tie])].spare(place))
            arms[here] = codes[choice]
            after[here] = following[choice]
        return after, arms


def _beyond(edges: list[Fraction], word: int, more: Iterator[int]) -> int:
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
