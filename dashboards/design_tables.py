"""The tables of a design document: the register of assumptions, sizes by comparison, looks, rival conventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboards.design_terms import Terms
from dashboards.figure import Cell, Figure, Number, Table

if TYPE_CHECKING:
    from analysis.planning import Bill, Convention


def register(terms: Terms) -> Figure:
    """Every assumption with its value, its range and its source."""
    say, found = terms.say, terms.plan.assumptions()
    heads = tuple(say(f"register.{key}") for key in ("what", "value", "range", "source"))
    rows = tuple(
        (
            terms.assumption(item.name),
            Number(terms.value(item.name, item.value), item.value),
            terms.form.between(item.low, item.high, terms.writer(item.name)),
            item.source,
        )
        for item in found
    )
    sentence = say("register.sentence", count=terms.form.integer(len(rows)))
    return Figure("register", say("register.title"), sentence, {}, Table(heads, rows, say("register.caption")))


def sizes(rows: Sequence[Mapping[str, Any]], terms: Terms) -> Figure:
    """What every outcome and comparison needs, and what the planned number gives it."""
    say, form = terms.say, terms.form
    keys = ("comparison", "expected", "difference", "analysed", "recruited", "power", "mde")
    heads = tuple(say(f"sizes.{key}") for key in keys)
    cells = tuple(
        (
            say("sizes.row", outcome=terms.name(row["outcome"]), pair=terms.pair(row["treated"], row["comparison"])),
            say(
                "sizes.levels",
                treated=terms.level(row["outcome"], row["level_treated"]),
                other=terms.level(row["outcome"], row["level_comparison"]),
            ),
            terms.difference(row["outcome"], row["effect_itt"]),
            _count(row["analysed"], terms),
            _count(row["recruited"], terms),
            Number(form.percent(row["power"], 1), row["power"]),
            terms.say("none_suffices") if row["mde_itt"] is None else terms.difference(row["outcome"], row["mde_itt"]),
        )
        for row in rows
    )
    weakest = min(rows, key=lambda row: row["power"])
    sentence = say(
        "sizes.sentence", pair=terms.pair(weakest["treated"], weakest["comparison"]),
        outcome=terms.name(weakest["outcome"]), power=form.percent(weakest["power"]),
    )  # fmt: skip
    table = Table(heads, cells, say("sizes.caption"))
    return Figure("sizes", say("sizes.title"), sentence, {}, table, note=say("sizes.note"))


def _count(value: float | None, terms: Terms) -> Cell:
    return terms.say("none_suffices") if value is None else Number(terms.form.integer(value), value)


def costs(bill: Bill, recruited: Mapping[str, int], terms: Terms) -> Figure:
    """Expected costs by arm."""
    say, form = terms.say, terms.form
    heads = tuple(say(f"costs.{key}") for key in ("arm", "people", "each", "total"))
    rows = [
        (
            terms.name(name),
            Number(form.integer(recruited[name]), recruited[name]),
            Number(form.money(bill.per_person[name], 2), bill.per_person[name]),
            Number(form.money(total), total),
        )
        for name, total in bill.by_arm.items()
    ]
    people = sum(recruited.values())
    rows.append(
        (
            say("costs.all"),
            Number(form.integer(people), people),
            Number(form.money(bill.total / people, 2), bill.total / people),
            Number(form.money(bill.total), bill.total),
        )
    )
    sentence = say("costs.sentence", total=form.money(bill.total))
    table = Table(heads, tuple(rows), say("costs.caption"))
    return Figure("costs", say("costs.title"), sentence, {}, table, note=say("costs.note"))


def looks(terms: Terms) -> list[Figure]:
    """When the pilot is looked at, and what a comparison must show then; none when it is looked at once."""
    section, say, form = terms.plan.section, terms.say, terms.form
    if section.looks is None:
        return []
    design = terms.plan.interim(section.looks.at, section.looks.spending, parameter=section.looks.parameter)
    rows = tuple(
        (
            Number(form.integer(place), place),
            Number(form.percent(share), share),
            Number(form.decimal(bound, 3), bound),
            Number(form.p_value(section.sides * level), section.sides * level),
            Number(form.percent(chance, 1), chance),
        )
        for place, (share, bound, level, chance) in enumerate(
            zip(design.times, design.upper, design.levels, design.stop_alternative, strict=True), 1
        )
    )
    heads = tuple(say(f"looks.{key}") for key in ("look", "share", "bound", "p", "chance"))
    sentence = say("looks.sentence", count=form.integer(len(rows)), most=form.integer(design.n_max),
                   expected=form.integer(design.n_expected))  # fmt: skip
    table = Table(heads, rows, say("looks.caption"))
    return [Figure("looks", say("looks.title"), sentence, {}, table, note=say("looks.note"))]


def conventions(found: Sequence[Convention], terms: Terms) -> Figure:
    """The number under rival conventions, side by side."""
    say, form = terms.say, terms.form
    heads = tuple(say(f"rivals.{key}") for key in ("convention", "analysed", "recruited"))
    rows = tuple(
        (
            say(f"rivals.{c.key}") if c.key == "planned" else say(f"rivals.{c.key}_{c.value}"),
            say("none_suffices") if c.n is None else Number(form.decimal(c.n, 1), c.n),
            _count(c.recruited, terms),
        )
        for c in found
    )
    known = [c.recruited for c in found if c.recruited is not None]
    sentence = say("rivals.sentence", low=form.integer(min(known)), high=form.integer(max(known)))
    table = Table(heads, rows, say("rivals.caption"))
    return Figure("rivals", say("rivals.title"), sentence, {}, table, note=convention(terms))


def convention(terms: Terms) -> str:
    """The conventions of the plan itself in one sentence."""
    section = terms.plan.section
    parts = [
        terms.say(f"convention.correction_{section.correction}") if len(terms.plan.model().pairs()) > 1 else "",
        terms.say(f"convention.power_of_{section.power_of}") if len(terms.plan.model().pairs()) > 1 else "",
        terms.say(f"convention.variance_{terms.plan.model().variance}") if terms.plan.primary.kind == "binary" else "",
        terms.say(f"convention.sides_{section.sides}", alpha=terms.form.level(section.alpha)),
    ]
    return terms.say("convention.sentence", parts=", ".join(part for part in parts if part))
