"""The design document says what the plan says, in two languages and four forms, and the same each time."""

import copy
import io
import json
import re
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from docx import Document
from PIL import Image

from analysis.plan import PreAnalysisPlan
from analysis.planning import EXAMPLE, Plan
from analysis.planning.trials import simulated
from dashboards import design_files, raster, svg
from dashboards.design_document import build
from dashboards.errors import ReportError

LABELS = {"portal": "Portal only", "advice": "Portal & <advice>", "training": "Started training"}


@pytest.fixture(scope="module")
def full():
    """The plan of the documentation: costs, places, advisors, looks, pace of recruitment, a budget."""
    text = (Path(__file__).parents[2] / "docs/methods/power.md").read_text()
    return Plan.from_dict(yaml.safe_load(text.split("```yaml")[1].split("```")[0])["sample_size"])


@pytest.fixture(scope="module")
def trials():
    return simulated(Plan.from_dict(EXAMPLE), seed=7, trials=40)


@pytest.fixture(scope="module", params=["nl", "en"])
def document(request, trials):
    return build(Plan.from_dict(EXAMPLE), language=request.param, labels=LABELS, simulation=trials,
                 contrasts=[("voucher", "advice")], fingerprint="f" * 64)  # fmt: skip


def said(document):
    return " ".join(sentence for answer in document.answers for sentence in answer.sentences)


def test_the_first_page_answers_every_question_of_a_funder(document):
    assert [answer.id for answer in document.answers] == ["people", "why", "cost", "shows", "not", "sure", "time"]
    thousand = {"nl": ".", "en": ","}[document.language]
    decimal = {"nl": ",", "en": "."}[document.language]
    for number in (f"7{thousand}275", f"2{thousand}425", f"2{thousand}376", f"3{decimal}3", "80%", "60%", "5%"):
        assert number in said(document)
    assert "Portal & <advice>" in said(document)


def test_a_comparison_that_the_pilot_is_not_sized_for_is_named(document):
    (cannot,) = [answer for answer in document.answers if answer.id == "not"]
    assert "voucher" in " ".join(cannot.sentences)
    assert "voucher" not in " ".join(s for a in document.answers if a.id == "not" for s in a.sentences[:2])


def test_what_the_plan_does_not_state_is_said_and_not_made_up(document):
    ids = {figure.id for figure in document.figures}
    assert ids == {"register", "chain", "sizes", "power", "rivals", "tornado", "grid", "simulation"}
    by_id = {answer.id: answer.sentences for answer in document.answers}
    assert len(by_id["cost"]) == len(by_id["time"]) == 1
    assert document.numbers["cost"] is None
    assert document.numbers["forecast"] is None


def test_a_plan_that_states_everything_gets_every_chapter(full):
    document = build(full, language="en")
    ids = [figure.id for figure in document.figures]
    assert ids == ["register", "chain", "sizes", "power", "rivals", "looks", "tornado", "grid", "costs", "frontier",
                   "forecast"]  # fmt: skip
    assert len(document.keys) == 5
    assert document.numbers["forecast"]["chance"] == full.forecast().chance
    assert document.numbers["cost"]["total"] == pytest.approx(full.cost().total)


def test_the_register_has_value_range_and_source_of_every_assumption(document):
    table = document.figure("register").table
    assert len(table.rows) == len(Plan.from_dict(EXAMPLE).assumptions())
    assert all(str(cell) for row in table.rows for cell in row)


def test_the_simulation_is_given_with_its_errors_seed_and_number(document):
    figure = document.figure("simulation")
    assert all("±" in str(row[2]) for row in figure.table.rows)
    assert "7" in figure.note
    assert "40" in figure.note


def test_the_simulation_is_drawn_with_what_chance_may_have_done_beside_what_was_promised(document, trials):
    figure = document.figure("simulation")
    promised, found = figure.plotly["data"]
    rows = figure.table.rows
    assert found["x"] == [row[2].value for row in rows]
    assert promised["x"] == [row[1].value for row in rows if not isinstance(row[1], str)]
    error = trials.comparisons[0].power.error
    assert found["error_x"]["array"][0] == pytest.approx(min(1.96 * error, 1 - found["x"][0]), rel=1e-4)
    assert all(low <= share + 1e-12 for low, share in zip(found["error_x"]["arrayminus"], found["x"], strict=True))
    assert figure.plotly["layout"]["shapes"][0]["x0"] == 0.8
    assert str(len(rows)) in figure.alt


