"""The two dashboards of a pilot, put together from counts and opened looks: one for policymakers, one for researchers.

Outcomes by arm come from the results of an opened look and from nowhere else; until then pages show everybody together.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.at_baseline import AtBaseline, at_baseline
from analysis.results import Results
from dashboards import page as pages
from dashboards import result_figures
from dashboards.balance import balance
from dashboards.disclosure import Rules
from dashboards.errors import FigureError
from dashboards.figure import Figure
from dashboards.flow import ArmFlow, Enrolment, Wave, flow
from dashboards.masking import Look as Seen
from dashboards.page import Page
from dashboards.reach import ReachArm, reach
from dashboards.recruitment import Target, recruitment
from dashboards.response import response
from dashboards.result_figures import Reader
from dashboards.sample_ratio import sample_ratio
from dashboards.shares import Group
from dashboards.take_up import take_up
from dashboards.texts import Language, in_language
from pilot import counts, dataset, publishing, results
from pilot.models import Look, Pilot
from pilot.protocol import Protocol

# What readers call the reasons for which people drop out of the flow.
REASONS = {
    "nl": {"stopped": "begonnen, niet afgemaakt", "declined": "wilde niet meedoen", "left": "gestopt",
           "silent": "geen antwoord", "not_yet": "nog niet gegeven of niet gewild"},
    "en": {"stopped": "began and did not finish", "declined": "did not want to take part", "left": "withdrew",
           "silent": "no answer", "not_yet": "not given yet, or not wanted"},
}  # fmt: skip


class Dashboard:
    """What both pages share: the pilot as it stands at one moment, in one language."""

    def __init__(self, session: Session, pilot: Pilot, protocol: Protocol, *, language: str, now: datetime) -> None:
        self.session, self.pilot, self.protocol, self.now = session, pilot, protocol, now
        self.language: Language = "en" if language == "en" else "nl"
        opened = results.latest(session, pilot)
        self.results: Results | None = opened[1] if opened else None
        self.look = (
            Seen.opened(self._look_name(opened[0].name), opened[0].opened_at.date()) if opened else Seen.masked()
        )

    def policymaker(self) -> Page:
        """What works, how sure that is, and how far people were reached: what was published, and nothing newer."""
        rules = self.protocol.disclosure
        shown = {part.part: part for part in publishing.standing(self.session, self.pilot) if part.source is not None}
        looks = {row.id: row for row in self.session.scalars(select(Look).where(Look.pilot_id == self.pilot.id))}
        words, effects, given = [], [], []
        seen = Seen.masked()
        for name, part in sorted(shown.items(), key=lambda one: self._place(one[0])):
            row = looks.get((part.source or {}).get("look", 0))
            if row is None:
                continue
            seen = Seen.opened(self._look_name(row.name), row.opened_at.date())
            reader = self._reader(publishing.rounded_as(rules, part.source), seen)
            found = Results.from_dict(row.results)
            if name == publishing.TAKE_UP:
                given += _made(lambda found=found, reader=reader: result_figures.take_up_of(found, reader))
            for outcome in found.outcomes:
                if name == publishing.of_outcome(outcome.name):
                    words += _made(lambda outcome=outcome, reader=reader: result_figures.in_words(outcome, reader))
                    effects += _made(lambda outcome=outcome, reader=reader: result_figures.effects(outcome, reader))
        return pages.policymaker(
            title=self._title(),
            look=seen,
            language=self.language,
            in_words=words,
            effects=effects,
            reach=self._published_reach(shown, rules),
            recruitment=self._published_recruitment(shown, rules),
            take_up=given,
        )

    def _place(self, part: str) -> int:
        """Where a published part stands on the page: primary outcomes first, then the others as they are registered."""
        outcomes = sorted(self.protocol.plan.outcomes, key=lambda outcome: outcome.family != "primary")
        names = [publishing.of_outcome(outcome.name) for outcome in outcomes]
        return names.index(part) if part in names else len(names)

    def published_on(self) -> date | None:
        """The day of the newest numbers on the policymakers' page; None while nothing was published."""
        days = [part.made_at.date() for part in publishing.standing(self.session, self.pilot) if part.made_at]
        return max(days, default=None)

    def researcher(self) -> Page:
        """The trial as it goes: flow, sizes, balance, response, delivery, and effects once a look is open."""
        arms = counts.by_arm(self.session, self.pilot, self.protocol, now=self.now)
        found, reader = self._at_baseline(), self._reader(None)
        ratio = (
            [sample_ratio(found.arms, found.sample_ratio, language=self.language, labels=self._names())]
            if found
            else []
        )
        even = found.balance if found else None
        alike = _made(lambda: balance(even, language=self.language, labels=self._names())) if even else []
        effects: list[Figure] = []
        for outcome in self.results.outcomes if self.results is not None else ():
            effects += _made(lambda outcome=outcome: result_figures.effects(outcome, reader))
            effects += _made(lambda outcome=outcome: result_figures.estimates(outcome, reader))
        return pages.researcher(
            title=self._title(),
            look=self.look,
            language=self.language,
            flow=self._flow(arms),
            sample_ratio=ratio,
            balance=alike,
            response=self._response(arms),
            take_up=self._take_up(arms),
            recruitment=self._recruitment(counts.arrivals(self.session, self.pilot), self.now.date(), None),
            effects=effects,
        )

    def _title(self) -> str:
        return str(self.pilot.title.get(self.language) or self.pilot.title["nl"])

    def _look_name(self, name: str) -> str:
        label = next((look.label for look in self.protocol.looks if look.name == name), None)
        return self._text(label) if label else name

    def _text(self, texts: Any) -> str:
        return str(texts.get(self.language) or texts["nl"])

    def _names(self) -> dict[str, str]:
        return {arm.name: self._text(arm.label) for arm in self.protocol.arms}

    def _reader(self, rules: Rules | None, look: Seen | None = None) -> Reader:
        phrases = {arm.name: self._text(arm.phrase) for arm in self.protocol.arms if arm.phrase}
        said = {o.name: o.said[self.language] for o in self.protocol.plan.outcomes if o.said.get(self.language)}
        return Reader(self.language, look or self.look, labels=self._names(), phrases=phrases, said=said, rules=rules)

    def _published_reach(self, shown: Mapping[str, publishing.Standing], rules: Rules) -> list[Figure]:
        part = shown.get(publishing.REACH)
        known = (
            [(self.protocol.outreach_arm(name), counted) for name, counted in (part.source or {}).items()]
            if part
            else []
        )
        arms = [ReachArm(self._text(arm.label), cast(Any, counted)) for arm, counted in known if arm is not None]
        shown_as = publishing.rounded_as(rules, part.source if part else None)
        return _made(lambda: reach(arms, language=self.language, rules=shown_as)) if arms else []

    def _published_recruitment(self, shown: Mapping[str, publishing.Standing], rules: Rules) -> list[Figure]:
        part = shown.get(publishing.RECRUITMENT)
        if part is None:
            return []
        came, until = publishing.arrivals_of(part.source or {})
        return self._recruitment(came, until, publishing.rounded_as(rules, part.source))

    def _recruitment(self, came: Mapping[date, int], until: date, rules: Rules | None) -> list[Figure]:
        plan = self.protocol.pilot.recruitment
        target = Target(plan.target, plan.start, plan.end)
        return (
            _made(lambda: recruitment(came, target, today=until, language=self.language, rules=rules)) if came else []
        )

    def _flow(self, arms: list[counts.ArmCounts]) -> list[Figure]:
        words, rows = REASONS[self.language], counts.reach(self.session, self.pilot)
        started, screened = sum(row.started for row in rows), sum(row.screened for row in rows)
        eligible, allocated = sum(row.eligible for row in rows), sum(row.allocated for row in rows)
        consented = sum(row.consented for row in rows)
        excluded = {self._reason(name): count for name, count in counts.not_eligible(self.session, self.pilot).items()}
        excluded[words["stopped"]] = started - screened + max(consented - allocated, 0)
        excluded[words["declined"]] = eligible - max(consented, allocated)
        rest = started - allocated - sum(excluded.values())
        excluded[words["stopped"]] += rest
        begun = {wave.wave for arm in arms for wave in arm.waves if wave.asked}
        flows = [self._arm_flow(arm, begun) for arm in arms]
        enrolled = Enrolment(started, {reason: count for reason, count in excluded.items() if count})
        return _made(lambda: flow(enrolled, flows, look=self.look, language=self.language)) if allocated else []

    def _reason(self, name: str) -> str:
        found = next((c.text for c in self.protocol.population.eligibility if c.reason == name), None)
        return self._text(found).rstrip(".") if found else name

    def _arm_flow(self, arm: counts.ArmCounts, begun: Set[str]) -> ArmFlow:
        """One arm, with every wave that has begun in any arm: a figure holds the same waves for all."""
        words = REASONS[self.language]
        waves = []
        for wave in arm.waves:
            silent = wave.asked - wave.answered - wave.withdrawn
            lost = {words["left"]: wave.withdrawn, words["silent"]: silent}
            if wave.wave in begun:
                waves.append(Wave(self._wave(wave.wave), wave.answered, {k: n for k, n in lost.items() if n}))
        missed = {words["not_yet"]: arm.allocated - arm.received} if arm.allocated > arm.received else {}
        return ArmFlow(self._names()[arm.arm], arm.allocated, arm.received, missed, tuple(waves))

    def _wave(self, name: str) -> str:
        offset = self.protocol.wave(name).offset
        months = {"nl": "maanden", "en": "months"}[self.language]
        return f"{offset.months} {months}" if offset.months else name

    def _response(self, arms: list[counts.ArmCounts]) -> list[Figure]:
        figures = []
        for index, wave in enumerate(self.protocol.waves[1:]):
            groups = [
                Group(self._names()[arm.arm], arm.waves[index].answered, arm.waves[index].asked)
                for arm in arms
                if arm.waves[index].asked
            ]
            if groups:
                figures += _made(
                    lambda groups=groups, wave=wave: response(
                        groups, look=self.look, language=self.language, wave=self._wave(wave.name),
                        id=f"response-{wave.name.replace('_', '-')}",
                    )
                )  # fmt: skip
        return figures

    def _take_up(self, arms: list[counts.ArmCounts]) -> list[Figure]:
        told = self.protocol.plan.analysis.take_up
        groups = [Group(self._names()[arm.arm], arm.received, arm.allocated) for arm in arms if arm.allocated]
        advised = {self._names()[a.name] for a in self.protocol.arms if "advice" in a.components}
        groups = [group for group in groups if group.name in advised]
        if told is None or not groups:
            return []
        return _made(
            lambda: take_up(groups, definition=in_language(told.definition, self.language), language=self.language)
        )

    def _at_baseline(self) -> AtBaseline | None:
        frame = dataset.build(self.session, self.pilot, self.protocol)
        known = {arm.name for arm in self.protocol.arms}
        if len(frame.data) < 2 or set(frame.data["arm"]) != known:
            return None
        return at_baseline(self.protocol.plan, frame.data)


def _made(make: Any) -> list[Figure]:
    """The figure, or nothing when its data do not allow one yet: an empty pilot has an empty page, not an error."""
    try:
        figure = make()
    except FigureError:
        return []
    return [] if figure is None else [figure]
