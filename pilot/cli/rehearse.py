"""`pilot rehearse`: the whole pilot with people who do not exist, before anybody is invited."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dashboards.texts import text
from pilot.cli import Console, console
from pilot.errors import PilotError
from pilot.protocol import read
from pilot.rehearsal.page import html
from pilot.rehearsal.report import Report, report_of
from pilot.rehearsal.run import Order, rehearse


@click.command("rehearse")
@click.argument("protocol", type=click.Path(exists=True, path_type=Path))
@click.option("--participants", default=2000, show_default=True, type=click.IntRange(40, 50_000),
              help="People allocated in each trial.")  # fmt: skip
@click.option("--trials", default=200, show_default=True, type=click.IntRange(2, 100_000),
              help="Trials with the assumed effects, and as many without any.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="The same seed, the same answer.")
@click.option("--jobs", default=-1, show_default=True, help="Processes; -1 takes one for each core.")
@click.option("--full", is_flag=True, help="Take every person of every trial through the database: slow.")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path("rehearsal"),
              show_default=True, help="Folder for the report; finished trials are kept there as well.")  # fmt: skip
@console
def command(
    out: Console, protocol: Path, participants: int, trials: int, seed: int, jobs: int, full: bool, output: Path
) -> None:
    """Rehearse the pilot of PROTOCOL with made-up people and report how its plan does.

    One passage takes everybody through the production code in a database of its own; each trial repeats the draw,
    the answers and the plan. Stopped half-way, the same command goes on where it was.
    """
    found, order = read(protocol), Order(participants, trials, seed, full)
    try:
        done = rehearse(found, order, jobs=jobs, checkpoint=output / "checkpoint", progress=_Progress(out))
        report = report_of(found, done)
        files = {
            "rehearsal.json": json.dumps(report.to_dict(), ensure_ascii=False, indent=2) + "\n",
            "report.nl.html": html(report, found, "nl"),
            "report.en.html": html(report, found, "en"),
        }
        for name, content in files.items():
            (output / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise PilotError(f"{error.filename}: {error.strerror}; choose another folder with --output") from error
    facts = {**report.to_dict(), "files": [str(output / name) for name in files]}
    out.say("\n".join(_lines(report, output)), **facts)


class _Progress:
    """A line that moves, for people only."""

    def __init__(self, out: Console) -> None:
        self.silent = out.as_json

    def __call__(self, what: str, done: int, of: int) -> None:
        if self.silent:
            return
        filled = 40 * done // of
        click.echo(f"\r  {what:<8} [{'#' * filled}{'.' * (40 - filled)}] {done}/{of}", nl=done >= of, err=True)


def _lines(report: Report, output: Path) -> list[str]:
    said = lambda found: f"{found.value:6.1%} ±{found.error:.1%}"  # noqa: E731
    lines = [f"{report.trials} trials of {report.participants} people in each world; the whole report: {output}"]
    heads = f"{'power':>13} {'computed':>8} {'false claims':>13} {'coverage':>13} {'bias':>16}"
    lines.append(f"  {'outcome: comparison':<46} {heads}")
    for row in report.rows:
        name = f"{row.outcome}: {row.treated} - {row.comparison}"
        computed = "" if row.planned is None else f"{row.planned:.1%}"
        bias = f"{row.bias.value:+.4f} ±{row.bias.error:.4f}"
        lines.append(
            f"  {name:<46} {said(row.power)} {computed:>8} {said(row.false_positive)} {said(row.coverage)} {bias:>16}"
        )
    lines.append(
        f"  any false claim on a primary outcome: {said(report.familywise)} (the plan allows {report.alpha:.0%})"
    )
    lines.append(f"  false alarms of the sample ratio: {said(report.sample_ratio_alarms)}")
    if (looks := report.stopping) is not None:
        lines += [
            f"  stops at look '{row.look}' ({row.people:.0f} people): {said(row.stops)}, without any effect "
            f"{said(row.false_stops)}"
            for row in looks.rows
        ]
        lines.append(f"  any false claim over all looks: {said(looks.false_claims)}")
        lines.append(f"  people when it stops: {looks.people.value:.0f} ±{looks.people.error:.0f}")
    lines += [f"  look at: {text(f'rehearsal.warning.{warning}', 'en')}" for warning in report.warnings]
    lines += [f"  note: {note}" for note in report.notes]
    return lines + [f"  finding: {finding}" for finding in report.findings]
