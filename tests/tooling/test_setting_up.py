"""Set-up as a person meets it: failures are said in plain words with a remedy, and nothing is done twice."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import run
from tooling import front_end, packages, programs, running, stamps
from tooling.running import Stop, environment, progress, quietly, remedy

SAID = {
    "error sending request for url: dns error: failed to lookup address": "HTTPS_PROXY",
    "npm error code ENOTFOUND": "HTTPS_PROXY",
    "ERROR: No matching distribution found for setuptools==84.2.1": "network connection",
    "src/module.c:1:10: fatal error: Python.h: No such file or directory": "python3-dev",
    "SSL: CERTIFICATE_VERIFY_FAILED": "SSL_CERT_FILE",
    "OSError: [Errno 28] No space left on device": "2 GB",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES": "not the one that was pinned",
    "npm error code EINTEGRITY": "not the one that was pinned",
}


@pytest.mark.parametrize("said", SAID)
def test_a_foreseeable_failure_says_how_to_mend_it(said: str):
    assert SAID[said] in remedy(said)


def test_a_failing_command_shows_the_end_of_what_it_said_and_the_remedy():
    program = "print('earlier line'); import sys; sys.exit('Network is unreachable')"
    with pytest.raises(Stop) as stopped:
        quietly([sys.executable, "-c", program], env=environment(), failure="The thing could not be fetched.")
    text = str(stopped.value)
    assert text.startswith("The thing could not be fetched.")
    assert "Network is unreachable" in text
    assert "HTTPS_PROXY" in text


def test_a_program_that_does_not_exist_stops_in_words():
    with pytest.raises(Stop, match="It is missing"):
        quietly(["no-such-program-here"], env=environment(), failure="It is missing.")


def test_progress_says_what_is_done_and_how_long_it_took(capsys: pytest.CaptureFixture[str]):
    with progress("Fetching a thing"):
        pass
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "  Fetching a thing …"
    assert lines[1].startswith("    done in 0.")


def test_commands_get_compiled_bytecode_and_the_callers_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    env = environment()
    assert "PYTHONDONTWRITEBYTECODE" not in env
    assert env["UV_COMPILE_BYTECODE"] == "1"
    assert env["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert env["PATH"].startswith(str(running.VENV / "bin"))


def test_a_home_that_cannot_be_written_moves_the_caches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    assert environment()["UV_CACHE_DIR"].startswith(str(running.VENV))


def test_uv_uses_the_index_and_certificate_that_pip_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://mirror.example/simple\nextra-index-url =\n  https://one.example/simple\n"
        f"  https://two.example/simple\ncert = {tmp_path / 'ca.pem'}\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "SSL_CERT_FILE", "PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    env = packages.uv_environment()
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert env["UV_INDEX"].split()[-2:] == ["https://one.example/simple", "https://two.example/simple"]
    assert env["SSL_CERT_FILE"] == str(tmp_path / "ca.pem")


def test_what_uv_was_told_itself_wins_over_pip(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/simple")
    assert packages.uv_environment()["UV_DEFAULT_INDEX"] == "https://own.example/simple"


def test_a_stamp_changes_when_an_input_changes_appears_or_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stamps, "ROOT", tmp_path)
    file = tmp_path / "requirements.txt"
    absent = stamps.digest(file)
    file.write_text("one==1")
    first = stamps.digest(file)
    file.write_text("one==2")
    assert len({absent, first, stamps.digest(file)}) == 3
    file.write_text("one==1")
    assert stamps.digest(file) == first


def test_a_damaged_stamp_means_set_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stamps, "STAMP", tmp_path / "stamp.json")
    stamps.stamp("app", "abc")
    stamps.stamp("test", "def")
    assert stamps.stamps() == {"app": "abc", "test": "def"}
    (tmp_path / "stamp.json").write_text('{"app": ')
    assert stamps.stamps() == {}


def test_front_end_files_that_are_missing_or_altered_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = {"good.js": b"good", "bad.js": b"bad", "lost.js": b"lost"}
    vendor = {name: {"from": name, "sha256": hashlib.sha256(body).hexdigest()} for name, body in files.items()}
    (tmp_path / "package.json").write_text(json.dumps({"vendor": vendor}))
    (tmp_path / "good.js").write_bytes(b"good")
    (tmp_path / "bad.js").write_bytes(b"changed")
    monkeypatch.setattr(front_end, "ROOT", tmp_path)
    monkeypatch.setattr(front_end, "VENDOR", tmp_path)
    assert front_end.vendor_problems() == ["bad.js is not the pinned file", "lost.js is missing"]


def test_a_postgresql_that_is_too_old_or_incomplete_is_not_taken(tmp_path: Path):
    for name in ("postgres", "initdb", "pg_ctl"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 13.4'\n")
        (tmp_path / name).chmod(0o755)
    assert programs.postgres_version(tmp_path) == 13
    (tmp_path / "pg_ctl").unlink()
    assert programs.postgres_version(tmp_path) == 0
    found = programs.find_postgres()
    assert found is not None
    assert programs.postgres_version(found) >= programs.POSTGRES_OLDEST


def test_a_port_in_use_is_said_before_anything_is_set_up(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run.main(["demo", "--port", str(port)]) == 2
    said = capsys.readouterr().out
    assert f"Port {port} is in use" in said
    assert f"--port {port + 1}" in said


def test_help_names_every_command_and_a_mistyped_one_is_refused():
    program = [sys.executable, str(running.ROOT / "run.py")]
    helped = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True).stdout
    assert [name for name in ("demo", "test", "setup", "bench", "screenshots", "lock") if name not in helped] == []
    mistyped = subprocess.run([*program, "dmeo"], capture_output=True, text=True, check=False)
    assert mistyped.returncode == 2
    assert "Traceback" not in mistyped.stderr


def test_an_unknown_option_is_refused_where_no_arguments_are_passed_on():
    with pytest.raises(SystemExit) as stopped:
        run.main(["setup", "--quickly"])
    assert stopped.value.code == 2
