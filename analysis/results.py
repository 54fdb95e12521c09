"""The results of a plan that was carried out, as plain frozen values that become results.json and come back from it.

Whoever draws, prints or imports results needs this module only. Nothing here computes: the numbers are put in by
`analysis.execution`. Two-arm differences are always treated minus comparison, in the units of the outcome; shares and
risk differences run from 0 to 1 and -1 to 1. A number that does not exist is None and the sentence beside it says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from analysis.errors import DataError

Reading = Literal["higher", "lower", "unclear"]
VERSION = 1


class Value(BaseModel):
    """A part of the results; it cannot be changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Effect(Value):
    """One estimated difference.

    `df` is None where the reference distribution is the normal. `null` is the value that means no effect (0, or 1 for
    a ratio); `low` and `high` are the ends of the interval at `level`. `method` is the estimator, `convention` the
    standard error, `source` their paper.
    """

    value: float
    se: float
    statistic: float
    df: float | None
    p: float
    low: float
    high: float
    level: float
    null: float
    n: int
    method: str
    convention: str
    estimand: str
    source: str


class BoundsResult(Value):
    """What the effect can be when the missing outcomes are not assumed away.

    For method "lee", `low` and `high` are the bounds for those who respond in either arm under monotone response
    (trimming by fractional weights), `quantile_low` and `quantile_high` the same by the quantile convention, and
    `interval` is the Imbens-Manski interval for the effect at the plan's level. For "manski" they are worst-case
    bounds for everybody. `trimmed_share` and `trimmed_arm` belong to "lee" only.
    """

    method: Literal["lee", "manski"]
    low: float
    high: float
    interval: tuple[float, float] | None
    quantile_low: float | None = None
    quantile_high: float | None = None
    trimmed_share: float | None = None
    trimmed_arm: str | None = None
    tightened_by: tuple[str, ...] = ()
    assumption: str = ""


class ComplierEffect(Value):
    """The effect on those who take up the offer because it was made (LATE), or the reason why there is none."""

    effect: Effect | None
    refused: str = ""
    take_up_treated: float | None = None
    take_up_comparison: float | None = None


class ContrastResult(Value):
    """One registered contrast of one outcome.

    `headline` says which of `unadjusted` and `adjusted` the plan made the main result; `p` and `reading` belong to
    it. `p_corrected` pays for the contrasts of the outcome and the outcomes of the family by `correction`. `reading`
    is "unclear" when the interval includes no effect or the corrected p exceeds alpha: a result never reads as "no
    effect". `p_permutation` redraws the design, when the plan asks for it. `outside_family` says that the contrast
    stands outside the confirmatory family, so that `p_corrected` pays for the other such contrasts only.
    """

    treated: str
    comparison: str
    outside_family: bool = False
    unadjusted: Effect | None
    adjusted: Effect | None
    headline: Literal["unadjusted", "adjusted"]
    p: float | None
    p_corrected: float | None
    p_permutation: float | None = None
    permutation_interval: tuple[float, float] | None = None
    correction: str
    reading: Reading
    bounds: BoundsResult | None
    bounds_refused: str = ""
    complier: ComplierEffect | None = None
    refused: str = ""

    @property
    def main(self) -> Effect | None:
        """The effect that the plan made the main result."""
        return self.adjusted if self.headline == "adjusted" else self.unadjusted


class ArmMean(Value):
    """The outcome in one arm: `n` allocated, `observed` with a known outcome; mean, sd and interval of the observed."""

    arm: str
    n: int
    observed: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None


class SubgroupLevel(Value):
    """The effect within one level of a subgroup column; None with the reason when it cannot be estimated."""

    level: str
    n: int
    effect: Effect | None
    refused: str = ""


class SubgroupResult(Value):
    """Effects by level and the test that they are all equal; `p_corrected` is Holm's over the plan's subgroup tests,
    those of contrasts within and those outside the confirmatory family apart.
    """

    column: str
    treated: str
    comparison: str
    outside_family: bool = False
    levels: tuple[SubgroupLevel, ...]
    statistic: float | None
    df: int | None
    p: float | None
    p_corrected: float | None


class ResponseArm(Value):
    """How many people of an arm have a known outcome."""

    arm: str
    n: int
    observed: int
    share: float


class ResponseResult(Value):
    """Response by arm and the test that it does not differ between arms; p is None when everybody responded."""

    arms: tuple[ResponseArm, ...]
    statistic: float | None
    df: int | None
    p: float | None
    largest_gap: float


