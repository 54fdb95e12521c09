"""Writes the results of a plan into a folder: data, tables, figures and a report that anybody can open offline.

results.json            everything, as `analysis.results.Results.from_dict` reads it back
report.html report.pdf  the readable report, nothing loaded from elsewhere
tables/<name>.html .tex and tables/tables.xlsx
figures/<name>.svg      each drawing by itself
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dashboards import exports, svg
from dashboards.disclosure import Rules
from dashboards.errors import ReportError
from dashboards.figure import Figure
from dashboards.masking import Look
from dashboards.render import WIDE, environment, figure_html, style_sheet, table_html
from dashboards.report_model import Report, compose
from dashboards.result_figures import Reader
from dashboards.texts import Language

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""The time written into files when the results do not say when they were made, so that they stay reproducible."""


def write_report(
    results: Any, folder: Path | str, *, language: Language = "en", title: str = "",
    labels: Mapping[str, str] | None = None, arms: Mapping[str, Mapping[str, str]] | None = None,
    rules: Rules | None = None, look: Look | None = None, pdf: bool = True,
) -> tuple[Path, ...]:  # fmt: skip
    """Writes everything and gives the paths written, `results.json` first.

    `results` are `analysis.results.Results` or the mapping that results.json holds; `labels` gives readers' words for
    arms and columns, `arms` TIDieR items by arm. Without a `look` the report is for those who ran the plan. Public
    output takes `rules`; results.json is then left out, for it holds what the rules withhold.

    Raises `ReportError` when the folder cannot be written, `analysis.errors.DataError` for a mapping that is none.
    """
    found = _results(results)
    created = _created(found.provenance.created)
    seen = look or Look.opened(found.mode, created.date())
    reader = Reader(language, seen, labels=labels or {}, rules=rules)
    report = compose(found, reader, title=title, arms=arms)
    files: dict[str, Callable[[], bytes]] = {}
    if rules is None and seen.is_open:
        files["results.json"] = lambda: _json(found.to_dict())
    page = report_html(report)
    files["report.html"] = page.encode
    if pdf:
        files["report.pdf"] = lambda: report_pdf(page)
    files |= _figure_files(report.figures, language)
    tables = {figure.id: figure.table for figure in report.figures if figure.table.rows}
    files["tables/tables.xlsx"] = lambda: exports.workbook(tables, created=created)
    return _write(Path(folder), files)


def report_html(report: Report) -> str:
    """The report as one HTML document: no script, no link to anything outside it."""
    template = environment().get_template("report.html")
    figures = {figure.id: _static(figure, report.language) for figure in report.figures}
    return template.render(report=report, style=style_sheet(), figures=figures)


def report_pdf(page: str) -> bytes:
    """The report as a tagged PDF (PDF/UA-1) on A4. Nothing is fetched: an address in it raises `ReportError`."""
    from weasyprint import HTML

    return HTML(string=page, url_fetcher=_refuse).write_pdf(pdf_variant="pdf/ua-1") or b""


def _static(figure: Figure, language: Language) -> Markup:
    return figure_html(figure, language, level=3, interactive=False, open_table=True)


def _refuse(url: str, *_args: object, **_kwargs: object) -> Any:
    raise ReportError(f"a report loads nothing from elsewhere, but asks for {url}", remedy="Put it into the document.")


def _figure_files(figures: tuple[Figure, ...], language: Language) -> dict[str, Callable[[], bytes]]:
    files: dict[str, Callable[[], bytes]] = {}
    for figure in figures:
        if figure.plotly:
            drawn = svg.draw(figure.plotly, width=WIDE, label=f"{figure.title}. {figure.sentence}")
            files[f"figures/{figure.id}.svg"] = drawn.encode
        if figure.table.rows:
            page = _table_page(figure, language)
            files[f"tables/{figure.id}.html"] = page.encode
            files[f"tables/{figure.id}.tex"] = exports.latex_table(figure.table, figure.id).encode
    return files


def _table_page(figure: Figure, language: Language) -> str:
    template = environment().get_template("table_page.html")
    table = table_html(figure.table)
    return template.render(figure=figure, language=language, style=style_sheet(), table=table)


def _results(results: Any) -> Any:
    from analysis.results import Results

    return results if isinstance(results, Results) else Results.from_dict(results)


def _created(stamp: str | None) -> datetime:
    if stamp is None:
        return EPOCH
    try:
        return datetime.fromisoformat(stamp)
    except ValueError as error:
        raise ReportError(f"'{stamp}' is not a time", path=("provenance", "created"), remedy="Use ISO 8601.") from error


def _json(mapping: Mapping[str, Any]) -> bytes:
    return (json.dumps(mapping, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def _write(folder: Path, files: Mapping[str, Callable[[], bytes]]) -> tuple[Path, ...]:
    """Each file whole or not at all: written beside its place, then moved there."""
    written = []
    for name, content in files.items():
        path = folder / name
        whole = content()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.part")
            beside.write_bytes(whole)
            os.replace(beside, path)
        except OSError as error:
            raise ReportError(f"{path} cannot be written: {error.strerror}", remedy="Choose another folder.") from error
        written.append(path)
    return tuple(written)
