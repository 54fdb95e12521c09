"""The one solver behind every closed form: find the quantity left out, then put it back and look.

Other software has returned a start value as if it were an answer when its root finder failed. Here a number leaves the
house only after the power at that number has been computed again and found equal to the power asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from analysis.power import checks
from analysis.power.errors import NoSolution, PowerError
from analysis.power.result import Result, Rival, Values
from analysis.power.roots import root

__all__ = ["EffectRange", "Method", "Question", "SizeRange", "round_up"]

TOLERANCE = 1e-7
LARGEST_SIZE = 1e13


@dataclass(frozen=True, slots=True)
class Method:
    """The names under which a number can be found again in the literature."""

    test: str
    convention: str
    formula: str
    source: str


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Where a size may lie: `minimum` is the smallest for which the test exists, `multiple` the step of whole sizes."""

    minimum: float
    multiple: int = 1
    maximum: float = LARGEST_SIZE


@dataclass(frozen=True, slots=True)
class EffectRange:
    """Where an effect may lie: from its null value towards `far`, which may be infinite; `scale` is a first step."""

    null: float = 0.0
    far: float = math.inf
    scale: float = 1.0


Range = SizeRange | EffectRange


@dataclass(frozen=True, slots=True)
class Question:
    """A power function, the quantities it needs, and the one of them that is unknown.

    `given` holds all quantities by name, `power` and usually `alpha` included, exactly one of them None. `power` is
    called with the others as keywords. `details` is called in the same way for what follows from them.
    """

    method: Method
    given: Mapping[str, float | None]
    power: Callable[..., float]
    ranges: Mapping[str, Range]
    details: Callable[..., Mapping[str, float]] | None = None
    notes: Mapping[str, object] = field(default_factory=dict)
    # Below the first level the noncentral t is no longer accurate, nor does anyone test.
    levels: tuple[float, float] = (1e-26, 1 - 1e-13)

    @property
    def unknown(self) -> str:
        """The name of the quantity left out."""
        return checks.exactly_one_missing(self.given)

    def power_at(self, value: float) -> float:
        """Power when the unknown takes this value."""
        inputs = {name: number for name, number in self.given.items() if name != "power"}
        if self.unknown != "power":
            inputs[self.unknown] = value
        power = float(self.power(**inputs))
        if not math.isfinite(power):
            raise NoSolution(self.unknown, f"the power at {value:g} cannot be computed for these inputs")
        return min(max(power, 0.0), 1.0)

    def number(self) -> float:
        """The unrounded answer."""
        unknown = self.unknown
        if unknown == "power":
            return self.power_at(math.nan)
        target = self.given["power"]
        assert target is not None
        if unknown == "alpha":
            value = _solve_alpha(self.power_at, target, *self.levels)
        elif isinstance(span := self.ranges[unknown], SizeRange):
            value = _solve_size(unknown, self.power_at, target, span)
            if value == span.minimum:
                return value
        else:
            value = _solve_effect(unknown, self.power_at, target, span)
        reached = self.power_at(value)
        if abs(reached - target) > TOLERANCE:
            raise NoSolution(
                unknown, f"the search ended at {value:g}, where the power is {reached:.6f}, not {target:g}"
            )
        return value

    def answer(self, rivals: Iterable[Question] = (), warnings: Iterable[str] = ()) -> Result:
        """The checked answer as a frozen value, with the rival conventions beside it."""
        unknown = self.unknown
        value = self.number()
        rounded = self._round(value)
        span = self.ranges.get(unknown)
        extra = list(warnings)
        if isinstance(span, SizeRange) and value == span.minimum:
            extra.append(f"the power asked for is already exceeded at the smallest {unknown} for which the test exists")
        return Result(
            solved=unknown,
            value=value,
            rounded=rounded,
            test=self.method.test,
            convention=self.method.convention,
            formula=self.method.formula,
            source=self.method.source,
            inputs=Values({**self.given, **self.notes, unknown: value}),
            details=Values(self._details(value)),
            at_rounded=Values(self._details(rounded) | self._achieved(rounded)),
            warnings=tuple(extra),
            rivals=tuple(rival.as_rival() for rival in rivals),
        )

    def as_rival(self) -> Rival:
        """The same question under another convention, or the reason why that convention has no answer."""
        try:
            value = self.number()
        except PowerError as error:
            return Rival(self.method.convention, None, None, why_not=str(error))
        return Rival(self.method.convention, value, self._round(value))

    def _round(self, value: float) -> float:
        span = self.ranges.get(self.unknown)
        if isinstance(span, SizeRange):
            return round_up(value / span.multiple) * span.multiple
        if isinstance(span, EffectRange):
            return _round_away(value, span)
        unit = 10.0 ** (_decimals(value) if self.unknown == "alpha" else 4)
        return math.floor(value * unit + 1e-6) / unit

    def _details(self, value: float) -> dict[str, float]:
        if self.details is None:
            return {}
        known = {name: number for name, number in self.given.items() if name != "power"}
        if self.unknown != "power":
            known[self.unknown] = value
        return dict(self.details(**known))

    def _achieved(self, rounded: float) -> dict[str, float]:
        return {} if self.unknown in ("power", "alpha") else {"power": self.power_at(rounded)}