class OutcomeResult(Value):
    """One outcome: its estimand in the words of the plan, means by arm, contrasts and subgroups.

    `label` maps language to text. `analysis_label` says what the analysis may be called ("intention to treat", or why
    it may not be called so).
    """

    name: str
    label: dict[str, str]
    kind: str
    family: str
    direction: str
    summary: str
    population: str
    timepoint: str
    handling: str
    assumption: str
    analysis_label: str
    arms: tuple[ArmMean, ...]
    response: ResponseResult
    contrasts: tuple[ContrastResult, ...]
    subgroups: tuple[SubgroupResult, ...] = ()


class ArmCount(Value):
    """People allocated to an arm, the share that the design intends, and the share found."""

    arm: str
    n: int
    share: float
    expected: float


class SampleRatio(Value):
    """Whether the arms have the sizes that the design intends; `mismatch` when p is below `threshold`.

    The reference is "chi-square" with `df`, or "redraws" of a design that fixes the sizes (`df` is then None).
    """

    statistic: float
    df: int | None
    p: float
    reference: Literal["chi-square", "redraws"]
    threshold: float
    mismatch: bool
    note: str


class TakeUpArm(Value):
    """Take-up in one arm, as the plan defines it."""

    arm: str
    n: int
    known: int
    taken: int
    share: float | None


class BalanceRow(Value):
    """One covariate (or one level of it): mean and sd by arm, normalised difference by contrast where there is one."""

    covariate: str
    missing: int
    means: dict[str, float]
    sds: dict[str, float]
    normalised_difference: dict[str, float]


class BalanceResult(Value):
    """Covariates by arm, an omnibus test per contrast, and one over all arms by redrawing the design `draws` times."""

    rows: tuple[BalanceRow, ...]
    tests: tuple[BalanceTest, ...]
    p_permutation: float | None
    draws: int


class BalanceTest(Value):
    """The omnibus tests of one contrast, 'treated - comparison': Hansen-Bowers chi-square and the joint F."""

    contrast: str
    chi_square: float
    df: int
    p: float
    joint_f: float | None
    f_df1: int | None
    f_df2: int | None
    f_p: float | None


class Deviation(Value):
    """Something that differs from the plan, found by the software.

    `severity` is "note" (foreseen by a rule of the plan), "warning" (judge it) or "serious" (the result may be wrong).
    """

    code: str
    severity: Literal["note", "warning", "serious"]
    sentence: str
    where: str = ""


class Provenance(Value):
    """What was run on what: fingerprints (SHA-256), versions and seeds, so that anyone can run it again."""

    plan_sha256: str
    data_sha256: str
    data_rows: int
    design_sha256: str | None
    seed: int
    draws: int
    versions: dict[str, str]
    created: str | None = None


class Results(Value):
    """Everything that carrying out a plan gives.

    `mode` is "run", or "dry_run" when the arms were redrawn and no number means anything. `plan` is the locked plan as
    a plain mapping, `decision` the estimator that follows from the design with its reason. `alpha` is the level at
    which effects are claimed and intervals drawn: that of the plan, or what the spending left to a look.
    """

    version: Literal[1] = VERSION
    mode: Literal["run", "dry_run"]
    plan: dict[str, Any]
    decision: dict[str, Any]
    alpha: float | None = None
    arms: tuple[ArmCount, ...]
    sample_ratio: SampleRatio
    outcomes: tuple[OutcomeResult, ...]
    take_up: tuple[TakeUpArm, ...]
    take_up_definition: str | dict[str, str] = ""
    balance: BalanceResult | None
    deviations: tuple[Deviation, ...]
    provenance: Provenance

    @property
    def read_at(self) -> float:
        """The level of these results, also of those kept before they named it."""
        if self.alpha is not None:
            return self.alpha
        mains = (contrast.main for outcome in self.outcomes for contrast in outcome.contrasts)
        level = next((round(1 - main.level, 12) for main in mains if main is not None), None)
        return float(self.plan["analysis_plan"]["alpha"]) if level is None else level

    def outcome(self, name: str) -> OutcomeResult:
        """The outcome of this name; raises DataError naming those that exist."""
        for outcome in self.outcomes:
            if outcome.name == name:
                return outcome
        raise DataError(f"there is no outcome '{name}'; there are {', '.join(o.name for o in self.outcomes)}")

    def contrast(self, outcome: str, treated: str, comparison: str) -> ContrastResult:
        """One contrast of one outcome; raises DataError when the plan did not register it."""
        for contrast in self.outcome(outcome).contrasts:
            if (contrast.treated, contrast.comparison) == (treated, comparison):
                return contrast
        raise DataError(f"the plan did not register the contrast of '{treated}' with '{comparison}'")

    def to_dict(self) -> dict[str, Any]:
        """A mapping of plain JSON values: what results.json holds."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> Self:
        """The results that `to_dict` wrote; raises DataError naming the first place that does not fit."""
        try:
            return cls.model_validate(mapping)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"these are not results of a plan: {place}: {first['msg']}", path=first["loc"]) from error


BalanceResult.model_rebuild()
