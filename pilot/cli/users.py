"""`pilot user`: the people who work on pilots."""

from __future__ import annotations

import secrets
import sys
from contextlib import closing

import click

from pilot import people
from pilot.cli import Console, Opened, console
from pilot.clock import system
from pilot.models import ROLES


@click.group()
def user() -> None:
    """The people who work on pilots."""


@user.command()
@click.argument("email")
@click.option("--name", default="", help="Name as colleagues know it.")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the person does.")
@click.option("--pilot", "slug", help="Short name of the pilot; may be left out for an administrator only.")
@click.option("--organisation", help="On whose behalf, for instance the regional desk. Needed for an advisor.")
@click.option("--language", type=click.Choice(["nl", "en"]), default="nl", show_default=True)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the person's own password from standard input; else a first one is made, to be changed.",
)
@console
def add(out: Console, email: str, name: str, role: str, slug: str | None, organisation: str | None, language: str,
        password_stdin: bool) -> None:  # fmt: skip
    """Let somebody in, or give one more role to somebody who is in."""
    given = sys.stdin.readline().rstrip("\n") if password_stdin else None
    password = given or "-".join(secrets.token_hex(2) for _ in range(4))
    newcomer = people.Newcomer(email, name, role, slug, organisation, language)
    kept = people.hashed(out.settings, password)
    with closing(Opened(out)) as opened, opened.database.writing() as session:
        added = people.add(session, newcomer, kept, first_password=given is None, now=system())
    if added.new and given is None:
        out.say(f"{added.email} is {role}; first password: {password}", email=added.email, role=role, password=password)
    else:
        out.say(f"{added.email} is {role}", email=added.email, role=role)
