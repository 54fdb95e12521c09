"""The style of figures on the site is the one that the figures themselves come with."""

from __future__ import annotations

from pathlib import Path

from dashboards.render import figure_style
from pilot import app


def test_the_site_styles_figures_as_the_dashboards_library_does():
    served = (Path(app.__file__).parent / "web" / "static" / "figures.css").read_text(encoding="utf-8")
    assert figure_style().strip() in served
