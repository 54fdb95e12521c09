"""A plan: assumptions in, answers out. Every question that a funder asks about numbers is one method here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, NoReturn

from analysis.planning import money, recruitment, rivals, skewness, uncertainty
from analysis.planning.assumptions import Named, named, replaced
from analysis.planning.model import FULL, STAGES, Model
from analysis.planning.section import Outcome, SampleSize, check_looks, read
from analysis.power.assurance import observed_power
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Result
from analysis.power.sequential import group_sequential
from analysis.power.solve import round_up

__all__ = ["Detectable", "Plan", "Size", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain from the textbook number to the number to recruit: `n` an arm after this factor."""

    name: str
    factor: float
    n: float
    why: str


@dataclass(frozen=True, slots=True)
class Size:
    """How many people: analysed (unrounded and rounded) and to recruit, an arm and in total."""

    outcome: str
    power: float
    n: float
    analysed: int
    recruited: int
    analysed_by_arm: Mapping[str, int]
    recruited_by_arm: Mapping[str, int]
    invited: int | None
    chain: tuple[Step, ...]
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """People to recruit over all arms."""
        return sum(self.recruited_by_arm.values())


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest effect with the power: as the section states it, and by intention to treat for each comparison."""

    outcome: str
    effect: float
    effect_on: str
    multiple: float
    itt: Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Plan:
    """Answers from a `sample_size` section. Sizes are people analysed in an arm of ratio 1, unless said otherwise.

    >>> plan = Plan.from_dict(EXAMPLE)
    >>> size = plan.n()
    >>> size.analysed, size.recruited
    (2376, 2425)
    """

    section: SampleSize
    _models: Mapping[str, Model] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        models = {outcome.name: Model(self.section, outcome) for outcome in self.section.outcomes}
        object.__setattr__(self, "_models", models)

    @classmethod
    def from_dict(cls, section: Mapping[str, Any]) -> Plan:
        """Read a section; raises SectionError with `.path` and a remedy."""
        return cls(read(section))

    def to_dict(self) -> dict[str, Any]:
        """The section as plain values, defaults included."""
        return self.section.model_dump(mode="json")

    @property
    def primary(self) -> Outcome:
        """The first outcome, which drives the size."""
        return self.section.outcomes[0]

    def model(self, outcome: str | None = None) -> Model:
        """The arithmetic of one outcome, by default the first."""
        name = self.primary.name if outcome is None else outcome
        if name not in self._models:
            raise ImpossibleRequest("outcome", f"there is no outcome '{name}' (known: {', '.join(self._models)})")
        return self._models[name]

    def n(self, power: float | None = None, *, outcome: str | None = None) -> Size:
        """People needed for a power (by default that of the section), with the chain of factors."""
        model = self.model(outcome)
        target = self.section.power if power is None else power
        steps = self._chain(model, target)
        n = steps[-1].n
        lost = self._attrition(model.outcome)
        analysed = {name: round_up(size) for name, size in model.sizes(n).items()}
        recruited = {name: round_up(size / (1 - lost)) for name, size in analysed.items()}
        whole = round_up(n)
        steps.append(Step("rounding", whole / n, whole, "whole people"))
        if lost:
            why = f"{lost:.0%} lost to follow-up by {model.outcome.measured_by}"
            steps.append(Step("attrition", 1 / (1 - lost), whole / (1 - lost), why))
        total = sum(recruited.values())
        plan = self.section.recruitment
        invited = round_up(total / plan.enrolment.value) if plan and plan.enrolment is not None else None
        return Size(
            model.outcome.name,
            target,
            n,
            whole,
            round_up(whole / (1 - lost)),
            analysed,
            recruited,
            invited,
            tuple(steps),
            tuple(self._warnings(model, recruited, analysed)),
        )

    def power(self, n: float, *, outcome: str | None = None, recruited: bool = False) -> float:
        """Power with `n` people analysed (or, with `recruited=True`, recruited) in an arm of ratio 1."""
        model = self.model(outcome)
        return model.power(model.sizes(self._analysed(n, model, recruited)))

    def mde(
        self, n: float, power: float | None = None, *, outcome: str | None = None, recruited: bool = False
    ) -> Detectable:
        """Smallest effect with the power at `n` people in an arm of ratio 1."""
        model = self.model(outcome)
        return self._detectable(model, model.sizes(self._analysed(n, model, recruited)), power)

    def table(self) -> list[dict[str, Any]]:
        """A row for every outcome and comparison: what it needs by itself, and what the planned size gives it.

        Keys: outcome, treated, comparison, level_treated and level_comparison (expected proportion or mean),
        effect_itt, se, analysed and recruited (an arm of ratio 1, for this comparison alone with the correction of the
        whole family; None when no number suffices), planned (people analysed at the planned size), power and mde_itt
        there.
        """
        recruited = self.n().recruited_by_arm
        return [row for outcome in self.section.outcomes for row in self._rows(outcome, recruited)]

    def _rows(self, outcome: Outcome, recruited: Mapping[str, int]) -> list[dict[str, Any]]:
        model, lost = self.model(outcome.name), self._attrition(outcome)
        sizes = {name: count * (1 - lost) for name, count in recruited.items()}
        powers = model.marginal(sizes)
        rows = []
        for pair in model.pairs():
            found = model.comparison(pair, sizes, FULL, 1.0)
            needed = model.size_of(pair, self.section.power)
            multiple = model.scale_of(pair, sizes, self.section.power)
            treated, other = (model.level(name, FULL, 1.0) for name in pair)
            rows.append(
                {
                    "outcome": outcome.name,
                    "treated": pair[0],
                    "comparison": pair[1],
                    "level_treated": treated,
                    "level_comparison": other,
                    "effect_itt": found.effect,
                    "se": found.se,
                    "analysed": None if needed is None else round_up(needed),
                    "recruited": None if needed is None else round_up(round_up(needed) / (1 - lost)),
                    "planned": tuple(sizes[name] for name in pair),
                    "power": powers[pair],
                    "mde_itt": None if multiple is None else found.effect * multiple,
                }
            )
        return rows

    def cost(self, recruited: Mapping[str, int] | None = None) -> money.Bill:
        """Expected euros of these recruits by arm, by default those of `n()`."""
        return money.bill(self.model(), self.n().recruited_by_arm if recruited is None else recruited)

    def conventions(self) -> tuple[rivals.Convention, ...]:
        """The size under rival conventions: correction, variance, whose power, one side or two."""
        return rivals.conventions(self)

    def observed_power(self, **_: object) -> NoReturn:
        """Refuses, with the reason: power from an observed effect only restates its p-value."""
        observed_power()

    def curve(self, sizes: Sequence[float], *, outcome: str | None = None) -> list[tuple[float, float]]:
        """(n, power) at each size, for a power curve."""
        return [(float(n), self.power(n, outcome=outcome)) for n in sizes]

    def allocate(
        self, budget: float | None = None, *, power: float | None = None, outcome: str | None = None
    ) -> money.Allocation:
        """Cheapest allocation over arms: the best power for a budget, or the least cost for a power."""
        return money.allocate(self.model(outcome), self._attrition(self.model(outcome).outcome), budget, power)

    def frontier(self, budgets: Iterable[float], *, outcome: str | None = None) -> list[money.Allocation]:
        """The best allocation at each budget."""
        return [self.allocate(budget, outcome=outcome) for budget in budgets]

    def lottery(self, capacity: int, applicants: int, *, outcome: str | None = None) -> money.Lottery:
        """A lottery of places: the arms follow from the places, and power from the arms."""
        model = self.model(outcome)
        return money.lottery(model, self._attrition(model.outcome), capacity, applicants, self.section.power)

    def assumptions(self) -> tuple[Named, ...]:
        """Every assumption of the section with its dotted name, for the register."""
        return named(self.section)

    def replace(self, name: str, value: float) -> Plan:
        """The plan with one assumption changed; its range widens to hold the value."""
        return Plan(replaced(self.section, name, value))

    def sensitivity(self, over: Mapping[str, Sequence[float]] | Sequence[str]) -> uncertainty.Grid:
        """Size over a grid of one or two assumptions: given values, or five across the range of each."""
        return uncertainty.sensitivity(self, over)

    def tornado(self) -> list[uncertainty.Bar]:
        """Size with each assumption at either end of its range, the widest first."""
        return uncertainty.tornado(self)

    def assurance(
        self, prior: tuple[float, float] | None = None, *, n: float | None = None, outcome: str | None = None
    ) -> uncertainty.Assurance:
        """Power averaged over a normal prior (mean, sd) of the effect; by default one that has the range as 95%."""
        return uncertainty.assurance(self, prior, n, outcome)

    def interim(
        self, looks: int | Sequence[float], spending: str = "lan_demets_obf", *, parameter: float | None = None
    ) -> Result:
        """Bounds, inflation and expected size of looking in between, for one comparison of the primary outcome.

        The bounds spend the level that the correction of the family leaves to one comparison.
        """
        try:
            check_looks(looks)
        except ValueError as error:
            raise ImpossibleRequest("looks", str(error).removeprefix("at: ")) from None
        base = Plan(self.section.model_copy(update={"looks": None}))
        return group_sequential(
            looks=looks,
            spending=spending,
            parameter=parameter,
            power=self.section.power,
            alpha=base.model().level_of_one(),
            sides=self.section.sides,
            n_fixed=base.n().n,
        )

    def forecast(self, *, target: int | None = None, weeks: int | None = None) -> recruitment.Forecast:
        """Will enough people enrol in time? By default the total to recruit, in the weeks of the section."""
        plan = self.section.recruitment
        if plan is None:
            raise ImpossibleRequest("recruitment", "the section states no enrolment rate", remedy="add `recruitment`")
        wanted = self.n().total if target is None else target
        return recruitment.forecast(plan.per_week, plan.weeks if weeks is None else weeks, wanted)

    def _chain(self, model: Model, power: float) -> list[Step]:
        steps: list[Step] = []
        for name, stage in STAGES:
            n = model.solve_size(power, stage=stage)
            factor = n / steps[-1].n if steps else 1.0
            steps.append(Step(name, factor, n, _WHY[name]))
        return steps

    def _attrition(self, outcome: Outcome) -> float:
        stated = self.section.attrition.get(outcome.measured_by)
        return 0.0 if stated is None else stated.value

    def _analysed(self, n: float, model: Model, recruited: bool) -> float:
        if not isinstance(n, Real) or not math.isfinite(n) or n < 2:
            raise ImpossibleRequest("n", f"must be at least 2 people an arm, not {n!r}")
        return n * (1 - self._attrition(model.outcome)) if recruited else n

    def _detectable(self, model: Model, sizes: Mapping[str, float], power: float | None) -> Detectable:
        multiple = model.solve_scale(sizes, self.section.power if power is None else power)
        outcome = model.outcome
        itt = {pair: model.comparison(pair, sizes, FULL, multiple).effect for pair in model.pairs()}
        return Detectable(outcome.name, outcome.effect.value * multiple, outcome.effect_on, multiple, itt)

    def _warnings(self, model: Model, recruited: Mapping[str, int], analysed: Mapping[str, int]) -> list[str]:
        found = [
            f"arm '{arm.name}' has places for {arm.capacity}, fewer than the {recruited[arm.name]} needed"
            for arm in self.section.arms
            if arm.capacity is not None and recruited[arm.name] > arm.capacity
        ]
        several = len({b for _, b in self.model().pairs()}) > 1
        if self.section.correction == "holm" and (several or self.section.looks is not None):
            found.append(
                "Holm over comparisons with several controls, or under looks, is sized by its first step, "
                "a lower bound on power"
            )
        return found + skewness.warnings(model, analysed)


_WHY = {
    "textbook": "two arms, everyone takes up the offer, nobody is lost",
    "take_up": "the effect on takers diluted by take-up in both arms",
    "r2": "covariates explain part of the outcome",
    "clusters": "people who share an advisor or site resemble each other",
    "arms": "several comparisons share one familywise error",
    "looks": "interim looks spend part of the error",
}
EXAMPLE: dict[str, Any] = {
    "arms": [{"name": "portal"}, {"name": "advice"}, {"name": "voucher"}],
    "control": "portal",
    "take_up": {"value": 0.6, "range": [0.4, 0.8], "source": "illustration"},
    "take_up_control": {"value": 0.05, "range": [0.0, 0.1], "source": "illustration"},
    "attrition": {"register": {"value": 0.02, "range": [0.01, 0.03], "source": "illustration"}},
    "outcomes": [
        {
            "name": "training",
            "control": {"value": 0.15, "range": [0.1, 0.2], "source": "illustration"},
            "effect": {"value": 0.06, "range": [0.04, 0.08], "source": "illustration"},
            "measured_by": "register",
        }
    ],
}
