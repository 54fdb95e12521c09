"""The design document: what a funder needs to release the money, from one plan, in one language, without a database.

`build` computes and words everything once; the renderers of `dashboards.design_files` only lay it out. The same plan,
trials and language give the same document, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.power.errors import PowerError
from dashboards import design_figures, design_simulation, design_tables
from dashboards.design_answer import Answer, Found, answers, key_facts
from dashboards.design_terms import Terms
from dashboards.figure import Figure, Table
from dashboards.report_model import Chapter
from dashboards.texts import Language

if TYPE_CHECKING:
    from analysis.planning import Allocation, Forecast, Plan
    from analysis.planning.trials import Trials

__all__ = ["DesignDocument", "build", "two_moving"]

LIBRARIES = ("adviespilot", "numpy", "scipy")
BUDGETS = 9


@dataclass(frozen=True, slots=True)
class DesignDocument:
    """A whole design document.

    `keys` are the few numbers at the top as (number, what it is); `answers` the first page; `chapters` what stands
    behind it; `numbers` everything as plain JSON values.
    """

    title: str
    language: Language
    keys: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]
    chapters: tuple[Chapter, ...]
    numbers: Mapping[str, Any] = field(repr=False)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures and tables, in reading order."""
        return tuple(figure for chapter in self.chapters for figure in chapter.figures)

    def figure(self, id: str) -> Figure:
        """The figure of this name; KeyError when the plan does not state what it needs."""
        for figure in self.figures:
            if figure.id == id:
                return figure
        raise KeyError(id)


def build(
    plan: Plan, *, language: Language = "en", title: str = "", labels: Mapping[str, str] | None = None,
    simulation: Trials | None = None, fingerprint: str = "", contrasts: Sequence[tuple[str, str]] = (),
) -> DesignDocument:  # fmt: skip
    """The document of a plan, worded in one language.

    `labels` gives readers' words for arms, outcomes and sources; `simulation` the trials of
    `analysis.planning.trials.simulated`; `fingerprint` that of the protocol; `contrasts` all registered comparisons, so
    that those which the plan is not sized for are named. Raises PowerError when the plan has no answer at all.

    >>> from analysis.planning import EXAMPLE, Plan
    >>> build(Plan.from_dict(EXAMPLE)).keys[0]
    ('7,275', 'people to recruit')
    """
    terms = Terms(plan, language, labels or {})
    found = _found(plan, simulation, contrasts)
    chapters = (
        _chapter("assumptions", terms, design_tables.register(terms)),
        _chapter("number", terms, design_figures.chain(found.size, terms), design_tables.sizes(found.rows, terms),
                 design_figures.curves(found.size, terms), design_tables.conventions(plan.conventions(), terms),
                 *design_tables.looks(terms)),
        _chapter("sensitivity", terms, design_figures.tornado(found.bars, found.size, terms),
                 *_grid(found, terms)),
        *_money(found, terms),
        *([_chapter("time", terms, design_figures.forecast(found.forecast, terms))] if found.forecast else []),
        *([_chapter("simulation", terms, design_simulation.simulation(simulation, terms))] if simulation else []),
        _provenance(plan, terms, simulation, fingerprint),
    )  # fmt: skip
    return DesignDocument(
        title or terms.say("title"), language, key_facts(found, terms), answers(found, terms), chapters,
        _numbers(plan, found, chapters, simulation, fingerprint),
    )  # fmt: skip


def _found(plan: Plan, simulation: Trials | None, contrasts: Sequence[tuple[str, str]]) -> Found:
    size, rows = plan.n(), plan.table()
    priced = plan.cost(size.recruited_by_arm)
    free = min(priced.per_person.values()) <= 0
    sized = {frozenset(pair) for pair in plan.model().pairs()}
    return Found(
        size=size,
        rows=rows,
        bars=plan.tornado(),
        bill=priced if priced.total > 0 else None,
        cheapest=None if free else _perhaps(lambda: plan.allocate(power=plan.section.power)),
        half=_half(plan, size),
        assurance=_perhaps(plan.assurance),
        forecast=plan.forecast() if plan.section.recruitment is not None else None,
        trials=simulation,
        not_sized=tuple(pair for pair in contrasts if frozenset(pair) not in sized),
    )


def _perhaps(compute: Any) -> Any:
    """An answer that a document can do without, or None where the plan has none."""
    try:
        return compute()
    except PowerError:
        return None


def _half(plan: Plan, size: Any) -> float | None:
    """The difference between whole groups that half of the people can show."""
    found = _perhaps(lambda: plan.mde(max(2.0, size.n / 2)))
    return None if found is None else max(found.itt.values(), key=abs)


