"""What the simulated pilots of a design document found, and exactly which analysis was carried out on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboards import drawing
from dashboards.design_terms import Terms
from dashboards.figure import Cell, Figure, Number, Table
from dashboards.texts import text

if TYPE_CHECKING:
    from analysis.planning.trials import SimulatedComparison, Trials
    from analysis.simulate import Simulated


_Z = 1.959963984540054
"""Monte Carlo errors to either side of a share that hold 95% of what chance makes of it."""


def simulation(found: Trials, terms: Terms) -> Figure:
    """What the simulated trials gave beside what the formulas promise, drawn and in a table."""
    say, form = terms.say, terms.form
    heads = tuple(say(f"simulation.{key}") for key in ("what", "promised", "found", "bias", "coverage"))
    rows = [_simulated(row, found.outcome, terms) for row in found.comparisons]
    none = text("common.none", terms.language)
    if sum(not row.outside_family for row in found.comparisons) > 1:
        rows += [(say(f"simulation.{key}"), none, _with_error(value, terms), none, none)
                 for key, value in (("any", found.any_found), ("all", found.all_found))]  # fmt: skip
    most = found.alpha
    rows.append((say("simulation.false_alarm"), Number(say("at_most", value=form.level(most)), most),
                 _with_error(found.false_alarm, terms), none, none))  # fmt: skip
    table = Table(heads, tuple(rows), say("simulation.caption"))
    drawn = _drawn_rows(found, terms)
    return Figure("simulation", say("simulation.title"), simulation_sentence(found, terms), _drawing(drawn, terms),
                  table, note=" ".join([say("simulation.reading"), *account(found, terms)]),
                  source="Morris, White & Crowther (2019)",
                  alt=say("simulation.alt", count=form.integer(len(drawn))))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the drawing: its words, the share found, and what it is held against (None: nothing is)."""

    label: str
    found: Simulated
    held: float | None

    @property
    def reach(self) -> tuple[float, float]:
        """Where the share lies but for chance, with 95% confidence."""
        return max(self.found.value - _Z * self.found.error, 0.0), min(self.found.value + _Z * self.found.error, 1.0)


def _drawn_rows(found: Trials, terms: Terms) -> list[_Row]:
    """A line for each comparison, for any and for all of several, and for the false alarms; as in the table."""
    say = terms.say
    rows = [_Row(_what(row, terms), row.power, row.promised) for row in found.comparisons]
    if len(found.comparisons) > 1:
        rows += [_Row(say("simulation.any"), found.any_found, None), _Row(say("simulation.all"), found.all_found, None)]
    return [*rows, _Row(say("simulation.false_alarm"), found.false_alarm, found.alpha)]


