"""`pilot protocol`: check a protocol, lock it with a second person, show what is in force, start and close."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import click

from pilot import locking, people
from pilot.cli import Console, Failed, Opened, console
from pilot.clock import system
from pilot.looking import remarks
from pilot.models import ProtocolVersion
from pilot.protocol import Protocol, biased_outcomes, hard_texts, read
from pilot.translations import unreviewed

FOLDER = click.Path(exists=True, path_type=Path)


@click.group()
def protocol() -> None:
    """The protocol of a pilot: check, lock, show, start, close."""


@protocol.command()
@click.argument("path", type=FOLDER)
@console
def check(out: Console, path: Path) -> None:
    """Read the protocol in PATH and say what is wrong with it, line by line; texts too hard to read count as wrong.

    Outcomes that people who stop answering would bias are named with the remedy.
    """
    found = read(path)
    if hard := hard_texts(found):
        raise Failed(
            "these texts are too hard to read for participants; mend them:\n" + "\n".join(f"  {t}" for t in hard)
        )
    size, biased = found.sample_size.n(), (*biased_outcomes(found), *remarks(found))
    out.say(
        f"the protocol of '{found.pilot.slug}' holds together\n"
        f"  fingerprint  {found.fingerprint}\n"
        f"  arms         {', '.join(arm.name for arm in found.arms)}\n"
        f"  sample size  {size.analysed} an arm analysed, {size.recruited} an arm to recruit, {size.total} in all\n"
        f"  analysis     {found.plan.decision.adjusted} ({found.plan.decision.convention})\n"
        f"  texts        every instrument reads well (B1)"
        + _languages(found)
        + "".join(f"\n  look at      {told}" for told in biased),
        fingerprint=found.fingerprint,
        slug=found.pilot.slug,
        analysed=size.analysed,
        recruited=size.recruited,
        total=size.total,
        warnings=list(biased),
    )


@protocol.command()
@click.argument("path", type=FOLDER)
@click.option("--author", required=True, help="Who proposes it: the e-mail address of a member of staff.")
@click.option("--approver", required=True, help="The second person, who approves it.")
@click.option("--reason", default="", help="What changed and why; needed for an amendment.")
@console
def lock(out: Console, path: Path, author: str, approver: str, reason: str) -> None:
    """Lock the protocol in PATH, or amend the one that is locked. Two people are needed."""
    found, now = read(path), system()
    with closing(Opened(out)) as opened, opened.database.writing() as session:
        pilot = locking.find(session, found.pilot.slug) or locking.create(session, found, now=now)
        first, second = people.by_email(session, author), people.by_email(session, approver)
        version = locking.propose(session, pilot, found, author_id=first.id, reason=reason, now=now)
        locking.approve(session, pilot, version, approver_id=second.id, folder=out.settings.keys, now=now)
        number, epoch = version.number, version.epoch
    what = "locked" if number == 0 else f"amended (number {number}, allocation epoch {epoch})"
    out.say(
        f"the protocol of '{found.pilot.slug}' is {what}\n  fingerprint  {found.fingerprint}\n"
        f"  keys         {out.settings.keys}: keep a copy apart from the database and its backups",
        fingerprint=found.fingerprint,
        number=number,
        epoch=epoch,
    )


@protocol.command()
@click.argument("pilot")
@console
def show(out: Console, pilot: str) -> None:
    """The protocol that is in force for PILOT, its versions and its published commitments."""
    with closing(Opened(out)) as opened, opened.database.reading() as session:
        found = locking.by_slug(session, pilot)
        version, value = locking.in_force(session, found.id)
        if out.as_json:
            click.echo(value.canonical)
            return
        lines = [f"{found.slug}: {found.status}, {found.mode}", *_describe(value, version)]
        for row in locking.commitments(session, found):
            key = row.revealed_key or "not revealed yet"
            lines.append(f"  {row.mode:<5} commitment {row.commitment}\n        nonce {row.nonce}  key {key}")
    click.echo("\n".join(lines))


@protocol.command()
@click.argument("pilot")
@click.option("--mode", type=click.Choice(["live", "test"]), required=True, help="A test shares nothing with live.")
@console
def start(out: Console, pilot: str, mode: str) -> None:
    """Open recruitment of PILOT."""
    with closing(Opened(out)) as opened, opened.database.writing() as session:
        locking.start(session, locking.by_slug(session, pilot), mode=mode, actor_id=None, now=system())
    out.say(f"'{pilot}' takes people in ({mode})", pilot=pilot, mode=mode)


@protocol.command()
@click.argument("pilot")
@click.option("--reveal", is_flag=True, help="Publish the keys as well, so that anyone can replay the allocations.")
@console
def close(out: Console, pilot: str, reveal: bool) -> None:
    """Close recruitment of PILOT for good."""
    with closing(Opened(out)) as opened, opened.database.writing() as session:
        found = locking.by_slug(session, pilot)
        if found.status != "closed":
            locking.close(session, found, actor_id=None, now=system())
        if reveal:
            locking.reveal(session, found, folder=out.settings.keys, actor_id=None, now=system())
    out.say(f"'{pilot}' is closed" + (" and its keys are published" if reveal else ""), pilot=pilot, revealed=reveal)


def _languages(found: Protocol) -> str:
    """Which languages the pages of participants are offered in besides, and which a translator still has to see."""
    wanted = found.pilot.interface_languages
    waiting = ", ".join(code for code in wanted if unreviewed(code))
    if not wanted:
        return ""
    return f"\n  languages    {', '.join(wanted)}" + (f" (not yet seen by a translator: {waiting})" if waiting else "")


def _gifts(value: Protocol) -> str:
    """What people get for each list; an older protocol leaves that to the cards that are taken in."""
    if value.incentives is None:
        return "not in the protocol: after every list, as many as are taken in"
    each = (f"{one.wave} EUR {one.amount_cents / 100:.2f} {one.when} answering" for one in value.incentives)
    return "; ".join(each) or "none"


def _describe(value: Protocol, version: ProtocolVersion) -> list[str]:
    outside = value.plan.analysis.secondary_contrasts
    return [
        f"  version      {version.number}, allocation epoch {version.epoch}, fingerprint {version.fingerprint}",
        f"  arms         {', '.join(arm.name for arm in value.arms)}",
        f"  allocation   {value.allocation.to_dict()}",
        f"  waves        {', '.join(wave.name for wave in value.waves)}",
        f"  gift cards   {_gifts(value)}",
        f"  outcomes     {', '.join(outcome.name for outcome in value.plan.outcomes)}",
        f"  contrasts    {_pairs(value.plan.contrasts)}",
        *([f"  outside      {_pairs(outside)} (outside the sized family)"] if outside else []),
    ]


def _pairs(contrasts: Iterable[tuple[str, str]]) -> str:
    return ", ".join(" against ".join(pair) for pair in contrasts)
