"""Individually randomised trials with covariates, in one piece or in blocks."""

from __future__ import annotations

import math
from typing import Literal

from analysis.power import checks
from analysis.power.result import Result
from analysis.power.solve import Method, SizeRange
from analysis.power.standardised import answer_t
from analysis.power.wording import asked

__all__ = ["ancova", "blocked_individuals"]

Reference = Literal["t", "central", "z"]


@asked
def ancova(
    *,
    delta: float | None = None,
    sd: float = 1.0,
    r2: float = 0.0,
    covariates: int | None = None,
    share: float = 0.5,
    n_total: float | None = None,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    both_tails: bool = True,
) -> Result:
    """Total size, power, smallest effect or level of a two-arm comparison adjusted for baseline covariates.

    `sd` is the standard deviation of the outcome, `r2` the share of its variance that `covariates` explain within
    arms, `share` the treated share. `test="central"` gives the multiplier of Bloom's minimum detectable effect size.
    Source: Borm, Fransen & Lemmens (2007); Dong & Maynard (2013), IRA.

    >>> round(ancova(n_total=250, power=0.8).delta, 3)
    0.356
    """
    checks.positive(sd=sd)
    checks.loading(r2=r2)
    checks.probability(share=share)
    taken = (1 if r2 else 0) if covariates is None else covariates
    checks.whole(0, covariates=taken)

    def standing(n_total: float) -> tuple[float, float]:
        return sd * math.sqrt((1 - r2) / (share * (1 - share) * n_total)), n_total - taken - 2

    return answer_t(
        Method(
            "two means adjusted for covariates",
            "variance of the outcome times 1 - R², df = N - covariates - 2",
            "se = sd sqrt((1 - R²) / (P (1 - P) N))",
            "Borm, Fransen & Lemmens (2007); Dong & Maynard (2013)",
        ),
        {"n_total": n_total, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(taken + 4),
        standing,
        sides=sides,
        both_tails=both_tails,
        test=test,
        scale=sd,
        details=lambda n_total: {"n1": n_total * (1 - share), "n2": n_total * share},
        notes={"sd": sd, "r2": r2, "covariates": taken, "share": share},
    )


@asked
def blocked_individuals(
    *,
    block_size: float,
    blocks: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    effects: Literal["constant", "fixed", "random"] = "constant",
    icc: float = 0.0,
    effect_variation: float = 0.0,
    r2: float = 0.0,
    covariates: int = 0,
    share: float = 0.5,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Reference = "t",
    both_tails: bool = True,
) -> Result:
    """Number of blocks, power, smallest effect or level when people are randomised within blocks (sites).

    `effects` across blocks: "constant" (one effect), "fixed" (one each, for these blocks only) or "random" (a sample
    of blocks; then `icc` is the share of variance between blocks and `effect_variation` the variance of the effect
    as a multiple of it). Source: Dong & Maynard (2013), BIRA2_1c, BIRA2_1f, BIRA2_1r.

    >>> round(blocked_individuals(block_size=15, blocks=20, power=0.8, test="central").delta, 3)
    0.325
    """
    checks.positive(sd=sd)
    checks.at_least(2 if effects == "constant" else 3, block_size=block_size)
    checks.loading(r2=r2, icc=icc)
    checks.probability(share=share)
    checks.between("effect_variation", effect_variation, 0, math.inf if effects == "random" else 0)
    checks.choice("effects", effects, ("constant", "fixed", "random"))

    def standing(blocks: float) -> tuple[float, float]:
        within = (1 - icc) * (1 - r2) / (share * (1 - share) * blocks * block_size)
        if effects == "random":
            return sd * math.sqrt(icc * effect_variation / blocks + within), blocks - covariates - 1
        lost = blocks + 1 if effects == "constant" else 2 * blocks
        return sd * math.sqrt(within), blocks * block_size - lost - covariates

    return answer_t(
        Method(
            "two means within blocks",
            f"{effects} effects across blocks",
            "se² = sd² (icc omega / J + (1 - icc)(1 - R²) / (P (1 - P) J n))",
            "Dong & Maynard (2013), BIRA2",
        ),
        {"blocks": blocks, "delta": delta, "power": power, "alpha": alpha},
        SizeRange(covariates + 3 if effects == "random" else 1 + (covariates + 2) / (block_size - 1)),
        standing,
        sides=sides,
        both_tails=both_tails,
        test=test,
        scale=sd,
        details=lambda blocks: {"n_total": blocks * block_size},
        notes={"block_size": block_size, "icc": icc, "r2": r2, "covariates": covariates, "share": share},
    )
