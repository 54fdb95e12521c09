"""Scoring of scales, by the rule that each scale's source publishes and never by one of our own making.

Where the source gives no rule for missing items, a score with a missing item raises ScoringUnknown; where the
reversed items could not be established, every score does. Item texts of licensed scales are not part of this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from surveys.errors import ScoringError, ScoringUnknown

__all__ = ["SCALES", "MissingItems", "Scale", "below", "missing_rule", "score", "scores"]

Answer = float | int | None
REGISTERED = "registered in the protocol"


@dataclass(frozen=True, slots=True)
class MissingItems:
    """A pilot's own choice for a scale whose source gives no rule: at least this share of the items is answered, and
    the mean of those stands for the others. It is registered before the data are there, and goes into the output.

    >>> score("who5", [5, 4, 3, 4, None], MissingItems(at_least=0.8))
    {'total': 80.0}
    """

    at_least: float
    source: str = REGISTERED

    def __post_init__(self) -> None:
        if not 0 < self.at_least <= 1:
            raise ScoringError(f"at_least is a share of the items, above 0 and at most 1, not {self.at_least}")

    def allows(self, answered: int, items: int) -> bool:
        """Whether so many answered items of so many are enough."""
        return answered >= 1 and answered / items >= self.at_least - 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale and its published rule.

    ``rule`` is the mean or the sum of the items, times ``factor``; or ``any``: 1 when one of the yes-or-no items is 1.
    ``subscales`` maps a name to the positions of its items, counted from 1. ``reversed_items`` are positions too; None
    when the source was not found. ``most_missing`` is how many items may be missing; None when there is no rule.
    ``cut_offs`` maps what the source reads in a low total to the highest total of which it reads it.
    """

    title: str
    items: int
    low: int
    high: int
    rule: Literal["mean", "sum", "any"]
    source: str
    factor: float = 1.0
    subscales: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    reversed_items: tuple[int, ...] | None = ()
    most_missing: int | None = None
    licence: str = ""
    cut_offs: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positions = [p for members in self.subscales.values() for p in members] + list(self.reversed_items or ())
        if self.items < 1 or self.low >= self.high or any(not 1 <= p <= self.items for p in positions):
            raise ScoringError(f"the scale '{self.title}' is not consistent: check items, bounds and positions")


def _parts(size: int) -> dict[str, tuple[int, ...]]:
    names = ("concern", "control", "curiosity", "confidence")
    return {name: tuple(range(i * size + 1, (i + 1) * size + 1)) for i, name in enumerate(names)}


SCALES: Mapping[str, Scale] = {
    "caas": Scale(
        "Career Adapt-Abilities Scale", 24, 1, 5, "mean",
        "Savickas and Porfeli (2012), Journal of Vocational Behavior 80, 661-673",
        subscales=_parts(6), licence="free for research, not checked; item texts are copyrighted",
    ),
    "caas_sf": Scale(
        "Career Adapt-Abilities Scale, short form", 12, 1, 5, "mean",
        "Maggiori, Rossier and Savickas (2017), Journal of Career Assessment 25, 312-325",
        subscales=_parts(3), licence="free for research, not checked; item texts are copyrighted",
    ),
    "caas_ssf": Scale(
        "Career Adapt-Abilities Scale, super short form", 4, 1, 5, "mean",
        "Journal of Career Assessment (2023), doi 10.1177/10690727231200255; one factor",
        licence="to be checked",
    ),
    "gse": Scale(
        "General Self-Efficacy Scale", 10, 1, 4, "sum",
        "Schwarzer and Jerusalem (1995); missing items: documentation by Schwarzer (30 May 2014), at most three of ten",
        most_missing=3, licence="no permission needed; cite the source",
    ),
    "oses_sf": Scale(
        "Occupational Self-Efficacy Scale, short form", 6, 1, 6, "mean",
        "Rigotti, Schyns and Mohr (2008), Journal of Career Assessment 16, 238-255",
        licence="academic use, not checked",
    ),
    "spe": Scale(
        "Self-perceived employability", 5, 1, 5, "mean", "Berntson and Marklund (2007), Work and Stress 21, 279-292",
        reversed_items=None, licence="academic use, not checked",
    ),
    "biajs": Scale(
        "Brief Index of Affective Job Satisfaction", 4, 1, 5, "mean",
        "Thompson and Phua (2012), Group and Organization Management 37, 275-307",
        licence="free for research, not checked",
    ),
    "who5": Scale(
        "WHO-5 Well-Being Index", 5, 0, 5, "sum",
        "Topp, Ostergaard, Sondergaard and Bech (2015), Psychotherapy and Psychosomatics 84, 167-176",
        factor=4.0, licence="free",
        cut_offs={"screen for depression": 50.0, "likely depression": 28.0},
    ),
    "nea_item": Scale(
        "A single question of the Netherlands Working Conditions Survey (satisfaction, learning need, employability)",
        1, 1, 5, "mean", "NEA, TNO and Statistics Netherlands: the answer itself",
        licence="public survey wording, not checked",
    ),
    "lfs_training": Scale(
        "Took part in training in the last four weeks, formal or non-formal", 2, 0, 1, "any",
        "European Union Labour Force Survey: participation in education and training, either of the two kinds",
        licence="Eurostat and Statistics Netherlands wording",
    ),
}  # fmt: skip
"""Scales by name, in the order of their sources."""


