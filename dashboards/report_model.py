"""The contents of a report on a plan that was carried out: chapters of figures, in the order of CONSORT 2025.

(Hopewell and others, CONSORT 2025 statement, PLoS Medicine 2025, 22(4):e1004587.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboards import result_figures
from dashboards.errors import FigureError
from dashboards.figure import Figure, Table
from dashboards.format import Formatter
from dashboards.result_figures import Reader
from dashboards.texts import Language, of_the_library, text

if TYPE_CHECKING:
    from analysis.results import OutcomeResult, Results

CONSORT: tuple[tuple[str, str], ...] = (
    ("3", "provenance"), ("9", "method"), ("10", "deviations"), ("14", "outcomes"), ("16a", ""), ("17a", "method"),
    ("18", ""), ("20a", ""), ("21a", "method"), ("22a", "participants"), ("23a", ""), ("24a", "delivery"),
    ("25", "baseline"), ("26", "outcomes"), ("28", "outcomes"), ("29", ""), ("30", ""),
)  # fmt: skip
"""Items of CONSORT 2025 on methods and results, and the chapter that has them; none where only the authors know."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading with paragraphs, a list of facts as (what, value), and figures."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report, ready to be printed in one language."""

    title: str
    language: Language
    banner: str
    chapters: tuple[Chapter, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in reading order."""
        return tuple(figure for chapter in self.chapters for figure in chapter.figures)


def compose(
    results: Results, reader: Reader, *, title: str = "", arms: Mapping[str, Mapping[str, str]] | None = None
) -> Report:
    """The report on results. `arms` holds TIDieR items by arm (why, procedures, provider, …), where they are known."""
    language = reader.language
    alpha = results.read_at
    chapters = [
        _summary(results, reader),
        _method(results, reader),
        *([_interventions(arms, reader)] if arms else []),
        *_optional("participants", result_figures.sample_ratio_of(results, reader), language),
        *_optional("baseline", result_figures.balance_of(results, reader), language),
        *_optional("delivery", result_figures.take_up_of(results, reader), language),
        Chapter("outcomes", text("report.outcomes", language), (text("report.outcomes_lead", language),)),
        *(_outcome(outcome, reader, alpha) for outcome in results.outcomes),
        _deviations(results, language),
        _provenance(results, language),
    ]
    chapters.append(_checklist({c.id for c in chapters}, language))
    banner = text("report.dry_run", language) if results.mode == "dry_run" else ""
    return Report(title or text("report.title", language), language, banner, tuple(chapters))


def _optional(id: str, figure: Figure | None, language: Language) -> list[Chapter]:
    return [] if figure is None else [Chapter(id, text(f"report.{id}", language), figures=(figure,))]


def _summary(results: Results, reader: Reader) -> Chapter:
    """The primary outcomes in plain sentences."""
    language, told = reader.language, []
    for outcome in results.outcomes:
        if outcome.family == "primary":
            told += _try(lambda o=outcome: result_figures.in_words(o, reader))
    lines = [line for figure in told for line in figure.sentence.split("\n")]
    lines = lines or [text("report.nothing_estimated", language)]
    return Chapter("summary", text("report.summary", language), tuple(lines))


def _method(results: Results, reader: Reader) -> Chapter:
    language, form = reader.language, reader.form
    plan, decision = results.plan.get("analysis_plan", {}), results.decision
    correction = plan.get("correction", {})
    facts = {
        "design": _words(decision.get("design")),
        "reason": decision.get("reason"),
        "unadjusted": decision.get("unadjusted"),
        "adjusted": decision.get("adjusted"),
        "headline": decision.get("headline") and text(f"report.headline.{decision['headline']}", language),
        "convention": decision.get("convention"),
        "strata": ", ".join(map(reader.name, decision.get("strata") or [])),
        "covariates": ", ".join(map(reader.name, decision.get("adjust") or [])),
        "control": reader.name(plan["control"]) if "control" in plan else "",
        "alpha": form.decimal(results.read_at, 3),
        "correction": text("report.corrections", language, **_corrections(correction)) if correction else "",
        "contrasts": _listed(plan.get("contrasts"), reader),
        "outside_family": _listed(plan.get("secondary_contrasts"), reader),
        "method_source": decision.get("source"),
    }
    named = tuple((text(f"report.fact.{key}", language), str(value)) for key, value in facts.items() if value)
    return Chapter("method", text("report.method", language), tuple(decision.get("warnings") or ()), named)


def _listed(contrasts: Iterable[Sequence[str]] | None, reader: Reader) -> str:
    return "; ".join(reader.contrast(treated, comparison) for treated, comparison in contrasts or ())


