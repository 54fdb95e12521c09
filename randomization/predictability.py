"""How well the next arm can be guessed, exactly, by dynamic programming over the states of a sequential design.

Blackwell and Hodges (Ann Math Stat 1957, 28:449-460): the guesser knows all arms so far and names the arm that is
behind (the convergence strategy), tossing a coin between arms that are level.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm, sqrt
from typing import TYPE_CHECKING

from randomization.errors import DesignError, DesignNotDefined, TooManyAllocations

if TYPE_CHECKING:
    from randomization.sequential import Sequential

MOST_STEPS = 3_000_000

Counts = tuple[int, ...]
At = dict[tuple[Hashable, Counts], int]


@dataclass(frozen=True, slots=True)
class Predictability:
    """Over `n` arrivals: what a guesser gets right and how far the arms drift apart; exact fractions.

    Imbalance is the greatest difference between arms of (number / ratio); for two equal arms, of numbers.
    """

    n: int
    correct_guesses: Fraction
    deterministic_share: Fraction
    max_imbalance: Fraction
    selection_bias: Fraction
    final_imbalance: Mapping[Fraction, Fraction]
    prefix_balance: Fraction

    @property
    def probability_correct(self) -> Fraction:
        """Expected share of arrivals guessed right."""
        return self.correct_guesses / self.n

    @property
    def expected_imbalance(self) -> Fraction:
        """Expected imbalance after the last arrival; E|D| for two equal arms."""
        return sum((value * chance for value, chance in self.final_imbalance.items()), Fraction(0))

    @property
    def sd_imbalance(self) -> float:
        """Root mean square of the imbalance after the last arrival; the SD of D for two equal arms."""
        return sqrt(sum((value**2 * chance for value, chance in self.final_imbalance.items()), Fraction(0)))

    @property
    def balance_probability(self) -> Fraction:
        """Chance that the arms are exactly in their ratio after the last arrival."""
        return self.final_imbalance.get(Fraction(0), Fraction(0))


def of_sequential(design: Sequential, n: int) -> Predictability:
    """Expected correct guesses, share of certain allocations, worst imbalance and selection bias over `n` arrivals.

    `.correct_guesses` counts right guesses of the convergence strategy; where level arms differ in ratio the largest
    is named. `.selection_bias` is the Blackwell-Hodges excess over guessing blindly, correct guesses minus n times the
    largest share. `.deterministic_share` is the expected share of arrivals whose arm is certain given the design's
    state. `.max_imbalance` is the worst that can happen.

    >>> import randomization as rz
    >>> found = rz.permuted_blocks(["portal", "advice"], sizes=(4,)).predictability(4)
    >>> found.correct_guesses, found.selection_bias, found.deterministic_share, found.max_imbalance
    (Fraction(17, 6), Fraction(5, 6), Fraction(1, 3), Fraction(2, 1))
    """
    check(design, n)
    design = design.for_stratum(n)
    correct = Fraction(0)
    certain = balanced = 0
    worst = Fraction(0)
    at: At = {}
    scale = 1
    for at, factor, hit, sure in passes(design, n):
        # Whole numbers over one growing denominator: as exact as fractions, without a division at every step.
        scale *= factor
        correct, certain, balanced = correct * factor + hit, certain * factor + sure, balanced * factor
        for (_, counts), chance in at.items():
            gap = imbalance(counts, design.weights)
            balanced += chance if gap == 0 else 0
            worst = max(worst, gap)
    final: dict[Fraction, int] = {}
    for (_, counts), chance in at.items():
        gap = imbalance(counts, design.weights)
        final[gap] = final.get(gap, 0) + chance
    guessed = correct / scale
    return Predictability(
        n=n,
        correct_guesses=guessed,
        deterministic_share=Fraction(certain, scale * n),
        max_imbalance=worst,
        selection_bias=guessed - n * max(design.shares),
        final_imbalance={gap: Fraction(chance, scale) for gap, chance in sorted(final.items())},
        prefix_balance=Fraction(balanced, scale * n),
    )


def check(design: Sequential, n: int) -> None:
    """Raise unless the question can be asked of this design."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise DesignError(f"{n!r} arrivals were asked for", path=("n",), remedy="ask for a whole number, at least 1")
    if design.reads:
        raise DesignNotDefined(
            f"how far {design.method} can be guessed hangs on who arrives", remedy="simulate it with your own arrivals"
        )


