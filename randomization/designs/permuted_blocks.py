"""Permuted blocks: within each stratum every block holds the arms in their exact ratio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from randomization.design import Design, Ratio, read_arms, read_columns
from randomization.errors import DesignError
from randomization.sequential import Draw, Move, Sequential, Traits
from randomization.streams import KeyedStream, below, shuffled


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutedBlocks(Sequential):
    """See `permuted_blocks`. `multiples` are the block sizes in whole ratios, smallest first."""

    method: ClassVar[str] = "permuted_blocks"
    multiples: tuple[int, ...] = (2, 3)

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        for place, multiple in enumerate(self.multiples):
            if isinstance(multiple, bool) or not isinstance(multiple, int) or multiple < 1:
                raise DesignError(
                    f"a block of {multiple!r} times the ratio does not exist",
                    path=("multiples", place),
                    remedy="write whole numbers of at least 1, such as [2, 3]",
                )
        # Sorted, so that the order in which sizes were written does not make another design.
        object.__setattr__(self, "multiples", tuple(sorted(self.multiples)))
        if not self.multiples:
            raise DesignError("no block size is given", path=("multiples",), remedy="write for example [2, 3]")
        if max(self.multiples) * sum(self.weights) > 10_000:
            raise DesignError(
                f"a block of {max(self.multiples) * sum(self.weights)} people is too long",
                path=("multiples",),
                remedy="choose blocks of at most 10,000, or another design",
            )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Block sizes in people; each is equally likely."""
        return tuple(multiple * sum(self.weights) for multiple in self.multiples)

    def parameters(self) -> dict[str, Any]:
        return {"multiples": list(self.multiples)}

    def start(self) -> tuple[int, ...]:
        """What is left of the block, a number for each arm; nothing before the first block."""
        return (0,) * len(self.arms)

    @property
    def keeps_ratio(self) -> bool:
        return True

    def moves(self, state: Any) -> tuple[Move, ...]:
        """The next arm in proportion to what is left; an empty block first draws the size of the next."""
        if any(state):
            return tuple(_within(state, Fraction(1)))
        share = Fraction(1, len(self.multiples))
        return tuple(
            move for multiple in self.multiples for move in _within([multiple * w for w in self.weights], share)
        )

    def opening_form(self, position: int) -> dict[str, Any]:
        return {"block": 1, "begin": position - 1}

    def next(
        self,
        stream: Callable[[int], KeyedStream],
        position: int,
        form: Mapping[str, Any] | None,
        traits: Traits | None,  # noqa: ARG002 - minimisation reads it
    ) -> Draw:
        """The block's size is drawn first, then its order by Fisher-Yates, both from the words of the block's number.

        The state names the block and where it began, never what is in it. The chances are the ratio: the block is
        what is drawn, and within it every place has the ratio's chances.
        """
        block, begin = (1, position - 1) if form is None else (form["block"], form["begin"])
        size, arms = self._block(stream(block))
        if position - begin > size:
            block, begin = block + 1, begin + size
            size, arms = self._block(stream(block))
        arm = arms[position - begin - 1]
        chances = dict(zip(self.names, self.shares, strict=True))
        return Draw(arm, chances[arm], chances, {"position": position, "block": block, "begin": begin})

    def _block(self, stream: KeyedStream) -> tuple[int, list[str]]:
        words = stream.words()
        multiple = self.multiples[below(words, len(self.multiples))]
        arms = sorted((arm.name, int(arm.weight)) for arm in self.arms)
        order = shuffled(words, [name for name, weight in arms for _ in range(multiple * weight)])
        return len(order), order


def _within(left: Sequence[int], share: Fraction) -> list[Move]:
    total = sum(left)
    return [
        Move(code, share * Fraction(count, total), (*left[:code], count - 1, *left[code + 1 :]))
        for code, count in enumerate(left)
        if count
    ]


def _listed(values: Sequence[int] | int, key: str) -> tuple[int, ...]:
    if isinstance(values, int):
        return (values,)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DesignError(f"{key} holds {values!r}", path=(key,), remedy="write whole numbers, such as [2, 3]")
    return tuple(values)


def permuted_blocks(
    ratio: Ratio,
    *,
    sizes: Sequence[int] | int | None = None,
    multiples: Sequence[int] | int | None = None,
    strata: Sequence[str] = (),
) -> PermutedBlocks:
    """Blocks of random size, each in the exact ratio and in random order; any number of arms, any ratio.

    `sizes` counts people, `multiples` counts whole ratios (default 2 and 3); each is equally likely at each block.
    A size that is not a multiple of the ratio's sum raises `DesignError`. Blocks can be guessed: see
    `.predictability`, and prefer `big_stick` or `block_urn` where allocation is not masked. Source: Rosenberger and
    Lachin (2016), section 3.5; Zelen, J Chronic Dis 1974, 27:365-375, for strata.

    >>> permuted_blocks({"portal": 1, "advice": 2}).sizes
    (6, 9)
    >>> permuted_blocks(["portal", "advice"], sizes=(4,)).predictability(4).correct_guesses
    Fraction(17, 6)
    """
    arms = read_arms(ratio)
    unit = sum(int(arm.weight) for arm in arms)
    if sizes is not None and multiples is not None:
        raise DesignError("block sizes are given twice", path=("sizes",), remedy="give `sizes` or `multiples`")
    if sizes is None:
        given = (2, 3) if multiples is None else _listed(multiples, "multiples")
        return PermutedBlocks(arms=arms, strata=read_columns(strata), multiples=given)
    people = _listed(sizes, "sizes")
    for place, size in enumerate(people):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1 or size % unit:
            raise DesignError(
                f"block size {size!r} is not a multiple of {unit}, the sum of the ratio",
                path=("sizes", place),
                remedy=f"choose from {unit}, {2 * unit}, {3 * unit}, …",
            )
    return PermutedBlocks(arms=arms, strata=read_columns(strata), multiples=tuple(size // unit for size in people))
