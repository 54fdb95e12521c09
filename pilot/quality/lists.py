"""Finished lists that deserve a look: very fast, one answer to a whole row, far out, not allowed, or left open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median, quantiles
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pilot.models import Participant, Pilot, Submission
from surveys import Instrument
from surveys.definition import Question
from surveys.errors import ExpressionError
from surveys.expressions import Expression, Variables, compile
from surveys.expressions.values import text_of

SMALL = 10
"""Groups of fewer people show no number."""
ENOUGH = 20
"""So many answers make a median or a quartile worth comparing with."""
FAST = 0.5
"""Of the median time: one of the limits of Greszki, Meyer and Schoen (2015, Public Opinion Quarterly 79(2))."""
FENCE = 3.0
"""Quartile distances beyond a quartile: the outer fences of Tukey (1977, Exploratory Data Analysis)."""
BATTERY = 4
"""So many questions in a row with the same answers to choose from are a battery; one answer to all of them is flat."""
NUMBERS = ("integer", "decimal", "range")


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished list, with what the checks need of it."""

    person: int
    study_id: str
    wave: str
    mode: str
    minutes: float
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Flag:
    """One finished list that deserves a look, and what was seen: minutes, a question's name, or the answer that stood
    there each time."""

    study_id: str
    wave: str
    what: str


@dataclass(frozen=True, slots=True)
class Undone:
    """What could not be checked: in which wave, why, and which question or outcome it is about when it is about one."""

    wave: str
    why: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A question that was left open by this share of those who met it."""

    wave: str
    question: str
    share: float


@dataclass(frozen=True, slots=True)
class Found:
    """What one check saw, and what it could not see."""

    flags: tuple[Flag, ...] = ()
    undone: tuple[Undone, ...] = ()

    def __add__(self, other: Found) -> Found:
        return Found(self.flags + other.flags, self.undone + other.undone)


def finished(session: Session, pilot: Pilot) -> list[Finished]:
    """The finished lists that may still be used, each in its last revision; the time is that of the first one."""
    query = (
        select(Participant.id, Participant.study_id, Submission)
        .join(Submission, Submission.participant_id == Participant.id)
        .where(Participant.pilot_id == pilot.id, Participant.mode == pilot.mode)
        .where(func.coalesce(Participant.withdrawn, "").not_in(("no_data", "erase")))
        .order_by(Submission.participant_id, Submission.wave, Submission.revision)
    )
    latest: dict[tuple[int, str], Finished] = {}
    for person, study_id, row in session.execute(query):
        first = latest.get((person, row.wave))
        minutes = first.minutes if first else (row.submitted_at - row.started_at).total_seconds() / 60
        latest[person, row.wave] = Finished(person, study_id, row.wave, row.mode, minutes, row.analysed)
    return list(latest.values())


def speeders(wave: str, lists: Sequence[Finished]) -> Found:
    """Who took less than half the median time by themselves; not checked while fewer than twenty did."""
    own = [one for one in lists if one.mode == "self"]
    if len(own) < ENOUGH:
        return Found(undone=(Undone(wave, "few_own"),))
    limit = FAST * median(one.minutes for one in own)
    return Found(tuple(Flag(one.study_id, wave, f"{one.minutes:.1f}") for one in own if one.minutes < limit))


def straight(form: Instrument, wave: str, lists: Iterable[Finished]) -> Found:
    """Who gave one and the same answer to every question of a battery."""
    runs = (list(run) for _, run in groupby(form.questions, key=lambda q: q.choices if q.kind == "select_one" else ""))
    batteries = [[q.name for q in run] for run in runs if run[0].choices and len(run) >= BATTERY]
    wide = [names for names in batteries if len(form.lists[form.question(names[0]).choices]) > 2]
    if not wide:
        return Found(undone=(Undone(wave, "no_row"),))
    flags = []
    for one in lists:
        for names in wide:
            given = [one.said[name] for name in names if one.said.get(name) is not None]
            if len(given) >= BATTERY and len(set(given)) == 1:
                flags.append(Flag(one.study_id, wave, f"{names[0]} … {names[-1]}: {given[0]}"))
    return Found(tuple(flags))


def far_out(form: Instrument, wave: str, lists: Sequence[Finished]) -> Found:
    """Numbers beyond the outer fences of their question: allowed by the form, yet far from everybody else's."""
    found = Found()
    for question in form.questions:
        if question.kind in NUMBERS and not question.calculation:
            found += _beyond_fences(question.name, wave, _numbers(question, lists))
    return found


