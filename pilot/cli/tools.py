"""`pilot randomize` and `pilot survey`: the libraries at work on files, without web or database."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import yaml

from pilot import findings
from pilot.cli import Console, Failed, console
from pilot.errors import Refused
from randomization import batch
from randomization.errors import RandomizationError
from surveys import Instrument, InstrumentError, check_xlsform, read_xlsform
from surveys.beside import gather, missing_media, read_within
from surveys.codebook import codebook
from surveys.ddi import to_ddi
from surveys.errors import Finding
from surveys.readability import judge
from surveys.redcap import read_redcap, write_redcap
from surveys.xlsform_export import write_xlsform

IN = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)
Written = tuple[bytes, Sequence[Finding]]
"""The content of a file, and what its form has no place for."""


@click.command()
@click.argument("units", type=IN)
@click.option("--design", "design_file", type=IN, required=True, help="design.yaml: method, ratio, strata, …")
@click.option("--seed", type=click.IntRange(min=0), required=True, help="The same seed gives the same draw.")
@click.option("--id", "id_column", help="Column that names the units. Default: their line.")
@click.option("-o", "--output", type=OUT, required=True, help="CSV of assignments; a JSON record is written beside it.")
@console
def randomize(out: Console, units: Path, design_file: Path, seed: int, id_column: str | None, output: Path) -> None:
    """Draw the arms of the units (people, schools, invitations) in a CSV file, all at once.

    The record beside the assignments holds all that is needed to draw them again.
    """
    record = output.with_suffix(".json")
    taken = [path for path in (output, record) if path.exists()]
    if taken:
        raise Refused(f"{taken[0]} is there already; a draw is never overwritten", code="exists")
    section = yaml.safe_load(design_file.read_text(encoding="utf-8"))
    if not isinstance(section, dict):
        raise Refused(f"{design_file} holds no design; it starts with `method:`", code="design")
    try:
        drawn = batch.randomize_file(
            units, section.get("allocation", section), seed, output, record_path=record, id_column=id_column
        )
    except RandomizationError as error:
        remedy = getattr(error, "remedy", "")
        raise Failed(f"{error}" + (f"; {remedy}" if remedy and remedy not in str(error) else "")) from error
    counts = drawn.assignments["arm"].value_counts().to_dict()
    told = ", ".join(f"{arm} {count}" for arm, count in sorted(counts.items()))
    out.say(f"{len(drawn.assignments)} units drawn with seed {seed}: {told}\n  {output}\n  {record}",
            assignments=str(output), record=str(record), counts=counts)  # fmt: skip


@click.group()
def survey() -> None:
    """Questionnaires: read a workbook and say what is wrong with it."""


@survey.command("import")
@click.argument("workbook", type=IN)
@click.option("-o", "--output", type=OUT, help="Write the definition as JSON.")
@click.option(
    "--beside",
    type=IN,
    multiple=True,
    help="A file that the form names: a list (.csv), a picture, or a .zip of them. Default: the folder of WORKBOOK.",
)
@click.option("--language", type=click.Choice(["nl", "en"]), default="en", show_default=True, help="Of what is found.")
@console
def import_(out: Console, workbook: Path, output: Path | None, beside: tuple[Path, ...], language: str) -> None:
    """Read an XLSForm WORKBOOK (or a REDCap data dictionary, .csv); every mistake is named by sheet, row and column."""
    try:
        instrument, found = _read(workbook, beside)
    except InstrumentError as error:
        raise Failed("\n".join(findings.line(one, language) for one in error.findings)) from error
    errors = [findings.line(one, language) for one in found if one.severity == "error"]
    if instrument is None or errors:
        raise Failed("\n".join(errors) or findings.filled(findings.UNREADABLE, language, {}))
    if output is not None:
        output.write_text(json.dumps(instrument.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    told = [findings.line(one, language) for one in (*found, *judge(instrument))]
    usable = findings.filled(findings.USABLE, language, {
        "name": instrument.name, "count": str(len(instrument.questions)), "languages": ", ".join(instrument.languages),
        "mark": instrument.fingerprint[:16],
    })  # fmt: skip
    out.say(
        usable + "".join(f"\n  {line}" for line in told),
        name=instrument.name,
        questions=len(instrument.questions),
        fingerprint=instrument.fingerprint,
        findings=told,
    )


def _read(workbook: Path, beside: tuple[Path, ...]) -> tuple[Instrument | None, tuple[Finding, ...]]:
    if workbook.suffix.lower() == ".csv":
        return read_redcap(workbook, workbook.stem)
    given = gather((path.name, read_within(path)) for path in beside)
    instrument, found = check_xlsform(workbook, tables=given)
    if instrument is None:
        return None, found
    folders = (workbook.parent, workbook.parent / "media", workbook.parent.parent / "media")
    there = {*given, *(file for file in instrument.shown_files for place in folders if (place / file).is_file())}
    return instrument, (*found, *missing_media(instrument, there))


@survey.command("export")
@click.argument("workbook", type=IN)
@click.argument("output", type=OUT)
@console
def export(out: Console, workbook: Path, output: Path) -> None:
    """Write the form in WORKBOOK (.xlsx or .csv) as OUTPUT: .xlsx is an XLSForm, .csv a REDCap data dictionary, .json a
    codebook, .xml a codebook in DDI.
    """
    if output.suffix not in WRITERS:
        raise Failed(f"'{output.name}' has no known ending; use {', '.join(WRITERS)}")
    try:
        instrument = read_redcap(workbook, workbook.stem)[0] if workbook.suffix == ".csv" else read_xlsform(workbook)
    except InstrumentError as error:
        raise Failed(str(error)) from error
    content, lost = WRITERS[output.suffix](instrument)
    output.write_bytes(content)
    out.say(f"{output}" + "".join(f"\n  {finding}" for finding in lost), file=str(output), lost=[str(f) for f in lost])


def _dictionary(instrument: Instrument) -> Written:
    exported = write_redcap(instrument)
    return exported.content, exported.findings


def _book(instrument: Instrument) -> Written:
    text = json.dumps(codebook(instrument, instrument.name).to_dict(), ensure_ascii=False, indent=1)
    return text.encode(), ()


def _ddi(instrument: Instrument) -> Written:
    return to_ddi([codebook(instrument, instrument.name)], instrument.title or instrument.name), ()


WRITERS: dict[str, Callable[[Instrument], Written]] = {
    ".xlsx": lambda instrument: (write_xlsform(instrument).content, ()),
    ".csv": _dictionary,
    ".json": _book,
    ".xml": _ddi,
}
