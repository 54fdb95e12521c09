"""The report of a rehearsal as a page for people, in the form that all reports of this house have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dashboards.figure import Cell, Figure, Number, Table
from dashboards.format import Formatter
from dashboards.report import report_html
from dashboards.report_model import Chapter
from dashboards.report_model import Report as Printed
from dashboards.texts import Language, text
from pilot.protocol import Protocol
from pilot.rehearsal.report import Report, Row
from pilot.rehearsal.stopping import Simulated


def html(report: Report, protocol: Protocol, language: Language) -> str:
    """One HTML document, nothing loaded from elsewhere."""
    return report_html(_Page(report, protocol, language).printed())


class _Page:
    """A report in one language."""

    def __init__(self, report: Report, protocol: Protocol, language: Language) -> None:
        self.report, self.form = report, Formatter(language)
        self.language: Language = language
        told = lambda texts, name: str(texts.get(language) or texts.get("nl") or name)  # noqa: E731
        self.arms = {arm.name: told(arm.label, arm.name) for arm in protocol.arms}
        self.outcomes = {outcome.name: told(outcome.label, outcome.name) for outcome in protocol.plan.outcomes}
        self.title, self.target = told(report.title, report.pilot), protocol.pilot.recruitment.target
        self.truth = _source_of_truth(protocol)

    def printed(self) -> Printed:
        say = self._text
        chapters = (
            Chapter("answer", say("answer"), tuple(self._answer())),
            Chapter("performance", say("performance"), (say("performance_lead"), say(f"truth_{self.truth}")), (),
                    (self._finds(), self._estimates())),
            *self._looks(),
            Chapter("flow-chapter", say("flow"), (say("flow_lead", people=self._whole(self.report.participants)),), (),
                    (self._flow(),)),
            Chapter("world", say("world"), (), tuple(self._facts())),
            Chapter("ran", say("ran"), tuple(self._ran())),
        )  # fmt: skip
        return Printed(say("title", title=self.title), self.language, say("banner"), chapters)

    def _answer(self) -> Iterable[str]:
        report, say = self.report, self._text
        trials = self._whole(report.trials)
        yield from (self._power(row) for row in report.rows if row.planned is not None)
        if report.participants < self.target:
            target, people = self._whole(self.target), self._whole(report.participants)
            yield say("smaller_said", target=target, people=people, plain=self.target)
        yield say(
            "familywise_said", share=self._share(report.familywise.value), trials=trials,
            error=self._share(report.familywise.error), alpha=self._share(report.alpha),
        )  # fmt: skip
        yield say(
            "alarms_said", share=self._share(report.sample_ratio_alarms.value), trials=self._whole(2 * report.trials),
            error=self._share(report.sample_ratio_alarms.error), threshold=self._share(report.sample_ratio_threshold),
        )  # fmt: skip
        yield from [say(f"warning.{name}") for name in report.warnings] or [say("fine")]

    def _looks(self) -> Iterable[Chapter]:
        """What looking in between does, when the protocol has looks before the last one."""
        found, say = self.report.stopping, self._text
        if found is None:
            return
        trials = self._whole(self.report.trials)
        sentences = (
            say("looks_people", people=self._whole(found.people.value), error=self._whole(found.people.error),
                without=self._whole(found.people_null.value), all=self._whole(self.report.participants)),
            say("looks_false", share=self._share(found.false_claims.value), trials=trials,
                error=self._share(found.false_claims.error), alpha=self._share(self.report.alpha)),
            say("looks_spent" if found.spent else "looks_level"),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = [
            (row.label.get(self.language, row.look), Number(self._whole(row.people), row.people),
             self._pm(row.opened, share=True), self._pm(row.stops, share=True), self._pm(row.false_stops, share=True))
            for row in found.rows
        ]  # fmt: skip
        columns = ("look", "allocated", "opened", "stops", "false_stops")
        yield Chapter("looks", say("looks"), sentences, (), (self._table("stopping", columns, rows),))

    def _power(self, row: Row) -> str:
        found = self._text(
            "power_said", treated=self.arms[row.treated], comparison=self.arms[row.comparison],
            outcome=self.outcomes[row.outcome], trials=self._whole(self.report.trials),
            share=self._share(row.power.value), error=self._share(row.power.error),
        )  # fmt: skip
        planned = self._share(row.planned or 0.0)
        return f"{found} {self._text('planned_said', planned=planned, people=self._whole(self.report.participants))}"

    def _finds(self) -> Figure:
        rows = [
            (self._name(r), self._pm(r.power, share=True),
             Number("–") if r.planned is None else Number(self._share(r.planned), r.planned),
             self._pm(r.false_positive, share=True), Number(self._whole(r.refused), r.refused))
            for r in self.report.rows
        ]  # fmt: skip
        return self._table("finds", ("comparison", "power", "planned", "false", "refused"), rows)

    def _estimates(self) -> Figure:
        rows = [
            (self._name(r), self._number(r.truth), self._pm(r.bias), self._pm(r.rmse), self._pm(r.coverage, share=True))
            for r in self.report.rows
        ]
        return self._table("estimates", ("comparison", "truth", "bias", "rmse", "coverage"), rows)

    def _table(self, name: str, columns: tuple[str, ...], rows: list[tuple[Cell, ...]]) -> Figure:
        sentence = self._text(f"{name}_sentence", trials=self._whole(self.report.trials))
        heads = tuple(self._text(f"column.{column}") for column in columns)
        return Figure(name, self._text(name), sentence, {}, Table(heads, tuple(rows), self._text(name)))

    def _flow(self) -> Figure:
        kept = self.report.flow[self.language]
        rows = tuple(tuple(_cell(cell) for cell in row) for row in kept["rows"])
        return Figure(
            "flow", kept["title"], kept["sentence"], {}, Table(tuple(kept["columns"]), rows, kept["caption"]),
            note=kept["note"], alt=kept["alt"], markup=kept["markup"],
        )  # fmt: skip

    def _facts(self) -> Iterable[tuple[str, str]]:
        report, say = self.report, self._text
        yield say("fact.people"), self._whole(report.participants)
        yield say("fact.trials"), self._whole(report.trials)
        yield say("fact.seed"), str(report.seed)
        yield say("fact.protocol"), report.fingerprint
        for arm, share in report.take_up.items():
            yield say("fact.take_up", arm=self.arms[arm]), self._share(share)
        for arm, share in report.observed.items():
            yield say("fact.observed", arm=self.arms[arm]), self._share(share)
        yield say("fact.reminded"), self._whole(report.reminded)
        yield from ((say("fact.notes"), note) for note in report.notes)
        yield from ((say("fact.finding"), finding) for finding in report.findings)

    def _ran(self) -> Iterable[str]:
        report, people = self.report, self._whole(self.report.participants)
        once, each = (", ".join(self._text(f"step.{s}") for s in steps) for steps in (report.once, report.each))
        if report.full:
            yield self._text("ran_full", steps=once)
        else:
            yield self._text("ran_once", people=people, steps=once)
            yield self._text("ran_each", steps=each)
        yield self._text("ran_not")

    def _name(self, row: Row) -> str:
        name = f"{self.outcomes[row.outcome]}: {self.arms[row.treated]} – {self.arms[row.comparison]}"
        return text("common.outside_family", self.language, name=name) if row.outside_family else name

    def _text(self, key: str, **places: object) -> str:
        return text(f"rehearsal.{key}", self.language, **places)

    def _whole(self, value: float) -> str:
        return self.form.integer(value)

    def _share(self, value: float) -> str:
        return self.form.percent(value, 1)

    def _number(self, value: float) -> Number:
        return Number(self.form.decimal(value, 4), value)

    def _pm(self, found: Simulated, *, share: bool = False) -> Number:
        write = self._share if share else lambda value: self.form.decimal(value, 4)
        return Number(f"{write(found.value)} ± {write(found.error)}", found.value)


def _source_of_truth(protocol: Protocol) -> str:
    """Where the truth of the outcomes comes from: the answers, the registers, or each of the two for its own."""
    registers = {outcome.name for outcome in protocol.plan.outcomes if outcome.source.register_ is not None}
    if not registers:
        return "answers"
    return "registers" if protocol.sample_size.primary.name in registers else "both"


def _cell(kept: Any) -> Cell:
    return kept if isinstance(kept, str) else Number(kept[0], kept[1])