def score(scale: Scale | str, answers: Sequence[Answer], registered: MissingItems | None = None) -> dict[str, float]:
    """The total and, where the scale has them, the subscales, of one person's answers in the order of the items.

    A missing answer is None or not-a-number. With missing items a sum is the mean of the answered items times their
    number, as the source of the General Self-Efficacy Scale has it. ``registered`` is the pilot's own choice where the
    source has no rule: a subscale with too few answers is then left out. Raises ScoringError for an answer outside the
    response scale, the wrong number of answers, or a choice beside a published rule; ScoringUnknown where no rule
    covers the case.

    >>> score("who5", [5, 4, 3, 4, 5])
    {'total': 84.0}
    >>> score("gse", [3, 3, 3, 3, 3, 3, 3, None, None, 4])["total"]
    31.25
    """
    rule = _known(scale, registered)
    if len(answers) != rule.items:
        raise ScoringError(f"'{rule.title}' has {rule.items} items, not {len(answers)}")
    turned = _turned(rule, answers)
    if rule.rule == "any" and any(turned):
        return {"total": 1.0}  # one yes is enough, whatever else is missing
    missing = sum(answer is None for answer in turned)
    _allowed(rule, missing, registered)
    found = {"total": _value(rule, turned)}
    for name, members in rule.subscales.items():
        part = [turned[position - 1] for position in members]
        if registered is None or registered.allows(sum(answer is not None for answer in part), len(part)):
            found[name] = _value(rule, part)
    return found


def scores(
    scale: Scale | str, rows: Iterable[Sequence[Answer]], registered: MissingItems | None = None
) -> list[dict[str, float] | None]:
    """The scores of many people; None for a person whose missing answers no rule covers.

    Raises ScoringUnknown when the scale itself cannot be scored, and ScoringError as ``score`` does.

    >>> scores("who5", [[5, 5, 5, 5, 5], [5, None, 5, 5, 5]])
    [{'total': 100.0}, None]
    """
    found: list[dict[str, float] | None] = []
    for answers in rows:
        if any(map(_is_missing, answers)):
            try:
                found.append(score(scale, answers, registered))
            except ScoringUnknown:
                _turned(_known(scale, registered), answers)
                found.append(None)
        else:
            found.append(score(scale, answers, registered))
    return found


