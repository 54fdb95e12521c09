"""How a design document names things: arms, outcomes, assumptions and their values, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboards.format import Formatter
from dashboards.texts import Language, text

if TYPE_CHECKING:
    from analysis.planning import Plan

_SHARES = {"icc", "take_up", "take_up_control", "enrolment", "r2", "cv"}


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of one document. `labels` gives readers' words for arms, outcomes and sources of data."""

    plan: Plan
    language: Language
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> Formatter:
        """How numbers are written."""
        return Formatter(self.language)

    def say(self, key: str, **places: object) -> str:
        """The sentence `design.<key>`."""
        return text(f"design.{key}", self.language, **places)

    def name(self, name: str) -> str:
        """Readers' words for an arm, an outcome or a source of data."""
        return self.labels.get(name, name.replace("_", " "))

    def source(self, name: str) -> str:
        """Readers' words for where an outcome is measured."""
        known = {"survey": "source.survey", "register": "source.register"}
        return self.labels.get(name) or self.say(known.get(name, "quoted"), name=self.name(name))

    def pair(self, treated: str, other: str) -> str:
        """A comparison in words."""
        return self.say("pair", treated=self.name(treated), other=self.name(other))

    def listed(self, items: Iterable[str]) -> str:
        """A list in a sentence: a, b and c."""
        *most, last = list(items)
        return f"{', '.join(most)} {self.say('and')} {last}" if most else last

    def binary(self, outcome: str) -> bool:
        """Whether the outcome is something that happens or not."""
        return self.plan.model(outcome).outcome.kind == "binary"

    def level(self, outcome: str, value: float) -> str:
        """A share of people or a mean."""
        return self.form.percent(value, 1) if self.binary(outcome) else self.form.significant(value)

    def difference(self, outcome: str, value: float) -> str:
        """A difference: in percentage points for shares."""
        if not self.binary(outcome):
            return self.form.significant(value)
        return self.say("points", n=self.form.decimal(100 * value, 1))

    def assumption(self, name: str) -> str:
        """An assumption of the register in words, from its dotted name.

        >>> from analysis.planning import EXAMPLE, Plan
        >>> Terms(Plan.from_dict(EXAMPLE), "en").assumption("outcomes.training.effect")
        'Effect on who uses the offer (training)'
        """
        head, *rest = name.split(".")
        if head == "outcomes":
            key = f"{rest[-1]}_{self.plan.model(rest[0]).outcome.effect_on}" if rest[-1] == "effect" else rest[-1]
            return self.say(f"assumption.{key}", outcome=self.name(rest[0]))
        if head == "arms":
            return self.say("assumption.of_arm", what=self.say(f"assumption.{rest[-1]}"), arm=self.name(rest[0]))
        if head == "attrition":
            return self.say("assumption.attrition", source=self.source(rest[0]))
        return self.say(f"assumption.{rest[-1] if rest else head}")

    def writer(self, name: str) -> Callable[[float], str]:
        """How the values of an assumption are written."""
        head, *rest = name.split(".")
        last = rest[-1] if rest else head
        if head == "outcomes" and last in ("control", "effect"):
            write = self.difference if last == "effect" else self.level
            return lambda v: write(rest[0], v)
        if head == "attrition" or last in _SHARES:
            return self._share
        return lambda v: self.form.integer(v) if v == round(v) else self.form.significant(v)

    def value(self, name: str, value: float) -> str:
        """A value of an assumption as it is written in a sentence or table."""
        return self.writer(name)(value)

    def _share(self, value: float) -> str:
        digits = 0 if abs(100 * value - round(100 * value)) < 1e-9 else 1
        return self.form.percent(value, digits)
