"""The command `pilot`: each group of commands in its own file, loaded when it is asked for.

Exit codes: 0 done; 1 something a person can mend, said in one sentence; 2 the command was typed wrongly.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import click

from pilot import __version__
from pilot.db import Database
from pilot.errors import PilotError
from pilot.settings import Settings, load

# Where a command lives; adding one is adding a line.
COMMANDS: dict[str, str] = {
    "analyse": "pilot.cli.data:analyse",
    "audit": "pilot.cli.audit:audit",
    "bounces": "pilot.cli.data:bounces",
    "db": "pilot.cli.database:db",
    "demo": "pilot.cli.running:demo",
    "design-document": "pilot.cli.design:command",
    "export": "pilot.cli.data:export",
    "import": "pilot.cli.data:import_",
    "note": "pilot.cli.notes:note",
    "protocol": "pilot.cli.protocols:protocol",
    "randomize": "pilot.cli.tools:randomize",
    "rehearse": "pilot.cli.rehearse:command",
    "report": "pilot.cli.data:report",
    "serve": "pilot.cli.serve:serve",
    "survey": "pilot.cli.tools:survey",
    "user": "pilot.cli.users:user",
    "worker": "pilot.cli.running:worker",
}


class Commands(click.Group):
    """A group that imports a command's file at its first use, and turns our errors into one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        return cast(click.Command, getattr(importlib.import_module(module), name))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PilotError as error:
            console = ctx.find_object(Console)
            if console is not None and console.as_json:
                click.echo(json.dumps({"error": error.code, "message": str(error)}, ensure_ascii=False))
            raise Failed(str(error)) from error


class Failed(click.ClickException):
    """A command could not do what was asked: one sentence on standard error, exit code 1."""

    exit_code = 1


@dataclass(slots=True)
class Console:
    """What every command is handed: the settings, read at first use, and how to speak."""

    as_json: bool = False
    overrides: dict[str, Any] = field(default_factory=dict)
    _settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            self._settings = load(**self.overrides)
        return self._settings

    def say(self, sentence: str, **facts: Any) -> None:
        """The outcome: a sentence for people, or the facts as one JSON object with `--json`."""
        if self.as_json:
            click.echo(json.dumps({"ok": True, **facts}, ensure_ascii=False, default=str))
        else:
            click.echo(sentence)

    def rows(self, rows: list[Mapping[str, Any]]) -> None:
        """A table: columns for people, a JSON list with `--json`."""
        if self.as_json:
            click.echo(json.dumps(rows, ensure_ascii=False, default=str))
            return
        names = list(rows[0]) if rows else []
        widths = {n: max(len(n), *(len(str(row[n])) for row in rows)) for n in names}
        for row in ({n: n for n in names}, *rows):
            click.echo("  ".join(str(row[n]).ljust(widths[n]) for n in names).rstrip())


class Opened:
    """The database of a command, for `contextlib.closing`."""

    def __init__(self, out: Console) -> None:
        self.database = Database(out.settings)

    def close(self) -> None:
        self.database.dispose()


console = click.make_pass_decorator(Console, ensure=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pilot", message="%(prog)s %(version)s")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON instead of sentences.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Folder of this installation.")
@click.pass_context
def main(ctx: click.Context, as_json: bool, home: Path | None) -> None:
    """Run randomised pilots: from the locked protocol to what works.

    Settings come from the environment (PILOT_…), then from pilot.toml in the home folder.
    """
    ctx.obj = Console(as_json=as_json, overrides={"home": home} if home else {})
