"""The `sample_size` section of a protocol: what is assumed, how sure that is, and where it comes from.

Every assumption is {value, range, source}: a number without a range hides how much the answer hangs on it, and one
without a source cannot be argued with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.power.errors import SectionError

__all__ = ["Arm", "Assumption", "Clusters", "Looks", "Outcome", "Recruitment", "SampleSize", "read"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Assumption(_Frozen):
    """A number, the interval within which it may reasonably lie, and its source."""

    value: float
    range: tuple[float, float]
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Assumption:
        low, high = self.range
        if not all(map(math.isfinite, (low, self.value, high))) or not low <= self.value <= high:
            raise ValueError(f"the value {self.value:g} does not lie in its range [{low:g}, {high:g}]")
        return self


def _within(low: float, high: float, what: str, *, open_low: bool = False, open_high: bool = False) -> AfterValidator:
    """A check that the value and both ends of the range lie in a domain."""

    def check(assumption: Assumption) -> Assumption:
        for number in (*assumption.range, assumption.value):
            below = number <= low if open_low else number < low
            above = number >= high if open_high else number > high
            if below or above:
                raise ValueError(f"{number:g} is not {what}")
        return assumption

    return AfterValidator(check)


Probability = Annotated[Assumption, _within(0, 1, "strictly between 0 and 1", open_low=True, open_high=True)]
Share = Annotated[Assumption, _within(0, 1, "a share between 0 and 1")]
BelowOne = Annotated[Assumption, _within(0, 1, "in [0, 1)", open_high=True)]
Positive = Annotated[Assumption, _within(0, math.inf, "above zero", open_low=True)]
AtLeastOne = Annotated[Assumption, _within(1, math.inf, "one person or more")]
NotNegative = Annotated[Assumption, _within(0, math.inf, "zero or more")]


class Clusters(_Frozen):
    """People who share an advisor or a site: their correlation, how many share one, how uneven that is."""

    icc: BelowOne
    size: AtLeastOne
    cv: NotNegative | None = None


class Cost(_Frozen):
    """Euros for each person assigned to the arm, and on top of that for each who takes the offer up."""

    assigned: float = Field(default=0.0, ge=0)
    taken_up: float = Field(default=0.0, ge=0)


class Arm(_Frozen):
    """One arm; `effect` and `take_up` replace those of the plan for this arm. `nested`: only this arm has advisors."""

    name: str = Field(min_length=1)
    ratio: float = Field(default=1.0, gt=0)
    cost: Cost = Cost()
    capacity: int | None = Field(default=None, ge=1)
    take_up: Share | None = None
    effect_multiple: float = 1.0
    nested: Clusters | None = None


class Outcome(_Frozen):
    """An outcome with the level in the control arm, the effect worth detecting and where it is measured.

    `effect` is a difference of proportions or means, of takers or of everyone assigned as `effect_on` says.
    """

    name: str = Field(min_length=1)
    kind: Literal["binary", "continuous"] = "binary"
    control: Assumption | None = None
    sd: Positive | None = None
    effect: Assumption
    effect_on: Literal["takers", "assigned"] = "takers"
    measured_by: str = "survey"
    r2: BelowOne | None = None

    @model_validator(mode="after")
    def _complete(self) -> Outcome:
        if self.effect.value == 0:
            raise ValueError("effect: an effect of zero cannot be detected by any number of people")
        if self.kind == "binary":
            if self.control is None:
                raise ValueError("control: a binary outcome needs the proportion in the control arm")
            if self.sd is not None:
                raise ValueError("sd: a binary outcome has no sd of its own; its proportion fixes it")
            if not all(0 < p < 1 for p in (*self.control.range, self.control.value)):
                raise ValueError("control: must be a proportion strictly between 0 and 1")
        elif self.sd is None:
            raise ValueError("sd: a continuous outcome needs the standard deviation within arms")
        return self


class Looks(_Frozen):
    """Interim looks: how many (the last included) or at which shares of the information, and how error is spent."""

    at: int | tuple[float, ...]
    spending: str = "lan_demets_obf"
    parameter: float | None = None

    @model_validator(mode="after")
    def _possible(self) -> Looks:
        check_looks(self.at)
        return self


MOST_LOOKS = 30


def check_looks(at: int | Sequence[float]) -> None:
    """Raises ValueError for looks that no information can bear: too many, out of order, or beyond the last person.

    >>> check_looks([0.5, 1.2])
    Traceback (most recent call last):
    ValueError: at: more looks than information: a look at 1.2 of it; give rising shares above 0, the last at most 1
    """
    count = at if isinstance(at, int) else len(at)
    if not 1 <= count <= MOST_LOOKS:
        raise ValueError(f"at: {count} looks; plan between 1 and {MOST_LOOKS}, the last one included")
    if isinstance(at, int):
        return
    beyond = [share for share in at if not 0 < share <= 1]
    if beyond:
        raise ValueError(
            f"at: more looks than information: a look at {beyond[0]:g} of it; give rising shares above 0, "
            "the last at most 1"
        )
    if any(later <= earlier for earlier, later in pairwise(at)):
        raise ValueError("at: more looks than information: two looks without new people between them; let shares rise")


class Recruitment(_Frozen):
    """How fast people enrol, for how long, and which share of those invited does."""

    per_week: Positive
    weeks: int = Field(ge=1)
    enrolment: Probability | None = None


class SampleSize(_Frozen):
    """All planning assumptions of a pilot."""

    arms: tuple[Arm, ...] = Field(min_length=2)
    control: str
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    comparisons: tuple[tuple[str, str], ...] | Literal["against_control", "all_pairs"] = "against_control"
    correction: Literal["dunnett", "bonferroni", "holm", "none"] = "dunnett"
    power_of: Literal["marginal", "any", "all"] = "marginal"
    power: float = Field(default=0.8, gt=0, lt=1)
    alpha: float = Field(default=0.05, gt=0, lt=1)
    sides: Literal[1, 2] = 2
    variance: Literal["pooled", "unpooled"] = "pooled"
    take_up: Share | None = None
    take_up_control: Share | None = None
    attrition: Mapping[str, BelowOne] = Field(default_factory=dict)
    clusters: Clusters | None = None
    looks: Looks | None = None
    strata: tuple[str, ...] = ()
    recruitment: Recruitment | None = None
    cost_per_person: float = Field(default=0.0, ge=0)
    budget: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _coherent(self) -> SampleSize:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError("arms: two arms bear the same name")
        if len({outcome.name for outcome in self.outcomes}) < len(self.outcomes):
            raise ValueError("outcomes: two outcomes bear the same name")
        if self.control not in names:
            raise ValueError(f"control: there is no arm '{self.control}' (arms: {', '.join(names)})")
        if self.power <= self.alpha:
            raise ValueError(f"power: {self.power:g} does not exceed alpha {self.alpha:g}")
        for outcome in self.outcomes:
            if self.attrition and outcome.measured_by not in self.attrition:
                known = ", ".join(self.attrition)
                raise ValueError(f"attrition: none is stated for '{outcome.measured_by}' (stated: {known})")
        self._check_comparisons(names)
        return self

    def _check_comparisons(self, names: Sequence[str]) -> None:
        if isinstance(self.comparisons, str):
            return
        if not self.comparisons:
            raise ValueError("comparisons: name at least one pair of arms")
        for treated, other in self.comparisons:
            for name in (treated, other):
                if name not in names:
                    raise ValueError(f"comparisons: there is no arm '{name}'")
            if treated == other:
                raise ValueError(f"comparisons: arm '{treated}' is compared with itself")
        if len({frozenset(pair) for pair in self.comparisons}) < len(self.comparisons):
            raise ValueError("comparisons: the same two arms are compared twice")


def read(section: Mapping[str, Any]) -> SampleSize:
    """The typed section from plain mappings; raises SectionError with the path of the first fault.

    >>> read({"arms": [{"name": "a"}]})
    Traceback (most recent call last):
    analysis.power.errors.SectionError: sample_size.arms: ...
    """
    try:
        return SampleSize.model_validate(section)
    except ValidationError as error:
        raise _section_error(error) from None


def _section_error(error: ValidationError) -> SectionError:
    first = error.errors()[0]
    path = [part for part in first["loc"] if not (isinstance(part, str) and part.startswith(("tuple[", "function-")))]
    message = str(first["msg"]).removeprefix("Value error, ")
    remedy = ""
    if first["type"] == "extra_forbidden":
        message = f"'{path[-1]}' is not a key of this section"
        near = get_close_matches(str(path[-1]), _known_keys(), n=1)
        remedy = f"did you mean '{near[0]}'?" if near else ""
    elif first["type"] == "missing":
        message = f"'{path[-1]}' is missing"
    elif first["type"] in ("model_type", "model_attributes_type", "mapping_type"):
        message = (
            'holds keys with values, such as {value: 0.6, range: [0.4, 0.8], source: "…"}'
            if path
            else ("holds keys with values, such as arms, control and outcomes")
        )
    elif first["type"] == "too_short":
        message = f"holds too few: at least {first.get('ctx', {}).get('min_length', 1)}"
    elif ": " in message and message.split(": ", 1)[0].isidentifier():
        key, message = message.split(": ", 1)
        path.append(key)
    message = message.replace("Input should be", "must be")
    remedy = remedy or _remedy(str(path[-1]) if path else "", first)
    place = ".".join(["sample_size", *(str(part) for part in path)])
    return SectionError(f"{place}: {message}", path=("sample_size", *path), remedy=remedy)


_REMEDIES = {
    "icc": "an intraclass correlation is a share of variance, usually 0.01 to 0.1",
    "effect": "give the smallest effect that would be worth finding",
    "at": "plan fewer looks, or more people between them",
    "budget": "leave it out when there is none yet",
}


def _remedy(key: str, fault: Mapping[str, Any]) -> str:
    """What to write instead, where a key has one usual way to go wrong."""
    given = fault.get("input")
    if fault["type"] == "less_than" and isinstance(given, (int, float)) and 2 <= given < 100:
        return f"write {given / 100:g} for {given:g}%"
    if key == "power" and "alpha" in str(fault["msg"]):
        return "ask for a power above alpha, usually 0.8 or 0.9"
    return _REMEDIES.get(key, "")


def _known_keys() -> list[str]:
    models = (SampleSize, Arm, Outcome, Assumption, Clusters, Looks, Recruitment, Cost)
    return sorted({name for model in models for name in model.model_fields})
