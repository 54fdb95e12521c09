"""Remember what was set up by the hashes of what it was made from, so that a second run starts within a second."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tooling.running import ROOT, VENV, say

STAMP = VENV / "adviespilot-stamp.json"


def digest(*paths: Path) -> str:
    total = hashlib.sha256(str(sys.version_info[:2]).encode())
    for path in paths:
        total.update(str(path.relative_to(ROOT)).encode())
        total.update(path.read_bytes() if path.is_file() else b"absent")
    return total.hexdigest()


def stamps() -> dict[str, str]:
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def stamp(part: str, value: str) -> None:
    written = STAMP.with_suffix(".new")
    written.write_text(json.dumps({**stamps(), part: value}, indent=1))
    written.replace(STAMP)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two set-ups of one folder wait for each other."""
    import fcntl  # absent on Windows, where check_machine has already stopped

    lock = ROOT / "var" / "setup.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("  Another set-up of this folder is under way; waiting for it …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
