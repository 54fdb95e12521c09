"""Minimisation: the next person goes, with high chance, where the margins of the factors become most even."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from randomization.design import Design, Number, Ratio, exact, read_arms, read_columns
from randomization.errors import DesignError, UnitsError
from randomization.sequential import Move, Sequential, Traits

if TYPE_CHECKING:
    import numpy as np

    from randomization.units import Layout

Margins = Mapping[str, Mapping[str, Any]]
State = tuple[tuple[tuple[str, tuple[int, ...]], ...], ...]


def spread_range(values: Sequence[Fraction]) -> Fraction:
    """Greatest minus smallest."""
    return max(values) - min(values)


def spread_variance(values: Sequence[Fraction]) -> Fraction:
    """Sample variance, denominator (number of arms - 1)."""
    mean = sum(values, Fraction(0)) / len(values)
    return sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1)


def spread_sd(values: Sequence[Fraction]) -> Fraction:
    """Sample standard deviation, to twelve decimals so that equal spreads stay equal in a sum."""
    return Fraction(round(sqrt(spread_variance(values)) * 10**12), 10**12)


MEASURES = {"range": spread_range, "variance": spread_variance, "sd": spread_sd}


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimization(Sequential):
    """See `minimization`. The state holds, for each factor and level, the number in each arm."""

    method: ClassVar[str] = "minimization"
    reads: ClassVar[bool] = True
    logs_basis: ClassVar[bool] = True
    factors: tuple[str, ...] = ()
    factor_weights: tuple[Fraction, ...] = ()
    imbalance: str = "range"
    p: Fraction = Fraction(2, 3)

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if not self.factors:
            raise DesignError("no factor is named", path=("factors",), remedy="name the columns to balance")
        if self.imbalance not in MEASURES:
            raise DesignError(
                f"imbalance={self.imbalance!r} is not known",
                path=("imbalance",),
                remedy=f"choose from {', '.join(MEASURES)}",
            )
        if not min(self.shares) <= self.p <= 1:
            raise DesignError(
                f"p is {self.p}", path=("p",), remedy=f"choose it from {min(self.shares)} (chance alone) to 1"
            )
        for name, weight in zip(self.factors, self.factor_weights, strict=True):
            if weight <= 0:
                raise DesignError(
                    f"factor {name!r} has weight {weight}", path=("factors", name), remedy="give it a weight above 0"
                )

    @property
    def columns(self) -> tuple[str, ...]:
        return self.factors

    @property
    def scope(self) -> Literal["stratum", "pilot"]:
        return "pilot"

    def parameters(self) -> dict[str, Any]:
        weights = {
            name: int(weight) if weight.denominator == 1 else str(weight)
            for name, weight in zip(self.factors, self.factor_weights, strict=True)
        }
        return {"factors": weights, "imbalance": self.imbalance, "p": str(self.p)}

    def start(self) -> State:
        return ((),) * len(self.factors)

    def moves_for(self, state: Any, traits: Traits | None) -> tuple[Move, ...]:
        levels = self.levels(traits)
        before = [dict(factor) for factor in state]
        none = (0,) * len(self.arms)
        counts = [factor.get(level, none) for factor, level in zip(before, levels, strict=True)]
        return tuple(
            Move(arm, chance, self._after(before, levels, counts, arm))
            for arm, chance in enumerate(self._chances(self._scores(counts)))
        )

    def levels(self, traits: Traits | None) -> list[str]:
        """The person's level of each factor; `UnitsError` names a column without a value."""
        from randomization.live import read_trait

        return [read_trait(traits, name, "factor") for name in self.factors]

    def _after(
        self, before: list[dict[str, tuple[int, ...]]], levels: list[str], counts: list[tuple[int, ...]], arm: int
    ) -> State:
        lines = []
        for factor, level, count in zip(before, levels, counts, strict=True):
            more = (*count[:arm], count[arm] + 1, *count[arm + 1 :])
            lines.append(tuple(sorted((factor | {level: more}).items())))
        return tuple(lines)

    def _spread(self, counts: Sequence[int], arm: int) -> Fraction:
        """Imbalance of one factor's level if the person went to `arm`; counts are taken over the ratio."""
        scaled = [Fraction(n + (k == arm), w) for k, (n, w) in enumerate(zip(counts, self.weights, strict=True))]
        return MEASURES[self.imbalance](scaled)

    def _scores(self, counts: Sequence[Sequence[int]]) -> list[Fraction]:
        return [
            sum((w * self._spread(n, arm) for w, n in zip(self.factor_weights, counts, strict=True)), Fraction(0))
            for arm in range(len(self.arms))
        ]

    def _chances(self, scores: Sequence[Fraction]) -> list[Fraction]:
        """High chance for the best arm; ties are broken by the ratio. Equal arms give Pocock and Simon's rule."""
        return self.chances_of_best([arm for arm, score in enumerate(scores) if score == min(scores)])

    def chances_of_best(self, best: Sequence[int]) -> list[Fraction]:
        """Chance of each arm when those of `best` are level."""
        weights, total = self.weights, sum(self.weights)
        smallest = min(weights)
        loss = (1 - self.p) / (total - smallest)
        chances = [Fraction(0)] * len(weights)
        for first in best:
            share = Fraction(weights[first], sum(weights[arm] for arm in best))
            for arm, weight in enumerate(weights):
                chances[arm] += share * (1 - loss * (total - weight) if arm == first else loss * weight)
        return chances

    # ---- one person against given margins ----------------------------------------------------------------------

    def imbalances(self, margins: Margins, person: Traits) -> dict[str, dict[str, Fraction]]:
        """Imbalance of each factor if the person went to each arm: arm -> factor -> value.

        `margins` maps factor -> level -> numbers, one an arm in the design's order, or a mapping by arm name.
        """
        counts = self._counts(margins, person)
        return {
            name: {factor: self._spread(n, arm) for factor, n in zip(self.factors, counts, strict=True)}
            for arm, name in enumerate(self.names)
        }

    def scores(self, margins: Margins, person: Traits) -> dict[str, Fraction]:
        """Total imbalance G if the person went to each arm: the weighted sum over factors."""
        return dict(zip(self.names, self._scores(self._counts(margins, person)), strict=True))

    def chances_for(self, margins: Margins, person: Traits) -> dict[str, Fraction]:
        """The person's chance of each arm, given the margins."""
        return dict(zip(self.names, self._chances(self._scores(self._counts(margins, person))), strict=True))

    def _counts(self, margins: Margins, person: Traits) -> list[tuple[int, ...]]:
        lines = []
        for factor, level in zip(self.factors, self.levels(person), strict=True):
            if factor not in margins:
                raise UnitsError(f"the margins lack factor {factor!r}", path=(factor,), remedy="add its counts")
            found = margins[factor].get(level, (0,) * len(self.arms))
            line = tuple(found[name] for name in self.names) if isinstance(found, Mapping) else tuple(found)
            if len(line) != len(self.arms):
                raise UnitsError(
                    f"factor {factor!r}, level {level!r} counts {len(line)} arms, not {len(self.arms)}",
                    path=(factor, level),
                    remedy="give one number an arm",
                )
            lines.append(line)
        return lines

    def write_state(self, state: Any) -> dict[str, Any]:
        return {
            "margins": {
                factor: {level: dict(zip(self.names, counts, strict=True)) for level, counts in lines}
                for factor, lines in zip(self.factors, state, strict=True)
            }
        }

    def read_state(self, form: Mapping[str, Any]) -> State:
        margins = form["margins"]
        return tuple(
            tuple(
                sorted((level, tuple(counts[name] for name in self.names)) for level, counts in margins[factor].items())
            )
            for factor in self.factors
        )

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        """As every sequential design draws, but on arrays of margins."""
        from randomization.margins import minimised_codes

        return minimised_codes(self, layout, n, seed)

    def traits_of(self, layout: Layout) -> list[dict[str, str]]:
        columns = [[str(value) for value in layout.columns[name].tolist()] for name in self.factors]
        return [dict(zip(self.factors, row, strict=True)) for row in zip(*columns, strict=True)]