def _corrections(correction: Mapping[str, Any]) -> dict[str, str]:
    over = correction.get("outcomes", "none")
    written = ", ".join(f"{k}: {v}" for k, v in over.items()) if isinstance(over, Mapping) else str(over)
    return {"contrasts": str(correction.get("contrasts", "none")), "outcomes": written}


def _words(name: object) -> str:
    return str(name or "").replace("_", " ")


def _interventions(arms: Mapping[str, Mapping[str, str]], reader: Reader) -> Chapter:
    """What each arm is, by the items of TIDieR (Hoffmann and others, BMJ 2014;348:g1687)."""
    language = reader.language
    items = list(dict.fromkeys(item for described in arms.values() for item in described))
    absent, title = text("common.none", language), text("report.tidier", language)
    rows = tuple((_words(item), *(arm.get(item, absent) for arm in arms.values())) for item in items)
    table = Table((text("report.tidier_item", language), *map(reader.name, arms)), rows, title)
    told = text("report.tidier_sentence", language)
    figure = Figure("arm-descriptions", title, told, {}, table, source="TIDieR (Hoffmann and others, 2014)")
    return Chapter("interventions", text("report.interventions", language), figures=(figure,))


def _outcome(outcome: OutcomeResult, reader: Reader, alpha: float) -> Chapter:
    language = reader.language
    facts = {
        "estimand": of_the_library(outcome.analysis_label, language),
        "kind": text(f"report.kind.{outcome.kind}", language),
        "family": text(f"report.family.{outcome.family}", language),
        "summary_measure": text(f"report.measure.{outcome.summary}", language),
        "population": _words(outcome.population),
        "timepoint": outcome.timepoint,
        "missing": _words(outcome.handling),
        "assumption": outcome.assumption,
    }
    named = tuple((text(f"report.fact.{key}", language), value) for key, value in facts.items() if value)
    figures = [
        *_try(lambda: result_figures.in_words(outcome, reader)),
        *_try(lambda: result_figures.effects(outcome, reader)),
        *([result_figures.estimates(outcome, reader)] if reader.look.is_open else []),
        *_try(lambda: result_figures.response_of(outcome, reader)),
        *_tries(lambda: result_figures.subgroups_of(outcome, reader, alpha)),
    ]
    return Chapter(result_figures.slug(outcome.name), reader.outcome(outcome), facts=named, figures=tuple(figures))


def _try(make: Any) -> list[Figure]:
    """A figure, or none when the analysis refused what it needs; the table of estimates gives the reason."""
    return _tries(lambda: [make()])


def _tries(make: Any) -> list[Figure]:
    try:
        return list(make())
    except FigureError:
        return []


def _deviations(results: Results, language: Language) -> Chapter:
    title = text("report.deviations", language)
    if not results.deviations:
        return Chapter("deviations", title, (text("report.no_deviations", language),))
    heads = tuple(text(f"report.deviation.{head}", language) for head in ("severity", "sentence", "where"))
    rows = tuple((text(f"report.severity.{d.severity}", language), d.sentence, d.where) for d in results.deviations)
    told = text("report.deviations_found", language, count=Formatter(language).integer(len(rows)))
    table = Table(heads, rows, title)
    figure = Figure("deviation-list", text("report.deviation_list", language), told, {}, table)
    return Chapter("deviations", title, figures=(figure,))


def _provenance(results: Results, language: Language) -> Chapter:
    p, form = results.provenance, Formatter(language)
    facts = {
        "plan_sha256": p.plan_sha256, "data_sha256": p.data_sha256, "data_rows": form.integer(p.data_rows),
        "design_sha256": p.design_sha256, "seed": str(p.seed), "draws": form.integer(p.draws),
        "versions": ", ".join(f"{name} {version}" for name, version in p.versions.items()), "created": p.created,
    }  # fmt: skip
    named = tuple((text(f"report.fact.{key}", language), str(value)) for key, value in facts.items() if value)
    lead = (text("report.provenance_lead", language),)
    return Chapter("provenance", text("report.provenance", language), lead, named)


def _checklist(chapters: Iterable[str], language: Language) -> Chapter:
    present = set(chapters)
    rows = tuple(
        (item, text(f"consort.{item}", language),
         text(f"report.{chapter}" if chapter in present else "consort.authors", language))
        for item, chapter in CONSORT
    )  # fmt: skip
    heads = tuple(text(f"consort.{head}", language) for head in ("item", "topic", "where"))
    title, told = text("consort.title", language), text("consort.sentence", language)
    figure = Figure("consort", title, told, {}, Table(heads, rows, title), source="CONSORT 2025")
    return Chapter("checklist", text("report.checklist", language), figures=(figure,))
