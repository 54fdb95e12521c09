"""The wheel holds everything that a server needs, and is not built when something is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from project_files import PACKAGES, project_files

from tooling.front_end import VENDOR, package_json
from tooling.running import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project as a fresh clone has it, with the front-end files that set-up fetched."""
    folder = tmp_path / "project"
    wanted = {"pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in", "package.json", "tooling", *PACKAGES}
    for path in project_files():
        name = path.relative_to(ROOT)
        if name.parts[0] in wanted:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
    shutil.copytree(VENDOR, folder / VENDOR.relative_to(ROOT))
    for catalogue in (ROOT / "pilot" / "translations").glob("*/LC_MESSAGES/*.mo"):
        shutil.copyfile(catalogue, folder / catalogue.relative_to(ROOT))
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """What `pip wheel` and `python -m build` do, without their own environments."""
    program = "from setuptools import build_meta; print(build_meta.build_wheel('out'))"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


def test_the_wheel_holds_packages_types_data_and_front_end_files(copy: Path):
    built = build(copy)
    assert built.returncode == 0, built.stderr[-2000:]
    with zipfile.ZipFile(next((copy / "out").glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    expected = {f"{package}/py.typed" for package in PACKAGES}
    expected |= {f"{VENDOR.relative_to(ROOT).as_posix()}/{name}" for name in package_json()["vendor"]}
    expected |= {
        path.relative_to(ROOT).as_posix()
        for path in project_files()
        if path.relative_to(ROOT).parts[0] in PACKAGES and path.suffix not in {".md"}
    }
    assert expected - names == set()
    assert [name for name in names if name.startswith(("tests/", "tooling/", "benchmarks/", "node_modules/"))] == []


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_no_wheel_is_built_when_a_front_end_file_is_missing_or_not_the_pinned_one(copy: Path, damage: str):
    file = copy / VENDOR.relative_to(ROOT) / "htmx.min.js"
    if damage == "missing":
        file.unlink()
    else:
        file.write_text(file.read_text() + "// changed")
    built = build(copy)
    assert built.returncode != 0
    assert "htmx.min.js is" in built.stderr
    assert "python3 run.py setup" in built.stderr
    assert not list((copy / "out").glob("*.whl"))