def minimization(
    ratio: Ratio,
    factors: Sequence[str] | Mapping[str, Number],
    *,
    weights: Mapping[str, Number] | Sequence[Number] | None = None,
    imbalance: str = "range",
    p: Number = Fraction(2, 3),
) -> Minimization:
    """Pocock and Simon's minimisation with a random element; any number of arms.

    `factors` are columns, or a mapping of column to weight (`weights` says the same apart). For each arm the imbalance
    of every factor's margin is taken as if the person went there ("range", "variance" or "sd"), and summed with the
    weights; the arm with the smallest sum gets chance `p`, the others share the rest. Ties are broken at random. Any
    ratio: counts are divided by it and the chances keep it (biased coin minimisation); with equal arms both rules are
    one. Sources: Pocock and Simon, Biometrics 1975, 31:103-115; Han, Enas and McEntegart, Stat Med 2009, 28:3487-3508.

    >>> d = minimization(["A", "B"], {"sex": 2, "age": 1}, p=1)
    >>> d.chances_for({"sex": {"f": (3, 2)}, "age": {"young": (1, 2)}}, {"sex": "f", "age": "young"})
    {'A': Fraction(0, 1), 'B': Fraction(1, 1)}
    """
    arms = read_arms(ratio)
    named = dict(factors) if isinstance(factors, Mapping) else {}
    names = read_columns(tuple(factors) if isinstance(factors, Mapping) else factors, key="factors")
    if weights is not None:
        if not isinstance(weights, Mapping):
            if len(weights) != len(names):
                raise DesignError("each factor needs one weight", path=("weights",), remedy=f"give {len(names)}")
            weights = dict(zip(names, weights, strict=True))
        for name in weights:
            if name not in names:
                raise DesignError(f"{name!r} is not a factor", path=("weights", name), remedy="name it in `factors`")
        named = named | dict(weights)
    # By name, so that a design read back with its keys sorted is the same design.
    ordered = tuple(sorted(names))
    values = tuple(exact(named.get(name, 1), path=("factors", name)) for name in ordered)
    return Minimization(arms=arms, factors=ordered, factor_weights=values, imbalance=imbalance, p=exact(p, path=("p",)))
