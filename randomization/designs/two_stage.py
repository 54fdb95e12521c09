"""Two stages: first how people are reached (or how many of a group are served), then what the enrolled are offered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

from randomization.design import Arm, Design, Ratio, read_columns
from randomization.designs.blocked import Blocked, blocked
from randomization.designs.complete import complete
from randomization.errors import DesignError, DesignNotDefined, UnitsError
from randomization.streams import SeededStream
from randomization.units import Layout, first_unit, grouped, sort_order

if TYPE_CHECKING:
    import numpy as np

NOT_ENROLLED = "not enrolled"
JOINED = " > "


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStage(Design):
    """See `two_stage`. An arm is a cell 'first > second'."""

    method: ClassVar[str] = "two_stage"
    first: Design
    second: tuple[tuple[str, Blocked], ...] = ()
    enrolled: str | None = None
    within: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Design.__post_init__(self)
        if getattr(self.first, "misfits", "") == "drop" or any(d.misfits == "drop" for _, d in self.second):
            raise DesignNotDefined(
                "a stage of two may not leave units out", path=("first",), remedy="use misfits='balanced'"
            )
        if self.first.live:
            raise DesignNotDefined(
                f"{self.first.method} cannot be the first of two batch stages",
                path=("first",),
                remedy="use complete, blocked or clustered",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.first.columns, *self.within, *(() if self.enrolled is None else (self.enrolled,)))

    @property
    def truths(self) -> tuple[str, ...]:
        return () if self.enrolled is None else (self.enrolled,)

    def to_dict(self) -> dict[str, Any]:
        form: dict[str, Any] = {
            "method": self.method,
            "first": self.first.to_dict(),
            "second": {name: design.to_dict() for name, design in self.second},
        }
        if self.enrolled is not None:
            form["enrolled"] = self.enrolled
        return form | ({"within": list(self.within)} if self.within else {})

    def cells(self) -> list[tuple[int, int | None]]:
        """First and second arm of each cell, by code; no second arm for those who do not enrol."""
        found: list[tuple[int, int | None]] = []
        for place, (_, design) in enumerate(self.second):
            found += [(place, code) for code in range(len(design.arms))]
            found += [(place, None)] if self.enrolled is not None else []
        return found

    def _enrolled(self, layout: Layout) -> np.ndarray:
        import numpy as np

        if self.enrolled is None:
            return np.ones(layout.n, dtype=bool)
        column = layout.columns[self.enrolled]
        wrong = ~column.isin([True, False]).to_numpy()
        if wrong.any():
            unit, value = first_unit(column, wrong)
            raise UnitsError(
                f"column {self.enrolled!r} holds {value!r} for unit {unit!r}",
                path=(self.enrolled,),
                remedy="write True or False (1 or 0)",
            )
        return column.to_numpy().astype(bool)

    def _groups(self, layout: Layout) -> np.ndarray:
        """The group in which each unit's second arm is drawn, over and above the first arm."""
        import numpy as np

        if not self.within:
            return np.zeros(layout.n, dtype=np.int32)
        if "within" not in layout.notes:
            layout.notes["within"] = grouped([layout.columns[name] for name in self.within], layout.n)[0]
        return layout.notes["within"]

    def _sub_layout(self, groups: np.ndarray) -> Layout:
        import numpy as np

        labels, group = np.unique(groups, return_inverse=True)
        group = group.astype(np.int32)
        sizes = np.bincount(group, minlength=len(labels)).astype(np.int64)
        order = sort_order(group, len(labels))
        return Layout(len(group), None, group, tuple(map(str, labels)), sizes, order, notes={"unchecked": True})

    def _starts(self) -> dict[int, int]:
        starts: dict[int, int] = {}
        for code, (place, _) in enumerate(self.cells()):
            starts.setdefault(place, code)
        return starts

    def codes(self, layout: Layout, n: int, seed: int) -> np.ndarray:
        import numpy as np

        seeds = iter(SeededStream(seed).words(1 + n * len(self.second)).tolist())
        drawn = self.first.codes(self._first_layout(layout), n, next(seeds))
        enrolled, groups, starts = self._enrolled(layout), self._groups(layout), self._starts()
        result = np.empty_like(drawn)
        for draw in range(n):
            for place, (_, design) in enumerate(self.second):
                own = next(seeds)
                here = drawn[draw] == place
                members = np.flatnonzero(here & enrolled)
                result[draw, here] = starts[place] + len(design.arms)
                if len(members):
                    codes = design.codes(self._sub_layout(groups[members]), 1, own)[0]
                    result[draw, members] = codes + starts[place]
        return result

    def _first_layout(self, layout: Layout) -> Layout:
        if "first" not in layout.notes:
            layout.notes["first"] = replace(layout, notes={})
        return layout.notes["first"]

    def exact_probabilities(self, layout: Layout) -> np.ndarray | None:
        import numpy as np

        first = self.first.exact_probabilities(self._first_layout(layout))
        if first is None:
            return None
        enrolled = self._enrolled(layout)
        columns = []
        for place, code in self.cells():
            share = 1.0 if code is None else float(self.second[place][1].shares[code])
            columns.append(first[:, place] * np.where(enrolled == (code is not None), share, 0.0))
        return np.column_stack(columns)

    def outcomes(self, layout: Layout, limit: int) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        import numpy as np

        enrolled, groups, starts = self._enrolled(layout), self._groups(layout), self._starts()
        for drawn, chance in self.first.outcomes(self._first_layout(layout), limit):
            first = np.array(drawn)
            base = np.array([starts[code] + len(self.second[code][1].arms) for code in drawn], dtype=np.int64)
            parts: list[tuple[np.ndarray, int, list[tuple[tuple[int, ...], Fraction]]]] = []
            for place, (_, design) in enumerate(self.second):
                members = np.flatnonzero((first == place) & enrolled)
                if len(members):
                    found = list(design.outcomes(self._sub_layout(groups[members]), limit))
                    parts.append((members, starts[place], found))
            for combination in product(*(found for _, _, found in parts)):
                codes, share = base.copy(), chance
                for (members, start, _), (inner, part) in zip(parts, combination, strict=True):
                    codes[members] = np.array(inner) + start
                    share *= part
                yield tuple(codes.tolist()), share