def round_up(value: float) -> int:
    """The next whole number, unless `value` is a whole number but for the noise of arithmetic.

    >>> round_up(64.0000000001), round_up(64.001)
    (64, 65)
    """
    return math.ceil(value - 1e-7)


def _decimals(distance: float) -> int:
    """Four, or as many as three digits of a small number take."""
    return max(4, 2 - math.floor(math.log10(distance))) if distance > 0 else 4


def _round_away(value: float, span: EffectRange) -> float:
    """Four decimals, and at least three digits of the distance from the null value; never past the largest effect."""
    unit, upward = 10.0 ** _decimals(abs(value - span.null)), span.far > span.null
    rounded = (math.ceil(value * unit - 1e-6) if upward else math.floor(value * unit + 1e-6)) / unit
    return value if (rounded >= span.far if upward else rounded <= span.far) else rounded


def _solve_size(name: str, power_at: Callable[[float], float], target: float, span: SizeRange) -> float:
    low = span.minimum
    if power_at(low) >= target:
        return low
    high = max(2 * low, low + 1.0)
    while power_at(min(high, span.maximum)) < target:
        if high >= span.maximum:
            raise NoSolution(
                name,
                f"even at {span.maximum:g} the power stays at {power_at(span.maximum):.4f}, below the {target:g} asked",
                remedy="no number of units on this axis suffices: change the effect, the variance or the other sizes",
            )
        low, high = high, high * 2
    return _root(lambda x: power_at(x) - target, low, min(high, span.maximum))


def _solve_effect(name: str, power_at: Callable[[float], float], target: float, span: EffectRange) -> float:
    sign = 1.0 if span.far > span.null else -1.0
    reach = abs(span.far - span.null)
    near = 0.0
    step = min(span.scale, reach / 2) if math.isfinite(reach) else span.scale
    while power_at(span.null + sign * step) > target:
        step /= 2
        if step < 1e-14 * max(1.0, abs(span.null)):
            raise NoSolution(name, f"the power exceeds {target:g} however close the effect comes to {span.null:g}")
    far = step
    edge = reach * (1 - 1e-12)
    while power_at(span.null + sign * far) < target:
        near = far
        if far >= edge or far > 1e15:
            raise NoSolution(
                name,
                f"even the largest possible effect has power {power_at(span.null + sign * far):.4f}, below {target:g}",
                remedy="enlarge the sample or accept a lower power",
            )
        far = min(far * 1.6, edge) if far * 1.6 < edge else edge
    start = near if near > 0 else far * 1e-9
    distance = root(lambda x: power_at(span.null + sign * x) - target, start, far, xtol=1e-13 * far, rtol=1e-14)
    return span.null + sign * distance


def _solve_alpha(power_at: Callable[[float], float], target: float, lowest: float, highest: float) -> float:
    low, high = (math.log(level) - math.log1p(-level) for level in (lowest, highest))

    def miss(logit: float) -> float:
        return power_at(1 / (1 + math.exp(-logit))) - target

    if miss(low) > 0:
        raise NoSolution("alpha", f"the power exceeds {target:g} at every level; the sample is larger than needed")
    if miss(high) < 0:
        raise NoSolution("alpha", f"no level up to {highest:.4g} gives power {target:g} with this sample")
    return 1 / (1 + math.exp(-_root(miss, low, high)))


def _root(miss: Callable[[float], float], low: float, high: float) -> float:
    return root(miss, low, high, xtol=1e-12 * max(1.0, abs(low)), rtol=1e-14)
