"""Run a command and keep the person informed: what is being done, how long it took, how to mend a failure."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

# What a failing command says, and what a person can do about it.
REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r"name resolution|dns error|ENOTFOUND|EAI_AGAIN|error sending request|Could not connect|ECONNREFUSED|ETIMEDOUT"
        r"|Failed to establish a new connection|Network is unreachable|Connection refused|tcp connect error"
        r"|Temporary failure resolving|ConnectTimeout|Failed to fetch|No matching distribution found"
        r"|not found in the package registry",
        "A package could not be fetched. Check the network connection and try again; behind a proxy set HTTPS_PROXY "
        "first, with a mirror of your own check that it is up to date. What was already fetched is kept.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate|self.signed certificate|UnknownIssuer",
        "The network answers with a certificate this computer does not trust. Set SSL_CERT_FILE to your "
        "organisation's certificate file and try again.",
    ),
    (
        r"Python\.h|x86_64-linux-gnu-gcc|unable to execute '?(gcc|cc)|command '?(gcc|cc)",
        "A package had to be compiled here and could not be. Install a compiler and Python's headers "
        "(Debian and Ubuntu: sudo apt-get install build-essential python3-dev) and try again.",
    ),
    (r"No space left on device|ENOSPC", "The disk is full: about 2 GB must be free."),
    (r"Permission denied|EACCES|Read-only file system", "A file may not be written: run this as the folder's owner."),
    (
        r"do not match the hash|HASHES|EINTEGRITY|hash mismatch",
        "A fetched file is not the one that was pinned. Do not use it; try again from another network, and tell the "
        "maintainers when it stays.",
    ),
)


class Stop(Exception):
    """A foreseeable failure: its text says what happened and how to mend it."""


def say(text: str = "") -> None:
    print(text, flush=True)


@contextmanager
def progress(title: str) -> Iterator[None]:
    """Say what is being done, that it is still being done, and how long it took."""
    done = threading.Event()
    started = time.monotonic()

    def still_working() -> None:
        while not done.wait(10):
            say(f"    … still busy, {time.monotonic() - started:.0f} s")

    say(f"  {title} …")
    watcher = threading.Thread(target=still_working, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    say(f"    done in {time.monotonic() - started:.1f} s")


def remedy(output: str) -> str:
    return next((advice for pattern, advice in REMEDIES if re.search(pattern, output, re.IGNORECASE)), "")


def quietly(command: Sequence[str | Path], *, env: Mapping[str, str], failure: str) -> str:
    """Run a command and return its output; on failure stop with the end of what it said and how to mend it."""
    try:
        finished = subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env=dict(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as problem:
        raise Stop(f"{failure}\n{problem}\n{remedy(str(problem))}") from None
    if finished.returncode:
        tail = "\n".join(finished.stdout.strip().splitlines()[-15:])
        raise Stop(f"{failure}\n\n{tail}\n\n{remedy(finished.stdout)}".rstrip())
    return finished.stdout


def environment() -> dict[str, str]:
    """The caller's environment, so that proxies and certificates hold, with the virtual environment in front."""
    env = dict(os.environ)
    # Without compiled files importing statsmodels takes seven seconds in every process.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env.pop("PYTHONHOME", None)
    env["VIRTUAL_ENV"] = str(VENV)
    env["PATH"] = os.pathsep.join([str(VENV / "bin"), env.get("PATH", os.defpath)])
    env["UV_COMPILE_BYTECODE"] = "1"
    env.setdefault("OPENBLAS_NUM_THREADS", "1")
    env.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    env.setdefault("PYTHONUNBUFFERED", "1")
    if not os.access(Path.home(), os.W_OK):
        env.setdefault("UV_CACHE_DIR", str(VENV / "cache" / "uv"))
        env.setdefault("npm_config_cache", str(VENV / "cache" / "npm"))
        env.setdefault("PIP_NO_CACHE_DIR", "1")
    return env
