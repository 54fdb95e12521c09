"""What a budget or a number of places buys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.planning.model import FULL, Model
from analysis.power.errors import ImpossibleRequest
from analysis.power.roots import root

__all__ = ["Allocation", "Lottery", "allocate", "cost_of", "lottery"]


@dataclass(frozen=True, slots=True)
class Allocation:
    """People to recruit in every arm, what they cost and the power they give; `equal_power` is that of equal arms."""

    recruited: Mapping[str, int]
    cost: float
    power: float
    multiple: float
    equal_power: float | None
    at_capacity: tuple[str, ...]

    @property
    def total(self) -> int:
        """People to recruit over all arms."""
        return sum(self.recruited.values())


@dataclass(frozen=True, slots=True)
class Lottery:
    """Places drawn among applicants: the sizes that follow, the power, the smallest detectable effect."""

    treated: int
    control: int
    power: float
    multiple: float
    warnings: tuple[str, ...]


def cost_of(model: Model, name: str) -> float:
    """Expected euros a person assigned to the arm: recruitment, assignment, and take-up times its price."""
    arm = next(arm for arm in model.section.arms if arm.name == name)
    share = model.take_up_control() if name == model.section.control else model.take_up(arm)
    return model.section.cost_per_person + arm.cost.assigned + share * arm.cost.taken_up


def allocate(model: Model, lost: float, budget: float | None, power: float | None) -> Allocation:
    """Arms sized by Neyman's rule (spread over root cost), capacities respected. Source: Cochran (1977) §5.5."""
    section = model.section
    prices = {arm.name: cost_of(model, arm.name) for arm in section.arms}
    if min(prices.values()) <= 0:
        free = min(prices, key=lambda name: prices[name])
        raise ImpossibleRequest(
            "cost", f"a person in arm '{free}' costs nothing, so the cheapest allocation is endless"
        )
    chosen = section.budget if budget is None and power is None else budget
    if chosen is not None:
        return _best_for_budget(model, lost, chosen, prices)
    wanted = section.power if power is None else power
    return _cheapest_for_power(model, lost, wanted, prices)


def _weights(model: Model, prices: Mapping[str, float]) -> dict[str, float]:
    """Relative sizes: an arm counts once for every comparison it serves."""
    uses = dict.fromkeys(prices, 0)
    for pair in model.pairs():
        for name in pair:
            uses[name] += 1
    weights = {}
    for arm in model.section.arms:
        p = model.level(arm.name, FULL, 1.0)
        variance = 1.0 if model.outcome.kind == "continuous" else p * (1 - p)
        weights[arm.name] = math.sqrt(uses[arm.name] * variance * model.inflation(arm, FULL) / prices[arm.name])
    unused = [name for name, weight in weights.items() if weight == 0]
    if unused:
        raise ImpossibleRequest("comparisons", f"arm '{unused[0]}' takes part in no comparison")
    return weights


def _spread(model: Model, budget: float, prices: Mapping[str, float]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Real-valued sizes that spend the budget, arms beyond their capacity held there."""
    weights = _weights(model, prices)
    capacity = {arm.name: arm.capacity for arm in model.section.arms}
    fixed: dict[str, float] = {}
    while True:
        free = [name for name in weights if name not in fixed]
        left = budget - sum(fixed[name] * prices[name] for name in fixed)
        if not free:
            return fixed, tuple(fixed)
        unit = left / sum(weights[name] * prices[name] for name in free)
        sizes = {name: unit * weights[name] for name in free}
        over = {n: float(c) for n in free if (c := capacity[n]) is not None and sizes[n] > c}
        if not over:
            return {**sizes, **fixed}, tuple(fixed)
        fixed |= over


def _best_for_budget(model: Model, lost: float, budget: float, prices: Mapping[str, float]) -> Allocation:
    least = 2 * sum(prices.values())
    if budget < least:
        raise ImpossibleRequest("budget", f"{budget:g} does not pay for two people in every arm, which cost {least:g}")
    sizes, full = _spread(model, budget, prices)
    recruited = {name: max(2, math.floor(size + 1e-9)) for name, size in sizes.items()}
    cost = sum(recruited[name] * prices[name] for name in recruited)
    if cost > budget * (1 + 1e-12):
        raise ImpossibleRequest("budget", f"{budget:g} leaves an arm with fewer than two people")
    ratios = {arm.name: arm.ratio for arm in model.section.arms}
    unit = budget / sum(ratios[name] * prices[name] for name in ratios)
    equal = {name: unit * ratio * (1 - lost) for name, ratio in ratios.items()}
    return _described(model, lost, recruited, cost, full, model.power(equal))


def _cheapest_for_power(model: Model, lost: float, power: float, prices: Mapping[str, float]) -> Allocation:
    def reached(budget: float) -> float:
        sizes, _ = _spread(model, budget, prices)
        return model.power({name: size * (1 - lost) for name, size in sizes.items()}) - power

    low = 4 * sum(prices.values()) / (1 - lost) * max(1.0, model.smallest(FULL))
    high = low
    while reached(high) < 0:
        high *= 2
        if high > 1e15:
            raise ImpossibleRequest("power", f"{power:g} cannot be reached within the capacities of the arms")
    budget = high if high == low else root(reached, high / 2, high, xtol=1e-6 * low)
    sizes, full = _spread(model, budget, prices)
    recruited = {name: math.ceil(size - 1e-9) for name, size in sizes.items()}
    cost = sum(recruited[name] * prices[name] for name in recruited)
    return _described(model, lost, recruited, cost, full, None)


def _described(
    model: Model,
    lost: float,
    recruited: dict[str, int],
    cost: float,
    full: tuple[str, ...],
    equal: float | None,
) -> Allocation:
    analysed = {name: size * (1 - lost) for name, size in recruited.items()}
    multiple = model.solve_scale(analysed, model.section.power)
    return Allocation(recruited, cost, model.power(analysed), multiple, equal, full)


def lottery(model: Model, lost: float, capacity: int, applicants: int, power: float) -> Lottery:
    """Power of a draw of `capacity` places among `applicants`, for a plan with two arms.

    The sample is all applicants, yet no finite-population correction applies: the effect is not a total of these
    people but a difference between two things that cannot both be seen.
    """
    if len(model.section.arms) != 2:
        raise ImpossibleRequest("arms", f"a lottery of places has two arms, not {len(model.section.arms)}")
    if not 2 <= capacity <= applicants - 2:
        raise ImpossibleRequest(
            "capacity", f"{capacity} places among {applicants} applicants leave fewer than two people in an arm"
        )
    control = model.section.control
    treated = next(arm.name for arm in model.section.arms if arm.name != control)
    people = {treated: capacity * (1 - lost), control: (applicants - capacity) * (1 - lost)}
    return Lottery(
        capacity,
        applicants - capacity,
        model.power(people),
        model.solve_scale(people, power),
        ("no finite-population correction: it does not apply to a treatment effect",),
    )
