"""The answer to a sample-size question, with the figures of the design document, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from analysis.planning import Plan
from dashboards import design_figures, design_tables
from dashboards.design_document import DesignDocument, build
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
    return Answer(sized, terms, smallest, [_drawn(figure) for figure in figures])


def of_money(terms: Terms, budget: float) -> list[Markup]:
    """The frontier around a budget; nothing when fewer than two budgets pay for a pilot."""
    found = sizing.frontier(terms.plan, budget)
    return [_drawn(design_figures.frontier(found, terms.plan.primary.name, terms))] if len(found) > 1 else []


def document(terms: Terms, protocol: Protocol) -> DesignDocument:
    """The whole design document of this plan."""
    title = str(protocol.pilot.title.get(terms.language) or protocol.pilot.title["nl"])
    return build(
        terms.plan, language=terms.language, title=title, labels=terms.labels, fingerprint=protocol.fingerprint,
        contrasts=protocol.plan.contrasts,
    )  # fmt: skip


def language() -> Language:
    return "en" if str(get_locale()) == "en" else "nl"


def terms_of(plan: Plan, labels: Mapping[str, str]) -> Terms:
    return Terms(plan, language(), labels)


def labels_of(protocol: Protocol) -> dict[str, str]:
    """What readers call the arms and outcomes of a protocol."""
    known = [*protocol.arms, *protocol.plan.outcomes]
    return {one.name: str(one.label.get(language()) or one.label.get("nl") or one.name) for one in known}


def _drawn(figure: Figure) -> Markup:
    return figure_html(figure, language(), level=3)
