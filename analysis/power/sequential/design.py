"""A group-sequential design as a power question: how much larger must the trial be, what does it need on average?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from analysis.power import arms, checks, tails
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.result import Result, Values
from analysis.power.roots import root
from analysis.power.sequential.boundaries import Boundaries, boundaries, information_times
from analysis.power.sequential.crossing import Crossing, crossing
from analysis.power.sequential.futility import Futility, bounds_of
from analysis.power.sequential.spending import named
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
    both_tails: bool = False,
) -> Result:
    """Inflation, size, power or smallest effect of a two-arm design with interim looks.

    `looks` is a number of equally spaced looks or their information fractions. With only `power` the answer is the
    inflation factor over a fixed design (and `n_max` when `n_fixed` is given, of any kind of outcome); with all but one
    of `n` (people in the first arm), `delta` (units of `sd`), `power` and `alpha` it is the one left out; the second
    arm has `ratio` times the first. `futility` is a spending function for the type II error,
    "pampallona_tsiatis" (with a classical shape above; `futility_parameter` is its Delta below), or a list of lower Z
    bounds for the interim looks; two-sided designs stop inside |Z| < `futility`. Non-binding bounds do not relax the
    upper ones. `both_tails` counts a rejection in the wrong direction as power. Details: bounds, nominal levels,
    expected size under the null and the alternative as a share of the maximum.
    Source: Jennison & Turnbull (2000) ch. 2-7; Lan & DeMets (1983); Pampallona & Tsiatis (1994); Pampallona, Tsiatis &
    Kim (2001).

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
        raise ImpossibleRequest(
            "looks",
            f"{len(times)} looks at {n:g} people an arm leave fewer than one new person",
            remedy="plan fewer looks",
        )

    @lru_cache(maxsize=64)
    def design(alpha: float) -> _Design:
        options = (futility_parameter, binding)
        return _Design(times, spending, parameter, alpha, (sides, both_tails), futility, options)

    if n is None and delta is None:
        if alpha is None:
            raise ImpossibleRequest("alpha", "leave out alpha only when n, delta and power are given")
        return _inflation(design(alpha), power, n_fixed)

    def drift_of(n: float, delta: float) -> float:
        return abs(delta) / sd * math.sqrt(n * ratio / (1 + ratio))

    def power_of(n: float, delta: float, alpha: float) -> float:
        drift = drift_of(n, delta)
        return design(alpha).power(design(alpha).fit(drift, power)[0], drift)

    named = design(0.05 if alpha is None else alpha)
    answer = Question(
        Method("group-sequential, two means", _convention(named), _FORMULA, named.efficacy.source),
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
    below = planned.futility
    stop = "" if below is None else f", {'binding' if below.binding else 'non-binding'} futility"
    return f"{planned.spending}, {len(planned.times)} looks{stop}"


class _Design:
    """Bounds for a drift: fixed without futility, found together with the drift when bounds below depend on it."""

    def __init__(self, looks, spending, parameter, alpha, tail, futility, options):
        self.times: tuple[float, ...] = looks
        self.spending: str = named(spending)
        self.alpha: float = alpha
        self.sides, self.both_tails = tail
        self.efficacy: Boundaries = boundaries(
            looks=looks, spending=spending, alpha=alpha, sides=self.sides, parameter=parameter
        )
        self.futility: Futility | None = bounds_of(self.efficacy, parameter, futility, options)

    def fit(self, drift: float, power: float | None) -> tuple[Boundaries, float]:
        """The bounds in force when the final statistic has mean `drift`, and their gap at the last look."""
        if self.futility is None:
            return self.efficacy, 0.0
        return self.futility.fit(drift, None if power is None else 1 - power)

    def power(self, bounds: Boundaries, drift: float) -> float:
        """Chance to cross above, or on either side when both tails count."""
        found = crossing(bounds.upper, bounds.lower, bounds.times, drift, bounds.inner)
        return found.any_upper + (found.any_lower if self.both_tails and self.sides == 2 else 0.0)


def _fixed(planned: _Design, power: float) -> float:
    """Mean of the statistic for the power without looks."""
    one = tails.z_critical(planned.alpha, planned.sides) - tails.z_critical(power, 1)
    if planned.sides == 1 or not planned.both_tails:
        return one
    return root(lambda drift: tails.z_power(drift, planned.alpha, 2) - power, 1e-9, one)


def _inflation(planned: _Design, power: float | None, n_fixed: float | None) -> Result:
    if power is None:
        raise ImpossibleRequest("power", "give power, or two of n, delta and power")
    fixed = _fixed(planned, power)

    def miss(drift: float) -> float:
        bounds, gap = planned.fit(drift, power)
        if planned.futility is not None and planned.futility.spends:
            return -gap
        return planned.power(bounds, drift) - power

    drift = root(miss, 0.3 * fixed, 3 * fixed, xtol=1e-12)
    bounds, _ = planned.fit(drift, power)
    if planned.futility is not None and planned.futility.spends and planned.sides == 2 and not planned.both_tails:
        # All that lies outside the wedges then counted as found; what crosses in the wrong direction is made up for.
        drift = root(lambda mean: planned.power(bounds, mean) - power, drift * (1 - 1e-9), 1.2 * drift, xtol=1e-12)
    reached = planned.power(bounds, drift)
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


def _described(bounds: Boundaries, drift: float) -> dict[str, Any]:
    null = crossing(bounds.upper, bounds.lower, bounds.times, 0.0, bounds.inner)
    alternative = crossing(bounds.upper, bounds.lower, bounds.times, drift, bounds.inner)
    return {
        "times": bounds.times,
        "upper": bounds.upper,
        "lower": bounds.lower,
        "inner": bounds.inner,
        "futility": bounds.inner[:-1] or tuple(low for low in bounds.lower[:-1] if bounds.sides == 1 and low > -20),
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
    inside = found.within or [0.0] * len(times)
    stops = [a + b + c for a, b, c in zip(found.upper, found.lower, inside, strict=True)]
    return sum(p * t for p, t in zip(stops[:-1], times, strict=False)) + (1 - sum(stops[:-1])) * times[-1]
