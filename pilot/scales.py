"""Outcomes that are the score of a published scale: whether the protocol can mean that, and what people score."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from analysis.plan_schema import ScaleSource
from surveys.errors import ScoringError
from surveys.scoring import SCALES, MissingItems, missing_rule, score, scores

Path_ = tuple[str | int, ...]


def problems(source: ScaleSource, known: Collection[str]) -> Iterator[tuple[Path_, str]]:
    """What is wrong with the section `scale` of an outcome, by the place below it."""
    scale = SCALES.get(source.name)
    if scale is None:
        yield ("name",), f"there is no scale '{source.name}'; known are {', '.join(SCALES)}"
        return
    for index, item in enumerate(source.items):
        if item not in known:
            yield ("items", index), f"'{item}' is no column of the data"
    if len(set(source.items)) != scale.items or len(source.items) != scale.items:
        yield ("items",), f"'{scale.title}' has {scale.items} items, each once; here stand {len(source.items)}"
        return
    if source.part not in ("total", *scale.subscales):
        parts = ", ".join(("total", *scale.subscales))
        yield ("part",), f"'{scale.title}' has no part '{source.part}'; it has {parts}"
    try:
        score(scale, [scale.low] * scale.items, registered(source))
    except ScoringError as error:
        yield (), str(error)


def registered(source: ScaleSource) -> MissingItems | None:
    """The pilot's own choice for missing items, if it made one."""
    return MissingItems(source.missing_items.at_least) if source.missing_items else None


def values(source: ScaleSource, rows: Sequence[Sequence[float | None]]) -> list[float | None]:
    """The score of each person from the answers in the order of the items; None where no rule covers what is missing.

    >>> values(ScaleSource(name="who5", items=tuple("abcde")), [[5, 5, 5, 5, 5], [5, None, 5, 5, 5]])
    [100.0, None]
    """
    found = scores(source.name, rows, registered(source))
    return [None if one is None else one.get(source.part) for one in found]


def rule(source: ScaleSource) -> str:
    """What is done with missing items, in words and with its source."""
    return missing_rule(source.name, registered(source))
