"""Make .venv and fill it with exactly the pinned Python packages, by uv where it exists and by plain pip elsewhere."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tooling.running import PYTHON, ROOT, VENV, Stop, environment, progress, quietly, say
from tooling.stamps import digest, stamp, stamps

REQUIREMENTS = ROOT / "requirements"
REQUIREMENT_SETS = {"app": ("app",), "test": ("app", "test"), "bench": ("app", "test", "bench")}


def check_machine() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python may be given this file
        raise Stop(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}. Try python3.11 run.py …")
    if os.name != "posix":
        raise Stop("Linux or macOS is needed. On Windows run this inside WSL (wsl --install).")


def make_environment() -> None:
    """A virtual environment of this Python; one that was moved or made by another Python is made again."""
    made_from = f"{sys.version_info[:2]} {VENV}"
    if PYTHON.exists() and stamps().get("environment", made_from) == made_from:
        return
    with progress("Making a virtual environment in .venv"):
        shutil.rmtree(VENV, ignore_errors=True)
        failure = (
            "The virtual environment could not be made.\n"
            "On Debian and Ubuntu Python's own installer is a package apart: sudo apt-get install python3-venv"
        )
        quietly([sys.executable, "-m", "venv", VENV], env=environment(), failure=failure)
    stamp("environment", made_from)


def uv_environment() -> dict[str, str]:
    """uv does not read pip's configuration: hand over the index, certificate and proxy that pip was told to use."""
    env = environment()
    command = [PYTHON, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    told: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        told[name.rpartition(".")[2]] = str(ast.literal_eval(value)) if value[:1] in "'\"" else value
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "trusted-host": "UV_INSECURE_HOST",
        "default-timeout": "UV_HTTP_TIMEOUT",
        "cert": "SSL_CERT_FILE",
        "proxy": "ALL_PROXY",
    }
    for pip_name, uv_name in names.items():
        if told.get(pip_name):
            env.setdefault(uv_name, ("," if pip_name == "find-links" else " ").join(told[pip_name].split()))
    # Several indexes may each hold part of the versions; the hashes decide which file is the right one.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


def install_python_packages(wanted: str) -> None:
    tools = digest(REQUIREMENTS / "uv.txt", REQUIREMENTS / "build.txt")
    if stamps().get("tools") != tools:
        with progress("Installing the installer (uv)"):
            pip = [PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r"]
            failure = "The pinned installer could not be installed."
            quietly([*pip, REQUIREMENTS / "build.txt"], env=environment(), failure=failure)
            try:
                quietly([*pip, REQUIREMENTS / "uv.txt"], env=environment(), failure=failure)
            except Stop as problem:
                if "No matching distribution" not in str(problem):
                    raise
                say("    uv does not exist for this computer; plain pip is slower and does as well")
        stamp("tools", tools)
    files = [REQUIREMENTS / f"{name}.txt" for name in REQUIREMENT_SETS[wanted]]
    if stamps().get("packages " + wanted) != digest(*files):
        sets = " + ".join(REQUIREMENT_SETS[wanted])
        with progress(f"Installing the Python packages ({sets}; a minute the first time)"):
            install = [*installer(), "--require-hashes", *(word for file in files for word in ("-r", str(file)))]
            quietly(install, env=uv_environment(), failure="The Python packages could not be installed.")
        for name, parts in REQUIREMENT_SETS.items():
            if set(parts) <= set(REQUIREMENT_SETS[wanted]):
                stamp("packages " + name, digest(*(REQUIREMENTS / f"{part}.txt" for part in parts)))
    project = digest(ROOT / "pyproject.toml", ROOT / "setup.py")
    if stamps().get("project") != project:
        with progress("Installing Adviespilot itself, editable"):
            install = [*installer(), "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
            quietly(install, env=uv_environment(), failure="The project itself could not be installed.")
        stamp("project", project)


def installer() -> list[str]:
    if (VENV / "bin" / "uv").exists():
        return [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(PYTHON)]
    return [str(PYTHON), "-m", "pip", "install", "--quiet"]


def lock_requirements() -> None:
    """Choose every version again and write requirements/*.txt with hashes and without addresses."""
    options = ["--universal", "--generate-hashes", "--no-annotate", "--no-header", "--python-version=3.11"]
    jobs = (
        ("app.txt", ["pyproject.toml"]),
        ("test.txt", ["requirements/test.in", "-c", "requirements/app.txt"]),
        ("bench.txt", ["requirements/bench.in", "-c", "requirements/test.txt"]),
        ("build.txt", ["requirements/build.in"]),
        ("node.txt", ["requirements/node.in"]),
        ("uv.txt", ["requirements/uv.in"]),
    )
    # An extra index may hold a part of a package's files only, and the lock would then lack the other files' hashes.
    env = {name: value for name, value in uv_environment().items() if name not in {"UV_INDEX", "UV_FIND_LINKS"}}
    for target, sources in jobs:
        with progress(f"Locking requirements/{target}"), tempfile.TemporaryDirectory() as folder:
            command = [
                VENV / "bin" / "uv",
                "pip",
                "compile",
                "--quiet",
                "--upgrade",
                *options,
                *sources,
                "-o",
                Path(folder) / target,
            ]
            quietly(command, env=env, failure=f"requirements/{target} could not be locked.")
            shutil.copyfile(Path(folder) / target, REQUIREMENTS / target)
