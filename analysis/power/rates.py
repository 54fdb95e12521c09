"""Counts of events over time at risk: Poisson and negative binomial rates of two arms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from analysis.power import arms, checks, exact, tails
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["one_rate", "two_rates"]

RateMethod = Literal["wald", "score", "reference", "difference", "difference_score", "sqrt", "gu"]
_POISSON_ONLY = ("sqrt", "gu")
# (standard error under the null, under the alternative) from rates, sizes, exposure and dispersion.
Errors = Callable[[float, float, float, float, float, float], tuple[float, float]]


def _log_error(rate1: float, rate2: float, n1: float, n2: float, t: float, k: float) -> float:
    return math.sqrt((1 / (rate1 * t) + k) / n1 + (1 / (rate2 * t) + k) / n2)


def _wald(rate1: float, rate2: float, n1: float, n2: float, t: float, k: float) -> tuple[float, float]:
    se = _log_error(rate1, rate2, n1, n2, t, k)
    return se, se


def _score(rate1: float, rate2: float, n1: float, n2: float, t: float, k: float) -> tuple[float, float]:
    # With equal exposures the pooled rate is the maximum likelihood estimate under equal rates, at any dispersion.
    mean = (n1 * rate1 + n2 * rate2) / (n1 + n2)
    return _log_error(mean, mean, n1, n2, t, k), _log_error(rate1, rate2, n1, n2, t, k)


def _reference(rate1: float, rate2: float, n1: float, n2: float, t: float, k: float) -> tuple[float, float]:
    return _log_error(rate1, rate1, n1, n2, t, k), _log_error(rate1, rate2, n1, n2, t, k)


_LOG = "log(rate2 / rate1), se² = (1/(rate1 t) + k)/n1 + (1/(rate2 t) + k)/n2"
_METHODS: dict[str, tuple[Errors | None, Method]] = {
    "wald": (_wald, Method("two rates", "Wald test of the log rate ratio", _LOG, "Zhu & Lakkis (2014), approach 2")),
    "score": (
        _score,
        Method(
            "two rates", "log rate ratio, null variance at the pooled rate", _LOG, "Zhu & Lakkis (2014), approach 3"
        ),
    ),
    "reference": (
        _reference,
        Method(
            "two rates", "log rate ratio, null variance at the control rate", _LOG, "Zhu & Lakkis (2014), approach 1"
        ),
    ),
    "difference": (
        None,
        Method(
            "two rates",
            "Wald test of the rate difference",
            "se² = (rate1/t + k rate1²)/n1 + (rate2/t + k rate2²)/n2",
            "Hayes & Moulton (2017) §7.2; Smith, Morrow & Ross (2015) ch. 5",
        ),
    ),
    "difference_score": (
        None,
        Method(
            "two rates",
            "rate difference, null variance at the pooled rate",
            "null se² = (mean/t + k mean²)(1/n1 + 1/n2), alternative as for the Wald test",
            "Gu et al. (2008); R and Python packages for Poisson rates",
        ),
    ),
    "sqrt": (
        None,
        Method(
            "two rates", "square-root transformation", "2 |sqrt rate2 - sqrt rate1|, variance 1/t", "Huffman (1984)"
        ),
    ),
    "gu": (
        None,
        Method(
            "two rates",
            "square-root transformation, variances of null and alternative apart",
            "n1 t rate1 = ((z_a sqrt(R0 + d) + z_b sqrt(R + d)) / (2 (sqrt R - sqrt R0)))² - 3/8, d = n1 / n2",
            "Gu et al. (2008); PASS",
        ),
    ),
}


@asked
def two_rates(
    *,
    rate1: float,
    rate2: float | None = None,
    exposure: float = 1.0,
    dispersion: float = 0.0,
    n: float | None = None,
    n2: float | None = None,
    ratio: float = 1.0,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: RateMethod = "wald",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = True,
    null: float = 1.0,
) -> Result:
    """Size (first arm), power, smallest second rate or level of a comparison of two rates.

    `exposure` is the time at risk a person; `dispersion` the k of a negative binomial with variance mu + k mu² (0 is
    Poisson). `null` is the rate ratio rate2 / rate1 of the null hypothesis: other than 1 it asks for non-inferiority or
    superiority by a margin (methods "wald" and "gu" only, usually with `sides=1`).
    Source: Zhu & Lakkis (2014); Huffman (1984) for "sqrt"; Gu et al. (2008) for "gu".

    >>> round(two_rates(rate1=0.6, rate2=0.8, dispersion=0.5, n=372).power, 6)
    0.800582
    """
    checks.level(alpha, power, sides)
    checks.positive(rate1=rate1, rate2=rate2, exposure=exposure, null=null)
    checks.at_least(0, dispersion=dispersion)
    checks.choice("method", method, _METHODS if null == 1 else ("wald", "gu"))
    if dispersion:
        checks.choice("method", method, tuple(kind for kind in _METHODS if kind not in _POISSON_ONLY))
    arms.check_arms(n, n2, ratio)
    if rate2 is not None:
        checks.different("rate2", rate2, rate1 * null)

    def ask(kind: str) -> Question:
        def power_of(n: float, rate2: float, alpha: float) -> float:
            sizes = arms.sizes(n, n2, ratio)
            gap, under_null, alternative = _standing(kind, rate1, rate2, sizes, exposure, dispersion)
            if kind == "gu":
                gap, under_null, alternative = _gu(rate1, rate2 / rate1, null, sizes, exposure)
            elif null != 1:
                gap = abs(math.log(rate2 / rate1 / null))
            critical = tails.z_critical(alpha, sides)
            upper = tails.special.ndtr((gap - critical * under_null) / alternative)
            lower = (
                tails.special.ndtr((-gap - critical * under_null) / alternative) if sides == 2 and both_tails else 0.0
            )
            return float(upper + lower)

        return Question(
            _METHODS[kind][1],
            {"n": n, "rate2": rate2, "power": power, "alpha": alpha},
            power_of,
            {
                "n": arms.smallest(n2, ratio),
                "rate2": EffectRange(rate1 * null, math.inf if direction == "higher" else 0.0, 0.05 * rate1),
            },
            lambda n, rate2, **_: arms.totals(n, n2, ratio) | {"rate_ratio": rate2 / rate1},
            {
                "rate1": rate1,
                "exposure": exposure,
                "dispersion": dispersion,
                "null": null,
                "ratio": ratio,
                "sides": sides,
            },
        )

    others = [kind for kind in (_METHODS if null == 1 else ("wald", "gu")) if kind != method]
    others = [kind for kind in others if not (dispersion and kind in _POISSON_ONLY)]
    return ask(method).answer(rivals=[ask(kind) for kind in others])


def _standing(
    kind: str, rate1: float, rate2: float, sizes: tuple[float, float], t: float, k: float
) -> tuple[float, float, float]:
    """Absolute effect on the scale of the method, its standard error under the null and the alternative."""
    n1, n2 = sizes
    if kind in _POISSON_ONLY:
        se = math.sqrt((1 / n1 + 1 / n2) / t) / 2
        return abs(math.sqrt(rate2) - math.sqrt(rate1)), se, se
    if kind.startswith("difference"):
        se = math.sqrt((rate1 / t + k * rate1**2) / n1 + (rate2 / t + k * rate2**2) / n2)
        mean = (n1 * rate1 + n2 * rate2) / (n1 + n2)
        pooled = math.sqrt((mean / t + k * mean**2) * (1 / n1 + 1 / n2))
        return abs(rate2 - rate1), pooled if kind == "difference_score" else se, se
    errors = _METHODS[kind][0]
    assert errors is not None
    return abs(math.log(rate2 / rate1)), *errors(rate1, rate2, n1, n2, t, k)


def _gu(rate1: float, quotient: float, null: float, sizes: tuple[float, float], t: float) -> tuple[float, float, float]:
    """Effect and standard errors of the root of the second count over the null ratio, in units of the alternative."""
    share = sizes[0] / sizes[1]
    events = math.sqrt(sizes[0] * t * rate1 + 3 / 8)
    gap = 2 * abs(math.sqrt(quotient) - math.sqrt(null)) * events
    return gap, math.sqrt(null + share), math.sqrt(quotient + share)


@asked
def one_rate(
    *,
    rate0: float,
    rate1: float | None = None,
    exposure: float = 1.0,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: Literal["sqrt", "score", "wald", "exact"] = "sqrt",
    direction: Literal["higher", "lower"] = "higher",
    both_tails: bool = True,
) -> Result:
    """Size, power, smallest rate or level of a test of one Poisson rate against `rate0`.

    Methods: "sqrt" transformation, "score" (variance of `rate0` at the critical value), "wald" (variance of `rate1`),
    "exact" Poisson test, whose size is the smallest whole number with the power. Source: Huffman (1984); Guenther
    (1977) for "exact".

    >>> one_rate(rate0=1.0, rate1=1.3, power=0.8).rounded
    100
    >>> one_rate(rate0=0.05, rate1=0.2, power=0.9, sides=1, method="exact").rounded
    47
    """
    checks.level(alpha, power, sides)
    checks.positive(rate0=rate0, rate1=rate1, exposure=exposure)
    if rate1 is not None:
        checks.different("rate1", rate1, rate0)
    checks.at_least(1, n=n)
    checks.choice("method", method, (*_ONE_RATE, "exact"))
    given = {"n": n, "rate1": rate1, "power": power, "alpha": alpha}
    if method == "exact":
        return exact.poisson_one_rate(rate0, exposure, given, sides, direction)

    def ask(kind: str) -> Question:
        convention, formula, source = _ONE_RATE[kind]

        def power_of(n: float, rate1: float, alpha: float) -> float:
            events = n * exposure
            if kind == "sqrt":
                shift = 2 * (math.sqrt(rate1) - math.sqrt(rate0)) * math.sqrt(events)
                return tails.z_power(shift, alpha, sides, both_tails)
            gap, critical = abs(rate1 - rate0) * math.sqrt(events), tails.z_critical(alpha, sides)
            border = critical * math.sqrt(rate0 if kind == "score" else rate1)
            found = tails.special.ndtr((gap - border) / math.sqrt(rate1))
            wrong = tails.special.ndtr((-gap - border) / math.sqrt(rate1)) if sides == 2 and both_tails else 0.0
            return float(found + wrong)

        return Question(
            Method("one rate", convention, formula, source),
            given,
            power_of,
            {"n": SizeRange(1), "rate1": EffectRange(rate0, math.inf if direction == "higher" else 0.0, 0.05 * rate0)},
            lambda n, rate1, **_: {"expected_events": n * exposure * rate1},
            {"rate0": rate0, "exposure": exposure, "sides": sides},
        )

    return ask(method).answer(rivals=[ask(kind) for kind in _ONE_RATE if kind != method])


_ONE_RATE = {
    "sqrt": ("square-root transformation", "z = 2 (sqrt rate1 - sqrt rate0) sqrt(n t)", "Huffman (1984)"),
    "score": (
        "score test, null variance at the critical value",
        "n t = ((z_a sqrt(rate0) + z_b sqrt(rate1)) / (rate1 - rate0))²",
        "Fleiss, Levin & Paik (2003) §12.1",
    ),
    "wald": (
        "Wald test, variance at the alternative",
        "n t = (z_a + z_b)² rate1 / (rate1 - rate0)²",
        "Hayes & Bennett (1999), one group",
    ),
}
