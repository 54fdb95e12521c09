"""The command `pilot`: help in plain words, answers for people and for programs, exit codes that mean something."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from pilot import schema
from pilot.cli import COMMANDS, main
from pilot.cli.serve import processes
from pilot.db import Database
from pilot.models import Pilot, User
from pilot.settings import load

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def pilot(tmp_path, monkeypatch):
    """`pilot("db", "check")` runs a command in a home of its own."""
    monkeypatch.setenv("PILOT_KIND", "test")
    monkeypatch.setenv("PILOT_HOME", str(tmp_path))

    def run(*words: str, typed: str | None = None):
        return CliRunner().invoke(main, words, input=typed)

    return run


@pytest.fixture
def database(pilot, tmp_path):
    pilot("db", "upgrade")
    database = Database(load({}, home=tmp_path, kind="test"))
    yield database
    database.dispose()


def test_help_names_every_command_in_a_sentence(pilot):
    said = pilot("--help")
    assert said.exit_code == 0
    for name in COMMANDS:
        (line,) = [line for line in said.output.splitlines() if line.strip().startswith(f"{name} ")]
        assert line.rstrip().endswith(".")


@pytest.mark.parametrize("words", [["nonsense"], ["db", "nonsense"], ["user", "add", "a@b.nl"], ["--nonsense"]])
def test_a_command_that_was_typed_wrongly_exits_with_2(pilot, words):
    assert pilot(*words).exit_code == 2


def test_what_a_person_can_mend_is_one_sentence_and_exits_with_1(pilot):
    said = pilot("db", "check")
    assert said.exit_code == 1
    assert "Error: the database has no tables yet; make them with `pilot db upgrade`" in said.output
    assert "Traceback" not in said.output


def test_a_program_gets_json_for_good_and_for_bad(pilot):
    bad = pilot("--json", "db", "check")
    assert json.loads(bad.stdout)["error"] == "settings"
    good = pilot("--json", "db", "upgrade")
    assert json.loads(good.stdout) == {"ok": True, "before": None, "after": schema.head()}
    assert json.loads(pilot("--json", "db", "check").stdout)["ok"] is True


def test_upgrading_twice_says_that_nothing_was_left_to_do(pilot):
    assert f"migration {schema.head()}" in pilot("db", "upgrade").output
    assert "already" in pilot("db", "upgrade").output


def test_a_setting_that_cannot_be_is_named(pilot, monkeypatch):
    monkeypatch.setenv("PILOT_TIMEZONE", "Mars/Olympus")
    said = pilot("db", "check")
    assert said.exit_code == 1
    assert "PILOT_TIMEZONE" in said.output


def test_a_backup_is_written_and_never_over_another(pilot, database, tmp_path):
    assert pilot("db", "backup", str(tmp_path / "copy")).exit_code == 0
    assert pilot("db", "backup", str(tmp_path / "copy")).exit_code == 1


def test_somebody_is_let_in_with_a_first_password(pilot, database):
    told = json.loads(pilot("--json", "user", "add", "Ada@Huis.nl", "--role", "administrator", "--name", "Ada").stdout)
    assert len(told["password"]) >= 12
    with database.reading() as session:
        user = session.scalars(select(User)).one()
        assert (user.name, user.active) == ("Ada", True)
        assert user.password.startswith("$argon2id$")
        assert [m.role for m in user.memberships] == ["administrator"]


def test_a_second_role_leaves_the_password_alone(pilot, database, tmp_path):
    with database.writing() as session:
        session.add(Pilot(slug="noord", title={"nl": "Noord"}, created_at=NOW))
    pilot("user", "add", "ada@huis.nl", "--role", "administrator")
    with database.reading() as session:
        before = session.scalars(select(User.password)).one()
    more = ("--role", "advisor", "--pilot", "noord", "--organisation", "Loket Noord", "--password-stdin")
    said = pilot("user", "add", "ADA@huis.nl", *more, typed="een ander lang wachtwoord\n")
    assert said.exit_code == 0
    assert "password" not in said.output
    with database.reading() as session:
        user = session.scalars(select(User)).one()
        assert user.password == before
        assert {(m.role, m.organisation.name if m.organisation else None) for m in user.memberships} == {
            ("administrator", None),
            ("advisor", "Loket Noord"),
        }
    assert pilot("user", "add", "ada@huis.nl", *more, typed="een ander lang wachtwoord\n").exit_code == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["no-address", "--role", "administrator"], "no e-mail address"),
        (["a@huis.nl", "--role", "researcher"], "name the pilot"),
        (["a@huis.nl", "--role", "advisor", "--pilot", "noord"], "organisation"),
        (["a@huis.nl", "--role", "researcher", "--pilot", "nergens"], "no pilot 'nergens'"),
        (["a@huis.nl", "--role", "administrator", "--password-stdin"], "at least 12"),
    ],
)
def test_who_cannot_be_let_in_is_refused_with_the_reason(pilot, database, words, reason):
    said = pilot("user", "add", *words, typed="kort\n")
    assert said.exit_code == 1
    assert reason in said.output
    with database.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_the_site_does_not_start_when_it_cannot_keep_its_promises(pilot):
    said = pilot("serve")
    assert said.exit_code == 1
    assert "pilot db upgrade" in said.output


def test_more_threads_than_connections_are_refused(pilot, database):
    said = pilot("serve", "--threads", "64")
    assert said.exit_code == 1
    assert "PILOT_POOL_SIZE" in said.output


def test_an_unsafe_sqlite_gets_one_process_and_says_so(caplog):
    assert processes(4, alone=True) == 1
    assert "one process serves" in caplog.text
    assert processes(4, alone=False) == 4
