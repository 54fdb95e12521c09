"""Pages as models: which figures stand on them, in which order, under which headings. `pilot.web` renders them.

The policymaker's page starts from the answer and ends with how sure it is; the researcher's page follows the way of
the participants. Figures that do not exist yet leave no empty heading behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.errors import FigureError
from dashboards.figure import Figure
from dashboards.masking import Look
from dashboards.texts import Language, text


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its figures; `id` is its anchor, `lead` one sentence on what the figures answer."""

    id: str
    title: str
    lead: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: title, what may be seen on it, and its sections in order. Raises `FigureError` for a repeated anchor."""

    title: str
    notice: str
    sections: tuple[Section, ...]
    language: Language

    def __post_init__(self) -> None:
        ids = [s.id for s in self.sections] + [f.id for f in self.figures]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise FigureError(f"two things on one page are called {', '.join(twice)}", remedy="Give each its own id.")

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in reading order."""
        return tuple(figure for section in self.sections for figure in section.figures)


def policymaker(
    *, title: str, look: Look, language: Language, in_words: Sequence[Figure] = (), effects: Sequence[Figure] = (),
    reach: Sequence[Figure] = (), recruitment: Sequence[Figure] = (), take_up: Sequence[Figure] = (),
) -> Page:  # fmt: skip
    """What works, for whom and how sure: sentences, effects, then reach, recruitment and use of the offer.

    >>> policymaker(title="Pilot", look=Look.masked(), language="en").sections
    ()
    """
    parts = (("answer", in_words), ("effects", effects), ("reach", reach), ("recruitment", recruitment),
             ("delivery", take_up))  # fmt: skip
    return Page(title, look.notice(language), _sections("policymaker", parts, language), language)


def researcher(
    *, title: str, look: Look, language: Language, flow: Sequence[Figure] = (), sample_ratio: Sequence[Figure] = (),
    balance: Sequence[Figure] = (), response: Sequence[Figure] = (), take_up: Sequence[Figure] = (),
    recruitment: Sequence[Figure] = (), effects: Sequence[Figure] = (), power: Sequence[Figure] = (),
) -> Page:  # fmt: skip
    """The trial as it went: flow, allocation, baseline, response, delivery, recruitment, effects, power."""
    parts = (("flow", flow), ("allocation", sample_ratio), ("baseline", balance), ("response", response),
             ("delivery", take_up), ("recruitment", recruitment), ("effects", effects), ("power", power))  # fmt: skip
    return Page(title, look.notice(language), _sections("researcher", parts, language), language)


def _sections(page: str, parts: Sequence[tuple[str, Sequence[Figure]]], language: Language) -> tuple[Section, ...]:
    return tuple(
        Section(
            f"section-{name}",
            text(f"page.{page}.{name}", language),
            text(f"page.{page}.{name}.lead", language),
            tuple(figures),
        )
        for name, figures in parts
        if figures
    )
