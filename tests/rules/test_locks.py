"""What is installed is exactly what was chosen: every version and file is pinned, and no lock holds an address."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tooling.packages import REQUIREMENT_SETS
from tooling.running import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
VERSION = re.compile(r"^\d+\.\d+\.\d+$")


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def entries(lock: Path) -> list[str]:
    """One string for each requirement of a lock, its hashes joined on."""
    return re.sub(r"\\\n\s*", "", lock.read_text()).strip().splitlines()


def versions(lock: Path) -> dict[str, set[str]]:
    """Versions of each package; a package may have one for older and one for newer Pythons."""
    found: dict[str, set[str]] = {}
    for entry in entries(lock):
        found.setdefault(name_of(entry), set()).add(entry.split("==")[1].split()[0])
    return found


@pytest.mark.parametrize("lock", [*LOCKS, ROOT / "package-lock.json"], ids=lambda lock: lock.name)
def test_a_lock_holds_no_address(lock: Path):
    assert re.findall(r"\w+://|\bfile:|--index|--extra|--find-links|\"resolved\"", lock.read_text()) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_one_version_with_hashes(lock: Path):
    loose = [entry[:60] for entry in entries(lock) if not re.match(r"\S+==\S+.*--hash=sha256:[0-9a-f]{64}", entry)]
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_lock_stands_beside_what_was_asked_for(lock: Path):
    if lock.name == "app.txt":
        asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    else:
        asked = lock.with_suffix(".in").read_text().split()
    assert {name_of(requirement) for requirement in asked} - versions(lock).keys() == set()


@pytest.mark.parametrize("wanted", REQUIREMENT_SETS)
def test_locks_that_are_installed_together_agree(wanted: str):
    locks = [versions(ROOT / "requirements" / f"{part}.txt") for part in REQUIREMENT_SETS[wanted]]
    for one in locks:
        for other in locks:
            assert {name for name in one.keys() & other.keys() if one[name] != other[name]} == set()


def test_front_end_versions_are_exact_and_the_lock_is_of_this_package_json():
    package = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    asked = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in asked.items() if not VERSION.match(version)] == []
    assert asked == {name: locked[f"node_modules/{name}"]["version"] for name in asked}
    assert [name for name, entry in locked.items() if name and not entry["integrity"].startswith("sha512-")] == []


def test_every_front_end_file_that_is_served_comes_from_a_package_that_is_shipped_with_its_licence():
    package = json.loads((ROOT / "package.json").read_text())
    sources = [file["from"] for file in package["vendor"].values()]
    served = {name for name in package["dependencies"] if any(source.startswith(name + "/") for source in sources)}
    licensed = {name for name in served if any(source.startswith(f"{name}/LICENSE") for source in sources)}
    assert served == licensed == package["dependencies"].keys()
    assert [source for source in sources if not source.startswith(tuple(package["dependencies"]))] == []