def _drawing(lines: list[_Row], terms: Terms) -> dict[str, Any]:
    """Shares found with their intervals, and above each what was promised; a dashed line at the power asked."""
    say, form = terms.say, terms.form
    rows = drawing.Rows(tuple(line.label for line in lines), marks=2)
    x = drawing.Axis(0, 1, tuple((at, form.percent(at)) for at in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
                     say("simulation.axis"))  # fmt: skip
    held = [(place, line, line.held) for place, line in enumerate(lines) if line.held is not None]
    traces = [
        drawing.points(
            [value for _, _, value in held], [rows.at(place) for place, _, _ in held],
            [f"{line.label}: {form.percent(value, 1)}" for _, line, value in held],
            series=1, name=say("simulation.held"),
        ),
        drawing.points(
            [line.found.value for line in lines], [rows.at(place, 1) for place in range(len(lines))],
            [f"{line.label}: {_with_error(line.found, terms)}" for line in lines],
            series=0, name=say("simulation.found_reach"),
            low=[line.reach[0] for line in lines], high=[line.reach[1] for line in lines],
        ),
    ]  # fmt: skip
    shapes = [drawing.upright(terms.plan.section.power, 0, rows.height, dash="dash")]
    return drawing.plot(traces, x, rows.axis(), height=rows.height, annotations=rows.annotations(), shapes=shapes)


def account(found: Trials, terms: Terms) -> list[str]:
    """Which analysis was carried out, on what kind of pilots, and what they leave out, sentence by sentence."""
    say, form = terms.say, terms.form
    said = [say("simulation.note", trials=form.integer(found.trials), seed=str(found.seed))]
    said.append(
        say(
            f"simulation.analysis_{_analysis(found)}",
            estimator=say(f"estimator.{found.estimator}"),
            error=say(f"standard_error.{found.convention}"),
            missing=say(f"missing.{found.missing}"),
            test=say(f"convention.sides_{found.sides}", alpha=form.level(found.alpha)),
            correction=say(f"convention.correction_{found.correction}"),
        )
    )
    said.append(say("simulation.design", design=say_design(found.design, terms)))
    if found.strata:
        said.append(_strata(found, terms))
    if found.covariates:
        names = terms.listed(say("quoted", name=terms.name(name)) for name in found.covariates)
        key = "covariates" if found.r2 else "covariates_nothing"
        said.append(say(f"simulation.{key}", names=names, r2=form.percent(found.r2)))
    if found.looks:
        shares = terms.listed(form.percent(look.share) for look in found.looks)
        levels = terms.listed(form.p_value(look.level) for look in found.looks)
        said.append(say("simulation.looks", shares=shares, levels=levels))
    return said + [say(f"simplified.{key}") for key in found.simplified]


def _analysis(found: Trials) -> str:
    """The registered analysis, a stand-in for it, or the standard one of a plan that registers none."""
    return "instead" if "analysis" in found.simplified else found.analysis


def _strata(found: Trials, terms: Terms) -> str:
    say, form = terms.say, terms.form
    unstated = [name for name in found.strata if name not in found.stated]
    written = [
        say(
            "simulation.stratum_alike" if name in unstated else "simulation.stratum",
            name=terms.name(name), levels=form.integer(levels),
        )
        for name, levels in found.strata.items()
    ]  # fmt: skip
    return say("simulation.strata", strata=terms.listed(written))


def _simulated(row: SimulatedComparison, outcome: str, terms: Terms) -> tuple[Cell, ...]:
    """The line of one comparison; one that the plan is not sized for has no promise to be held against."""
    return (
        _what(row, terms),
        Number(text("common.none", terms.language)) if row.promised is None
        else Number(terms.form.percent(row.promised, 1), row.promised),
        _with_error(row.power, terms),
        _difference(outcome, row.bias, terms),
        _with_error(row.coverage, terms),
    )  # fmt: skip


def _what(row: SimulatedComparison, terms: Terms) -> str:
    pair = terms.pair(row.treated, row.other)
    if row.outside_family:
        pair = text("common.outside_family", terms.language, name=pair)
    return terms.say("simulation.power" if row.truth else "simulation.alike", pair=pair)


def say_design(method: str, terms: Terms) -> str:
    """The allocation method in words."""
    return terms.say("design_fixed") if method == "fixed" else terms.say(f"allocation.{method}")


def simulation_sentence(found: Trials, terms: Terms) -> str:
    """What the simulated pilots found, for the first page."""
    form = terms.form
    family = [row for row in found.comparisons if not row.outside_family]
    weakest = min((row for row in family if row.truth), key=lambda row: row.power.value)
    return terms.say(
        "simulation.sentence", analysis=terms.say(f"simulation.what_{found.analysis}"),
        trials=form.integer(found.trials), pair=terms.pair(weakest.treated, weakest.other),
        power=form.percent(weakest.power.value, 1), power_error=form.decimal(100 * weakest.power.error, 1),
        alarm=form.percent(found.false_alarm.value, 1), alarm_error=form.decimal(100 * found.false_alarm.error, 1),
    )  # fmt: skip


def _with_error(found: Simulated, terms: Terms) -> Number:
    form = terms.form
    written = terms.say("with_error", value=form.percent(found.value, 1), error=form.decimal(100 * found.error, 1))
    return Number(written, found.value)


def _difference(outcome: str, found: Simulated, terms: Terms) -> Number:
    form = terms.form
    if terms.binary(outcome):
        written = terms.say("points_error", n=form.decimal(100 * found.value, 2),
                            error=form.decimal(100 * found.error, 2))  # fmt: skip
    else:
        written = terms.say("with_error", value=form.significant(found.value), error=form.significant(found.error))
    return Number(written, found.value)
