"""The real National Supported Work experiment, from its plan to files that anybody can open."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import dashboard_samples as samples
import pandas as pd
import pytest
import yaml
from openpyxl import load_workbook

from analysis.errors import DataError
from analysis.plan import PreAnalysisPlan
from analysis.results import Results
from dashboards import exports
from dashboards.disclosure import Rules
from dashboards.errors import FigureError, ReportError
from dashboards.figure import Number, Table
from dashboards.page import policymaker, researcher
from dashboards.report import write_report
from dashboards.result_figures import Reader, estimates

EXAMPLE = Path(__file__).parents[2] / "examples" / "nsw"
CREATED = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def results() -> Results:
    sections = yaml.safe_load((EXAMPLE / "plan.yaml").read_text())
    sections["analysis_plan"]["draws"] = 200
    return PreAnalysisPlan.from_dict(sections).run(pd.read_csv(EXAMPLE / "nsw.csv"))


@pytest.fixture(scope="module")
def written(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(results, folder, labels={"training": "Job training", "control": "No programme"})
    return folder


def test_the_report_holds_the_published_numbers_with_convention_and_source(written):
    page = (written / "report.html").read_text()
    for part in ("1,794.34", "671.00", "307.1", "1,621.58", "694.72", "HC2", "Welch", "MacKinnon and White (1985)"):
        assert part in page
    assert "Job training against No programme" in page
    assert "That is 1,794 more (between 474 and 3,115 more)." in page


def test_the_report_loads_nothing_and_runs_nothing(written):
    for page in (*written.rglob("*.html"), *written.rglob("*.svg")):
        text = page.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|<script|<link|\bsrc=|@import|url\(| on\w+=", text), page.name


def test_the_results_come_back_from_their_file(written, results):
    assert Results.from_dict(json.loads((written / "results.json").read_text())) == results


def test_every_figure_and_table_is_there_in_every_form(written):
    tables = {path.stem for path in (written / "tables").glob("*.html")}
    assert {"earnings-1978-estimates", "balance", "sample-ratio", "consort"} <= tables
    assert {path.stem for path in (written / "tables").glob("*.tex")} == tables
    assert (written / "figures" / "earnings-1978-effects.svg").read_text().startswith("<svg")
    book = load_workbook(written / "tables" / "tables.xlsx")
    assert len(book.sheetnames) == len(tables)
    values = [cell.value for row in book["earnings-1978-estimates"] for cell in row]
    assert any(isinstance(v, float) and abs(v - 1794.3424) < 1e-3 for v in values)


def test_the_pdf_is_tagged_and_titled(written):
    pdf = (written / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in pdf or b"/ObjStm" in pdf
    assert len(pdf) > 20_000


def test_the_same_results_give_the_same_page_and_workbook(written, results, tmp_path):
    write_report(results, tmp_path, labels={"training": "Job training", "control": "No programme"}, pdf=False)
    for name in ("report.html", "results.json", "tables/tables.xlsx"):
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()


def test_a_masked_report_shows_no_mean_by_arm_and_no_results(results, tmp_path):
    write_report(results, tmp_path, look=samples.MASKED, pdf=False)
    assert not (tmp_path / "results.json").exists()
    files = [path.read_text() for path in tmp_path.rglob("*.*") if path.suffix in {".html", ".tex", ".svg"}]
    for secret in ("4,555", "6,349", "1,794", "1,622", "1,621"):
        assert not any(secret in text for text in files)
    with pytest.raises(FigureError, match="masked"):
        estimates(results.outcomes[0], Reader("en", samples.MASKED))


def test_a_public_report_rounds_people_and_leaves_the_data_out(results, tmp_path):
    write_report(results, tmp_path, rules=Rules(), pdf=False, language="nl")
    assert not (tmp_path / "results.json").exists()
    assert "afgerond op 5" in (tmp_path / "report.html").read_text()


def test_a_rehearsal_says_that_no_number_is_a_result(results, tmp_path):
    rehearsal = Results.from_dict({**results.to_dict(), "mode": "dry_run"})
    write_report(rehearsal, tmp_path, pdf=False)
    assert "No number here is a result" in (tmp_path / "report.html").read_text()


def test_cells_that_look_like_formulas_stay_text():
    rows = tuple((sign + "1+1", Number(sign, None)) for sign in ("=", "+", "-", "@", "\t="))
    content = exports.workbook({"x": Table(("=a", "b"), rows, "@caption")}, created=CREATED)
    cells = [cell for row in load_workbook(io.BytesIO(content)).active for cell in row if cell.value is not None]
    assert len(cells) == 13
    assert {cell.data_type for cell in cells} == {"s"}


def test_no_cell_is_a_command_to_latex():
    table = Table(("a&b", "50%"), ((r"\input{x}_$", "~^#{}"),), r"\end{table}")
    written = exports.latex_table(table, "x")
    assert r"\input" not in written
    assert written.count(r"\end{table}") == 1


def test_a_folder_that_cannot_be_written_and_results_that_are_none_are_refused(results, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReportError, match="cannot be written"):
        write_report(results, tmp_path / "file", pdf=False)
    with pytest.raises(DataError, match="not results of a plan"):
        write_report({"version": 1}, tmp_path)


def test_pages_keep_their_order_and_leave_no_empty_heading():
    made = {name: make("en") for name, make in samples.FIGURES.items()}
    page = policymaker(
        title="Pilot", look=samples.OPEN, language="en", recruitment=[made["recruitment"]], reach=[made["reach"]],
        in_words=[made["sentences"]],
    )  # fmt: skip
    assert [section.id for section in page.sections] == ["section-answer", "section-reach", "section-recruitment"]
    assert [figure.id for figure in page.figures] == ["in-words", "reach", "recruitment"]
    with pytest.raises(FigureError, match="two things on one page are called flow"):
        researcher(title="Pilot", look=samples.OPEN, language="en", flow=[made["flow"], made["flow, masked"]])
