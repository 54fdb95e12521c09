"""Several arms against one control, with the familywise error held by Dunnett, Holm, Bonferroni or Sidak."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from scipy import special

from analysis.power import checks
from analysis.power.many_to_one import dunnett_critical, rejections, step_down_critical
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange, round_up
from analysis.power.wording import asked

__all__ = ["dunnett_critical", "several_means", "several_proportions"]

Correction = Literal["dunnett", "dunnett_step_down", "holm", "bonferroni", "sidak", "none"]
PowerOf = Literal["marginal", "any", "all"]

_SOURCES = {
    "dunnett": "Dunnett (1955)",
    "dunnett_step_down": "Dunnett & Tamhane (1991)",
    "holm": "Holm (1979)",
    "bonferroni": "Dunn (1961)",
    "sidak": "Sidak (1967)",
    "none": "no correction",
}
_STEP_DOWN = ("holm", "dunnett_step_down")
_LEVELS = (1e-12, 0.5)
# (shifts, loadings on the control's error, widths of the critical values) of the comparisons at a size of arm.
Comparisons = tuple[list[float], list[float], list[float]]
Tail = tuple[int, bool]


def _chance(power_of: str, critical: list[float], at: Comparisons, tail: Tail, df: float, single: bool) -> float:
    shifts, loadings, widths = at
    sides, both_tails = tail
    if power_of == "marginal" and single:
        weakest = min(range(len(shifts)), key=lambda i: shifts[i])
        return _alone(shifts[weakest], critical[0] * widths[weakest], df, sides == 2 and both_tails)
    found = rejections(critical, shifts, loadings, sides=sides, df=df, widths=widths, both_tails=both_tails)
    if power_of == "marginal":
        return min(found.marginal)
    return found.any_pair if power_of == "any" else found.all_pairs


def _alone(shift: float, critical: float, df: float, both_tails: bool) -> float:
    """Power of one comparison that faces this critical value."""
    if math.isinf(df):
        return float(special.ndtr(shift - critical) + both_tails * special.ndtr(-shift - critical))
    power = 1 - special.nctdtr(df, shift, critical)
    return float(power + (np.nan_to_num(special.nctdtr(df, shift, -critical), nan=0.0) if both_tails else 0.0))


def _check(comparisons: int, correction: str, power_of: str, control_ratio: float, n: float | None) -> None:
    checks.whole(1, comparisons=comparisons)
    checks.choice("correction", correction, _SOURCES)
    checks.choice("power_of", power_of, ("marginal", "any", "all"))
    checks.positive(control_ratio=control_ratio)
    checks.at_least(2, n=n)


def _sizes(n: float, comparisons: int, control_ratio: float) -> dict[str, float]:
    control = n * control_ratio
    if n == int(n):
        control = round_up(control)
    return {"n_control": control, "n_total": control + comparisons * n, "arms": comparisons + 1}


def _method(what: str, correction: str, power_of: str, reference: str) -> Method:
    return Method(
        f"several {what} against control",
        f"{correction}, {power_of} power, {reference}",
        "shift = effect / se; critical value from the joint distribution of the comparisons (or alpha shared out)",
        _SOURCES[correction],
    )


@asked
def several_means(
    *,
    comparisons: int | None = None,
    delta: float | None = None,
    deltas: Sequence[float] | None = None,
    sd: float = 1.0,
    n: float | None = None,
    control_ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    correction: Correction = "dunnett",
    power_of: PowerOf = "marginal",
    test: Literal["z", "t"] = "z",
    both_tails: bool = False,
) -> Result:
    """Size of a treated arm, power, smallest common effect or familywise level for several means against control.

    `delta` is a common effect of `comparisons` arms, or list one effect an arm in `deltas`; the control arm has
    `control_ratio` times the people of a treated arm (sqrt(comparisons) is best). `power_of`: "marginal" (the least
    powered comparison), "any" (at least one rejected) or "all"; `both_tails` counts rejections in the wrong direction
    as well. Effects of unlike sign in `deltas` are each tested in their own direction. Step-down corrections are exact
    for 150 arms with the same effect, and for 12 arms that all differ; beyond that NoSolution is raised.
    Source: Dunnett (1955); Holm (1979); Dunnett & Tamhane (1991).

    >>> round(several_means(comparisons=3, delta=0.2, power=0.8).n, 3)
    508.994
    >>> round(several_means(comparisons=3, delta=0.2, n=500, correction="bonferroni", test="t").power, 6)
    0.777494
    """
    effects = None if deltas is None else [abs(d) for d in deltas]
    count = comparisons if effects is None else len(effects)
    checks.whole(1, comparisons=count if count is not None else 0)
    assert count is not None
    _check(count, correction, power_of, control_ratio, n)
    checks.level(alpha, power, sides)
    checks.positive(sd=sd)
    checks.different("delta", delta, 0)
    if effects is not None:
        delta = min(effects)
        checks.different("deltas", delta, 0)
    load = math.sqrt(1 / (1 + control_ratio))
    loads = [load] * count if deltas is None else [math.copysign(load, d) for d in deltas]

    def ask(kind: str) -> Question:
        def standing(n: float, delta: float) -> tuple[Comparisons, float]:
            se = sd * math.sqrt((1 + 1 / control_ratio) / n)
            each = [abs(delta)] * count if effects is None else effects
            df = n * (count + control_ratio) - count - 1 if test == "t" else math.inf
            return ([d / se for d in each], loads, [1.0] * count), df

        def critical(df: float, alpha: float) -> list[float]:
            return step_down_critical(count, alpha, kind, sides=sides, df=df, control_ratio=control_ratio)

        def power_at(n: float, delta: float, alpha: float) -> float:
            at, df = standing(n, delta)
            if test == "t" and kind in ("none", "bonferroni", "sidak") and power_of == "marginal":
                # The usual report compares one arm with control by its own two-sample t test.
                df = n * (1 + control_ratio) - 2
            return _chance(power_of, critical(df, alpha), at, (sides, both_tails), df, kind not in _STEP_DOWN)

        return Question(
            _method("means", kind, power_of, "normal reference" if test == "z" else "t"),
            {"n": n, "delta": delta, "power": power, "alpha": alpha},
            power_at,
            {"n": SizeRange(2), "delta": EffectRange(scale=0.1 * sd)},
            lambda n, delta, alpha: (
                _sizes(n, count, control_ratio) | {"critical": critical(standing(n, delta)[1], alpha)[0]}
            ),
            {"comparisons": count, "sd": sd, "control_ratio": control_ratio, "sides": sides},
            levels=_LEVELS,
        )

    return ask(correction).answer(rivals=_rivals(ask, correction))


@asked
def several_proportions(
    *,
    p_control: float,
    p_treated: float | Sequence[float] | None = None,
    comparisons: int | None = None,
    n: float | None = None,
    control_ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    correction: Correction = "dunnett",
    power_of: PowerOf = "marginal",
    method: Literal["pooled", "unpooled"] = "pooled",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = False,
) -> Result:
    """Size of a treated arm, power, common treated proportion or familywise level for several proportions.

    `p_treated` is one proportion for `comparisons` arms (sought above `p_control` when left out, or below it with
    `direction="lower"`) or a list, one an arm. "pooled" takes the variance under the null at the mean of both arms.
    `both_tails` counts rejections in the wrong direction as well.
    Source: Dunnett (1955); Fleiss, Levin & Paik (2003) ch. 4.

    >>> plan = dict(p_control=0.15, p_treated=0.183, comparisons=2, power=0.8)
    >>> [round(several_proportions(correction=c, **plan).n, 1) for c in ("dunnett", "none", "bonferroni")]
    [2375.5, 1999.3, 2421.3]
    """
    listed = list(p_treated) if isinstance(p_treated, Sequence) else None
    count = (comparisons or 0) if listed is None else len(listed)
    checks.whole(1, comparisons=count)
    common = min(listed, key=lambda p: abs(p - p_control)) if listed is not None else p_treated
    assert not isinstance(common, Sequence)
    _check(count, correction, power_of, control_ratio, n)
    checks.level(alpha, power, sides)
    checks.probability(p_control=p_control)
    for p in [common] if listed is None else listed:
        checks.probability(p_treated=p)
        if p is not None:
            checks.different("p_treated", p, p_control)
    checks.choice("method", method, ("pooled", "unpooled"))
    checks.choice("direction", direction, ("higher", "lower"))

    def standing(n: float, p_treated: float) -> Comparisons:
        control = p_control * (1 - p_control) / (n * control_ratio)
        shifts, loadings, widths = [], [], []
        for p in [p_treated] * count if listed is None else listed:
            se = math.sqrt(control + p * (1 - p) / n)
            mean = (p_control * control_ratio + p) / (control_ratio + 1)
            null = math.sqrt(mean * (1 - mean) * (1 + 1 / control_ratio) / n)
            shifts.append(abs(p - p_control) / se)
            loadings.append(math.copysign(math.sqrt(control) / se, p - p_control))
            widths.append(null / se if method == "pooled" else 1.0)
        return shifts, loadings, widths

    def ask(kind: str) -> Question:
        def critical(alpha: float) -> list[float]:
            return step_down_critical(count, alpha, kind, sides=sides, df=math.inf, control_ratio=control_ratio)

        def power_at(n: float, p_treated: float, alpha: float) -> float:
            at = standing(n, p_treated)
            return _chance(power_of, critical(alpha), at, (sides, both_tails), math.inf, kind not in _STEP_DOWN)

        return Question(
            _method("proportions", kind, power_of, f"{method} variance"),
            {"n": n, "p_treated": common, "power": power, "alpha": alpha},
            power_at,
            {"n": SizeRange(2), "p_treated": EffectRange(p_control, 1.0 if direction == "higher" else 0.0, 0.01)},
            lambda n, alpha, **_: _sizes(n, count, control_ratio) | {"critical": critical(alpha)[0]},
            {"p_control": p_control, "control_ratio": control_ratio, "sides": sides, "comparisons": count},
            levels=_LEVELS,
        )

    return ask(correction).answer(rivals=_rivals(ask, correction))


def _rivals(ask: Callable[[str], Question], chosen: str) -> list[Question]:
    return [ask(kind) for kind in ("none", "bonferroni", "dunnett", "holm") if kind != chosen]
