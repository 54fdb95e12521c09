"""The guides tell the truth: every setting, command and picture that there is, and none that there is not."""

from __future__ import annotations

import re

import click
import pytest
from project_files import texts

from pilot.cli import main
from pilot.models import ROLES
from pilot.settings import documentation
from tooling.running import ROOT

GUIDES = {name: text for name, text in texts().items() if name.startswith("docs/guide/") and name.endswith(".md")}
PICTURES = sorted(path.name for path in (ROOT / "docs" / "guide" / "img").glob("*.png"))
LARGEST = 200_000


def commands(group: click.Group = main, before: tuple[str, ...] = ("pilot",)) -> list[str]:
    """Every command as it is typed: pilot serve, pilot db backup, …"""
    context, found = click.Context(group), []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        deeper = isinstance(command, click.Group)
        found += commands(command, (*before, name)) if deeper else [" ".join((*before, name))]
    return found


def test_the_page_of_settings_is_the_documentation_of_the_settings():
    rows = re.findall(r"^\| `(PILOT_\w+)` \| (.*?) \| (.*) \|$", GUIDES["docs/guide/settings.md"], re.MULTILINE)
    written = [(name, "" if default == "empty" else default.strip("`"), about) for name, default, about in rows]
    assert written == [(name, default if default != "." else "", about) for name, default, about in documentation()]


@pytest.mark.parametrize("command", commands())
def test_every_command_stands_in_the_guide_with_an_example(command: str):
    page = GUIDES["docs/guide/command-line.md"]
    assert re.search(rf"^\$ {command}(\s|$)", page, re.MULTILINE), f"no example that begins with '$ {command}'"


def test_every_command_that_a_guide_shows_exists():
    known = commands()
    shown = {line for text in GUIDES.values() for line in re.findall(r"^\$ (pilot .*?)(?= -|<|$)", text, re.MULTILINE)}
    typed = {line.replace("pilot --json ", "pilot ").strip() for line in shown} - {"pilot"}
    assert [line for line in sorted(typed) if not any(line.startswith(command) for command in known)] == []


@pytest.mark.parametrize("role", ["participant", *ROLES])
def test_every_role_has_a_page_with_a_picture(role: str):
    page = GUIDES[f"docs/guide/{role}.md"]
    assert re.search(r"!\[[^\]]+\]\(img/[\w-]+\.png\)", page)
    assert f"]({role}.md)" in GUIDES["docs/guide/index.md"]


def test_the_example_of_the_readme_gives_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (code,) = re.findall(r"^```python\n(.*?)^```", texts()["README.md"], re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(code, names)
    assert re.search(r"# ([\d. ]+)$", code, re.MULTILINE)[1] == capsys.readouterr().out.strip()  # type: ignore[index]
    assert names["arms"].value_counts().to_dict() == {"advice": 8, "portal": 4}  # type: ignore[attr-defined]


def test_every_picture_is_shown_somewhere_and_is_small():
    shown = "\n".join([*GUIDES.values(), texts()["README.md"]])
    assert [name for name in PICTURES if f"img/{name}" not in shown] == []
    sizes = {name: (ROOT / "docs" / "guide" / "img" / name).stat().st_size for name in PICTURES}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert len(PICTURES) > 20
