"""Turns figures and tables into HTML fragments through templates; `pilot.web` and `dashboards.report` both use it."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboards import svg, theme
from dashboards.figure import Figure, Number, Table
from dashboards.texts import Language, text

NARROW, WIDE = 340, 680
"""Widths of the two static drawings; the style sheet shows the one that fits the screen."""


@cache
def environment() -> Environment:
    """The templates, escaping every value."""
    found = Environment(
        loader=PackageLoader("dashboards"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    found.tests["number"] = lambda cell: isinstance(cell, Number)
    found.globals["text"] = text
    return found


def drawing(figure: Figure) -> Markup:
    """The static drawing in two widths, or the figure's own mark-up; empty when it has neither."""
    if figure.markup:
        return Markup(figure.markup)  # noqa: S704 - made by a template of this package
    if not figure.plotly:
        return Markup("")
    both = (("narrow", NARROW), ("wide", WIDE))
    return Markup("").join(
        Markup('<div class="{}">{}</div>').format(kind, Markup(svg.draw(figure.plotly, width=width)))  # noqa: S704
        for kind, width in both
    )


def figure_html(
    figure: Figure, language: Language, *, level: int = 2, interactive: bool = True, open_table: bool = False
) -> Markup:
    """One figure as an HTML fragment: heading, sentence, drawing, note, table, source.

    `level` is the heading's; `interactive` adds the data block that the page's script draws from; `open_table` shows
    the table without a click, as paper needs. No inline script or style is written.

    >>> table = Table(("Arm", "People"), (("<b>Portal</b>", Number("12", 12)),), "People by arm")
    >>> "&lt;b&gt;Portal" in figure_html(Figure("f", "Title", "Sentence.", {}, table), "en")
    True
    """
    template = environment().get_template("figure.html")
    return Markup(  # noqa: S704 - the template escapes its values
        template.render(
            figure=figure, language=language, level=level, drawing=drawing(figure), open_table=open_table,
            data=Markup(figure.data_block()) if interactive and figure.plotly else "",  # noqa: S704
        )
    )  # fmt: skip


def table_html(table: Table) -> Markup:
    """A table with its caption, row and column headings marked as such."""
    return Markup(environment().get_template("table.html").render(table=table))  # noqa: S704


def figure_style() -> str:
    """The style of figures alone, on the theme's variables: for a page that has a style of its own."""
    return theme.css_variables() + template_source("figure.css")


def style_sheet() -> str:
    """The style of standalone reports: that of figures, then plain rules for the page."""
    return figure_style() + template_source("report.css")


def template_source(name: str) -> str:
    """The text of a template or style sheet as it stands."""
    source, _, _ = PackageLoader("dashboards").get_source(environment(), name)
    return source
