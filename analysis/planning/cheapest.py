"""The best sizes of arms with unequal prices: the most power for a budget, or the least money for a power.

Neyman's rule (sizes in proportion to spread over root price, Cochran 1977 §5.5) makes the sum of the variances as
small as it can be. A plan needs more: its weakest comparison must have the power. So the rule is only where the search
starts; from there sequential quadratic programming moves the sizes until no exchange between arms helps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import optimize, special

from analysis.planning.model import Model

__all__ = ["improved_for_budget", "improved_for_power"]

Sizes = Mapping[str, float]


def improved_for_budget(model: Model, start: Sizes, prices: Sizes, budget: float, kept: float) -> dict[str, float]:
    """Recruits by arm, unrounded, with the largest power for the budget; never worse than `start`.

    `kept` is the share of recruits that is analysed.
    """
    names = list(prices)
    first = np.append(np.log([start[name] for name in names]), _weakest(model, start, kept))

    def spare(x: np.ndarray) -> float:
        return 1 - float(np.exp(x[:-1]) @ [prices[name] for name in names]) / budget

    def above(x: np.ndarray) -> np.ndarray:
        return _probits(model, dict(zip(names, np.exp(x[:-1]), strict=True)), kept) - x[-1]

    found = optimize.minimize(
        lambda x: -x[-1], first, method="SLSQP", bounds=[*_bounds(model, prices, budget, kept), (None, None)],
        constraints=[{"type": "ineq", "fun": spare}, {"type": "ineq", "fun": above}],
        options={"maxiter": 200, "ftol": 1e-10},
    )  # fmt: skip
    sizes = dict(zip(names, np.exp(found.x[:-1]), strict=True))
    scale = min(1.0, budget / sum(size * prices[name] for name, size in sizes.items()))
    sizes = {name: float(size * scale) for name, size in sizes.items()}
    return sizes if _weakest(model, sizes, kept) > _weakest(model, start, kept) else dict(start)


def improved_for_power(model: Model, start: Sizes, prices: Sizes, power: float, kept: float) -> dict[str, float]:
    """Recruits by arm, unrounded, that reach the power for the least money; never dearer than `start`."""
    names = list(prices)
    target = float(special.ndtri(power))
    dear = sum(start[name] * prices[name] for name in names)

    def cost(x: np.ndarray) -> float:
        return float(np.exp(x) @ [prices[name] for name in names]) / dear

    def above(x: np.ndarray) -> np.ndarray:
        return _probits(model, dict(zip(names, np.exp(x), strict=True)), kept) - target

    found = optimize.minimize(
        cost, np.log([start[name] for name in names]), method="SLSQP", bounds=_bounds(model, prices, dear, kept),
        constraints=[{"type": "ineq", "fun": above}], options={"maxiter": 200, "ftol": 1e-10},
    )  # fmt: skip
    sizes = {name: float(size) for name, size in zip(names, np.exp(found.x), strict=True)}
    missed = target - _weakest(model, sizes, kept)
    cheaper = sum(sizes[name] * prices[name] for name in names) < dear
    return sizes if cheaper and missed < 1e-6 else dict(start)


def _probits(model: Model, recruited: Sizes, kept: float) -> np.ndarray:
    """The powers that must reach the target, as normal quantiles, which are nearly linear in root n."""
    analysed = {name: size * kept for name, size in recruited.items()}
    if model.section.power_of == "marginal":
        powers = list(model.marginal(analysed).values())
    else:
        powers = [model.power(analysed)]
    return special.ndtri(np.clip(powers, 1e-12, 1 - 1e-12))


def _weakest(model: Model, recruited: Sizes, kept: float) -> float:
    return float(_probits(model, recruited, kept).min())


def _bounds(model: Model, prices: Sizes, money: float, kept: float) -> list[tuple[float, float]]:
    """Logarithms of the fewest and the most recruits: two people or clusters, and its places or what all money buys."""
    places = {arm.name: arm.capacity for arm in model.section.arms}
    most = {name: min(money / price, places[name] or math.inf) for name, price in prices.items()}
    fewest = {name: min(model.fewest(name) / kept, most[name]) for name in prices}
    return [(math.log(fewest[name]), math.log(most[name])) for name in prices]
