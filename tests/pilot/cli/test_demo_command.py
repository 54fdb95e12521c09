"""`pilot demo`: what it leaves behind is a demo for everything that is started there later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pilot.app import create_app
from pilot.cli import main
from pilot.settings import load


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict]:
    monkeypatch.delenv("PILOT_KIND", raising=False)
    home = tmp_path / "demo"
    told = CliRunner().invoke(main, ["--json", "--home", str(home), "demo", "--participants", "60"])
    assert told.exit_code == 0, told.output
    return home, json.loads(told.stdout)


def test_the_printed_login_leads_to_the_desk_of_a_demo_without_an_app_for_codes(made):
    home, told = made
    client = create_app(load({}, home=home)).test_client()
    page = client.get("/login?lang=en").get_data(as_text=True)
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    form = {"email": told["logins"]["researcher"], "password": told["password"], "csrf_token": token}
    desk = client.post("/login", data=form, follow_redirects=True)
    assert desk.status_code == 200
    assert "This is a demonstration" in desk.get_data(as_text=True)
    assert desk.request.path == "/desk"


def test_a_demo_is_not_made_in_the_folder_of_another_installation(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("PILOT_KIND", raising=False)
    (tmp_path / "pilot.toml").write_text('sender = "Pilot <pilot@example.org>"\n', encoding="utf-8")
    told = CliRunner().invoke(main, ["--home", str(tmp_path), "demo", "--participants", "60"])
    assert told.exit_code != 0
    assert "another installation" in told.output
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".sqlite3"] == []
