"""All figures in a real browser: drawn by plotly, readable on a phone, and without accessibility violations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dashboard_samples as samples
import plotly
import pytest
from playwright.sync_api import Page

from dashboards.render import figure_html, style_sheet

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
DRAW = """() => document.querySelectorAll("[data-figure]").forEach(place => {
  const figure = JSON.parse(document.getElementById(place.dataset.figure + "-data").textContent);
  place.replaceChildren();
  Plotly.newPlot(place, figure.data, figure.layout, figure.config);
})"""


def document(language: str) -> str:
    made = (replace(make(language), id=f"figure-{number}") for number, make in enumerate(samples.FIGURES.values()))
    body = "".join(figure_html(figure, language) for figure in made)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Figures</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style_sheet()}</style></head>'
        f"<body><main><h1>Figures</h1>{body}</main></body></html>"
    )


@pytest.mark.parametrize("language", ["nl", "en"])
def test_figures_fit_a_phone_and_break_no_accessibility_rule(page: Page, axe, language):
    page.set_content(document(language))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert axe(page) == []


def test_plotly_draws_every_figure_from_its_data_block(page: Page, axe):
    page.set_content(document("nl"))
    page.add_script_tag(path=PLOTLY)
    places = page.locator("[data-figure]").count()
    page.evaluate(DRAW)
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {places}")
    assert places == sum(bool(make("nl").plotly) for make in samples.FIGURES.values())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator(".drawing .narrow").count() == page.locator(".drawing .wide").count() == 0
    written = page.locator(".js-plotly-plot").first.inner_text()
    assert "Advice against portal" in written
    assert axe(page) == []


def test_a_wide_screen_shows_the_wide_drawing(desktop_page: Page):
    desktop_page.set_content(document("en"))
    assert desktop_page.locator(".drawing .wide").first.is_visible()
    assert not desktop_page.locator(".drawing .narrow").first.is_visible()
