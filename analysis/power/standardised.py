"""The t test that most trial designs come down to: an effect, a standard error that shrinks with n, and its df.

Families that differ only in their standard error (covariates, levels, blocks, repeated measures) share this question.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from analysis.power import checks, tails
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange

__all__ = ["answer_t", "central_t_power"]

Standing = Callable[[float], tuple[float, float]]


def central_t_power(ncp: float, df: float, alpha: float, sides: int, both_tails: bool = False) -> float:
    """Power by the multiplier t_a + t_b of central t quantiles, as in Bloom's minimum detectable effect size.

    `both_tails` has no meaning here: the multiplier never counts the wrong tail. Source: Bloom (1995).
    """
    del both_tails
    return float(tails.special.stdtr(df, abs(ncp) - tails.t_critical(alpha, df, sides)))


_REFERENCES = {
    "t": ("noncentral t", tails.t_power),
    "central": ("central t multiplier t_a + t_b", central_t_power),
    "z": ("normal reference", lambda ncp, _df, alpha, sides, both: tails.z_power(ncp, alpha, sides, both)),
}


def answer_t(
    method: Method,
    given: Mapping[str, float | None],
    size: SizeRange,
    standing: Standing,
    *,
    sides: int,
    test: str = "t",
    both_tails: bool = True,
    scale: float = 1.0,
    details: Callable[[float], Mapping[str, float]] | None = None,
    notes: Mapping[str, object] | None = None,
) -> Result:
    """Answer a question in which `standing(size)` is the (standard error, degrees of freedom) of the effect.

    `given` names, in this order, the size, the effect, power and alpha. `scale` is the standard deviation.
    """
    size_name, effect_name = list(given)[:2]
    checks.level(given["alpha"], given["power"], sides)
    checks.choice("test", test, _REFERENCES)
    checks.different(effect_name, given[effect_name], 0)
    checks.at_least(size.minimum, **{size_name: given[size_name]})

    def ask(kind: str) -> Question:
        reference, compute = _REFERENCES[kind]

        def power_of(**inputs: float) -> float:
            se, df = standing(inputs[size_name])
            return float(compute(inputs[effect_name] / se, df, inputs["alpha"], sides, both_tails))

        def follow(**inputs: float) -> dict[str, float]:
            se, df = standing(inputs[size_name])
            extra = dict(details(inputs[size_name])) if details else {}
            return extra | {"se": se, "df": math.inf if kind == "z" else df, "ncp": abs(inputs[effect_name]) / se}

        named = Method(method.test, f"{reference}; {method.convention}", method.formula, method.source)
        ranges = {size_name: size, effect_name: EffectRange(scale=0.1 * scale)}
        return Question(named, given, power_of, ranges, follow, {**(notes or {}), "sides": sides})

    return ask(test).answer(rivals=[ask(kind) for kind in _REFERENCES if kind != test])