def test_the_planned_number_stands_in_the_grid(document):
    cells = [cell.value for row in document.figure("grid").table.rows for cell in row[1:]]
    assert 2425 in cells


def test_html_and_json_are_the_same_bytes_again(trials):
    def write(form):
        return form(build(Plan.from_dict(EXAMPLE), language="nl", simulation=trials))

    assert write(design_files.html) == write(design_files.html)
    assert write(design_files.json_text) == write(design_files.json_text)


def test_the_json_holds_the_numbers_and_where_they_come_from(document):
    found = json.loads(design_files.json_text(document))
    assert found["size"]["analysed"] == 2376
    assert found["origin"]["protocol"] == "f" * 64
    assert re.fullmatch(r"[0-9a-f]{64}", found["origin"]["section"])
    assert found["origin"]["seed"] == "7"
    assert "numpy" in found["origin"]["versions"]
    assert found["simulation"]["comparisons"][0]["power"]["error"] > 0
    assert Plan.from_dict(found["section"]).n().recruited == found["size"]["recruited"]


def test_the_page_has_headings_in_order_tables_with_scope_and_words_for_drawings(document):
    page = design_files.html(document)
    assert f'<html lang="{document.language}">' in page
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert len(re.findall(r"<th (?!scope=)", page)) == 0
    assert page.count('role="img" aria-label="') == sum(bool(figure.plotly) for figure in document.figures)
    assert "<script" not in page
    assert "Portal &amp; &lt;advice&gt;" in page
    assert "<advice>" not in page


