"""Wei's urn: the fewer an arm has had, the more balls it has in the urn; strong balance early, a fair coin later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import Design, Ratio, read_arms, read_columns
from randomization.errors import DesignError, DesignNotDefined
from randomization.sequential import Move, Sequential, beyond, words_of
from randomization.streams import WORD, SeededStream

if TYPE_CHECKING:
    import numpy as np

    from randomization.units import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class CountState(Sequential):
    """A sequential design whose state is how many each arm has had."""

    logs_basis: ClassVar[bool] = True

    def start(self) -> tuple[int, ...]:
        return (0,) * len(self.arms)

    def write_state(self, state: Any) -> dict[str, Any]:
        return {"counts": dict(zip(self.names, state, strict=True))}

    def read_state(self, form: Mapping[str, Any]) -> tuple[int, ...]:
        return tuple(form["counts"][name] for name in self.names)


def add_one(counts: tuple[int, ...], arm: int) -> tuple[int, ...]:
    """Counts after one more in an arm."""
    return (*counts[:arm], counts[arm] + 1, *counts[arm + 1 :])


@dataclass(frozen=True, slots=True, kw_only=True)
class Urn(CountState):
    """See `urn`."""

    method: ClassVar[str] = "urn"
    alpha: int = 1
    beta: int = 1

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if not self.equal:
            raise DesignNotDefined(
                "Wei's urn is defined for equal arms", path=("ratio",), remedy="for other ratios use `block_urn`"
            )
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise DesignError(f"{name} is {value!r}", path=(name,), remedy="give a number of balls, 0 or more")
        if self.alpha == 0 and self.beta == 0:
            raise DesignError("the urn would stay empty", path=("beta",), remedy="give alpha or beta at least 1")

    def parameters(self) -> dict[str, Any]:
        return {"alpha": self.alpha, "beta": self.beta}

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        """As every sequential design draws, but on arrays of balls: an urn is almost never in one state twice."""
        import numpy as np

        streams, words = words_of(layout.n, n, seed)
        result = np.empty((n, layout.n), dtype=np.uint8)
        for rows in layout.in_groups():
            counts = np.zeros((n, len(self.arms)), dtype=np.int64)
            for drawn, row in enumerate(rows.tolist()):
                balls = self.alpha + self.beta * (drawn - counts)
                if not balls[0].any():
                    balls = np.ones_like(balls)
                result[:, row] = choose_ball(balls, words[row], streams, row)
                counts[np.arange(n), result[:, row]] += 1
        return result

    def moves(self, state: Any) -> tuple[Move, ...]:
        drawn = sum(state)
        balls = [self.alpha + self.beta * (drawn - count) for count in state]
        if not any(balls):
            balls = [1] * len(state)
        return tuple(Move(arm, Fraction(ball, sum(balls)), add_one(state, arm)) for arm, ball in enumerate(balls))


def choose_ball(balls: np.ndarray, words: np.ndarray, streams: Sequence[SeededStream], place: int) -> np.ndarray:
    """The arm of one ball drawn from each urn, (draws, arms) balls of which every urn holds equally many; uint8."""
    import numpy as np

    total = int(balls[0].sum())
    whole, rest = divmod(WORD, total)
    below = np.cumsum(balls, axis=1)[:, :-1]
    # floor(below * 2**64 / total) without leaving 64 bits.
    cuts = below.astype(np.uint64) * np.uint64(min(whole, WORD - 1)) + (below * rest // total).astype(np.uint64)
    possible = below < total
    chosen = ((words[:, None] >= cuts) & possible).sum(axis=1).astype(np.uint8)
    for draw in np.flatnonzero(((words[:, None] == cuts) & possible).any(axis=1)):
        edges = [Fraction(int(value), total) for value in below[draw] if value < total]
        chosen[draw] = beyond(edges, int(words[draw]), streams[int(draw)].spare(place))
    return chosen


def urn(ratio: Ratio, *, alpha: int = 1, beta: int = 1, strata: Sequence[str] = ()) -> Urn:
    """Wei's UD(alpha, beta): `alpha` balls of each arm; a draw puts its ball back and adds `beta` of every other arm.

    Any number of equal arms; other ratios raise `DesignNotDefined` (use `block_urn`, Zhao and Weng 2011). With alpha 0
    the first arm is drawn evenly. Sources: Wei, J Am Stat Assoc 1978, 73:559-563; Wei and Lachin, Control Clin Trials
    1988, 9:345-364.

    >>> urn(["portal", "advice"], alpha=0, beta=1).predictability(2).balance_probability
    Fraction(1, 1)
    """
    return Urn(arms=read_arms(ratio), strata=read_columns(strata), alpha=alpha, beta=beta)