def two_stage(
    first: Design | Ratio,
    second: Ratio | Design | Mapping[str, Any],
    *,
    enrolled: str | None = None,
    within: Sequence[str] | str = (),
) -> TwoStage:
    """First an outreach arm for everybody, then an advice arm among those of each outreach arm who enrol.

    `first` is a batch design (a ratio means `complete`). `second` is a ratio, or a mapping from first arm to ratio;
    the second draw is complete randomization among the enrolled of a first arm, within the columns `within`. `enrolled`
    names a column of True and False; left out, everybody goes on. A saturation design draws groups to a share served
    and then people within their group: `first=clustered({"low": 1, "high": 1}, "desk")`,
    `second={"low": {"wait": 3, "advice": 1}, "high": {"wait": 1, "advice": 3}}`, `within="desk"`.

    Sources: Borm et al., Stat Med 2005, 24:3535-3546, for two stages; Baird et al., Rev Econ Stat 2018, 100:844-860,
    for saturation.

    >>> two_stage(["letter", "call"], ["portal", "advice"]).names
    ('letter > portal', 'letter > advice', 'call > portal', 'call > advice')
    """
    opening = first if isinstance(first, Design) else complete(first)
    columns = read_columns(within, key="within")
    if isinstance(second, Mapping) and any(
        isinstance(value, Mapping | Design | list | tuple) for value in second.values()
    ):
        ratios = dict(second)
        for name in ratios:
            if name not in opening.names:
                raise DesignError(
                    f"second stage names {name!r}, which is no first arm",
                    path=("second", name),
                    remedy=f"choose from {', '.join(opening.names)}",
                )
        missing = [name for name in opening.names if name not in ratios]
        if missing:
            raise DesignError(
                f"first arm {missing[0]!r} has no second stage", path=("second",), remedy="give it a ratio"
            )
    else:
        ratios = dict.fromkeys(opening.names, second)
    stages = tuple((name, _stage(ratios[name], name)) for name in opening.names)
    cells = []
    for name, stage in stages:
        cells += [f"{name}{JOINED}{arm}" for arm in stage.names]
        cells += [f"{name}{JOINED}{NOT_ENROLLED}"] if enrolled is not None else []
    return TwoStage(
        arms=tuple(Arm(cell) for cell in cells),
        strata=opening.strata,
        first=opening,
        second=stages,
        enrolled=enrolled,
        within=columns,
    )


def _stage(value: Any, name: str) -> Blocked:
    from randomization.mapping import from_dict

    if isinstance(value, Mapping) and "method" in value:
        value = from_dict(value)
    if not isinstance(value, Design):
        return complete(value)
    if not isinstance(value, Blocked) or value.strata:
        raise DesignNotDefined(
            f"the second stage of {name!r} is {value.method}",
            path=("second", name),
            remedy="give a ratio, and name the columns in `within`",
        )
    return value if value.method == "complete" else blocked(dict(zip(value.names, value.weights, strict=True)))
