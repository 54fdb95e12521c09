"""What a published figure tells of whom: every number in it as a set of people and how well readers know its size.

One function for each figure that is published. `dashboards.publications.leaks` takes what they give, of this
publication and of every earlier one. Who is in a cell is said by any mark that stays the same: a study id will do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np

from dashboards.disclosure import Rules
from dashboards.effects import few_behind
from dashboards.format import Unit
from dashboards.publications import PublishedCell, rounded, withheld
from dashboards.reach import STAGES, Stage, withheld_counts
from dashboards.recruitment import marks

Members = Iterable[str]
FINEST = 0.0005
"""Half of the last digit of a published share: a reader is taken to know it to a tenth of a percent."""


def of_reach(arms: Mapping[str, Mapping[Stage, frozenset[str]]], rules: Rules) -> list[PublishedCell]:
    """The cells of `dashboards.reach.reach`: who came how far, by way of inviting and altogether.

    >>> people = {stage: frozenset(map(str, range(n))) for stage, n in (("invited", 60), ("allocated", 12))}
    >>> [(cell.name, cell.low, cell.high) for cell in of_reach({"letter": people}, Rules())][:2]
    [('letter, invited', 58, 62), ('all, invited', 58, 62)]
    """
    stages: list[Stage] = [stage for stage in STAGES if all(stage in arm for arm in arms.values())]
    counts = np.array([[len(arm[stage]) for arm in arms.values()] for stage in stages], dtype=np.int64)
    hidden, cells = withheld_counts(counts, rules), []
    for row, stage in enumerate(stages):
        sets = [*(arm[stage] for arm in arms.values()), frozenset().union(*(arm[stage] for arm in arms.values()))]
        for column, (name, members) in enumerate(zip((*arms, "all"), sets, strict=True)):
            label = f"{name}, {stage}"
            cells.append(withheld(label, members) if hidden[row, column] else rounded(label, members, rules))
    return cells


def of_recruitment(came: Mapping[str, date], start: date, today: date, rules: Rules) -> list[PublishedCell]:
    """The cells of `dashboards.recruitment.recruitment`: who had come by each day that it marks.

    >>> came = {"a": date(2026, 1, 2), "b": date(2026, 1, 9)}
    >>> [cell.withheld for cell in of_recruitment(came, date(2026, 1, 1), date(2026, 1, 9), Rules())]
    [False, True, True]
    """
    cells = []
    for day in marks(min([start, *came.values()]), today):
        members = [who for who, when in came.items() if when <= day]
        label = f"allocated by {day.isoformat()}"
        small = bool(members) and rules.too_small(len(members))
        cells.append(withheld(label, members) if small else rounded(label, members, rules))
    return cells


def of_shares(groups: Mapping[str, tuple[Sequence[str], Sequence[str]]], did: str, rules: Rules) -> list[PublishedCell]:
    """The cells of a table of shares (`dashboards.take_up`): of each group (who did it, everybody in it).

    >>> group = (list(map(str, range(20))), list(map(str, range(50))))
    >>> [(cell.name, cell.low, cell.high) for cell in of_shares({"advice": group}, "took up", Rules())]
    [('advice', 48, 52), ('advice, took up', 18, 22)]
    """
    cells = []
    for name, (some, everybody) in groups.items():
        small = rules.too_small(len(some)) or rules.too_small(len(everybody) - len(some))
        for label, members in ((name, everybody), (f"{name}, {did}", some)):
            cells.append(withheld(label, members) if small else rounded(label, members, rules))
    return cells


def of_outcome(
    name: str,
    arms: Mapping[str, Mapping[str, float]],
    contrasts: Mapping[tuple[str, str], Sequence[str]],
    unit: Unit,
    rules: Rules,
) -> list[PublishedCell]:
    """The cells of an outcome in words and of its forest plot.

    `arms` holds for each arm the known value of each person; `contrasts` holds for each (treated, comparison) who was
    analysed. `unit` is that of the outcome: of a share readers can work back how many people had it.

    >>> values = {str(n): float(n < 20) for n in range(50)}
    >>> [(cell.name, cell.low, cell.high) for cell in of_outcome("trained", {"advice": values}, {}, "share", Rules())]
    [('advice, trained known', 48, 52), ('advice, trained', 20, 20)]
    """
    cells, hidden = [], set()
    for arm, values in arms.items():
        known, mean = list(values), math.fsum(values.values()) / len(values) if values else 0.0
        if few_behind(mean, len(known), unit, rules):
            hidden.add(arm)
        cells.append(_people(f"{arm}, {name} known", known, arm in hidden, rules))
        if unit in ("share", "ratio"):
            some = [who for who, value in values.items() if value]
            cells.append(
                withheld(f"{arm}, {name}", some) if arm in hidden else _share(f"{arm}, {name}", some, values, rules)
            )
    for (treated, comparison), analysed in contrasts.items():
        small = bool({treated, comparison} & hidden) or rules.too_small(len(analysed))
        cells.append(_people(f"{treated} and {comparison}, {name}", analysed, small, rules))
    return cells


def _people(name: str, members: Sequence[str], small: bool, rules: Rules) -> PublishedCell:
    return withheld(name, members) if small else rounded(name, members, rules)


def _share(name: str, some: Sequence[str], everybody: Mapping[str, float], rules: Rules) -> PublishedCell:
    """Who had it, as far as a share of a rounded number of people tells."""
    fewest, most = rules.rounding_range(rules.rounded(len(everybody)))
    share = len(some) / len(everybody)
    low, high = math.ceil((share - FINEST) * fewest - 1e-9), math.floor((share + FINEST) * most + 1e-9)
    return PublishedCell(name, frozenset(some), min(low, len(some)), max(high, len(some)))
