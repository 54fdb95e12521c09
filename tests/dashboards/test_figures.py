"""What every figure keeps to, whatever it shows."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import date

import dashboard_samples as samples
import plotly.graph_objects as go
import pytest

from dashboards import svg
from dashboards.effects import Effect
from dashboards.errors import FigureError
from dashboards.figure import Figure, Number, Table
from dashboards.forest import forest
from dashboards.masking import Look
from dashboards.render import figure_html

BOTH = pytest.mark.parametrize("language", ["nl", "en"])
EACH = pytest.mark.parametrize("make", samples.FIGURES.values(), ids=list(samples.FIGURES))
DRAWN = { 
    "forest", "forest of ratios", "forest of money", "reach", "recruitment", "balance", "response",
    "response, masked", "take-up", "power", "subgroups",
}  # fmt: skip


def texts_of(figure: Figure) -> str:
    cells = [str(cell) for row in figure.table.rows for cell in row]
    return " ".join([figure.title, figure.sentence, figure.note, figure.alt, *figure.table.columns, *cells])


@BOTH
@EACH
def test_a_figure_has_a_title_a_sentence_and_a_table_with_a_caption(make, language):
    figure = make(language)
    assert figure.title
    assert figure.sentence.strip().endswith((".", ")"))
    assert figure.table.caption
    assert "{" not in texts_of(figure).replace(samples.HOSTILE, "")


@BOTH
@EACH
def test_plotly_accepts_the_drawing_as_it_stands(make, language):
    drawing = make(language).plotly
    if drawing:
        checked = go.Figure({"data": drawing["data"], "layout": drawing["layout"]})
        assert len(checked.data) == len(drawing["data"])
        assert {trace.type for trace in checked.data} <= {"scatter", "bar"}


def test_figures_that_can_be_drawn_are_drawn_and_say_so_to_who_cannot_see_them():
    made = {name: make("en") for name, make in samples.FIGURES.items()}
    assert {name for name, figure in made.items() if figure.plotly} == DRAWN
    assert all(made[name].alt for name in DRAWN)
    assert all(made[name].markup for name in ("flow", "flow, masked"))


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_the_static_drawing_is_sound_and_holds_every_mark_and_label(name):
    figure = samples.FIGURES[name]("nl")
    root = ET.fromstring(svg.draw(figure.plotly, width=340))
    written = " ".join(node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text"))
    for tick in figure.plotly["layout"]["xaxis"]["ticktext"]:
        assert tick in written
    for note in figure.plotly["layout"]["annotations"]:
        for line in note["text"].split("<br>"):
            assert line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") in written
    marks = sum(len(trace["x"]) for trace in figure.plotly["data"] if trace.get("mode") != "lines")
    assert len(list(root.iter("{http://www.w3.org/2000/svg}title"))) == marks


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0.0, 0.0, 0.0), (1e-17, -1e-16, 1e-16), (3e9, 3e9, 3e9), (5e-13, 1e-13, 9e-13)]
)
def test_effects_that_lie_on_one_spot_are_drawn_on_an_axis_of_some_width(value, low, high):
    effect = Effect("Advice against portal", value, low, high, n=200, unit="number")
    figure = forest([effect], look=Look.opened("final", date(2027, 3, 1)), language="en")
    left, right = figure.plotly["layout"]["xaxis"]["range"]
    assert left <= min(0.0, value)
    assert max(0.0, value) <= right
    assert left < right
    assert "nan" not in svg.draw(figure.plotly)


@EACH
def test_no_label_can_break_out_of_the_page(make):
    figure = make("en")
    page = figure_html(figure, "en")
    assert page.count("</script>") == (1 if figure.plotly else 0)
    assert "<b>R" not in page
    assert " style=" not in page
    assert " on" + "click" not in page
    if figure.plotly:
        assert json.loads(figure.data_block()) == json.loads(json.dumps(figure.plotly))
        assert not set("<>&") & set(figure.data_block())
        labels = json.dumps([note["text"] for note in figure.plotly["layout"]["annotations"]])
        assert "<b>" not in labels


@EACH
def test_each_language_has_its_own_words_and_the_same_numbers(make):
    dutch, english = make("nl"), make("en")
    assert dutch.title != english.title
    assert dutch.sentence != english.sentence
    numbers = [[c.value for row in f.table.rows for c in row if isinstance(c, Number)] for f in (dutch, english)]
    assert numbers[0] == numbers[1]


def test_a_table_with_a_short_row_is_refused():
    with pytest.raises(FigureError, match="row 1 of 'People' has 1 cells for 2 columns"):
        Table(("Arm", "n"), (("Portal",),), "People")


def test_a_drawing_without_words_for_the_blind_is_refused():
    figure = samples.FIGURES["forest"]("en")
    with pytest.raises(FigureError, match="who cannot see it"):
        Figure("x", "Title", "Sentence.", figure.plotly, figure.table)


@pytest.mark.parametrize("name", ["", "2nd", "a b", "<x>", "Über"])
def test_an_anchor_that_no_page_can_hold_is_refused(name):
    with pytest.raises(FigureError, match="cannot be an anchor"):
        Figure(name, "Title", "Sentence.", {}, Table(("a",), (), "c"))


def test_the_static_drawing_refuses_what_it_does_not_understand():
    drawing = json.loads(samples.FIGURES["forest"]("en").data_block())
    drawing["data"][0]["type"] = "pie"
    with pytest.raises(FigureError, match="no 'pie' traces"):
        svg.draw(drawing)
