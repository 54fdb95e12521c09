"""A page with a question: as the site gives it, and as Flask and Jinja alone give the very same one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, g, render_template, template_rendered
from werkzeug.test import EnvironBuilder, run_wsgi_app

sys.path += [str(Path(__file__).resolve().parent.parent / "tests" / "fixtures")]

from small_pilot import make, settings_for
from visitors import Doors

from pilot.app import WEB

QUESTION = "schooling"
BASE = "http://localhost"
Page = Callable[[], bytes]


def two_pages(home: Path) -> tuple[Page, Page]:
    """Two functions that each answer one request for the same page: ours on SQLite in this folder, and the bare one."""
    doors = Doors(make(settings_for(home)))
    visitor = doors.visitor().start()
    shown: list[dict[str, Any]] = []
    with template_rendered.connected_to(lambda _app, context, **_more: shown.append(dict(context)), doors.app):
        visitor.go_on(QUESTION)
    cookie = "; ".join(f"{one.key}={one.value}" for one in visitor.client._cookies.values())
    ours = asking(doors.app, visitor.path, cookie)
    bare = asking(bare_app(doors.app, shown[-1]), visitor.path, cookie)
    return ours, bare


def asking(app: Flask, path: str, cookie: str) -> Page:
    environ = EnvironBuilder(path=path, base_url=BASE, headers={"Cookie": cookie}).get_environ()

    def once() -> bytes:
        body, status, _headers = run_wsgi_app(app.wsgi_app, dict(environ))
        content = b"".join(body)
        assert status.startswith("200"), status
        return content

    return once


def bare_app(site: Flask, context: dict[str, Any]) -> Flask:
    """Flask with the same templates and the values ready: no database, no link to check, no language, no header."""
    app = Flask("bare", template_folder=str(WEB / "templates"), static_folder=str(WEB / "static"))
    app.secret_key = "only to read what a form before said"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    kept = ("asset", "has_asset", "icon", "help_phone", "help_phone_plain", "demo", "left_to_right", "menu_of")
    app.jinja_env.globals.update(
        {name: site.jinja_env.globals[name] for name in kept if name in site.jinja_env.globals}
    )
    app.jinja_env.globals.update(
        words_of=lambda text: text["nl"], in_language="/e?lang={}".format, csrf_token=lambda: "a" * 91
    )
    app.jinja_env.filters.update(site.jinja_env.filters)
    values = {name: value for name, value in context.items() if name not in ("g", "request", "session")}
    pilot = SimpleNamespace(title={"nl": "Pilot ontwikkeladvies"})

    def page(**_path: str) -> str:
        g.pilot = pilot
        return render_template("participant/question.html", **values)

    for rule in site.url_map.iter_rules():
        if rule.endpoint != "static":
            app.add_url_rule(rule.rule, rule.endpoint, page)
    return app
