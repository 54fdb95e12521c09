"""A draft as the editor shows it: its questions in order, and with each what is wrong and which sentence to mend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from flask import g

from pilot import access, drafting
from pilot.drafting import Work
from pilot.models import User
from surveys import Instrument
from surveys.definition import Question, Section, say
from surveys.editing import INSIDE, look
from surveys.errors import Finding
from surveys.readability import Limits, Problem, Reading, judge, measure

LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Line:
    """One question or section of the list, with what is to be mended in it."""

    item: Question | Section
    depth: int
    words: str
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def kind(self) -> str:
        if isinstance(self.item, Question):
            return self.item.kind
        return "repeat" if self.item.repeats else "group"


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in a form: by question, and about the form as a whole (the name is empty)."""

    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    readings: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)

    def count(self, severity: str) -> int:
        return sum(one.severity == severity for found in self.findings.values() for one in found)

    @property
    def sentences(self) -> int:
        return sum(len(found) for found in self.problems.values())


def judged(form: Instrument) -> Judged:
    """Everything that the import and the gate say about a form; looked at once for each content."""
    return _judged(_Content(form))


class _Content:
    """A form as a cache key: equal when the fingerprint is."""

    def __init__(self, form: Instrument) -> None:
        self.form = form

    def __hash__(self) -> int:
        return hash(self.form.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and other.form.fingerprint == self.form.fingerprint


@lru_cache(maxsize=32)
def _judged(content: _Content) -> Judged:
    form = content.form
    findings: dict[str, tuple[Finding, ...]] = {}
    for name, one in look(form):
        findings[name] = (*findings.get(name, ()), one)
    problems: dict[str, tuple[Problem, ...]] = {}
    for problem in judge(form, LIMITS):
        problems[problem.question] = (*problems.get(problem.question, ()), problem)
    readings: dict[str, tuple[Reading, ...]] = {}
    for language in form.languages:
        for page in measure(form, language).pages:
            readings[page.question] = (*readings.get(page.question, ()), page)
    return Judged(findings, problems, readings)


def lines(form: Instrument) -> list[Line]:
    """The questions and sections in order, with what is to be mended in each."""
    found, language = judged(form), form.default_language
    return [
        Line(
            place.item, len(place.parents), say(place.item.label, language),
            found.findings.get(name, ()), found.problems.get(name, ()),
        )
        for name, place in form.places.items()
    ]  # fmt: skip


def places(form: Instrument, without: str = "") -> list[tuple[str, str, str]]:
    """Where a question can be put: the value of the field, the name, and `first`, `in` or `after`."""
    found = [("", "", "first")]
    for name, place in form.places.items():
        if name == without or any(parent.name == without for parent in place.parents):
            continue
        if isinstance(place.item, Section):
            found.append((INSIDE + name, name, "in"))
        found.append((name, name, "after"))
    return found


def opened(name: str, number: int | None = None) -> Work:
    """The draft of this name in the pilot of the page. Raises NotYours."""
    return drafting.read(g.session, g.pilot, name, number)


def may_write() -> bool:
    return access.may(g.user, "propose_protocol", g.pilot)


def author(user_id: int | None) -> str:
    user = g.session.get(User, user_id) if user_id is not None else None
    return (user.name or user.email) if user else "–"
