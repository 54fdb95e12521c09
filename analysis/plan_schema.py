"""The words of a pre-analysis plan: what may be written in `outcomes` and `analysis_plan`, and nothing else.

The sections are typed so that a plan that cannot be carried out is refused while it is being written, with the place
named, and not when the data have come in. Checks that need one section only live here; checks that need the
allocation as well live in `analysis.plan`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

Kind = Literal["binary", "continuous", "count", "ordinal", "time_to_event", "earnings"]
Family = Literal["primary", "secondary", "exploratory"]
Direction = Literal["higher_is_better", "lower_is_better", "neutral"]
Summary = Literal[
    "risk_difference", "mean_difference", "risk_ratio", "share_above_zero", "rmst_difference", "hazard_ratio",
    "log_rank",
]  # fmt: skip
ContrastCorrection = Literal["dunnett", "holm", "none"]
OutcomeCorrection = Literal["holm", "bonferroni", "bh", "by", "romano_wolf", "westfall_young", "none"]
JOINT = ("romano_wolf", "westfall_young")
EstimatorChoice = Literal["design_default", "difference_in_means", "lin", "ancova"]

SUMMARIES: dict[str, tuple[str, ...]] = {
    "binary": ("risk_difference", "risk_ratio"),
    "continuous": ("mean_difference",),
    "count": ("mean_difference",),
    "ordinal": ("mean_difference",),
    "earnings": ("mean_difference", "share_above_zero"),
    "time_to_event": ("rmst_difference", "hazard_ratio", "log_rank"),
}
"""The summaries that a plan can register for each kind of outcome; the first is the default."""

RATIOS = ("risk_ratio", "hazard_ratio", "log_rank")
"""Summaries whose value is a ratio, with no effect at one."""

_OF_TIMES = ("event", "horizon")
_LATER = ("scale", "known_if")
_LATER_OF_PLAN = ("waiting_list", "secondary_contrasts")

Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A part of the plan: it cannot be changed, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MissingItems(Section):
    """The pilot's own choice for a scale without a published rule: the share of its items that must be answered."""

    at_least: Annotated[float, Field(gt=0, le=1)]


class ScaleSource(Section):
    """The score of a published scale: the columns of its items in their order, and which part of the scale is meant."""

    name: Name
    items: tuple[Name, ...]
    part: Name = "total"
    missing_items: MissingItems | None = None


