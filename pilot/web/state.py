"""What one installed app holds besides Flask's own: settings, database and clock, made once and handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from flask import Flask, current_app

from pilot.clock import Clock
from pilot.db import Database
from pilot.models import Pilot
from pilot.settings import Settings

NAME = "adviespilot"


@dataclass(frozen=True, slots=True)
class State:
    """Hangs on `app.extensions`; `state()` finds it from inside a request."""

    settings: Settings
    database: Database
    clock: Clock

    def now(self, pilot: Pilot | None = None) -> datetime:
        """The time in UTC. A demo's pilot can run ahead of the machine by its `clock_shift`, in seconds."""
        if pilot is None or self.settings.kind == "production":
            return self.clock()
        return self.clock() + timedelta(seconds=pilot.clock_shift)


def state(app: Flask | None = None) -> State:
    """The state of this app, or of the app that answers the request."""
    return cast(State, (app or current_app).extensions[NAME])