def _chapter(id: str, terms: Terms, *figures: Figure) -> Chapter:
    return Chapter(f"part-{id}", terms.say(f"part.{id}"), figures=figures)


def _grid(found: Found, terms: Terms) -> list[Figure]:
    """The two assumptions that move the answer most, against each other."""
    moving = [bar.name for bar in found.bars if bar.swing > 0][:2]
    return [two_moving(terms, *moving)] if len(moving) == 2 else []


def two_moving(terms: Terms, down: str, across: str) -> Figure:
    """People to recruit while two assumptions move over their ranges, each in five steps or fewer.

    >>> from analysis.planning import EXAMPLE, Plan
    >>> figure = two_moving(Terms(Plan.from_dict(EXAMPLE), "en"), "take_up", "attrition.register")
    >>> len(figure.table.rows)
    5
    """
    known, over = {item.name: item for item in terms.plan.assumptions()}, {}
    for name in (down, across):
        item = known[name]
        between = ((item.low + item.value) / 2, (item.value + item.high) / 2)
        over[name] = sorted({item.low, item.value, item.high, *between})
    return design_figures.grid(terms.plan.sensitivity(over), terms)


def _money(found: Found, terms: Terms) -> list[Chapter]:
    if found.bill is None:
        return []
    figures = [design_tables.costs(found.bill, found.size.recruited_by_arm, terms)]
    if min(found.bill.per_person.values()) > 0:
        figures.append(design_figures.frontier(_frontier(found, terms.plan), found.size.outcome, terms))
    return [_chapter("money", terms, *figures)]


def _frontier(found: Found, plan: Plan) -> list[tuple[float, Allocation]]:
    assert found.bill is not None
    least = 2 * sum(found.bill.per_person.values())
    rough = 1.6 * found.bill.total / BUDGETS
    step = 10.0 ** np.floor(np.log10(rough))
    step *= next(m for m in (1, 2, 2.5, 5, 10) if m * step >= rough)
    budgets = [float(step * (i + 1)) for i in range(BUDGETS)]
    return [(budget, plan.allocate(budget)) for budget in budgets if budget >= least]


def _provenance(plan: Plan, terms: Terms, simulation: Trials | None, fingerprint: str) -> Chapter:
    facts = _origin(plan, simulation, fingerprint)
    named = tuple((terms.say(f"origin.{key}"), str(value)) for key, value in facts.items() if value)
    return Chapter("part-origin", terms.say("part.origin"), (terms.say("origin.lead"),), named)


def _origin(plan: Plan, simulation: Trials | None, fingerprint: str) -> dict[str, Any]:
    return {
        "protocol": fingerprint,
        "section": section_fingerprint(plan),
        "seed": "" if simulation is None else str(simulation.seed),
        "trials": "" if simulation is None else str(simulation.trials),
        "versions": ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
    }


def section_fingerprint(plan: Plan) -> str:
    """SHA-256 of the section with its defaults, so that two documents on the same numbers are known to be.

    >>> from analysis.planning import EXAMPLE, Plan
    >>> len(section_fingerprint(Plan.from_dict(EXAMPLE)))
    64
    """
    written = json.dumps(plan.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"


def _numbers(
    plan: Plan, found: Found, chapters: Sequence[Chapter], simulation: Trials | None, fingerprint: str
) -> dict[str, Any]:
    whole = {
        "size": _plain(asdict(found.size)) | {"total": found.size.total},
        "comparisons": _plain(list(found.rows)),
        "assumptions": _plain([asdict(item) for item in plan.assumptions()]),
        "conventions": _plain([asdict(item) for item in plan.conventions()]),
        "tornado": _plain([asdict(bar) for bar in found.bars]),
        "cost": None if found.bill is None else _plain(asdict(found.bill)) | {"total": found.bill.total},
        "cheapest": None if found.cheapest is None else _plain(asdict(found.cheapest)),
        "assurance": None if found.assurance is None else _plain(asdict(found.assurance)),
        "forecast": _forecast(found.forecast),
        "simulation": None if simulation is None else _plain(asdict(simulation)),
        "tables": {figure.id: _table(figure.table) for chapter in chapters for figure in chapter.figures},
        "origin": _origin(plan, simulation, fingerprint),
        "section": plan.to_dict(),
    }
    return whole


def _forecast(found: Forecast | None) -> dict[str, Any] | None:
    return None if found is None else _plain(asdict(found))


def _table(table: Table) -> dict[str, Any]:
    return {"columns": list(table.columns), "rows": [[str(cell) for cell in row] for row in table.rows]}


def _plain(value: Any) -> Any:
    """The value as JSON knows it."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else " - ".join(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
