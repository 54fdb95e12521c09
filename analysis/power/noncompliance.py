"""Take-up: the effect on those who take part, diluted to the effect of being offered; and loss to follow-up."""

from __future__ import annotations

import math
from dataclasses import replace

from analysis.power import arms, checks, proportions
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result, Values
from analysis.power.solve import EffectRange, Method, Question
from analysis.power.tails import z_power
from analysis.power.wording import asked

__all__ = ["diluted", "late_means", "late_proportions", "recruited"]

_SOURCE = "Bloom (1984); Angrist, Imbens & Rubin (1996); Duflo, Glennerster & Kremer (2007) §4"


@asked
def diluted(effect: float, *, take_up: float, take_up_control: float = 0.0) -> float:
    """Effect by intention to treat of an effect on compliers. Source: Bloom (1984).

    >>> round(diluted(0.06, take_up=0.6, take_up_control=0.05), 4)
    0.033
    """
    checks.between("take_up", take_up, 0, 1)
    checks.between("take_up_control", take_up_control, 0, 1)
    if take_up == take_up_control:
        raise ImpossibleRequest("take_up", "equals the take-up of the control arm, so the offer changes nothing")
    return effect * (take_up - take_up_control)


@asked
def recruited(n: float, *, attrition: float) -> float:
    """People to recruit so that `n` remain after a share `attrition` is lost.

    >>> recruited(2376, attrition=0.4)
    3960.0
    """
    checks.positive(n=n)
    checks.loading(attrition=attrition)
    return n / (1 - attrition)


@asked
def late_means(
    *,
    late: float | None = None,
    take_up: float,
    take_up_control: float = 0.0,
    sd: float = 1.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    both_tails: bool = True,
) -> Result:
    """Size (control arm), power, smallest effect on compliers or level of the test of the offer.

    `sd` is that of the outcome given participation; the mixture of participants and others in an arm adds
    late² t (1 - t) to its variance. The test of the offer (reduced form) is also that of the instrumental-variables
    effect. Source: Angrist, Imbens & Rubin (1996).

    >>> round(late_means(late=0.3, take_up=0.6, take_up_control=0.1, n=500).power, 4)
    0.6533
    """
    checks.level(alpha, power, sides)
    checks.positive(sd=sd)
    checks.different("late", late, 0)
    arms.check_arms(n, n2, ratio)
    share = diluted(1.0, take_up=take_up, take_up_control=take_up_control)

    def standing(n: float, late: float) -> tuple[float, float]:
        first, second = arms.sizes(n, n2, ratio)
        control = sd**2 + late**2 * take_up_control * (1 - take_up_control)
        treated = sd**2 + late**2 * take_up * (1 - take_up)
        return late * share, math.sqrt(control / first + treated / second)

    def power_of(n: float, late: float, alpha: float) -> float:
        effect, se = standing(n, late)
        return z_power(effect / se, alpha, sides, both_tails)

    def details(n: float, late: float, **_: float) -> dict[str, float]:
        effect, se = standing(n, late)
        return arms.totals(n, n2, ratio) | {"itt": effect, "se": se, "se_late": se / abs(share)}

    return Question(
        Method(
            "effect on compliers, means",
            "normal reference on the reduced form, mixture variance",
            "itt = late (t1 - t0), se² = (sd² + late² t (1 - t)) / n summed over arms",
            _SOURCE,
        ),
        {"n": n, "late": late, "power": power, "alpha": alpha},
        power_of,
        {"n": arms.smallest(n2, ratio), "late": EffectRange(scale=0.1 * sd)},
        details,
        {"take_up": take_up, "take_up_control": take_up_control, "sd": sd, "ratio": ratio, "sides": sides},
    ).answer()


@asked
def late_proportions(
    *,
    p1: float,
    late: float | None = None,
    take_up: float,
    take_up_control: float = 0.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: proportions.TwoProportionsMethod = "pooled",
    both_tails: bool = True,
) -> Result:
    """Two proportions when the effect is stated for compliers: p2 = p1 + late (take_up - take_up_control).

    `p1` is the observed proportion in the control arm, its own take-up included. A missing `late` is sought above zero.
    Source: Bloom (1984).

    >>> round(late_proportions(p1=0.15, late=0.06, take_up=0.6, take_up_control=0.05, power=0.8).n, 1)
    1999.3
    """
    checks.probability(p1=p1)
    share = diluted(1.0, take_up=take_up, take_up_control=take_up_control)
    p2 = None if late is None else p1 + late * share
    if p2 is not None and not 0 < p2 < 1:
        raise ImpossibleRequest("late", f"takes the second proportion to {p2:g}, which is not a probability")
    checks.different("late", late, 0)
    answer = proportions.two_proportions(
        p1=p1,
        p2=p2,
        n=n,
        n2=n2,
        ratio=ratio,
        power=power,
        alpha=alpha,
        sides=sides,
        method=method,
        both_tails=both_tails,
        direction="higher" if share > 0 else "lower",
    )
    effect = (answer.p2 - p1) / share
    known = {**answer.inputs, "late": effect, "take_up": take_up, "take_up_control": take_up_control}
    answer = replace(answer, inputs=Values(known), details=Values({**answer.details, "itt": answer.p2 - p1}))
    if answer.solved != "p2":
        return answer
    rounded = math.ceil(effect * 1e4 - 1e-6) / 1e4
    rivals = tuple(replace(r, value=_complier(r.value, p1, share), rounded=None) for r in answer.rivals)
    return replace(answer, solved="late", value=effect, rounded=rounded, rivals=rivals)


def _complier(p2: float | None, p1: float, share: float) -> float | None:
    return None if p2 is None else (p2 - p1) / share
