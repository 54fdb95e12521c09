"""Non-inferiority and superiority by a margin: is the second arm better than a stated loss (or gain)?"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from analysis.power import arms, checks, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question
from analysis.power.wording import asked

__all__ = [
    "noninferiority_means",
    "noninferiority_proportions",
    "noninferiority_ratio",
    "restricted_proportions",
    "restricted_proportions_ratio",
]


def _check_room(name: str, effect: float, margin: float | None, higher_is_better: bool) -> None:
    """Refuse a margin that the expected effect does not lie on the wanted side of."""
    if margin is None:
        return
    room = effect - margin if higher_is_better else margin - effect
    if room <= 0:
        side = "above" if higher_is_better else "below"
        raise ImpossibleRequest(
            "margin",
            f"the expected {name} {effect:g} does not lie {side} the margin {margin:g}",
            remedy="write the largest acceptable loss with its sign, such as margin=-0.05 when higher is better, or "
            "say higher_is_better=False",
        )


@asked
def noninferiority_means(
    *,
    margin: float | None = None,
    delta: float = 0.0,
    sd: float = 1.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.025,
    test: Literal["t", "z"] = "t",
    higher_is_better: bool | None = None,
    paired: bool = False,
) -> Result:
    """Size, power, smallest margin or level of the one-sided test that the difference of means exceeds `margin`.

    `delta` is the expected second minus first mean, `margin` the loss still accepted (negative when higher is better;
    positive and below `delta` asks for superiority by a margin; positive and above `delta` is the largest rise accepted
    where lower is better, unless `higher_is_better` says otherwise). `paired=True`: n pairs, sd of the differences.
    Source: Chow, Shao & Wang (2008) §3.2.

    >>> round(noninferiority_means(margin=-0.05, sd=0.1, power=0.8, alpha=0.05, test="z").n, 4)
    49.4605
    """
    checks.level(alpha, power, 1)
    checks.positive(sd=sd)
    checks.choice("test", test, ("t", "z"))
    arms.check_arms(n, n2, ratio)
    if higher_is_better is None:
        higher_is_better = margin is None or not margin > max(delta, 0)
    _check_room("difference", delta, margin, higher_is_better)

    def ask(kind: str) -> Question:
        def power_of(n: float, margin: float, alpha: float) -> float:
            first, second = (n, math.inf) if paired else arms.sizes(n, n2, ratio)
            shift = abs(delta - margin) / (sd * math.sqrt(1 / first + 1 / second))
            if kind == "z":
                return tails.z_power(shift, alpha, 1)
            return tails.t_power(shift, n - 1 if paired else first + second - 2, alpha, 1)

        reference = "normal reference, known variance" if kind == "z" else "noncentral t, pooled variance"
        return Question(
            Method(
                "non-inferiority of means",
                reference,
                "ncp = (delta - margin) / (sd sqrt(1/n1 + 1/n2)), one-sided",
                "Chow, Shao & Wang (2008) §3.2.2",
            ),
            {"n": n, "margin": margin, "power": power, "alpha": alpha},
            power_of,
            {
                "n": arms.smallest(n2, 1.0 if paired else ratio),
                "margin": EffectRange(delta, -math.inf if higher_is_better else math.inf, 0.1 * sd),
            },
            lambda n, **_: {"pairs": n} if paired else arms.totals(n, n2, ratio),
            {"delta": delta, "sd": sd, "ratio": ratio, "sides": 1},
        )

    return ask(test).answer(rivals=[ask("z" if test == "t" else "t")])


def restricted_proportions(p1: float, p2: float, difference: float, theta: float) -> tuple[float, float]:
    """Maximum likelihood proportions under p1 - p2 = difference, sizes in the ratio theta = n2 / n1.

    Source: Farrington & Manning (1990), appendix; Miettinen & Nurminen (1985).
    """
    a = 1 + theta
    b = -(1 + theta + p1 + theta * p2 + difference * (theta + 2))
    c = difference**2 + difference * (2 * p1 + theta + 1) + p1 + theta * p2
    d = -p1 * difference * (1 + difference)
    first = _middle_root(a, b, c, d)
    return first, first - difference


def restricted_proportions_ratio(p1: float, p2: float, quotient: float, theta: float) -> tuple[float, float]:
    """Maximum likelihood proportions under p1 / p2 = quotient, sizes in the ratio theta = n2 / n1.

    Source: Farrington & Manning (1990); Miettinen & Nurminen (1985).
    """
    a = 1 + theta
    b = -(quotient * (1 + theta * p2) + theta + p1)
    c = quotient * (p1 + theta * p2)
    first = (-b - math.sqrt(b * b - 4 * a * c)) / (2 * a)
    return first, first / quotient


def _middle_root(a: float, b: float, c: float, d: float) -> float:
    v = b**3 / (27 * a**3) - b * c / (6 * a**2) + d / (2 * a)
    u = math.copysign(math.sqrt(max(b**2 / (9 * a**2) - c / (3 * a), 0.0)), v)
    if u == 0:
        return -b / (3 * a)
    w = (math.pi + math.acos(float(np.clip(v / u**3, -1, 1)))) / 3
    return 2 * u * math.cos(w) - b / (3 * a)


_PROPORTION_METHODS = {
    "farrington_manning": Method(
        "non-inferiority of proportions",
        "score test, restricted maximum likelihood variance under the null",
        "z = (|p2 - p1 - margin| - z_a se_restricted) / se_alternative",
        "Farrington & Manning (1990)",
    ),
    "wald": Method(
        "non-inferiority of proportions",
        "Wald test, unpooled variance",
        "n = (z_a + z_b)² (p1 q1 + p2 q2 / r) / (p2 - p1 - margin)²",
        "Chow, Shao & Wang (2008) §4.2.2",
    ),
}


@asked
def noninferiority_proportions(
    *,
    p1: float,
    p2: float,
    margin: float | None = None,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.025,
    method: Literal["farrington_manning", "wald"] = "farrington_manning",
    higher_is_better: bool = True,
) -> Result:
    """Size, power, smallest margin or level of the one-sided test that p2 - p1 exceeds `margin`.

    `p1` and `n` are of the control arm. Source: Farrington & Manning (1990); Chow, Shao & Wang (2008) §4.2.

    >>> round(noninferiority_proportions(p1=0.05, p2=0.4, margin=0.2, alpha=0.05, power=0.8).n_total, 4)
    159.6876
    """
    checks.level(alpha, power, 1)
    checks.probability(p1=p1, p2=p2)
    checks.between("margin", margin, -1, 1)
    checks.choice("method", method, _PROPORTION_METHODS)
    arms.check_arms(n, n2, ratio)
    _check_room("difference", p2 - p1, margin, higher_is_better)

    def errors(first: float, second: float, margin: float, kind: str) -> tuple[float, float]:
        alternative = math.sqrt(p1 * (1 - p1) / first + p2 * (1 - p2) / second)
        if kind == "wald":
            return alternative, alternative
        b, a = restricted_proportions(p2, p1, margin, first / second)
        return math.sqrt(a * (1 - a) / first + b * (1 - b) / second), alternative

    def ask(kind: str) -> Question:
        def power_of(n: float, margin: float, alpha: float) -> float:
            null, alternative = errors(*arms.sizes(n, n2, ratio), margin, kind)
            return float(tails.special.ndtr((abs(p2 - p1 - margin) - tails.z_critical(alpha, 1) * null) / alternative))

        return Question(
            _PROPORTION_METHODS[kind],
            {"n": n, "margin": margin, "power": power, "alpha": alpha},
            power_of,
            {
                "n": arms.smallest(n2, ratio),
                "margin": EffectRange(p2 - p1, -1.0 if higher_is_better else 1.0, 0.01),
            },
            lambda n, **_: arms.totals(n, n2, ratio),
            {"p1": p1, "p2": p2, "ratio": ratio, "sides": 1},
        )

    return ask(method).answer(rivals=[ask(kind) for kind in _PROPORTION_METHODS if kind != method])


@asked
def noninferiority_ratio(
    *,
    p1: float,
    p2: float,
    margin: float | None = None,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.025,
    higher_is_better: bool = True,
) -> Result:
    """Size, power, smallest margin or level of the one-sided score test that the risk ratio p2 / p1 exceeds `margin`.

    Source: Farrington & Manning (1990), ratio of proportions.

    >>> noninferiority_ratio(p1=0.6, p2=0.6, margin=0.8, power=0.8).rounded
    215
    """
    checks.level(alpha, power, 1)
    checks.probability(p1=p1, p2=p2)
    checks.positive(margin=margin)
    arms.check_arms(n, n2, ratio)
    _check_room("risk ratio", p2 / p1, margin, higher_is_better)

    def power_of(n: float, margin: float, alpha: float) -> float:
        first, second = arms.sizes(n, n2, ratio)
        b, a = restricted_proportions_ratio(p2, p1, margin, first / second)
        null = math.sqrt(b * (1 - b) / second + margin**2 * a * (1 - a) / first)
        alternative = math.sqrt(p2 * (1 - p2) / second + margin**2 * p1 * (1 - p1) / first)
        return float(tails.special.ndtr((abs(p2 - margin * p1) - tails.z_critical(alpha, 1) * null) / alternative))

    method = Method(
        "non-inferiority of a risk ratio",
        "score test, restricted maximum likelihood variance under the null",
        "z = (|p2 - R p1| - z_a se_restricted) / se_alternative",
        "Farrington & Manning (1990)",
    )
    return Question(
        method,
        {"n": n, "margin": margin, "power": power, "alpha": alpha},
        power_of,
        {
            "n": arms.smallest(n2, ratio),
            "margin": EffectRange(p2 / p1, 0.0 if higher_is_better else math.inf, 0.01),
        },
        lambda n, **_: arms.totals(n, n2, ratio),
        {"p1": p1, "p2": p2, "ratio": ratio, "sides": 1},
    ).answer()
