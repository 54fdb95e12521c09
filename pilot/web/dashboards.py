"""How a page of figures becomes a page of the site: drawings that need no script, a table behind each."""

from __future__ import annotations

from flask import g, render_template
from flask_babel import get_locale

from dashboards.page import Page
from dashboards.render import figure_html
from pilot import locking
from pilot.pages import Dashboard


def dashboard() -> Dashboard:
    """The dashboard of this request's pilot, in the reader's language, at the pilot's own time."""
    _version, protocol = locking.in_force(g.session, g.pilot.id)
    return Dashboard(g.session, g.pilot, protocol, language=str(get_locale()), now=g.now)


def show(template: str, page: Page, **values: object) -> str:
    """Renders a page of figures; the figures escape what they were given."""
    drawn = {figure.id: figure_html(figure, page.language, level=3) for figure in page.figures}
    return render_template(template, page=page, drawn=drawn, **values)