def passes(design: Sequential, n: int) -> Iterator[tuple[At, int, Fraction, int]]:
    """After each arrival: weights of (state, arms so far), the factor by which they grew, right and certain guesses."""
    at: At = {(design.start(), (0,) * len(design.arms)): 1}
    steps = 0
    for _ in range(n):
        tables = {state: design.moves(state) for state, _ in at}
        factor = lcm(*(move.chance.denominator for moves in tables.values() for move in moves))
        following: At = {}
        right: dict[int, int] = {}
        sure = 0
        for (state, counts), weight in at.items():
            guess = guesses(counts, design.weights)
            arms: dict[int, int] = {}
            for move in tables[state]:
                part = int(move.chance * factor)
                if part:
                    arms[move.arm] = arms.get(move.arm, 0) + part
                    key = (move.after, reduced(counts, move.arm, design.weights))
                    following[key] = following.get(key, 0) + weight * part
            right[len(guess)] = right.get(len(guess), 0) + weight * sum(arms.get(arm, 0) for arm in guess)
            sure += weight * factor if len(arms) == 1 else 0
        steps += len(at)
        if steps > MOST_STEPS:
            raise TooManyAllocations(
                f"{n} arrivals of {design.method} pass through too many states", remedy="ask for fewer arrivals"
            )
        at = following
        yield at, factor, sum((Fraction(hits, tied) for tied, hits in right.items()), Fraction(0)), sure


@lru_cache(maxsize=4096)
def guesses(counts: Counts, weights: tuple[int, ...]) -> list[int]:
    """The arms a guesser names: those furthest behind, of these the largest in the ratio."""
    behind = [Fraction(count, weight) for count, weight in zip(counts, weights, strict=True)]
    level = [arm for arm, value in enumerate(behind) if value == min(behind)]
    most = max(weights[arm] for arm in level)
    return [arm for arm in level if weights[arm] == most]


def reduced(counts: Counts, arm: int, weights: Sequence[int]) -> Counts:
    """Counts after one more in `arm`, whole ratios taken off: all that imbalance and guesses hang on."""
    added = [count + (place == arm) for place, count in enumerate(counts)]
    sets = min(count // weight for count, weight in zip(added, weights, strict=True))
    return tuple(count - sets * weight for count, weight in zip(added, weights, strict=True))


@lru_cache(maxsize=4096)
def imbalance(counts: Counts, weights: tuple[int, ...]) -> Fraction:
    """Greatest difference between arms of number over ratio.

    >>> imbalance((3, 1), (1, 1)), imbalance((1, 0), (2, 1))
    (Fraction(2, 1), Fraction(1, 2))
    """
    scaled = [Fraction(count, weight) for count, weight in zip(counts, weights, strict=True)]
    return max(scaled) - min(scaled)


def expected_max_imbalance(design: Sequential, n: int) -> float:
    """Expected greatest imbalance over the prefixes of `n` arrivals, by dynamic programming in floating point.

    >>> import randomization as rz
    >>> round(expected_max_imbalance(rz.big_stick(["a", "b"], limit=4), 100), 6)
    3.999559
    """
    check(design, n)
    design = design.for_stratum(n)
    at: dict[tuple[Hashable, Counts, Fraction], float] = {
        (design.start(), (0,) * len(design.arms), Fraction(0)): 1.0,
    }
    steps = 0
    for _ in range(n):
        following: dict[tuple[Hashable, Counts, Fraction], float] = {}
        for (state, counts, worst), chance in at.items():
            for move in design.moves(state):
                if move.chance:
                    after = reduced(counts, move.arm, design.weights)
                    key = (move.after, after, max(worst, imbalance(after, design.weights)))
                    following[key] = following.get(key, 0.0) + chance * float(move.chance)
        steps += len(at)
        if steps > MOST_STEPS:
            raise TooManyAllocations(
                f"{n} arrivals of {design.method} pass through too many states", remedy="ask for fewer arrivals"
            )
        at = following
    return sum(float(worst) * chance for (_, _, worst), chance in at.items())
