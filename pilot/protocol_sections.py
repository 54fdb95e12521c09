"""The sections of a protocol that belong to the pilot itself: people, outreach, arms, consent, looks.

The other sections are typed where they are used: allocation in `randomization`, outcomes, plan and sample size in
`analysis`, waves in `surveys`, disclosure in `dashboards`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

Path = tuple[str | int, ...]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Component = Literal["portal", "advice", "voucher"]
Channel = Literal["letter", "email"]


def _has_languages(texts: dict[str, str]) -> dict[str, str]:
    if not texts.get("nl", "").strip():
        raise ValueError("the Dutch text (nl) is missing; every text for people exists in Dutch at least")
    return texts


Texts = Annotated[dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")], str], AfterValidator(_has_languages)]


class Section(BaseModel):
    """A part of the protocol: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Recruitment(Section):
    """From when to when people can enrol, and how many are planned."""

    start: date
    end: date
    target: int = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Recruitment:
        if self.end <= self.start:
            raise ValueError(
                f"recruitment ends on {self.end}, before it starts on {self.start}; swap or mend the dates"
            )
        return self


class PilotSection(Section):
    """What the pilot is called, who runs it, and where people reach it."""

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,59}$")]
    title: Texts
    organisation: str
    phone: str
    email: str
    languages: tuple[str, ...] = ("nl", "en")
    interface_languages: tuple[Literal["ar", "tr", "pl", "uk"], ...] = ()
    recruitment: Recruitment


class Question(Section):
    """What the pilot wants to know, and what it expects."""

    text: Texts
    hypotheses: tuple[str, ...] = Field(min_length=1)


class Criterion(Section):
    """One condition to take part, over the answers of the screening; `reason` is stored when it fails."""

    rule: str
    reason: Name
    text: Texts


class Population(Section):
    """For whom the pilot is, how that is asked, and what is known of a person before allocation."""

    description: Texts
    screening: Name
    eligibility: tuple[Criterion, ...] = Field(min_length=1)
    covariates: dict[Name, str]
    identifying: tuple[Name, ...] = ("birth_date",)
    other_help: Texts


class OutreachArm(Section):
    """One way to invite people; `weight` is its share of the list."""

    name: Name
    label: Texts
    channel: Channel
    message: Texts
    weight: Fraction = Fraction(1)


class Outreach(Section):
    """How people are reached. The outreach arm is drawn before anybody is known."""

    open_link: bool = True
    seed: int = 0
    arms: tuple[OutreachArm, ...] = Field(min_length=1)


class Tidier(Section):
    """What is done, item by item: Template for Intervention Description and Replication (Hoffmann and others, 2014)."""

    why: str
    materials: str
    procedures: str
    provider: str
    how: str
    where: str
    when_and_how_much: str
    tailoring: str = ""
    modifications: str = ""
    how_well_planned: str = ""
    how_well_actual: str = ""


class VoucherTerms(Section):
    amount_cents: int = Field(gt=0)
    valid_days: int = Field(gt=0)


class Cost(Section):
    """Euro cents for each person: once assigned, and once the offer is taken up."""

    on_assignment_cents: int = Field(ge=0)
    on_take_up_cents: int = Field(ge=0)
    source: str


class ArmSection(Section):
    """One arm: what people get, what it costs, how many it holds; `phrase`: how a sentence calls its people."""

    name: Name
    label: Texts
    phrase: Texts | None = None
    next_steps: Texts
    components: tuple[Component, ...]
    voucher: VoucherTerms | None = None
    cost: Cost
    capacity: int | None = Field(default=None, gt=0)
    tidier: Tidier

    @model_validator(mode="after")
    def _voucher_has_terms(self) -> ArmSection:
        if ("voucher" in self.components) != (self.voucher is not None):
            raise ValueError(f"arm '{self.name}': a voucher component and its terms (voucher:) go together")
        return self


class LookSection(Section):
    """One moment at which outcomes by arm may be seen: after `wave` has closed for `share` of those allocated."""

    name: Name
    label: Texts
    wave: Name
    share: float = Field(gt=0, le=1)
    final: bool = False


class Incentive(Section):
    """A gift card for one follow-up wave: of what amount, from which list of cards, before or after answering."""

    wave: Name
    amount_cents: int = Field(gt=0, le=100_000)
    when: Literal["before", "after"] = "after"
    cards: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,40}$")] = ""


def incentives_that_cannot_be(incentives: Sequence[Incentive], later: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """What is wrong with them beside the names of the follow-up waves: the path of keys, and what to mend."""
    amounts: dict[str, int] = {}
    for index, one in enumerate(incentives):
        if one.wave not in later:
            yield ("incentives", index, "wave"), f"'{one.wave}' is no follow-up wave; they are {', '.join(later)}"
        if one.wave in [other.wave for other in incentives[:index]]:
            yield ("incentives", index, "wave"), f"'{one.wave}' stands twice; nobody gets two cards for one wave"
        if amounts.setdefault(one.cards, one.amount_cents) != one.amount_cents:
            name = one.cards or "without a name"
            yield ("incentives", index, "amount_cents"), f"the list of cards {name} has one amount; name another list"


class ConsentText(Section):
    """One text of consent in one version. `required`: who says no cannot take part."""

    purpose: Name
    version: str
    required: bool
    question: Texts
    text: Texts


class ConsentSection(Section):
    """What people are told and asked before they take part."""

    information: Texts
    texts: tuple[ConsentText, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _something_is_required(self) -> ConsentSection:
        if not any(text.required for text in self.texts):
            raise ValueError("no consent text is required: mark the one for taking part with `required: true`")
        return self
