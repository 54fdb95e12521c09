"""A group-sequential design as a power question: how much larger must the trial be, what does it need on average?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from analysis.power import arms, checks, tails
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.result import Result, Values
from analysis.power.roots import root
from analysis.power.sequential.boundaries import (
    Boundaries,
    boundaries,
    information_times,
    shaped_bounds,
    spending_bounds,
)
from analysis.power.sequential.crossing import Crossing, Walk, crossing
from analysis.power.sequential.spending import SPENDING, spent
from analysis.power.solve import EffectRange, Method, Question
from analysis.power.wording import asked

__all__ = ["group_sequential"]


@asked
def group_sequential(
    *,
    looks: int | Sequence[float],
    spending: str = "lan_demets_obf",
    parameter: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    n: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    ratio: float = 1.0,
    n_fixed: float | None = None,
    futility: str | Sequence[float] | None = None,
    futility_parameter: float | None = None,
    binding: bool = False,
) -> Result:
    """Inflation, size, power or smallest effect of a two-arm design with interim looks.

    `looks` is a number of equally spaced looks or their information fractions. With only `power` the answer is the
    inflation factor over a fixed design (and `n_max` when `n_fixed` is given, of any kind of outcome); with all but one
    of `n` (people in the first arm), `delta` (units of `sd`), `power` and `alpha` it is the one left out; the second
    arm has `ratio` times the first. `futility` (one-sided designs) is a spending function for the
    type II error, or a list of lower Z bounds for the interim looks; non-binding bounds do not relax the upper ones.
    Details: bounds, nominal levels, expected size under the null and the alternative as a share of the maximum.
    Source: Jennison & Turnbull (2000) ch. 2-7; Lan & DeMets (1983); Pampallona, Tsiatis & Kim (2001).

    >>> answer = group_sequential(looks=5, spending="obf", power=0.9)
    >>> round(answer.inflation, 3), round(answer.upper[-1], 3)
    (1.026, 2.04)
    """
    checks.level(alpha, power, sides)
    checks.positive(sd=sd, n_fixed=n_fixed)
    checks.at_least(2, n=n)
    checks.different("delta", delta, 0)
    checks.positive(ratio=ratio)
    times = information_times(looks)
    if n is not None and 2 * n < 2 * len(times):
        raise ImpossibleRequest("looks", f"{len(times)} looks at {n:g} people an arm leave fewer than one new person")
    if futility is not None and sides == 2:
        raise ImpossibleRequest("futility", "a futility bound needs a one-sided design; set sides=1 and halve alpha")

    @lru_cache(maxsize=64)
    def design(alpha: float) -> _Design:
        return _Design(times, spending, parameter, alpha, sides, futility, futility_parameter, binding)

    if n is None and delta is None:
        if alpha is None:
            raise ImpossibleRequest("alpha", "leave out alpha only when n, delta and power are given")
        return _inflation(design(alpha), power, n_fixed)

    def drift_of(n: float, delta: float) -> float:
        return abs(delta) / sd * math.sqrt(n * ratio / (1 + ratio))

    def power_of(n: float, delta: float, alpha: float) -> float:
        bounds, drift = design(alpha).fit(drift_of(n, delta), power)
        return crossing(bounds.upper, bounds.lower, times, drift).any_upper

    named = design(0.05 if alpha is None else alpha)
    answer = Question(
        Method("group-sequential, two means", _convention(named), _FORMULA, named.efficacy().source),
        {"n": n, "delta": delta, "power": power, "alpha": alpha},
        power_of,
        {"n": arms.smallest(None, ratio), "delta": EffectRange(scale=0.1 * sd)},
        lambda n, **_: arms.totals(n, None, ratio),
        {"sides": sides, "sd": sd, "ratio": ratio},
        levels=(1e-9, 0.5),
    ).answer()
    drift = drift_of(answer.inputs["n"], answer.inputs["delta"])
    bounds, _ = design(answer.inputs["alpha"]).fit(drift, power)
    return replace(answer, details=Values({**answer.details, **_described(bounds, drift)}))


_FORMULA = "mean of the final statistic for the power, by recursive integration; inflation = (mean / (z_a + z_b))²"


def _convention(planned: _Design) -> str:
    stop = "" if planned.futility is None else f", {'binding' if planned.binding else 'non-binding'} futility"
    return f"{planned.spending}, {len(planned.times)} looks{stop}"


class _Design:
    """Bounds for a drift: fixed without futility, found together with the drift when type II error is spent."""

    def __init__(self, times, spending, parameter, alpha, sides, futility, futility_parameter, binding):
        self.times: tuple[float, ...] = times
        self.spending: str = spending
        self.parameter: float | None = parameter
        self.alpha: float = alpha
        self.sides: int = sides
        self.futility: str | Sequence[float] | None = futility
        self.futility_parameter: float | None = futility_parameter
        self.binding: bool = binding
        self._efficacy = boundaries(looks=times, spending=spending, alpha=alpha, sides=sides, parameter=parameter)
        if isinstance(futility, str) and binding and spending not in SPENDING:
            raise ImpossibleRequest(
                "binding",
                f"binding futility that spends type II error needs a spending function above as well, not '{spending}'",
                remedy="take spending='lan_demets_obf', or list the futility bounds",
            )

    def efficacy(self) -> Boundaries:
        """Upper bounds that ignore futility."""
        return self._efficacy

    def fit(self, drift: float, power: float | None) -> tuple[Boundaries, float]:
        """The bounds in force when the final statistic has mean `drift`."""
        if self.futility is None:
            return self._efficacy, drift
        if isinstance(self.futility, str):
            if power is None:
                raise ImpossibleRequest("futility", "spending type II error needs the planned power; give power")
            return self.spend_both(drift, 1 - power)[0], drift
        lower = [*self.futility]
        if len(lower) != len(self.times) - 1:
            raise ImpossibleRequest("futility", f"list {len(self.times) - 1} lower bounds, one for each interim look")
        upper = list(self._efficacy.upper)
        if self.binding:
            floors = [*lower, -math.inf]
            if self.spending in SPENDING:
                upper = spending_bounds(self.times, self.alpha, self.spending, self.parameter, lower=floors)
            else:
                upper = shaped_bounds(self.times, self.spending, self.alpha, 1, self.parameter, floors)[0]
        return replace(self._efficacy, upper=tuple(upper), lower=(*lower, upper[-1])), drift

    def spend_both(self, drift: float, beta: float) -> tuple[Boundaries, float]:
        """Bounds that spend alpha above and `beta` below at this drift, and the gap between them at the last look."""
        assert isinstance(self.futility, str)
        null, alternative = Walk.start(), Walk.start()
        upper, lower, used_alpha, used_beta = [], [], 0.0, 0.0
        for look, time in enumerate(self.times):
            share = spent(self.futility, beta, time, self.futility_parameter) - used_beta
            used_beta += share
            low = _quantile_below(alternative, time, drift, share)
            if self.binding:
                portion = spent(self.spending, self.alpha, time, self.parameter) - used_alpha
                used_alpha += portion
                high = _quantile_above(null, time, portion)
            else:
                high = self._efficacy.upper[look]
            lower.append(low)
            upper.append(high)
            null = null.advance(min(low, high), high, time, 0.0)
            alternative = alternative.advance(min(low, high), high, time, drift)
        gap = upper[-1] - lower[-1]
        ends = [min(low, high) for low, high in zip(lower, upper, strict=True)]
        return replace(self._efficacy, upper=tuple(upper), lower=(*ends[:-1], upper[-1])), gap


def _quantile_below(walk: Walk, time: float, drift: float, share: float) -> float:
    if share < 1e-15:
        return -20.0
    ceiling = 20.0 + drift
    if walk.below(ceiling, time, drift) <= share:
        # So strong a drift leaves less than beta inside the bounds: the futility bound lies above everything.
        return ceiling
    return root(lambda z: walk.below(z, time, drift) - share, -20.0, ceiling, xtol=1e-13)


def _quantile_above(walk: Walk, time: float, share: float) -> float:
    if share < 1e-15 or walk.above(-20.0, time, 0.0) <= share:
        return 20.0 if share < 1e-15 else -20.0
    return root(lambda z: walk.above(z, time, 0.0) - share, -20.0, 20.0, xtol=1e-13)


def _inflation(planned: _Design, power: float | None, n_fixed: float | None) -> Result:
    if power is None:
        raise ImpossibleRequest("power", "give power, or two of n, delta and power")
    fixed = tails.z_critical(planned.alpha, planned.sides) - tails.z_critical(power, 1)

    def miss(drift: float) -> float:
        if isinstance(planned.futility, str):
            return -planned.spend_both(drift, 1 - power)[1]
        bounds, _ = planned.fit(drift, power)
        return crossing(bounds.upper, bounds.lower, planned.times, drift).any_upper - power

    drift = root(miss, 0.3 * fixed, 3 * fixed, xtol=1e-12)
    bounds, _ = planned.fit(drift, power)
    reached = crossing(bounds.upper, bounds.lower, planned.times, drift).any_upper
    if abs(reached - power) > 1e-6:
        raise NoSolution("inflation", f"the search ended with power {reached:.6f}, not {power:g}")
    inflation = (drift / fixed) ** 2
    details = _described(bounds, drift)
    if n_fixed is not None:
        details |= {"n_max": n_fixed * inflation, "n_expected": n_fixed * inflation * details["expected_alternative"]}
        details |= {"n_expected_null": n_fixed * inflation * details["expected_null"]}
    return Result(
        solved="inflation",
        value=inflation,
        rounded=math.ceil(inflation * 1e4) / 1e4,
        test="group-sequential",
        convention=_convention(planned),
        formula=_FORMULA,
        source=bounds.source,
        inputs=Values({"inflation": inflation, "power": power, "alpha": planned.alpha, "sides": planned.sides}),
        details=Values(details),
    )


def _described(bounds: Boundaries, drift: float) -> dict[str, object]:
    null = crossing(bounds.upper, bounds.lower, bounds.times, 0.0)
    alternative = crossing(bounds.upper, bounds.lower, bounds.times, drift)
    return {
        "times": bounds.times,
        "upper": bounds.upper,
        "lower": bounds.lower,
        "levels": bounds.levels,
        "spent": bounds.spent,
        "constant": bounds.constant,
        "drift": drift,
        "stop_null": null.upper,
        "stop_alternative": alternative.upper,
        "expected_null": _expected(null, bounds.times),
        "expected_alternative": _expected(alternative, bounds.times),
    }


def _expected(found: Crossing, times: Sequence[float]) -> float:
    """Expected information at stopping, as a share of the maximum."""
    stops = [a + b for a, b in zip(found.upper, found.lower, strict=True)]
    return sum(p * t for p, t in zip(stops[:-1], times, strict=False)) + (1 - sum(stops[:-1])) * times[-1]
