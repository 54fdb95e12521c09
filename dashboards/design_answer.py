"""The first page of a design document: how many people, why, at what price, and what the pilot can and cannot show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboards.design_figures import forecast_sentence
from dashboards.design_simulation import simulation_sentence
from dashboards.design_terms import Terms

if TYPE_CHECKING:
    from analysis.planning import Allocation, Assurance, Bar, Bill, Forecast, Size
    from analysis.planning.trials import Trials


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was computed for one document; what the plan does not state is None."""

    size: Size
    rows: Sequence[dict[str, Any]]
    bars: Sequence[Bar]
    bill: Bill | None
    cheapest: Allocation | None
    half: float | None
    assurance: Assurance | None
    forecast: Forecast | None
    trials: Trials | None
    not_sized: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A question of the funder and the sentences that answer it."""

    id: str
    question: str
    sentences: tuple[str, ...]


def answers(found: Found, terms: Terms) -> tuple[Answer, ...]:
    """The page, question by question."""
    made = {
        "people": _people(found, terms),
        "why": _why(found, terms),
        "cost": _cost(found, terms),
        "shows": _shows(found, terms),
        "not": _cannot(found, terms),
        "sure": _sure(found, terms),
        "time": _time(found, terms),
    }
    return tuple(Answer(key, terms.say(f"ask.{key}"), tuple(said)) for key, said in made.items())


def key_facts(found: Found, terms: Terms) -> tuple[tuple[str, str], ...]:
    """The few numbers at the top, as (number, what it is)."""
    form, say, section = terms.form, terms.say, terms.plan.section
    facts = [
        (form.integer(found.size.total), say("key.people")),
        (form.percent(section.power), say("key.power")),
        _difference(found, terms),
    ]
    if found.bill is not None:
        facts.append((form.money(found.bill.total), say("key.cost")))
    if found.forecast is not None:
        facts.append((form.percent(found.forecast.chance), say("key.time", weeks=form.integer(found.forecast.weeks))))
    return tuple(facts)


def _primary(found: Found) -> list[dict[str, Any]]:
    return [row for row in found.rows if row["outcome"] == found.size.outcome]


def _difference(found: Found, terms: Terms) -> tuple[str, str]:
    """The smallest difference between groups that is expected, and in what it is counted."""
    smallest = min((row["effect_itt"] for row in _primary(found)), key=abs)
    if terms.binary(found.size.outcome):
        return terms.form.decimal(100 * smallest, 1), terms.say("key.points")
    return terms.form.significant(smallest), terms.say("key.difference")


def _by_arm(counts: Any, terms: Terms) -> str:
    return terms.listed(
        terms.say("arm_count", arm=terms.name(name), n=terms.form.integer(n)) for name, n in counts.items()
    )


def _people(found: Found, terms: Terms) -> list[str]:
    size, form, say = found.size, terms.form, terms.say
    counts = set(size.recruited_by_arm.values())
    if len(counts) == 1:
        groups = terms.listed(terms.say("quoted", name=terms.name(a)) for a in size.recruited_by_arm)
        said = [say("people.equal", total=form.integer(size.total), each=form.integer(next(iter(counts))),
                    count=form.integer(len(size.recruited_by_arm)), groups=groups)]  # fmt: skip
    else:
        said = [say("people.unequal", total=form.integer(size.total), groups=_by_arm(size.recruited_by_arm, terms))]
    section = terms.plan.section
    outcome = terms.plan.model(size.outcome).outcome
    lost = section.attrition.get(outcome.measured_by)
    if lost is not None and lost.value > 0:
        said.append(say("people.lost", lost=terms.value(f"attrition.{outcome.measured_by}", lost.value),
                        source=terms.source(outcome.measured_by), analysed=form.integer(size.analysed)))  # fmt: skip
    if size.invited is not None and section.recruitment is not None and section.recruitment.enrolment is not None:
        share = terms.value("recruitment.enrolment", section.recruitment.enrolment.value)
        said.append(say("people.invited", invited=form.integer(size.invited), share=share))
    return said


def _why(found: Found, terms: Terms) -> list[str]:
    size, form, say, plan = found.size, terms.form, terms.say, terms.plan
    model = plan.model(size.outcome)
    outcome, rows = model.outcome, _primary(found)
    said = [say("why.outcome", outcome=terms.name(size.outcome))]
    control = terms.name(plan.section.control)
    effect = terms.value(f"outcomes.{size.outcome}.effect", outcome.effect.value)
    if outcome.control is not None:
        said.append(say("why.level", arm=control, level=terms.level(size.outcome, outcome.control.value)))
    if outcome.effect_on == "takers":
        said.append(say("why.takers", effect=effect))
        shares = {model.take_up(arm) for arm in plan.section.arms if arm.name != plan.section.control}
        taken = form.between(min(shares), max(shares), form.percent) if len(shares) > 1 else form.percent(min(shares))
        said.append(say("why.dilution", take_up=taken, elsewhere=form.percent(model.take_up_control())))
    else:
        said.append(say("why.assigned", effect=effect))
    smallest = min(rows, key=lambda row: abs(row["effect_itt"]))
    difference = terms.difference(size.outcome, smallest["effect_itt"])
    said.append(say("why.between", difference=difference))
    key = "why.power_several" if len(rows) > 1 else "why.power_one"
    said.append(say(key, power=form.percent(size.power), alpha=form.level(plan.section.alpha)))
    return said


def _cost(found: Found, terms: Terms) -> list[str]:
    form, say = terms.form, terms.say
    if found.bill is None:
        return [say("cost.unstated")]
    total, people = found.bill.total, found.size.total
    said = [say("cost.total", total=form.money(total), each=form.money(total / people))]
    budget = terms.plan.section.budget
    if budget is not None:
        key = "cost.enough" if budget >= total else "cost.short"
        said.append(say(key, budget=form.money(budget), short=form.money(max(0.0, total - budget))))
    cheapest = found.cheapest
    if cheapest is not None and cheapest.cost < 0.98 * total:
        said.append(say("cost.cheapest", cost=form.money(cheapest.cost), total=form.integer(cheapest.total),
                        groups=_by_arm(cheapest.recruited, terms)))  # fmt: skip
    return said


def _shows(found: Found, terms: Terms) -> list[str]:
    said = []
    for row in _primary(found):
        pair = terms.say("shows.pair", treated=terms.name(row["treated"]), other=terms.name(row["comparison"]))
        if row["mde_itt"] is None:
            said.append(terms.say("shows.nothing", pair=pair))
        else:
            said.append(terms.say("shows.row", pair=pair, difference=terms.difference(row["outcome"], row["mde_itt"]),
                                  power=terms.form.percent(terms.plan.section.power)))  # fmt: skip
    return said


def _cannot(found: Found, terms: Terms) -> list[str]:
    form, say = terms.form, terms.say
    said = [say("not.smaller")]
    if found.half is not None:
        said.append(say("not.subgroup", difference=terms.difference(found.size.outcome, found.half)))
    if found.not_sized:
        said.append(say("not.sized", pairs=terms.listed(terms.pair(a, b) for a, b in found.not_sized)))
    target = terms.plan.section.power - 0.005
    weak = [row for row in found.rows if row["outcome"] != found.size.outcome and row["power"] < target]
    for row in weak[:2]:
        pair, power = terms.pair(row["treated"], row["comparison"]), form.percent(row["power"])
        said += [say("not.weak", outcome=terms.name(row["outcome"]), pair=pair, power=power)]
    said.append(say("not.others"))
    return said


def _sure(found: Found, terms: Terms) -> list[str]:
    said = []
    moving = [bar for bar in found.bars if bar.swing > 0]
    if moving:
        bar = moving[0]
        said.append(
            terms.say("sure.most", what=terms.assumption(bar.name), low=terms.value(bar.name, bar.low),
                      high=terms.value(bar.name, bar.high), n_low=_enough(bar.recruited_low, terms),
                      n_high=_enough(bar.recruited_high, terms))
        )  # fmt: skip
    if found.assurance is not None:
        said.append(terms.say("sure.assurance", assurance=terms.form.percent(found.assurance.assurance)))
    if found.trials is not None:
        said.append(simulation_sentence(found.trials, terms))
        said += [terms.say(f"simplified.{key}") for key in found.trials.simplified]
    return said


def _enough(count: int | None, terms: Terms) -> str:
    return terms.say("none_suffices") if count is None or math.isinf(count) else terms.form.integer(count)


def _time(found: Found, terms: Terms) -> list[str]:
    if found.forecast is None:
        return [terms.say("time.unstated")]
    rate = terms.plan.section.recruitment
    assert rate is not None
    pace = terms.say("time.pace", rate=terms.value("recruitment.per_week", rate.per_week.value))
    return [pace, forecast_sentence(found.forecast, terms)]
