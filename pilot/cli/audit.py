"""`pilot audit`: what anybody may check about the allocations."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from pilot import audit as audits
from pilot import keys, locking
from pilot.cli import Console, Failed, Opened, console
from pilot.clock import system
from pilot.errors import SettingsError


@click.group()
def audit() -> None:
    """The log of allocations: verify its chains, replay it from the key, anchor its heads, write it out."""


@audit.command()
@click.argument("pilot")
@click.option("--anchor", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An anchor kept outside.")
@console
def verify(out: Console, pilot: str, anchor: Path | None) -> None:
    """Follow every hash chain of PILOT; needs no key."""
    with closing(Opened(out)) as opened, opened.database.reading() as session:
        found = locking.by_slug(session, pilot)
        lines = [f"{f.mode} {f.stratum} {f.position}: {f.what}" for f in audits.verify(session, found)]
        if anchor is not None:
            record = json.loads(anchor.read_text(encoding="utf-8"))
            lines += audits.against_anchor(session, found, record, keyring=opened.database.keyring)
        count = len(list(audits.export(session, found)))
    _conclude(out, lines, f"{count} allocations, every chain is whole", rows=count)


@audit.command()
@click.argument("pilot")
@click.option("--mode", type=click.Choice(["live", "test"]), default="live", show_default=True)
@click.option("--key", "key_hex", help="The revealed key, in hexadecimal. Default: the key file of this installation.")
@console
def replay(out: Console, pilot: str, mode: str, key_hex: str | None) -> None:
    """Derive every arm of PILOT again from the key, and list every difference."""
    with closing(Opened(out)) as opened, opened.database.reading() as session:
        found = locking.by_slug(session, pilot)
        key = _key(out, pilot, mode, key_hex)
        lines = []
        if not audits.commitment_holds(session, found, key=key, mode=mode):
            lines.append("this key is not the one that was committed to when the protocol was locked")
        differences = audits.replay(session, found, key=key, mode=mode)
        lines += [
            f"{d.stratum} {d.position}: {d.what} is recorded as {d.recorded!r}, the key gives {d.derived!r}"
            for d in differences
        ]
        count = sum(row["mode"] == mode for row in audits.export(session, found))
    _conclude(out, lines, f"{count} allocations replayed, no difference", rows=count)


@audit.command()
@click.argument("pilot")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@console
def anchor(out: Console, pilot: str, output: Path) -> None:
    """Write the heads of all chains, signed; keep the file where this installation cannot reach it."""
    with closing(Opened(out)) as opened, opened.database.reading() as session:
        found = locking.by_slug(session, pilot)
        record = audits.anchor(session, found, keyring=opened.database.keyring, now=system())
    output.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    out.say(f"{output} holds {len(record['heads'])} heads; keep it apart", file=str(output), heads=len(record["heads"]))


@audit.command()
@click.argument("pilot")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@console
def log(out: Console, pilot: str, output: Path) -> None:
    """Write the log as lines of JSON: all that an outsider needs beside the key, and nothing about who people are."""
    with closing(Opened(out)) as opened, opened.database.reading() as session:
        rows = list(audits.export(session, locking.by_slug(session, pilot)))
    text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    output.write_text(text, encoding="utf-8")
    out.say(f"{output} holds {len(rows)} allocations", file=str(output), rows=len(rows))


def _key(out: Console, pilot: str, mode: str, key_hex: str | None) -> bytes:
    if key_hex is None:
        return keys.read(out.settings.keys, pilot, mode)
    try:
        key = bytes.fromhex(key_hex)
    except ValueError:
        key = b""
    if len(key) != keys.LENGTH:
        raise SettingsError(
            f"the key is not {keys.LENGTH} bytes in hexadecimal; copy it whole from where it was published"
        )
    return key


def _conclude(out: Console, lines: list[str], fine: str, *, rows: int) -> None:
    """Everything that was found, and exit code 1 when that is anything."""
    if not lines:
        out.say(fine, rows=rows, differences=[])
        return
    if out.as_json:
        click.echo(json.dumps({"ok": False, "rows": rows, "differences": lines}, ensure_ascii=False))
    else:
        click.echo("\n".join(lines))
    raise Failed(f"the audit found {len(lines)} difference{'s' * (len(lines) != 1)}")