def _beyond_fences(name: str, wave: str, given: Sequence[tuple[Finished, float]]) -> Found:
    if len(given) < ENOUGH:
        return Found(undone=(Undone(wave, "few_numbers", name),))
    low, _middle, high = quantiles((value for _one, value in given), n=4)
    span = FENCE * (high - low)
    if span == 0:
        # Without a spread every other number would be far: whoever differs is not wrong for that.
        return Found(undone=(Undone(wave, "one_number", name),))
    far = [(one, value) for one, value in given if not low - span <= value <= high + span]
    return Found(tuple(Flag(one.study_id, wave, f"{name}: {value:g}") for one, value in far))


def not_allowed(form: Instrument, wave: str, lists: Sequence[Finished]) -> Found:
    """Answers that the form in force would refuse: typed before it was changed, or come in by another way.

    A limit that hangs on other answers is left to the form itself, which judged it when the answer came.
    """
    flags = []
    for question in form.questions:
        if question.kind not in (*NUMBERS, "select_one") or question.calculation or form.places[question.name].repeats:
            continue
        fits = _fits(form, question)
        verdicts: dict[Any, bool] = {}
        for one in lists:
            value = one.said.get(question.name)
            if value is not None and not verdicts.setdefault(value, fits(value)):
                flags.append(Flag(one.study_id, wave, f"{question.name}: {value}"))
    return Found(tuple(flags))


def _fits(form: Instrument, question: Question) -> Callable[[Any], bool]:
    """Whether a value of this question is one that the form takes."""
    if question.kind == "select_one":
        known = {choice.name for choice in form.lists[question.choices]}
        return lambda value: value in known
    rule = compile(question.constraint) if question.constraint else None
    low, high = (float(question.parameters.get(end, usual)) for end, usual in (("start", 1), ("end", 10)))

    def fits(value: Any) -> bool:
        if not _number(value):
            return False
        if question.kind == "range" and not low <= value <= high:
            return False
        return rule is None or _keeps(rule, value)

    return fits


def _keeps(rule: Expression, value: Any) -> bool:
    try:
        return bool(rule.references) or rule.truth(_Alone({}, value=value))
    except ExpressionError:
        return True  # a limit that asks for the day or the moment of the answer


@dataclass(frozen=True, slots=True)
class _Alone(Variables):
    """The surroundings of a limit that looks at the answer itself only."""

    value: Any = None

    def current(self) -> str:
        return text_of(self.value)


def left_open(form: Instrument, wave: str, lists: Sequence[Finished]) -> list[Skipped]:
    """The share that left each question open, of those who met it; the largest first, at most ten a wave."""
    found = []
    for question in asked(form):
        met = [one.said[question.name] for one in lists if question.name in one.said]
        gone = sum(value is None for value in met)
        if len(met) >= SMALL and gone:
            found.append(Skipped(wave, question.name, gone / len(met)))
    return sorted(found, key=lambda skip: -skip.share)[:SMALL]


def open_share(form: Instrument, said: Mapping[str, Any]) -> float:
    """The share of the questions on somebody's way that was left open."""
    met = [said[q.name] for q in asked(form) if q.name in said]
    return sum(value is None for value in met) / len(met) if met else 0.0


def asked(form: Instrument) -> list[Question]:
    """Questions that wait for an answer, outside repeats."""
    return [q for q in form.questions if not q.silent and not q.shown_only and not form.places[q.name].repeats]


def _numbers(question: Question, lists: Iterable[Finished]) -> list[tuple[Finished, float]]:
    return [(one, float(one.said[question.name])) for one in lists if _number(one.said.get(question.name))]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
