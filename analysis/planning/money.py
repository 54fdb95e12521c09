"""What a budget or a number of places buys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.planning.cheapest import improved_for_budget, improved_for_power
from analysis.planning.model import FULL, Model
from analysis.power.errors import ImpossibleRequest, NoSolution
from analysis.power.roots import root

__all__ = ["Allocation", "Bill", "Lottery", "allocate", "bill", "cost_of", "detectable", "lottery"]


@dataclass(frozen=True, slots=True)
class Allocation:
    """People to recruit in every arm, what they cost in euros and the power they give.

    `multiple` of the assumed effects is the smallest that these people detect with the power of the section; None when
    they are too few for any. `equal_power` is that of the ratios of the section for the same money.
    """

    recruited: Mapping[str, int]
    cost: float
    power: float
    multiple: float | None
    equal_power: float | None
    at_capacity: tuple[str, ...]

    @property
    def total(self) -> int:
        """People to recruit over all arms."""
        return sum(self.recruited.values())


@dataclass(frozen=True, slots=True)
class Bill:
    """What a number of recruits is expected to cost, in euros: in all, by arm, and a person of each arm."""

    by_arm: Mapping[str, float]
    per_person: Mapping[str, float]

    @property
    def total(self) -> float:
        """Euros over all arms."""
        return sum(self.by_arm.values())


@dataclass(frozen=True, slots=True)
class Lottery:
    """Places drawn among applicants: the sizes that follow, the power, the smallest detectable effect."""

    treated: int
    control: int
    power: float
    multiple: float | None
    warnings: tuple[str, ...]


def bill(model: Model, recruited: Mapping[str, int]) -> Bill:
    """Expected costs of these recruits; a person who leaves later has been paid for."""
    prices = {name: cost_of(model, name) for name in recruited}
    return Bill({name: prices[name] * count for name, count in recruited.items()}, prices)


def cost_of(model: Model, name: str) -> float:
    """Expected euros a person assigned to the arm: recruitment, assignment, and take-up times its price."""
    arm = next(arm for arm in model.section.arms if arm.name == name)
    share = model.take_up_control() if name == model.section.control else model.take_up(arm)
    return model.section.cost_per_person + arm.cost.assigned + share * arm.cost.taken_up


def allocate(model: Model, lost: float, budget: float | None, power: float | None) -> Allocation:
    """Arms sized so that the weakest comparison gains most a euro, capacities respected; see `cheapest`."""
    section = model.section
    if budget is not None and power is not None:
        raise ImpossibleRequest("budget", "give a budget or a power: the other follows from it")
    if budget is not None and not math.isfinite(budget):
        raise ImpossibleRequest("budget", f"must be a finite amount of euros, not {budget:g}")
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


def _spread(
    model: Model, budget: float, prices: Mapping[str, float], ratios: Mapping[str, float] | None = None
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Real-valued sizes that spend the budget, arms beyond their capacity held there."""
    weights = _weights(model, prices) if ratios is None else ratios
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
        raise ImpossibleRequest(
            "budget",
            f"{budget:g} does not pay for two people in every arm, which cost {least:g}",
            remedy=f"raise the budget to {least:g} at the very least, or drop an arm",
        )
    rule, _ = _spread(model, budget, prices)
    sizes = improved_for_budget(model, rule, prices, budget, 1 - lost)
    recruited = {name: max(2, math.floor(size + 1e-6)) for name, size in sizes.items()}
    cost = sum(recruited[name] * prices[name] for name in recruited)
    _check_clusters(model, recruited, lost, budget, prices)
    if cost > budget * (1 + 1e-12):
        raise ImpossibleRequest("budget", f"{budget:g} leaves an arm with fewer than two people")
    ratios = {arm.name: arm.ratio for arm in model.section.arms}
    equal, _ = _spread(model, budget, prices, ratios)
    kept = {name: size * (1 - lost) for name, size in equal.items()}
    return _described(model, lost, recruited, cost, model.power(kept))


def _check_clusters(
    model: Model, recruited: Mapping[str, int], lost: float, budget: float, prices: Mapping[str, float]
) -> None:
    """Raises when the money leaves an arm with fewer advisors or sites than any analysis needs."""
    for name, count in recruited.items():
        fewest = model.fewest(name)
        if fewest > 2 and count * (1 - lost) < fewest * (1 - 1e-6) - 1:
            raise ImpossibleRequest(
                "budget",
                f"{budget:g} leaves arm '{name}' with {count} people, fewer than two clusters or advisors, "
                f"which need {math.ceil(fewest / (1 - lost))} at {prices[name]:g} each",
                remedy="raise the budget, or plan smaller groups for each advisor",
            )


def _cheapest_for_power(model: Model, lost: float, power: float, prices: Mapping[str, float]) -> Allocation:
    model.check_power(power)

    def reached(budget: float) -> float:
        sizes, _ = _spread(model, budget, prices)
        return model.power({name: size * (1 - lost) for name, size in sizes.items()}) - power

    low = 4 * sum(prices.values()) / (1 - lost) * max(1.0, model.smallest(FULL))
    high = low
    while reached(high) < 0:
        high *= 2
        if high > 1e15:
            raise ImpossibleRequest(
                "capacity" if any(arm.capacity is not None for arm in model.section.arms) else "power",
                f"power {power:g} cannot be reached within the places of the arms",
                remedy="find more places, or ask for less power or a larger effect",
            )
    budget = high if high == low else root(reached, high / 2, high, xtol=1e-6 * low)
    rule, _ = _spread(model, budget, prices)
    sizes = improved_for_power(model, rule, prices, power, 1 - lost)
    recruited = {name: math.ceil(size - 1e-6) for name, size in sizes.items()}
    cost = sum(recruited[name] * prices[name] for name in recruited)
    return _described(model, lost, recruited, cost, None)


def _described(
    model: Model,
    lost: float,
    recruited: dict[str, int],
    cost: float,
    equal: float | None,
) -> Allocation:
    analysed = {name: size * (1 - lost) for name, size in recruited.items()}
    multiple = detectable(model, analysed, model.section.power)
    full = tuple(
        arm.name for arm in model.section.arms if arm.capacity is not None and recruited[arm.name] >= arm.capacity
    )
    return Allocation(recruited, cost, model.power(analysed), multiple, equal, full)


def detectable(model: Model, analysed: Mapping[str, float], power: float) -> float | None:
    """Smallest multiple of the assumed effects with the power; None when even the largest effect falls short."""
    try:
        return model.solve_scale(analysed, power)
    except NoSolution:
        return None


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
        detectable(model, people, power),
        ("no finite-population correction: it does not apply to a treatment effect",),
    )