class Source(Section):
    """Where the values of an outcome come from; exactly one of the four.

    `column` names a column of the data. `derive` is a survey expression, `scale` the score of a scale, and `register` a
    register: all three are worked out before the analysis, which then reads the column that carries the outcome's own
    name.

    `known_if` goes with `derive`: the outcome is known only of people for whom this expression is true, whatever
    `derive` would say of the others.
    """

    column: Name | None = None
    derive: Name | None = None
    known_if: Name | None = None
    register_: Annotated[Name | None, Field(alias="register")] = None
    scale: ScaleSource | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.column, self.derive, self.register_, self.scale)) != 1:
            raise ValueError("an outcome has exactly one source: give column, derive, scale or register")
        if self.known_if is not None and self.derive is None:
            raise ValueError("known_if says of whom a derived outcome is known; give derive, or leave it out")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without the later keys where they say nothing, so that plans locked before keep their fingerprint."""
        found = dump(self)
        return {key: value for key, value in found.items() if key not in _LATER or value is not None}


class Missing(Section):
    """What the plan does with people whose outcome is not known, and what it must assume to do so."""

    handling: Literal["complete_cases", "worst_case", "inverse_probability", "zero"] = "complete_cases"
    assumption: str = ""
    bounds: Literal["lee", "manski", "none"] = "none"
    range: tuple[float, float] | None = None

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not value[0] < value[1]:
            raise ValueError(f"the lowest possible value comes first: {list(value)} is not a range")
        return value

    @property
    def justified(self) -> bool:
        """Whether complete cases may carry the name of intention to treat: an assumption and bounds are both locked."""
        return bool(self.assumption.strip()) and self.bounds != "none"


class Outcome(Section):
    """One outcome with its estimand: what is summarised, for whom, when, and what happens when it is missing.

    `said` is how a sentence tells it, by language, with {count} where the number stands: "{count} started training".
    A time to an event has the time in its source, `event` names the column that is 1 when the event was seen and 0 when
    the person was lost from sight, and `horizon` is the time up to which the restricted mean counts.
    """

    name: Name
    kind: Kind
    source: Source
    label: dict[str, str] = Field(default_factory=dict)
    said: dict[str, str] = Field(default_factory=dict)
    family: Family = "primary"
    direction: Direction = "higher_is_better"
    summary: Summary | None = None
    population: Literal["all_randomised"] = "all_randomised"
    timepoint: str = ""
    event: Name | None = None
    horizon: Annotated[float, Field(gt=0)] | None = None
    intercurrent_events: Literal["treatment_policy"] = "treatment_policy"
    missing: Missing = Missing()

    @model_validator(mode="after")
    def _summary_fits_kind(self) -> Self:
        if self.summary is not None and self.summary not in SUMMARIES[self.kind]:
            raise ValueError(
                f"summary '{self.summary}' does not fit an outcome of kind '{self.kind}'; "
                f"choose {_either(SUMMARIES[self.kind])}"
            )
        missing = self.missing
        if (missing.handling == "worst_case" or missing.bounds == "manski") and self.possible_range is None:
            raise ValueError("worst-case values need a smallest and a largest possible value: give missing.range")
        if missing.handling == "zero" and self.possible_range is not None and self.possible_range[0] > 0:
            raise ValueError("missing counted as zero, but zero lies outside missing.range")
        return self

    @model_validator(mode="after")
    def _times_are_whole(self) -> Self:
        if self.kind != "time_to_event":
            if self.event is not None or self.horizon is not None:
                raise ValueError("event and horizon belong to an outcome of kind 'time_to_event'")
            return self
        if self.event is None:
            raise ValueError("a time to an event needs event: the column that is 1 when the event was seen, else 0")
        if self.effective_summary == "rmst_difference" and self.horizon is None:
            raise ValueError("rmst_difference needs horizon: the time up to which the restricted mean counts")
        if self.missing.handling not in ("complete_cases", "inverse_probability") or self.missing.bounds != "none":
            raise ValueError(
                "a time to an event has no worst case and no bounds; somebody who was never seen again is censored "
                "at the last moment known, not missing"
            )
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without the words for times where there are none, so that plans locked before keep their fingerprint."""
        found = dump(self)
        return found if self.kind == "time_to_event" else {k: v for k, v in found.items() if k not in _OF_TIMES}

    @property
    def column(self) -> str:
        """The column of the data that holds this outcome."""
        return self.source.column or self.name

    @property
    def effective_summary(self) -> str:
        """The registered summary, or the first that fits the kind."""
        return self.summary or SUMMARIES[self.kind][0]

    @property
    def possible_range(self) -> tuple[float, float] | None:
        """Smallest and largest possible value of what is summarised, when known."""
        if self.kind == "binary" or self.effective_summary == "share_above_zero":
            return (0.0, 1.0)
        return self.missing.range


class Correction(Section):
    """How p-values pay for the number of contrasts within an outcome and of outcomes within a family.

    "romano_wolf" and "westfall_young" redraw the design and correct all contrasts and outcomes of a family at once;
    `contrasts` does not count for them.
    """

    contrasts: ContrastCorrection = "holm"
    outcomes: OutcomeCorrection | dict[Family, OutcomeCorrection] = "holm"

    def for_family(self, family: str) -> str:
        """The correction over the outcomes of one family; a family left out of a mapping is corrected by Holm."""
        if isinstance(self.outcomes, str):
            return self.outcomes
        return dict(self.outcomes).get(family, "holm")  # type: ignore[call-overload]


class TakeUp(Section):
    """Who counts as having taken up the offer, in words or in words by language; `component` is the part of an arm that
    the column measures.
    """

    column: Name
    definition: Name | dict[str, Name]
    component: Name | None = None


class Columns(Section):
    """The names of the columns that describe the allocation in the data."""

    id: Name | None = None
    arm: Name = "arm"
    cluster: Name | None = None
    pair: Name | None = None
    probability: Name | None = None


