"""The app: settings in, a Flask app out. Here the pages are listed, and here, and only here, a request is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from pilot import clock as clocks
from pilot import log
from pilot.clock import Clock
from pilot.db import Database
from pilot.settings import Settings, load
from pilot.web import (
    administrator,
    advisor,
    auth,
    checks,
    context,
    database,
    design,
    errors,
    health,
    home,
    instruments,
    interviewer,
    language,
    paper,
    participant,
    policymaker,
    requests,
    researcher,
    rules,
    security,
    steward,
)
from pilot.web.state import NAME, State

# One blueprint a persona; adding pages is adding a line.
PAGES = (
    health.bp,
    home.bp,
    participant.bp,
    advisor.bp,
    interviewer.bp,
    paper.bp,
    steward.bp,
    administrator.bp,
    policymaker.bp,
    researcher.bp,
    design.bp,
    instruments.bp,
    checks.bp,
)

WEB = Path(__file__).parent / "web"


class App(Flask):
    """Flask whose pages stand behind a rule and inside one transaction."""

    app_ctx_globals_class = database.Globals

    def dispatch_request(self) -> ResponseReturnValue:
        if request.routing_exception is not None:
            return super().dispatch_request()
        try:
            return database.commit_when_it_stands(self._answer, forget=requests.forget)
        finally:
            database.close()

    def _answer(self) -> Response:
        turned_away = rules.enforce(self)
        return self.make_response(turned_away or super().dispatch_request())


def create_app(settings: Settings, *, clock: Clock = clocks.system) -> Flask:
    """The web app of one installation. It connects to its database at the first request, so after a fork."""
    app = App("pilot", template_folder=str(WEB / "templates"), static_folder=str(WEB / "static"))
    app.extensions[NAME] = State(settings, Database(settings), clock)
    app.config["LISTED_RULES"] = {"static": rules.rule.public}
    requests.install(app)
    security.install(app)
    language.install(app)
    auth.install(app)
    context.install(app)
    errors.install(app)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    security.limit(app)
    return app


def wsgi(**overrides: Any) -> Flask:
    """The app for a WSGI server, with the settings of this machine: `gunicorn "pilot.app:wsgi()"`."""
    settings = load(**overrides)
    log.start(settings.log_level)
    return create_app(settings)
