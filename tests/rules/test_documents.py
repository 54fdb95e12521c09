"""What is written for people stays true: links lead somewhere, commands exist, decisions are numbered once."""

from __future__ import annotations

import re
import shlex

import pytest
from project_files import PACKAGES, texts

import run
from tooling.running import ROOT

DOCUMENTS = {name: text for name, text in texts().items() if name.endswith(".md")}
DECISIONS = sorted(name for name in DOCUMENTS if re.match(r"docs/decisions/\d", name))


def test_every_link_and_picture_leads_somewhere():
    lost = []
    for name, text in DOCUMENTS.items():
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose)]
        local = [target for target in targets if target and "://" not in target and not target.startswith("mailto:")]
        lost += [f"{name}: {target}" for target in local if not ((ROOT / name).parent / target).exists()]
    assert lost == []


def test_decisions_are_numbered_once_and_without_holes():
    numbers = [int(name.rpartition("/")[2][:4]) for name in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 7


def test_a_decision_says_what_was_decided_why_and_what_else_was_considered():
    titles = {name: f"# {int(name.rpartition('/')[2][:4])}. " for name in DECISIONS}
    assert [name for name, title in titles.items() if not DOCUMENTS[name].startswith(title)] == []
    parts = {name: re.findall(r"^## (.+)$", DOCUMENTS[name], re.MULTILINE) for name in DECISIONS}
    assert [name for name, found in parts.items() if found != ["Why", "Decision", "Considered", "Consequences"]] == []


def commands_of_run_py() -> list[str]:
    """Every call of run.py in the documents, in the CI script and in run.py's own description."""
    sources = {**DOCUMENTS, ".ci/run": texts()[".ci/run"], "run.py": run.__doc__ or ""}
    calls = [call for text in sources.values() for call in re.findall(r"python3 run\.py ([^\n`|&)]*)", text)]
    return sorted({re.split(r"\s{2,}|[;,.…]|\s#|\s[a-z]+ \w+ing", call)[0].strip() for call in calls} - {""})


@pytest.mark.parametrize("call", commands_of_run_py())
def test_every_command_that_is_written_down_exists(call: str):
    options, rest = run.parser().parse_known_args(shlex.split(call))
    assert options.command
    assert [word for word in rest if word.startswith("--heavy") or options.command not in {"test", "bench"}] == []


def test_the_architecture_opens_with_what_may_not_happen_and_names_every_package():
    text = DOCUMENTS["docs/architecture.md"]
    paragraphs = text.split("\n\n")
    assert "Only `pilot` knows the web and the database" in paragraphs[1]
    assert [package for package in PACKAGES if f"`{package}`" not in text] == []


def test_the_readme_opens_with_the_two_commands():
    readme = DOCUMENTS["README.md"]
    assert readme.index("python3 run.py demo") < readme.index("python3 run.py test") < 6000
