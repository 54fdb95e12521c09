"""`pilot import`, `pilot export`, `pilot analyse`, `pilot report`: files in, files out."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from analysis.errors import AnalysisError
from pilot import dataset, exports, imports, locking, people, results
from pilot.cli import Console, Failed, Opened, console
from pilot.clock import system
from pilot.errors import PilotError, Refused
from pilot.journey import bounces as returned

IN = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(file_okay=False, path_type=Path)
language = click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True)


@click.command("import")
@click.argument("file", type=IN)
@click.option("--pilot", "slug", required=True, help="The pilot that these people join.")
@click.option("--allocate", is_flag=True, help="Allocate them as well.")
@click.option("--by", "actor", help="Who imports: the e-mail address of a member of staff.")
@console
def import_(out: Console, file: Path, slug: str, allocate: bool, actor: str | None) -> None:
    """Take in the participants of a CSV FILE: all rows, or none and a reason for each bad one."""
    rows = imports.rows_of(file)
    with closing(Opened(out)) as opened, opened.database.writing() as session:
        pilot = locking.by_slug(session, slug)
        version, protocol = locking.in_force(session, pilot.id)
        desk = imports.Desk(
            pilot=pilot,
            version=version,
            protocol=protocol,
            keyring=opened.database.keyring,
            secret=out.settings.secret_key.encode(),
            folder=out.settings.keys,
            actor_id=people.by_email(session, actor).id if actor else None,
        )
        done = imports.import_participants(session, desk, rows, allocate=allocate, now=system())
    out.say(
        f"{done.enrolled} people enrolled, {done.not_eligible} of them not eligible, {done.allocated} allocated",
        enrolled=done.enrolled,
        not_eligible=done.not_eligible,
        allocated=done.allocated,
    )


@click.command()
@click.argument("file", type=IN)
@click.option("--pilot", "slug", required=True, help="The pilot whose messages came back.")
@click.option("--by", "actor", help="Who imports: the e-mail address of a member of staff.")
@console
def bounces(out: Console, file: Path, slug: str, actor: str | None) -> None:
    """Mark the messages that came back, from a CSV FILE; lines that match nothing are named and change nothing."""
    lines = imports.lines_in(file.read_bytes())
    with closing(Opened(out)) as opened, opened.database.writing() as session:
        pilot = locking.by_slug(session, slug)
        actor_id = people.by_email(session, actor).id if actor else None
        keyring = opened.database.keyring
        done = returned.take_in(session, pilot, lines, keyring=keyring, actor_id=actor_id, now=system())
    left = [{"line": line, "reason": str(reason)} for line, reason in done.problems]
    told = "".join(f"\n  line {one['line']}: {one['reason']}" for one in left)
    said = f"{done.marked} messages marked as come back, {done.known} lines told nothing new, {len(left)} match nothing"
    out.say(f"{said}{told}", marked=done.marked, known=done.known, left=left)


@click.command()
@click.argument("slug")
@click.option("-o", "--output", type=OUT, required=True, help="An empty folder.")
@click.option("--look", help="Export the data of this opened look, with the arms.")
@language
@console
def export(out: Console, slug: str, output: Path, look: str | None, language: str) -> None:
    """Freeze the data of the pilot SLUG and write CSV, Stata, SPSS, a codebook and an R script.

    Before a permitted look the files hold nothing that gives an arm away.
    """
    folder = out.settings.freezes
    with closing(Opened(out)) as opened, opened.database.writing() as session:
        pilot = locking.by_slug(session, slug)
        _version, protocol = locking.in_force(session, pilot.id)
        if look is None:
            row = dataset.freeze(session, pilot, protocol, folder=folder, with_arms=False, actor_id=None, now=system())
        else:
            seen = results.opened(session, pilot, look)
            if seen is None:
                raise Refused(f"look '{look}' has not been opened; a statistician opens it", code="look_not_opened")
            row = seen.freeze
        data = dataset.read_freeze(folder, row)
        alpha = results.level_of_freeze(session, row)
        files = exports.write(data, row, protocol, output, language=language, alpha=alpha)
        rows, arms = row.rows, bool(row.manifest["with_arms"])
    blind = "" if arms else "; without arms, since no look was opened"
    out.say(
        f"{rows} rows in {len(files)} files in {output}{blind}", files=[str(f) for f in files], rows=rows, arms=arms
    )


@click.command()
@click.argument("data", type=IN)
@click.option("--plan", type=IN, required=True, help="plan.yaml with allocation, outcomes and analysis_plan.")
@click.option("-o", "--output", type=OUT, required=True, help="Folder for the results.")
@click.option("--expect", help="The published fingerprint of the plan; refused when it is another plan.")
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The level of an interim look, as the page of looks names it; default: that of the plan.",
)
@click.option("--dry-run", is_flag=True, help="Rehearse on redrawn arms; nothing about the real ones is read.")
@language
@console
def analyse(
    out: Console, data: Path, plan: Path, output: Path, expect: str | None, alpha: float | None, dry_run: bool,
    language: str,
) -> None:  # fmt: skip
    """Carry a locked plan out on DATA (CSV or Parquet) and write results, tables, figures, a report and an R script.

    Needs no web and no database: it runs inside a closed environment.
    """
    from analysis import PreAnalysisPlan, read_data
    from analysis.rscript import r_script
    from dashboards.report import write_report

    def run() -> Any:
        locked = PreAnalysisPlan.read(plan)
        columns = locked.analysis.columns
        text = [name for name in (columns.id, columns.arm) if name]
        table = read_data(data, text=text)
        if dry_run:
            found = locked.dry_run(table, seed=locked.analysis.seed)
        else:
            found = locked.run(table, expected_sha256=expect, created=system().isoformat(), alpha=alpha)
        files = write_report(found, output, language=language, title=plan.parent.name or plan.stem)  # type: ignore[arg-type]
        script = output / "primary.R"
        script.write_text(r_script(locked, data.name, results=found), encoding="utf-8")
        return locked, found, [*files, script]

    locked, found, files = _said(run)
    lines = [f"  {line}" for line in _headlines(found)]
    out.say(
        f"plan {locked.lock().sha256[:16]}… carried out; {len(files)} files in {output}\n" + "\n".join(lines),
        plan=locked.lock().sha256,
        files=[str(file) for file in files],
        estimates=[_numbers(c) for c in _contrasts(found)],
    )


@click.command()
@click.argument("slug")
@click.option("-o", "--output", type=OUT, required=True, help="Folder for the report.")
@click.option("--look", help="Which opened look; default: the last one.")
@click.option("--public", is_flag=True, help="Withhold small numbers by the protocol's disclosure rules.")
@language
@console
def report(out: Console, slug: str, output: Path, look: str | None, public: bool, language: str) -> None:
    """Write the report of an opened look of the pilot SLUG: pages, PDF, tables and figures."""
    from analysis.results import Results
    from dashboards.report import write_report

    with closing(Opened(out)) as opened, opened.database.reading() as session:
        pilot = locking.by_slug(session, slug)
        _version, protocol = locking.in_force(session, pilot.id)
        last = results.latest(session, pilot)
        seen = results.opened(session, pilot, look) if look else last[0] if last else None
        if seen is None:
            raise Refused("no look was opened yet; outcomes by arm stay masked until then", code="look_not_opened")
        found, title = Results.from_dict(seen.results), pilot.title.get(language) or pilot.title["nl"]
    labels = {arm.name: arm.label.get(language, arm.name) for arm in protocol.arms}
    tidier = {arm.name: {k: v for k, v in arm.tidier.model_dump().items() if v} for arm in protocol.arms}
    rules = protocol.disclosure if public else None
    files = _said(
        lambda: write_report(found, output, language=language, title=title, labels=labels, arms=tidier, rules=rules)  # type: ignore[arg-type]
    )
    out.say(f"{len(files)} files in {output}; begin with report.html", files=[str(file) for file in files])


def _said(run: Any) -> Any:
    """Runs it; what is wrong with plan, data or folder becomes one sentence."""
    from dashboards.errors import DashboardError
    from randomization.errors import RandomizationError

    try:
        return run()
    except (AnalysisError, RandomizationError, DashboardError) as error:
        remedy = getattr(error, "remedy", "")
        text = str(error)
        raise Failed(text if not remedy or remedy in text else f"{text}; {remedy}") from error
    except OSError as error:
        raise PilotError(f"{error.filename}: {error.strerror}") from error


def _contrasts(found: Any) -> list[Any]:
    return [(outcome, contrast) for outcome in found.outcomes for contrast in outcome.contrasts]


def _numbers(pair: Any) -> dict[str, Any]:
    outcome, contrast = pair
    effect = contrast.unadjusted
    said = None if effect is None else {"value": effect.value, "se": effect.se, "low": effect.low, "high": effect.high}
    named = {"outcome": outcome.name, "treated": contrast.treated, "comparison": contrast.comparison}
    told = {**named, "unadjusted": said, "reading": contrast.reading, "outside_family": contrast.outside_family}
    return json.loads(json.dumps(told))


def _headlines(found: Any) -> list[str]:
    lines = []
    for outcome, contrast in _contrasts(found):
        for name in ("unadjusted", "adjusted"):
            effect = getattr(contrast, name, None)
            if effect is not None:
                outside = " (outside the sized family)" if contrast.outside_family else ""
                where = f"{outcome.name}: {contrast.treated} against {contrast.comparison}{outside}"
                lines.append(
                    f"{where}, {name}: {effect.value:.6g} (se {effect.se:.6g}, {effect.convention}), "
                    f"{effect.level:.0%} interval {effect.low:.6g} to {effect.high:.6g}"
                )
    return lines
