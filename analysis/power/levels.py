"""Trials with any number of levels, randomised at any of them: people, classes, schools, districts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.solve import Method, SizeRange
from analysis.power.standardised import answer_t
from analysis.power.wording import asked

__all__ = ["several_levels"]


@asked
def several_levels(
    *,
    sizes: Sequence[float],
    icc: Sequence[float],
    treatment_level: int,
    top: float | None = None,
    delta: float | None = None,
    sd: float = 1.0,
    effect_variation: Sequence[float] = (),
    r2: Sequence[float] = (),
    r2_effect: Sequence[float] = (),
    fixed_blocks: bool = False,
    covariates: int = 0,
    share: float = 0.5,
    power: float | None = None,
    alpha: float | None = 0.05,
    sides: int = 2,
    test: Literal["t", "central", "z"] = "t",
    both_tails: bool = True,
) -> Result:
    """Units of the highest level, power, smallest effect or level of a trial with two or more levels.

    `sizes` from the bottom: people a unit of level 2, units of level 2 a unit of level 3, and so on; `top` counts the
    units of the highest level. `icc` are the shares of variance at levels 2, 3, … . Units of `treatment_level` (1 is
    people) are randomised, a `share` of them to treatment; every higher level is a random block whose effects vary,
    `effect_variation` the variance of the effect there as a multiple of the variance of that level (levels from the
    one above the treatment), `r2_effect` the share of it explained. `r2` is the variance explained at levels 1, 2, … up
    to the treatment; `covariates` those of the highest level. `fixed_blocks=True`: the highest level is a set of fixed
    blocks, its variance not counted in `icc`. Source: Dong & Maynard (2013), all designs of PowerUp!.

    >>> plan = dict(sizes=[10, 2, 3], icc=[0.10, 0.05, 0.05], treatment_level=4, top=20, power=0.8)
    >>> round(several_levels(**plan, test="central").delta, 3)
    0.412
    """
    layout = _Layout(sizes, icc, treatment_level, fixed_blocks)
    layout.check(effect_variation, r2, r2_effect)
    checks.positive(sd=sd)
    checks.probability(share=share)
    checks.whole(0, covariates=covariates)
    between = layout.between(effect_variation, r2_effect)
    within = layout.within(r2) / (share * (1 - share))
    lost = covariates + (2 if treatment_level == layout.levels else 1)

    def standing(top: float) -> tuple[float, float]:
        df = top * (sizes[-1] - 2) - covariates if fixed_blocks else top - lost
        return sd * math.sqrt((between + within) / top), df

    return answer_t(
        Method(
            f"{layout.levels} levels, level {treatment_level} randomised",
            "fixed blocks" if fixed_blocks else "random blocks above the treatment",
            "se² = sum(icc_j omega_j / units_j) above + sum(icc_j (1 - R²_j) / units_j) / (P (1 - P)) below",
            "Dong & Maynard (2013)",
        ),
        {"top": top, "delta": delta, "power": power, "alpha": alpha},
        SizeRange((covariates + 1) / (sizes[-1] - 2) if fixed_blocks else lost + 1),
        standing,
        sides=sides,
        both_tails=both_tails,
        test=test,
        scale=sd,
        details=lambda top: {"n_total": top * math.prod(sizes)},
        notes={"sizes": tuple(sizes), "icc": tuple(icc), "treatment_level": treatment_level, "share": share, "sd": sd},
    )


class _Layout:
    """Where the variance sits and how many units share it out."""

    def __init__(self, sizes: Sequence[float], icc: Sequence[float], treatment_level: int, fixed_blocks: bool):
        self.sizes, self.treatment, self.fixed = list(sizes), treatment_level, fixed_blocks
        self.levels = len(self.sizes) + 1
        self.icc = [*icc, 0.0] if fixed_blocks else list(icc)

    def check(self, effect_variation: Sequence[float], r2: Sequence[float], r2_effect: Sequence[float]) -> None:
        """Refuse lists that do not fit the number of levels."""
        checks.whole(1, treatment_level=self.treatment)
        checks.between("treatment_level", self.treatment, 1, self.levels - self.fixed)
        if self.fixed and self.treatment != self.levels - 1:
            raise ImpossibleRequest("treatment_level", "with fixed blocks the level just below them is randomised")
        for size in self.sizes:
            checks.at_least(1, sizes=size)
        if self.fixed and self.sizes[-1] <= 2:
            raise ImpossibleRequest("sizes", "a fixed block needs more than two randomised units")
        if len(self.icc) != self.levels - 1:
            wanted = self.levels - 1 - self.fixed
            raise ImpossibleRequest("icc", f"give {wanted} shares of variance, from level 2 up, not {len(self.icc)}")
        checks.loading(icc=sum(self.icc))
        for name, values, most in (
            ("effect_variation", effect_variation, self.levels - self.treatment),
            ("r2_effect", r2_effect, self.levels - self.treatment),
            ("r2", r2, self.treatment),
        ):
            if len(values) > most:
                raise ImpossibleRequest(name, f"lists {len(values)} levels where {most} count")
            for value in values:
                checks.at_least(0, **{name: value}) if name == "effect_variation" else checks.loading(**{name: value})
        for share in self.icc:
            checks.loading(icc=share)

    def units(self, level: int) -> float:
        """Units of a level in one unit of the highest."""
        return math.prod(self.sizes[level - 1 :])

    def between(self, effect_variation: Sequence[float], r2_effect: Sequence[float]) -> float:
        """Variance of the effect between the blocks above the treatment, for one unit of the highest level."""
        above = range(self.treatment + 1, self.levels + 1)
        explained = [*r2_effect, *[0.0] * (len(above) - len(r2_effect))]
        varying = [*effect_variation, *[0.0] * (len(above) - len(effect_variation))]
        parts = zip(above, varying, explained, strict=True)
        return sum(self.icc[j - 2] * omega * (1 - gone) / self.units(j) for j, omega, gone in parts)

    def within(self, r2: Sequence[float]) -> float:
        """Variance below the treatment, likewise."""
        explained = [*r2, *[0.0] * (self.treatment - len(r2))]
        people = (1 - sum(self.icc)) * (1 - explained[0]) / self.units(1)
        levels = range(2, self.treatment + 1)
        return people + sum(self.icc[j - 2] * (1 - explained[j - 1]) / self.units(j) for j in levels)
