"""McNemar's test of two paired proportions: what counts is the pairs that disagree."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import checks, exact, tails
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import EffectRange, Method, Question, SizeRange
from analysis.power.wording import asked

__all__ = ["paired_proportions"]

_METHODS = {
    "connor": Method(
        "paired proportions",
        "McNemar, unconditional normal approximation",
        "n = (z_a sqrt(p_disc) + z_b sqrt(p_disc - d²))² / d²",
        "Connor (1987); Fleiss, Levin & Paik (2003) §13.1",
    ),
    "miettinen": Method(
        "paired proportions",
        "McNemar, conditional on the discordant pairs, second order",
        "n = (z_a p_disc + z_b sqrt(p_disc² - d² (3 + p_disc) / 4))² / (p_disc d²)",
        "Miettinen (1968); Lachin (1992)",
    ),
}


@asked
def paired_proportions(
    *,
    p10: float | None = None,
    p01: float | None = None,
    discordant: float | None = None,
    odds_ratio: float | None = None,
    n: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    method: Literal["connor", "miettinen", "exact"] = "connor",
) -> Result:
    """Size (pairs), power, smallest odds ratio or level of McNemar's test.

    State the discordant cells either as probabilities `p10` and `p01`, or as `discordant` (their sum) and
    `odds_ratio` (the larger over the smaller; leave it out to solve for it). Methods "connor", "miettinen", "exact".
    Source: Connor (1987); Miettinen (1968); G*Power 3.1 manual for the exact power.

    >>> paired_proportions(p10=0.2, p01=0.1, power=0.8).rounded
    234
    """
    checks.level(alpha, power, sides)
    checks.at_least(1, n=n)
    checks.choice("method", method, (*_METHODS, "exact"))
    if p10 is not None or p01 is not None:
        if p10 is None or p01 is None:
            raise ImpossibleRequest("p01" if p01 is None else "p10", "give both discordant cells, p10 and p01")
        checks.probability(p10=p10, p01=p01)
        discordant, odds_ratio = p10 + p01, max(p10, p01) / min(p10, p01)
    checks.between("discordant", discordant, 1e-12, 1.0)
    checks.positive(discordant=discordant if discordant is not None else 0.0, odds_ratio=odds_ratio)
    checks.different("odds_ratio", odds_ratio, 1)
    assert discordant is not None
    given = {"n": n, "odds_ratio": odds_ratio, "power": power, "alpha": alpha}
    if method == "exact":
        return exact.exact_mcnemar(given, discordant, sides)
    rivals = [_question(kind, given, discordant, sides) for kind in _METHODS if kind != method]
    return _question(method, given, discordant, sides).answer(rivals=rivals)


def _question(kind: str, given: dict[str, float | None], total: float, sides: int) -> Question:
    def gap(odds_ratio: float) -> float:
        return total * abs(odds_ratio - 1) / (odds_ratio + 1)

    def power_of(n: float, odds_ratio: float, alpha: float) -> float:
        d = gap(odds_ratio)
        critical = tails.z_critical(alpha, sides)
        if kind == "connor":
            shift = (d * math.sqrt(n) - critical * math.sqrt(total)) / math.sqrt(total - d**2)
        else:
            spread = math.sqrt(total**2 - d**2 * (3 + total) / 4)
            shift = (d * math.sqrt(n * total) - critical * total) / spread
        return float(tails.special.ndtr(shift))

    def details(n: float, odds_ratio: float, **_: float) -> dict[str, float]:
        return {"difference": gap(odds_ratio), "discordant_pairs": n * total}

    return Question(
        _METHODS[kind],
        given,
        power_of,
        {"n": SizeRange(2), "odds_ratio": EffectRange(1.0, scale=0.1)},
        details,
        {"discordant": total, "sides": sides},
    )