def below(scale: Scale | str, total: float) -> tuple[str, ...]:
    """What the source of a scale reads in a total this low; nothing for a scale without cut-offs.

    Raises ScoringUnknown for an unknown scale and ScoringError for a total outside the scale.

    >>> below("who5", 52), below("who5", 48), below("who5", 28)
    ((), ('screen for depression',), ('screen for depression', 'likely depression'))
    """
    rule = _known(scale, None)
    times = rule.factor * (rule.items if rule.rule == "sum" else 1)
    low, high = (0.0, 1.0) if rule.rule == "any" else (rule.low * times, rule.high * times)
    if not low <= total <= high:
        raise ScoringError(f"a total of '{rule.title}' goes from {low:g} to {high:g}; {total:g} is none")
    return tuple(meaning for meaning, highest in rule.cut_offs.items() if total <= highest)


def missing_rule(scale: Scale | str, registered: MissingItems | None = None) -> str:
    """In words what is done with missing items, and who says so: for the output beside the scores.

    >>> missing_rule("who5", MissingItems(0.8))
    'at least 0.8 of the items answered, their mean stands for the others (registered in the protocol)'
    >>> missing_rule("who5")
    'no item may be missing (the source gives no rule)'
    """
    rule = _known(scale, registered)
    if registered is not None:
        enough = f"at least {registered.at_least:g} of the items answered"
        return f"{enough}, their mean stands for the others ({registered.source})"
    if rule.most_missing is None:
        return "no item may be missing (the source gives no rule)"
    return f"at most {rule.most_missing} items missing, the mean of the answered stands for them ({rule.source})"


def _known(scale: Scale | str, registered: MissingItems | None) -> Scale:
    rule = SCALES[scale] if isinstance(scale, str) and scale in SCALES else scale
    if isinstance(rule, str):
        raise ScoringUnknown(f"there is no scale '{rule}'; known are {', '.join(SCALES)}")
    if registered is not None and rule.most_missing is not None:
        raise ScoringError(
            f"'{rule.title}' has a published rule for missing items, which is followed ({rule.source}); leave "
            "missing_items out"
        )
    return rule


def _allowed(rule: Scale, missing: int, registered: MissingItems | None) -> None:
    if not missing:
        return
    if registered is not None:
        if not registered.allows(rule.items - missing, rule.items):
            message = f"'{rule.title}' needs {registered.at_least:g} of its items answered ({registered.source})"
            raise ScoringUnknown(f"{message}; {missing} of {rule.items} are missing")
    elif rule.most_missing is None:
        raise ScoringUnknown(
            f"'{rule.title}' has no published rule for missing items; {missing} are missing. Register the pilot's own "
            "choice in the protocol, such as missing_items: {at_least: 0.5}, before there are data"
        )
    elif missing > rule.most_missing:
        raise ScoringUnknown(f"'{rule.title}' may miss {rule.most_missing} items at most; {missing} are missing")


def _turned(rule: Scale, answers: Sequence[Answer]) -> list[float | None]:
    """The answers with the reversed items turned round."""
    if rule.reversed_items is None:
        raise ScoringUnknown(f"which items of '{rule.title}' are reversed could not be established ({rule.source})")
    turned: list[float | None] = []
    for position, answer in enumerate(answers, start=1):
        if _is_missing(answer) or answer is None:
            turned.append(None)
            continue
        if not isinstance(answer, int | float | np.number):
            raise ScoringError(f"item {position} of '{rule.title}' is {answer!r}; a score needs numbers")
        if not rule.low <= answer <= rule.high:
            message = f"item {position} of '{rule.title}' is {answer}; answers go from {rule.low} to {rule.high}"
            raise ScoringError(message)
        turned.append(float(rule.low + rule.high - answer if position in rule.reversed_items else answer))
    return turned


def _is_missing(answer: Answer) -> bool:
    return answer is None or answer != answer


def _value(rule: Scale, answers: Sequence[float | None]) -> float:
    given = [answer for answer in answers if answer is not None]
    if not given:
        raise ScoringUnknown(f"every item of a part of '{rule.title}' is missing")
    if rule.rule == "any":
        return float(any(given))
    mean = sum(given) / len(given)
    return rule.factor * (mean * len(answers) if rule.rule == "sum" else mean)