class Advisors(Section):
    """Advisors exist in the advised arms only; are those of the pilot all there are (fixed) or a sample (random)?"""

    column: Name
    arms: tuple[Name, ...]
    treat_as: Literal["fixed", "random"]


class WaitingList(Section):
    """The record of a lottery with refills: the drawn order, every offer made, who took a place, and who began anyhow.

    A plan that has it compares everybody ever offered a place with everybody never offered one.
    """

    rank: Name
    offered: Name
    took: Name
    started: Name | None = None


class SparseStrata(Section):
    """The rule, locked beforehand, by which strata that are too thin to analyse are put together."""

    minimum: Annotated[int, Field(ge=2)] = 2
    rule: Literal["pool"] = "pool"


class Attrition(Section):
    """When a difference in response between arms is reported as a deviation, and what the weights are modelled on."""

    alpha: Share = 0.05
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.05
    covariates: tuple[Name, ...] | None = None


class AnalysisPlan(Section):
    """How the effects are estimated: contrasts, estimator, covariates, corrections, rules for what goes wrong.

    `contrasts` are the confirmatory family. `secondary_contrasts` are estimated and shown beside them, in a family of
    their own, and the confirmatory ones never pay for them.
    """

    control: Name
    contrasts: tuple[tuple[Name, Name], ...] = ()
    secondary_contrasts: tuple[tuple[Name, Name], ...] = ()
    estimator: EstimatorChoice = "design_default"
    headline: Literal["unadjusted", "adjusted"] | None = None
    inference: Literal["design_default", "t", "permutation"] = "design_default"
    covariates: tuple[Name, ...] = ()
    alpha: Share = 0.05
    correction: Correction = Correction()
    subgroups: tuple[Name, ...] = ()
    take_up: TakeUp | None = None
    components: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    columns: Columns = Columns()
    advisors: Advisors | None = None
    waiting_list: WaitingList | None = None
    clusters_planned: Annotated[int, Field(ge=2)] | None = None
    participants_planned: Annotated[int, Field(ge=2)] | None = None
    sparse_strata: SparseStrata = SparseStrata()
    broken_pairs: Literal["drop_pair", "unpaired"] = "drop_pair"
    attrition: Attrition = Attrition()
    draws: Annotated[int, Field(ge=100)] = 10_000
    seed: Annotated[int, Field(ge=0)] = 1

    @field_validator("contrasts", "secondary_contrasts")
    @classmethod
    def _distinct_contrasts(cls, value: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for treated, comparison in value:
            if treated == comparison:
                raise ValueError(f"arm '{treated}' cannot be compared with itself")
        for pair, count in Counter(frozenset(pair) for pair in value).items():
            if count > 1:
                raise ValueError(f"the contrast of {' and '.join(sorted(pair))} is registered twice")
        return value

    @field_validator("covariates", "subgroups")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name, count in Counter(value).items():
            if count > 1:
                raise ValueError(f"'{name}' is named twice")
        return value

    @model_validator(mode="after")
    def _headline_exists(self) -> Self:
        if self.headline == "adjusted" and self.estimator == "difference_in_means":
            raise ValueError("a difference in means has no adjusted result; choose headline: unadjusted")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without the later keys where they say nothing, so that plans locked before keep their fingerprint."""
        found = dump(self)
        return {key: value for key, value in found.items() if key not in _LATER_OF_PLAN or value}

    @property
    def every_contrast(self) -> tuple[tuple[str, str], ...]:
        """All registered contrasts: the confirmatory ones first, then those outside their family."""
        return self.contrasts + self.secondary_contrasts


class PlanSections(Section):
    """The three sections of a plan together; `allocation` is read by `randomization.from_dict`."""

    allocation: dict[str, object]
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1)]
    analysis_plan: AnalysisPlan
    decision: dict[str, object] | None = None

    @field_validator("outcomes")
    @classmethod
    def _unique_and_one_primary(cls, value: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        for name, count in Counter(outcome.name for outcome in value).items():
            if count > 1:
                raise ValueError(f"outcome '{name}' is described twice")
        if all(outcome.family != "primary" for outcome in value):
            raise ValueError("no outcome is primary; say which one the pilot is sized for")
        return value


def _either(words: Iterable[str]) -> str:
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
