"""The answer to a sample-size question, with the figures of the design document, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from analysis.planning import Forecast, Plan
from analysis.planning.trials import Trials
from analysis.power.errors import PowerError
from dashboards import design_figures, design_simulation, design_tables
from dashboards.design_document import DesignDocument, build, two_moving
from dashboards.design_terms import Terms
from dashboards.figure import Figure
from dashboards.render import figure_html
from dashboards.texts import Language
from pilot import sizing
from pilot.protocol import Protocol
from pilot.web.language import number, percent


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page shows: the numbers, and the drawings with their tables."""

    sized: sizing.Sized
    terms: Terms
    smallest: str
    assurance: float | None
    drawn: list[Markup]

    @property
    def arms(self) -> list[tuple[str, int, int]]:
        """Each group with the people analysed and to recruit."""
        size = self.sized.size
        return [(self.terms.name(a), size.analysed_by_arm[a], n) for a, n in size.recruited_by_arm.items()]

    @property
    def summary(self) -> str:
        """One sentence, also for who cannot see the page move."""
        size = self.sized.size
        return _(
            "%(recruited)s people in each group, %(total)s in all; power %(power)s with %(people)s.",
            recruited=number(size.recruited), total=number(size.total), power=percent(self.sized.power, 1),
            people=number(self.sized.people),
        )  # fmt: skip


def of_plan(terms: Terms, people: int | None = None) -> Answer:
    """The numbers, the curve, what they hang on, the chain and the rivals. Raises PowerError without an answer."""
    plan = terms.plan
    sized = sizing.sized(plan, people)
    outcome = plan.primary.name
    smallest = "" if sized.smallest is None else terms.difference(outcome, sized.smallest)
    figures = (
        design_figures.curves(sized.size, terms),
        design_figures.tornado([bar for bar in plan.tornado() if bar.swing > 0], sized.size, terms),
        design_figures.chain(sized.size, terms),
        design_tables.conventions(plan.conventions(), terms),
    )
    return Answer(sized, terms, smallest, assurance_of(plan), [drawn(figure) for figure in figures])


def assurance_of(plan: Plan) -> float | None:
    """The chance of a clear result when the effect may lie anywhere in its range; None where it has none."""
    try:
        return plan.assurance().assurance
    except PowerError:
        return None


def of_risk(terms: Terms, down: str, across: str) -> list[Markup]:
    """What the number hangs on: each assumption by itself, and two of them moving together."""
    plan, size = terms.plan, terms.plan.n()
    figures = [design_figures.tornado([bar for bar in plan.tornado() if bar.swing > 0], size, terms)]
    if down != across:
        figures.insert(0, two_moving(terms, down, across))
    return [drawn(figure) for figure in figures]


def of_time(terms: Terms, found: Forecast) -> tuple[str, Markup]:
    """Whether enough people come in time, in a sentence and a drawing."""
    return design_figures.forecast_sentence(found, terms), drawn(design_figures.forecast(found, terms))


def of_trials(terms: Terms, found: Trials) -> tuple[str, Markup]:
    """What the simulated pilots found, in a sentence and a table with the analysis under it."""
    return design_simulation.simulation_sentence(found, terms), drawn(design_simulation.simulation(found, terms))


def of_money(terms: Terms, budget: float) -> list[Markup]:
    """The frontier around a budget; nothing when fewer than two budgets pay for a pilot."""
    found = sizing.frontier(terms.plan, budget)
    return [drawn(design_figures.frontier(found, terms.plan.primary.name, terms))] if len(found) > 1 else []


def document(plan: Plan, protocol: Protocol, tongue: Language) -> DesignDocument:
    """The whole design document of this plan in one language, with as many simulated pilots as a page can afford."""
    title = str(protocol.pilot.title.get(tongue) or protocol.pilot.title["nl"])
    return build(
        plan, language=tongue, title=title, labels=labels_of(protocol, tongue), fingerprint=protocol.fingerprint,
        contrasts=protocol.plan.every_contrast, simulation=sizing.tried(plan, protocol.plan),
    )  # fmt: skip


def language() -> Language:
    return "en" if str(get_locale()) == "en" else "nl"


def terms_of(plan: Plan, labels: Mapping[str, str]) -> Terms:
    return Terms(plan, language(), labels)


def labels_of(protocol: Protocol, tongue: Language | None = None) -> dict[str, str]:
    """What readers call the arms and outcomes of a protocol, in the language of the page unless another is given."""
    known, tongue = [*protocol.arms, *protocol.plan.outcomes], tongue or language()
    return {one.name: str(one.label.get(tongue) or one.label.get("nl") or one.name) for one in known}


def drawn(figure: Figure) -> Markup:
    """A figure as it stands on a page."""
    return figure_html(figure, language(), level=3)