def test_the_pdf_is_tagged_with_title_and_language(document):
    content = design_files.pdf(document)
    assert content.startswith(b"%PDF")
    streams = re.findall(rb"/FlateDecode.*?>>\s*stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    inside = b"".join(zlib.decompressobj().decompress(stream) for stream in streams) + content
    assert b"/StructTreeRoot" in inside
    assert re.search(rb"/Lang \((\w\w)\)", inside)[1].decode() == document.language  # type: ignore[index]
    assert b"pdfuaid" in inside


def test_the_word_document_has_headings_header_rows_and_described_pictures(document):
    out = Document(io.BytesIO(design_files.docx(document)))
    headings = [p.text for p in out.paragraphs if p.style is not None and p.style.name.startswith("Heading")]  # type: ignore[union-attr]
    assert [answer.question for answer in document.answers] == headings[1:8]
    assert all("w:tblHeader" in table.rows[0]._tr.xml for table in out.tables)
    drawn = [figure for figure in document.figures if figure.plotly]
    assert len(out.inline_shapes) == len(drawn)
    described = re.findall(r'descr="([^"]+)"', out.element.xml)
    assert len(described) == len(drawn)
    assert out.core_properties.title == document.title


def test_a_picture_shows_bars_lines_and_words(document):
    for id in ("chain", "power", "tornado"):
        picture = Image.open(io.BytesIO(raster.png(svg.draw(document.figure(id).plotly)))).convert("RGB")
        counted = picture.getcolors(picture.width * picture.height)
        assert counted is not None
        ink = sum(count for count, colour in counted if sum(colour) < 600)
        assert picture.width == 1700
        assert 0.005 < ink / (picture.width * picture.height) < 0.4


def test_an_element_that_no_picture_knows_is_refused():
    with pytest.raises(ReportError, match="no 'ellipse' elements"):
        raster.png('<svg width="9" height="9" font-size="14" fill="black"><ellipse/></svg>')


@pytest.mark.parametrize("name", ["x.txt", "x", "x.pdf.gz"])
def test_an_unknown_ending_is_refused_with_those_that_are_known(document, tmp_path, name):
    with pytest.raises(ReportError, match=r"\.html, \.pdf, \.docx, \.json"):
        design_files.write(document, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left(document, tmp_path):
    with pytest.raises(ReportError, match="no folder"):
        design_files.write(document, tmp_path / "nowhere" / "x.json")
    (tmp_path / "x.json").mkdir()
    with pytest.raises(ReportError, match="is a folder"):
        design_files.write(document, tmp_path / "x.json")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_new_document_takes_the_place_of_the_old_one_whole(document, tmp_path):
    path = tmp_path / "x.docx"
    path.write_text("old")
    design_files.write(document, path)
    assert zipfile.is_zipfile(path)
    assert [found.name for found in tmp_path.iterdir()] == ["x.docx"]


def test_a_hopeless_end_of_a_range_is_said_and_drawn_to_the_edge():
    section = copy.deepcopy(EXAMPLE)
    section["outcomes"][0]["effect"] = {"value": 0.06, "range": [0.0, 0.08], "source": "illustration"}
    document = build(Plan.from_dict(section), language="en")
    assert "no number is enough" in said(document)
    assert "no number is enough" in str(document.figure("tornado").table.rows[0])


def test_a_score_is_not_written_as_a_share():
    outcome = {"name": "wellbeing", "kind": "continuous", "effect_on": "assigned",
               "sd": {"value": 20, "range": [18, 22], "source": "illustration"},
               "effect": {"value": 4, "range": [3, 5], "source": "illustration"}}  # fmt: skip
    plan = Plan.from_dict({"arms": [{"name": "a"}, {"name": "b"}], "control": "a", "outcomes": [outcome]})
    document = build(plan, language="en")
    assert document.keys[2][0] == "4.00"
    assert "points" not in said(document)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_page_fits_a_phone_and_breaks_no_accessibility_rule(new_page, axe, full, language):
    trials = simulated(full, seed=7, trials=20)
    page = new_page(viewport={"width": 320, "height": 740})
    page.set_content(design_files.html(build(full, language=language, labels=LABELS, simulation=trials)))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert axe(page) == []


def test_looks_and_advisors_are_simulated_and_the_document_says_how(full):
    trials = simulated(full, seed=7, trials=20)
    document = build(full, language="en", simulation=trials)
    assert trials.simplified == ("r2",), "nobody registered an analysis that adjusts for anything"
    assert "A standard one was carried out: arms with and without advisors" in document.figure("simulation").note
    assert f"looked at with {trials.looks[0].share:.0%}" in document.figure("simulation").note
    assert "Advisors" not in said(document), "they are drawn, and analysed as partially nested"


@pytest.mark.parametrize(("language", "words"), [
    ("en", ["The registered analysis was carried out: Lin’s regression", "HC2", "Holm’s correction",
            "explain 20% of the outcome", "4 levels taken to be equally common", "permuted blocks"]),
    ("nl", ["Uitgevoerd is de vastgelegde analyse: de regressie van Lin", "HC2", "correctie van Holm",
            "verklaren samen 20% van de uitkomst", "4 niveaus die even vaak voorkomen", "gewisselde blokken"]),
])  # fmt: skip
def test_the_note_says_which_analysis_was_simulated(language, words):
    section = copy.deepcopy(EXAMPLE)
    section["outcomes"][0]["r2"] = {"value": 0.2, "range": [0.1, 0.3], "source": "illustration"}
    analysis = PreAnalysisPlan.from_dict({
        "allocation": {"method": "permuted_blocks", "ratio": {"portal": 1, "advice": 1, "voucher": 1},
                       "strata": ["region"], "multiples": [2]},
        "outcomes": [{"name": section["outcomes"][0]["name"], "kind": "binary", "source": {"column": "t"}}],
        "analysis_plan": {"control": "portal", "covariates": ["age"]},
    })  # fmt: skip
    trials = simulated(Plan.from_dict(section), seed=1, trials=5, analysis=analysis)
    note = build(Plan.from_dict(section), language=language, simulation=trials).figure("simulation").note
    for said_ in words:
        assert said_ in note
    assert "{" not in note


def test_people_per_cluster_are_written_whole(full):
    rows = {row[0]: str(row[1]) for row in build(full, language="en").figure("register").table.rows}
    assert rows["People per cluster, in ‘advice’"] == "40"
    assert rows["New people a week"] == "140"
